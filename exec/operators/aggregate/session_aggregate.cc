// GROUP BY with session windows. A session is a run of rows of one key with gaps of at most the
// window's size; a row that falls between two of them makes them one.
//
// Where sessions lie is told in kept_sessions.h.
//
// As Kafka Streams: a session that changes its bounds is deleted under its old ones and comes anew,
// each at the time of its end; a row is late if the session that it would make or join ended longer
// ago than gap and grace. A row joins those sessions only that ended less than gap and grace before
// the rows that came earlier, as the store that Kafka Streams finds them in keeps no others.

#include <algorithm>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate/aggregate_output.h"
#include "exec/operators/aggregate/kept_sessions.h"
#include "exec/operators/aggregate/stored_times.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/key_order.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

constexpr std::string_view kClosedKey = "closed";
constexpr std::string_view kHighestKey = "highest";
// Kafka Streams' store drops sessions in steps of half of what it keeps, at least of this.
constexpr int64_t kSegmentMsMin = 60'000;
// Sessions are found again by their ends in steps of this part of gap and grace.
constexpr int64_t kEndSteps = 64;

class SessionAggregate : public Operator {
 public:
  SessionAggregate(const physical::StreamAggregate& node, AggregateCalls calls)
      : store_name_(node.StoreName(physical::StoreKind::kSessions)),
        times_name_(node.StoreName(physical::StoreKind::kWindowTimes)),
        schema_(node.schema),
        key_columns_(node.key_columns),
        gap_(node.window.size_ms),
        wait_(node.window.size_ms + node.window.grace_ms),
        emit_final_(node.emit_final),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        sessions_(
            {store_name_, KeyTypes(node), std::max<int64_t>(wait_ / kEndSteps, 1), node.emit_final},
            std::move(calls)),
        calls_(sessions_.calls()),
        pace_(node.calls) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    kafka_final_ = emit_final_ && context.setting("sql.extensions", 1) == 0;
    WEIR_RETURN_IF_ERROR(sessions_.Open(context));
    return LoadTimes(context.Store(times_name_),
                     {{kClosedKey, &closed_}, {kHighestKey, &highest_}});
  }

  Status OnBatch(int, Chunk chunk) override;
  Status OnStreamTime(int, int64_t stream_time) override {
    WEIR_RETURN_IF_ERROR(Close(stream_time));
    return Advance(stream_time);
  }
  Status OnBarrier() override;
  Status OnCommitted() override {
    sessions_.Evict();
    sessions_.Measure();
    return OkStatus();
  }
  int64_t open_windows() const override { return emit_final_ ? sessions_.count() : 0; }
  Status CloseWindows() override {
    int64_t end = INT64_MIN;
    if (emit_final_) WEIR_RETURN_IF_ERROR(sessions_.FindLastEnd(end));
    kafka_final_ = false;  // What is closed by hand is not lost.
    return emit_final_ && end != INT64_MIN ? Close(end + wait_ + 1) : OkStatus();
  }

 private:
  static std::vector<DataType> KeyTypes(const physical::StreamAggregate& node) {
    std::vector<DataType> types;
    for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
    return types;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }

  void SelectRows(const Chunk& chunk);
  Status Process(const Chunk& chunk, std::span<const int32_t> rows);
  void ProcessRow(const Chunk& chunk, int32_t row, uint32_t key, int64_t clock);
  void MergeSessions(const Chunk& chunk, std::span<const uint32_t> merged, SessionBounds to,
                     int32_t row);
  void AddRow(const Chunk& chunk, uint32_t group, int32_t row);
  void FlushAdds(const Chunk& chunk);
  void Touch(uint32_t group, int32_t row);
  void EmitDelete(const Session& session, int32_t row);
  void EmitEach(const Chunk& chunk, uint32_t group, int32_t row);
  void CollectLast();
  Status Send(std::span<const ColumnPtr> keys);
  Status Close(int64_t stream_time);
  Status EmitClosed(std::vector<uint32_t>& ids);

  const std::string store_name_, times_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const int64_t gap_;
  const int64_t wait_;  // From a session's end to its close.
  const bool emit_final_;
  const bool retracts_;
  bool kafka_final_ = false;
  KeptSessions sessions_;
  AggregateCalls& calls_;  // Of sessions_.
  ResultPace pace_;
  int64_t closed_ = INT64_MIN;
  int64_t highest_ = INT64_MIN / 2;  // Stream time of the rows that came.
  bool times_dirty_ = false;
  TaskContext* context_ = nullptr;

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, touched_, found_;
  std::vector<int32_t> add_rows_;
  std::vector<uint32_t> add_groups_;
  std::vector<ColumnBuilder> results_;
  int32_t result_count_ = 0;
  std::vector<AggregateChange> changes_;
  std::vector<AggregateChange> inserts_;
  int64_t late_ = 0;
  int64_t late_after_idle_ = 0;
};

