#include "exec/column/chunk_parts.h"

namespace weir {

size_t FirstPart(const RowOp* ops, size_t from, size_t count) {
  const size_t half = count / 2;
  if (ops == nullptr || half == 0 || ops[from + half - 1] != RowOp::kUpdateBefore) return half;
  return half + 1 < count ? half + 1 : half - 1;
}

bool HasParts(const Chunk& chunk) {
  const auto rows = static_cast<size_t>(chunk.rows);
  if (chunk.selection && chunk.selection->size() < rows) return true;
  return FirstPart(chunk.ops ? chunk.ops->as<RowOp>() : nullptr, 0, rows) != 0;
}

}  // namespace weir
