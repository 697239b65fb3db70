#include "base/type_rules.h"

#include <algorithm>

#include "base/limits.h"
#include "base/status_macros.h"

namespace weir {
namespace {

/// Place in the chain of implicit conversions of numbers.
int NumberRank(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt: return 0;
    case TypeKind::kBigint: return 1;
    case TypeKind::kDecimal: return 2;
    default: return 3;
  }
}

bool DecimalHolds(const DataType& outer, const DataType& inner) {
  return outer.scale() >= inner.scale() &&
         outer.precision() - outer.scale() >= inner.precision() - inner.scale();
}

int NumberCost(const DataType& from, const DataType& to) {
  const int rank_from = NumberRank(from.kind()), rank_to = NumberRank(to.kind());
  if (rank_from > rank_to) return -1;
  if (to.is(TypeKind::kDecimal)) {
    if (!DecimalHolds(to, DecimalOf(from))) return -1;
    return std::max(1, rank_to - rank_from);
  }
  return rank_to - rank_from;
}

int StructCost(const DataType& from, const DataType& to) {
  int cost = from.fields().size() == to.fields().size() ? 0 : 1;
  for (const DataType::Field& field : from.fields()) {
    const int index = to.FieldIndex(field.name);
    if (index < 0) return -1;
    const int one = ImplicitCost(field.type, to.fields()[static_cast<size_t>(index)].type);
    if (one < 0) return -1;
    cost += one;
  }
  return std::max(cost, 1);
}

std::optional<DataType> CommonStruct(const DataType& a, const DataType& b, DecimalExcess excess) {
  std::vector<DataType::Field> fields(a.fields().begin(), a.fields().end());
  for (const DataType::Field& field : b.fields()) {
    const int index = a.FieldIndex(field.name);
    if (index < 0) {
      fields.push_back(field);
      continue;
    }
    DataType& mine = fields[static_cast<size_t>(index)].type;
    const std::optional<DataType> common = CommonType(mine, field.type, excess);
    if (!common) return std::nullopt;
    mine = *common;
  }
  return DataType::Struct(std::move(fields));
}

std::optional<DataType> CommonNumber(const DataType& a, const DataType& b, DecimalExcess excess) {
  if (a.is(TypeKind::kDouble) || b.is(TypeKind::kDouble)) return DataType::Double();
  if (!a.is(TypeKind::kDecimal) && !b.is(TypeKind::kDecimal)) return DataType::Bigint();
  const DataType x = DecimalOf(a), y = DecimalOf(b);
  const int scale = std::max(x.scale(), y.scale());
  const int whole = std::max(x.precision() - x.scale(), y.precision() - y.scale());
  if (excess == DecimalExcess::kDropsFraction) return CappedDecimal(whole + scale, scale);
  return DataType::Decimal(std::min(whole + scale, limits::kDecimalPrecisionMax), scale);
}

bool CanCastStructs(const DataType& from, const DataType& to) {
  for (const DataType::Field& field : to.fields()) {
    const int index = from.FieldIndex(field.name);
    if (index < 0) continue;
    if (!CanCast(from.fields()[static_cast<size_t>(index)].type, field.type)) return false;
  }
  return true;
}

}  // namespace

DataType DecimalOf(const DataType& type) {
  if (type.is(TypeKind::kInt)) return DataType::Decimal(10, 0);
  if (type.is(TypeKind::kBigint)) return DataType::Decimal(19, 0);
  WEIR_CHECK(type.is(TypeKind::kDecimal), "no DECIMAL holds this type");
  return type;
}

DataType CappedDecimal(int precision, int scale) {
  const int excess = precision - limits::kDecimalPrecisionMax;
  if (excess > 0) {
    precision = limits::kDecimalPrecisionMax;
    scale = std::min(std::max(scale - excess, std::min(scale, 6)), precision);
  }
  precision = std::max({precision, scale, 1});
  return DataType::Decimal(precision, std::max(scale, 0));
}

int ImplicitCost(const DataType& from, const DataType& to) {
  if (from == to || from.is(TypeKind::kNull)) return 0;
  if (from.is_numeric() && to.is_numeric()) return NumberCost(from, to);
  if (from.kind() != to.kind()) return -1;
  if (from.is(TypeKind::kArray)) return ImplicitCost(from.element(), to.element());
  if (from.is(TypeKind::kMap)) {
    const int key = ImplicitCost(from.key(), to.key());
    const int value = ImplicitCost(from.element(), to.element());
    return key < 0 || value < 0 ? -1 : key + value;
  }
  return from.is(TypeKind::kStruct) ? StructCost(from, to) : -1;
}

std::optional<DataType> CommonType(const DataType& a, const DataType& b, DecimalExcess excess) {
  if (a == b || b.is(TypeKind::kNull)) return a;
  if (a.is(TypeKind::kNull)) return b;
  if (a.is_numeric() && b.is_numeric()) return CommonNumber(a, b, excess);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case TypeKind::kArray: {
      std::optional<DataType> element = CommonType(a.element(), b.element(), excess);
      if (!element) return std::nullopt;
      return DataType::Array(*element);
    }
    case TypeKind::kMap: {
      std::optional<DataType> key = CommonType(a.key(), b.key(), excess);
      std::optional<DataType> value = CommonType(a.element(), b.element(), excess);
      if (!key || !value) return std::nullopt;
      return DataType::Map(*key, *value);
    }
    case TypeKind::kStruct: return CommonStruct(a, b, excess);
    default: return std::nullopt;
  }
}

bool CanCast(const DataType& from, const DataType& to) {
  if (from == to || from.is(TypeKind::kNull)) return true;
  switch (to.kind()) {
    case TypeKind::kNull:
    case TypeKind::kBytes: return false;
    case TypeKind::kString: return !from.is(TypeKind::kBytes);
    case TypeKind::kBoolean: return from.is(TypeKind::kString);
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kDecimal: return from.is_numeric() || from.is(TypeKind::kString);
    case TypeKind::kDate:
    case TypeKind::kTime: return from.is(TypeKind::kString) || from.is(TypeKind::kTimestamp);
    case TypeKind::kTimestamp: return from.is(TypeKind::kString) || from.is(TypeKind::kDate);
    case TypeKind::kArray:
      return from.is(TypeKind::kArray) && CanCast(from.element(), to.element());
    case TypeKind::kMap:
      return from.is(TypeKind::kMap) && CanCast(from.key(), to.key()) &&
             CanCast(from.element(), to.element());
    case TypeKind::kStruct: return from.is(TypeKind::kStruct) && CanCastStructs(from, to);
  }
  return false;
}

}  // namespace weir
