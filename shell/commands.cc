#include "shell/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "base/letter_case.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "planner/catalog/near_names.h"
#include "shell/command_help.h"
#include "shell/options.h"
#include "shell/program.h"
#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

using Arguments = std::vector<std::string>;

Status RunDump(CommandContext& context, const Arguments&) {
  WEIR_ASSIGN_OR_RETURN(const std::string sql, context.engine.DumpCatalog());
  context.output.stream() << sql;
  if (!sql.empty() && sql.back() != '\n') context.output.stream() << '\n';
  context.output.stream().flush();
  return OkStatus();
}

Status RunHelp(CommandContext& context, const Arguments& arguments) {
  const Output::Page page(context.output);
  Status status = TellHelp(context.engine, fmt::format("{}", fmt::join(arguments, " ")),
                           context.output.stream());
  context.output.stream().flush();
  return status;
}

/// A name as SQL takes it: as it is where it is one word, else in backquotes.
std::string NameInSql(const std::string& name) {
  const bool word = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '`';
  });
  return word ? name : "`" + name + "`";
}

Status RunSql(CommandContext& context, const std::string& sql) {
  return context.runner.Run({.text = sql, .position = {}});
}

/// A list of streams and tables, as `.tables` of other shells gives it.
Status RunTables(CommandContext& context, const Arguments& arguments) {
  const std::string wanted = arguments.empty() ? "" : ToUpper(arguments[0]);
  std::vector<std::array<std::string, 4>> rows = {{"name", "kind", "columns", "topic"}};
  for (const SourceInfo& source : context.engine.Sources()) {
    if (ToUpper(source.name).find(wanted) == std::string::npos) continue;
    const int columns = source.schema == nullptr ? 0 : source.schema->size();
    rows.push_back({Printable(source.name), source.is_table ? "table" : "stream",
                    fmt::format("{}", columns), Printable(source.topic)});
  }
  if (rows.size() == 1) {
    context.err << (wanted.empty() ? "no streams and no tables yet; help CREATE STREAM tells how\n"
                                   : "no stream and no table has such a name\n");
    return OkStatus();
  }
  std::array<int, 3> widths{};
  for (const auto& row : rows) {
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  const Output::Page page(context.output);
  std::ostream& out = context.output.stream();
  for (const auto& row : rows) {
    for (size_t i = 0; i < widths.size(); ++i) {
      out << row[i] << std::string(static_cast<size_t>(widths[i] - DisplayWidth(row[i]) + 2), ' ');
    }
    out << row.back() << '\n';
  }
  out.flush();
  return OkStatus();
}

Status RunDescribe(CommandContext& context, const Arguments& arguments) {
  if (arguments.empty()) return RunTables(context, arguments);
  return RunSql(context, "DESCRIBE " + NameInSql(arguments[0]));
}

Status RunSchema(CommandContext& context, const Arguments& arguments) {
  if (arguments.empty()) return RunDump(context, arguments);
  return RunSql(context, "SHOW CREATE " + NameInSql(arguments[0]));
}

Status RunFunctions(CommandContext& context, const Arguments& arguments) {
  if (arguments.empty()) return RunSql(context, "SHOW FUNCTIONS");
  return RunHelp(context, arguments);
}

Status RunTopics(CommandContext& context, const Arguments&) {
  return RunSql(context, "SHOW TOPICS");
}

Status RunQueries(CommandContext& context, const Arguments&) {
  return RunSql(context, "SHOW QUERIES");
}

/// A number from 0 up, or kUsage.
Result<int64_t> CountArgument(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return Status(ErrorCode::kUsage, fmt::format("no number from 0 up: {}", text));
  }
  return number;
}

Status RunMaxRows(CommandContext& context, const Arguments& arguments) {
  if (!arguments.empty()) {
    WEIR_ASSIGN_OR_RETURN(const int64_t rows, CountArgument(arguments[0]));
    context.output.set_rows_max(rows);
  }
  const int64_t rows = context.output.rows_max_set();
  context.err << (rows == 0 ? "all rows are shown\n"
                            : fmt::format("{} rows of a table are shown\n", rows));
  return OkStatus();
}

Status RunWidth(CommandContext& context, const Arguments& arguments) {
  int64_t columns = 0;
  if (arguments[0] != "auto") {
    WEIR_ASSIGN_OR_RETURN(columns, CountArgument(arguments[0]));
  }
  context.output.set_width(static_cast<int>(std::min<int64_t>(columns, 1'000'000)));
  return OkStatus();
}

