#include "shell/plan_dot.h"

#include <fmt/format.h>

#include <vector>

#include "shell/json_text.h"

namespace weir::shell {

std::string PlanToDot(std::string_view plan, std::string_view name) {
  std::string out = fmt::format("digraph {} {{\n  rankdir=BT;\n  node [shape=box];\n",
                                JsonString(name));
  struct Open {
    size_t indent;
    int node;
  };
  std::vector<Open> parents;
  int node = 0;
  while (!plan.empty()) {
    const size_t end = plan.find('\n');
    const std::string_view line = plan.substr(0, end);
    plan = end == plan.npos ? std::string_view() : plan.substr(end + 1);
    // Lines may be drawn with branches; only what follows them is text.
    const size_t indent = line.find_first_not_of(" |+-`>");
    if (indent == line.npos) continue;
    while (!parents.empty() && parents.back().indent >= indent) parents.pop_back();
    out += fmt::format("  n{} [label={}];\n", node, JsonString(line.substr(indent)));
    if (!parents.empty()) out += fmt::format("  n{} -> n{};\n", node, parents.back().node);
    parents.push_back({indent, node++});
  }
  return out + "}\n";
}

}  // namespace weir::shell
