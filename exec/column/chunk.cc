// Whole chunks, and single values out of columns.

#include "exec/column/chunk.h"

#include <numeric>

#include "base/decimal.h"
#include "exec/column/builder.h"

namespace weir {
namespace {

size_t BufferSize(const BufferPtr& buffer) { return buffer ? buffer->size() : 0; }

Value GetCollection(const Column& column, int32_t row) {
  const int32_t begin = column.offsets()[row], end = column.offsets()[row + 1];
  if (column.type().is(TypeKind::kArray)) {
    Value::Items items;
    for (int32_t i = begin; i < end; ++i) items.push_back(GetValue(*column.child(0), i));
    return Value(std::move(items));
  }
  Value::Entries entries;
  for (int32_t i = begin; i < end; ++i) {
    entries.emplace_back(GetValue(*column.child(0), i), GetValue(*column.child(1), i));
  }
  return Value(std::move(entries));
}

}  // namespace

Value GetValue(const Column& column, int32_t row) {
  if (column.IsNull(row)) return Value();
  switch (column.type().kind()) {
    case TypeKind::kNull: return Value();
    case TypeKind::kBoolean: return Value(column.GetBool(row));
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Value(int32_t{column.values<int32_t>()[row]});
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Value(int64_t{column.values<int64_t>()[row]});
    case TypeKind::kDouble: return Value(double{column.values<double>()[row]});
    case TypeKind::kDecimal: return Value(ToInt128(column.values<Decimal128>()[row]));
    case TypeKind::kString:
    case TypeKind::kBytes: return Value(std::string(column.GetString(row)));
    case TypeKind::kArray:
    case TypeKind::kMap: return GetCollection(column, row);
    case TypeKind::kStruct: {
      Value::Items items;
      for (const ColumnPtr& child : column.parts().children) {
        items.push_back(GetValue(*child, row));
      }
      return Value(std::move(items));
    }
  }
  return Value();
}

Chunk GatherChunk(const Chunk& chunk, std::span<const int32_t> rows) {
  Chunk result;
  result.rows = static_cast<int32_t>(rows.size());
  result.source = chunk.source;
  result.source_partition = chunk.source_partition;
  result.columns.reserve(chunk.columns.size());
  for (const ColumnPtr& column : chunk.columns) {
    result.columns.push_back(column ? Gather(*column, rows) : nullptr);
  }
  for (int i = 0; i < kSystemColumnCount; ++i) {
    if (chunk.system[i]) result.system[i] = Gather(*chunk.system[i], rows);
  }
  if (chunk.ops) {
    uint8_t* data;
    result.ops = MakeBuffer(rows.size(), &data);
    const uint8_t* from = chunk.ops->data();
    for (size_t i = 0; i < rows.size(); ++i) data[i] = from[rows[i]];
  }
  return result;
}

Chunk Flatten(Chunk chunk) {
  if (!chunk.selection) return chunk;
  if (chunk.selection->size() == static_cast<size_t>(chunk.rows)) {
    chunk.selection = nullptr;
    return chunk;
  }
  return GatherChunk(chunk, *chunk.selection);
}

Chunk RowRange(const Chunk& chunk, size_t from, size_t count) {
  std::vector<int32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<int32_t>(from));
  return GatherChunk(chunk, rows);
}

size_t ByteSize(const Column& column) {
  const Column::Parts& parts = column.parts();
  size_t size = BufferSize(parts.validity) + BufferSize(parts.values) + BufferSize(parts.offsets);
  for (const ColumnPtr& child : parts.children) size += child ? ByteSize(*child) : 0;
  return size;
}

size_t ByteSize(const Chunk& chunk) {
  size_t size = BufferSize(chunk.ops);
  for (const ColumnPtr& column : chunk.columns) size += column ? ByteSize(*column) : 0;
  for (const ColumnPtr& column : chunk.system) size += column ? ByteSize(*column) : 0;
  return size;
}

}  // namespace weir
