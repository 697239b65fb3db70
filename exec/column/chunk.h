#pragma once

// Rows between operators. A Chunk is what a public Batch is made of, plus what only operators need:
// system columns, operations, and a selection.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "planner/binder/bound_expr.h"
#include "weir/batch.h"

namespace weir {

/// Row numbers in ascending order.
using Selection = std::vector<int32_t>;

/// Up to limits::kBatchRowsMax rows of one source partition (behind an exchange: of one task).
/// Columns are immutable and shared; a Chunk itself is a cheap value owned by one thread.
struct Chunk {
  /// Rows physically in each column. Which of them count is said by `selection`.
  int32_t rows = 0;
  std::vector<ColumnPtr> columns;
  /// By SystemColumn; kRowTime is always there, the others where the plan asks for them.
  std::array<ColumnPtr, kSystemColumnCount> system;
  /// One RowOp a row; null: all kInsert. In retract mode a kUpdateBefore stands directly before its
  /// kUpdateAfter, and a kDelete carries the old row; in upsert mode a kDelete carries only the key
  /// (other columns null). In streams kDelete marks a record whose value is null.
  BufferPtr ops;
  /// Rows that count; null: all.
  std::shared_ptr<const Selection> selection;
  /// Index of the source topic within the query, and its partition; -1 behind an exchange.
  int32_t source = -1;
  int32_t source_partition = -1;

  const ColumnPtr& row_time() const { return system[static_cast<int>(SystemColumn::kRowTime)]; }
  const ColumnPtr& sys(SystemColumn which) const { return system[static_cast<int>(which)]; }
  ColumnPtr& sys(SystemColumn which) { return system[static_cast<int>(which)]; }
  int32_t active_rows() const { return selection ? static_cast<int32_t>(selection->size()) : rows; }
  RowOp op(int32_t row) const {
    return ops ? static_cast<RowOp>(ops->data()[row]) : RowOp::kInsert;
  }
};

}  // namespace weir
