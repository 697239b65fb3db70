// Windowed join of two streams, as Kafka Streams' KStreamKStreamJoin. Each side keeps its rows in
// columnar blocks; a batch of one side looks all its keys up in the other side's index, and what
// matches is put together column by column.
//
// Batches of both sides are held until EmitPending says that what belongs together has come. Then
// their rows take turns by the stream time of their sides, the left one's first where those are
// equal: what a row meets does not depend on how long the batches are.
//
// Where the join has a condition, it is asked ahead for the pairs of many turns at once: what a row
// meets does not depend on which pairs there are.
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
//
// Kafka Streams looks for closed windows only now and then: by the latest row that waited when it
// last looked. Without extensions the join does so too; else rows come out as soon as they may.

#include <algorithm>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/join_output.h"
#include "exec/operators/key_order.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/state/join_buffer/join_buffer.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

using physical::JoinKind;

constexpr int64_t kNoTime = INT64_MIN / 2;   // Before any row; sums with it do not overflow.
/// Rows that come out alone at once, but for more of one time.
constexpr size_t kClosedRowsMax = 16384;

/// One input: what is kept of it and how far it sees.
struct JoinSide {
  JoinSide(std::vector<DataType> types, int key_columns) : buffer(std::move(types), key_columns) {}
  JoinBuffer buffer;
  std::string store_name;
  StateStore* store = nullptr;
  std::vector<int> kept_columns;      // Of the input, behind the key.
  std::vector<int> output_columns;    // Of the buffer.
  std::vector<int> buffer_column;     // By column of the input; -1: not kept.
  int64_t look_back = 0;              // Rows of the other side that match are at most so much
  int64_t look_ahead = 0;             // earlier, or later.
  bool is_outer = false;
  int64_t stream_time = kNoTime;      // The minimum over its upstream partitions.
  int64_t told_time = kNoTime;        // The same, as told; counts once the rows held are through.

  // The rows held.
  Chunk rows;
  const int64_t* times = nullptr;
  const int64_t* clock = nullptr;     // Stream time of each row's source partition.
  bool single_upstream = true;        // One partition feeds them.
  // Highest time up to each row, rows without value included: the clock, or what was made here.
  const int64_t* reached = nullptr;
  std::vector<int64_t> made_reached;
  int64_t reached_last = kNoTime;     // At the end of the batch.
  std::vector<int64_t> ordinals;      // In the buffer; -1: too late to be kept.
  std::vector<uint32_t> ids;          // Of their keys, on the other side.
  // Those from row fetched_from up to fetched_to have had the other side's cold rows read back,
  // where their keys have these ids.
  std::vector<uint32_t> fetched_ids;
  int32_t fetched_from = 0;
  int32_t fetched_to = 0;
  int64_t arrived = 0;                // Rows of the buffer from here on have not had their turn.
  FetchedRows fetched;                // Of the buffer, for rows of the other side.
  FetchedRows fetched_closed;         // Of the buffer, to come out alone.

  /// The time by which rows of this side are expired.
  int64_t now = kNoTime;
};

/// Whose turn it is: the rows held, by the stream time of their sides, the left one's first.
class Turns {
 public:
  explicit Turns(const JoinSide (&sides)[2]) : sides_(sides) {
    for (int input : {0, 1}) {
      if (sides_[input].rows.rows > 0) turn_[input] = sides_[input].clock[0];
    }
  }
  bool AtEnd() const { return IsThrough(0) && IsThrough(1); }
  int input() const {
    return IsThrough(1) || (!IsThrough(0) && turn_[0] <= turn_[1]) ? 0 : 1;
  }
  int32_t row(int input) const { return next_[input]; }
  int32_t taken() const { return next_[0] + next_[1]; }
  void Take(int input) {
    if (++next_[input] == sides_[input].rows.rows) return;
    // Of several partitions behind an exchange each has a time of its own.
    turn_[input] = std::max(turn_[input], sides_[input].clock[next_[input]]);
  }

 private:
  bool IsThrough(int input) const { return next_[input] == sides_[input].rows.rows; }

