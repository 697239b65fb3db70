#pragma once

// The SQL types of columns and of values inside them. A DataType is a small immutable value: copy
// it freely, between threads too.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// The kinds of SQL types, with the layout of their columns (Arrow's, see Column in batch.h).
enum class TypeKind : uint8_t {
  kNull,       ///< The type of a bare NULL; never the type of a stored column.
  kBoolean,    ///< Bits, least significant first.
  kInt,        ///< int32_t.
  kBigint,     ///< int64_t.
  kDouble,     ///< double.
  kDecimal,    ///< Decimal128, the unscaled value in two's complement; up to 38 digits.
  kString,     ///< UTF-8: int32_t offsets and bytes. SQL: VARCHAR or STRING.
  kBytes,      ///< Bytes: int32_t offsets and bytes.
  kDate,       ///< int32_t, days since 1970-01-01.
  kTime,       ///< int32_t, milliseconds of the day.
  kTimestamp,  ///< int64_t, milliseconds since 1970-01-01T00:00:00Z.
  kArray,      ///< int32_t offsets and one child.
  kMap,        ///< int32_t offsets and two children: keys (never null) and values.
  kStruct,     ///< One child per field.
};

/// An unscaled decimal of up to 38 digits, little-endian two's complement, as in Arrow.
struct Decimal128 {
  uint64_t low = 0;
  int64_t high = 0;
  bool operator==(const Decimal128&) const = default;
};

class DataType {
 public:
  struct Field;

  DataType() = default;  ///< NULL's type.
  static DataType Null() { return {}; }
  static DataType Boolean() { return DataType(TypeKind::kBoolean); }
  static DataType Int() { return DataType(TypeKind::kInt); }
  static DataType Bigint() { return DataType(TypeKind::kBigint); }
  static DataType Double() { return DataType(TypeKind::kDouble); }
  static DataType String() { return DataType(TypeKind::kString); }
  static DataType Bytes() { return DataType(TypeKind::kBytes); }
  static DataType Date() { return DataType(TypeKind::kDate); }
  static DataType Time() { return DataType(TypeKind::kTime); }
  static DataType Timestamp() { return DataType(TypeKind::kTimestamp); }
  /// Requires 1 <= precision <= 38 and 0 <= scale <= precision.
  static DataType Decimal(int precision, int scale);
  static DataType Array(DataType element);
  static DataType Map(DataType key, DataType value);
  /// Field names are kept as given; they may repeat only if the caller lets them.
  static DataType Struct(std::vector<Field> fields);

  TypeKind kind() const { return kind_; }
  bool is(TypeKind kind) const { return kind_ == kind; }
  /// Digits in all, and after the point, of a DECIMAL; 0 for others.
  int precision() const { return precision_; }
  int scale() const { return scale_; }
  /// Element type of an ARRAY, value type of a MAP. Requires one of these.
  const DataType& element() const;
  /// Key type of a MAP. Requires a MAP.
  const DataType& key() const;
  /// Fields of a STRUCT in order; empty for other types.
  std::span<const Field> fields() const;
  /// Index of the field named exactly `name`, or -1.
  int FieldIndex(std::string_view name) const;

  bool is_numeric() const {
    return kind_ == TypeKind::kInt || kind_ == TypeKind::kBigint || kind_ == TypeKind::kDouble ||
           kind_ == TypeKind::kDecimal;
  }
  bool is_nested() const { return kind_ >= TypeKind::kArray; }

  /// As SQL, ksqlDB's way: INTEGER, BIGINT, DECIMAL(10, 2), STRING, ARRAY<…>, MAP<…, …>,
  /// STRUCT<`F` …>.
  std::string ToString() const;
  bool operator==(const DataType& other) const;

 private:
  explicit DataType(TypeKind kind) : kind_(kind) {}
  TypeKind kind_ = TypeKind::kNull;
  uint8_t precision_ = 0;
  uint8_t scale_ = 0;
  std::shared_ptr<const std::vector<Field>> children_;
};

struct DataType::Field {
  std::string name;
  DataType type;
  bool operator==(const Field&) const = default;
};

/// One column of a source or a result.
struct ColumnSchema {
  std::string name;  ///< As in the catalog: upper case unless it was quoted.
  DataType type;
  bool is_key = false;  ///< Stored in the record's key.
  bool operator==(const ColumnSchema&) const = default;
};

/// The columns of a batch in order; key columns come first.
struct Schema {
  std::vector<ColumnSchema> columns;
  int size() const { return static_cast<int>(columns.size()); }
  /// Index of the column named exactly `name`, or -1.
  int Find(std::string_view name) const;
  /// "`ID` INTEGER KEY, `NAME` STRING".
  std::string ToString() const;
  bool operator==(const Schema&) const = default;
};
using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace weir
