// GROUP BY over a stream, without windows or with tumbling or hopping ones. Rows are looked up a
// batch at a time: key and window start give a dense group number, under which the states of all
// aggregate functions lie.
//
// A window's groups live until it closes: at its end plus grace, by the stream time of all upstream
// partitions. A row is late for a window by the stream time of its own source partition, so what is
// dropped does not depend on which partition was read faster.

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/operators/aggregate_output.h"
#include "exec/operators/factories.h"
#include "exec/operators/grouped_rows.h"
#include "exec/state/dirty_pages.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

using physical::WindowKind;

constexpr std::string_view kClosedKey = "closed";
constexpr std::string_view kNewestKey = "newest";

// What is known of a group besides its states, bit by bit: with many groups what a row touches must
// be small.
constexpr uint8_t kEmitted = 1;
constexpr uint8_t kDirty = 2;     // Stands in dirty_.
constexpr uint8_t kPending = 4;   // Stands in pending_.

// A group of a window. Windows close in order of time, their groups in the order they came.
struct OpenGroup {
  int64_t start;
  uint64_t order;
  uint32_t id;
  bool operator<(const OpenGroup& other) const {   // So that a heap has the first on top.
    return start != other.start ? start > other.start : order > other.order;
  }
};

// Only where each batch comes out by itself.
struct Touched {
  uint32_t batch = 0;   // Last batch that touched the group…
  int32_t slot = -1;    // …and its place among the groups touched there.
};

class StreamAggregate : public Operator {
 public:
  StreamAggregate(const physical::StreamAggregate& node, AggregateCalls calls)
      : store_name_(node.stores.empty() ? fmt::format("aggregate-{}", node.id)
                                        : node.stores.front().name),
        schema_(node.schema),
        key_columns_(node.key_columns),
        window_(node.window),
        windowed_(node.window.kind != WindowKind::kNone),
        emit_final_(node.emit_final),
        merges_partials_(node.merges_partials),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        calls_(std::move(calls)),
        groups_({KeyTypes(node), windowed_, false}) {
    if (window_.kind == WindowKind::kTumbling) window_.advance_ms = window_.size_ms;
  }

  Status Open(TaskContext& context) override {
    context_ = &context;
    calls_.Open(context);
    store_ = &context.Store(store_name_);
    // Kafka Streams' windows are lost to EMIT FINAL once they fall out of its store, however long
    // they have closed; ksqlDB's own cases want it so. Beside them no closed window is left out.
    kafka_final_ =
        emit_final_ && !merges_partials_ && context.setting("sql.extensions", 1) == 0;
    WEIR_RETURN_IF_ERROR(Load());
    return LoadTimes();
  }

  Status OnBatch(int, Chunk chunk) override {
    SelectGroupedRows(chunk, Keys(chunk), numbers_, context_->counters(), kept_);
    if (kafka_final_) return OneByOne(chunk);
    return Process(chunk, kept_);
  }

  Status OnStreamTime(int, int64_t stream_time) override {
    WEIR_RETURN_IF_ERROR(Close(stream_time));
    return Advance(stream_time);
  }