  const JoinSide (&sides_)[2];
  int32_t next_[2] = {0, 0};
  int64_t turn_[2] = {kNoTime, kNoTime};
};

class StreamStreamJoin : public Operator {
 public:
  StreamStreamJoin(const physical::StreamStreamJoin& node, JoinSide left, JoinSide right,
                   std::unique_ptr<PairCondition> condition)
      : node_(node),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        kept_for_(node.before_ms + node.after_ms + node.grace_ms),
        waits_(node.has_grace && node.join != JoinKind::kInner),
        sides_{std::move(left), std::move(right)},
        condition_(std::move(condition)),
        times_name_(node.StoreName(physical::StoreKind::kJoinTimes)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    commit_bytes_max_ =
        static_cast<size_t>(context.setting("commit.bytes.max", int64_t{16} << 20));
    looks_rarely_ = waits_ && context.setting("sql.extensions", 1) == 0;
    for (JoinSide& side : sides_) {
      side.store = &context.Store(side.store_name);
      WEIR_RETURN_IF_ERROR(Named(side, side.buffer.Load(*side.store, [this] {
        memory_.Update(*context_, ByteSize());
        Shrink();
      })));
      std::pair<int64_t, int64_t> waiting;
      bool waits = false;
      WEIR_RETURN_IF_ERROR(
          Named(side, side.buffer.EarliestWaiting(INT64_MAX, waiting, &waits)));
      if (waits) look_from_ = std::min(look_from_, waiting.first);
    }
    WEIR_RETURN_IF_ERROR(LoadTimes());
    for (JoinSide& side : sides_) side.told_time = side.now = side.stream_time;
    return OkStatus();
  }

  Status OnBatch(int input, Chunk chunk) override;
  Status OnStreamTime(int input, int64_t stream_time) override;
  Status EmitPending() override { return holds_ ? ProcessHeld() : OkStatus(); }
  Status OnBarrier() override;
  Status OnCommitted() override {
    Shrink();
    return OkStatus();
  }

 private:
  // A row that has waited long enough.
  struct Closed {
    int64_t time;
    int input;
    int64_t ordinal;
    RowRef ref;
  };
  // A row of the other side; `fetched` is its number among those read back, -1 if it is hot.
  struct Match {
    int64_t time;
    int64_t ordinal;
    int32_t fetched;
  };

  int key_columns() const { return node_.key_columns + (windowed_ ? 2 : 0); }
  void SelectRows(int input, const Chunk& chunk);
  Status ProcessHeld();
  void Store(JoinSide& own);
  Status FetchCold(int input, int32_t row);
  Status TakeRow(int input, int32_t row);
  void Arrive(JoinSide& own, int32_t row);
  void FindMatches(int input, int32_t row, int64_t time);
  Status JudgeAhead(Turns turns);
  void TakeJudged();
  static RowRef RefOf(const JoinSide& side, const Match& match) {
    return match.fetched < 0 ? side.buffer.Locate(match.ordinal)
                             : RowRef{side.fetched.piece, match.fetched};
  }
  void EmitMatches(int input, RowRef own, int64_t time);
  void HandleUnmatched(int input, int32_t row, RowRef own, int64_t time, int64_t now);
  // Rows with times below have waited long enough.
  int64_t ClosedBefore(const JoinSide& side) const {
    return shared_time_ - side.look_ahead - node_.grace_ms;
  }
  Status EmitClosed();
  Status TakeClosed(bool* more);
  Status EmitClosedAsKafka(int input);
  int ClosedSideOrder(const Closed& row) const;
  void SortClosed();
  Status PushClosed();
  Status PushClosedCold();
  void Push(int input, RowRef own, RowRef other, int64_t time);
  Status Flush();
  ColumnPtr GatherSide(int side, int column, std::span<const RowRef> refs);
  Chunk Joined(size_t from, size_t count);
  Status ApplyTimes();
  Status LoadTimes();
  size_t ByteSize() const { return sides_[0].buffer.ByteSize() + sides_[1].buffer.ByteSize(); }
  void Shrink();
  static Status Named(const JoinSide& side, Status status);

