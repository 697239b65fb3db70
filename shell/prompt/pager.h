#pragma once

// A result that is longer than the screen, shown by another program ($PAGER, .pager).

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace weir::shell {

/// Holds text back until it has more lines than the screen, then gives it and all that follows to
/// the pager; what is shorter goes to the terminal. Fails once the pager has been ended by its
/// user. Gives the pager safe text only, see Escape::kLines.
class PagedText : public std::ostream {
 public:
  /// `command` is run by the shell. `terminal` must outlive it. `running` is told when the pager
  /// starts and when it has ended.
  PagedText(std::ostream& terminal, std::string command, int screen_lines,
            std::function<void(bool)> running = {});
  /// Shows what is left and waits until the pager has ended.
  ~PagedText() override;

 private:
  class Buffer;
  std::unique_ptr<Buffer> buffer_;
};

}  // namespace weir::shell
