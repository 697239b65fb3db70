// The way of the rows through a grouped aggregation: windows, groups, changes, closing.

#include "exec/operators/aggregate/stream_aggregate.h"

#include <algorithm>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/factories.h"
#include "exec/state/row_codec.h"

namespace weir {

using physical::WindowKind;

// Where each row is in many windows, or brings a long list with it, few rows go at once.
Status StreamAggregate::InSteps(const Chunk& chunk, std::span<const int32_t> rows) {
  const size_t step = RowsAtOnce(window_);
  while (!rows.empty()) {
    CheckInterrupt();
    const size_t count = std::min({step, pace_.rows_max(), rows.size()});
    WEIR_RETURN_IF_ERROR(Process(chunk, rows.first(count)));
    rows = rows.subspan(count);
  }
  return OkStatus();
}

Status StreamAggregate::Process(const Chunk& chunk, std::span<const int32_t> rows) {
  AssignWindows(chunk, rows);
  if (rows_.empty()) return OkStatus();
  WEIR_RETURN_IF_ERROR(FindGroups(chunk));
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
  const ColumnPtr& counts = chunk.sys(SystemColumn::kOffset);
  for (int32_t row : rows) {
    if (!Timely(starts[row], INT64_MIN)) {
      if (counts) late_after_idle_ += counts->values<int64_t>()[row] - 1;
      continue;
    }
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
  const int64_t* clock = stream_time ? stream_time->values<int64_t>().data() : stream_times_.data();
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

Status StreamAggregate::FindGroups(const Chunk& chunk) {
  WEIR_RETURN_IF_ERROR(groups_.Find(Keys(chunk), rows_, starts_, ids_, created_));
  if (!windowed_ || !groups_.has_window()) return OkStatus();
  const int64_t last = groups_.last_window();
  if (last <= newest_) return OkStatus();
  newest_ = last;
  times_dirty_ = kafka_final_;
  return OkStatus();
}

// Notes which groups this batch touches, and their times.
void StreamAggregate::Touch(const Chunk& chunk) {
  touched_.clear();
  last_rows_.clear();
  before_.clear();
  ++batch_;
  touched_in_.resize(groups_.capacity());
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  for (size_t i = 0; i < rows_.size(); ++i) {
    Touched& touched = touched_in_[ids_[i]];
    int64_t& row_time = groups_.row_times()[ids_[i]];
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
  for (uint32_t id : touched_) groups_.MarkDirty(id);
}

// The same for groups that come out later, if at all.
void StreamAggregate::TouchPending(const Chunk& chunk) {
  const int64_t* times = chunk.row_time()->values<int64_t>().data();
  int64_t* row_times = groups_.row_times();
  uint8_t* flags = groups_.flags();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint32_t id = ids_[i];
    row_times[id] = std::max(row_times[id], times[rows_[i]]);
    if ((flags[id] & kPending) != 0) continue;
    flags[id] |= kPending;
    pending_.push_back(id);
    groups_.MarkDirty(id);
  }
}

bool StreamAggregate::IsPending(std::span<const uint32_t> ids) const {
  return !pending_.empty() && std::any_of(ids.begin(), ids.end(), [this](uint32_t id) {
    return (groups_.flags()[id] & kPending) != 0;
  });
}

Status StreamAggregate::EmitPending() {
  if (pending_.empty()) return OkStatus();
  for (uint32_t id : pending_) groups_.flags()[id] &= static_cast<uint8_t>(~kPending);
  handed_on_.swap(pending_);
  pending_.clear();
  return emit_final_ ? OkStatus() : EmitGroups(handed_on_);
}

AggregateChange StreamAggregate::ChangeOf(uint32_t group, int32_t key_row) const {
  AggregateChange change;
  change.key_row = key_row;
  change.row_time = groups_.row_times()[group];
  if (windowed_) {
    change.window_start = groups_.table().time(group);
    change.window_end = change.window_start + window_.size_ms;
  }
  return change;
}

// One change a group: its state after the batch, and before it the one that was there.
Status StreamAggregate::EmitLast(const Chunk& chunk) {
  Touch(chunk);
  std::vector<ColumnBuilder> results = calls_.MakeResultBuilders();
  calls_.Results(touched_, results);  // Rows [0, n): the old results.
  AddRows(chunk);
  calls_.Results(touched_, results);
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : results) columns.push_back(builder.Finish());
  const auto count = static_cast<int32_t>(touched_.size());
  changes_.clear();
  for (int32_t i = 0; i < count; ++i) {
    uint8_t& flags = groups_.flags()[touched_[i]];
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
  Chunk out = BuildAggregateChunk(changes_, Keys(chunk), columns, windowed_);
  pace_.Learn(out);
  return out_.Emit(std::move(out));
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
    uint8_t& flags = groups_.flags()[ids_[i]];
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
  Chunk out = BuildAggregateChunk(changes_, Keys(chunk), columns, windowed_);
  pace_.Learn(out);
  return out_.Emit(std::move(out));
}

// Closes the windows whose end plus grace is at or before `stream_time`.
Status StreamAggregate::Close(int64_t stream_time) {
  if (!windowed_ || stream_time <= closed_) return OkStatus();
  closed_ = stream_time;
  times_dirty_ = true;
  const int64_t wait = window_.size_ms + window_.grace_ms;
  const int64_t kept_from = kafka_final_ ? newest_ - wait : INT64_MIN;
  while (groups_.has_window() && groups_.first_window() <= stream_time - wait) {
    CheckInterrupt();
    const int64_t start = groups_.first_window();
    if (emit_final_ && start >= kept_from) {
      WEIR_RETURN_IF_ERROR(groups_.GiveFirstWindow(
          [this](std::span<const uint32_t> ids) { return EmitGroups(ids); }));
    }
    if (!emit_final_ && IsPending(groups_.first_window_ids())) WEIR_RETURN_IF_ERROR(EmitPending());
    groups_.DropFirstWindow();
    erased_below_ = std::max(erased_below_, start + 1);
    erase_dirty_ = true;
  }
  return OkStatus();
}

// The state of each group as it is now.
Status StreamAggregate::EmitGroups(std::span<const uint32_t> ids) {
  return InParts(
      ids.size(), nullptr,
      [&](size_t from, size_t count) { return StateOf(ids.subspan(from, count)); },
      [this](Chunk groups) { return out_.Emit(std::move(groups)); });
}

// With many groups this is most of the work.
Chunk StreamAggregate::StateOf(std::span<const uint32_t> ids) {
  const size_t count = ids.size();
  std::vector<ColumnBuilder> keys, results = calls_.MakeResultBuilders();
  for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
  groups_.table().AppendKeys(ids, keys);
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
    uint8_t& flags = groups_.flags()[ids[i]];
    times[i] = groups_.row_times()[ids[i]];
    const bool emitted = (flags & kEmitted) != 0;
    ops[i] = static_cast<uint8_t>(emitted ? RowOp::kUpdateAfter : RowOp::kInsert);
    flags |= kEmitted;
  }
  out.sys(SystemColumn::kRowTime) = MakeColumn(
      Column::Parts{DataType::Bigint(), out.rows, nullptr, std::move(time_buffer), nullptr, {}});
  if (!windowed_) return out;
  window_scratch_.resize(count);
  for (size_t i = 0; i < count; ++i) window_scratch_[i] = groups_.table().time(ids[i]);
  out.sys(SystemColumn::kWindowStart) = MakeTimes(window_scratch_);
  for (int64_t& time : window_scratch_) time += window_.size_ms;
  out.sys(SystemColumn::kWindowEnd) = MakeTimes(window_scratch_);
  return out;
}

Status StreamAggregate::OnBarrier() {
  if (erase_dirty_) {
    std::string limit;
    AppendOrdered64(erased_below_, limit);
    groups_.store().DeleteRange("", limit);
    erase_dirty_ = false;
  }
  groups_.Save();
  if (times_dirty_) {
    SaveTimes(context_->Store(times_name_),
              {{kClosedUpToKey, closed_}, {kNewestStartKey, newest_}});
    times_dirty_ = false;
  }
  MeasureMemory();
  return OkStatus();
}

void StreamAggregate::MeasureMemory() {
  groups_.Measure(touched_in_.capacity() * sizeof(Touched) +
                  pending_.capacity() * sizeof(uint32_t));
}

OperatorResult MakeStreamAggregate(const physical::StreamAggregate& node) {
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<StreamAggregate>(node, std::move(calls)));
}

}  // namespace weir