  const physical::StreamStreamJoin node_;
  const bool windowed_;
  const int64_t kept_for_;
  const bool waits_;
  bool looks_rarely_ = false;
  size_t commit_bytes_max_ = 0;
  JoinSide sides_[2];
  const std::unique_ptr<PairCondition> condition_;
  const std::string times_name_;
  int64_t shared_time_ = kNoTime;      // The higher of both sides'.
  int64_t look_from_ = INT64_MAX;      // No row that waits is earlier, as Kafka Streams sees it.
  bool times_dirty_ = false;
  bool holds_ = false;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;

  // Of the batch at hand.
  RowNumbers numbers_, all_;
  std::vector<int32_t> rows_, timely_;
  std::vector<int64_t> stored_;
  std::vector<int32_t> keyed_;         // Rows with a key, those without a value among them.
  std::vector<Match> matches_;
  std::vector<int64_t> match_from_, match_to_;
  std::vector<Closed> closed_;
  std::vector<std::pair<int64_t, int64_t>> waiting_;
  JoinPairs pairs_;

  // With a condition: what the rows of the turns up to judged_until_ may match, and whether they do.
  int32_t judged_until_ = 0;
  std::vector<Match> candidates_;
  std::vector<size_t> candidates_until_;   // By turn: its candidates end here.
  JoinPairs candidate_pairs_;
  std::vector<uint8_t> passes_;
  size_t next_judged_ = 0;                 // Of these turns.
};

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
  side.rows = static_cast<int32_t>(rows_.size()) == chunk.rows ? std::move(kept)
                                                               : GatherChunk(kept, rows_);
  side.times = side.rows.row_time()->values<int64_t>().data();
  const ColumnPtr& clock = side.rows.sys(SystemColumn::kStreamTime);
  side.clock = clock ? clock->values<int64_t>().data() : side.times;
  side.reached = side.clock;
  if (keyed_.size() <= rows_.size()) return;
  const auto times = chunk.row_time()->values<int64_t>();
  side.made_reached.clear();
  int64_t highest = kNoTime;
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

// Stores the rows held and lets them take their turns.
Status StreamStreamJoin::ProcessHeld() {
  holds_ = false;
  for (JoinSide& side : sides_) Store(side);
  for (int input : {0, 1}) {
    JoinSide& own = sides_[input];
    if (own.rows.rows == 0) continue;
    const auto keys = std::span(own.rows.columns).first(static_cast<size_t>(key_columns()));
    sides_[1 - input].buffer.Find(keys, all_.Of(own.rows), own.ids);
    own.fetched_to = sides_[1 - input].buffer.has_cold() ? 0 : own.rows.rows;
  }
  pairs_.Clear();
  judged_until_ = 0;
  for (Turns turns(sides_); !turns.AtEnd();) {
    if ((turns.taken() & 31) == 0) CheckInterrupt();   // A key may have any number of rows.
    const int input = turns.input();
    const int32_t row = turns.row(input);
    if (row >= sides_[input].fetched_to) WEIR_RETURN_IF_ERROR(FetchCold(input, row));
    if (condition_ != nullptr && turns.taken() == judged_until_) {
      WEIR_RETURN_IF_ERROR(JudgeAhead(turns));
    }
    WEIR_RETURN_IF_ERROR(TakeRow(input, row));
    if (pairs_.size() >= static_cast<size_t>(limits::kBatchRowsMax)) {
      WEIR_RETURN_IF_ERROR(Flush());
    }
    turns.Take(input);
  }
  WEIR_RETURN_IF_ERROR(Flush());
  for (JoinSide& side : sides_) {
    side.rows = Chunk();
    side.buffer.Release(side.fetched);
    if (side.single_upstream) shared_time_ = std::max(shared_time_, side.reached_last);
  }
  WEIR_RETURN_IF_ERROR(ApplyTimes());
  size_t unsaved = 0;
  for (const JoinSide& side : sides_) unsaved += side.buffer.UnsavedBytes();
  if (unsaved > commit_bytes_max_) context_->AskForCommit();
  return OkStatus();
}

