// Rows picked out of columns and columns put one behind the other.

#include <algorithm>
#include <numeric>

#include "exec/column/bits.h"
#include "exec/column/builder.h"
#include "exec/column/column_limit.h"

namespace weir {
namespace {

/// Validity of the picked rows; null if all are valid.
BufferPtr GatherValidity(const Column& column, std::span<const int32_t> rows, bool has_missing) {
  if (!column.has_nulls() && !has_missing) return nullptr;
  uint8_t* bits;
  BufferPtr buffer = MakeBuffer((rows.size() + 63) / 64 * 8, &bits);
  std::memset(bits, 0, buffer->size());
  const uint8_t* source = column.validity();
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    const bool valid = row >= 0 && (source == nullptr || GetBit(source, row));
    bits[i >> 3] |= static_cast<uint8_t>(valid) << (i & 7);
  }
  return AllBitsSet(bits, static_cast<int32_t>(rows.size())) ? nullptr : buffer;
}

template <typename T>
BufferPtr GatherFixed(const Column& column, std::span<const int32_t> rows, bool has_missing) {
  uint8_t* data;
  BufferPtr buffer = MakeBuffer(rows.size() * sizeof(T), &data);
  T* out = reinterpret_cast<T*>(data);
  const T* in = column.values<T>().data();
  const size_t count = rows.size();
  if (has_missing) {
    for (size_t i = 0; i < count; ++i) out[i] = rows[i] < 0 ? T{} : in[rows[i]];
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = in[rows[i]];
  }
  return buffer;
}

BufferPtr GatherBits(const Column& column, std::span<const int32_t> rows) {
  uint8_t* bits;
  BufferPtr buffer = MakeBuffer((rows.size() + 63) / 64 * 8, &bits);
  std::memset(bits, 0, buffer->size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool value = rows[i] >= 0 && column.GetBool(rows[i]);
    bits[i >> 3] |= static_cast<uint8_t>(value) << (i & 7);
  }
  return buffer;
}

/// New offsets for the picked rows; the last one is the size of what they cover: bytes, or elements
/// of `element_bytes` at least.
BufferPtr GatherOffsets(const Column& column, std::span<const int32_t> rows, size_t element_bytes) {
  uint8_t* data;
  BufferPtr buffer = MakeBuffer((rows.size() + 1) * sizeof(int32_t), &data);
  int32_t* out = reinterpret_cast<int32_t*>(data);
  const int32_t* in = column.offsets();
  int64_t end = 0;
  out[0] = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    if (row >= 0) end += in[row + 1] - in[row];
    out[i + 1] = static_cast<int32_t>(end);
  }
  CheckColumnBytes(static_cast<size_t>(end) * element_bytes);
  return buffer;
}

BufferPtr GatherBytes(const Column& column, std::span<const int32_t> rows,
                      const int32_t* new_offsets) {
  uint8_t* out;
  BufferPtr buffer = MakeBuffer(static_cast<size_t>(new_offsets[rows.size()]), &out);
  const int32_t* in = column.offsets();
  const uint8_t* bytes = column.raw_values();
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    if (row < 0) continue;
    const int32_t size = in[row + 1] - in[row];
    // Short texts in one fixed copy: the padding of both buffers covers what is too much, and the
    // next text writes over it.
    if (size <= 16) {
      std::memcpy(out + new_offsets[i], bytes + in[row], 16);
    } else {
      std::memcpy(out + new_offsets[i], bytes + in[row], static_cast<size_t>(size));
    }
  }
  return buffer;
}

std::vector<int32_t> ChildRows(const Column& column, std::span<const int32_t> rows, int32_t size) {
  std::vector<int32_t> child_rows;
  child_rows.reserve(static_cast<size_t>(size));
  for (const int32_t row : rows) {
    if (row < 0) continue;
    for (int32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
      child_rows.push_back(i);
    }
  }
  return child_rows;
}

/// The part of a collection's child that its rows cover, starting at 0.
ColumnPtr CoveredChild(const Column& column, int index) {
  const ColumnPtr& child = column.child(index);
  const int32_t begin = column.length() == 0 ? 0 : column.offsets()[0];
  const int32_t end = column.length() == 0 ? 0 : column.offsets()[column.length()];
  if (begin == 0) return Prefix(child, end);
  std::vector<int32_t> rows(static_cast<size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return Gather(*child, rows);
}

template <typename T>
void AppendFixed(const Column& column, BufferBuilder& out) {
  out.Append(column.raw_values(), static_cast<size_t>(column.length()) * sizeof(T));
}

void AppendOffsets(const Column& column, BufferBuilder& out) {
  if (column.length() == 0) return;
  const int32_t last = out.as<int32_t>()[out.size() / 4 - 1];
  CheckColumnBytes(static_cast<size_t>(last) +
                   static_cast<size_t>(column.offsets()[column.length()] - column.offsets()[0]));
  const int32_t shift = last - column.offsets()[0];
  const size_t begin = out.size() / 4;
  out.Resize(out.size() + static_cast<size_t>(column.length()) * 4);
  int32_t* to = out.as<int32_t>() + begin;
  for (int32_t i = 0; i < column.length(); ++i) to[i] = column.offsets()[i + 1] + shift;
}

void AppendBits(const Column& column, int32_t at, BufferBuilder& out) {
  out.Resize((static_cast<size_t>(at + column.length()) + 7) / 8);
  for (int32_t i = 0; i < column.length(); ++i) SetBit(out.data(), at + i, column.GetBool(i));
}

/// Concatenates the values of columns without children into `values` and `offsets`.
void ConcatFlat(std::span<const ColumnPtr> columns, BufferBuilder& values, BufferBuilder& offsets) {
  int32_t at = 0;
  for (const ColumnPtr& column : columns) {
    switch (column->type().kind()) {
      case TypeKind::kBoolean: AppendBits(*column, at, values); break;
      case TypeKind::kInt:
      case TypeKind::kDate:
      case TypeKind::kTime: AppendFixed<int32_t>(*column, values); break;
      case TypeKind::kBigint:
      case TypeKind::kTimestamp:
      case TypeKind::kDouble: AppendFixed<int64_t>(*column, values); break;
      case TypeKind::kDecimal: AppendFixed<Decimal128>(*column, values); break;
      case TypeKind::kString:
      case TypeKind::kBytes:
        AppendOffsets(*column, offsets);
        if (column->length() != 0) {
          const int32_t* from = column->offsets();
          values.Append(column->raw_values() + from[0],
                        static_cast<size_t>(from[column->length()] - from[0]));
        }
        break;
      default: break;
    }
    at += column->length();
  }
}

}  // namespace

