// Two tables on their keys. Each change of a side is joined with what the other side holds; a
// result that goes away is deleted if it was there. A result's time is the later of its rows'
// times.
//
// Where the join has a condition, rows that fail it are no pair: one that an outer join keeps then
// stands alone. So a change may make a pair of two rows, or none of a pair.

#include <algorithm>
#include <limits>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/join_output.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

using physical::JoinKind;

struct TableSide {
  RowTable table;
  std::string store_name;
  int64_t stream_time = std::numeric_limits<int64_t>::min();
};

class TableTableJoin : public Operator {
 public:
  TableTableJoin(const physical::TableTableJoin& node, std::unique_ptr<PairCondition> condition)
      : node_(node),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        sides_{MakeSide(node, 0), MakeSide(node, 1)},
        condition_(std::move(condition)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    for (TableSide& side : sides_) {
      WEIR_RETURN_IF_ERROR(side.table.Open(context.Store(side.store_name)));
    }
    return OkStatus();
  }

  Status OnBatch(int input, Chunk chunk) override {
    rows_.clear();
    const int64_t nulls = SelectNonNull(Keys(chunk), numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
    if (rows_.empty()) return OkStatus();
    TableSide& own = sides_[input];
    TableSide& other = sides_[1 - input];
    WEIR_RETURN_IF_ERROR(own.table.FindOrInsert(Keys(chunk), rows_, {}, own_ids_));
    WEIR_RETURN_IF_ERROR(other.table.Find(Keys(chunk), rows_, {}, other_ids_));
    const uint32_t block = own.table.AddBlock(chunk);
    pairs_.Clear();
    ops_.clear();
    changes_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) Apply(chunk, input, i, block);
    if (condition_ != nullptr) WEIR_RETURN_IF_ERROR(JudgeChanges(input));
    for (const Change& change : changes_) EmitChange(chunk, input, change);
    // A deleted row's key comes from the row that deletes it.
    Status emitted = InParts(
        pairs_.size(), ops_.data(),
        [&](size_t from, size_t count) { return Joined(chunk, from, count); },
        [this](Chunk joined) { return out_.Emit(std::move(joined)); });
    own.table.EndBatch();
    other.table.EndBatch();
    AccountMemory();
    return emitted;
  }

  Status OnStreamTime(int input, int64_t stream_time) override {
    sides_[input].stream_time = std::max(sides_[input].stream_time, stream_time);
    const int64_t both = std::min(sides_[0].stream_time, sides_[1].stream_time);
    return both == std::numeric_limits<int64_t>::min() ? OkStatus() : Advance(both);
  }

  Status OnBarrier() override {
    for (TableSide& side : sides_) side.table.Save();
    AccountMemory();
    return OkStatus();
  }

  Status OnCommitted() override {
    for (TableSide& side : sides_) {
      const auto held = static_cast<int64_t>(side.table.ByteSize());
      WEIR_RETURN_IF_ERROR(side.table.OnCommitted(context_->MemoryShare(held)));
    }
    AccountMemory();
    return OkStatus();
  }

 private:
  static TableSide MakeSide(const physical::TableTableJoin& node, int input) {
    return {RowTable({ColumnTypes(*node.inputs[input]->schema), node.key_columns, false}),
            node.StoreName(physical::StoreKind::kRows, static_cast<size_t>(input))};
  }
  void AccountMemory() {
    memory_.Update(*context_, sides_[0].table.ByteSize() + sides_[1].table.ByteSize());
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  }

  // Whether there is a result with these rows there.
  bool HasResult(bool left, bool right) const {
    switch (node_.join) {
      case JoinKind::kInner: return left && right;
      case JoinKind::kLeft: return left;
      case JoinKind::kRight: return right;
      case JoinKind::kFull: return left || right;
    }
    return false;
  }

  // What a row of one side did: from `old` to `now`, beside `other` of the other side.
  struct Change {
    int32_t row;
    RowRef old, now, other;
    bool old_pairs, now_pairs;  // Whether they are a pair with `other`.
  };

  void Apply(const Chunk& chunk, int input, size_t i, uint32_t block) {
    TableSide& own = sides_[input];
    TableSide& other = sides_[1 - input];
    const uint32_t id = own_ids_[i];
    const bool other_there = other_ids_[i] != GroupTable::kNone && other.table.Has(other_ids_[i]);
    Change change{rows_[i], own.table.ref(id), RowRef(), RowRef(), false, false};
    if (other_there) change.other = other.table.ref(other_ids_[i]);
    if (chunk.op(change.row) == RowOp::kDelete) {
      own.table.Remove(id);
    } else {
      change.now = RowRef{block, change.row};
      own.table.Set(id, change.now);
    }
    change.old_pairs = other_there && !change.old.is_null();
    change.now_pairs = other_there && !change.now.is_null();
    changes_.push_back(change);
  }