void SessionAggregate::SelectRows(const Chunk& chunk) {
  rows_.clear();
  std::vector<int32_t> valued;
  const std::span<const int32_t> rows = numbers_.Of(chunk);
  for (int32_t row : rows) {
    const RowOp op = chunk.op(row);
    if (op != RowOp::kDelete && op != RowOp::kUpdateBefore) valued.push_back(row);
  }
  if (valued.size() != rows.size()) {
    context_->counters().Dropped("null_value", static_cast<int64_t>(rows.size() - valued.size()));
  }
  const int64_t nulls = SelectNonNull(Keys(chunk), valued, rows_);
  if (nulls > 0) context_->counters().Dropped("null_group_key", nulls);
}

Status SessionAggregate::OnBatch(int, Chunk chunk) {
  CheckInterrupt();
  if (static_cast<size_t>(chunk.rows) > pace_.rows_max() && HasParts(chunk)) {
    return ForBothParts(std::move(chunk),
                        [this](Chunk part) { return OnBatch(0, std::move(part)); });
  }
  SelectRows(chunk);
  if (!kafka_final_) return Process(chunk, rows_);
  // As Kafka Streams: after each row the sessions that it closes.
  const ColumnPtr clock = chunk.sys(SystemColumn::kStreamTime);
  const std::vector<int32_t> rows = rows_;
  for (size_t i = 0; i < rows.size(); ++i) {
    WEIR_RETURN_IF_ERROR(Process(chunk, std::span(rows).subspan(i, 1)));
    if (clock) WEIR_RETURN_IF_ERROR(Close(clock->values<int64_t>()[rows[i]]));
  }
  return OkStatus();
}

Status SessionAggregate::Process(const Chunk& chunk, std::span<const int32_t> rows) {
  if (rows.empty()) return OkStatus();
  WEIR_RETURN_IF_ERROR(sessions_.FindKeys(Keys(chunk), rows, ids_));
  results_ = calls_.MakeResultBuilders();
  result_count_ = 0;
  changes_.clear();
  inserts_.clear();
  touched_.clear();
  late_ = late_after_idle_ = 0;
  const ColumnPtr& clock = chunk.sys(SystemColumn::kStreamTime);
  for (size_t i = 0; i < rows.size(); ++i) {
    sessions_.FetchAhead(ids_, i);
    // Without the column nobody upstream keeps stream time: then nothing is late.
    const int64_t now = clock ? clock->values<int64_t>()[rows[i]] : INT64_MIN / 2;
    ProcessRow(chunk, rows[i], ids_[i], now);
    if (now <= highest_) continue;
    highest_ = now;
    times_dirty_ = true;
  }
  FlushAdds(chunk);
  CollectLast();
  sessions_.DropEmptyKeys();
  if (late_ > 0) context_->counters().Dropped("late", late_);
  if (late_after_idle_ > 0) context_->counters().Dropped("late_after_idle", late_after_idle_);
  return Send(Keys(chunk));
}

void SessionAggregate::ProcessRow(const Chunk& chunk, int32_t row, uint32_t key, int64_t clock) {
  const int64_t time = chunk.row_time()->values<int64_t>()[row];
  SessionBounds merged{time, time};
  found_.clear();
  const int64_t gone = std::min(clock, highest_) - wait_;  // Before this row.
  const std::vector<uint32_t>& list = sessions_.of(key);
  // Most rows come in order, behind all sessions there are.
  auto near = list.end();
  if (!list.empty() && sessions_.at(list.back()).bounds.end >= time - gap_) {
    near = std::lower_bound(
        list.begin(), list.end(), time - gap_,
        [this](uint32_t id, int64_t from) { return sessions_.at(id).bounds.end < from; });
  }
  for (uint32_t id : std::span(near, list.end())) {
    const SessionBounds& session = sessions_.at(id).bounds;
    if (session.start > time + gap_) continue;
    if (session.end <= gone) continue;
    merged.start = std::min(merged.start, session.start);
    merged.end = std::max(merged.end, session.end);
    found_.push_back(id);
  }
  if (merged.end < clock - wait_) {
    ++late_;
    return;
  }
  if (closed_ != INT64_MIN && merged.end < closed_ - wait_) {
    ++late_after_idle_;
    return;
  }
  const bool each = context_->emit_every_change() && !emit_final_;
  uint32_t group;
  if (found_.empty()) {
    group = sessions_.Add(key, {time, time});
  } else {
    group = found_.front();
    // Kafka Streams deletes what it merges unless the result is just this row's instant.
    const bool replaces = merged.start != merged.end;
    if (each && replaces) {
      for (uint32_t id : found_) {
        Touch(id, row);
        EmitDelete(sessions_.at(id), row);
      }
    }
    MergeSessions(chunk, found_, merged, row);
    if (each && replaces) sessions_.at(group).was_emitted = false;
  }
  Touch(group, row);
  AddRow(chunk, group, row);
  if (each) EmitEach(chunk, group, row);
}

