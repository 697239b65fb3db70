// GROUP BY over a table: a changed row is taken out of its old group and put into its new one.
// Groups stay when their last row has gone (a count of 0), as in Kafka Streams.

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate_output.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

struct Group {
  int64_t row_time = INT64_MIN;
  uint32_t batch = 0;
  int32_t slot = -1;       // Among the groups that this batch touched.
  bool emitted = false;
  bool dirty = false;
};

class TableAggregate : public Operator {
 public:
  TableAggregate(const physical::TableAggregate& node, AggregateCalls calls)
      : store_name_(node.stores.empty() ? fmt::format("aggregate-{}", node.id)
                                        : node.stores.front().name),
        schema_(node.schema),
        key_columns_(node.key_columns),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        calls_(std::move(calls)),
        groups_({KeyTypes(node), false, false}),
        pace_(node.calls) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    calls_.Open(context);
    store_ = &context.Store(store_name_);
    return Load();
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
    FindGroups(chunk);
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
    std::string key, value;
    for (uint32_t id : dirty_) {
      groups_meta_[id].dirty = false;
      key.clear();
      value.clear();
      groups_.AppendKeyBytes(id, key);
      AppendOrdered64(groups_meta_[id].row_time, value);
      calls_.Save(id, value);
      store_->Put(key, value);
    }
    dirty_.clear();
    memory_.Update(*context_, groups_.ByteSize() + calls_.ByteSize() +
                                  groups_meta_.capacity() * sizeof(Group));
    return OkStatus();
  }

 private:
  static std::vector<DataType> KeyTypes(const physical::TableAggregate& node) {
    std::vector<DataType> types;
    for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
    return types;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }
  static bool IsOld(RowOp op) { return op == RowOp::kUpdateBefore || op == RowOp::kDelete; }

  void FindGroups(const Chunk& chunk) {
    created_.clear();
    groups_.FindOrInsert(Keys(chunk), rows_, {}, ids_, created_);
    calls_.Resize(groups_.id_limit());
    if (groups_meta_.size() < groups_.id_limit()) groups_meta_.resize(groups_.id_limit());
    for (uint32_t id : created_) groups_meta_[id] = Group();
  }

  // The groups of this batch, and for retractions their results before it.
  void CollectTouched() {
    touched_.clear();
    last_rows_.clear();
    ++batch_;
    for (size_t i = 0; i < rows_.size(); ++i) {
      Group& group = groups_meta_[ids_[i]];
      if (group.batch != batch_) {
        group.batch = batch_;
        group.slot = static_cast<int32_t>(touched_.size());
        touched_.push_back(ids_[i]);
        last_rows_.push_back(0);
        if (!group.dirty) {
          group.dirty = true;
          dirty_.push_back(ids_[i]);
        }
      }
      last_rows_[group.slot] = rows_[i];
    }
    if (retracts_) calls_.Results(touched_, results_);
    result_count_ = retracts_ ? static_cast<int32_t>(touched_.size()) : 0;
    current_.resize(touched_.size());
    std::iota(current_.begin(), current_.end(), 0);
  }

  void NoteTime(const Chunk& chunk, uint32_t id, int32_t row) {
    Group& group = groups_meta_[id];
    group.row_time = std::max(group.row_time, chunk.row_time()->values<int64_t>()[row]);
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
                              ids_[i + 1] == id &&
                              chunk.op(rows_[i + 1]) == RowOp::kUpdateAfter;
      if (!same_group) EmitGroup(id, rows_[i]);
    }
  }

  void EmitGroup(uint32_t id, int32_t key_row) {
    Group& group = groups_meta_[id];
    AggregateChange change;
    change.key_row = key_row;
    change.row_time = group.row_time;
    if (retracts_ && group.emitted) {
      change.op = RowOp::kUpdateBefore;
      change.result_row = current_[group.slot];
      changes_.push_back(change);
    }
    change.op = group.emitted ? RowOp::kUpdateAfter : RowOp::kInsert;
    calls_.Results({&id, 1}, results_);
    change.result_row = current_[group.slot] = result_count_++;
    changes_.push_back(change);
    group.emitted = true;
  }

  Status Load() {
    std::vector<ColumnBuilder> keys;
    for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
    Status status;
    bool malformed = false;
    WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
      malformed = !ReadRow(key, keys) || !key.empty();
      if (malformed) return false;
      Chunk chunk;
      chunk.rows = 1;
      for (ColumnBuilder& builder : keys) chunk.columns.push_back(builder.Finish());
      rows_.assign(1, 0);
      FindGroups(chunk);
      Group& group = groups_meta_[ids_[0]];
      malformed = !ReadOrdered64(value, group.row_time);
      if (!malformed) status = calls_.Load(ids_[0], value);
      group.emitted = true;
      return !malformed && status.ok();
    }));
    if (malformed) {
      return Status(ErrorCode::kStoreCorrupt, "a group in a state store is malformed");
    }
    return status;
  }

  const std::string store_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const bool retracts_;
  AggregateCalls calls_;
  GroupTable groups_;
  ResultPace pace_;
  std::vector<Group> groups_meta_;   // By group.
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  std::vector<uint32_t> dirty_;

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_, last_rows_;
  std::vector<uint32_t> ids_, created_, touched_;
  std::vector<int32_t> current_;     // Row of a touched group's last result, by slot.
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