  Status EmitPending() override;
  Status OnBarrier() override;
  int64_t open_windows() const override {
    return emit_final_ ? static_cast<int64_t>(groups_.size()) : 0;
  }
  Status CloseWindows() override {
    if (!emit_final_ || open_.empty()) return OkStatus();
    return Close(newest_ + window_.size_ms + window_.grace_ms);
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

  Status Process(const Chunk& chunk, std::span<const int32_t> rows);
  void AddRows(const Chunk& chunk);
  Status OneByOne(const Chunk& chunk);
  void AssignWindows(const Chunk& chunk, std::span<const int32_t> rows);
  void AssignGiven(const Chunk& chunk, std::span<const int32_t> rows);
  void AssignTumbling(std::span<const int32_t> rows, const int64_t* times, const int64_t* clock);
  bool Timely(int64_t start, int64_t clock);
  void FindGroups(const Chunk& chunk);
  void Touch(const Chunk& chunk);
  void TouchPending(const Chunk& chunk);
  bool IsPending(std::span<const uint32_t> ids) const;
  Status EmitLast(const Chunk& chunk);
  Status EmitGroups(std::span<const uint32_t> ids);
  Chunk StateOf(std::span<const uint32_t> ids);
  Status EmitEach(const Chunk& chunk);
  AggregateChange ChangeOf(uint32_t group, int32_t key_row) const;
  Status Close(int64_t stream_time);
  void TakeFirstWindow();
  void EraseGroup(uint32_t id);
  void ForgetGroup(uint32_t id);
  void MarkDirty(uint32_t id);
  void AppendState(uint32_t id, std::string& out) const;
  void SaveGroups();
  static bool ReadFromPage(std::string_view& page, std::span<ColumnBuilder> keys,
                           std::vector<std::string>& values);
  Status Load();
  Status LoadBatch(std::vector<ColumnBuilder>& keys, std::vector<int64_t>& starts,
                   std::vector<std::string>& values);
  Status LoadTimes();

  const std::string store_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  physical::WindowSpec window_;
  const bool windowed_;
  const bool emit_final_;
  const bool merges_partials_;
  const bool retracts_;
  bool kafka_final_ = false;
  AggregateCalls calls_;
  GroupTable groups_;
  std::vector<int64_t> row_times_;                      // By group: the latest of its rows.
  std::vector<uint8_t> flags_;                          // By group.
  std::vector<Touched> touched_in_;                     // By group.
  std::vector<OpenGroup> open_;                         // A heap: those that close first on top.
  uint64_t opened_ = 0;
  int64_t closed_ = INT64_MIN;                          // Stream time up to which windows closed.
  int64_t newest_ = INT64_MIN;                          // Highest window start there was.
  int64_t erased_below_ = INT64_MIN;                    // Window starts no more in the store.
  bool times_dirty_ = false;
  bool erase_dirty_ = false;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  std::vector<uint32_t> dirty_;
  DirtyPages pages_;

  // Groups that changed since the last commit or pause and have not been handed on. Only where
  // nobody needs their old results.
  std::vector<uint32_t> pending_, handed_on_;

  // Of the batch at hand. Entry i of rows_ and groups_of_rows_ is a row in one of its windows.
  RowNumbers numbers_;
  std::vector<int32_t> kept_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> starts_;
  std::vector<int64_t> stream_times_;
  std::vector<uint32_t> ids_, created_, touched_, closing_;
  std::vector<int32_t> last_rows_;                      // By place in touched_.
  std::vector<int64_t> before_;                         // Times before the batch, likewise.
  std::vector<AggregateChange> changes_;
  std::vector<int64_t> window_scratch_;
  uint32_t batch_ = 0;
  int64_t late_ = 0;
  int64_t late_after_idle_ = 0;
};

Status StreamAggregate::Process(const Chunk& chunk, std::span<const int32_t> rows) {
  AssignWindows(chunk, rows);
  if (rows_.empty()) return OkStatus();
  FindGroups(chunk);
  const bool each = context_->emit_every_change() && !merges_partials_;
  if (!emit_final_ && each) return EmitEach(chunk);
  if (!emit_final_ && retracts_) return EmitLast(chunk);
  TouchPending(chunk);
  AddRows(chunk);
  return OkStatus();
}

void StreamAggregate::AddRows(const Chunk& chunk) {
  if (merges_partials_) {
    calls_.AddPartials(chunk, rows_, ids_);
  } else {
    calls_.Add(chunk, rows_, ids_);
  }
}

// As Kafka Streams: after each row the windows that it closes.
Status StreamAggregate::OneByOne(const Chunk& chunk) {
  const std::vector<int32_t> rows = kept_;
  const ColumnPtr clock = chunk.sys(SystemColumn::kStreamTime);
  for (size_t i = 0; i < rows.size(); ++i) {
    WEIR_RETURN_IF_ERROR(Process(chunk, std::span(rows).subspan(i, 1)));
    if (clock) WEIR_RETURN_IF_ERROR(Close(clock->values<int64_t>()[rows[i]]));
  }
  return OkStatus();
}

// False, and counted, if the window that starts at `start` takes no rows any more at time `clock`.
inline bool StreamAggregate::Timely(int64_t start, int64_t clock) {
  const int64_t closes = start + window_.size_ms + window_.grace_ms;
  if (closes <= clock) {
    ++late_;
    return false;
  }
  if (closes <= closed_) {
    ++late_after_idle_;
    return false;
  }
  return true;
}

// Rows of one minute mostly come together, so the division is mostly saved.
void StreamAggregate::AssignTumbling(std::span<const int32_t> rows, const int64_t* times,
                                     const int64_t* clock) {
  const int64_t size = window_.size_ms;
  int64_t start = INT64_MIN / 2;
  for (int32_t row : rows) {
    const int64_t time = times[row];
    if (time < start || time >= start + size) start = FloorTo(time, size);
    if (!Timely(start, clock[row])) continue;
    rows_.push_back(row);
    starts_.push_back(start);
  }
}

// Windows of partial states were chosen in front of the exchange, where late rows stayed behind.
void StreamAggregate::AssignGiven(const Chunk& chunk, std::span<const int32_t> rows) {
  const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
  for (int32_t row : rows) {
    if (!Timely(starts[row], INT64_MIN)) continue;
    rows_.push_back(row);
    starts_.push_back(starts[row]);
  }
  if (late_after_idle_ > 0) context_->counters().Dropped("late_after_idle", late_after_idle_);
}

void StreamAggregate::AssignWindows(const Chunk& chunk, std::span<const int32_t> rows) {
  rows_.clear();
  starts_.clear();
  if (!windowed_) {
    rows_.assign(rows.begin(), rows.end());
    return;
  }
  late_ = late_after_idle_ = 0;
  if (merges_partials_) return AssignGiven(chunk, rows);
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  const ColumnPtr& stream_time = chunk.sys(SystemColumn::kStreamTime);
  // Without the column nobody upstream keeps stream time: then nothing is late by itself.
  if (!stream_time) stream_times_.assign(chunk.rows, INT64_MIN);
  const int64_t* clock =
      stream_time ? stream_time->values<int64_t>().data() : stream_times_.data();
  if (window_.kind == WindowKind::kTumbling) {
    AssignTumbling(rows, times, clock);
  } else {
    for (int32_t row : rows) {
      for (int64_t start = FirstHoppingStart(window_, times[row]); start <= times[row];
           start += window_.advance_ms) {
        if (!Timely(start, clock[row])) continue;
        rows_.push_back(row);
        starts_.push_back(start);
      }
    }
  }
  if (late_ > 0) context_->counters().Dropped("late", late_);
  if (late_after_idle_ > 0) context_->counters().Dropped("late_after_idle", late_after_idle_);
}

void StreamAggregate::FindGroups(const Chunk& chunk) {
  created_.clear();
  groups_.FindOrInsert(Keys(chunk), rows_, starts_, ids_, created_);
  if (created_.empty()) return;
  calls_.Resize(groups_.id_limit());
  if (flags_.size() < groups_.id_limit()) {
    flags_.resize(groups_.id_limit());
    row_times_.resize(groups_.id_limit());
  }
  for (uint32_t id : created_) {
    ForgetGroup(id);
    if (!windowed_) continue;
    const int64_t start = groups_.time(id);
    open_.push_back({start, opened_++, id});
    std::push_heap(open_.begin(), open_.end());
    if (start > newest_) {
      newest_ = start;
      times_dirty_ = kafka_final_;
    }
  }
}

// Notes which groups this batch touches, and their times.
void StreamAggregate::Touch(const Chunk& chunk) {
  touched_.clear();
  last_rows_.clear();
  before_.clear();
  ++batch_;
  touched_in_.resize(flags_.size());
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  for (size_t i = 0; i < rows_.size(); ++i) {
    Touched& touched = touched_in_[ids_[i]];
    int64_t& row_time = row_times_[ids_[i]];
    if (touched.batch != batch_) {
      touched.batch = batch_;
      touched.slot = static_cast<int32_t>(touched_.size());
      touched_.push_back(ids_[i]);
      last_rows_.push_back(0);
      before_.push_back(row_time);
    }
    row_time = std::max(row_time, times[rows_[i]]);
    last_rows_[touched.slot] = rows_[i];
  }
  for (uint32_t id : touched_) MarkDirty(id);
}

void StreamAggregate::MarkDirty(uint32_t id) {
  if ((flags_[id] & kDirty) != 0) return;
  flags_[id] |= kDirty;
  dirty_.push_back(id);
}

// The same for groups that come out later, if at all.
void StreamAggregate::TouchPending(const Chunk& chunk) {
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  int64_t* row_times = row_times_.data();
  uint8_t* flags = flags_.data();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint32_t id = ids_[i];
    row_times[id] = std::max(row_times[id], times[rows_[i]]);
    if ((flags[id] & kPending) != 0) continue;
    flags[id] |= kPending;
    pending_.push_back(id);
    MarkDirty(id);
  }
}

