#include "base/text_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace weir {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kLookMs = 100;

Status CannotRead(const std::string& path, std::string_view why) {
  return Status(ErrorCode::kIoError, fmt::format("a file cannot be read ({}): {}", why, path));
}

class OpenFile {
 public:
  // Without O_NONBLOCK a pipe that nobody writes to would hold up the call.
  explicit OpenFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, size_t bytes_max,
                                 const std::function<bool()>& stopped) {
  const OpenFile file(path);
  struct stat info {};
  if (file.descriptor() < 0 || fstat(file.descriptor(), &info) != 0) {
    return CannotRead(path, std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) {
    return CannotRead(path, "it is a directory").WithHint("name a file in it");
  }
  std::string text;
  size_t size = 0;
  while (true) {
    if (stopped && stopped()) {
      return Status(ErrorCode::kCancelled, fmt::format("reading was stopped: {}", path));
    }
    // A pipe whose writer has yet to come is neither readable nor at its end.
    pollfd ready = {file.descriptor(), POLLIN, 0};
    if (poll(&ready, 1, kLookMs) <= 0) continue;
    text.resize(size + kReadBytes);
    const ssize_t count = read(file.descriptor(), text.data() + size, kReadBytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return CannotRead(path, std::strerror(errno));
    if (count == 0) break;
    size += static_cast<size_t>(count);
    if (size > bytes_max) {
      return CannotRead(path, fmt::format("it has more than {} bytes", bytes_max))
          .WithHint("a script holds statements; load and CONNECTOR='file' read data");
    }
  }
  text.resize(size);
  return text;
}

}  // namespace weir
