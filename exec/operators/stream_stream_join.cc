// Windowed join of two streams, as Kafka Streams' KStreamKStreamJoin. Each side keeps its rows in
// columnar blocks; a batch of one side looks all its keys up in the other side's index, and what
// matches is put together column by column.
//
// How long rows are kept, by the time of their own side: before + after + grace. A row that comes
// later than that is not kept any more, but still looks for what is there on the other side.
//
// Rows of an outer side that match nothing come out at once when the join has no GRACE, or when
// their window has passed; else they wait in the buffer until it has closed:
//
//   row time t ────── window ends: t + after (right rows: t + before) ── + grace: comes out alone
//
// Where one partition feeds the join, a window has passed by the time of both sides, as in Kafka
// Streams; behind an exchange by the time of the row's own source partition, as how far the others
// are depends on who reads faster.

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join_output.h"
#include "exec/state/join_buffer.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

using physical::JoinKind;

constexpr int64_t kNoTime = INT64_MIN / 2;   // Before any row; sums with it do not overflow.

/// One input: what is kept of it and how far it sees.
struct JoinSide {
  JoinSide(std::vector<DataType> types, int key_columns) : buffer(std::move(types), key_columns) {}
  JoinBuffer buffer;
  std::string store_name;
  StateStore* store = nullptr;
  std::vector<int> kept_columns;      // Of the input, behind the key.
  std::vector<int> output_columns;    // Of the buffer.
  int64_t look_back = 0;              // Rows of the other side that match are at most so much
  int64_t look_ahead = 0;             // earlier, or later.
  bool is_outer = false;
  int64_t stream_time = kNoTime;      // The minimum over its upstream partitions.
};

class StreamStreamJoin : public Operator {
 public:
  StreamStreamJoin(const physical::StreamStreamJoin& node, JoinSide left, JoinSide right)
      : node_(node),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        kept_for_(node.before_ms + node.after_ms + node.grace_ms),
        waits_(node.has_grace && node.join != JoinKind::kInner),
        sides_{std::move(left), std::move(right)},
        times_name_(fmt::format("{}-times", sides_[0].store_name)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    for (JoinSide& side : sides_) {
      side.store = &context.Store(side.store_name);
      WEIR_RETURN_IF_ERROR(side.buffer.Load(*side.store));
    }
    return LoadTimes();
  }

  Status OnBatch(int input, Chunk chunk) override;
  Status OnStreamTime(int input, int64_t stream_time) override;
  Status OnBarrier() override;

 private:
  int key_columns() const { return node_.key_columns + (windowed_ ? 2 : 0); }
  Chunk SelectRows(int input, const Chunk& chunk);
  void Store(int input, const Chunk& rows, const Column* clock);
  Status ProbeAll(int input, const Chunk& rows, const Column* clock, bool single_upstream);
  void FindMatches(int input, uint32_t key, int64_t time);
  void EmitMatches(int input, RowRef own, int64_t time);
  void HandleUnmatched(int input, int32_t row, RowRef own, int64_t time, int64_t now);
  void EmitExpired();
  void Push(int input, RowRef own, RowRef other, int64_t time);
  Status Flush(int input, const Chunk* rows);
  Chunk Joined(int input, const Chunk* rows, size_t from, size_t count);
  Status LoadTimes();

  const physical::StreamStreamJoin node_;
  const bool windowed_;
  const int64_t kept_for_;
  const bool waits_;
  JoinSide sides_[2];
  const std::string times_name_;
  int64_t shared_time_ = kNoTime;      // The higher of both sides'.
  bool times_dirty_ = false;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;

  // Of the batch at hand.
  RowNumbers numbers_, all_;
  std::vector<int32_t> rows_, timely_;
  std::vector<int64_t> ordinals_;      // In the own buffer; -1: too late to be kept.
  std::vector<uint32_t> ids_;
  std::vector<int64_t> matches_;
  JoinPairs pairs_;
};

