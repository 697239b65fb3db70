#pragma once

// Carries statements out: sends them to the engine, writes rows as they come, tells messages,
// waits for the end where asked. The prompt, scripts and pipes all go through here.

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "shell/prompt/interrupts.h"
#include "shell/render/output.h"
#include "shell/statement_text.h"
#include "weir/engine.h"

namespace weir::shell {

struct RunnerOptions {
  /// A statement that reads data first waits until all queries are at the end; push queries end.
  bool until_end = false;
  bool close_windows = false;
  /// No messages, notices and progress; only results and errors.
  bool quiet = false;
  bool err_is_terminal = false;
};

/// One thread at a time. All references must outlive it.
class StatementRunner {
 public:
  StatementRunner(Engine& engine, Output& output, std::ostream& err, Interrupts& interrupts,
                  RunnerOptions options);

  /// Runs one statement. Errors tell their place in the whole text it came from. kCancelled when a
  /// stop came (see Interrupts); kIoError when the results cannot be written, output_closed() if
  /// because nobody reads them any more.
  /// `whole_text`, if given, is the text that the statement was cut from.
  Status Run(const StatementText& statement, std::string_view whole_text = {});
  /// Runs all statements of `text` up to the first error.
  Status RunText(std::string_view text);
  /// Runs the statements of the file `path`.
  Status RunFile(const std::string& path);
  /// Waits until all queries are at the end, and says how many windows stay open.
  Status WaitUntilEnd();

  /// Statements carried out so far.
  int64_t statements_done() const { return statements_done_; }
  /// Where in its text the last statement that was begun stands.
  SourcePosition last_position() const { return last_position_; }
  /// True after a stop that left nothing undone: the last statement followed its source, as it
  /// would have for ever, and none stands behind it.
  bool was_following() const { return was_following_; }
  bool output_closed() const { return output_closed_; }

  bool timer() const { return timer_; }
  void set_timer(bool on) { timer_ = on; }
  std::ostream& err() { return err_; }

 private:
  Status Drain(std::string_view statement, Cursor& cursor);
  /// Why the output takes no more.
  Status OutputFailed();
  void TellResult(const StatementResult& result);
  void TellRowCount(int64_t rows, bool limit_reached, const std::string& note);
  void TellOpenWindows(int64_t windows);
  void TellWaiting(const Cursor& cursor);

  Engine& engine_;
  Output& output_;
  std::ostream& err_;
  Interrupts& interrupts_;
  const RunnerOptions options_;
  bool timer_ = false;
  bool was_following_ = false;
  bool output_closed_ = false;
  int64_t statements_done_ = 0;
  SourcePosition last_position_;
  int64_t windows_told_ = 0;  // Open ones, when it was last said.
};

}  // namespace weir::shell
