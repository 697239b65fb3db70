#include "shell/prompt/repl.h"

#include <utility>

#include "base/status_macros.h"

namespace weir::shell {
namespace {

constexpr std::string_view kPrompt = "weir> ";
constexpr std::string_view kContinuationPrompt = "  ... ";

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Repl::Repl(CommandContext& context, LineSource& lines, ReplOptions options)
    : context_(context), lines_(lines), options_(std::move(options)) {}

Status Repl::Run() {
  std::string line;
  while (!context_.quit && context_.interrupts.pending() != StopKind::kTerminate) {
    lines_.SetStatement(typed_);
    const ReadResult read = lines_.Read(AtStart() ? kPrompt : kContinuationPrompt, &line);
    const bool stopped = context_.interrupts.pending() != StopKind::kNone;
    if (stopped && read == ReadResult::kEnd && !options_.interactive) break;
    if (read == ReadResult::kInterrupted) {
      splitter_.Clear();
      typed_.clear();
      continue;
    }
    if (read == ReadResult::kEnd) {
      std::optional<StatementText> rest = splitter_.TakeRest();
      // At the prompt a statement without its semicolon was given up by Ctrl-D.
      return rest && !options_.interactive ? RunStatement(*rest) : OkStatus();
    }
    WEIR_RETURN_IF_ERROR(Settle(RunLine(line)));
  }
  // What a pipe would still have brought was not run.
  if (context_.quit || options_.interactive) return OkStatus();
  return Status(ErrorCode::kCancelled, "stopped before the end of the input");
}

Status Repl::RunLine(const std::string& line) {
  // A backslash begins no SQL: such a command may stand between the lines of a statement.
  const bool between = splitter_.open() == StatementSplitter::Open::kStatement ||
                       splitter_.open() == StatementSplitter::Open::kPipeline;
  if (AtStart() || (between && line.starts_with('\\'))) {
    WEIR_ASSIGN_OR_RETURN(CommandCall call, ParseCommand(line));
    if (call.command != nullptr) {
      lines_.AddHistory(line);
      return call.command->run(context_, call.arguments);
    }
  }
  splitter_.Add(line);
  splitter_.Add("\n");
  if (!typed_.empty() || !IsBlank(line)) typed_ += line + "\n";
  bool added = false;
  while (std::optional<StatementText> statement = splitter_.Next()) {
    if (!std::exchange(added, true)) {
      lines_.AddHistory(std::string_view(typed_).substr(0, typed_.find_last_not_of('\n') + 1));
    }
    typed_.clear();
    WEIR_RETURN_IF_ERROR(RunStatement(*statement));
    if (context_.quit) break;
  }
  // Line numbers mean nothing to a person who types; let each statement count from 1.
  if (options_.interactive && AtStart()) splitter_.Clear();
  return OkStatus();
}

Status Repl::RunStatement(const StatementText& statement) { return context_.runner.Run(statement); }

Status Repl::Settle(Status status) {
  if (status.ok() || !options_.interactive) return status;
  if (context_.interrupts.pending() != StopKind::kNone) {
    if (context_.interrupts.pending() == StopKind::kTerminate) return status;
    context_.err << "interrupted\n" << std::flush;
    context_.interrupts.ClearInterrupt();
  } else {
    context_.err << status.ToString() << '\n' << std::flush;
  }
  // What followed on the same line was meant to run after the statement that failed.
  splitter_.Clear();
  typed_.clear();
  return OkStatus();
}

}  // namespace weir::shell
