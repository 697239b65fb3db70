#pragma once

// The loop of the prompt: lines in, statements and commands carried out, until the input ends. It
// works on streams, so tests drive it by strings; a pipe into the program goes the same way.

#include <ostream>
#include <string>

#include "parser/statement_splitter.h"
#include "shell/commands.h"
#include "shell/line_source.h"
#include "shell/statement_runner.h"

namespace weir::shell {

struct ReplOptions {
  /// A person types: errors do not end the loop, and Ctrl-C stops the query only.
  bool interactive = true;
};

class Repl {
 public:
  /// All references must outlive it.
  Repl(CommandContext& context, LineSource& lines, ReplOptions options);

  /// Runs to the end of the input, to `quit`, or to a stop. Fails with the first error where nobody
  /// types; errors at the prompt are told and forgotten.
  Status Run();

 private:
  /// True when no statement is under way.
  bool AtStart() const { return splitter_.open() == StatementSplitter::Open::kNothing; }
  Status RunLine(const std::string& line);
  Status RunStatement(const StatementText& statement);
  /// Tells an error at the prompt; returns it where it must end the loop.
  Status Settle(Status status);

  CommandContext& context_;
  LineSource& lines_;
  const ReplOptions options_;
  StatementSplitter splitter_;
  std::string typed_;  ///< Lines since the last statement ended, for the history.
};

}  // namespace weir::shell