void StreamStreamJoin::Store(JoinSide& own) {
  own.arrived = own.buffer.next_ordinal();
  const Chunk& rows = own.rows;
  if (rows.rows == 0) return;
  own.ordinals.assign(rows.rows, -1);
  timely_.clear();
  int64_t late = 0, late_after_idle = 0;
  for (int32_t row = 0; row < rows.rows; ++row) {
    const int64_t kept_until = own.times[row] + kept_for_;
    const int64_t now = own.clock[row];
    if (kept_until > std::max(now, own.stream_time)) {
      timely_.push_back(row);
    } else if (kept_until <= now) {
      ++late;
      // Nothing finds it any more, but its own window may end just now.
      if (waits_ && kept_until == now) timely_.push_back(row);
    } else {
      ++late_after_idle;
    }
  }
  if (late > 0) context_->counters().Dropped("late", late);
  if (late_after_idle > 0) context_->counters().Dropped("late_after_idle", late_after_idle);
  if (timely_.empty()) return;
  const bool all = static_cast<int32_t>(timely_.size()) == rows.rows;
  own.buffer.Append(all ? rows : GatherChunk(rows, timely_), stored_);
  own.arrived = stored_.front();
  for (size_t i = 0; i < timely_.size(); ++i) own.ordinals[timely_[i]] = stored_[i];
}

// Reads what rows of one side may match of the other side's cold rows, from one row on.
Status StreamStreamJoin::FetchCold(int input, int32_t row) {
  JoinSide& own = sides_[input];
  JoinSide& other = sides_[1 - input];
  WEIR_RETURN_IF_ERROR(Flush());   // Pairs have rows that were read before.
  const auto rows = all_.Of(own.rows).subspan(static_cast<size_t>(row));
  const int64_t kept_from = other.now - kept_for_ + 1;
  match_from_.clear();
  match_to_.clear();
  for (int32_t each : rows) {
    match_from_.push_back(std::max(own.times[each] - own.look_back, kept_from));
    match_to_.push_back(own.times[each] + own.look_ahead);
  }
  const auto keys = std::span(own.rows.columns).first(static_cast<size_t>(key_columns()));
  size_t covered = 0;
  WEIR_RETURN_IF_ERROR(Named(other, other.buffer.Fetch(keys, rows, match_from_, match_to_,
                                                       other.fetched, &covered)));
  own.fetched_from = row;
  own.fetched_to = row + static_cast<int32_t>(covered);
  if (!other.fetched.empty()) {
    other.fetched.keys->Find(keys, rows.first(covered), {}, own.fetched_ids);
  }
  return OkStatus();
}

// One row's turn: it meets the rows of the other side that came before it.
inline Status StreamStreamJoin::TakeRow(int input, int32_t row) {
  JoinSide& own = sides_[input];
  const int64_t time = own.times[row];
  if (own.single_upstream) {
    if (own.reached[row] > shared_time_) {
      shared_time_ = own.reached[row];
      times_dirty_ = true;
      if (waits_ && !looks_rarely_) WEIR_RETURN_IF_ERROR(EmitClosed());
    }
    if (looks_rarely_ && time == shared_time_) WEIR_RETURN_IF_ERROR(EmitClosedAsKafka(input));
  }
  const RowRef self{JoinBuffer::kExtraBlock, row};
  if (condition_ == nullptr) {
    FindMatches(input, row, time);
  } else {
    TakeJudged();
  }
  if (!matches_.empty()) {
    EmitMatches(input, self, time);
  } else if (own.is_outer) {
    HandleUnmatched(input, row, self, time, own.single_upstream ? shared_time_ : own.clock[row]);
  }
  Arrive(own, row);
  return OkStatus();
}

// The other side sees the row from now on.
inline void StreamStreamJoin::Arrive(JoinSide& own, int32_t row) {
  if (own.ordinals[row] >= 0) own.arrived = own.ordinals[row] + 1;
  if (own.single_upstream) own.now = std::max(own.now, own.clock[row]);
}