Status RunPager(CommandContext& context, const Arguments& arguments) {
  if (!arguments.empty()) {
    const std::string command = fmt::format("{}", fmt::join(arguments, " "));
    const char* variable = std::getenv("PAGER");
    const std::string usual = variable != nullptr && *variable != 0 ? variable : "less";
    context.output.set_pager(command == "off" ? "" : command == "on" ? usual : command);
  }
  const std::string& pager = context.output.pager();
  context.err << (pager.empty() ? "no pager\n" : fmt::format("the pager is {}\n", pager));
  return OkStatus();
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
  if (arguments.empty()) {
    context.err << OutputFormatName(context.output.format()) << '\n';
    return OkStatus();
  }
  const std::optional<OutputFormat> format = ParseOutputFormat(arguments[0]);
  if (!format) {
    return Status(ErrorCode::kUsage, fmt::format("unknown output format: {}", arguments[0]))
        .WithHint("formats are table, vertical, json and csv");
  }
  context.output.set_format(*format);
  return OkStatus();
}

Status RunExpanded(CommandContext& context, const Arguments& arguments) {
  const bool vertical = context.output.format() == OutputFormat::kVertical;
  const bool wanted = arguments.empty() ? !vertical : arguments[0] == "on";
  context.output.set_format(wanted ? OutputFormat::kVertical : OutputFormat::kTable);
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
  if (arguments.empty()) {
    context.runner.set_timer(!context.runner.timer());
    context.err << (context.runner.timer() ? "the timer is on\n" : "the timer is off\n");
    return OkStatus();
  }
  if (arguments[0] != "on" && arguments[0] != "off") {
    return Status(ErrorCode::kUsage, fmt::format("neither on nor off: {}", arguments[0]));
  }
  context.runner.set_timer(arguments[0] == "on");
  return OkStatus();
}

constexpr int kAnyNumber = 100;

constexpr Command kCommands[] = {
    {"describe",
     "\\d",
     0,
     1,
     false,
     {ArgumentKind::kSource},
     "",
     ".describe [NAME]",
     "The columns of a stream or table; without NAME as .tables.",
     &RunDescribe},
    {"dump", "", 0, 0, false, {}, "", ".dump", "The catalog as SQL.", &RunDump},
    {"exit", "", 0, 0, true, {}, "", ".exit", "Ends the program.", &RunQuit},
    {"expanded",
     "\\x",
     0,
     1,
     false,
     {ArgumentKind::kWord},
     "on|off",
     ".expanded [on|off]",
     "One column a line, and back to tables.",
     &RunExpanded},
    {"functions",
     "\\df",
     0,
     1,
     false,
     {ArgumentKind::kFunction},
     "",
     ".functions [NAME]",
     "All functions, or what one does.",
     &RunFunctions},
    {"help",
     "\\? \\h .h",
     0,
     kAnyNumber,
     true,
     {ArgumentKind::kHelpTopic, ArgumentKind::kHelpTopic},
     "",
     "help [NAME]",
     "This text, or that of one thing.",
     &RunHelp},
    {"load",
     "",
     1,
     kAnyNumber,
     true,
     {ArgumentKind::kTopic, ArgumentKind::kFile},
     "",
     "load TOPIC FILE [--key C] [--output-format F] …",
     "Loads a CSV or NDJSON file into a topic.",
     &RunLoad},
    {"maxrows",
     "",
     0,
     1,
     false,
     {},
     "",
     ".maxrows [N]",
     "Rows of a table that are shown; 0: all.",
     &RunMaxRows},
    {"mode",
     "",
     0,
     1,
     false,
     {ArgumentKind::kWord},
     "table|vertical|json|csv",
     ".mode table|vertical|json|csv",
     "How results look.",
     &RunMode},
    {"output",
     "\\o",
     0,
     1,
     false,
     {ArgumentKind::kFile},
     "",
     ".output [FILE]",
     "Results go to a file; without it, to the screen again.",
     &RunOutput},
    {"pager",
     "",
     0,
     kAnyNumber,
     false,
     {ArgumentKind::kWord},
     "on|off",
     ".pager [on|off|COMMAND]",
     "Shows what is longer than the screen by $PAGER, or by a command.",
     &RunPager},
    {"print",
     "",
     1,
     kAnyNumber,
     true,
     {ArgumentKind::kTopic},
     "",
     "print TOPIC [--from-beginning] …",
     "Shows a topic's records; Ctrl-C ends it.",
     &RunPrint},
    {"queries", "", 0, 0, false, {}, "", ".queries", "The queries and how they fare.", &RunQueries},
    {"quit", "\\q .q", 0, 0, true, {}, "", ".quit", "Ends the program.", &RunQuit},
    {"read",
     "\\i",
     1,
     1,
     false,
     {ArgumentKind::kFile},
     "",
     ".read FILE",
     "Runs the statements of a file.",
     &RunRead},
    {"schema",
     "",
     0,
     1,
     false,
     {ArgumentKind::kSource},
     "",
     ".schema [NAME]",
     "The statement that made a stream or table; without NAME all.",
     &RunSchema},
    {"tables",
     "\\dt",
     0,
     1,
     false,
     {ArgumentKind::kSource},
     "",
     ".tables [WORD]",
     "Streams and tables, those with WORD in the name.",
     &RunTables},
    {"timer",
     "\\timing",
     0,
     1,
     false,
     {ArgumentKind::kWord},
     "on|off",
     ".timer [on|off]",
     "Tells how long each statement takes.",
     &RunTimer},
    {"topics", "", 0, 0, false, {}, "", ".topics", "The topics.", &RunTopics},
    {"width",
     "",
     1,
     1,
     false,
     {ArgumentKind::kWord},
     "auto",
     ".width N|auto",
     "Columns that a table may take.",
     &RunWidth},
};