  // Takes those for no pairs that fail the condition.
  Status JudgeChanges(int input) {
    judged_.Clear();
    for (const Change& change : changes_) {
      for (const bool old : {true, false}) {
        if (!(old ? change.old_pairs : change.now_pairs)) continue;
        const RowRef own = old ? change.old : change.now;
        judged_.Push(input == 0 ? own : change.other, input == 0 ? change.other : own, 0);
      }
    }
    Status judged = condition_->Judge(
        *context_, judged_.size(),
        [&](int side, int column, size_t from, size_t count) {
          const std::vector<RowRef>& refs = side == 0 ? judged_.left : judged_.right;
          return sides_[side].table.Gather(column, std::span(refs).subspan(from, count));
        },
        passes_);
    WEIR_RETURN_IF_ERROR(std::move(judged));
    size_t next = 0;
    for (Change& change : changes_) {
      if (change.old_pairs) change.old_pairs = passes_[next++] != 0;
      if (change.now_pairs) change.now_pairs = passes_[next++] != 0;
    }
    return OkStatus();
  }

  // The rows of the result, own and other: of rows that are no pair the one that is kept alone.
  std::pair<RowRef, RowRef> Shown(int input, RowRef own, RowRef other, bool pairs) const {
    if (pairs) return {own, other};
    const bool own_alone = !own.is_null() && Result(input, true, false);
    const bool other_alone = !other.is_null() && Result(input, false, true);
    return {own_alone ? own : RowRef(), other_alone ? other : RowRef()};
  }

  void EmitChange(const Chunk& chunk, int input, const Change& change) {
    const auto [old_own, old_other] = Shown(input, change.old, change.other, change.old_pairs);
    const auto [own, other] = Shown(input, change.now, change.other, change.now_pairs);
    const bool was = !old_own.is_null() || !old_other.is_null();
    const bool is = !own.is_null() || !other.is_null();
    const int32_t row = change.row;
    int64_t time = chunk.row_time()->values<int64_t>()[row];
    if (!old_other.is_null() || !other.is_null()) {
      time = std::max(time, sides_[1 - input].table.row_time(change.other));
    }
    if (was && !is) {
      Push(RowOp::kDelete, input, retracts_ ? old_own : RowRef(), retracts_ ? old_other : RowRef(),
           time, row);
      return;
    }
    // The other row stood alone, and still does: only the row that is no pair with it has changed.
    if (condition_ != nullptr && was && old_own.is_null() && own.is_null()) return;
    if (was && retracts_) Push(RowOp::kUpdateBefore, input, old_own, old_other, time, row);
    if (is) Push(was ? RowOp::kUpdateAfter : RowOp::kInsert, input, own, other, time, row);
  }

  bool Result(int input, bool own, bool other) const {
    return input == 0 ? HasResult(own, other) : HasResult(other, own);
  }

  void Push(RowOp op, int input, RowRef own, RowRef other, int64_t time, int32_t row) {
    if (pairs_.times.empty()) key_rows_.clear();
    ops_.push_back(op);
    key_rows_.push_back(row);
    if (input == 0) {
      pairs_.Push(own, other, time);
    } else {
      pairs_.Push(other, own, time);
    }
  }

  Chunk Joined(const Chunk& chunk, size_t from, size_t count) const {
    Chunk out;
    out.rows = static_cast<int32_t>(count);
    const auto key_rows = std::span(key_rows_).subspan(from, count);
    const auto left = std::span(pairs_.left).subspan(from, count);
    const auto right = std::span(pairs_.right).subspan(from, count);
    for (const ColumnPtr& key : Keys(chunk)) out.columns.push_back(Gather(*key, key_rows));
    for (int column : node_.left_columns) {
      out.columns.push_back(sides_[0].table.Gather(column, left));
    }
    for (int column : node_.right_columns) {
      out.columns.push_back(sides_[1].table.Gather(column, right));
    }
    out.sys(SystemColumn::kRowTime) = MakeTimes(std::span(pairs_.times).subspan(from, count));
    out.ops = MakeOps(std::span(ops_).subspan(from, count));
    out.source_partition = context_->partition();
    return out;
  }

  const physical::TableTableJoin node_;
  const bool retracts_;
  TableSide sides_[2];
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, key_rows_;
  std::vector<uint32_t> own_ids_, other_ids_;
  JoinPairs pairs_;
  std::vector<RowOp> ops_;
  std::unique_ptr<PairCondition> condition_;
  std::vector<Change> changes_;
  JoinPairs judged_;
  std::vector<uint8_t> passes_;
};

}  // namespace

OperatorResult MakeTableTableJoin(const physical::TableTableJoin& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<PairCondition> condition,
                        PairCondition::Make(node.condition, node.inputs[0]->schema->size()));
  return std::unique_ptr<Operator>(std::make_unique<TableTableJoin>(node, std::move(condition)));
}

}  // namespace weir
