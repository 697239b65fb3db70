#pragma once

// Which rows of a chunk a GROUP BY takes, and in which windows a time lies. The aggregate and the
// part of it that runs in front of an exchange must agree on both.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "exec/operators/chunk_rows.h"
#include "planner/physical/nodes.h"

namespace weir {

/// Replaces `kept` by the rows that have a value and whole group keys, counting the others. Those
/// that are left out do not count, not even for stream time.
void SelectGroupedRows(const Chunk& chunk, std::span<const ColumnPtr> keys, RowNumbers& numbers,
                       QueryCounters& counters, std::vector<int32_t>& kept);

/// The largest multiple of `step` at or before `time`.
inline int64_t FloorTo(int64_t time, int64_t step) {
  const int64_t rest = time % step;
  return time - (rest < 0 ? rest + step : rest);
}

/// Start of the earliest hopping window that has `time`; the others follow at each advance, up to
/// `time` itself. There is none before time 0, as in Kafka Streams.
inline int64_t FirstHoppingStart(const physical::WindowSpec& window, int64_t time) {
  return std::max<int64_t>(FloorTo(time - window.size_ms + window.advance_ms, window.advance_ms),
                           0);
}

/// How many rows to put into their windows at once, so that what is noted for each row in each
/// window stays small.
inline size_t RowsAtOnce(const physical::WindowSpec& window) {
  constexpr int64_t kEntriesMax = 1 << 16;
  if (window.kind != physical::WindowKind::kHopping) return SIZE_MAX;
  const int64_t windows = window.size_ms / window.advance_ms + 1;
  return static_cast<size_t>(std::max<int64_t>(kEntriesMax / windows, 1));
}

}  // namespace weir
