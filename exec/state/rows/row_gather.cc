#include "exec/state/rows/row_gather.h"

#include <cstring>
#include <vector>

namespace weir {
namespace {

// Bits of the result, or null if every ref has a value.
BufferPtr GatherValidity(std::span<const Column* const> blocks, std::span<const RowRef> refs) {
  bool any = false;
  for (size_t i = 0; i < refs.size() && !any; ++i) {
    any = refs[i].is_null() || blocks[refs[i].block]->IsNull(refs[i].row);
  }
  if (!any) return nullptr;
  uint8_t* bits = nullptr;
  const size_t bytes = (refs.size() + 7) / 8;
  BufferPtr buffer = MakeBuffer(bytes, &bits);
  std::memset(bits, 0, bytes);
  for (size_t i = 0; i < refs.size(); ++i) {
    const bool valid = !refs[i].is_null() && !blocks[refs[i].block]->IsNull(refs[i].row);
    bits[i >> 3] |= static_cast<uint8_t>(valid) << (i & 7);
  }
  return buffer;
}

template <typename T>
void GatherFixed(std::span<const Column* const> blocks, std::span<const RowRef> refs, T* out) {
  for (size_t i = 0; i < refs.size(); ++i) {
    if (refs[i].is_null()) {
      out[i] = T();
    } else {
      out[i] = reinterpret_cast<const T*>(blocks[refs[i].block]->raw_values())[refs[i].row];
    }
  }
}

ColumnPtr GatherTexts(const DataType& type, std::span<const Column* const> blocks,
                      std::span<const RowRef> refs) {
  Column::Parts parts{.type = type, .length = static_cast<int32_t>(refs.size())};
  parts.validity = GatherValidity(blocks, refs);
  uint8_t* data = nullptr;
  parts.offsets = MakeBuffer((refs.size() + 1) * sizeof(int32_t), &data);
  auto* offsets = reinterpret_cast<int32_t*>(data);
  offsets[0] = 0;
  int64_t end = 0;
  for (size_t i = 0; i < refs.size(); ++i) {
    int32_t length = 0;
    if (!refs[i].is_null()) {
      const Column& column = *blocks[refs[i].block];
      const int32_t row = refs[i].row;
      if (!column.IsNull(row)) length = column.offsets()[row + 1] - column.offsets()[row];
    }
    end += length;
    offsets[i + 1] = static_cast<int32_t>(end);
  }
  uint8_t* bytes = nullptr;
  parts.values = MakeBuffer(static_cast<size_t>(end), &bytes);  // Throws where it is too large.
  for (size_t i = 0; i < refs.size(); ++i) {
    const int32_t length = offsets[i + 1] - offsets[i];
    if (length == 0) continue;
    std::memcpy(bytes + offsets[i], blocks[refs[i].block]->GetString(refs[i].row).data(), length);
  }
  return MakeColumn(std::move(parts));
}

}  // namespace

ColumnPtr GatherRefs(const DataType& type, std::span<const Column* const> blocks,
                     std::span<const RowRef> refs) {
  const size_t width = ValueWidth(type.kind());
  if (width > 0) {
    Column::Parts parts{.type = type, .length = static_cast<int32_t>(refs.size())};
    parts.validity = GatherValidity(blocks, refs);
    uint8_t* data = nullptr;
    parts.values = MakeBuffer(refs.size() * width, &data);
    if (width == 4) {
      GatherFixed(blocks, refs, reinterpret_cast<uint32_t*>(data));
    } else if (width == 8) {
      GatherFixed(blocks, refs, reinterpret_cast<uint64_t*>(data));
    } else {
      GatherFixed(blocks, refs, reinterpret_cast<Decimal128*>(data));
    }
    return MakeColumn(std::move(parts));
  }
  if (type.is(TypeKind::kString) || type.is(TypeKind::kBytes)) {
    return GatherTexts(type, blocks, refs);
  }
  ColumnBuilder builder(type);
  builder.Reserve(static_cast<int32_t>(refs.size()));
  for (const RowRef& ref : refs) {
    if (ref.is_null()) {
      builder.AppendNull();
    } else {
      builder.AppendFrom(*blocks[ref.block], ref.row);
    }
  }
  return builder.Finish();
}

}  // namespace weir