// The rows that take part, flat, as the buffers have them: key, window, kept columns.
Chunk StreamStreamJoin::SelectRows(int input, const Chunk& chunk) {
  rows_.clear();
  const auto keys = std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  const int64_t nulls = SelectNonNull(keys, numbers_.Of(chunk), rows_);
  if (nulls > 0) context_->counters().Dropped("null_join_key", nulls);
  if (chunk.ops) {
    const size_t before = rows_.size();
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kDelete; });
    if (rows_.size() < before) {
      context_->counters().Dropped("null_value", static_cast<int64_t>(before - rows_.size()));
    }
  }
  Chunk kept;
  kept.rows = chunk.rows;
  kept.columns.assign(keys.begin(), keys.end());
  if (windowed_) {
    kept.columns.push_back(chunk.sys(SystemColumn::kWindowStart));
    kept.columns.push_back(chunk.sys(SystemColumn::kWindowEnd));
  }
  for (int column : sides_[input].kept_columns) kept.columns.push_back(chunk.columns[column]);
  kept.sys(SystemColumn::kRowTime) = chunk.row_time();
  kept.sys(SystemColumn::kStreamTime) = chunk.sys(SystemColumn::kStreamTime);
  if (static_cast<int32_t>(rows_.size()) == chunk.rows) return kept;
  return GatherChunk(kept, rows_);
}

Status StreamStreamJoin::OnBatch(int input, Chunk chunk) {
  const Chunk rows = SelectRows(input, chunk);
  if (rows.rows == 0) return OkStatus();
  const Column* clock = rows.sys(SystemColumn::kStreamTime).get();
  Store(input, rows, clock);
  const auto keys = std::span(rows.columns).first(static_cast<size_t>(key_columns()));
  sides_[1 - input].buffer.Find(keys, all_.Of(rows), ids_);
  // Fed by one partition, the rows themselves say how far time is; behind an exchange with several
  // upstreams only OnStreamTime does.
  return ProbeAll(input, rows, clock, chunk.source_partition >= 0);
}

void StreamStreamJoin::Store(int input, const Chunk& rows, const Column* clock) {
  JoinSide& own = sides_[input];
  const auto times = rows.row_time()->values<int64_t>();
  ordinals_.assign(rows.rows, -1);
  timely_.clear();
  int64_t late = 0, late_after_idle = 0;
  for (int32_t row = 0; row < rows.rows; ++row) {
    const int64_t kept_until = times[row] + kept_for_;
    if (clock != nullptr && kept_until <= clock->values<int64_t>()[row]) {
      ++late;
    } else if (kept_until <= own.stream_time) {
      ++late_after_idle;
    } else {
      timely_.push_back(row);
    }
  }
  if (late > 0) context_->counters().Dropped("late", late);
  if (late_after_idle > 0) context_->counters().Dropped("late_after_idle", late_after_idle);
  if (timely_.empty()) return;
  const bool all = static_cast<int32_t>(timely_.size()) == rows.rows;
  int64_t ordinal = own.buffer.Append(all ? rows : GatherChunk(rows, timely_));
  for (int32_t row : timely_) ordinals_[row] = ordinal++;
}

Status StreamStreamJoin::ProbeAll(int input, const Chunk& rows, const Column* clock,
                                  bool single_upstream) {
  pairs_.Clear();
  const auto times = rows.row_time()->values<int64_t>();
  const uint32_t own_block = sides_[input].buffer.extra_block();
  for (int32_t row = 0; row < rows.rows; ++row) {
    if ((row & 31) == 0) CheckInterrupt();   // A key may have any number of rows.
    const int64_t time = times[row];
    if (single_upstream && time > shared_time_) {
      shared_time_ = time;
      times_dirty_ = true;
      if (waits_) EmitExpired();
    }
    const RowRef own{own_block, row};
    FindMatches(input, ids_[row], time);
    if (!matches_.empty()) {
      EmitMatches(input, own, time);
    } else if (sides_[input].is_outer) {
      const bool own_clock = !single_upstream && clock != nullptr;
      const int64_t now = own_clock ? clock->values<int64_t>()[row] : shared_time_;
      HandleUnmatched(input, row, own, time, now);
    }
    if (pairs_.size() >= static_cast<size_t>(limits::kBatchRowsMax)) {
      WEIR_RETURN_IF_ERROR(Flush(input, &rows));
    }
  }
  return Flush(input, &rows);
}

