// GROUP BY with session windows. A session is a run of rows of one key with gaps of at most the
// window's size; a row that falls between two of them makes them one.
//
//   key ─▶ sessions [start, end], each a group of the aggregate states
//
// As Kafka Streams: a session that changes its bounds is deleted under its old ones and comes anew,
// each at the time of its end; a row is late if the session that it would make or join ended longer
// ago than gap and grace. A row joins those sessions only that ended less than gap and grace before
// the rows that came earlier, as the store that Kafka Streams finds them in keeps no others.

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate_output.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/key_order.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

constexpr std::string_view kClosedKey = "closed";
constexpr std::string_view kHighestKey = "highest";
// Kafka Streams' store drops sessions in steps of half of what it keeps, at least of this.
constexpr int64_t kSegmentMsMin = 60'000;
// Sessions are found again by their ends in steps of this part of gap and grace.
constexpr int64_t kEndSteps = 64;

struct Session {
  int64_t start = 0;
  int64_t end = 0;
  bool operator==(const Session& other) const { return start == other.start && end == other.end; }
};

struct Group {
  uint32_t key = 0;
  Session bounds;
  Session emitted;            // As handed on last, if was_emitted.
  Session saved;              // As in the store, if is_saved.
  int32_t old_result = -1;    // Row of the results before this batch, if was_emitted.
  int32_t key_row = -1;       // Row of this batch with the key.
  bool live = false;
  bool was_emitted = false;
  bool is_saved = false;
  bool dirty = false;
  bool touched = false;
};

class SessionAggregate : public Operator {
 public:
  SessionAggregate(const physical::StreamAggregate& node, AggregateCalls calls)
      : store_name_(node.stores.empty() ? fmt::format("aggregate-{}", node.id)
                                        : node.stores.front().name),
        schema_(node.schema),
        key_columns_(node.key_columns),
        gap_(node.window.size_ms),
        wait_(node.window.size_ms + node.window.grace_ms),
        end_step_(std::max<int64_t>(wait_ / kEndSteps, 1)),
        emit_final_(node.emit_final),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        calls_(std::move(calls)),
        keys_({KeyTypes(node), false, false}),
        pace_(node.calls) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    calls_.Open(context);
    store_ = &context.Store(store_name_);
    kafka_final_ = emit_final_ && context.setting("sql.extensions", 1) == 0;
    return Load();
  }

  Status OnBatch(int, Chunk chunk) override;
  Status OnStreamTime(int, int64_t stream_time) override {
    WEIR_RETURN_IF_ERROR(Close(stream_time));
    return Advance(stream_time);
  }
  Status OnBarrier() override;
  int64_t open_windows() const override { return emit_final_ ? live_ : 0; }
  Status CloseWindows() override {
    int64_t end = INT64_MIN;
    for (const Group& group : groups_) {
      if (group.live) end = std::max(end, group.bounds.end);
    }
    kafka_final_ = false;   // What is closed by hand is not lost.
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
  uint32_t NewGroup(uint32_t key, int64_t time);
  void FreeGroup(uint32_t id);
  void MergeSessions(const Chunk& chunk, uint32_t key, std::span<const uint32_t> merged, Session to,
                     int32_t row);
  void AddRow(const Chunk& chunk, uint32_t group, int32_t row);
  void FlushAdds(const Chunk& chunk);
  void Touch(uint32_t group, int32_t row);
  void EmitDelete(const Group& group, int32_t row);
  void EmitEach(const Chunk& chunk, uint32_t group, int32_t row);
  void CollectLast();
  void FileByEnd(uint32_t group);
  void ForgetInStore(const Group& group);
  void DropEmptyKeys();
  Status Send(std::span<const ColumnPtr> keys);
  Status Close(int64_t stream_time);
  Status EmitClosed(std::vector<uint32_t>& ids);
  std::string StoreKey(const Group& group, const Session& bounds) const;
  Status Load();
  Status LoadOne(std::string_view key, std::string_view value);

  const std::string store_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const int64_t gap_;
  const int64_t wait_;                                  // From a session's end to its close.
  const int64_t end_step_;
  const bool emit_final_;
  const bool retracts_;
  bool kafka_final_ = false;
  AggregateCalls calls_;
  GroupTable keys_;
  ResultPace pace_;
  std::vector<std::vector<uint32_t>> sessions_;         // Groups of a key, by end.
  std::vector<Group> groups_;
  std::vector<uint32_t> free_groups_;
  std::map<int64_t, std::vector<uint32_t>> by_end_;     // Groups by step of their end; some stale.
  int64_t live_ = 0;
  int64_t closed_ = INT64_MIN;
  int64_t highest_ = INT64_MIN / 2;                     // Stream time of the rows that came.
  bool times_dirty_ = false;
  std::vector<uint32_t> dirty_;
  std::vector<std::string> deleted_;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, created_, touched_, empty_keys_, found_;
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
  created_.clear();
  keys_.FindOrInsert(Keys(chunk), rows, {}, ids_, created_);
  if (sessions_.size() < keys_.id_limit()) sessions_.resize(keys_.id_limit());
  empty_keys_.assign(created_.begin(), created_.end());
  results_ = calls_.MakeResultBuilders();
  result_count_ = 0;
  changes_.clear();
  inserts_.clear();
  touched_.clear();
  late_ = late_after_idle_ = 0;
  const ColumnPtr& clock = chunk.sys(SystemColumn::kStreamTime);
  for (size_t i = 0; i < rows.size(); ++i) {
    // Without the column nobody upstream keeps stream time: then nothing is late.
    const int64_t now = clock ? clock->values<int64_t>()[rows[i]] : INT64_MIN / 2;
    ProcessRow(chunk, rows[i], ids_[i], now);
    if (now <= highest_) continue;
    highest_ = now;
    times_dirty_ = true;
  }
  FlushAdds(chunk);
  CollectLast();
  DropEmptyKeys();
  if (late_ > 0) context_->counters().Dropped("late", late_);
  if (late_after_idle_ > 0) context_->counters().Dropped("late_after_idle", late_after_idle_);
  return Send(Keys(chunk));
}

