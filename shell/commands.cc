#include "shell/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "shell/options.h"
#include "shell/program.h"
#include "shell/statement_help.h"

namespace weir::shell {
namespace {

using Arguments = std::vector<std::string>;

std::string Upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

Status RunDump(CommandContext& context, const Arguments&) {
  WEIR_ASSIGN_OR_RETURN(const std::string sql, context.engine.DumpCatalog());
  context.output.stream() << sql;
  if (!sql.empty() && sql.back() != '\n') context.output.stream() << '\n';
  context.output.stream().flush();
  return OkStatus();
}

void HelpAll(std::ostream& out) {
  out << "Commands (one line, no semicolon):\n";
  for (const Command& command : Commands()) {
    out << fmt::format("  {:<39} {}\n", command.usage, command.text);
  }
  out << "\nStatements (end in a semicolon, may span lines; help NAME tells more):\n ";
  int width = 1;
  std::string_view comma;
  for (const StatementHelp& statement : StatementHelps()) {
    out << std::exchange(comma, ",");
    width += static_cast<int>(statement.name.size()) + 2;
    if (width > 78) {
      out << "\n ";
      width = 3 + static_cast<int>(statement.name.size());
    }
    out << ' ' << statement.name;
  }
  out << "\n\nFunctions: SHOW FUNCTIONS; or help FUNCTION.\n";
}

/// The signatures of a function, what it does and an example.
Status HelpFunction(CommandContext& context, const std::string& name) {
  const auto described = context.engine.Execute("DESCRIBE FUNCTION " + name);
  if (!described.ok() || described->size() != 1 || described->front().rows == nullptr ||
      described->front().rows->row_count() == 0) {
    return Status(ErrorCode::kUsage,
                  fmt::format("no statement, command or function has this name: {}", name));
  }
  const Batch& rows = *described->front().rows;
  std::ostream& out = context.output.stream();
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    out << fmt::format("{} {}\n", rows.column(0).ToText(row), rows.column(1).ToText(row));
  }
  out << fmt::format("    {}\n    {}\n", rows.column(2).ToText(0), rows.column(3).ToText(0))
      << std::flush;
  return OkStatus();
}

Status RunHelp(CommandContext& context, const Arguments& arguments) {
  std::ostream& out = context.output.stream();
  if (arguments.empty()) {
    HelpAll(out);
    out.flush();
    return OkStatus();
  }
  const std::string topic = Upper(fmt::format("{}", fmt::join(arguments, " ")));
  bool found = false;
  for (const StatementHelp& statement : StatementHelps()) {
    if (statement.name != topic && !statement.name.starts_with(topic + " ")) continue;
    out << fmt::format("{}\n    {}\n", statement.syntax, statement.text);
    found = true;
  }
  for (const Command& command : Commands()) {
    if (Upper(command.name) != topic && "." + Upper(command.name) != topic) continue;
    out << fmt::format("{}\n    {}\n", command.usage, command.text);
    found = true;
  }
  out.flush();
  if (found) return OkStatus();
  return HelpFunction(context, topic);
}

Status RunLoad(CommandContext& context, const Arguments& arguments) {
  WEIR_ASSIGN_OR_RETURN(const LoadOptions options, ParseLoadArguments(arguments));
  if (options.file == "-") {
    return Status(ErrorCode::kUsage, "at the prompt load needs a file");
  }
  return LoadFile(context.engine, options, nullptr, context.err, context.interrupts,
                  {.quiet = false, .err_is_terminal = context.err_is_terminal});
}

Status RunMode(CommandContext& context, const Arguments& arguments) {
  const std::optional<OutputFormat> format = ParseOutputFormat(arguments[0]);
  if (!format) {
    return Status(ErrorCode::kUsage, fmt::format("unknown output format: {}", arguments[0]))
        .WithHint("formats are table, vertical, json and csv");
  }
  context.output.set_format(*format);
  return OkStatus();
}

Status RunOutput(CommandContext& context, const Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "stdout") {
    context.output.WriteToStandard();
    return OkStatus();
  }
  if (ParseOutputFormat(arguments[0])) return RunMode(context, arguments);
  return context.output.WriteTo(arguments[0]);
}