// Finds what the rows meet whose turns come next, and asks the condition.
Status StreamStreamJoin::JudgeAhead(Turns turns) {
  const std::pair<int64_t, int64_t> seen[2] = {{sides_[0].arrived, sides_[0].now},
                                               {sides_[1].arrived, sides_[1].now}};
  candidates_.clear();
  candidates_until_.clear();
  candidate_pairs_.Clear();
  while (!turns.AtEnd() && candidates_.size() < static_cast<size_t>(limits::kBatchRowsMax)) {
    if ((turns.taken() & 31) == 0) CheckInterrupt();
    const int input = turns.input();
    JoinSide& own = sides_[input];
    const int32_t row = turns.row(input);
    if (row >= own.fetched_to) break;   // Cold rows are read back first.
    FindMatches(input, row, own.times[row]);
    const RowRef self{JoinBuffer::kExtraBlock, row};
    for (const Match& match : matches_) {
      const RowRef other = RefOf(sides_[1 - input], match);
      candidates_.push_back(match);
      candidate_pairs_.Push(input == 0 ? self : other, input == 0 ? other : self, 0);
    }
    candidates_until_.push_back(candidates_.size());
    Arrive(own, row);
    turns.Take(input);
  }
  for (int input : {0, 1}) std::tie(sides_[input].arrived, sides_[input].now) = seen[input];
  judged_until_ = turns.taken();
  next_judged_ = 0;
  return condition_->Judge(
      *context_, candidates_.size(),
      [this](int input, int column, size_t from, size_t count) {
        const std::vector<RowRef>& refs = input == 0 ? candidate_pairs_.left
                                                     : candidate_pairs_.right;
        return GatherSide(input, sides_[input].buffer_column[column],
                          std::span(refs).subspan(from, count));
      },
      passes_);
}

// The matches of the next turn, as JudgeAhead found them.
inline void StreamStreamJoin::TakeJudged() {
  matches_.clear();
  size_t from = next_judged_ == 0 ? 0 : candidates_until_[next_judged_ - 1];
  for (; from < candidates_until_[next_judged_]; ++from) {
    if (passes_[from] != 0) matches_.push_back(candidates_[from]);
  }
  ++next_judged_;
}

// Rows of the other side within the window, earliest first, those of one time as they came.
inline void StreamStreamJoin::FindMatches(int input, int32_t row, int64_t time) {
  matches_.clear();
  const JoinSide& own = sides_[input];
  const JoinSide& other = sides_[1 - input];
  const int64_t from = std::max(time - own.look_back, other.now - kept_for_ + 1);
  const int64_t to = time + own.look_ahead;
  if (const uint32_t key = own.ids[row]; key != GroupTable::kNone) {
    for (int64_t at = other.buffer.Head(key); at >= 0; at = other.buffer.Previous(at)) {
      const int64_t at_time = other.buffer.Time(at);
      if (at_time >= from && at_time <= to && at < other.arrived) {
        matches_.push_back({at_time, at, -1});
      }
    }
  }
  if (!other.fetched.empty()) {
    const FetchedRows& cold = other.fetched;
    const uint32_t key = own.fetched_ids[row - own.fetched_from];
    for (int32_t at = key == GroupTable::kNone ? -1 : cold.heads[key]; at >= 0;
         at = cold.previous[at]) {
      if (cold.times[at] >= from && cold.times[at] <= to) {
        matches_.push_back({cold.times[at], cold.ordinals[at], at});
      }
    }
  }
  if (matches_.size() < 2) return;
  // Latest first until here; most come in the order of their times.
  std::reverse(matches_.begin(), matches_.end());
  const auto earlier = [](const Match& a, const Match& b) { return a.time < b.time; };
  if (std::is_sorted(matches_.begin(), matches_.end(), earlier)) return;
  std::stable_sort(matches_.begin(), matches_.end(), earlier);
}

void StreamStreamJoin::EmitMatches(int input, RowRef own, int64_t time) {
  JoinSide& other = sides_[1 - input];
  for (const Match& match : matches_) {
    if (waits_) other.buffer.ClearWaiting(match.ordinal, match.time);
    Push(input, own, RefOf(other, match), std::max(time, match.time));
  }
}

