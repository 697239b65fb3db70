#include "shell/render/plan_dot.h"

#include <fmt/format.h>

#include <cctype>
#include <vector>

#include "shell/render/json_text.h"

namespace weir::shell {
namespace {

struct Box {
  size_t indent = 0;
  int parent = -1;  // The operator that takes its rows.
  std::string label;
  std::string tooltip;
};

/// True for "#12 …" behind the indent.
bool BeginsOperator(std::string_view text) {
  size_t i = 1;
  while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) ++i;
  return text.starts_with('#') && i > 1 && i < text.size() && text[i] == ' ';
}

std::vector<Box> Boxes(std::string_view plan) {
  std::vector<Box> boxes;
  while (!plan.empty()) {
    const size_t end = plan.find('\n');
    const std::string_view line = plan.substr(0, end);
    plan = end == plan.npos ? std::string_view() : plan.substr(end + 1);
    const size_t indent = line.find_first_not_of(' ');
    if (indent == line.npos) continue;
    const std::string_view text = line.substr(indent);
    if (!BeginsOperator(text)) {
      // What its rows look like, and lines of a text in the operator itself.
      if (boxes.empty()) continue;
      std::string& tooltip = boxes.back().tooltip;
      tooltip += (tooltip.empty() ? "" : "\n") + std::string(text);
      continue;
    }
    int parent = static_cast<int>(boxes.size()) - 1;
    while (parent >= 0 && boxes[static_cast<size_t>(parent)].indent >= indent) --parent;
    boxes.push_back({.indent = indent, .parent = parent, .label = std::string(text)});
  }
  return boxes;
}

}  // namespace

std::string PlansToDot(std::span<const NamedPlan> plans, std::string_view name) {
  std::string out =
      fmt::format("digraph {} {{\n  rankdir=BT;\n  node [shape=box];\n", JsonString(name));
  size_t first = 0;
  for (size_t plan = 0; plan < plans.size(); ++plan) {
    const std::vector<Box> boxes = Boxes(plans[plan].text);
    out += fmt::format("  subgraph cluster_{} {{\n    label={};\n", plan,
                       JsonString(plans[plan].title));
    for (size_t i = 0; i < boxes.size(); ++i) {
      out += fmt::format("    n{} [label={}, tooltip={}];\n", first + i, JsonString(boxes[i].label),
                         JsonString(boxes[i].tooltip));
    }
    for (size_t i = 0; i < boxes.size(); ++i) {
      if (boxes[i].parent < 0) continue;
      out +=
          fmt::format("    n{} -> n{};\n", first + i, first + static_cast<size_t>(boxes[i].parent));
    }
    out += "  }\n";
    first += boxes.size();
  }
  return out + "}\n";
}

}  // namespace weir::shell
