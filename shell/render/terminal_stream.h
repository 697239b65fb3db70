#pragma once

// What stands between everything the program says and a terminal: texts of the data (values, names,
// messages that quote them) come out with their control characters escaped, whoever wrote them.

#include <memory>
#include <ostream>

namespace weir::shell {

/// Passes on to another stream what is safe to show; line breaks and tabs stay, see
/// Escape::kLines. Text goes on when the stream is flushed or many bytes have come. Fails when the
/// other stream fails. One thread at a time.
class TerminalStream : public std::ostream {
 public:
  /// `terminal` must outlive it.
  explicit TerminalStream(std::ostream& terminal);
  ~TerminalStream() override;

 private:
  friend std::ostream& WipeLine(std::ostream& out);
  class Buffer;
  std::unique_ptr<Buffer> buffer_;
};

/// Manipulator: back to the begin of the line, which becomes empty. The one control sequence that
/// the program itself writes; it passes a TerminalStream.
std::ostream& WipeLine(std::ostream& out);

}  // namespace weir::shell
