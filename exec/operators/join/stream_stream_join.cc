#include "exec/operators/join/stream_stream_join.h"

#include "base/fault_points.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/factories.h"
#include "exec/state/row_codec.h"

namespace weir {

Status StreamStreamJoin::Open(TaskContext& context) {
  context_ = &context;
  commit_bytes_max_ = static_cast<size_t>(context.setting("commit.bytes.max", int64_t{16} << 20));
  looks_rarely_ = waits_ && context.setting("sql.extensions", 1) == 0;
  for (JoinSide& side : sides_) {
    side.store = &context.Store(side.store_name);
    WEIR_RETURN_IF_ERROR(Named(side, side.buffer.Load(*side.store, [this] {
      memory_.Update(*context_, ByteSize());
      Shrink();
    })));
    std::pair<int64_t, int64_t> waiting;
    bool waits = false;
    WEIR_RETURN_IF_ERROR(Named(side, side.buffer.EarliestWaiting(INT64_MAX, waiting, &waits)));
    if (waits) look_from_ = std::min(look_from_, waiting.first);
  }
  WEIR_RETURN_IF_ERROR(LoadTimes());
  for (JoinSide& side : sides_) side.told_time = side.now = side.stream_time;
  return OkStatus();
}

// The rows that take part, flat, as the buffers have them: key, window, kept columns.
void StreamStreamJoin::SelectRows(int input, const Chunk& chunk) {
  JoinSide& side = sides_[input];
  rows_.clear();
  const auto keys = std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  const int64_t nulls = SelectNonNull(keys, numbers_.Of(chunk), rows_);
  if (nulls > 0) context_->counters().Dropped("null_join_key", nulls);
  keyed_.clear();
  if (chunk.ops) {
    keyed_ = rows_;
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
  for (int column : side.kept_columns) kept.columns.push_back(chunk.columns[column]);
  kept.sys(SystemColumn::kRowTime) = chunk.row_time();
  kept.sys(SystemColumn::kStreamTime) = chunk.sys(SystemColumn::kStreamTime);
  side.rows =
      static_cast<int32_t>(rows_.size()) == chunk.rows ? std::move(kept) : GatherChunk(kept, rows_);
  side.times = side.rows.row_time()->values<int64_t>().data();
  const ColumnPtr& clock = side.rows.sys(SystemColumn::kStreamTime);
  side.clock = clock ? clock->values<int64_t>().data() : side.times;
  side.reached = side.clock;
  if (keyed_.size() <= rows_.size()) return;
  const auto times = chunk.row_time()->values<int64_t>();
  side.made_reached.clear();
  int64_t highest = kNoJoinTime;
  size_t at = 0;
  for (int32_t row : rows_) {
    while (keyed_[at] != row) highest = std::max(highest, times[keyed_[at++]]);
    highest = std::max({highest, times[row], side.clock[side.made_reached.size()]});
    side.made_reached.push_back(highest);
  }
  while (at < keyed_.size()) highest = std::max(highest, times[keyed_[at++]]);
  side.reached = side.made_reached.data();
  side.reached_last = std::max(side.reached_last, highest);
}

Status StreamStreamJoin::OnBatch(int input, Chunk chunk) {
  JoinSide& side = sides_[input];
  if (side.rows.rows > 0) WEIR_RETURN_IF_ERROR(ProcessHeld());
  SelectRows(input, chunk);
  // Fed by one partition, the rows themselves say how far time is; behind an exchange with several
  // upstreams only OnStreamTime does.
  side.single_upstream = chunk.source_partition >= 0;
  holds_ = true;
  return OkStatus();
}

// Puts the pairs together and hands them on.
Status StreamStreamJoin::Flush() {
  Status emitted = InParts(
      pairs_.size(), nullptr, [&](size_t from, size_t count) { return Joined(from, count); },
      [this](Chunk joined) { return out_.Emit(std::move(joined)); });
  pairs_.Clear();
  return emitted;
}

// A column of the buffer, or of the rows held.
ColumnPtr StreamStreamJoin::GatherSide(int side, int column, std::span<const RowRef> refs) {
  const Chunk& held = sides_[side].rows;
  const Column* extra = held.rows > 0 ? held.columns[column].get() : nullptr;
  return sides_[side].buffer.Gather(column, refs, extra);
}

Chunk StreamStreamJoin::Joined(size_t from, size_t count) {
  const std::span<const RowRef> refs[] = {std::span(pairs_.left).subspan(from, count),
                                          std::span(pairs_.right).subspan(from, count)};
  auto gather = [&](int side, int column) { return GatherSide(side, column, refs[side]); };
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
  sides_[input].told_time = std::max(sides_[input].told_time, stream_time);
  return holds_ ? OkStatus() : ApplyTimes();
}

// Expires rows, once those held are through.
Status StreamStreamJoin::ApplyTimes() {
  for (JoinSide& side : sides_) {
    if (side.told_time <= side.stream_time) continue;
    side.stream_time = side.told_time;
    side.now = std::max(side.now, side.stream_time);
    shared_time_ = std::max(shared_time_, side.stream_time);
    times_dirty_ = true;
  }
  const bool by_rows = sides_[0].single_upstream && sides_[1].single_upstream;
  if (waits_ && !(looks_rarely_ && by_rows)) {
    WEIR_RETURN_IF_ERROR(EmitClosed());
    WEIR_RETURN_IF_ERROR(Flush());
  }
  for (JoinSide& side : sides_) {
    int64_t limit = side.stream_time - kept_for_;
    if (looks_rarely_) {
      // Rows that wait to be looked at do not depend on where blocks end.
      std::pair<int64_t, int64_t> waiting;
      bool waits = false;
      WEIR_RETURN_IF_ERROR(Named(side, side.buffer.EarliestWaiting(limit, waiting, &waits)));
      if (waits) limit = waiting.first;
    }
    WEIR_RETURN_IF_ERROR(Named(side, side.buffer.Expire(limit)));
  }
  const int64_t both = std::min(sides_[0].stream_time, sides_[1].stream_time);
  return both == kNoJoinTime ? OkStatus() : Advance(both);
}

Status StreamStreamJoin::OnBarrier() {
  for (JoinSide& side : sides_) side.buffer.Save(*side.store);
  if (times_dirty_) {
    std::string value;
    for (int64_t time : {sides_[0].stream_time, sides_[1].stream_time, shared_time_}) {
      AppendOrdered64(time, value);
    }
    context_->Store(times_name_).Put("times", value);
    times_dirty_ = false;
  }
  memory_.Update(*context_, ByteSize());
  return OkStatus();
}

// Lets the blocks that are the oldest by time leave memory, as many as are too much.
void StreamStreamJoin::Shrink() {
  size_t held = ByteSize();
  const int64_t share = context_->MemoryShare(static_cast<int64_t>(held));
  if (static_cast<int64_t>(held) <= share) return;
  while (static_cast<int64_t>(held) > share) {
    const int64_t oldest[] = {sides_[0].buffer.OldestEvictable(),
                              sides_[1].buffer.OldestEvictable()};
    const int input = oldest[0] <= oldest[1] ? 0 : 1;
    if (oldest[input] == INT64_MAX) break;
    sides_[input].buffer.EvictOldest();
    PassFaultPoint("state_evicted");
    held = ByteSize();
  }
  for (JoinSide& side : sides_) side.buffer.Evicted();
  memory_.Update(*context_, ByteSize());
}

// An error of one side's store says which one it is.
Status StreamStreamJoin::Named(const JoinSide& side, Status status) {
  if (status.ok()) return status;
  return Status(status.code(), fmt::format("{} (store {})", status.message(), side.store_name))
      .WithHint(status.hint());
}

Status StreamStreamJoin::LoadTimes() {
  return context_->Store(times_name_).Scan("", "", [&](std::string_view, std::string_view value) {
    for (int64_t* time : {&sides_[0].stream_time, &sides_[1].stream_time, &shared_time_}) {
      if (!ReadOrdered64(value, *time)) return false;
    }
    return true;
  });
}

namespace {

// Key columns are kept once; behind them the others that the output has, then those that only the
// condition reads.
JoinSide MakeSide(const physical::StreamStreamJoin& node, int input,
                  std::span<const int> condition_columns) {
  const Schema& schema = *node.inputs[input]->schema;
  const bool windowed = node.windowed_key != physical::WindowKind::kNone;
  std::vector<DataType> types;
  for (int key = 0; key < node.key_columns; ++key) types.push_back(schema.columns[key].type);
  if (windowed) types.insert(types.end(), 2, DataType::Bigint());
  const auto keys = static_cast<int>(types.size());
  std::vector<int> kept, outputs;
  std::vector<int> place(static_cast<size_t>(schema.size()), -1);
  for (int key = 0; key < node.key_columns; ++key) place[key] = key;
  const auto keep = [&](int column) {
    if (place[column] >= 0) return place[column];
    place[column] = static_cast<int>(types.size());
    kept.push_back(column);
    types.push_back(schema.columns[column].type);
    return place[column];
  };
  for (int column : input == 0 ? node.left_columns : node.right_columns) {
    outputs.push_back(keep(column));
  }
  for (int column : condition_columns) keep(column);
  JoinSide side(std::move(types), keys);
  side.kept_columns = std::move(kept);
  side.output_columns = std::move(outputs);
  side.buffer_column = std::move(place);
  side.store_name = node.StoreName(physical::StoreKind::kJoinBuffer, static_cast<size_t>(input));
  side.look_back = input == 0 ? node.before_ms : node.after_ms;
  side.look_ahead = input == 0 ? node.after_ms : node.before_ms;
  side.is_outer =
      node.join == physical::JoinKind::kFull ||
      node.join == (input == 0 ? physical::JoinKind::kLeft : physical::JoinKind::kRight);
  return side;
}

}  // namespace

OperatorResult MakeStreamStreamJoin(const physical::StreamStreamJoin& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<PairCondition> condition,
                        PairCondition::Make(node.condition, node.inputs[0]->schema->size()));
  const auto side = [&](int input) {
    return MakeSide(node, input,
                    condition == nullptr ? std::span<const int>() : condition->columns(input));
  };
  JoinSide left = side(0);
  JoinSide right = side(1);
  return std::unique_ptr<Operator>(std::make_unique<StreamStreamJoin>(
      node, std::move(left), std::move(right), std::move(condition)));
}

}  // namespace weir