void SessionAggregate::ProcessRow(const Chunk& chunk, int32_t row, uint32_t key, int64_t clock) {
  const int64_t time = chunk.row_time()->values<int64_t>()[row];
  Session merged{time, time};
  found_.clear();
  const int64_t gone = std::min(clock, highest_) - wait_;   // Before this row.
  for (uint32_t id : sessions_[key]) {
    const Session& session = groups_[id].bounds;
    if (session.end < time - gap_ || session.start > time + gap_) continue;
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
    group = NewGroup(key, time);
  } else {
    group = found_.front();
    // Kafka Streams deletes what it merges unless the result is just this row's instant.
    const bool replaces = merged.start != merged.end;
    if (each && replaces) {
      for (uint32_t id : found_) {
        Touch(id, row);
        EmitDelete(groups_[id], row);
      }
    }
    MergeSessions(chunk, key, found_, merged, row);
    if (each && replaces) groups_[group].was_emitted = false;
  }
  Touch(group, row);
  AddRow(chunk, group, row);
  if (each) EmitEach(chunk, group, row);
}

uint32_t SessionAggregate::NewGroup(uint32_t key, int64_t time) {
  uint32_t id;
  if (free_groups_.empty()) {
    id = static_cast<uint32_t>(groups_.size());
    groups_.emplace_back();
    calls_.Resize(id + 1);
  } else {
    id = free_groups_.back();
    free_groups_.pop_back();
  }
  groups_[id] = Group();
  groups_[id].key = key;
  groups_[id].bounds = {time, time};
  groups_[id].live = true;
  auto& list = sessions_[key];
  const auto place =
      std::upper_bound(list.begin(), list.end(), time,
                       [&](int64_t t, uint32_t other) { return t < groups_[other].bounds.end; });
  list.insert(place, id);
  ++live_;
  FileByEnd(id);
  return id;
}

void SessionAggregate::FreeGroup(uint32_t id) {
  ForgetInStore(groups_[id]);
  groups_[id] = Group();
  calls_.Reset(id);
  free_groups_.push_back(id);
  --live_;
}

void SessionAggregate::FileByEnd(uint32_t group) {
  by_end_[groups_[group].bounds.end / end_step_].push_back(group);
}

void SessionAggregate::ForgetInStore(const Group& group) {
  if (group.is_saved) deleted_.push_back(StoreKey(group, group.saved));
}

