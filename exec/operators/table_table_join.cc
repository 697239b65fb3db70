// Two tables on their keys. Each change of a side is joined with what the other side holds; a
// result that goes away is deleted if it was there. A result's time is the later of its rows'
// times.

#include <algorithm>
#include <limits>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join_output.h"
#include "exec/state/row_table.h"

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
  explicit TableTableJoin(const physical::TableTableJoin& node)
      : node_(node),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        sides_{MakeSide(node, 0), MakeSide(node, 1)} {}

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
    for (size_t i = 0; i < rows_.size(); ++i) Apply(chunk, input, i, block);
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
      case JoinKind::kInner:
        return left && right;
      case JoinKind::kLeft:
        return left;
      case JoinKind::kRight:
        return right;
      case JoinKind::kFull:
        return left || right;
    }
    return false;
  }

  void Apply(const Chunk& chunk, int input, size_t i, uint32_t block) {
    TableSide& own = sides_[input];
    TableSide& other = sides_[1 - input];
    const int32_t row = rows_[i];
    const uint32_t id = own_ids_[i];
    const bool other_there = other_ids_[i] != GroupTable::kNone && other.table.Has(other_ids_[i]);
    const RowRef other_ref = other_there ? other.table.ref(other_ids_[i]) : RowRef();
    const RowRef old_ref = own.table.ref(id);
    const bool deletes = chunk.op(row) == RowOp::kDelete;
    const RowRef new_ref = deletes ? RowRef() : RowRef{block, row};
    if (deletes) {
      own.table.Remove(id);
    } else {
      own.table.Set(id, new_ref);
    }
    const bool was = Result(input, !old_ref.is_null(), other_there);
    const bool is = Result(input, !deletes, other_there);
    int64_t time = chunk.row_time()->values<int64_t>()[row];
    if (other_there) time = std::max(time, other.table.row_time(other_ref));
    if (was && !is) {
      Push(RowOp::kDelete, input, retracts_ ? old_ref : RowRef(),
           retracts_ ? other_ref : RowRef(), time, row);
      return;
    }
    if (was && retracts_) Push(RowOp::kUpdateBefore, input, old_ref, other_ref, time, row);
    if (is) Push(was ? RowOp::kUpdateAfter : RowOp::kInsert, input, new_ref, other_ref, time, row);
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
};

}  // namespace

OperatorResult MakeTableTableJoin(const physical::TableTableJoin& node) {
  return std::unique_ptr<Operator>(std::make_unique<TableTableJoin>(node));
}

}  // namespace weir
