#include "weir/types.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"

namespace weir {
namespace {

/// In backquotes, those inside doubled, as SQL reads it back.
std::string QuotedName(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) {
    quoted += c;
    if (c == '`') quoted += c;
  }
  return quoted + "`";
}

}  // namespace

DataType DataType::Decimal(int precision, int scale) {
  WEIR_CHECK(precision >= 1 && precision <= limits::kDecimalPrecisionMax && scale >= 0 &&
                 scale <= precision,
             "DECIMAL out of range");
  DataType type(TypeKind::kDecimal);
  type.precision_ = static_cast<uint8_t>(precision);
  type.scale_ = static_cast<uint8_t>(scale);
  return type;
}

DataType DataType::Array(DataType element) {
  DataType type(TypeKind::kArray);
  type.children_ =
      std::make_shared<const std::vector<Field>>(std::vector<Field>{{"item", std::move(element)}});
  return type;
}

DataType DataType::Map(DataType key, DataType value) {
  DataType type(TypeKind::kMap);
  type.children_ = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", std::move(key)}, {"value", std::move(value)}});
  return type;
}

DataType DataType::Struct(std::vector<Field> fields) {
  DataType type(TypeKind::kStruct);
  type.children_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

const DataType& DataType::element() const {
  WEIR_CHECK(kind_ == TypeKind::kArray || kind_ == TypeKind::kMap, "not a collection");
  return children_->back().type;
}

const DataType& DataType::key() const {
  WEIR_CHECK(kind_ == TypeKind::kMap, "not a MAP");
  return children_->front().type;
}

std::span<const DataType::Field> DataType::fields() const {
  if (kind_ != TypeKind::kStruct) return {};
  return *children_;
}

int DataType::FieldIndex(std::string_view name) const {
  const std::span<const Field> all = fields();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

bool DataType::operator==(const DataType& other) const {
  if (kind_ != other.kind_ || precision_ != other.precision_ || scale_ != other.scale_) {
    return false;
  }
  if (children_ == other.children_) return true;
  if (!children_ || !other.children_) return false;
  return *children_ == *other.children_;
}

std::string DataType::ToString() const {
  switch (kind_) {
    case TypeKind::kNull: return "NULL";
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INTEGER";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kDecimal: return fmt::format("DECIMAL({}, {})", precision_, scale_);
    case TypeKind::kString: return "STRING";
    case TypeKind::kBytes: return "BYTES";
    case TypeKind::kDate: return "DATE";
    case TypeKind::kTime: return "TIME";
    case TypeKind::kTimestamp: return "TIMESTAMP";
    case TypeKind::kArray: return fmt::format("ARRAY<{}>", element().ToString());
    case TypeKind::kMap: return fmt::format("MAP<{}, {}>", key().ToString(), element().ToString());
    case TypeKind::kStruct: {
      std::string text = "STRUCT<";
      for (const Field& field : *children_) {
        if (text.size() > 7) text += ", ";
        text += fmt::format("{} {}", QuotedName(field.name), field.type.ToString());
      }
      return text + ">";
    }
  }
  return "?";
}

int Schema::Find(std::string_view name) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string Schema::ToString() const {
  std::string text;
  for (const ColumnSchema& column : columns) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}{}", QuotedName(column.name), column.type.ToString(),
                        column.is_key ? " KEY" : "");
  }
  return text;
}

}  // namespace weir
