// Table join where a value of the left row names the key of the right one. Each left row remembers
// the key it points to; a change on the right is joined with all left rows that point to it.
//
// A left row's change is one change of the result, whatever happens to its pointer. Its time is the
// later one of both rows; that of a right row's changes is its own, and they come in the order of
// the left rows' keys. (Kafka Streams sends the right row to those that subscribed to it.)

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/key_order.h"
#include "exec/state/row_table.h"

namespace weir {
namespace {

class ForeignKeyJoin : public Operator {
 public:
  ForeignKeyJoin(const physical::ForeignKeyJoin& node, std::unique_ptr<ExprProgram> program)
      : node_(node),
        is_left_(node.join == physical::JoinKind::kLeft),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        program_(std::move(program)),
        left_({LeftTypes(node), node.left_key_columns, false}),
        right_({ColumnTypes(*node.inputs[1]->schema), 1, false}),
        pointers_({{node.inputs[1]->schema->columns[0].type}, false, false}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    left_store_ = &context.Store(StoreName(0));
    right_store_ = &context.Store(StoreName(1));
    WEIR_RETURN_IF_ERROR(left_.Load(*left_store_));
    WEIR_RETURN_IF_ERROR(right_.Load(*right_store_));
    return FindPointersOfAll();
  }

  Status OnBatch(int input, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    Start();
    if (input == 1) {
      WEIR_RETURN_IF_ERROR(OnRight(chunk));
    } else {
      Status joined = OnLeft(chunk);
      if (IsTooLarge(joined) && HasParts(chunk)) {
        return ForBothParts(std::move(chunk),
                            [this](Chunk part) { return OnBatch(0, std::move(part)); });
      }
      WEIR_RETURN_IF_ERROR(std::move(joined));
    }
    WEIR_RETURN_IF_ERROR(Flush());
    left_.EndBatch();
    right_.EndBatch();
    return OkStatus();
  }

  Status OnStreamTime(int input, int64_t stream_time) override {
    times_[input] = std::max(times_[input], stream_time);
    const int64_t both = std::min(times_[0], times_[1]);
    return both == std::numeric_limits<int64_t>::min() ? OkStatus() : Advance(both);
  }

  Status OnBarrier() override {
    left_.Save(*left_store_);
    right_.Save(*right_store_);
    memory_.Update(*context_, left_.ByteSize() + right_.ByteSize() + pointers_.ByteSize());
    return OkStatus();
  }