void StreamStreamJoin::HandleUnmatched(int input, int32_t row, RowRef own, int64_t time,
                                       int64_t now) {
  const bool passed = time + sides_[input].look_ahead < now;
  const int64_t ordinal = sides_[input].ordinals[row];
  if (!waits_ || passed || ordinal < 0) return Push(input, own, RowRef(), time);
  sides_[input].buffer.SetWaiting(ordinal);
  look_from_ = std::min(look_from_, time);
}

// Rows whose windows have closed come out alone.
Status StreamStreamJoin::EmitClosed() {
  for (bool more = true; more;) {
    closed_.clear();
    WEIR_RETURN_IF_ERROR(TakeClosed(&more));
    WEIR_RETURN_IF_ERROR(PushClosed());
  }
  return OkStatus();
}

// Some of them, earliest first; all of one time together.
Status StreamStreamJoin::TakeClosed(bool* more) {
  *more = false;
  std::pair<int64_t, int64_t> rows[2];
  bool waits[2] = {false, false};
  auto look = [&](int input) {
    JoinSide& side = sides_[input];
    if (!side.is_outer) return OkStatus();
    return Named(side, side.buffer.EarliestWaiting(ClosedBefore(side), rows[input], &waits[input]));
  };
  for (int input : {0, 1}) WEIR_RETURN_IF_ERROR(look(input));
  while (waits[0] || waits[1]) {
    const int input = !waits[1] || (waits[0] && rows[0].first <= rows[1].first) ? 0 : 1;
    const auto [time, ordinal] = rows[input];
    if (closed_.size() >= kClosedRowsMax && closed_.back().time < time) {
      *more = true;
      return OkStatus();
    }
    closed_.push_back({time, input, ordinal, {}});
    sides_[input].buffer.ClearWaiting(ordinal, time);
    WEIR_RETURN_IF_ERROR(look(input));
  }
  return OkStatus();
}

// Kafka Streams looks when the earliest row that it knows to wait may have closed, by the window of
// the side that a row came from; and remembers the last row that it looked at for the earliest.
Status StreamStreamJoin::EmitClosedAsKafka(int input) {
  if (look_from_ + sides_[input].look_ahead + node_.grace_ms >= shared_time_) return OkStatus();
  look_from_ = INT64_MAX;
  closed_.clear();
  for (int side : {0, 1}) {
    if (!sides_[side].is_outer) continue;
    WEIR_RETURN_IF_ERROR(Named(sides_[side], sides_[side].buffer.Waiting(waiting_)));
    for (const auto& [time, ordinal] : waiting_) closed_.push_back({time, side, ordinal, {}});
  }
  std::sort(closed_.begin(), closed_.end(), [this](const Closed& a, const Closed& b) {
    return a.time != b.time ? a.time < b.time : ClosedSideOrder(a) < ClosedSideOrder(b);
  });
  bool open[2] = {false, false};
  size_t kept = 0;
  for (const Closed& row : closed_) {
    look_from_ = row.time;
    if (open[0] && open[1]) break;
    if (row.time >= ClosedBefore(sides_[row.input])) {
      open[row.input] = true;
      continue;
    }
    sides_[row.input].buffer.ClearWaiting(row.ordinal, row.time);
    closed_[kept++] = row;
  }
  closed_.resize(kept);
  return PushClosed();
}

// Of rows of one time those of the side first that is not the one whose rows all come out.
int StreamStreamJoin::ClosedSideOrder(const Closed& row) const {
  return row.input == (node_.join == JoinKind::kRight ? 1 : 0) ? 1 : 0;
}

