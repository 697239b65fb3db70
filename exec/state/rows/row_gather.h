#pragma once

// Puts columns together from rows that lie in several chunks: the output of joins and of tables.

#include <cstdint>
#include <span>

#include "exec/column/builder.h"

namespace weir {

/// A row of one of several chunks. Row -1 is no row: its values are null.
struct RowRef {
  uint32_t block = 0;
  int32_t row = -1;
  bool is_null() const { return row < 0; }
  bool operator==(const RowRef&) const = default;
};

/// One value a ref: blocks[ref.block] at ref.row. All blocks have type `type`; blocks that no ref
/// names may be null pointers.
ColumnPtr GatherRefs(const DataType& type, std::span<const Column* const> blocks,
                     std::span<const RowRef> refs);

}  // namespace weir