bool StreamAggregate::IsPending(std::span<const uint32_t> ids) const {
  return !pending_.empty() && std::any_of(ids.begin(), ids.end(), [this](uint32_t id) {
    return (flags_[id] & kPending) != 0;
  });
}

Status StreamAggregate::EmitPending() {
  if (pending_.empty()) return OkStatus();
  for (uint32_t id : pending_) flags_[id] &= static_cast<uint8_t>(~kPending);
  handed_on_.swap(pending_);
  pending_.clear();
  return emit_final_ ? OkStatus() : EmitGroups(handed_on_);
}

AggregateChange StreamAggregate::ChangeOf(uint32_t group, int32_t key_row) const {
  AggregateChange change;
  change.key_row = key_row;
  change.row_time = row_times_[group];
  if (windowed_) {
    change.window_start = groups_.time(group);
    change.window_end = change.window_start + window_.size_ms;
  }
  return change;
}

// One change a group: its state after the batch, and before it the one that was there.
Status StreamAggregate::EmitLast(const Chunk& chunk) {
  Touch(chunk);
  std::vector<ColumnBuilder> results = calls_.MakeResultBuilders();
  calls_.Results(touched_, results);   // Rows [0, n): the old results.
  AddRows(chunk);
  calls_.Results(touched_, results);
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : results) columns.push_back(builder.Finish());
  const auto count = static_cast<int32_t>(touched_.size());
  changes_.clear();
  for (int32_t i = 0; i < count; ++i) {
    uint8_t& flags = flags_[touched_[i]];
    const bool emitted = (flags & kEmitted) != 0;
    AggregateChange change = ChangeOf(touched_[i], last_rows_[i]);
    if (emitted) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = i;
      changes_.push_back(change);
    }
    change.op = emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
    change.result_row = count + i;
    changes_.push_back(change);
    flags |= kEmitted;
  }
  return out_.Emit(BuildAggregateChunk(changes_, Keys(chunk), columns, windowed_));
}

