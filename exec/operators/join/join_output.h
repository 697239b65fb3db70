#pragma once

// The rows that a join hands on, put together from rows of both sides.

#include <vector>

#include "exec/column/builder.h"
#include "exec/state/rows/row_gather.h"

namespace weir {

/// Pairs of rows, some with one side missing, as they come out.
struct JoinPairs {
  std::vector<RowRef> left, right;
  std::vector<int64_t> times;
  void Push(RowRef l, RowRef r, int64_t time) {
    left.push_back(l);
    right.push_back(r);
    times.push_back(time);
  }
  void Clear() {
    left.clear();
    right.clear();
    times.clear();
  }
  size_t size() const { return times.size(); }
};

/// The join key of each pair: the left's or, where there is no left row, the right's.
inline ColumnPtr MergeKeys(const ColumnPtr& left, const ColumnPtr& right,
                           std::span<const RowRef> left_refs) {
  std::vector<int32_t> rows(left_refs.size());
  const int32_t count = static_cast<int32_t>(left_refs.size());
  bool any = false;
  for (int32_t i = 0; i < count; ++i) {
    rows[i] = left_refs[i].is_null() ? count + i : i;
    any |= left_refs[i].is_null();
  }
  if (!any) return left;
  const ColumnPtr both[] = {left, right};
  return Gather(*Concat(both), rows);
}

}  // namespace weir
