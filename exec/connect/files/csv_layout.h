#pragma once

// How the fields of a CSV file's lines become the columns of a source: which field is which column,
// and lines rewritten for the DELIMITED decoder where the file's order or marks differ from it.

#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/connector.h"

namespace weir {

/// Fields of a row as they stand, quotes included. What is wrong with the row, or null.
const char* SplitRawFields(std::string_view row, char delimiter,
                           std::vector<std::string_view>& out);

class CsvLayout {
 public:
  /// `header` is the file's first line, or empty if the fields come in the order of the columns.
  /// kInvalidProperty if a column has no field.
  static Result<CsvLayout> Make(const ConnectorSpec& spec, char file_delimiter,
                                std::string_view header);

  int field_count() const { return field_count_; }
  /// False if the decoder can read the file's lines as they are.
  bool rewrites() const { return rewrites_; }
  /// Appends the line with just the value columns' fields. A line with the wrong number of fields
  /// stays one that the decoder refuses; the answer then says what is wrong with it.
  std::string Rewrite(std::string_view line, BufferBuilder& out);
  /// Format and columns to read the key columns from a whole line of the file.
  const FormatSpec& key_reader() const { return key_reader_; }

 private:
  int field_count_ = 0;
  std::vector<int> value_fields_;
  char file_delimiter_ = ',';
  char decoder_delimiter_ = ',';
  std::string null_text_;
  bool rewrites_ = false;
  FormatSpec key_reader_;
  std::vector<std::string_view> fields_;
};

/// The delimiter of a file: VALUE_DELIMITER, or by its extension.
Result<char> FileDelimiter(const ConnectorSpec& spec);
/// Names in a header line. kBadRecord if its quotes are wrong.
Result<std::vector<std::string>> HeaderNames(std::string_view header, char delimiter);

}  // namespace weir