ColumnPtr Gather(const Column& column, std::span<const int32_t> rows) {
  bool has_missing = false;
  for (const int32_t row : rows) has_missing |= row < 0;
  Column::Parts parts;
  parts.type = column.type();
  parts.length = static_cast<int32_t>(rows.size());
  parts.validity = GatherValidity(column, rows, has_missing);
  switch (column.type().kind()) {
    case TypeKind::kNull: return MakeNullColumn(column.type(), parts.length);
    case TypeKind::kBoolean: parts.values = GatherBits(column, rows); break;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: parts.values = GatherFixed<int32_t>(column, rows, has_missing); break;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
    case TypeKind::kDouble: parts.values = GatherFixed<int64_t>(column, rows, has_missing); break;
    case TypeKind::kDecimal:
      parts.values = GatherFixed<Decimal128>(column, rows, has_missing);
      break;
    case TypeKind::kString:
    case TypeKind::kBytes:
      parts.offsets = GatherOffsets(column, rows, 1);
      parts.values = GatherBytes(column, rows, parts.offsets->as<int32_t>());
      break;
    case TypeKind::kArray:
    case TypeKind::kMap: {
      parts.offsets = GatherOffsets(column, rows, sizeof(int32_t));
      const int32_t size = parts.offsets->as<int32_t>()[rows.size()];
      const std::vector<int32_t> child_rows = ChildRows(column, rows, size);
      for (const ColumnPtr& child : column.parts().children) {
        parts.children.push_back(Gather(*child, child_rows));
      }
      break;
    }
    case TypeKind::kStruct:
      for (const ColumnPtr& child : column.parts().children) {
        parts.children.push_back(Gather(*child, rows));
      }
      break;
  }
  return MakeColumn(std::move(parts));
}

ColumnPtr Prefix(const ColumnPtr& column, int32_t length) {
  if (column->length() == length) return column;
  Column::Parts parts = column->parts();
  parts.length = length;
  if (parts.type.is(TypeKind::kStruct)) {
    for (ColumnPtr& child : parts.children) child = Prefix(child, length);
  }
  return MakeColumn(std::move(parts));
}

ColumnPtr Concat(std::span<const ColumnPtr> columns) {
  if (columns.size() == 1) return columns[0];
  Column::Parts parts;
  parts.type = columns[0]->type();
  ValidityBuilder validity;
  for (const ColumnPtr& column : columns) {
    validity.AppendBits(column->validity(), column->length());
  }
  parts.length = validity.length();
  parts.validity = validity.Finish();
  const bool is_struct = parts.type.is(TypeKind::kStruct);
  BufferBuilder values, offsets;
  offsets.AppendValue<int32_t>(0);
  if (!parts.type.is_nested()) {
    ConcatFlat(columns, values, offsets);
    if (!parts.type.is(TypeKind::kNull)) parts.values = values.Finish();
  } else {
    for (const ColumnPtr& column : columns) {
      if (!is_struct) AppendOffsets(*column, offsets);
    }
    for (size_t c = 0; c < columns[0]->parts().children.size(); ++c) {
      const int index = static_cast<int>(c);
      std::vector<ColumnPtr> children;
      for (const ColumnPtr& column : columns) {
        children.push_back(is_struct ? Prefix(column->child(index), column->length())
                                     : CoveredChild(*column, index));
      }
      parts.children.push_back(Concat(children));
    }
  }
  if (columns[0]->offsets() != nullptr) parts.offsets = offsets.Finish();
  return MakeColumn(std::move(parts));
}

ColumnPtr MakeNullColumn(const DataType& type, int32_t length) {
  ColumnBuilder builder(type);
  for (int32_t i = 0; i < length; ++i) builder.AppendNull();
  return builder.Finish();
}

ColumnPtr MakeConstantColumn(const DataType& type, const Value& value, int32_t length) {
  ColumnBuilder builder(type);
  if (length == 0) return builder.Finish();
  builder.AppendValue(value);
  const ColumnPtr one = builder.Finish();
  return Gather(*one, std::vector<int32_t>(static_cast<size_t>(length), 0));
}

ColumnPtr MakeInt64Column(const DataType& type, std::span<const int64_t> values) {
  uint8_t* data;
  Column::Parts parts;
  parts.type = type;
  parts.length = static_cast<int32_t>(values.size());
  parts.values = MakeBuffer(values.size_bytes(), &data);
  if (!values.empty()) std::memcpy(data, values.data(), values.size_bytes());
  return MakeColumn(std::move(parts));
}

}  // namespace weir
