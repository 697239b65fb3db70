#pragma once

// Reads one JSON value of a known SQL type into a column builder, from the positions JsonStructure
// found. What fits which type follows ksqlDB: numbers may stand in strings, a VARCHAR takes any
// value as text, field names match without case unless the column's name has lower-case letters.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "weir/types.h"

namespace weir {

/// How to read values of one SQL type, worked out once.
struct JsonPlan {
  explicit JsonPlan(DataType type);
  TypeKind kind;
  DataType type;
  std::vector<JsonPlan> children;
  /// STRUCT: names of the fields.
  std::vector<std::string> names;
};

/// The structural positions of one record. `at[i]` is a position for 0 <= i < count; at[count] is
/// at or past `end`.
struct JsonCursor {
  const char* base = nullptr;
  const uint32_t* stop = nullptr;  ///< After the record's last structural position.
  uint32_t end = 0;                ///< Position after the record's last byte.
};

/// Reads values of records; holds the buffers this needs. One thread at a time.
class JsonValueReader {
 public:
  /// Reads the value that begins at structural position *at and appends it to `out`. Returns the
  /// structural position after the value, or null if it does not fit: error() says why, and `out`
  /// may hold a part of the value.
  const uint32_t* Read(const JsonPlan& plan, const JsonCursor& cursor, const uint32_t* at,
                       ColumnBuilder& out);
  /// Reads a scalar from its text alone (no structure needed).
  bool ReadScalar(const JsonPlan& plan, const char* begin, const char* end, ColumnBuilder& out);
  const std::string& error() const { return error_; }

 private:
  const uint32_t* ReadArray(const JsonPlan& plan, const JsonCursor& cursor, const uint32_t* at,
                            ColumnBuilder& out);
  const uint32_t* ReadMap(const JsonPlan& plan, const JsonCursor& cursor, const uint32_t* at,
                          ColumnBuilder& out);
  const uint32_t* ReadRepeatingMap(const JsonPlan& plan, const JsonCursor& cursor,
                                   const uint32_t* open, ColumnBuilder& out);
  const uint32_t* ReadStruct(const JsonPlan& plan, const JsonCursor& cursor, const uint32_t* at,
                             ColumnBuilder& out);
  const uint32_t* ReadAsText(const JsonCursor& cursor, const uint32_t* at, ColumnBuilder& out);
  bool ReadNumber(const JsonPlan& plan, const char* begin, const char* end, bool quoted,
                  ColumnBuilder& out);
  bool ReadString(const JsonPlan& plan, const char* begin, const char* end, ColumnBuilder& out);
  bool ReadText(const JsonPlan& plan, std::string_view text, ColumnBuilder& out);
  bool Misfit(const JsonPlan& plan, const char* begin, const char* end);
  std::string error_;
  std::string scratch_;
};

/// Removes the escapes of a JSON string's inside; false if one is malformed. Lone surrogates become
/// the replacement character.
bool UnescapeJson(std::string_view raw, std::string& out);

/// Where the text of the scalar at *at ends.
const char* ScalarEnd(const JsonCursor& cursor, const uint32_t* at);

/// The structural position after the value at `at`, or null if its brackets do not close inside the
/// record or it nests deeper than limits allow.
const uint32_t* SkipJsonValue(const JsonCursor& cursor, const uint32_t* at);

/// Checks the value at `at` wholly ('strict.json'); null if it is not JSON.
const uint32_t* CheckJsonValue(const JsonCursor& cursor, const uint32_t* at, int depth = 0);

/// Whether a field of the document named `name` is meant by the column `wanted`.
bool EqualsUpperCased(std::string_view name, std::string_view wanted);

}  // namespace weir
