#pragma once
// The lines of a file by read() in pieces of 1 MB and memchr. Each line is followed by at least
// simdjson's padding of readable bytes, so that it can be parsed where it lies.

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace weir::bench {

/// One file, one thread. What cannot be read ends the program.
class LineReader {
 public:
  explicit LineReader(const char* path) : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) Fail(path);
    buffer_.resize(kPieceBytes + simdjson::SIMDJSON_PADDING);
  }
  ~LineReader() { close(descriptor_); }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its break, valid until the next call; false at the end of the file.
  bool Next(std::string_view& line) {
    for (;;) {
      const char* begin = buffer_.data() + begin_;
      const char* end = buffer_.data() + end_;
      const char* searched = begin + searched_;
      if (const void* found = memchr(searched, '\n', end - searched)) {
        const size_t size = static_cast<const char*>(found) - begin;
        line = {begin, size};
        begin_ += size + 1;
        searched_ = 0;
        return true;
      }
      searched_ = end - begin;
      if (Fill()) continue;
      line = {buffer_.data() + begin_, end_ - begin_};
      begin_ = end_;
      searched_ = 0;
      return !line.empty();
    }
  }

  /// What a reader may touch behind `line`: all up to the end of the buffer.
  simdjson::padded_string_view Padded(std::string_view line) const {
    const size_t room = buffer_.data() + buffer_.size() - line.data();
    return simdjson::padded_string_view(line.data(), line.size(), room);
  }

 private:
  static constexpr size_t kPieceBytes = 1 << 20;

  [[noreturn]] static void Fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

  /// Moves the open line to the front and reads a piece behind it; false at the end of the file.
  bool Fill() {
    memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (end_ + simdjson::SIMDJSON_PADDING == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const ssize_t count = read(descriptor_, buffer_.data() + end_,
                               buffer_.size() - simdjson::SIMDJSON_PADDING - end_);
    if (count < 0) Fail("read");
    end_ += count;
    return count > 0;
  }

  int descriptor_;
  std::vector<char> buffer_;
  size_t begin_ = 0;     // of the line looked for
  size_t end_ = 0;       // of what was read
  size_t searched_ = 0;  // bytes from begin_ known to hold no break
};

}  // namespace weir::bench
