#pragma once

// The rows that an aggregate hands on, put together in the order of its changes: keys, results,
// times, window bounds, operations; old rows before new ones where the plan asks for them.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/limits.h"
#include "exec/operators/aggregate/aggregate_calls.h"
#include "exec/operators/chunk_rows.h"

namespace weir {

/// One output row. Its results lie in column-wise lists; its key in the input's row `key_row`.
struct AggregateChange {
  RowOp op = RowOp::kInsert;
  int32_t key_row = 0;      ///< Row of the key columns given to Build.
  int32_t result_row = -1;  ///< Row of the result columns given to Build; -1: nulls.
  int64_t row_time = 0;
  int64_t window_start = 0;
  int64_t window_end = 0;
};

/// How many rows an aggregate takes at once where its results may be long, as each row can bring
/// one with it: a list of a thousand texts, say.
class ResultPace {
 public:
  explicit ResultPace(const std::vector<physical::AggregateCall>& calls) {
    for (const physical::AggregateCall& call : calls) {
      const TypeKind kind = call.function->return_type.kind();
      if (kind != TypeKind::kBoolean && ValueWidth(kind) == 0) rows_max_ = 64;
    }
  }
  /// SIZE_MAX where results are short.
  size_t rows_max() const { return rows_max_; }
  /// Looks at what came out last.
  void Learn(const Chunk& results) {
    if (rows_max_ == SIZE_MAX || results.rows == 0) return;
    const size_t bytes = ByteSize(results) / static_cast<size_t>(results.rows) + 1;
    const size_t more = std::min<size_t>(rows_max_ * 8, limits::kBatchRowsMax);
    rows_max_ = std::clamp<size_t>(limits::kMadeColumnBytesMax / bytes, 1, more);
  }

 private:
  size_t rows_max_ = SIZE_MAX;
};

/// Builds the chunk of `changes`.
inline Chunk BuildAggregateChunk(std::span<const AggregateChange> changes,
                                 std::span<const ColumnPtr> keys,
                                 std::span<const ColumnPtr> results, bool windowed) {
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(changes.size());
  std::vector<int32_t> rows(changes.size());
  for (size_t i = 0; i < changes.size(); ++i) rows[i] = changes[i].key_row;
  for (const ColumnPtr& key : keys) chunk.columns.push_back(Gather(*key, rows));
  bool identity = true;
  for (size_t i = 0; i < changes.size(); ++i) {
    rows[i] = changes[i].result_row;
    identity &= rows[i] == static_cast<int32_t>(i);
  }
  for (const ColumnPtr& result : results) {
    const bool whole = identity && result->length() == chunk.rows;
    chunk.columns.push_back(whole ? result : Gather(*result, rows));
  }
  auto times = [&](int64_t AggregateChange::*member) {
    uint8_t* data = nullptr;
    BufferPtr buffer = MakeBuffer(changes.size() * sizeof(int64_t), &data);
    auto* values = reinterpret_cast<int64_t*>(data);
    for (size_t i = 0; i < changes.size(); ++i) values[i] = changes[i].*member;
    return MakeColumn(
        Column::Parts{DataType::Bigint(), chunk.rows, nullptr, std::move(buffer), nullptr, {}});
  };
  chunk.sys(SystemColumn::kRowTime) = times(&AggregateChange::row_time);
  if (windowed) {
    chunk.sys(SystemColumn::kWindowStart) = times(&AggregateChange::window_start);
    chunk.sys(SystemColumn::kWindowEnd) = times(&AggregateChange::window_end);
  }
  uint8_t* ops = nullptr;
  BufferPtr buffer = MakeBuffer(changes.size(), &ops);
  for (size_t i = 0; i < changes.size(); ++i) ops[i] = static_cast<uint8_t>(changes[i].op);
  chunk.ops = std::move(buffer);
  return chunk;
}

}  // namespace weir
