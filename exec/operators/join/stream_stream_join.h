#pragma once

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
//
// stream_stream_join.cc: what comes in, goes out and is kept; stream_stream_turns.cc: the turns of
// the rows; stream_stream_closed.cc: rows that come out alone.

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exec/operators/chunk_rows.h"
#include "exec/operators/join/join_output.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/operators/operator.h"
#include "exec/state/join_buffer/join_buffer.h"
#include "planner/physical/nodes.h"

namespace weir {

/// Before any row; sums with it do not overflow.
inline constexpr int64_t kNoJoinTime = INT64_MIN / 2;

/// One input: what is kept of it and how far it sees.
struct JoinSide {
  JoinSide(std::vector<DataType> types, int key_columns) : buffer(std::move(types), key_columns) {}
  JoinBuffer buffer;
  std::string store_name;
  StateStore* store = nullptr;
  std::vector<int> kept_columns;    // Of the input, behind the key.
  std::vector<int> output_columns;  // Of the buffer.
  std::vector<int> buffer_column;   // By column of the input; -1: not kept.
  int64_t look_back = 0;            // Rows of the other side that match are at most so much
  int64_t look_ahead = 0;           // earlier, or later.
  bool is_outer = false;
  int64_t stream_time = kNoJoinTime;  // The minimum over its upstream partitions.
  int64_t told_time = kNoJoinTime;    // The same, as told; counts once the rows held are through.

  // The rows held.
  Chunk rows;
  const int64_t* times = nullptr;
  const int64_t* clock = nullptr;  // Stream time of each row's source partition.
  bool single_upstream = true;     // One partition feeds them.
  // Highest time up to each row, rows without value included: the clock, or what was made here.
  const int64_t* reached = nullptr;
  std::vector<int64_t> made_reached;
  int64_t reached_last = kNoJoinTime;  // At the end of the batch.
  std::vector<int64_t> ordinals;       // In the buffer; -1: too late to be kept.
  std::vector<uint32_t> ids;           // Of their keys, on the other side.
  // Those from row fetched_from up to fetched_to have had the other side's cold rows read back,
  // where their keys have these ids.
  std::vector<uint32_t> fetched_ids;
  int32_t fetched_from = 0;
  int32_t fetched_to = 0;
  int64_t arrived = 0;         // Rows of the buffer from here on have not had their turn.
  FetchedRows fetched;         // Of the buffer, for rows of the other side.
  FetchedRows fetched_closed;  // Of the buffer, to come out alone.

  /// The time by which rows of this side are expired.
  int64_t now = kNoJoinTime;
};

/// Whose turn it is: the rows held, by the stream time of their sides, the left one's first.
class JoinTurns {
 public:
  explicit JoinTurns(const JoinSide (&sides)[2]) : sides_(sides) {
    for (int input : {0, 1}) {
      if (sides_[input].rows.rows > 0) turn_[input] = sides_[input].clock[0];
    }
  }
  bool AtEnd() const { return IsThrough(0) && IsThrough(1); }
  int input() const { return IsThrough(1) || (!IsThrough(0) && turn_[0] <= turn_[1]) ? 0 : 1; }
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
  int64_t turn_[2] = {kNoJoinTime, kNoJoinTime};
};

/// The operator; sides are by input.
class StreamStreamJoin final : public Operator {
 public:
  StreamStreamJoin(const physical::StreamStreamJoin& node, JoinSide left, JoinSide right,
                   std::unique_ptr<PairCondition> condition)
      : node_(node),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        kept_for_(node.before_ms + node.after_ms + node.grace_ms),
        waits_(node.has_grace && node.join != physical::JoinKind::kInner),
        sides_{std::move(left), std::move(right)},
        condition_(std::move(condition)),
        times_name_(node.StoreName(physical::StoreKind::kJoinTimes)) {}

  Status Open(TaskContext& context) override;
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
  Status JudgeAhead(JoinTurns turns);
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
  int64_t shared_time_ = kNoJoinTime;  // The higher of both sides'.
  int64_t look_from_ = INT64_MAX;      // No row that waits is earlier, as Kafka Streams sees it.
  bool times_dirty_ = false;
  bool holds_ = false;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;

  // Of the batch at hand.
  RowNumbers numbers_, all_;
  std::vector<int32_t> rows_, timely_;
  std::vector<int64_t> stored_;
  std::vector<int32_t> keyed_;  // Rows with a key, those without a value among them.
  std::vector<Match> matches_;
  std::vector<int64_t> match_from_, match_to_;
  std::vector<Closed> closed_;
  std::vector<std::pair<int64_t, int64_t>> waiting_;
  JoinPairs pairs_;

  // With a condition: what the rows of the turns up to judged_until_ may match, and if they do.
  int32_t judged_until_ = 0;
  std::vector<Match> candidates_;
  std::vector<size_t> candidates_until_;  // By turn: its candidates end here.
  JoinPairs candidate_pairs_;
  std::vector<uint8_t> passes_;
  size_t next_judged_ = 0;  // Of these turns.
};

inline void StreamStreamJoin::Push(int input, RowRef own, RowRef other, int64_t time) {
  if (input == 0) {
    pairs_.Push(own, other, time);
  } else {
    pairs_.Push(other, own, time);
  }
}

}  // namespace weir