Status RunPrint(CommandContext& context, const Arguments& arguments) {
  WEIR_ASSIGN_OR_RETURN(const PrintOptions options, ParsePrintArguments(arguments));
  return context.runner.Run({.text = PrintStatement(options), .position = {}});
}

Status RunQuit(CommandContext& context, const Arguments&) {
  context.quit = true;
  return OkStatus();
}

Status RunRead(CommandContext& context, const Arguments& arguments) {
  Status status = context.runner.RunFile(arguments[0]);
  if (status.ok() || !status.position()) return status;
  // The place is in that file, not in what was typed.
  context.err << status.ToString(arguments[0]) << '\n';
  return Status(ErrorCode::kUsage, fmt::format("a statement failed in {}", arguments[0]));
}

Status RunTimer(CommandContext& context, const Arguments& arguments) {
  if (arguments[0] != "on" && arguments[0] != "off") {
    return Status(ErrorCode::kUsage, fmt::format("neither on nor off: {}", arguments[0]));
  }
  context.runner.set_timer(arguments[0] == "on");
  return OkStatus();
}

constexpr int kAnyNumber = 100;

constexpr Command kCommands[] = {
    {"dump", 0, 0, false, ".dump", "The catalog as SQL.", &RunDump},
    {"exit", 0, 0, true, ".exit", "Ends the program.", &RunQuit},
    {"help", 0, kAnyNumber, true, "help [STATEMENT|FUNCTION]", "This text, or that of one thing.",
     &RunHelp},
    {"load", 1, kAnyNumber, true, "load TOPIC FILE [--key C] …",
     "Loads a CSV or NDJSON file into a topic.", &RunLoad},
    {"mode", 1, 1, false, ".mode table|vertical|json|csv", "How results look.", &RunMode},
    {"output", 0, 1, false, ".output [FILE|table|json|csv|vertical]",
     "Results go to a file; without it, to the screen again.", &RunOutput},
    {"print", 1, kAnyNumber, true, "print TOPIC [--from-beginning] …",
     "Shows a topic's records; Ctrl-C ends it.", &RunPrint},
    {"quit", 0, 0, true, ".quit", "Ends the program.", &RunQuit},
    {"read", 1, 1, false, ".read FILE", "Runs the statements of a file.", &RunRead},
    {"timer", 1, 1, false, ".timer on|off", "Tells how long each statement takes.", &RunTimer},
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

/// `PRINT topic …;` is SQL; only without its semicolon is it the command. The other bare words are
/// no statements, so a semicolon behind them is a slip of the fingers.
bool IsBareCall(const Command& command, bool semicolon) {
  return command.bare && !(semicolon && command.name == "print");
}

}  // namespace

std::span<const Command> Commands() { return kCommands; }

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word.push_back(c);
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

Result<CommandCall> ParseCommand(std::string_view line) {
  line = Trim(line);
  const bool semicolon = line.ends_with(';');
  if (semicolon) line = Trim(line.substr(0, line.size() - 1));
  std::vector<std::string> words = SplitWords(line);
  if (words.empty()) return CommandCall{};
  const bool dotted = words[0].size() > 1 && words[0][0] == '.' &&
                      std::isalpha(static_cast<unsigned char>(words[0][1])) != 0;
  std::string name = Upper(dotted ? words[0].substr(1) : words[0]);
  for (const Command& command : kCommands) {
    if (Upper(command.name) != name || !(dotted || IsBareCall(command, semicolon))) continue;
    CommandCall call{&command, {words.begin() + 1, words.end()}};
    const int count = static_cast<int>(call.arguments.size());
    if (count < command.arguments_min || count > command.arguments_max) {
      return Status(ErrorCode::kUsage, "a command has the wrong number of arguments")
          .WithHint(std::string(command.usage));
    }
    return call;
  }
  if (!dotted) return CommandCall{};
  return Status(ErrorCode::kUsage, fmt::format("unknown command: {}", words[0]))
      .WithHint(".help lists the commands");
}

}  // namespace weir::shell
