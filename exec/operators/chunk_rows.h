#pragma once

// Small things that most operators do with chunks: the numbers of the rows that count, buffers of
// operations, errors of single rows.

#include <cstdint>
#include <span>
#include <vector>

#include "exec/operators/operator.h"

namespace weir {

/// The numbers of rows that count; reuses its memory.
class RowNumbers {
 public:
  /// Valid until the next call, and as long as the chunk's selection.
  std::span<const int32_t> Of(const Chunk& chunk);

 private:
  std::vector<int32_t> all_;
};

/// Columns of the schema that are the key; they come first.
int CountKeyColumns(const Schema& schema);
std::vector<DataType> ColumnTypes(const Schema& schema);

/// Operations of a chunk, one a row.
BufferPtr MakeOps(std::span<const RowOp> ops);
ColumnPtr MakeTimes(std::span<const int64_t> times);

/// Appends to `out` those of `rows` where no column of `keys` is null; returns how many are
/// missing.
int64_t SelectNonNull(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                      std::vector<int32_t>& out);

/// Counts and logs the errors of single rows of `chunk`, and forgets them. With the setting
/// expression.errors.fail they are an error of the query.
Status ReportRowErrors(TaskContext& context, const Chunk& chunk, RowErrors& errors);

/// Tells the task how much more, or less, memory an operator holds than before.
class MemoryAccount {
 public:
  void Update(TaskContext& context, size_t bytes) {
    if (bytes == reported_) return;
    context.AccountMemory(static_cast<int64_t>(bytes) - static_cast<int64_t>(reported_));
    reported_ = bytes;
  }

 private:
  size_t reported_ = 0;
};

}  // namespace weir