// Puts all of `merged` into the first of them, which gets the bounds `to`.
void SessionAggregate::MergeSessions(const Chunk& chunk, std::span<const uint32_t> merged,
                                     SessionBounds to, int32_t row) {
  if (merged.size() > 1) FlushAdds(chunk);
  Touch(merged.front(), row);
  for (uint32_t id : merged.subspan(1)) {
    Touch(id, row);
    calls_.Merge(merged.front(), id);
    const Session& session = sessions_.at(id);
    if (!context_->emit_every_change() && session.was_emitted) EmitDelete(session, row);
    sessions_.Remove(id);
  }
  sessions_.Move(merged.front(), to);
}

void SessionAggregate::Touch(uint32_t group, int32_t row) {
  Session& entry = sessions_.at(group);
  entry.key_row = row;
  sessions_.MarkDirty(group);
  if (entry.touched) return;
  entry.touched = true;
  touched_.push_back(group);
  if (retracts_ && entry.was_emitted) {
    calls_.Results({&group, 1}, results_);
    entry.old_result = result_count_++;
  }
}

void SessionAggregate::AddRow(const Chunk& chunk, uint32_t group, int32_t row) {
  add_rows_.push_back(row);
  add_groups_.push_back(group);
}

void SessionAggregate::FlushAdds(const Chunk& chunk) {
  if (add_rows_.empty()) return;
  calls_.Add(chunk, add_rows_, add_groups_);
  add_rows_.clear();
  add_groups_.clear();
}

void SessionAggregate::EmitDelete(const Session& group, int32_t row) {
  if (!group.was_emitted) return;
  AggregateChange change;
  change.op = RowOp::kDelete;
  change.key_row = row;
  change.result_row = retracts_ ? group.old_result : -1;
  change.row_time = group.emitted.end;
  change.window_start = group.emitted.start;
  change.window_end = group.emitted.end;
  changes_.push_back(change);
}

// The new state of `group` after one row, for runs that show each change.
void SessionAggregate::EmitEach(const Chunk& chunk, uint32_t group, int32_t row) {
  FlushAdds(chunk);
  Session& entry = sessions_.at(group);
  AggregateChange change;
  change.key_row = row;
  change.row_time = entry.bounds.end;
  change.window_start = entry.bounds.start;
  change.window_end = entry.bounds.end;
  if (retracts_ && entry.was_emitted) {
    change.op = RowOp::kUpdateBefore;
    change.result_row = entry.old_result;
    changes_.push_back(change);
  }
  change.op = entry.was_emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
  calls_.Results({&group, 1}, results_);
  change.result_row = entry.old_result = result_count_++;
  changes_.push_back(change);
  entry.was_emitted = true;
  entry.emitted = entry.bounds;
}

// One change a session: its state after the batch, once all that is gone is deleted.
void SessionAggregate::CollectLast() {
  const bool last = !context_->emit_every_change() && !emit_final_;
  for (uint32_t id : touched_) {
    Session& group = sessions_.at(id);
    if (!group.live || !group.touched) continue;  // Merged away, or here a second time.
    group.touched = false;
    if (!last) continue;
    AggregateChange change;
    change.key_row = group.key_row;
    const bool moved = group.was_emitted && !(group.emitted == group.bounds);
    if (moved) EmitDelete(group, group.key_row);
    change.row_time = group.bounds.end;
    change.window_start = group.bounds.start;
    change.window_end = group.bounds.end;
    const bool updates = group.was_emitted && !moved;
    if (updates && retracts_) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = retracts_ ? group.old_result : -1;
      inserts_.push_back(change);
    }
    change.op = updates ? RowOp::kUpdateAfter : RowOp::kInsert;
    calls_.Results({&id, 1}, results_);
    change.result_row = result_count_++;
    inserts_.push_back(change);
    group.was_emitted = true;
    group.emitted = group.bounds;
  }
  for (uint32_t id : touched_) sessions_.at(id).old_result = -1;
  changes_.insert(changes_.end(), inserts_.begin(), inserts_.end());
}

