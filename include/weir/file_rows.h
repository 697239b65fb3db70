#pragma once

// Rows of a CSV or NDJSON file, for programs that append them to a topic themselves.

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

/// Reads a file row by row as CONNECTOR='file' does, by the same code: what is compressed by gzip
/// or zstd comes out as it was, a byte order mark belongs to no row, empty lines are passed over
/// unless a CSV has one column, and a quote means something at a field's start only. One thread at
/// a time.
class FileRows {
 public:
  /// kByName: by the path's ending, else by the first byte: '{' begins JSON.
  enum class Format { kByName, kDelimited, kJson };

  struct Options {
    /// The file, or a pipe; "-" is the standard input. For messages and the format only, if `input`
    /// is set.
    std::string path;
    Format format = Format::kByName;
    /// Read this instead of `path`; must outlive the reader.
    std::istream* input = nullptr;
    /// Looked at a few times a second while a pipe gives nothing: true makes Next fail with
    /// kCancelled. May be empty.
    std::function<bool()> stopped;
  };

  /// Reads the header of a CSV. kIoError if the file cannot be read, kUnsupported if it is no UTF-8
  /// text, kBadRecord if a CSV has no header. Waits for a pipe's first bytes.
  static Result<std::unique_ptr<FileRows>> Open(Options options);

  virtual ~FileRows() = default;
  /// kDelimited or kJson.
  virtual Format format() const = 0;
  /// Of a CSV: its header's names, each once. An empty one is C and its number, one that is there
  /// before (in any case of letters) gets its number behind it.
  virtual const std::vector<std::string>& names() const = 0;

  /// Goes to the next row; false at the end. kBadRecord with file and line for a row that is not
  /// UTF-8, has another number of fields than the header, or a quoted field that does not end; the
  /// next call goes on behind it.
  virtual Result<bool> Next() = 0;
  /// The row as it stands, valid until the next call of Next().
  virtual std::string_view text() const = 0;
  /// Of a CSV: the row's fields without their quotes, as many as names; valid likewise. An empty
  /// field without quotes is a null: its data() is null. With quotes it is an empty text.
  virtual const std::vector<std::string_view>& fields() const = 0;
  /// The line on which the row begins, from 1.
  virtual int64_t line() const = 0;
};

}  // namespace weir