// One change a row and window, as Kafka Streams gives without a cache.
Status StreamAggregate::EmitEach(const Chunk& chunk) {
  Touch(chunk);
  std::vector<ColumnBuilder> results = calls_.MakeResultBuilders();
  int32_t first = 0;
  if (retracts_) {
    calls_.Results(touched_, results);
    first = static_cast<int32_t>(touched_.size());
  }
  calls_.AddEach(chunk, rows_, ids_, results);
  // The time of a change is the highest up to its row; Touch has seen all rows of the batch.
  std::vector<int64_t> highest = before_;
  std::vector<int32_t> previous(touched_.size(), -1);
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  changes_.clear();
  for (size_t i = 0; i < rows_.size(); ++i) {
    uint8_t& flags = flags_[ids_[i]];
    const bool emitted = (flags & kEmitted) != 0;
    const int32_t slot = touched_in_[ids_[i]].slot;
    AggregateChange change = ChangeOf(ids_[i], rows_[i]);
    highest[slot] = std::max(highest[slot], times[rows_[i]]);
    change.row_time = highest[slot];
    if (retracts_ && emitted) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = previous[slot] >= 0 ? previous[slot] : slot;
      changes_.push_back(change);
    }
    change.op = emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
    change.result_row = first + static_cast<int32_t>(i);
    previous[slot] = change.result_row;
    changes_.push_back(change);
    flags |= kEmitted;
  }
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : results) columns.push_back(builder.Finish());
  return out_.Emit(BuildAggregateChunk(changes_, Keys(chunk), columns, windowed_));
}

// Closes the windows whose end plus grace is at or before `stream_time`.
Status StreamAggregate::Close(int64_t stream_time) {
  if (!windowed_ || stream_time <= closed_) return OkStatus();
  closed_ = stream_time;
  times_dirty_ = true;
  const int64_t wait = window_.size_ms + window_.grace_ms;
  const int64_t kept_from = kafka_final_ ? newest_ - wait : INT64_MIN;
  while (!open_.empty() && open_.front().start <= stream_time - wait) {
    const int64_t start = open_.front().start;
    TakeFirstWindow();
    if (emit_final_ ? start >= kept_from : IsPending(closing_)) {
      WEIR_RETURN_IF_ERROR(emit_final_ ? EmitGroups(closing_) : EmitPending());
    }
    for (uint32_t id : closing_) EraseGroup(id);
    erased_below_ = std::max(erased_below_, start + 1);
    erase_dirty_ = true;
  }
  return OkStatus();
}