// Rows of the other side within the window, earliest first, those of one time as they came.
inline void StreamStreamJoin::FindMatches(int input, uint32_t key, int64_t time) {
  matches_.clear();
  if (key == GroupTable::kNone) return;
  const JoinSide& own = sides_[input];
  const JoinSide& other = sides_[1 - input];
  const int64_t from = std::max(time - own.look_back, other.stream_time - kept_for_ + 1);
  const int64_t to = time + own.look_ahead;
  for (int64_t row = other.buffer.Head(key); row >= 0; row = other.buffer.Previous(row)) {
    const int64_t row_time = other.buffer.Time(row);
    if (row_time >= from && row_time <= to) matches_.push_back(row);
  }
  if (matches_.size() < 2) return;
  std::sort(matches_.begin(), matches_.end(), [&](int64_t a, int64_t b) {
    const int64_t x = other.buffer.Time(a);
    const int64_t y = other.buffer.Time(b);
    return x != y ? x < y : a < b;
  });
}

void StreamStreamJoin::EmitMatches(int input, RowRef own, int64_t time) {
  JoinSide& other = sides_[1 - input];
  for (int64_t match : matches_) {
    if (waits_) other.buffer.ClearWaiting(match);
    Push(input, own, other.buffer.Locate(match), std::max(time, other.buffer.Time(match)));
  }
}

void StreamStreamJoin::HandleUnmatched(int input, int32_t row, RowRef own, int64_t time,
                                       int64_t now) {
  const bool passed = time + sides_[input].look_ahead < now;
  if (!waits_ || passed || ordinals_[row] < 0) return Push(input, own, RowRef(), time);
  sides_[input].buffer.SetWaiting(ordinals_[row]);
}

// Rows whose windows have closed come out alone, in order of time, the right side's first.
void StreamStreamJoin::EmitExpired() {
  while (true) {
    int first = -1;
    std::pair<int64_t, int64_t> earliest;
    for (int input : {1, 0}) {
      JoinSide& side = sides_[input];
      std::pair<int64_t, int64_t> row;
      if (!side.is_outer || !side.buffer.EarliestWaiting(row)) continue;
      if (row.first + side.look_ahead + node_.grace_ms >= shared_time_) continue;
      if (first >= 0 && row.first >= earliest.first) continue;
      first = input;
      earliest = row;
    }
    if (first < 0) return;
    Push(first, sides_[first].buffer.Locate(earliest.second), RowRef(), earliest.first);
    sides_[first].buffer.ClearWaiting(earliest.second);
  }
}

inline void StreamStreamJoin::Push(int input, RowRef own, RowRef other, int64_t time) {
  if (input == 0) {
    pairs_.Push(own, other, time);
  } else {
    pairs_.Push(other, own, time);
  }
}

// Puts the pairs together and hands them on. `rows` are those of the batch of side `input`.
Status StreamStreamJoin::Flush(int input, const Chunk* rows) {
  Status emitted = InParts(
      pairs_.size(), nullptr,
      [&](size_t from, size_t count) { return Joined(input, rows, from, count); },
      [this](Chunk joined) { return out_.Emit(std::move(joined)); });
  pairs_.Clear();
  return emitted;
}

Chunk StreamStreamJoin::Joined(int input, const Chunk* rows, size_t from, size_t count) {
  const std::span<const RowRef> refs[] = {std::span(pairs_.left).subspan(from, count),
                                          std::span(pairs_.right).subspan(from, count)};
  auto gather = [&](int side, int column) {
    const Column* extra = rows != nullptr && side == input ? rows->columns[column].get() : nullptr;
    return sides_[side].buffer.Gather(column, refs[side], extra);
  };
  const bool left_missing = sides_[1].is_outer;
  auto key = [&](int column) {
    return left_missing ? MergeKeys(gather(0, column), gather(1, column), refs[0])
                        : gather(0, column);
  };
  Chunk out;
  out.rows = static_cast<int32_t>(count);
  for (int column = 0; column < node_.key_columns; ++column) out.columns.push_back(key(column));
  for (int side : {0, 1}) {
    for (int column : sides_[side].output_columns) out.columns.push_back(gather(side, column));
  }
  out.sys(SystemColumn::kRowTime) = MakeTimes(std::span(pairs_.times).subspan(from, count));
  if (windowed_) {
    out.sys(SystemColumn::kWindowStart) = key(node_.key_columns);
    out.sys(SystemColumn::kWindowEnd) = key(node_.key_columns + 1);
  }
  out.source_partition = context_->partition();
  return out;
}

