// The rows that a join of two streams holds take their turns: what each of them meets.

#include <algorithm>
#include <tuple>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/operators/join/stream_stream_join.h"

namespace weir {

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
  for (JoinTurns turns(sides_); !turns.AtEnd();) {
    if ((turns.taken() & 31) == 0) CheckInterrupt();  // A key may have any number of rows.
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
  WEIR_RETURN_IF_ERROR(Flush());  // Pairs have rows that were read before.
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
  WEIR_RETURN_IF_ERROR(Named(
      other, other.buffer.Fetch(keys, rows, match_from_, match_to_, other.fetched, &covered)));
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
Status StreamStreamJoin::JudgeAhead(JoinTurns turns) {
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
    if (row >= own.fetched_to) break;  // Cold rows are read back first.
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
        const std::vector<RowRef>& refs =
            input == 0 ? candidate_pairs_.left : candidate_pairs_.right;
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

}  // namespace weir