 private:
  // The left table's rows and, behind their columns, the key they point to.
  static std::vector<DataType> LeftTypes(const physical::ForeignKeyJoin& node) {
    std::vector<DataType> types = ColumnTypes(*node.inputs[0]->schema);
    types.push_back(node.inputs[1]->schema->columns[0].type);
    return types;
  }
  std::string StoreName(size_t input) const {
    return node_.stores.size() > input ? node_.stores[input].name
                                       : fmt::format("table-{}-{}", node_.id, input);
  }
  std::span<const ColumnPtr> LeftKeys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.left_key_columns));
  }

  void Start() {
    left_refs_.clear();
    right_refs_.clear();
    key_refs_.clear();
    result_times_.clear();
    ops_.clear();
  }

  void Select(const Chunk& chunk, std::span<const ColumnPtr> keys) {
    rows_.clear();
    const int64_t nulls = SelectNonNull(keys, numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
  }

  Status OnLeft(const Chunk& chunk) {
    eval_.now_ms = context_->now_ms();
    std::vector<ColumnPtr> pointer;
    WEIR_RETURN_IF_ERROR(program_->Evaluate(chunk, eval_, pointer));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    Select(chunk, LeftKeys(chunk));
    if (rows_.empty()) return OkStatus();
    Chunk kept = chunk;
    kept.columns.push_back(pointer[0]);
    left_.FindOrInsert(LeftKeys(chunk), rows_, {}, ids_);
    if (pointer_of_.size() < left_.id_limit()) pointer_of_.resize(left_.id_limit(), kNone);
    const uint32_t block = left_.AddBlock(kept);
    for (size_t i = 0; i < rows_.size(); ++i) {
      ApplyLeft(chunk, *pointer[0], pointer, i, block);
    }
    return OkStatus();
  }

  void ApplyLeft(const Chunk& chunk, const Column& pointer, std::span<const ColumnPtr> pointers,
                 size_t i, uint32_t block) {
    const int32_t row = rows_[i];
    const uint32_t id = ids_[i];
    const RowRef old_left = left_.ref(id);
    const RowRef old_right = old_left.is_null() ? RowRef() : RightOf(old_left);
    const RowRef key{block, row};
    const int64_t time = chunk.row_time()->values<int64_t>()[row];
    const bool pointed = pointer_of_[id] != kNone;
    Unpoint(id);
    const bool was = HasResult(old_left, old_right);
    if (chunk.op(row) == RowOp::kDelete) {
      left_.Remove(id);
      // Kafka Streams deletes the result of a row that points somewhere, whether there was one or
      // not.
      if (was || (pointed && !retracts_)) Push(RowOp::kDelete, key, old_left, old_right, time);
      return;
    }
    left_.Set(id, key);
    RowRef right;
    if (!pointer.IsNull(row)) {
      Point(id, pointers, row);
      right = FindRight(pointers, row);
    }
    Change(was, key, old_left, old_right, key, right, time);
  }

  // The result of one left row went from (old_left, old_right), if `was`, to (left, right).
  void Change(bool was, RowRef key, RowRef old_left, RowRef old_right, RowRef left, RowRef right,
              int64_t time) {
    const bool is = HasResult(left, right);
    if (!right.is_null()) time = std::max(time, right_.row_time(right));
    if (was && !is) return Push(RowOp::kDelete, key, old_left, old_right, time);
    if (was && retracts_) Push(RowOp::kUpdateBefore, key, old_left, old_right, time);
    if (is) Push(was ? RowOp::kUpdateAfter : RowOp::kInsert, key, left, right, time);
  }

  bool HasResult(RowRef left, RowRef right) const {
    return !left.is_null() && (is_left_ || !right.is_null());
  }

  Status OnRight(const Chunk& chunk) {
    Select(chunk, std::span(chunk.columns).first(1));
    if (rows_.empty()) return OkStatus();
    const auto keys = std::span(chunk.columns).first(1);
    right_.FindOrInsert(keys, rows_, {}, ids_);
    pointers_.Find(keys, rows_, {}, pointer_ids_);
    const uint32_t block = right_.AddBlock(chunk);
    for (size_t i = 0; i < rows_.size(); ++i) {
      CheckInterrupt();
      const int32_t row = rows_[i];
      const RowRef old_right = right_.ref(ids_[i]);
      RowRef right;
      if (chunk.op(row) == RowOp::kDelete) {
        right_.Remove(ids_[i]);
      } else {
        right = {block, row};
        right_.Set(ids_[i], right);
      }
      if (pointer_ids_[i] == kNone || (old_right.is_null() && right.is_null())) continue;
      const int64_t time = chunk.row_time()->values<int64_t>()[row];
      for (const RowRef left : PointingByKey(pointer_ids_[i])) {
        Change(HasResult(left, old_right), left, left, old_right, left, right, time);
        // Any number of rows may point here.
        if (ops_.size() >= static_cast<size_t>(limits::kBatchRowsMax)) {
          WEIR_RETURN_IF_ERROR(Flush());
        }
      }
    }
    return OkStatus();
  }

  // The left rows that point to `pointer`, in order of their keys.
  std::vector<RowRef> PointingByKey(uint32_t pointer) {
    std::vector<RowRef> refs;
    for (uint32_t left_id : pointing_[pointer]) refs.push_back(left_.ref(left_id));
    if (refs.size() < 2) return refs;
    std::vector<ColumnPtr> keys;
    for (int key = 0; key < node_.left_key_columns; ++key) keys.push_back(left_.Gather(key, refs));
    const KeyOrder order(std::move(keys));
    std::vector<int32_t> places(refs.size());
    std::iota(places.begin(), places.end(), 0);
    std::sort(places.begin(), places.end(),
              [&](int32_t a, int32_t b) { return order.Compare(a, b) < 0; });
    std::vector<RowRef> sorted;
    for (int32_t place : places) sorted.push_back(refs[place]);
    return sorted;
  }

  RowRef FindRight(std::span<const ColumnPtr> keys, int32_t row) {
    right_.Find(keys, {&row, 1}, {}, one_id_);
    return one_id_[0] == kNone ? RowRef() : right_.ref(one_id_[0]);
  }

  // The right row that a kept left row points to.
  RowRef RightOf(RowRef left) {
    const ColumnPtr pointer =
        left_.Gather(static_cast<int>(node_.inputs[0]->schema->columns.size()), {&left, 1});
    if (pointer->IsNull(0)) return RowRef();
    return FindRight({&pointer, 1}, 0);
  }

  void Point(uint32_t left_id, std::span<const ColumnPtr> pointers, int32_t row) {
    created_.clear();
    pointers_.FindOrInsert(pointers, {&row, 1}, {}, one_id_, created_);
    if (pointing_.size() < pointers_.id_limit()) pointing_.resize(pointers_.id_limit());
    pointing_[one_id_[0]].insert(left_id);
    pointer_of_[left_id] = one_id_[0];
  }

  void Unpoint(uint32_t left_id) {
    const uint32_t pointer = pointer_of_[left_id];
    if (pointer == kNone) return;
    pointing_[pointer].erase(left_id);
    pointer_of_[left_id] = kNone;
    if (pointing_[pointer].empty()) pointers_.Erase(pointer);
  }

  Status FindPointersOfAll() {
    pointer_of_.assign(left_.id_limit(), kNone);
    for (uint32_t id = 0; id < left_.id_limit(); ++id) {
      if (!left_.Has(id)) continue;
      const RowRef ref = left_.ref(id);
      const ColumnPtr pointer = left_.Gather(
          static_cast<int>(node_.inputs[0]->schema->columns.size()), {&ref, 1});
      if (!pointer->IsNull(0)) Point(id, {&pointer, 1}, 0);
    }
    return OkStatus();
  }

  void Push(RowOp op, RowRef key, RowRef left, RowRef right, int64_t time) {
    const bool bare = op == RowOp::kDelete && !retracts_;
    ops_.push_back(op);
    key_refs_.push_back(key);
    left_refs_.push_back(bare ? RowRef() : left);
    right_refs_.push_back(bare ? RowRef() : right);
    result_times_.push_back(time);
  }

  // Hands on what was pushed.
  Status Flush() {
    Status emitted = InParts(
        ops_.size(), ops_.data(),
        [&](size_t from, size_t count) { return Joined(from, count); },
        [this](Chunk joined) { return out_.Emit(std::move(joined)); });
    Start();
    return emitted;
  }

  Chunk Joined(size_t from, size_t count) const {
    Chunk out;
    out.rows = static_cast<int32_t>(count);
    const auto keys = std::span(key_refs_).subspan(from, count);
    const auto left = std::span(left_refs_).subspan(from, count);
    const auto right = std::span(right_refs_).subspan(from, count);
    for (int key = 0; key < node_.left_key_columns; ++key) {
      out.columns.push_back(left_.Gather(key, keys));
    }
    for (int column : node_.left_columns) out.columns.push_back(left_.Gather(column, left));
    for (int column : node_.right_columns) out.columns.push_back(right_.Gather(column, right));
    out.sys(SystemColumn::kRowTime) = MakeTimes(std::span(result_times_).subspan(from, count));
    out.ops = MakeOps(std::span(ops_).subspan(from, count));
    out.source_partition = context_->partition();
    return out;
  }

  static constexpr uint32_t kNone = GroupTable::kNone;
  const physical::ForeignKeyJoin node_;
  const bool is_left_;
  const bool retracts_;
  std::unique_ptr<ExprProgram> program_;
  RowTable left_, right_;
  GroupTable pointers_;
  std::vector<std::set<uint32_t>> pointing_;   // Left ids, by pointer.
  std::vector<uint32_t> pointer_of_;           // By left id.
  int64_t times_[2] = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::min()};
  TaskContext* context_ = nullptr;
  StateStore* left_store_ = nullptr;
  StateStore* right_store_ = nullptr;
  MemoryAccount memory_;
  EvalContext eval_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, pointer_ids_, one_id_, created_;
  std::vector<RowRef> key_refs_, left_refs_, right_refs_;
  std::vector<int64_t> result_times_;
  std::vector<RowOp> ops_;
};

}  // namespace

OperatorResult MakeForeignKeyJoin(const physical::ForeignKeyJoin& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program,
                        CompileExprs(std::span(&node.foreign_key, 1)));
  return std::unique_ptr<Operator>(std::make_unique<ForeignKeyJoin>(node, std::move(program)));
}

}  // namespace weir
