// GROUP BY over a table: a changed row is taken out of its old group and put into its new one.
// Groups stay when their last row has gone (a count of 0), as in Kafka Streams.

#include <algorithm>
#include <numeric>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate/aggregate_output.h"
#include "exec/operators/aggregate/tiered_groups.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

struct TouchedGroup {
  uint32_t batch = 0;  // Last batch that touched the group…
  int32_t slot = -1;   // …and its place among the groups touched there.
};

class TableAggregate : public Operator {
 public:
  TableAggregate(const physical::TableAggregate& node, AggregateCalls calls)
      : store_name_(node.StoreName(physical::StoreKind::kTableGroups)),
        schema_(node.schema),
        key_columns_(node.key_columns),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        groups_(TierOf(node, store_name_), std::move(calls)),
        calls_(groups_.calls()),
        pace_(node.calls) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return groups_.Open(context);
  }

  Status OnBatch(int, Chunk chunk) override {
    if (static_cast<size_t>(chunk.rows) > pace_.rows_max() && HasParts(chunk)) {
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    rows_.clear();
    const int64_t nulls = SelectNonNull(Keys(chunk), numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_group_key", nulls);
    if (rows_.empty()) return OkStatus();
    WEIR_RETURN_IF_ERROR(groups_.Find(Keys(chunk), rows_, {}, ids_, created_));
    results_ = calls_.MakeResultBuilders();
    changes_.clear();
    CollectTouched();
    if (context_->emit_every_change()) {
      ApplyEach(chunk);
    } else {
      ApplyAll(chunk);
      CollectLast(chunk);
    }
    std::vector<ColumnPtr> columns;
    for (ColumnBuilder& builder : results_) columns.push_back(builder.Finish());
    Chunk out = BuildAggregateChunk(changes_, Keys(chunk), columns, false);
    pace_.Learn(out);
    return out_.Emit(std::move(out));
  }

  Status OnBarrier() override {
    groups_.Save();
    MeasureMemory();
    return OkStatus();
  }

  Status OnCommitted() override {
    std::vector<uint32_t> noted;  // Each batch is handed on at once.
    groups_.Evict(noted);
    if (touched_in_.size() > groups_.capacity()) std::vector<TouchedGroup>().swap(touched_in_);
    MeasureMemory();
    return OkStatus();
  }

 private:
  static TieredGroups::Options TierOf(const physical::TableAggregate& node,
                                      const std::string& store) {
    TieredGroups::Options options;
    options.store = store;
    for (int i = 0; i < node.key_columns; ++i) {
      options.key_types.push_back(node.schema->columns[i].type);
    }
    return options;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }
  static bool IsOld(RowOp op) { return op == RowOp::kUpdateBefore || op == RowOp::kDelete; }

  void MeasureMemory() { groups_.Measure(touched_in_.capacity() * sizeof(TouchedGroup)); }

  // The groups of this batch, and for retractions their results before it.
  void CollectTouched() {
    touched_.clear();
    last_rows_.clear();
    ++batch_;
    touched_in_.resize(groups_.capacity());
    for (size_t i = 0; i < rows_.size(); ++i) {
      TouchedGroup& group = touched_in_[ids_[i]];
      if (group.batch != batch_) {
        group.batch = batch_;
        group.slot = static_cast<int32_t>(touched_.size());
        touched_.push_back(ids_[i]);
        last_rows_.push_back(0);
        groups_.MarkDirty(ids_[i]);
      }
      last_rows_[group.slot] = rows_[i];
    }
    if (retracts_) calls_.Results(touched_, results_);
    result_count_ = retracts_ ? static_cast<int32_t>(touched_.size()) : 0;
    current_.resize(touched_.size());
    std::iota(current_.begin(), current_.end(), 0);
  }

  void NoteTime(const Chunk& chunk, uint32_t id, int32_t row) {
    int64_t& row_time = groups_.row_times()[id];
    row_time = std::max(row_time, chunk.row_time()->values<int64_t>()[row]);
  }

  // Runs of rows that are all old or all new; where order does not matter, all old rows first.
  void ApplyAll(const Chunk& chunk) {
    std::vector<int32_t> rows[2];
    std::vector<uint32_t> ids[2];
    auto flush = [&] {
      if (!rows[1].empty()) calls_.Undo(chunk, rows[1], ids[1]);
      if (!rows[0].empty()) calls_.Add(chunk, rows[0], ids[0]);
      for (int i = 0; i < 2; ++i) {
        rows[i].clear();
        ids[i].clear();
      }
    };
    bool previous = false;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const bool old = IsOld(chunk.op(rows_[i]));
      if (calls_.order_sensitive() && old != previous) flush();
      previous = old;
      rows[old ? 1 : 0].push_back(rows_[i]);
      ids[old ? 1 : 0].push_back(ids_[i]);
      NoteTime(chunk, ids_[i], rows_[i]);
    }
    flush();
  }

  void CollectLast(const Chunk& chunk) {
    for (size_t i = 0; i < touched_.size(); ++i) EmitGroup(touched_[i], last_rows_[i]);
  }

  void ApplyEach(const Chunk& chunk) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      const uint32_t id = ids_[i];
      const bool old = IsOld(chunk.op(rows_[i]));
      NoteTime(chunk, id, rows_[i]);
      const std::span<const int32_t> row(&rows_[i], 1);
      if (old) {
        calls_.Undo(chunk, row, {&id, 1});
      } else {
        calls_.Add(chunk, row, {&id, 1});
      }
      // Out of a group and into the same one again is one change.
      const bool same_group = chunk.op(rows_[i]) == RowOp::kUpdateBefore && i + 1 < rows_.size() &&
                              ids_[i + 1] == id && chunk.op(rows_[i + 1]) == RowOp::kUpdateAfter;
      if (!same_group) EmitGroup(id, rows_[i]);
    }
  }

  void EmitGroup(uint32_t id, int32_t key_row) {
    uint8_t& flags = groups_.flags()[id];
    const bool emitted = (flags & TieredGroups::kEmitted) != 0;
    int32_t& current = current_[touched_in_[id].slot];
    AggregateChange change;
    change.key_row = key_row;
    change.row_time = groups_.row_times()[id];
    if (retracts_ && emitted) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = current;
      changes_.push_back(change);
    }
    change.op = emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
    calls_.Results({&id, 1}, results_);
    change.result_row = current = result_count_++;
    changes_.push_back(change);
    flags |= TieredGroups::kEmitted;
  }

  const std::string store_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const bool retracts_;
  TieredGroups groups_;
  AggregateCalls& calls_;  // Of groups_.
  ResultPace pace_;
  std::vector<TouchedGroup> touched_in_;  // By group.
  TaskContext* context_ = nullptr;

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_, last_rows_;
  std::vector<uint32_t> ids_, created_, touched_;
  std::vector<int32_t> current_;  // Row of a touched group's last result, by slot.
  std::vector<ColumnBuilder> results_;
  int32_t result_count_ = 0;
  std::vector<AggregateChange> changes_;
  uint32_t batch_ = 0;
};

}  // namespace

OperatorResult MakeTableAggregate(const physical::TableAggregate& node) {
  for (const physical::AggregateCall& call : node.calls) {
    if (!call.function->can_undo) {
      return Status(ErrorCode::kInvalidAggregate,
                    "an aggregate function cannot be applied to a table: " + call.function->name);
    }
  }
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<TableAggregate>(node, std::move(calls)));
}

}  // namespace weir