// Puts all of `merged` into the first of them, which gets the bounds `to`.
void SessionAggregate::MergeSessions(const Chunk& chunk, uint32_t key,
                                     std::span<const uint32_t> merged, Session to, int32_t row) {
  Group& target = groups_[merged.front()];
  if (merged.size() > 1) FlushAdds(chunk);
  Touch(merged.front(), row);
  for (uint32_t id : merged.subspan(1)) {
    Touch(id, row);
    calls_.Merge(merged.front(), id);
    if (!context_->emit_every_change() && groups_[id].was_emitted) EmitDelete(groups_[id], row);
    std::erase(sessions_[key], id);
    FreeGroup(id);
  }
  const bool moved = target.bounds.end / end_step_ != to.end / end_step_;
  target.bounds = to;
  if (moved) FileByEnd(merged.front());
  auto& list = sessions_[key];
  std::sort(list.begin(), list.end(), [&](uint32_t a, uint32_t b) {
    return groups_[a].bounds.end < groups_[b].bounds.end;
  });
}

void SessionAggregate::Touch(uint32_t group, int32_t row) {
  Group& entry = groups_[group];
  entry.key_row = row;
  if (!entry.dirty) {
    entry.dirty = true;
    dirty_.push_back(group);
  }
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

void SessionAggregate::EmitDelete(const Group& group, int32_t row) {
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
  Group& entry = groups_[group];
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
    Group& group = groups_[id];
    if (!group.live || !group.touched) continue;   // Merged away, or here a second time.
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
  for (uint32_t id : touched_) groups_[id].old_result = -1;
  changes_.insert(changes_.end(), inserts_.begin(), inserts_.end());
}

void SessionAggregate::DropEmptyKeys() {
  for (uint32_t key : empty_keys_) {
    if (sessions_[key].empty()) keys_.Erase(key);
  }
  empty_keys_.clear();
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
  std::vector<uint32_t> closing;
  while (!by_end_.empty() && by_end_.begin()->first * end_step_ < limit) {
    auto first = by_end_.begin();
    std::vector<uint32_t> later;
    for (uint32_t id : first->second) {
      const Group& group = groups_[id];
      if (!group.live || group.bounds.end / end_step_ != first->first) continue;
      (group.bounds.end < limit ? closing : later).push_back(id);
    }
    const bool partly = !later.empty();
    if (partly) {
      first->second = std::move(later);
      break;
    }
    by_end_.erase(first);
  }
  std::sort(closing.begin(), closing.end());
  closing.erase(std::unique(closing.begin(), closing.end()), closing.end());
  if (closing.empty()) return OkStatus();
  if (emit_final_) {
    std::vector<uint32_t> emitted = closing;
    // Without extensions, those that Kafka Streams' store has dropped by now are lost.
    const int64_t segment = std::max(wait_ / 2, kSegmentMsMin);
    if (kafka_final_ && limit > 0) {
      std::erase_if(emitted, [&](uint32_t id) {
        return groups_[id].bounds.end / segment < limit / segment;
      });
    }
    WEIR_RETURN_IF_ERROR(EmitClosed(emitted));
  }
  for (uint32_t id : closing) {
    const uint32_t key = groups_[id].key;
    std::erase(sessions_[key], id);
    FreeGroup(id);   // Needs the key yet.
    if (sessions_[key].empty()) keys_.Erase(key);
  }
  return OkStatus();
}

// By end, start and key: whatever the order in which they came.
Status SessionAggregate::EmitClosed(std::vector<uint32_t>& ids) {
  std::vector<uint32_t> id_keys;
  for (uint32_t id : ids) id_keys.push_back(groups_[id].key);
  std::vector<ColumnBuilder> id_columns;
  for (int i = 0; i < key_columns_; ++i) id_columns.emplace_back(schema_->columns[i].type);
  keys_.AppendKeys(id_keys, id_columns);
  std::vector<ColumnPtr> ordered_columns;
  for (ColumnBuilder& builder : id_columns) ordered_columns.push_back(builder.Finish());
  const KeyOrder order(std::move(ordered_columns));
  std::vector<int32_t> places(ids.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int32_t a, int32_t b) {
    const Session& x = groups_[ids[a]].bounds;
    const Session& y = groups_[ids[b]].bounds;
    if (x.end != y.end) return x.end < y.end;
    return x.start != y.start ? x.start < y.start : order.Compare(a, b) < 0;
  });
  const std::vector<uint32_t> unordered = ids;
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = unordered[places[i]];
  const size_t step = std::min<size_t>(limits::kBatchRowsMax, pace_.rows_max());
  for (size_t from = 0; from < ids.size(); from += step) {
    const auto part = std::span(ids).subspan(from, std::min(step, ids.size() - from));
    std::vector<uint32_t> key_ids;
    for (uint32_t id : part) key_ids.push_back(groups_[id].key);
    std::vector<ColumnBuilder> keys;
    for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
    keys_.AppendKeys(key_ids, keys);
    results_ = calls_.MakeResultBuilders();
    calls_.Results(part, results_);
    changes_.clear();
    for (size_t i = 0; i < part.size(); ++i) {
      const Session& bounds = groups_[part[i]].bounds;
      const auto row = static_cast<int32_t>(i);
      changes_.push_back({RowOp::kInsert, row, row, bounds.end, bounds.start, bounds.end});
    }
    std::vector<ColumnPtr> key_columns;
    for (ColumnBuilder& builder : keys) key_columns.push_back(builder.Finish());
    WEIR_RETURN_IF_ERROR(Send(key_columns));
  }
  return OkStatus();
}

