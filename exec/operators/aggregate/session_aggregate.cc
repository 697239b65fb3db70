// The way of the rows into sessions.

#include "exec/operators/aggregate/session_aggregate.h"

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate/grouped_rows.h"
#include "exec/operators/aggregate/stored_times.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

constexpr std::string_view kClosedKey = "closed";
constexpr std::string_view kHighestKey = "highest";
// Kafka Streams' store drops sessions in steps of half of what it keeps, at least of this.
constexpr int64_t kSegmentMsMin = 60'000;
// Sessions are found again by their ends in steps of this part of gap and grace.
constexpr int64_t kEndSteps = 64;

int64_t EndStepOf(const physical::StreamAggregate& node) {
  return std::max<int64_t>((node.window.size_ms + node.window.grace_ms) / kEndSteps, 1);
}

}  // namespace

SessionAggregate::SessionAggregate(const physical::StreamAggregate& node, AggregateCalls calls)
    : store_name_(node.StoreName(physical::StoreKind::kSessions)),
      times_name_(node.StoreName(physical::StoreKind::kWindowTimes)),
      schema_(node.schema),
      key_columns_(node.key_columns),
      gap_(node.window.size_ms),
      wait_(node.window.size_ms + node.window.grace_ms),
      end_step_(EndStepOf(node)),
      emit_final_(node.emit_final),
      retracts_(node.mode == physical::ChangeMode::kRetract),
      sessions_({store_name_, KeyTypes(node), end_step_, node.emit_final}, std::move(calls)),
      calls_(sessions_.calls()),
      pace_(node.calls) {}

std::vector<DataType> SessionAggregate::KeyTypes(const physical::StreamAggregate& node) {
  std::vector<DataType> types;
  for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
  return types;
}

Status SessionAggregate::Open(TaskContext& context) {
  context_ = &context;
  kafka_final_ = emit_final_ && context.setting("sql.extensions", 1) == 0;
  if (!emit_final_) {
    emits_ = context.emit_every_change() ? Emits::kEach
             : retracts_                 ? Emits::kBatch
                                         : Emits::kPending;
  }
  WEIR_RETURN_IF_ERROR(sessions_.Open(context));
  return LoadTimes(context.Store(times_name_), {{kClosedKey, &closed_}, {kHighestKey, &highest_}});
}

Status SessionAggregate::OnBatch(int, Chunk chunk) {
  CheckInterrupt();
  const bool each_has_results = emits_ == Emits::kEach || emits_ == Emits::kBatch;
  if (each_has_results && static_cast<size_t>(chunk.rows) > pace_.rows_max() && HasParts(chunk)) {
    return ForBothParts(std::move(chunk),
                        [this](Chunk part) { return OnBatch(0, std::move(part)); });
  }
  SelectGroupedRows(chunk, Keys(chunk), numbers_, context_->counters(), rows_);
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
  const bool each_has_results = emits_ == Emits::kEach || emits_ == Emits::kBatch;
  if (each_has_results) {
    results_ = calls_.MakeResultBuilders();
    result_count_ = 0;
    changes_.clear();
    inserts_.clear();
  }
  late_ = late_after_idle_ = 0;
  const int64_t* const times = chunk.row_time()->values<int64_t>().data();
  const ColumnPtr& stream_time = chunk.sys(SystemColumn::kStreamTime);
  const int64_t* const clock = stream_time ? stream_time->values<int64_t>().data() : nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    sessions_.FetchAhead(ids_, i);
    // Without the column nobody upstream keeps stream time: then nothing is late.
    const int64_t now = clock != nullptr ? clock[rows[i]] : INT64_MIN / 2;
    ProcessRow(chunk, rows[i], ids_[i], times[rows[i]], now);
    if (now <= highest_) continue;
    highest_ = now;
    times_dirty_ = true;
  }
  FlushAdds(chunk);
  if (emits_ == Emits::kBatch) CollectBatch();
  if (emits_ != Emits::kPending) {
    for (uint32_t id : touched_) {
      sessions_.at(id).touched = false;
      sessions_.at(id).old_result = -1;
    }
    touched_.clear();
  }
  sessions_.DropEmptyKeys();
  if (late_ > 0) context_->counters().Dropped("late", late_);
  if (late_after_idle_ > 0) context_->counters().Dropped("late_after_idle", late_after_idle_);
  return each_has_results ? SendBatch(Keys(chunk)) : OkStatus();
}

// Puts the sessions that a row of `key` joins into found_, in the order of their ends; returns the
// bounds of the one that they become with it. Most rows come in order, behind all sessions there
// are.
inline SessionBounds SessionAggregate::FindJoined(uint32_t key, int64_t time, int64_t clock) {
  SessionBounds merged{time, time};
  found_.clear();
  int64_t gone = std::min(clock, highest_) - wait_;  // Before this row.
  // Sessions that have closed may be there yet.
  if (closed_ != INT64_MIN) gone = std::max(gone, closed_ - wait_ - 1);
  const KeptSessions::List& list = sessions_.of(key);
  auto near = list.end();
  if (!list.empty() && sessions_.at(list.back()).bounds.end >= time - gap_) {
    near = list.end() - 1;
    if (list.size() > 1 && sessions_.at(*near).bounds.start >= time - gap_) {
      near = std::lower_bound(list.begin(), near, time - gap_, [this](uint32_t id, int64_t from) {
        return sessions_.at(id).bounds.end < from;
      });
    }
  }
  for (; near != list.end(); ++near) {
    const SessionBounds& session = sessions_.at(*near).bounds;
    if (session.start > time + gap_ || session.end <= gone) continue;
    merged.start = std::min(merged.start, session.start);
    merged.end = std::max(merged.end, session.end);
    found_.push_back(*near);
  }
  return merged;
}

