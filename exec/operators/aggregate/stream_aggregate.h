#pragma once

// GROUP BY over a stream, without windows or with tumbling or hopping ones. Rows are looked up a
// batch at a time: key and window start give a dense group number, under which the states of all
// aggregate functions lie.
//
// A window's groups live until it closes: at its end plus grace, by the stream time of all upstream
// partitions. A row is late for a window by the stream time of its own source partition, so what is
// dropped does not depend on which partition was read faster.
//
// stream_aggregate.cc has the way of the rows; where groups lie is told in tiered_groups.h.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "exec/operators/aggregate/aggregate_output.h"
#include "exec/operators/aggregate/grouped_rows.h"
#include "exec/operators/aggregate/stored_times.h"
#include "exec/operators/aggregate/tiered_groups.h"
#include "exec/operators/operator.h"

namespace weir {

/// One thread at a time, as every operator.
class StreamAggregate : public Operator {
 public:
  StreamAggregate(const physical::StreamAggregate& node, AggregateCalls calls)
      : store_name_(node.StoreName(physical::StoreKind::kGroups)),
        times_name_(node.StoreName(physical::StoreKind::kWindowTimes)),
        schema_(node.schema),
        key_columns_(node.key_columns),
        window_(node.window),
        windowed_(node.window.kind != physical::WindowKind::kNone),
        emit_final_(node.emit_final),
        merges_partials_(node.merges_partials),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        groups_(TierOf(node, store_name_), std::move(calls)),
        calls_(groups_.calls()),
        pace_(node.calls) {
    if (window_.kind == physical::WindowKind::kTumbling) window_.advance_ms = window_.size_ms;
  }

  Status Open(TaskContext& context) override {
    context_ = &context;
    // Kafka Streams' windows are lost to EMIT FINAL once they fall out of its store, however long
    // they have closed; ksqlDB's own cases want it so. Beside them no closed window is left out.
    kafka_final_ = emit_final_ && !merges_partials_ && context.setting("sql.extensions", 1) == 0;
    WEIR_RETURN_IF_ERROR(groups_.Open(context));
    WEIR_RETURN_IF_ERROR(LoadTimes(context.Store(times_name_),
                                   {{kClosedUpToKey, &closed_}, {kNewestStartKey, &newest_}}));
    if (windowed_ && groups_.has_window()) newest_ = std::max(newest_, groups_.last_window());
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    SelectGroupedRows(chunk, Keys(chunk), numbers_, context_->counters(), kept_);
    if (kafka_final_) return OneByOne(chunk);
    return InSteps(chunk, kept_);
  }

  Status OnStreamTime(int, int64_t stream_time) override {
    WEIR_RETURN_IF_ERROR(Close(stream_time));
    return Advance(stream_time);
  }

  Status EmitPending() override;
  Status OnBarrier() override;
  Status OnCommitted() override {
    groups_.Evict(pending_);
    if (touched_in_.size() > groups_.capacity()) std::vector<Touched>().swap(touched_in_);
    MeasureMemory();
    return OkStatus();
  }
  int64_t open_windows() const override { return emit_final_ ? groups_.count() : 0; }
  Status CloseWindows() override {
    if (!emit_final_ || !groups_.has_window()) return OkStatus();
    return Close(newest_ + window_.size_ms + window_.grace_ms);
  }

 private:
  // In the store of times.
  static constexpr std::string_view kClosedUpToKey = "closed";
  static constexpr std::string_view kNewestStartKey = "newest";

  static constexpr uint8_t kEmitted = TieredGroups::kEmitted;
  static constexpr uint8_t kPending = TieredGroups::kPending;  // Stands in pending_.

  // Only where each batch comes out by itself.
  struct Touched {
    uint32_t batch = 0;  // Last batch that touched the group…
    int32_t slot = -1;   // …and its place among the groups touched there.
  };

  static TieredGroups::Options TierOf(const physical::StreamAggregate& node,
                                      const std::string& store) {
    TieredGroups::Options options;
    options.store = store;
    for (int i = 0; i < node.key_columns; ++i) {
      options.key_types.push_back(node.schema->columns[i].type);
    }
    options.windowed = node.window.kind != physical::WindowKind::kNone;
    using Layout = TieredGroups::Layout;
    options.layout = options.windowed ? Layout::kByKey : Layout::kByPage;
    // EMIT FINAL gives each group out once.
    options.stored_flags = node.emit_final ? 0 : TieredGroups::kEmitted;
    options.counts = node.emit_final;
    return options;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }

  Status InSteps(const Chunk& chunk, std::span<const int32_t> rows);
  Status Process(const Chunk& chunk, std::span<const int32_t> rows);
  void MeasureMemory();
  void AddRows(const Chunk& chunk);
  Status OneByOne(const Chunk& chunk);
  void AssignWindows(const Chunk& chunk, std::span<const int32_t> rows);
  void AssignGiven(const Chunk& chunk, std::span<const int32_t> rows);
  void AssignTumbling(std::span<const int32_t> rows, const int64_t* times, const int64_t* clock);
  bool Timely(int64_t start, int64_t clock);
  Status FindGroups(const Chunk& chunk);
  void Touch(const Chunk& chunk);
  void TouchPending(const Chunk& chunk);
  bool IsPending(std::span<const uint32_t> ids) const;
  Status EmitLast(const Chunk& chunk);
  Status EmitGroups(std::span<const uint32_t> ids);
  Chunk StateOf(std::span<const uint32_t> ids);
  Status EmitEach(const Chunk& chunk);
  AggregateChange ChangeOf(uint32_t group, int32_t key_row) const;
  Status Close(int64_t stream_time);

  const std::string store_name_, times_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  physical::WindowSpec window_;
  const bool windowed_;
  const bool emit_final_;
  const bool merges_partials_;
  const bool retracts_;
  bool kafka_final_ = false;
  TieredGroups groups_;
  AggregateCalls& calls_;  // Of groups_.
  ResultPace pace_;
  std::vector<Touched> touched_in_;   // By group.
  int64_t closed_ = INT64_MIN;        // Stream time up to which windows closed.
  int64_t newest_ = INT64_MIN;        // Highest window start there was.
  int64_t erased_below_ = INT64_MIN;  // Window starts no more in the store.
  bool times_dirty_ = false;
  bool erase_dirty_ = false;
  TaskContext* context_ = nullptr;

  // Groups that changed since the last commit or pause and have not been handed on. Only where
  // nobody needs their old results.
  std::vector<uint32_t> pending_, handed_on_;

  // Of the batch at hand. Entry i of rows_ and groups_of_rows_ is a row in one of its windows.
  RowNumbers numbers_;
  std::vector<int32_t> kept_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> starts_;
  std::vector<int64_t> stream_times_;
  std::vector<uint32_t> ids_, created_, touched_;
  std::vector<int32_t> last_rows_;  // By place in touched_.
  std::vector<int64_t> before_;     // Times before the batch, likewise.
  std::vector<AggregateChange> changes_;
  std::vector<int64_t> window_scratch_;
  uint32_t batch_ = 0;
  int64_t late_ = 0;
  int64_t late_after_idle_ = 0;
};

}  // namespace weir