std::string SessionAggregate::StoreKey(const Group& group, const Session& bounds) const {
  std::string key;
  AppendOrdered64(bounds.end, key);
  AppendOrdered64(bounds.start, key);
  keys_.AppendKeyBytes(group.key, key);
  return key;
}

Status SessionAggregate::OnBarrier() {
  std::string value;
  for (const std::string& key : deleted_) store_->Delete(key);
  deleted_.clear();
  for (uint32_t id : dirty_) {
    Group& group = groups_[id];
    if (!group.live || !group.dirty) continue;
    group.dirty = false;
    if (group.is_saved && !(group.saved == group.bounds)) {
      store_->Delete(StoreKey(group, group.saved));
    }
    value.clear();
    calls_.Save(id, value);
    store_->Put(StoreKey(group, group.bounds), value);
    group.saved = group.bounds;
    group.is_saved = true;
  }
  dirty_.clear();
  if (times_dirty_) {
    StateStore& times = context_->Store(store_name_ + "-times");
    value.clear();
    AppendOrdered64(closed_, value);
    times.Put(kClosedKey, value);
    value.clear();
    AppendOrdered64(highest_, value);
    times.Put(kHighestKey, value);
    times_dirty_ = false;
  }
  memory_.Update(*context_, keys_.ByteSize() + calls_.ByteSize() +
                                groups_.capacity() * sizeof(Group) + sessions_.capacity() * 40);
  return OkStatus();
}

Status SessionAggregate::Load() {
  Status status;
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
    status = LoadOne(key, value);
    return status.ok();
  }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  return context_->Store(store_name_ + "-times")
      .Scan("", "", [&](std::string_view key, std::string_view value) {
        int64_t time = 0;
        if (!ReadOrdered64(value, time)) return true;
        if (key == kClosedKey) closed_ = time;
        if (key == kHighestKey) highest_ = time;
        return true;
      });
}

Status SessionAggregate::LoadOne(std::string_view key, std::string_view value) {
  Session bounds;
  std::vector<ColumnBuilder> builders;
  for (int i = 0; i < key_columns_; ++i) builders.emplace_back(schema_->columns[i].type);
  if (!ReadOrdered64(key, bounds.end) || !ReadOrdered64(key, bounds.start) ||
      !ReadRow(key, builders) || !key.empty()) {
    return Status(ErrorCode::kStoreCorrupt, "a session's key in a state store is malformed");
  }
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  const int32_t row = 0;
  created_.clear();
  keys_.FindOrInsert(columns, {&row, 1}, {}, ids_, created_);
  if (sessions_.size() < keys_.id_limit()) sessions_.resize(keys_.id_limit());
  const uint32_t id = NewGroup(ids_[0], bounds.end);
  Group& group = groups_[id];
  group.bounds = group.emitted = group.saved = bounds;
  group.is_saved = true;
  group.was_emitted = !emit_final_;
  return calls_.Load(id, value);
}

}  // namespace

OperatorResult MakeSessionAggregate(const physical::StreamAggregate& node) {
  for (const physical::AggregateCall& call : node.calls) {
    if (!call.function->can_merge) {
      return Status(ErrorCode::kUnsupported,
                    "an aggregate function cannot be used with session windows: " +
                        call.function->name);
    }
  }
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<SessionAggregate>(node, std::move(calls)));
}

}  // namespace weir