// Moves the groups of the window that closes first to closing_.
void StreamAggregate::TakeFirstWindow() {
  const int64_t start = open_.front().start;
  closing_.clear();
  while (!open_.empty() && open_.front().start == start) {
    closing_.push_back(open_.front().id);
    std::pop_heap(open_.begin(), open_.end());
    open_.pop_back();
  }
}

void StreamAggregate::EraseGroup(uint32_t id) {
  calls_.Reset(id);
  ForgetGroup(id);
  groups_.Erase(id);
}

void StreamAggregate::ForgetGroup(uint32_t id) {
  flags_[id] = 0;
  row_times_[id] = INT64_MIN;
  if (id < touched_in_.size()) touched_in_[id] = Touched();
}

// The state of each group as it is now.
Status StreamAggregate::EmitGroups(std::span<const uint32_t> ids) {
  for (size_t from = 0; from < ids.size(); from += limits::kBatchRowsMax) {
    const size_t count = std::min<size_t>(limits::kBatchRowsMax, ids.size() - from);
    WEIR_RETURN_IF_ERROR(out_.Emit(StateOf(ids.subspan(from, count))));
  }
  return OkStatus();
}

// With many groups this is most of the work.
Chunk StreamAggregate::StateOf(std::span<const uint32_t> ids) {
  const size_t count = ids.size();
  std::vector<ColumnBuilder> keys, results = calls_.MakeResultBuilders();
  for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
  groups_.AppendKeys(ids, keys);
  calls_.Results(ids, results);
  Chunk out;
  out.rows = static_cast<int32_t>(count);
  for (ColumnBuilder& builder : keys) out.columns.push_back(builder.Finish());
  for (ColumnBuilder& builder : results) out.columns.push_back(builder.Finish());
  uint8_t* data = nullptr;
  BufferPtr time_buffer = MakeBuffer(count * sizeof(int64_t), &data);
  auto* times = reinterpret_cast<int64_t*>(data);
  uint8_t* ops = nullptr;
  out.ops = MakeBuffer(count, &ops);
  for (size_t i = 0; i < count; ++i) {
    uint8_t& flags = flags_[ids[i]];
    times[i] = row_times_[ids[i]];
    const bool emitted = (flags & kEmitted) != 0;
    ops[i] = static_cast<uint8_t>(emitted ? RowOp::kUpdateAfter : RowOp::kInsert);
    flags |= kEmitted;
  }
  out.sys(SystemColumn::kRowTime) = std::make_shared<const Column>(
      Column::Parts{DataType::Bigint(), out.rows, nullptr, std::move(time_buffer), nullptr, {}});
  if (!windowed_) return out;
  window_scratch_.resize(count);
  for (size_t i = 0; i < count; ++i) window_scratch_[i] = groups_.time(ids[i]);
  out.sys(SystemColumn::kWindowStart) = MakeTimes(window_scratch_);
  for (int64_t& time : window_scratch_) time += window_.size_ms;
  out.sys(SystemColumn::kWindowEnd) = MakeTimes(window_scratch_);
  return out;
}

void StreamAggregate::AppendState(uint32_t id, std::string& out) const {
  AppendOrdered64(row_times_[id], out);
  calls_.Save(id, out);
}

