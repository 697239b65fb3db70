#pragma once

// The commands of the prompt that are not SQL: rows of one table, each with its own text. They go
// by the names that users of sqlite and DuckDB know (.tables) and by those of psql (\d).

#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shell/prompt/interrupts.h"
#include "shell/render/output.h"
#include "shell/statement_runner.h"
#include "weir/engine.h"

namespace weir::shell {

/// What a command works on.
struct CommandContext {
  Engine& engine;
  StatementRunner& runner;
  Output& output;
  std::ostream& err;
  Interrupts& interrupts;
  bool err_is_terminal = false;
  bool quit = false;  ///< Set by a command that ends the prompt.
};

/// What an argument names, for completion.
enum class ArgumentKind : uint8_t { kAny, kFile, kSource, kTopic, kFunction, kHelpTopic, kWord };

struct Command {
  std::string_view name;  ///< Without the dot.
  std::string_view also;  ///< Further names between blanks, with their first sign: "\\dt".
  int arguments_min;
  int arguments_max;
  bool bare;                  ///< Also known without the dot.
  ArgumentKind arguments[2];  ///< Of the first and of those behind it.
  std::string_view words;     ///< For kWord: what it may be, between bars.
  std::string_view usage;
  std::string_view text;
  Status (*run)(CommandContext& context, const std::vector<std::string>& arguments);
};

std::span<const Command> Commands();

/// The command of the first word of a line (".tables", "\\d", "help"), or null. `semicolon` says
/// that the line ends in one.
const Command* FindCommand(std::string_view word, bool semicolon = false);

/// A dot and a letter: always a command, never SQL.
bool IsDotted(std::string_view word);

/// The command that `line` calls, with its arguments; nothing if the line is SQL. A line that
/// begins with a dot and a letter or with a backslash is always a command: one that is not in the
/// table gives kUsage, with what may have been meant.
struct CommandCall {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
};
Result<CommandCall> ParseCommand(std::string_view line);

/// Cuts a line into words at blanks; 'single' and "double" quotes keep blanks.
std::vector<std::string> SplitWords(std::string_view line);

}  // namespace weir::shell
