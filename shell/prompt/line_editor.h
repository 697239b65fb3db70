#pragma once

// Lines from a terminal, edited by libedit: history by whole statement, kept across runs;
// completion by Tab; bracketed paste, so that a pasted script is taken as text, tabs included.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shell/line_source.h"
#include "shell/prompt/completion.h"
#include "shell/prompt/interrupts.h"

namespace weir::shell {

/// What may stand at the cursor of a line; `before` are the lines of its statement in front of it.
using Completer =
    std::function<Completion(std::string_view before, std::string_view line, size_t cursor)>;

/// Owns the terminal's settings while it reads. One thread. Make one at a time.
class LineEditor : public LineSource {
 public:
  /// `history_file` is read now and written after each statement; empty: no file.
  LineEditor(std::string history_file, Completer completer, Interrupts& interrupts);
  ~LineEditor() override;

  ReadResult Read(std::string_view prompt, std::string* line) override;
  void AddHistory(std::string_view statement) override;
  void SetStatement(std::string_view text) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// $XDG_STATE_HOME/weir/history, or ~/.local/state/weir/history; makes the directory. Empty if
/// there is no home.
std::string HistoryFile();

}  // namespace weir::shell
