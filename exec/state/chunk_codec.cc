#include "exec/state/chunk_codec.h"

#include <cstring>

#include "base/fixed_bytes.h"
#include "base/status_macros.h"

namespace weir {
namespace {

constexpr uint8_t kVersion = 1;

size_t FixedBytes(TypeKind kind, int32_t rows) {
  if (kind == TypeKind::kBoolean) return (static_cast<size_t>(rows) + 7) / 8;
  return static_cast<size_t>(rows) * ValueWidth(kind);
}

bool HasOffsets(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kBytes || kind == TypeKind::kArray ||
         kind == TypeKind::kMap;
}

void AppendColumn(const Column& column, std::string& out) {
  const TypeKind kind = column.type().kind();
  const int32_t rows = column.length();
  PutFixed(rows, out);
  out.push_back(column.has_nulls() ? 1 : 0);
  if (column.has_nulls()) {
    out.append(reinterpret_cast<const char*>(column.validity()),
               (static_cast<size_t>(rows) + 7) / 8);
  }
  if (HasOffsets(kind)) {
    out.append(reinterpret_cast<const char*>(column.offsets()),
               (static_cast<size_t>(rows) + 1) * sizeof(int32_t));
    if (!column.type().is_nested()) {
      out.append(reinterpret_cast<const char*>(column.raw_values()),
                 static_cast<size_t>(column.offsets()[rows]));
    }
  } else if (!column.type().is_nested()) {
    out.append(reinterpret_cast<const char*>(column.raw_values()), FixedBytes(kind, rows));
  }
  for (const ColumnPtr& child : column.parts().children) AppendColumn(*child, out);
}

BufferPtr TakeBuffer(std::string_view& bytes, size_t size) {
  if (bytes.size() < size) return nullptr;
  uint8_t* data = nullptr;
  BufferPtr buffer = MakeBuffer(size, &data);
  if (size > 0) std::memcpy(data, bytes.data(), size);
  bytes.remove_prefix(size);
  return buffer;
}

bool OffsetsAscend(const int32_t* offsets, int32_t rows) {
  if (offsets[0] < 0) return false;
  for (int32_t row = 0; row < rows; ++row) {
    if (offsets[row + 1] < offsets[row]) return false;
  }
  return true;
}

std::vector<DataType> ChildTypes(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kArray: return {type.element()};
    case TypeKind::kMap: return {type.key(), type.element()};
    case TypeKind::kStruct: {
      std::vector<DataType> types;
      for (const DataType::Field& field : type.fields()) types.push_back(field.type);
      return types;
    }
    default: return {};
  }
}

ColumnPtr ReadColumn(const DataType& type, std::string_view& bytes) {
  Column::Parts parts{.type = type};
  if (!TakeFixed(bytes, parts.length) || parts.length < 0 || bytes.empty()) return nullptr;
  const int32_t rows = parts.length;
  const bool has_nulls = bytes.front() != 0;
  bytes.remove_prefix(1);
  if (has_nulls) {
    parts.validity = TakeBuffer(bytes, (static_cast<size_t>(rows) + 7) / 8);
    if (parts.validity == nullptr) return nullptr;
  }
  int32_t items_min = type.is(TypeKind::kStruct) ? rows : 0;
  if (HasOffsets(type.kind())) {
    parts.offsets = TakeBuffer(bytes, (static_cast<size_t>(rows) + 1) * sizeof(int32_t));
    if (parts.offsets == nullptr) return nullptr;
    const auto* offsets = parts.offsets->as<int32_t>();
    if (!OffsetsAscend(offsets, rows)) return nullptr;
    items_min = offsets[rows];
    if (!type.is_nested()) parts.values = TakeBuffer(bytes, static_cast<size_t>(items_min));
  } else if (!type.is_nested()) {
    parts.values = TakeBuffer(bytes, FixedBytes(type.kind(), rows));
  }
  if (!type.is_nested() && parts.values == nullptr) return nullptr;
  for (const DataType& child_type : ChildTypes(type)) {
    ColumnPtr child = ReadColumn(child_type, bytes);
    if (child == nullptr || child->length() < items_min) return nullptr;
    parts.children.push_back(std::move(child));
  }
  return MakeColumn(std::move(parts));
}

Status Corrupt() {
  return Status(ErrorCode::kStoreCorrupt, "a block of kept rows in a state store is malformed");
}

}  // namespace

void AppendColumns(std::span<const ColumnPtr> columns, std::string& out) {
  out.push_back(static_cast<char>(kVersion));
  for (const ColumnPtr& column : columns) AppendColumn(*column, out);
}

Result<std::vector<ColumnPtr>> ReadColumns(std::span<const DataType> types,
                                           std::string_view bytes) {
  if (bytes.empty()) return Corrupt();
  if (static_cast<uint8_t>(bytes.front()) > kVersion) {
    return Status(ErrorCode::kStoreVersion, "a state store was written by a newer Weir");
  }
  bytes.remove_prefix(1);
  std::vector<ColumnPtr> columns;
  for (const DataType& type : types) {
    ColumnPtr column = ReadColumn(type, bytes);
    if (column == nullptr ||
        column->length() != (columns.empty() ? column : columns[0])->length()) {
      return Corrupt();
    }
    columns.push_back(std::move(column));
  }
  if (!bytes.empty()) return Corrupt();
  return columns;
}

}  // namespace weir
