#include "exec/operators/aggregate/grouped_rows.h"

namespace weir {

void SelectGroupedRows(const Chunk& chunk, std::span<const ColumnPtr> keys, RowNumbers& numbers,
                       QueryCounters& counters, std::vector<int32_t>& kept) {
  kept.clear();
  std::span<const int32_t> rows = numbers.Of(chunk);
  bool all = chunk.ops == nullptr;
  for (const ColumnPtr& key : keys) all &= !key->has_nulls();
  if (all) {
    kept.assign(rows.begin(), rows.end());
    return;
  }
  std::vector<int32_t> valued;
  for (int32_t row : rows) {
    if (chunk.op(row) != RowOp::kDelete && chunk.op(row) != RowOp::kUpdateBefore) {
      valued.push_back(row);
    }
  }
  if (valued.size() != rows.size()) {
    counters.Dropped("null_value", static_cast<int64_t>(rows.size() - valued.size()));
  }
  const int64_t nulls = SelectNonNull(keys, valued, kept);
  if (nulls > 0) counters.Dropped("null_group_key", nulls);
}

}  // namespace weir