// By time; then by side; then by the key's bytes, so that it does not matter who read faster; rows
// of one key as they came.
void StreamStreamJoin::SortClosed() {
  if (closed_.size() < 2) return;
  std::vector<KeyOrder> orders;
  std::vector<int32_t> places(closed_.size());
  for (int input : {0, 1}) {
    std::vector<RowRef> refs;
    for (size_t i = 0; i < closed_.size(); ++i) {
      if (closed_[i].input != input) continue;
      places[i] = static_cast<int32_t>(refs.size());
      refs.push_back(closed_[i].ref);
    }
    std::vector<ColumnPtr> keys;
    for (int column = 0; column < key_columns(); ++column) {
      keys.push_back(sides_[input].buffer.Gather(column, refs, nullptr));
    }
    orders.emplace_back(std::move(keys));
  }
  std::vector<size_t> order(closed_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    const Closed& a = closed_[i];
    const Closed& b = closed_[j];
    if (a.time != b.time) return a.time < b.time;
    if (a.input != b.input) return ClosedSideOrder(a) < ClosedSideOrder(b);
    const int keys = orders[a.input].Compare(places[i], places[j]);
    return keys != 0 ? keys < 0 : a.ordinal < b.ordinal;
  });
  std::vector<Closed> sorted;
  for (size_t i : order) sorted.push_back(closed_[i]);
  closed_ = std::move(sorted);
}

Status StreamStreamJoin::PushClosed() {
  if (closed_.empty()) return OkStatus();
  bool any_cold = false;
  for (Closed& row : closed_) {
    const JoinBuffer& buffer = sides_[row.input].buffer;
    if (buffer.IsCold(row.ordinal)) {
      any_cold = true;
    } else {
      row.ref = buffer.Locate(row.ordinal);
    }
  }
  if (any_cold) return PushClosedCold();
  SortClosed();
  for (const Closed& row : closed_) Push(row.input, row.ref, RowRef(), row.time);
  return OkStatus();
}

// Some of the rows are read back first.
Status StreamStreamJoin::PushClosedCold() {
  for (int input : {0, 1}) {
    JoinSide& side = sides_[input];
    std::vector<int64_t> ordinals;
    for (const Closed& row : closed_) {
      if (row.input == input && side.buffer.IsCold(row.ordinal)) ordinals.push_back(row.ordinal);
    }
    std::sort(ordinals.begin(), ordinals.end());
    WEIR_RETURN_IF_ERROR(
        Named(side, side.buffer.Fetch(std::move(ordinals), side.fetched_closed)));
    const std::vector<int64_t>& fetched = side.fetched_closed.ordinals;
    for (Closed& row : closed_) {
      if (row.input != input || !side.buffer.IsCold(row.ordinal)) continue;
      const auto at = std::lower_bound(fetched.begin(), fetched.end(), row.ordinal);
      row.ref = {side.fetched_closed.piece, static_cast<int32_t>(at - fetched.begin())};
    }
  }
  SortClosed();
  for (const Closed& row : closed_) Push(row.input, row.ref, RowRef(), row.time);
  WEIR_RETURN_IF_ERROR(Flush());
  for (JoinSide& side : sides_) side.buffer.Release(side.fetched_closed);
  return OkStatus();
}

inline void StreamStreamJoin::Push(int input, RowRef own, RowRef other, int64_t time) {
  if (input == 0) {
    pairs_.Push(own, other, time);
  } else {
    pairs_.Push(other, own, time);
  }
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
    WEIR_RETURN_IF_ERROR(Named(side, side.buffer.Expire(side.stream_time - kept_for_)));
  }
  const int64_t both = std::min(sides_[0].stream_time, sides_[1].stream_time);
  return both == kNoTime ? OkStatus() : Advance(both);
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
  side.store_name =
      node.StoreName(physical::StoreKind::kJoinBuffer, static_cast<size_t>(input));
  side.look_back = input == 0 ? node.before_ms : node.after_ms;
  side.look_ahead = input == 0 ? node.after_ms : node.before_ms;
  side.is_outer = node.join == JoinKind::kFull ||
                  node.join == (input == 0 ? JoinKind::kLeft : JoinKind::kRight);
  return side;
}

}  // namespace

OperatorResult MakeStreamStreamJoin(const physical::StreamStreamJoin& node) {
  WEIR_ASSIGN_OR_RETURN(
      std::unique_ptr<PairCondition> condition,
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