// Windows are stored one by one in order of time, as they go by time; other groups by pages.
void StreamAggregate::SaveGroups() {
  std::string key, value;
  for (uint32_t id : dirty_) {
    if ((flags_[id] & kDirty) == 0) continue;   // Closed since.
    flags_[id] &= static_cast<uint8_t>(~kDirty);
    if (!windowed_) {
      pages_.Mark(id);
      continue;
    }
    key.clear();
    value.clear();
    AppendOrdered64(groups_.time(id), key);
    groups_.AppendKeyBytes(id, key);
    AppendState(id, value);
    store_->Put(key, value);
  }
  dirty_.clear();
  if (windowed_) return;
  pages_.Save(*store_, groups_.id_limit(), [&](uint32_t id, std::string& out) {
    groups_.AppendKeyBytes(id, out);
    value.clear();
    AppendState(id, value);
    const auto length = static_cast<uint32_t>(value.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out.append(value);
  });
}

// One entry of a page; false if it is malformed.
bool StreamAggregate::ReadFromPage(std::string_view& page, std::span<ColumnBuilder> keys,
                                   std::vector<std::string>& values) {
  uint32_t length = 0;
  if (!ReadRow(page, keys) || page.size() < sizeof(length)) return false;
  std::memcpy(&length, page.data(), sizeof(length));
  page.remove_prefix(sizeof(length));
  if (page.size() < length) return false;
  values.emplace_back(page.substr(0, length));
  page.remove_prefix(length);
  return true;
}

Status StreamAggregate::OnBarrier() {
  if (erase_dirty_) {
    std::string limit;
    AppendOrdered64(erased_below_, limit);
    store_->DeleteRange("", limit);
    erase_dirty_ = false;
  }
  SaveGroups();
  if (times_dirty_) {
    StateStore& times = context_->Store(store_name_ + "-times");
    std::string value;
    AppendOrdered64(closed_, value);
    times.Put(kClosedKey, value);
    value.clear();
    AppendOrdered64(newest_, value);
    times.Put(kNewestKey, value);
    times_dirty_ = false;
  }
  memory_.Update(*context_,
                 groups_.ByteSize() + calls_.ByteSize() + flags_.capacity() +
                     row_times_.capacity() * sizeof(int64_t) +
                     touched_in_.capacity() * sizeof(Touched) +
                     open_.capacity() * sizeof(OpenGroup));
  return OkStatus();
}

Status StreamAggregate::LoadTimes() {
  StateStore& times = context_->Store(store_name_ + "-times");
  return times.Scan("", "", [&](std::string_view key, std::string_view value) {
    int64_t time = 0;
    if (!ReadOrdered64(value, time)) return true;
    if (key == kClosedKey) closed_ = time;
    if (key == kNewestKey) newest_ = std::max(newest_, time);
    return true;
  });
}

Status StreamAggregate::Load() {
  std::vector<ColumnBuilder> keys;
  for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
  std::vector<int64_t> starts;
  std::vector<std::string> values;
  bool malformed = false;
  Status status;
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
    int64_t start = 0;
    if (windowed_) {
      malformed = !ReadOrdered64(key, start) || !ReadRow(key, keys);
      starts.push_back(start);
      values.emplace_back(value);
    } else {
      malformed = !ReadOrdered64(key, start);
      while (!malformed && !value.empty()) malformed = !ReadFromPage(value, keys, values);
    }
    malformed |= !key.empty();
    if (malformed) return false;
    if (values.size() < static_cast<size_t>(limits::kBatchRowsMax)) return true;
    status = LoadBatch(keys, starts, values);
    return status.ok();
  }));
  if (malformed) {
    return Status(ErrorCode::kStoreCorrupt, "a group's key in a state store is malformed");
  }
  WEIR_RETURN_IF_ERROR(std::move(status));
  return LoadBatch(keys, starts, values);
}

Status StreamAggregate::LoadBatch(std::vector<ColumnBuilder>& keys, std::vector<int64_t>& starts,
                                  std::vector<std::string>& values) {
  if (values.empty()) return OkStatus();
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(values.size());
  for (ColumnBuilder& builder : keys) chunk.columns.push_back(builder.Finish());
  rows_.resize(values.size());
  std::iota(rows_.begin(), rows_.end(), 0);
  starts_.clear();
  if (windowed_) starts_ = starts;
  FindGroups(chunk);
  for (size_t i = 0; i < values.size(); ++i) {
    std::string_view bytes = values[i];
    if (!ReadOrdered64(bytes, row_times_[ids_[i]])) {
      return Status(ErrorCode::kStoreCorrupt, "a group's state in a state store is malformed");
    }
    WEIR_RETURN_IF_ERROR(calls_.Load(ids_[i], bytes));
    flags_[ids_[i]] = emit_final_ ? 0 : kEmitted;
  }
  starts.clear();
  values.clear();
  return OkStatus();
}

}  // namespace

OperatorResult MakeStreamAggregate(const physical::StreamAggregate& node) {
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<StreamAggregate>(node, std::move(calls)));
}

}  // namespace weir
