#include "exec/column/builder.h"

#include "base/decimal.h"
#include "base/status_macros.h"
#include "exec/column/bits.h"
#include "exec/column/block_pool.h"

namespace weir {
namespace {

bool HasOffsets(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kBytes || kind == TypeKind::kArray ||
         kind == TypeKind::kMap;
}

void AppendZeros(BufferBuilder& values, size_t count) {
  values.Reserve(count);
  const size_t size = values.size();
  values.Resize(size + count);
  std::memset(values.data() + size, 0, count);
}

}  // namespace

size_t ValueWidth(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return 4;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
    case TypeKind::kDouble: return 8;
    case TypeKind::kDecimal: return 16;
    default: return 0;
  }
}

ColumnBuilder::ColumnBuilder(DataType type) : type_(std::move(type)) {
  switch (type_.kind()) {
    case TypeKind::kArray:
      children_.push_back(std::make_unique<ColumnBuilder>(type_.element()));
      break;
    case TypeKind::kMap:
      children_.push_back(std::make_unique<ColumnBuilder>(type_.key()));
      children_.push_back(std::make_unique<ColumnBuilder>(type_.element()));
      break;
    case TypeKind::kStruct:
      for (const DataType::Field& field : type_.fields()) {
        children_.push_back(std::make_unique<ColumnBuilder>(field.type));
      }
      break;
    default: break;
  }
  Reset();
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;

void ColumnBuilder::Reset() {
  if (HasOffsets(type_.kind())) offsets_.AppendValue<int32_t>(0);
}

void ColumnBuilder::Reserve(int32_t rows) {
  const size_t count = static_cast<size_t>(rows);
  if (HasOffsets(type_.kind())) offsets_.Reserve(count * 4);
  values_.Reserve(type_.is(TypeKind::kBoolean) ? count / 8 + 1 : count * ValueWidth(type_.kind()));
}

void ColumnBuilder::AppendNull() {
  validity_.Append(false);
  switch (type_.kind()) {
    case TypeKind::kNull: return;
    case TypeKind::kBoolean:
      if (((length() - 1) & 7) == 0) values_.AppendValue<uint8_t>(0);
      return;
    case TypeKind::kString:
    case TypeKind::kBytes: return offsets_.AppendValue(static_cast<int32_t>(values_.size()));
    case TypeKind::kArray:
    case TypeKind::kMap: return offsets_.AppendValue(children_[0]->length());
    case TypeKind::kStruct:
      for (const auto& child : children_) child->AppendNull();
      return;
    default: return AppendZeros(values_, ValueWidth(type_.kind()));
  }
}

void ColumnBuilder::AppendBool(bool value) {
  const int32_t row = length();
  validity_.Append(true);
  if ((row & 7) == 0) values_.AppendValue<uint8_t>(0);
  values_.data()[row >> 3] |= static_cast<uint8_t>(value) << (row & 7);
}

void ColumnBuilder::AppendDecimal(Int128 unscaled) {
  validity_.Append(true);
  values_.AppendValue(ToDecimal128(unscaled));
}

void ColumnBuilder::AppendNested() {
  validity_.Append(true);
  if (type_.is(TypeKind::kStruct)) return;
  offsets_.AppendValue(children_[0]->length());
}

void ColumnBuilder::AppendFrom(const Column& column, int32_t row) {
  if (column.IsNull(row)) return AppendNull();
  switch (type_.kind()) {
    case TypeKind::kNull: return AppendNull();
    case TypeKind::kBoolean: return AppendBool(column.GetBool(row));
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return AppendInt32(column.values<int32_t>()[row]);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return AppendInt64(column.values<int64_t>()[row]);
    case TypeKind::kDouble: return AppendDouble(column.values<double>()[row]);
    case TypeKind::kDecimal:
      validity_.Append(true);
      return values_.AppendValue(column.values<Decimal128>()[row]);
    case TypeKind::kString:
    case TypeKind::kBytes: return AppendBytes(column.GetString(row));
    case TypeKind::kArray:
    case TypeKind::kMap:
      for (int32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
        for (size_t c = 0; c < children_.size(); ++c) {
          children_[c]->AppendFrom(*column.child(static_cast<int>(c)), i);
        }
      }
      return AppendNested();
    case TypeKind::kStruct:
      for (size_t c = 0; c < children_.size(); ++c) {
        children_[c]->AppendFrom(*column.child(static_cast<int>(c)), row);
      }
      return AppendNested();
  }
}

void ColumnBuilder::AppendValue(const Value& value) {
  if (value.is_null()) return AppendNull();
  switch (type_.kind()) {
    case TypeKind::kNull: return AppendNull();
    case TypeKind::kBoolean: return AppendBool(value.as<bool>());
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return AppendInt32(value.as<int32_t>());
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return AppendInt64(value.as<int64_t>());
    case TypeKind::kDouble: return AppendDouble(value.as<double>());
    case TypeKind::kDecimal: return AppendDecimal(value.as<Int128>());
    case TypeKind::kString:
    case TypeKind::kBytes: return AppendBytes(value.as<std::string>());
    case TypeKind::kArray:
      for (const Value& item : value.as<Value::Items>()) children_[0]->AppendValue(item);
      return AppendNested();
    case TypeKind::kMap:
      for (const auto& [key, item] : value.as<Value::Entries>()) {
        children_[0]->AppendValue(key);
        children_[1]->AppendValue(item);
      }
      return AppendNested();
    case TypeKind::kStruct: {
      const Value::Items& items = value.as<Value::Items>();
      WEIR_CHECK(items.size() == children_.size(), "value does not fit its STRUCT");
      for (size_t c = 0; c < children_.size(); ++c) children_[c]->AppendValue(items[c]);
      return AppendNested();
    }
  }
}

void ColumnBuilder::Truncate(int32_t length) {
  // A half-read nested value has left something in its children only.
  if (length > this->length() || (length == this->length() && !type_.is_nested())) return;
  validity_.Truncate(length);
  switch (type_.kind()) {
    case TypeKind::kNull: return;
    case TypeKind::kBoolean:
      values_.Resize((static_cast<size_t>(length) + 7) / 8);
      if ((length & 7) != 0) values_.data()[values_.size() - 1] &= (1u << (length & 7)) - 1;
      return;
    case TypeKind::kString:
    case TypeKind::kBytes:
      offsets_.Resize((static_cast<size_t>(length) + 1) * 4);
      return values_.Resize(static_cast<size_t>(offsets_.as<int32_t>()[length]));
    case TypeKind::kArray:
    case TypeKind::kMap:
      offsets_.Resize((static_cast<size_t>(length) + 1) * 4);
      for (const auto& child : children_) child->Truncate(offsets_.as<int32_t>()[length]);
      return;
    case TypeKind::kStruct:
      for (const auto& child : children_) child->Truncate(length);
      return;
    default: return values_.Resize(static_cast<size_t>(length) * ValueWidth(type_.kind()));
  }
}

ColumnPtr MakeColumn(Column::Parts parts) { return MakeShared<const Column>(std::move(parts)); }

ColumnPtr ColumnBuilder::Finish() {
  if (adopted_ != nullptr) return std::exchange(adopted_, nullptr);
  Column::Parts parts;
  parts.type = type_;
  parts.length = length();
  parts.validity = validity_.Finish();
  if (HasOffsets(type_.kind())) parts.offsets = offsets_.Finish();
  if (!type_.is_nested() && !type_.is(TypeKind::kNull)) parts.values = values_.Finish();
  for (const auto& child : children_) parts.children.push_back(child->Finish());
  Reset();
  return MakeColumn(std::move(parts));
}

}  // namespace weir
