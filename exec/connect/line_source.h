#pragma once

// Bytes of a file, or of the standard input, cut into lines. Lines lie in buffers that are shared
// with the batches that hold them and used again when these are gone.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exec/column/builder.h"
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

/// A regular file from `begin` to where it ends now, or for ever growing (`follow`).
Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path, int64_t begin,
                                                 bool follow);
/// A descriptor that may block (standard input): a thread reads ahead, at most 4 MB, and calls
/// `listener` when something came.
std::unique_ptr<ByteSource> ReadAhead(int descriptor, std::function<void()> listener);

/// Buffers that are filled again when nobody holds them any more.
class BufferPool {
 public:
  /// A buffer of at least `size` bytes, with padding, to be written before it is shared.
  std::shared_ptr<std::vector<uint8_t>> Take(size_t size);

 private:
  std::vector<std::shared_ptr<std::vector<uint8_t>>> buffers_;
};

/// Cuts a source into lines. One thread at a time.
class LineCutter {
 public:
  struct Line {
    uint32_t begin = 0;      ///< In the current buffer.
    uint32_t length = 0;     ///< Without its line end.
    int64_t position = 0;    ///< Of its first byte in the source.
  };
  /// `quotes`: a line end inside double quotes belongs to the line (CSV). `position` is that of the
  /// source's next byte.
  LineCutter(std::unique_ptr<ByteSource> source, bool quotes, int64_t position);

  /// Adds up to `lines_max` lines of one buffer to `out`, empty ones left out; reads on if the
  /// buffer holds none. None added: there is no whole line now.
  Status Next(int32_t lines_max, std::vector<Line>& out);
  /// The buffer that the lines of the last Next lie in.
  BufferPtr buffer() const;
  /// Position of the first byte that was not given out.
  int64_t position() const { return position_; }
  int64_t end() const { return source_->end(); }
  /// Nothing whole is left that is known of.
  bool at_end() const {
    const auto unfinished = source_->grows() ? static_cast<int64_t>(size_ - begin_) : 0;
    return position_ + unfinished >= source_->end();
  }

 private:
  Status Fill();
  const uint8_t* FindLineEnd(const uint8_t* begin, const uint8_t* end) const;
  std::unique_ptr<ByteSource> source_;
  bool quotes_;
  BufferPool pool_;
  std::shared_ptr<std::vector<uint8_t>> bytes_;
  size_t begin_ = 0;       ///< What is not given out yet: [begin_, size_) of bytes_.
  size_t size_ = 0;
  size_t searched_ = 0;    ///< No line end before it.
  int64_t position_;
};

}  // namespace weir