Status StreamStreamJoin::OnStreamTime(int input, int64_t stream_time) {
  JoinSide& side = sides_[input];
  if (stream_time > side.stream_time) {
    side.stream_time = stream_time;
    shared_time_ = std::max(shared_time_, stream_time);
    times_dirty_ = true;
  }
  if (waits_) {
    EmitExpired();
    WEIR_RETURN_IF_ERROR(Flush(input, nullptr));
  }
  side.buffer.Expire(side.stream_time - kept_for_);
  const int64_t both = std::min(sides_[0].stream_time, sides_[1].stream_time);
  return both == kNoTime ? OkStatus() : Advance(both);
}

Status StreamStreamJoin::OnBarrier() {
  size_t bytes = 0;
  for (JoinSide& side : sides_) {
    side.buffer.Save(*side.store);
    bytes += side.buffer.ByteSize();
  }
  if (times_dirty_) {
    std::string value;
    for (int64_t time : {sides_[0].stream_time, sides_[1].stream_time, shared_time_}) {
      AppendOrdered64(time, value);
    }
    context_->Store(times_name_).Put("times", value);
    times_dirty_ = false;
  }
  memory_.Update(*context_, bytes);
  return OkStatus();
}

Status StreamStreamJoin::LoadTimes() {
  return context_->Store(times_name_).Scan("", "", [&](std::string_view, std::string_view value) {
    for (int64_t* time : {&sides_[0].stream_time, &sides_[1].stream_time, &shared_time_}) {
      if (!ReadOrdered64(value, *time)) return false;
    }
    return true;
  });
}

// Key columns are kept once; the others that the output has, behind them.
JoinSide MakeSide(const physical::StreamStreamJoin& node, int input) {
  const Schema& schema = *node.inputs[input]->schema;
  const bool windowed = node.windowed_key != physical::WindowKind::kNone;
  std::vector<DataType> types;
  for (int key = 0; key < node.key_columns; ++key) types.push_back(schema.columns[key].type);
  if (windowed) types.insert(types.end(), 2, DataType::Bigint());
  const auto keys = static_cast<int>(types.size());
  std::vector<int> kept, outputs;
  for (int column : input == 0 ? node.left_columns : node.right_columns) {
    if (column < node.key_columns) {
      outputs.push_back(column);
      continue;
    }
    auto found = std::find(kept.begin(), kept.end(), column);
    outputs.push_back(keys + static_cast<int>(found - kept.begin()));
    if (found != kept.end()) continue;
    kept.push_back(column);
    types.push_back(schema.columns[column].type);
  }
  JoinSide side(std::move(types), keys);
  side.kept_columns = std::move(kept);
  side.output_columns = std::move(outputs);
  side.store_name = node.stores.size() > 1 ? node.stores[input].name
                                           : fmt::format("join-{}-{}", node.id, input);
  side.look_back = input == 0 ? node.before_ms : node.after_ms;
  side.look_ahead = input == 0 ? node.after_ms : node.before_ms;
  side.is_outer = node.join == JoinKind::kFull ||
                  node.join == (input == 0 ? JoinKind::kLeft : JoinKind::kRight);
  return side;
}

}  // namespace

OperatorResult MakeStreamStreamJoin(const physical::StreamStreamJoin& node) {
  return std::unique_ptr<Operator>(
      std::make_unique<StreamStreamJoin>(node, MakeSide(node, 0), MakeSide(node, 1)));
}

}  // namespace weir
