#include "shell/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace weir::shell {
namespace {

/// How often a read that waits looks whether the program is asked to stop.
constexpr int kStopLookMs = 100;
constexpr size_t kInputBytes = 64 * 1024;

}  // namespace

ReadResult DescriptorLineSource::Read(std::string_view, std::string* line) {
  for (;;) {
    const size_t end = text_.find('\n', at_);
    if (end != std::string::npos) {
      line->assign(text_, at_, end - at_);
      at_ = end + 1;
      return ReadResult::kLine;
    }
    if (interrupts_.pending() != StopKind::kNone) return ReadResult::kEnd;
    text_.erase(0, at_);
    at_ = 0;
    pollfd input = {descriptor_, POLLIN, 0};
    if (poll(&input, 1, kStopLookMs) <= 0) continue;
    if (ReadSome()) continue;
    if (text_.empty()) return ReadResult::kEnd;
    *line = std::exchange(text_, {});
    return ReadResult::kLine;
  }
}

bool DescriptorLineSource::ReadSome() {
  const size_t size = text_.size();
  text_.resize(size + kInputBytes);
  ssize_t count = 0;
  do {
    count = read(descriptor_, text_.data() + size, kInputBytes);
  } while (count < 0 && errno == EINTR);
  text_.resize(size + static_cast<size_t>(count > 0 ? count : 0));
  return count > 0;
}

bool DescriptorLineSource::HasMore() {
  if (text_.find_first_not_of(" \t\r\n", at_) != std::string::npos) return true;
  pollfd input = {descriptor_, POLLIN, 0};
  return poll(&input, 1, 0) == 1 && ReadSome();
}

}  // namespace weir::shell
