#pragma once

// Bytes of files and of streams such as the standard input or a pipe, in order. What is compressed
// comes out as it was before: positions are those of the text.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

/// Gives bytes in order. One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads up to `size` bytes without waiting; 0: nothing there now.
  virtual Result<size_t> Read(uint8_t* to, size_t size) = 0;
  /// Position after the last byte that will come; INT64_MAX while that is unknown.
  virtual int64_t end() const = 0;
  /// More may come behind end(), so a line that is not closed there is not whole yet.
  virtual bool grows() const { return false; }
};

/// What a path leads to.
struct PathKind {
  bool stream = false;      ///< A pipe or a terminal: can be read once, and reading may wait.
  bool compressed = false;  ///< By gzip or zstd, as its first bytes say. Files only.
  int64_t size = 0;         ///< Bytes of the file as it lies there.
  int64_t changed_ms = 0;   ///< When it was changed last.
};
/// kIoError if it cannot be read, or is a directory. Never waits, also not for a pipe's writer.
Result<PathKind> LookAtPath(const std::string& path);

/// A regular file from position `begin` to where it ends now, or for ever growing (`follow`). A
/// followed file that is cut off or replaced gives kOffsetOutOfRange once that is seen; so does one
/// that is shorter than `begin`.
Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path, int64_t begin,
                                                 bool follow);

/// A pipe or terminal, or "-", the standard input: a thread reads ahead, at most 4 MB, and calls
/// `listener` when something came. Opening does not wait for a writer, and destroying does not wait
/// for bytes.
Result<std::unique_ptr<ByteSource>> OpenByteStream(const std::string& path,
                                                   std::function<void()> listener);

}  // namespace weir