/// Commands of other shells, and what does the same here.
constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
    {".IMPORT", "load TOPIC FILE loads a file; CONNECTOR='file' reads one where it is"},
    {"\\COPY", "load TOPIC FILE loads a file; CONNECTOR='file' reads and writes one"},
    {".OPEN", "weir DIRECTORY opens a store; a running program keeps the one it has"},
    {"\\C", "weir DIRECTORY opens a store; a running program keeps the one it has"},
    {".DATABASES", "there is one store a program; .tables lists what is in it"},
    {"\\L", "there is one store a program; .tables lists what is in it"},
    {".HEADERS", "tables and CSV always have a header; .mode json names each value"},
    {".INDEXES", "state is kept by key, and there are no other indexes"},
    {"\\DI", "state is kept by key, and there are no other indexes"},
    {".CD", "names of files are taken from where weir was started"},
    {".SHELL", "Ctrl-Z puts the program aside"},
    {"\\E", "write a file and .read it"},
};

Status UnknownCommand(const std::string& word) {
  Status status(ErrorCode::kUsage, fmt::format("unknown command: {}", word));
  for (const auto& [name, hint] : kElsewhere) {
    if (name == ToUpper(word)) return std::move(status).WithHint(std::string(hint));
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.push_back(fmt::format(".{}", command.name));
  std::string lower = ToLower(word);
  if (lower[0] == '\\') lower[0] = '.';
  const std::string near = DidYouMean(lower, names);
  return std::move(status).WithHint(near.empty() ? ".help lists the commands" : near);
}

bool HasAlso(const Command& command, std::string_view word) {
  for (std::string_view rest = command.also; !rest.empty();) {
    const size_t blank = std::min(rest.find(' '), rest.size());
    if (ToUpper(rest.substr(0, blank)) == word) return true;
    rest.remove_prefix(std::min(blank + 1, rest.size()));
  }
  return false;
}

/// `PRINT topic …;` is SQL; only without its semicolon is it the command. The other bare words are
/// no statements, so a semicolon behind them is a slip of the fingers.
bool IsBareCall(const Command& command, bool semicolon) {
  return command.bare && !(semicolon && command.name == "print");
}

}  // namespace

std::span<const Command> Commands() { return kCommands; }

bool IsDotted(std::string_view word) {
  return word.size() > 1 && word[0] == '.' &&
         std::isalpha(static_cast<unsigned char>(word[1])) != 0;
}

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

const Command* FindCommand(std::string_view word, bool semicolon) {
  const std::string name = ToUpper(word);
  const bool dotted = IsDotted(word);
  for (const Command& command : kCommands) {
    if (HasAlso(command, name)) return &command;
    if (!dotted && !IsBareCall(command, semicolon)) continue;
    if (ToUpper(command.name) == name.substr(dotted ? 1 : 0)) return &command;
  }
  return nullptr;
}

Result<CommandCall> ParseCommand(std::string_view line) {
  line = TrimBlanks(line);
  const bool semicolon = line.ends_with(';');
  if (semicolon) line = TrimBlanks(line.substr(0, line.size() - 1));
  std::vector<std::string> words = SplitWords(line);
  if (words.empty()) return CommandCall{};
  const Command* command = FindCommand(words[0], semicolon);
  if (command == nullptr) {
    if (IsDotted(words[0]) || words[0][0] == '\\') return UnknownCommand(words[0]);
    return CommandCall{};
  }
  CommandCall call{command, {words.begin() + 1, words.end()}};
  const int count = static_cast<int>(call.arguments.size());
  if (count < command->arguments_min || count > command->arguments_max) {
    return Status(ErrorCode::kUsage, "a command has the wrong number of arguments")
        .WithHint(std::string(command->usage));
  }
  return call;
}

}  // namespace weir::shell
