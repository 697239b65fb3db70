// What sessions hand on.

#include <numeric>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate/session_aggregate.h"
#include "exec/operators/key_order.h"

namespace weir {

void SessionAggregate::EmitDelete(const Session& session, int32_t row) {
  if (!session.was_emitted) return;
  AggregateChange change;
  change.op = RowOp::kDelete;
  change.key_row = row;
  change.result_row = retracts_ ? session.old_result : -1;
  change.row_time = session.emitted.end;
  change.window_start = session.emitted.start;
  change.window_end = session.emitted.end;
  changes_.push_back(change);
}

// The new state of `group` after one row. Its result comes with FlushAdds.
void SessionAggregate::EmitEach(uint32_t group, int32_t row) {
  Session& session = sessions_.at(group);
  AggregateChange change;
  change.key_row = row;
  change.row_time = session.bounds.end;
  change.window_start = session.bounds.start;
  change.window_end = session.bounds.end;
  if (retracts_ && session.was_emitted) {
    change.op = RowOp::kUpdateBefore;
    change.result_row = session.old_result;
    changes_.push_back(change);
  }
  change.op = session.was_emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
  change.result_row = session.old_result = result_count_++;
  changes_.push_back(change);
  session.was_emitted = true;
  session.emitted = session.bounds;
}

// One change a session: its state after the batch, once all that is gone is deleted.
void SessionAggregate::CollectBatch() {
  for (uint32_t id : touched_) {
    Session& session = sessions_.at(id);
    if (!session.live || !session.touched) continue;  // Merged away, or here a second time.
    session.touched = false;
    AggregateChange change;
    change.key_row = session.key_row;
    const bool moved = session.was_emitted && !(session.emitted == session.bounds);
    if (moved) EmitDelete(session, session.key_row);
    change.row_time = session.bounds.end;
    change.window_start = session.bounds.start;
    change.window_end = session.bounds.end;
    const bool updates = session.was_emitted && !moved;
    if (updates) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = session.old_result;
      inserts_.push_back(change);
    }
    change.op = updates ? RowOp::kUpdateAfter : RowOp::kInsert;
    handed_on_.push_back(id);
    change.result_row = result_count_++;
    inserts_.push_back(change);
    session.was_emitted = true;
    session.emitted = session.bounds;
  }
  calls_.Results(handed_on_, results_);
  handed_on_.clear();
  changes_.insert(changes_.end(), inserts_.begin(), inserts_.end());
}

Status SessionAggregate::SendBatch(std::span<const ColumnPtr> keys) {
  if (changes_.empty()) return OkStatus();
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : results_) columns.push_back(builder.Finish());
  Chunk out = BuildAggregateChunk(changes_, keys, columns, true);
  pace_.Learn(out);
  return out_.Emit(std::move(out));
}

// A chunk without results.
Chunk SessionAggregate::KeysAndBounds(std::span<const uint32_t> keys,
                                      std::span<const SessionBounds> bounds,
                                      std::span<const RowOp> ops) const {
  std::vector<ColumnBuilder> builders;
  for (int i = 0; i < key_columns_; ++i) builders.emplace_back(schema_->columns[i].type);
  sessions_.keys().AppendKeys(keys, builders);
  Chunk out;
  out.rows = static_cast<int32_t>(keys.size());
  for (ColumnBuilder& builder : builders) out.columns.push_back(builder.Finish());
  std::vector<int64_t> times(bounds.size());
  for (size_t i = 0; i < bounds.size(); ++i) times[i] = bounds[i].start;
  out.sys(SystemColumn::kWindowStart) = MakeTimes(times);
  for (size_t i = 0; i < bounds.size(); ++i) times[i] = bounds[i].end;
  out.sys(SystemColumn::kRowTime) = out.sys(SystemColumn::kWindowEnd) = MakeTimes(times);
  out.ops = MakeOps(ops);
  return out;
}

Chunk SessionAggregate::Deletes(std::span<const GoneSession> gone) const {
  std::vector<uint32_t> keys;
  std::vector<SessionBounds> bounds;
  for (const GoneSession& each : gone) {
    keys.push_back(each.key);
    bounds.push_back(each.bounds);
  }
  Chunk out = KeysAndBounds(keys, bounds, std::vector<RowOp>(gone.size(), RowOp::kDelete));
  for (ColumnBuilder& builder : calls_.MakeResultBuilders()) {
    out.columns.push_back(MakeNullColumn(builder.type(), out.rows));
  }
  return out;
}

Chunk SessionAggregate::States(std::span<const uint32_t> ids) const {
  std::vector<uint32_t> keys(ids.size());
  std::vector<SessionBounds> bounds(ids.size());
  std::vector<RowOp> ops(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    const Session& session = sessions_.at(ids[i]);
    keys[i] = session.key;
    bounds[i] = session.bounds;
    ops[i] = session.was_emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
  }
  Chunk out = KeysAndBounds(keys, bounds, ops);
  std::vector<ColumnBuilder> results = calls_.MakeResultBuilders();
  calls_.Results(ids, results);
  for (ColumnBuilder& builder : results) out.columns.push_back(builder.Finish());
  return out;
}

Status SessionAggregate::EmitStates(std::span<const uint32_t> ids) {
  return InParts(
      ids.size(), nullptr,
      [&](size_t from, size_t count) { return States(ids.subspan(from, count)); },
      [this](Chunk states) {
        pace_.Learn(states);
        return out_.Emit(std::move(states));
      },
      std::min<size_t>(limits::kBatchRowsMax, pace_.rows_max()));
}

// All that is gone is deleted before anything comes anew.
Status SessionAggregate::EmitPending() {
  if (emits_ != Emits::kPending || touched_.empty()) return OkStatus();
  handed_on_.clear();
  for (uint32_t id : touched_) {
    Session& session = sessions_.at(id);
    if (!session.live || !session.touched) continue;  // Merged away, or here a second time.
    session.touched = false;
    handed_on_.push_back(id);
    if (!session.was_emitted || session.emitted == session.bounds) continue;
    gone_.push_back({session.key, session.emitted});
    session.was_emitted = false;
  }
  touched_.clear();
  WEIR_RETURN_IF_ERROR(InParts(
      gone_.size(), nullptr,
      [&](size_t from, size_t count) { return Deletes(std::span(gone_).subspan(from, count)); },
      [this](Chunk deletes) { return out_.Emit(std::move(deletes)); }));
  gone_.clear();
  WEIR_RETURN_IF_ERROR(EmitStates(handed_on_));
  for (uint32_t id : handed_on_) {
    Session& session = sessions_.at(id);
    session.was_emitted = true;
    session.emitted = session.bounds;
  }
  handed_on_.clear();
  return OkStatus();
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
  return EmitStates(ids);
}

}  // namespace weir
