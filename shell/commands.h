#pragma once

// The commands of the prompt that are not SQL: rows of one table, each with its own text.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shell/interrupts.h"
#include "shell/output.h"
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

struct Command {
  std::string_view name;  ///< Without the dot.
  int arguments_min;
  int arguments_max;
  bool bare;  ///< Also known without the dot.
  std::string_view usage;
  std::string_view text;
  Status (*run)(CommandContext& context, const std::vector<std::string>& arguments);
};

std::span<const Command> Commands();

/// The command that `line` calls, with its arguments; nothing if the line is SQL. A line with a dot
/// in front is always a command: one that is not in the table gives kUsage.
struct CommandCall {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
};
Result<CommandCall> ParseCommand(std::string_view line);

/// Cuts a line into words at blanks; 'single' and "double" quotes keep blanks.
std::vector<std::string> SplitWords(std::string_view line);

}  // namespace weir::shell
