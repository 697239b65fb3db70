#pragma once

// What a task keeps of each source partition that it reads. For the files of Task alone.

#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/limits.h"
#include "exec/runtime/task/task.h"

namespace weir {

// A source partition: its reader, and the decoded rows that wait for their turn.
struct Task::Port {
  int source = 0;
  std::unique_ptr<PartitionReader> reader;
  std::unique_ptr<SourceDecoder> decoder;
  Chunk pending;
  int32_t next = 0;               // First row of `pending` that has not been processed.
  bool is_table = false;          // Table side of a stream-table join.
  int64_t noted_end = -1;         // Of a table: where it ended when the query first started.
  int64_t table_end = -1;         // Read up to here before any stream row; -1: done.
  RowSupply supply;               // Of a bounded query: rows that are not read; empty: no more.
  int64_t bounded_end = -1;       // Of a bounded query: where the topic ends for it.
  int64_t time = INT64_MIN;       // Highest event time of the rows that have been processed.
  int64_t round_end = INT64_MAX;  // Read up to here in this round.
  bool is_at_end() const { return bounded_end >= 0 && reader->position() >= bounded_end; }
  bool has_rows() const { return next < pending.rows; }
  // Nothing is left to read in this round.
  bool caught_up() const {
    return is_at_end() || reader->position() >= round_end || reader->caught_up();
  }
  int32_t RowsMax() const {
    const int64_t from = std::max<int64_t>(reader->position(), 0);
    return static_cast<int32_t>(std::clamp<int64_t>(round_end - from, 0, limits::kBatchRowsMax));
  }
  Chunk Take(int32_t end);
  int64_t head_time() const { return pending.row_time()->values<int64_t>()[next]; }
};

}  // namespace weir
