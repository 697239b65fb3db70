#include "shell/statement_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "base/text_file.h"
#include "shell/render/progress.h"

namespace weir::shell {
namespace {

/// How long one look at a cursor waits: interrupts come through Cancel, so only for "waiting".
constexpr std::chrono::milliseconds kCursorWait(200);
/// After this long without a row a push query says what it waits for.
constexpr std::chrono::seconds kTellWaitingAfter(2);

}  // namespace

StatementRunner::StatementRunner(Engine& engine, Output& output, std::ostream& err,
                                 Interrupts& interrupts, RunnerOptions options)
    : engine_(engine), output_(output), err_(err), interrupts_(interrupts), options_(options) {}

Status StatementRunner::Run(const StatementText& statement, std::string_view whole_text) {
  if (interrupts_.pending() != StopKind::kNone) {
    return Status(ErrorCode::kCancelled, "interrupted");
  }
  was_following_ = false;
  last_position_ = statement.position;
  const auto start = std::chrono::steady_clock::now();
  if (options_.until_end && ReadsData(statement.text)) WEIR_RETURN_IF_ERROR(WaitUntilEnd());
  const Interrupts::Scope scope(interrupts_, [this] { engine_.CancelWaits(); });
  Result<std::vector<StatementResult>> results = engine_.Execute(
      statement.text, [this](std::string_view text, Cursor& cursor) { return Drain(text, cursor); },
      [this](const StatementResult& result) { TellResult(result); });
  output_.stream().flush();
  if (!results.ok()) return Relocate(results.status(), statement, whole_text);
  if (!output_.good()) return OutputFailed();
  ++statements_done_;
  if (timer_) {
    const auto taken = std::chrono::steady_clock::now() - start;
    err_ << fmt::format("time: {:.3f} s\n", std::chrono::duration<double>(taken).count());
  }
  return OkStatus();
}

Status StatementRunner::RunText(std::string_view text) {
  StatementSplitter splitter;
  splitter.Add(text);
  std::optional<StatementText> statement = splitter.Next();
  if (!statement) statement = splitter.TakeRest();
  while (statement) {
    std::optional<StatementText> next = splitter.Next();
    if (!next) next = splitter.TakeRest();
    if (Status status = Run(*statement, text); !status.ok()) {
      if (next) was_following_ = false;
      return status;
    }
    statement = std::move(next);
  }
  return OkStatus();
}

Status StatementRunner::RunFile(const std::string& path) {
  WEIR_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kScriptBytesMax, [this] {
                          return interrupts_.pending() != StopKind::kNone;
                        }));
  return RunText(text);
}

Status StatementRunner::WaitUntilEnd() {
  const Interrupts::Scope scope(interrupts_, [this] { engine_.CancelWaits(); });
  Result<int64_t> windows_open = 0;
  {
    const Progress progress(err_, options_.err_is_terminal && !options_.quiet,
                            QueryProgressLine(engine_));
    windows_open = engine_.RunUntilEnd(options_.close_windows);
  }
  if (!windows_open.ok()) return std::move(windows_open).status();
  // Each SELECT waits; that nothing has changed need not be said again.
  if (*windows_open != windows_told_) TellOpenWindows(*windows_open);
  windows_told_ = *windows_open;
  return OkStatus();
}

Status StatementRunner::OutputFailed() {
  output_closed_ = output_.reader_gone();
  return Status(ErrorCode::kIoError, output_closed_ ? "nobody reads the results any more"
                                                    : "the results cannot be written");
}

void StatementRunner::TellOpenWindows(int64_t windows) {
  if (windows == 0 || options_.quiet) return;
  err_ << fmt::format("windows left open: {} (--close-windows closes them)\n", windows);
}

