// What `help` says.

#include "shell/command_help.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/letter_case.h"
#include "base/number_text.h"
#include "planner/catalog/near_names.h"
#include "planner/properties/connector_properties.h"
#include "shell/commands.h"
#include "shell/prompt/statement_help.h"
#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

/// Columns that help takes: it fits any terminal.
constexpr int kHelpWidth = 79;

/// Writes `text` cut into lines at its blanks, the first behind `begin`, the others indented.
void WriteWrapped(std::string_view begin, int indent, std::string_view text, std::ostream& out) {
  out << begin;
  int width = DisplayWidth(begin);
  bool first = true;
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    const int needed = DisplayWidth(word);
    if (!first && width + 1 + needed > kHelpWidth) {
      out << '\n' << std::string(static_cast<size_t>(indent), ' ');
      width = indent;
    } else if (!first) {
      out << ' ';
      ++width;
    }
    out << word;
    width += needed;
    first = false;
  }
  out << '\n';
}

/// The syntax of something and, indented, what it does.
void WriteEntry(std::string_view syntax, std::string_view text, std::ostream& out) {
  WriteWrapped("", 6, syntax, out);
  WriteWrapped("    ", 4, text, out);
}

void HelpAll(std::ostream& out) {
  out << "Commands (one line, no semicolon):\n";
  for (const Command& command : Commands()) {
    const std::string also = command.also.empty() ? "" : fmt::format(" Also {}.", command.also);
    const int padding = std::max(0, 32 - DisplayWidth(command.usage));
    WriteWrapped(fmt::format("  {}{} ", command.usage, std::string(padding, ' ')), 35,
                 fmt::format("{}{}", command.text, also), out);
  }
  const std::pair<std::string_view, HelpKind> parts[] = {
      {"\nStatements (end in a semicolon, may span lines):\n", HelpKind::kStatement},
      {"Clauses:\n", HelpKind::kClause},
      {"Properties of WITH:\n", HelpKind::kProperty},
      {"Types:\n", HelpKind::kType}};
  for (const auto& [title, kind] : parts) {
    std::vector<std::string> names;
    // No line is cut inside a name.
    std::string list;
    for (const StatementHelp& entry : HelpTexts(kind)) names.emplace_back(entry.name);
    for (std::string& name : names) {
      std::replace(name.begin(), name.end(), ' ', '\x1f');
      list += (list.empty() ? "" : ", ") + name;
    }
    std::ostringstream lines;
    WriteWrapped("  ", 2, list, lines);
    std::string text = lines.str();
    std::replace(text.begin(), text.end(), '\x1f', ' ');
    out << title << text;
  }
  out << "help NAME tells more of each, and of each function; .functions lists those.\n";
}

/// The signatures of a function, what it does and an example; false if there is no such function.
bool HelpFunction(Engine& engine, const std::string& name, std::ostream& out) {
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
  if (!is_name) return false;
  const auto described = engine.Execute("DESCRIBE FUNCTION " + name);
  if (!described.ok() || described->size() != 1 || described->front().rows == nullptr ||
      described->front().rows->row_count() == 0) {
    return false;
  }
  const Batch& rows = *described->front().rows;
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    out << fmt::format("{} {}\n", rows.column(0).ToText(row), rows.column(1).ToText(row));
  }
  WriteWrapped("    ", 4, rows.column(2).ToText(0), out);
  out << fmt::format("    {}\n", rows.column(3).ToText(0));
  return true;
}

/// A connector and its properties.
void HelpConnector(const ConnectorRow& row, std::ostream& out) {
  WriteEntry(fmt::format("CONNECTOR = '{}'", row.name), row.text, out);
  for (const ConnectorProperty& property : row.properties) {
    const std::string otherwise =
        property.otherwise.empty() ? "" : fmt::format(" Default: {}.", property.otherwise);
    WriteWrapped(fmt::format("  {:<18} ", property.name), 21,
                 fmt::format("{}{}", property.text, otherwise), out);
  }
}

std::vector<std::string> HelpNames(Engine& engine) {
  std::vector<std::string> names = engine.CompletionNames();
  for (const StatementHelp& entry : HelpTexts()) names.emplace_back(entry.name);
  for (const Command& command : Commands()) names.push_back(ToUpper(command.name));
  return names;
}

}  // namespace

Status TellHelp(Engine& engine, std::string_view topic, std::ostream& out) {
  if (topic.empty()) {
    HelpAll(out);
    return OkStatus();
  }
  std::string name = ToUpper(TrimBlanks(topic));
  if (name.ends_with(';')) name.pop_back();
  if (name.ends_with("()")) name.resize(name.size() - 2);
  bool found = false;
  const std::vector<const StatementHelp*> entries = FindHelp(name);
  for (const StatementHelp* entry : entries) {
    WriteEntry(entry->syntax, entry->text, out);
    found = true;
  }
  if (const Command* command = FindCommand(IsDotted(name) ? name : "." + name);
      command != nullptr && (entries.empty() || IsDotted(name) || command->bare)) {
    WriteEntry(command->usage, command->text, out);
    found = true;
  }
  if (const ConnectorRow* connector = FindConnector(name); connector != nullptr) {
    HelpConnector(*connector, out);
    found = true;
  }
  if (HelpFunction(engine, name, out) || found) return OkStatus();
  const std::string near = DidYouMean(name, HelpNames(engine));
  return Status(ErrorCode::kUsage,
                fmt::format("no statement, clause, type, command or function has this name: {}",
                            topic))
      .WithHint(near.empty() ? "help lists what there is" : near);
}

}  // namespace weir::shell
