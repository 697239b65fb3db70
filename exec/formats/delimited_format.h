#pragma once

// The DELIMITED format: one line of fields, quoted as Apache Commons CSV does it for ksqlDB. Also
// reads the lines of CSV files, where a header says which field is which column.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/formats/format.h"

namespace weir {

/// Properties of a FormatSpec that this format knows beside DELIMITER: set by file sources.
/// FIELDS: the field number of each column, separated by commas, -1 for a column without field.
inline constexpr const char* kDelimitedFields = "FIELDS";
/// FIELD_COUNT: how many fields a line has.
inline constexpr const char* kDelimitedFieldCount = "FIELD_COUNT";
/// NULL: the text that stands for a null; an empty field is null too.
inline constexpr const char* kDelimitedNull = "NULL";
/// FILE: the lines are those of a file, which other programs write and read, so dates and times are
/// written as text, not as the numbers that topics hold, and "" is an empty text and no null.
inline constexpr const char* kDelimitedFile = "FILE";

/// The delimiter that `spec` asks for; kInvalidProperty if it cannot be one.
Result<char> DelimiterOf(const FormatSpec& spec);

std::unique_ptr<SideDecoder> MakeDelimitedDecoder(const FormatSpec& spec, char delimiter,
                                                  const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeDelimitedEncoder(const FormatSpec& spec, char delimiter);

/// Takes a line apart, field by field.
class DelimitedLine {
 public:
  DelimitedLine(std::string_view line, char delimiter);
  /// The next field without its quotes; valid until the next call. False at the end or on an error.
  bool Next(std::string_view& field);
  /// Why Next stopped before the end; null if it did not.
  const char* error() const { return error_; }
  /// True if the last field stood in quotes.
  bool quoted() const { return quoted_; }

 private:
  bool NextQuoted(std::string_view& field);
  std::string_view Unescaped(std::string_view text);
  const char* at_;
  const char* end_;
  char delimiter_;
  bool done_ = false;
  bool quoted_ = false;
  const char* error_ = nullptr;
  std::string scratch_;
};

}  // namespace weir