Status StatementRunner::Drain(std::string_view statement, Cursor& cursor) {
  if (options_.until_end && cursor.endless()) {
    return Status(ErrorCode::kEndlessSource, "this query reads a source that never ends")
        .WithHint("add LIMIT, give the generator ROWS, or leave --until-end out");
  }
  const Interrupts::Scope scope(interrupts_, [&cursor] { cursor.Cancel(); });
  // What has no end is shown as it comes; a page would hold it back.
  std::optional<Output::Page> page;
  if (!cursor.is_push()) page.emplace(output_);
  const int64_t rows_max = cursor.is_push() ? 0 : output_.rows_max();
  const std::unique_ptr<Renderer> renderer =
      output_.NewRenderer(cursor.schema(), cursor.is_changelog());
  const auto start = std::chrono::steady_clock::now();
  bool told_waiting = options_.quiet;
  bool closed_windows = false;
  int64_t rows = 0;
  Status status;
  for (;;) {
    Result<std::optional<Batch>> next = cursor.Next(kCursorWait);
    if (!next.ok()) {
      status = next.status();
      break;
    }
    if (next->has_value()) {
      const int64_t count = (*next)->row_count();
      const int64_t shown = rows_max == 0 ? count : std::clamp<int64_t>(rows_max - rows, 0, count);
      if (shown > 0) renderer->WriteRows(**next, static_cast<int32_t>(shown));
      rows += count;
      output_.stream().flush();
      if (output_.good()) continue;
      if (page && page->ended()) return OkStatus();
      status = OutputFailed();
      break;
    }
    if (cursor.done()) break;
    if (output_.reader_gone()) {
      status = OutputFailed();
      break;
    }
    if (options_.until_end && cursor.caught_up()) {
      if (!options_.close_windows || closed_windows) break;
      status = cursor.CloseWindows();
      if (!status.ok()) break;
      closed_windows = true;
      continue;
    }
    if (!told_waiting && rows == 0 &&
        std::chrono::steady_clock::now() - start > kTellWaitingAfter) {
      TellWaiting(cursor);
      told_waiting = true;
    }
  }
  const bool interrupted = interrupts_.pending() != StopKind::kNone;
  was_following_ = interrupted && !options_.until_end && FollowsForEver(statement);
  // The terminal has just shown ^C; and of a query that gave nothing there is nothing to show.
  if (interrupted && output_.for_people()) output_.stream() << '\n';
  if (status.ok() || rows > 0) renderer->End();
  if (output_.for_people() && (status.ok() || rows > 0)) {
    if (rows_max > 0 && rows > rows_max) {
      output_.stream() << fmt::format("… {} rows more (.maxrows 0 shows all)\n",
                                      WithThousands(rows - rows_max));
    }
    TellRowCount(rows, cursor.limit_reached(), renderer->note());
  }
  if (status.ok() && options_.until_end && !cursor.done()) TellOpenWindows(cursor.open_windows());
  return status;
}

void StatementRunner::TellRowCount(int64_t rows, bool limit_reached, const std::string& note) {
  output_.stream() << fmt::format("({} row{}{}{}{})\n", WithThousands(rows), rows == 1 ? "" : "s",
                                  limit_reached ? ", limit reached" : "",
                                  note.empty() ? "" : "; " + note,
                                  note.empty() ? "" : ": .mode vertical shows all");
}

void StatementRunner::TellResult(const StatementResult& result) {
  const Output::Page page(output_);
  // A message beside rows is the same as text: people get that, programs the rows.
  const bool as_text = result.rows != nullptr && !result.message.empty() && output_.for_people();
  if (as_text) output_.stream() << result.message << '\n';
  if (!options_.quiet) {
    if (!result.message.empty() && result.rows == nullptr) err_ << result.message << '\n';
    for (const std::string& notice : result.notices) err_ << "notice: " << notice << '\n';
    err_.flush();
  }
  if (result.rows == nullptr || as_text) return;
  const std::unique_ptr<Renderer> renderer =
      output_.NewRenderer(result.rows->schema(), /*show_ops=*/false, /*plain_text=*/true);
  if (result.rows->row_count() > 0) renderer->Write(*result.rows);
  renderer->End();
  const std::string note = renderer->note();
  if (output_.for_people() && !note.empty()) {
    TellRowCount(result.rows->row_count(), /*limit_reached=*/false, note);
  }
}

void StatementRunner::TellWaiting(const Cursor& cursor) {
  const std::vector<std::string> topics = cursor.waiting_for();
  const std::string restoring = DescribeRestore(engine_.Metrics());
  if (topics.empty()) {
    err_ << fmt::format("waiting: no row of this query yet{}\n", restoring);
  } else {
    err_ << fmt::format("waiting: no records in topic {} yet{}\n", fmt::join(topics, ", "),
                        restoring);
  }
  err_.flush();
}

}  // namespace weir::shell
