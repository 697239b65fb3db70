#pragma once

// The receiving end of an exchange in one task. Chunks come in rounds from all upstream tasks;
// where the consumer depends on their order they are merged by (stream time, topic, partition,
// offset) and rows wait until no upstream can still send an earlier one. Rows also wait, in any
// case, while the task waits for another input. What waits is part of the commit: its sources are
// not read again.

#include <deque>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "exec/runtime/query/query_environment.h"
#include "exec/state/rows/row_gather.h"

namespace weir {

class ExchangeInput {
 public:
  ExchangeInput(ExchangeBuffer& buffer, int exchange, int32_t partition);

  /// Reads back rows that were held when the last commit was made.
  Status Open(TaskContext& context);
  /// Takes in what upstream tasks sent in this round.
  Status Collect(int64_t now_ms, int64_t max_idle_ms);
  /// Rows that may be processed now.
  bool has_rows() const { return !ready_.empty(); }
  /// Event time of the first of them.
  int64_t head_time() const;
  /// How many of them lie together, and the event time of each.
  int32_t run_length() const { return ready_.front().active_rows() - ready_next_; }
  int64_t run_time(int32_t i) const;
  /// The first `count` of those.
  Chunk Take(int32_t count);
  /// The first rows with times up to `until` (at least one, at most `rows_max`), in order.
  Chunk TakeUntil(int64_t until, int32_t rows_max = limits::kBatchRowsMax);
  /// No upstream has unread records, and nothing is held here.
  bool upstream_drained() const;
  /// Stream time as far as rows that wait here allow.
  int64_t StreamTime(int64_t now_ms, int64_t max_idle_ms) const;
  /// True if `stream_time` is beyond what it was when last asked.
  bool Advances(int64_t stream_time);
  /// Saves held rows with the commit.
  Status OnBarrier();
  int exchange() const { return exchange_; }

 private:
  struct Held {
    Chunk chunk;
    int32_t upstream;
    int32_t next = 0;  // First row not yet released; held chunks are flat.
  };
  Status Release(int64_t up_to);
  Status AddReady(std::vector<Chunk>& from, std::vector<RowRef>& rows);
  Status Restore(std::string_view key, Chunk chunk);
  std::vector<int32_t> ReadyRows(size_t i) const;

  ExchangeBuffer& buffer_;
  const int exchange_;
  const int32_t partition_;
  const bool merge_;
  std::deque<Chunk> ready_;
  int32_t ready_next_ = 0;              // Index into the active rows of ready_.front().
  std::vector<std::deque<Held>> held_;  // By upstream.
  StateStore* store_ = nullptr;
  bool store_dirty_ = false;
  bool store_holds_ = false;  // The last commit left rows in the store.
  int64_t last_stream_time_ = INT64_MIN;
};

}  // namespace weir