// False, and counted, if a session that ends at `end` takes no rows any more at time `clock`.
inline bool SessionAggregate::Timely(int64_t end, int64_t clock) {
  if (end < clock - wait_) {
    ++late_;
    return false;
  }
  if (closed_ != INT64_MIN && end < closed_ - wait_) {
    ++late_after_idle_;
    return false;
  }
  return true;
}

inline void SessionAggregate::ProcessRow(const Chunk& chunk, int32_t row, uint32_t key,
                                         int64_t time, int64_t clock) {
  const SessionBounds merged = FindJoined(key, time, clock);
  if (!Timely(merged.end, clock)) return;
  const bool each = emits_ == Emits::kEach;
  uint32_t group;
  if (found_.empty()) {
    group = sessions_.Add(key, {time, time});
  } else {
    group = found_.front();
    // Kafka Streams deletes what it merges unless the result is just this row's instant.
    const bool replaces = merged.start != merged.end;
    if (each && replaces) {
      for (uint32_t id : found_) {
        Touch(chunk, id, row);
        EmitDelete(sessions_.at(id), row);
      }
    }
    if (found_.size() > 1) {
      MergeSessions(chunk, merged, row);
    } else if (!(sessions_.at(group).bounds == merged)) {
      sessions_.Move(group, merged);
    }
    if (each && replaces) sessions_.at(group).was_emitted = false;
  }
  Touch(chunk, group, row);
  add_rows_.push_back(row);
  add_groups_.push_back(group);
  if (each) EmitEach(group, row);
}

// Puts all that were found into the first of them, which gets the bounds `to`.
void SessionAggregate::MergeSessions(const Chunk& chunk, SessionBounds to, int32_t row) {
  FlushAdds(chunk);
  const uint32_t into = found_.front();
  Touch(chunk, into, row);
  for (uint32_t id : std::span(found_).subspan(1)) {
    Touch(chunk, id, row);
    calls_.Merge(into, id);
    const Session& session = sessions_.at(id);
    if (session.was_emitted && emits_ == Emits::kPending) {
      gone_.push_back({session.key, session.emitted});
    }
    if (session.was_emitted && emits_ == Emits::kBatch) EmitDelete(session, row);
    sessions_.Remove(id);
  }
  sessions_.Move(into, to);
}

inline void SessionAggregate::Touch(const Chunk& chunk, uint32_t group, int32_t row) {
  Session& session = sessions_.at(group);
  session.key_row = row;
  sessions_.MarkDirty(group);
  if (session.touched || emits_ == Emits::kClosed) return;
  session.touched = true;
  touched_.push_back(group);
  if (!retracts_ || !session.was_emitted) return;
  if (emits_ == Emits::kEach) FlushAdds(chunk);  // Results lie in the order of the rows.
  calls_.Results({&group, 1}, results_);
  session.old_result = result_count_++;
}

void SessionAggregate::FlushAdds(const Chunk& chunk) {
  if (add_rows_.empty()) return;
  if (emits_ == Emits::kEach) {
    calls_.AddEach(chunk, add_rows_, add_groups_, results_);
  } else {
    calls_.Add(chunk, add_rows_, add_groups_);
  }
  add_rows_.clear();
  add_groups_.clear();
}

Status SessionAggregate::OnStreamTime(int, int64_t stream_time) {
  WEIR_RETURN_IF_ERROR(Close(stream_time));
  return Advance(stream_time);
}

// Closes the sessions that ended longer than gap and grace before `stream_time`. Where nobody waits
// for them, whole steps of ends at once: rows pass by those that are over.
Status SessionAggregate::Close(int64_t stream_time) {
  if (stream_time <= closed_) return OkStatus();
  closed_ = stream_time;
  times_dirty_ = true;
  const int64_t limit = stream_time - wait_;
  return CloseUpTo(emit_final_ ? limit : FloorTo(limit, end_step_));
}

Status SessionAggregate::CloseUpTo(int64_t limit) {
  const int64_t segment = std::max(wait_ / 2, kSegmentMsMin);
  return sessions_.Close(limit, [&](std::vector<uint32_t>& ids) {
    if (!emit_final_) {
      const bool pending = std::any_of(ids.begin(), ids.end(),
                                       [this](uint32_t id) { return sessions_.at(id).touched; });
      return pending ? EmitPending() : OkStatus();
    }
    // Without extensions, those that Kafka Streams' store has dropped by now are lost.
    if (kafka_final_ && limit > 0) {
      std::erase_if(ids, [&](uint32_t id) {
        return sessions_.at(id).bounds.end / segment < limit / segment;
      });
    }
    return EmitClosed(ids);
  });
}

Status SessionAggregate::CloseWindows() {
  int64_t end = INT64_MIN;
  if (emit_final_) WEIR_RETURN_IF_ERROR(sessions_.FindLastEnd(end));
  kafka_final_ = false;  // What is closed by hand is not lost.
  return emit_final_ && end != INT64_MIN ? Close(end + wait_ + 1) : OkStatus();
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
