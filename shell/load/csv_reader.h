#pragma once

// Reads CSV as RFC 4180 has it: quoted fields, doubled quotes, line breaks in quotes, LF or CRLF.

#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir::shell {

/// Gives the rows of a CSV text one by one, without a copy of the text. Not thread-safe.
class CsvReader {
 public:
  /// `in` must outlive the reader.
  explicit CsvReader(std::istream& in);

  /// Reads the next row into fields(); false at the end. Blank lines are passed over. Fails with
  /// kBadRecord on an open quote or a row longer than limits::kRecordBytesMax.
  Result<bool> Next();
  /// The fields of the last row; valid until the next call of Next().
  const std::vector<std::string_view>& fields() const { return fields_; }
  /// The line on which the last row began, from 1.
  int64_t line() const { return row_line_; }

 private:
  /// Where the row at the begin of the buffer ends, reading on as needed; npos: open quote at the
  /// end of the input.
  size_t FindRowEnd();
  bool ReadMore();
  void SplitRow(size_t end);
  std::string_view TakeQuoted(char*& at, const char* end);

  std::istream& in_;
  std::string buffer_;
  size_t begin_ = 0;  ///< Where unread bytes begin in buffer_.
  bool at_end_ = false;
  int64_t next_line_ = 1;
  int64_t row_line_ = 0;
  std::vector<std::string_view> fields_;
};

}  // namespace weir::shell
