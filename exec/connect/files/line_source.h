#pragma once

// Bytes of a source cut into lines, or into the rows of a CSV, which may span lines. They lie in
// buffers that are shared with the batches that hold them and used again when these are gone.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/connect/files/byte_source.h"
#include "weir/status.h"

namespace weir {

/// Buffers that are filled again when nobody holds them any more.
class BufferPool {
 public:
  /// A buffer of at least `size` bytes, with padding, to be written before it is shared.
  std::shared_ptr<std::vector<uint8_t>> Take(size_t size);

 private:
  std::vector<std::shared_ptr<std::vector<uint8_t>>> buffers_;
};

/// Cuts a source into lines. One thread at a time.
///
/// In a CSV a line end inside a quoted field belongs to the row. A quoted field that does not end
/// as it should (quoted_field.h) ends its row at the line end behind its first quote: that row is
/// bad, and the next line is read as if nothing had been.
///
/// A byte order mark at position 0 belongs to no line. Bytes that are no text (text_check.h) are an
/// error there.
class LineCutter {
 public:
  struct Line {
    uint32_t begin = 0;    ///< In the current buffer.
    uint32_t length = 0;   ///< Without its line end.
    int64_t position = 0;  ///< Of its first byte in the source.
    int64_t number = 0;    ///< From 0, where the cutter began.
  };
  static constexpr char kNoQuotes = '\0';
  /// `delimiter` is that of a CSV, or kNoQuotes. `position` is that of the source's next byte.
  /// `name` is for messages.
  LineCutter(std::unique_ptr<ByteSource> source, char delimiter, int64_t position,
             std::string name);

  /// Adds up to `lines_max` lines of one buffer to `out`, empty ones left out unless they are to be
  /// kept; reads on if the buffer holds none. None added: there is no whole line now.
  Status Next(int32_t lines_max, std::vector<Line>& out);
  /// The buffer that the lines of the last Next lie in.
  BufferPtr buffer() const;
  std::string_view TextOf(const Line& line) const {
    return {reinterpret_cast<const char*>(bytes_->data()) + line.begin, line.length};
  }
  /// What has been read and not given out; reads on if that is nothing. Empty: nothing there now.
  Result<std::string_view> Peek();
  void set_delimiter(char delimiter) { delimiter_ = delimiter; }
  /// Empty lines count too: those of a CSV of one field, where they are nulls.
  void set_keeps_empty(bool keeps) { keeps_empty_ = keeps; }
  /// Little is read beyond this position at a time: somebody else reads it.
  void set_soft_end(int64_t position) { soft_end_ = position; }

  /// Position of the first byte that was not given out.
  int64_t position() const { return position_; }
  /// Number of the line that begins there, from 0 where the cutter began.
  int64_t line_number() const { return line_number_; }
  int64_t end() const { return source_->end(); }
  /// Nothing whole is left that is known of.
  bool at_end() const {
    const auto unfinished = source_->grows() ? static_cast<int64_t>(size_ - begin_) : 0;
    return position_ + unfinished >= source_->end();
  }

 private:
  Status Fill();
  Status Begin();
  /// Nothing follows what is in the buffer.
  bool HasLast() const {
    return !source_->grows() && position_ + static_cast<int64_t>(size_ - begin_) >= source_->end();
  }
  const char* FindRowEnd(const char* begin, const char* end, bool last);

  std::unique_ptr<ByteSource> source_;
  char delimiter_;
  bool keeps_empty_ = false;
  const std::string name_;
  BufferPool pool_;
  std::shared_ptr<std::vector<uint8_t>> bytes_;
  size_t begin_ = 0;  ///< What is not given out yet: [begin_, size_) of bytes_.
  size_t size_ = 0;
  size_t searched_ = 0;  ///< No line end before it.
  int64_t position_;
  int64_t soft_end_ = INT64_MAX;
  int64_t line_number_ = 0;
  int64_t inner_line_ends_ = 0;  ///< In the row that FindRowEnd has just found.
  bool begun_;
};

}  // namespace weir
