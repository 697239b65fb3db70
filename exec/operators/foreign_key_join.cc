// Table join where a value of the left row names the key of the right one. Each left row remembers
// the key it points to; a change on the right is joined with all left rows that point to it.
//
// A left row's change is one change of the result, whatever happens to its pointer. Its time is the
// later one of both rows; that of a right row's changes is its own, and they come in the order of
// the left rows' keys. (Kafka Streams sends the right row to those that subscribed to it.)

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/key_order.h"
#include "exec/state/pointer_index.h"
#include "exec/state/row_key.h"
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
        right_({ColumnTypes(*node.inputs[1]->schema), 1, false}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    WEIR_RETURN_IF_ERROR(
        left_.Open(context.Store(node_.StoreName(physical::StoreKind::kPointers))));
    WEIR_RETURN_IF_ERROR(right_.Open(context.Store(node_.StoreName(physical::StoreKind::kRows))));
    // Earlier versions stored no pointers: they are found in the rows, which are all here.
    WEIR_RETURN_IF_ERROR(pointing_.Open(
        context.Store(node_.StoreName(physical::StoreKind::kPointerIndex)), left_.has_old()));
    if (left_.has_old()) PointAll();
    return OkStatus();
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
    AccountMemory();
    return OkStatus();
  }

  Status OnStreamTime(int input, int64_t stream_time) override {
    times_[input] = std::max(times_[input], stream_time);
    const int64_t both = std::min(times_[0], times_[1]);
    return both == std::numeric_limits<int64_t>::min() ? OkStatus() : Advance(both);
  }

  Status OnBarrier() override {
    left_.Save();
    right_.Save();
    pointing_.Save();
    AccountMemory();
    return OkStatus();
  }

  Status OnCommitted() override {
    const auto share = [this](size_t held) {
      return context_->MemoryShare(static_cast<int64_t>(held));
    };
    WEIR_RETURN_IF_ERROR(left_.OnCommitted(share(left_.ByteSize())));
    WEIR_RETURN_IF_ERROR(right_.OnCommitted(share(right_.ByteSize())));
    WEIR_RETURN_IF_ERROR(pointing_.OnCommitted(share(pointing_.ByteSize())));
    AccountMemory();
    return OkStatus();
  }

 private:
  // The left table's rows and, behind their columns, the key they point to.
  static std::vector<DataType> LeftTypes(const physical::ForeignKeyJoin& node) {
    std::vector<DataType> types = ColumnTypes(*node.inputs[0]->schema);
    types.push_back(node.inputs[1]->schema->columns[0].type);
    return types;
  }
  std::span<const ColumnPtr> LeftKeys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.left_key_columns));
  }

  void AccountMemory() {
    memory_.Update(*context_, left_.ByteSize() + right_.ByteSize() + pointing_.ByteSize());
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
    WEIR_RETURN_IF_ERROR(left_.FindOrInsert(LeftKeys(chunk), rows_, {}, ids_));
    // All that is pointed to, now and before, is looked up at once.
    WEIR_RETURN_IF_ERROR(FindRight(pointer[0], rows_, chunk.rows, right_now_));
    std::vector<RowRef> before(ids_.size());
    for (size_t i = 0; i < ids_.size(); ++i) before[i] = left_.ref(ids_[i]);
    const ColumnPtr old_pointer = left_.Gather(PointerColumn(), before);
    numbers_before_.resize(before.size());
    std::iota(numbers_before_.begin(), numbers_before_.end(), 0);
    WEIR_RETURN_IF_ERROR(FindRight(old_pointer, numbers_before_, static_cast<int32_t>(before.size()),
                                   right_before_));
    const uint32_t block = left_.AddBlock(kept);
    for (size_t i = 0; i < rows_.size(); ++i) ApplyLeft(chunk, *pointer[0], *old_pointer, i, block);
    return OkStatus();
  }

  // Of each of `rows` the right row that `pointers` names there, by row.
  Status FindRight(const ColumnPtr& pointers, std::span<const int32_t> rows, int32_t row_count,
                   std::vector<RowRef>& out) {
    out.assign(static_cast<size_t>(row_count), RowRef());
    pointed_rows_.clear();
    SelectNonNull({&pointers, 1}, rows, pointed_rows_);
    WEIR_RETURN_IF_ERROR(right_.Find({&pointers, 1}, pointed_rows_, {}, right_ids_));
    for (size_t i = 0; i < pointed_rows_.size(); ++i) {
      if (right_ids_[i] != kNone) out[pointed_rows_[i]] = right_.ref(right_ids_[i]);
    }
    return OkStatus();
  }

  void ApplyLeft(const Chunk& chunk, const Column& pointer, const Column& old_pointer, size_t i,
                 uint32_t block) {
    const int32_t row = rows_[i];
    const uint32_t id = ids_[i];
    const RowRef old_left = left_.ref(id);
    // An earlier row of the chunk may have replaced what was there before.
    const bool is_of_chunk = !old_left.is_null() && old_left.block == block;
    const Column& old_pointers = is_of_chunk ? pointer : old_pointer;
    const int32_t old_row = is_of_chunk ? old_left.row : static_cast<int32_t>(i);
    const bool pointed = !old_left.is_null() && !old_pointers.IsNull(old_row);
    RowRef old_right;
    if (pointed) old_right = is_of_chunk ? right_now_[old_row] : right_before_[old_row];
    const RowRef key{block, row};
    const int64_t time = chunk.row_time()->values<int64_t>()[row];
    const bool was = HasResult(old_left, old_right);
    const bool deletes = chunk.op(row) == RowOp::kDelete;
    const bool points = !deletes && !pointer.IsNull(row);
    Repoint(chunk, row, pointed ? &old_pointers : nullptr, old_row, points ? &pointer : nullptr);
    if (deletes) {
      left_.Remove(id);
      // Kafka Streams deletes the result of a row that points somewhere, whether there was one or
      // not.
      if (was || (pointed && !retracts_)) Push(RowOp::kDelete, key, old_left, old_right, time);
      return;
    }
    left_.Set(id, key);
    Change(was, key, old_left, old_right, key, points ? right_now_[row] : RowRef(), time);
  }

  // Row `row` points elsewhere, or no longer, or for the first time.
  void Repoint(const Chunk& chunk, int32_t row, const Column* old_pointers, int32_t old_row,
               const Column* pointers) {
    old_pointer_bytes_.clear();
    pointer_bytes_.clear();
    if (old_pointers != nullptr) AppendKeyValue(*old_pointers, old_row, old_pointer_bytes_);
    if (pointers != nullptr) AppendKeyValue(*pointers, row, pointer_bytes_);
    if (old_pointer_bytes_ == pointer_bytes_) return;
    key_bytes_.clear();
    AppendKey(LeftKeys(chunk), row, key_bytes_);
    if (old_pointers != nullptr) pointing_.Remove(old_pointer_bytes_, key_bytes_);
    if (pointers != nullptr) pointing_.Add(pointer_bytes_, key_bytes_);
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
    WEIR_RETURN_IF_ERROR(right_.FindOrInsert(keys, rows_, {}, ids_));
    const uint32_t block = right_.AddBlock(chunk);
    for (size_t from = 0, to = 0; from < rows_.size(); from = to) {
      WEIR_RETURN_IF_ERROR(FindPointing(*keys[0], from, &to));
      for (size_t i = from; i < to; ++i) {
        WEIR_RETURN_IF_ERROR(ApplyRight(chunk, i, block, PointingByKey(i - from)));
      }
    }
    return OkStatus();
  }

  Status ApplyRight(const Chunk& chunk, size_t i, uint32_t block, std::span<const RowRef> lefts) {
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
    if (old_right.is_null() && right.is_null()) return OkStatus();
    const int64_t time = chunk.row_time()->values<int64_t>()[row];
    for (const RowRef left : lefts) {
      Change(HasResult(left, old_right), left, left, old_right, left, right, time);
      // Any number of rows may point here.
      if (ops_.size() >= static_cast<size_t>(limits::kBatchRowsMax)) {
        WEIR_RETURN_IF_ERROR(Flush());
      }
    }
    return OkStatus();
  }

  // Looks up the left rows that point to the keys of rows_ from `from` on, up to `*to`: as many as
  // make a batch of them.
  Status FindPointing(const Column& keys, size_t from, size_t* to) {
    std::vector<ColumnBuilder> builders;
    for (int key = 0; key < node_.left_key_columns; ++key) {
      builders.emplace_back(node_.inputs[0]->schema->columns[key].type);
    }
    int32_t count = 0;
    bool malformed = false;
    pointing_ends_.clear();
    for (*to = from; *to < rows_.size() && count < limits::kBatchRowsMax; ++*to) {
      pointer_bytes_.clear();
      AppendKeyValue(keys, rows_[*to], pointer_bytes_);
      WEIR_RETURN_IF_ERROR(pointing_.Find(pointer_bytes_, [&](std::string_view key) {
        malformed |= !ReadKey(key, builders);
        ++count;
      }));
      pointing_ends_.push_back(count);
    }
    if (malformed) return MalformedRow();
    std::vector<ColumnPtr> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
    pointed_rows_.resize(static_cast<size_t>(count));
    std::iota(pointed_rows_.begin(), pointed_rows_.end(), 0);
    return left_.Find(columns, pointed_rows_, {}, left_ids_);
  }

  // Those that point to the key of row `i` of the last FindPointing, in order of their keys.
  std::vector<RowRef> PointingByKey(size_t i) {
    std::vector<RowRef> refs;
    for (int32_t at = i == 0 ? 0 : pointing_ends_[i - 1]; at < pointing_ends_[i]; ++at) {
      const uint32_t id = left_ids_[at];
      if (id != kNone && left_.Has(id)) refs.push_back(left_.ref(id));
    }
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

  // The pointer stands behind the columns of a kept left row.
  int PointerColumn() const { return static_cast<int>(node_.inputs[0]->schema->columns.size()); }

  void PointAll() {
    std::vector<RowRef> refs;
    for (uint32_t id = 0; id < left_.id_limit(); ++id) {
      if (left_.Has(id)) refs.push_back(left_.ref(id));
    }
    for (const RowRef ref : refs) {
      const ColumnPtr pointer = left_.Gather(PointerColumn(), {&ref, 1});
      if (pointer->IsNull(0)) continue;
      Chunk row;
      for (int key = 0; key < node_.left_key_columns; ++key) {
        row.columns.push_back(left_.Gather(key, {&ref, 1}));
      }
      Repoint(row, 0, nullptr, 0, pointer.get());
    }
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
  PointerIndex pointing_;
  int64_t times_[2] = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::min()};
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  EvalContext eval_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, pointed_rows_, numbers_before_;
  std::vector<uint32_t> ids_, left_ids_, right_ids_;
  std::vector<RowRef> right_now_, right_before_;   // By row of the chunk; by place in rows_.
  std::vector<int32_t> pointing_ends_;
  std::string pointer_bytes_, old_pointer_bytes_, key_bytes_;
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