Status SessionAggregate::Send(std::span<const ColumnPtr> keys) {
  if (changes_.empty()) return OkStatus();
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : results_) columns.push_back(builder.Finish());
  Chunk out = BuildAggregateChunk(changes_, keys, columns, true);
  pace_.Learn(out);
  return out_.Emit(std::move(out));
}

// Closes the sessions that ended longer than gap and grace before `stream_time`.
Status SessionAggregate::Close(int64_t stream_time) {
  if (stream_time <= closed_) return OkStatus();
  closed_ = stream_time;
  times_dirty_ = true;
  const int64_t limit = stream_time - wait_;
  const int64_t segment = std::max(wait_ / 2, kSegmentMsMin);
  return sessions_.Close(limit, [&](std::vector<uint32_t>& ids) {
    if (!emit_final_) return OkStatus();
    // Without extensions, those that Kafka Streams' store has dropped by now are lost.
    if (kafka_final_ && limit > 0) {
      std::erase_if(ids, [&](uint32_t id) {
        return sessions_.at(id).bounds.end / segment < limit / segment;
      });
    }
    return EmitClosed(ids);
  });
}

// By end, start and key: whatever the order in which they came.
Status SessionAggregate::EmitClosed(std::vector<uint32_t>& ids) {
  std::vector<uint32_t> id_keys;
  for (uint32_t id : ids) id_keys.push_back(sessions_.at(id).key);
  std::vector<ColumnBuilder> id_columns;
  for (int i = 0; i < key_columns_; ++i) id_columns.emplace_back(schema_->columns[i].type);
  sessions_.keys().AppendKeys(id_keys, id_columns);
  std::vector<ColumnPtr> ordered_columns;
  for (ColumnBuilder& builder : id_columns) ordered_columns.push_back(builder.Finish());
  const KeyOrder order(std::move(ordered_columns));
  std::vector<int32_t> places(ids.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int32_t a, int32_t b) {
    const SessionBounds& x = sessions_.at(ids[a]).bounds;
    const SessionBounds& y = sessions_.at(ids[b]).bounds;
    if (x.end != y.end) return x.end < y.end;
    return x.start != y.start ? x.start < y.start : order.Compare(a, b) < 0;
  });
  const std::vector<uint32_t> unordered = ids;
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = unordered[places[i]];
  const size_t step = std::min<size_t>(limits::kBatchRowsMax, pace_.rows_max());
  for (size_t from = 0; from < ids.size(); from += step) {
    const auto part = std::span(ids).subspan(from, std::min(step, ids.size() - from));
    std::vector<uint32_t> key_ids;
    for (uint32_t id : part) key_ids.push_back(sessions_.at(id).key);
    std::vector<ColumnBuilder> keys;
    for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
    sessions_.keys().AppendKeys(key_ids, keys);
    results_ = calls_.MakeResultBuilders();
    calls_.Results(part, results_);
    changes_.clear();
    for (size_t i = 0; i < part.size(); ++i) {
      const SessionBounds& bounds = sessions_.at(part[i]).bounds;
      const auto row = static_cast<int32_t>(i);
      changes_.push_back({RowOp::kInsert, row, row, bounds.end, bounds.start, bounds.end});
    }
    std::vector<ColumnPtr> key_columns;
    for (ColumnBuilder& builder : keys) key_columns.push_back(builder.Finish());
    WEIR_RETURN_IF_ERROR(Send(key_columns));
  }
  return OkStatus();
}

Status SessionAggregate::OnBarrier() {
  sessions_.Save();
  if (times_dirty_) {
    SaveTimes(context_->Store(times_name_), {{kClosedKey, closed_}, {kHighestKey, highest_}});
    times_dirty_ = false;
  }
  sessions_.Measure();
  return OkStatus();
}

}  // namespace

OperatorResult MakeSessionAggregate(const physical::StreamAggregate& node) {
  for (const physical::AggregateCall& call : node.calls) {
    if (!call.function->can_merge) {
      return Status(
          ErrorCode::kUnsupported,
          "an aggregate function cannot be used with session windows: " + call.function->name);
    }
  }
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<SessionAggregate>(node, std::move(calls)));
}

}  // namespace weir
