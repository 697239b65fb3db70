#pragma once

// GROUP BY with session windows. A session is a run of rows of one key with gaps of at most the
// window's size; a row that falls between two of them makes them one.
//
// As Kafka Streams: a session that changes its bounds is deleted under its old ones and comes anew,
// each at the time of its end; a row is late if the session that it would make or join ended longer
// ago than gap and grace. A row joins those sessions only that ended less than gap and grace before
// the rows that came earlier, as the store that Kafka Streams finds them in keeps no others.
//
// A batch goes: the keys of all rows are looked up; each row finds its session, mostly the last one
// of its key, which it makes longer or follows; then the aggregate functions add all rows at once.
// Only where sessions become one do they first add the rows up to there. What is handed on, and
// when, is told at Emits. session_aggregate.cc has the way of the rows, session_output.cc that of
// the results; where sessions lie is told in kept_sessions.h.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "exec/operators/aggregate/aggregate_output.h"
#include "exec/operators/aggregate/kept_sessions.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/operator.h"

namespace weir {

/// One thread at a time, as every operator.
class SessionAggregate : public Operator {
 public:
  SessionAggregate(const physical::StreamAggregate& node, AggregateCalls calls);

  Status Open(TaskContext& context) override;
  Status OnBatch(int, Chunk chunk) override;
  Status OnStreamTime(int, int64_t stream_time) override;
  Status EmitPending() override;
  Status OnBarrier() override;
  Status OnCommitted() override {
    sessions_.Evict(touched_, gone_);
    std::erase(touched_, KeptSessions::kNone);
    sessions_.Measure();
    return OkStatus();
  }
  int64_t open_windows() const override { return emit_final_ ? sessions_.count() : 0; }
  Status CloseWindows() override;

 private:
  enum class Emits : uint8_t {
    kEach,     // Each change, as the rows come.
    kBatch,    // What each batch has changed, with the results that were there before it.
    kPending,  // What has changed since the last commit or pause; nobody needs old results.
    kClosed    // Sessions that have closed.
  };

  static std::vector<DataType> KeyTypes(const physical::StreamAggregate& node);
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }

  // session_aggregate.cc
  Status Process(const Chunk& chunk, std::span<const int32_t> rows);
  void ProcessRow(const Chunk& chunk, int32_t row, uint32_t key, int64_t time, int64_t clock);
  SessionBounds FindJoined(uint32_t key, int64_t time, int64_t clock);
  bool Timely(int64_t end, int64_t clock);
  void MergeSessions(const Chunk& chunk, SessionBounds to, int32_t row);
  void Touch(const Chunk& chunk, uint32_t group, int32_t row);
  void FlushAdds(const Chunk& chunk);
  Status Close(int64_t stream_time);
  Status CloseUpTo(int64_t limit);

  // session_output.cc
  void EmitDelete(const Session& session, int32_t row);
  void EmitEach(uint32_t group, int32_t row);
  void CollectBatch();
  Status SendBatch(std::span<const ColumnPtr> keys);
  Chunk KeysAndBounds(std::span<const uint32_t> keys, std::span<const SessionBounds> bounds,
                      std::span<const RowOp> ops) const;
  Chunk Deletes(std::span<const GoneSession> gone) const;
  Chunk States(std::span<const uint32_t> ids) const;
  Status EmitStates(std::span<const uint32_t> ids);
  Status EmitClosed(std::vector<uint32_t>& ids);

  const std::string store_name_, times_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const int64_t gap_;
  const int64_t wait_;  // From a session's end to its close.
  const int64_t end_step_;
  const bool emit_final_;
  const bool retracts_;
  bool kafka_final_ = false;
  Emits emits_ = Emits::kClosed;
  KeptSessions sessions_;
  AggregateCalls& calls_;  // Of sessions_.
  ResultPace pace_;
  int64_t closed_ = INT64_MIN;
  int64_t highest_ = INT64_MIN / 2;  // Stream time of the rows that came.
  bool times_dirty_ = false;
  TaskContext* context_ = nullptr;

  // Sessions of this batch, or with kPending of all since they were handed on. May name one twice,
  // and such as are not there any more.
  std::vector<uint32_t> touched_;
  std::vector<GoneSession> gone_;  // With kPending: to be deleted downstream.

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, found_;
  std::vector<int32_t> add_rows_;
  std::vector<uint32_t> add_groups_;
  std::vector<ColumnBuilder> results_;
  int32_t result_count_ = 0;  // Those of rows that wait for FlushAdds among them.
  std::vector<AggregateChange> changes_;
  std::vector<AggregateChange> inserts_;
  int64_t late_ = 0;
  int64_t late_after_idle_ = 0;

  std::vector<uint32_t> handed_on_;
};

}  // namespace weir
