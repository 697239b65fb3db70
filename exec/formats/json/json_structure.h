#pragma once

// simdjson's first stage over many records at once: where the strings, numbers and brackets begin.
// The JSON decoder walks these positions itself, so that the fixed cost of a parse is paid once for
// tens of records and fields nobody reads are passed over.

#include <cstddef>
#include <cstdint>
#include <memory>

namespace weir {

/// Positions of the structural characters of some text: brackets, commas, colons, and the first
/// byte of each scalar (the opening quote of strings). One thread at a time.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(const JsonStructure&) = delete;
  JsonStructure& operator=(const JsonStructure&) = delete;

  /// Indexes [text, text + length). False if it is not UTF-8, ends inside a string, or has a raw
  /// control character inside one; `error()` then says which. Throws std::bad_alloc.
  bool Index(const char* text, size_t length);
  /// `count()` positions, ascending; one more after them is readable and is `length`.
  const uint32_t* positions() const;
  size_t count() const;
  const char* error() const { return error_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  const char* error_ = "";
};

/// True if the bytes are UTF-8.
bool IsUtf8(const char* text, size_t length);

}  // namespace weir
