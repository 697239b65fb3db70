// Table join where values of the left row name the key of the right one. Each left row remembers
// the key it points to; a change on the right is joined with all left rows that point to it.
//
// Over several partitions the left rows come as messages, and results go as answers to them
// (physical::ForeignKeySubscribe).
//
// A left row's change is one change of the result, whatever happens to its pointer. Its time is the
// later one of both rows; that of a right row's changes is its own, and they come in the order of
// the left rows' keys. (Kafka Streams sends the right row to those that subscribed to it.)

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/join_output.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/operators/key_order.h"
#include "exec/state/row_key.h"
#include "exec/state/rows/pointer_index.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

using physical::SubscriptionKind;

int LeftWidth(const physical::ForeignKeyJoin& node) {
  const int columns = node.inputs[0]->schema->size();
  return node.spread ? columns - static_cast<int>(node.foreign_key.size()) - 2 : columns;
}

class ForeignKeyJoin : public Operator {
 public:
  ForeignKeyJoin(const physical::ForeignKeyJoin& node, std::unique_ptr<ExprProgram> program,
                 std::unique_ptr<PairCondition> condition)
      : node_(node),
        is_left_(node.join == physical::JoinKind::kLeft),
        retracts_(node.mode == physical::ChangeMode::kRetract),
        right_keys_(node.foreign_key.size()),
        left_width_(LeftWidth(node)),
        program_(std::move(program)),
        condition_(std::move(condition)),
        left_({LeftTypes(node), node.left_key_columns, false}),
        right_({ColumnTypes(*node.inputs[1]->schema), static_cast<int>(right_keys_), false}) {}

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
  // The left table's rows and, behind their columns, the key they point to; of messages also their
  // version.
  static std::vector<DataType> LeftTypes(const physical::ForeignKeyJoin& node) {
    std::vector<DataType> types = ColumnTypes(*node.inputs[0]->schema);
    if (node.spread) {
      types.erase(types.begin(),
                  types.begin() + static_cast<std::ptrdiff_t>(node.foreign_key.size()));
      types.resize(static_cast<size_t>(LeftWidth(node)));
    }
    for (const DataType& type : PointerTypes(node)) types.push_back(type);
    if (node.spread) types.push_back(DataType::Bigint());
    return types;
  }
  static std::vector<DataType> PointerTypes(const physical::ForeignKeyJoin& node) {
    std::vector<DataType> types = ColumnTypes(*node.inputs[1]->schema);
    types.resize(node.foreign_key.size());
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
    answer_bits_.clear();
  }

  void Select(const Chunk& chunk, std::span<const ColumnPtr> keys) {
    rows_.clear();
    const int64_t nulls = SelectNonNull(keys, numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
  }

  Status OnLeft(Chunk chunk) {
    std::vector<ColumnPtr> pointers;
    ColumnPtr kinds;
    if (node_.spread) {
      kinds = Unpack(chunk, pointers);
    } else {
      eval_.now_ms = context_->now_ms();
      WEIR_RETURN_IF_ERROR(program_->Evaluate(chunk, eval_, pointers));
      WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
      chunk.columns.insert(chunk.columns.end(), pointers.begin(), pointers.end());
    }
    Select(chunk, LeftKeys(chunk));
    if (rows_.empty()) return OkStatus();
    WEIR_RETURN_IF_ERROR(left_.FindOrInsert(LeftKeys(chunk), rows_, {}, ids_));
    // All that is pointed to, now and before, is looked up at once.
    WEIR_RETURN_IF_ERROR(FindRight(pointers, rows_, chunk.rows, right_now_));
    std::vector<RowRef> before(ids_.size());
    for (size_t i = 0; i < ids_.size(); ++i) before[i] = left_.ref(ids_[i]);
    const std::vector<ColumnPtr> old_pointers = PointersOf(before);
    numbers_before_.resize(before.size());
    std::iota(numbers_before_.begin(), numbers_before_.end(), 0);
    WEIR_RETURN_IF_ERROR(FindRight(old_pointers, numbers_before_,
                                   static_cast<int32_t>(before.size()), right_before_));
    const uint32_t block = left_.AddBlock(chunk);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const bool deletes = chunk.op(rows_[i]) == RowOp::kDelete;
      const SubscriptionKind kind =
          kinds != nullptr ? static_cast<SubscriptionKind>(kinds->values<int32_t>()[rows_[i]])
          : deletes        ? SubscriptionKind::kDelete
                           : SubscriptionKind::kSubscribe;
      ApplyLeft(chunk, pointers, old_pointers, i, block, kind);
    }
    return EmitChanges();
  }

  // Of each of `rows` the right row that `pointers` name there, by row.
  Status FindRight(std::span<const ColumnPtr> pointers, std::span<const int32_t> rows,
                   int32_t row_count, std::vector<RowRef>& out) {
    out.assign(static_cast<size_t>(row_count), RowRef());
    pointed_rows_.clear();
    SelectNonNull(pointers, rows, pointed_rows_);
    WEIR_RETURN_IF_ERROR(right_.Find(pointers, pointed_rows_, {}, right_ids_));
    for (size_t i = 0; i < pointed_rows_.size(); ++i) {
      if (right_ids_[i] != kNone) out[pointed_rows_[i]] = right_.ref(right_ids_[i]);
    }
    return OkStatus();
  }

  // Puts a chunk of messages in the order of the left table's columns; returns their kinds.
  ColumnPtr Unpack(Chunk& chunk, std::vector<ColumnPtr>& pointers) const {
    std::vector<ColumnPtr> columns = std::move(chunk.columns);
    const auto keys = static_cast<std::ptrdiff_t>(right_keys_);
    pointers.assign(columns.begin(), columns.begin() + keys);
    chunk.columns.assign(columns.begin() + keys, columns.begin() + keys + left_width_);
    chunk.columns.insert(chunk.columns.end(), pointers.begin(), pointers.end());
    chunk.columns.push_back(columns[columns.size() - 2]);
    return columns.back();
  }

  // How the result of one left row changes.
  struct Change {
    RowRef key;
    RowRef old_left, old_right;
    RowRef left, right;  // No left row: it is deleted.
    int64_t time;
    bool pointed;                           // The old row had a foreign key.
    std::optional<SubscriptionKind> cause;  // Nothing: the right row changed.
  };

  void ApplyLeft(const Chunk& chunk, std::span<const ColumnPtr> pointers,
                 std::span<const ColumnPtr> old_pointers, size_t i, uint32_t block,
                 SubscriptionKind kind) {
    const int32_t row = rows_[i];
    const uint32_t id = ids_[i];
    const RowRef old_left = left_.ref(id);
    // An earlier row of the chunk may have replaced what was there before.
    const bool is_of_chunk = !old_left.is_null() && old_left.block == block;
    const std::span<const ColumnPtr> before = is_of_chunk ? pointers : old_pointers;
    const int32_t old_row = is_of_chunk ? old_left.row : static_cast<int32_t>(i);
    const bool pointed = !old_left.is_null() && !HasNull(before, old_row);
    Change change{{block, row}, old_left, {}, {}, {}, chunk.row_time()->values<int64_t>()[row],
                  pointed,      kind};
    // What was answered to a message before is of no account.
    if (pointed && !node_.spread) {
      change.old_right = is_of_chunk ? right_now_[old_row] : right_before_[old_row];
    }
    const bool gone = kind == SubscriptionKind::kDelete || kind == SubscriptionKind::kUnsubscribe;
    const bool points = !gone && !HasNull(pointers, row);
    Repoint(chunk, row, pointed ? before : std::span<const ColumnPtr>(), old_row,
            points ? pointers : std::span<const ColumnPtr>());
    if (gone) {
      left_.Remove(id);
    } else {
      left_.Set(id, change.key);
      change.left = change.key;
      if (points) change.right = right_now_[row];
    }
    changes_.push_back(change);
  }

  // Row `row` points elsewhere, or no longer, or for the first time.
  void Repoint(const Chunk& chunk, int32_t row, std::span<const ColumnPtr> old_pointers,
               int32_t old_row, std::span<const ColumnPtr> pointers) {
    old_pointer_bytes_.clear();
    pointer_bytes_.clear();
    AppendKey(old_pointers, old_row, old_pointer_bytes_);
    AppendKey(pointers, row, pointer_bytes_);
    if (old_pointer_bytes_ == pointer_bytes_) return;
    key_bytes_.clear();
    AppendKey(LeftKeys(chunk), row, key_bytes_);
    if (!old_pointers.empty()) pointing_.Remove(old_pointer_bytes_, key_bytes_);
    if (!pointers.empty()) pointing_.Add(pointer_bytes_, key_bytes_);
  }

  static bool HasNull(std::span<const ColumnPtr> columns, int32_t row) {
    return std::ranges::any_of(columns,
                               [&](const ColumnPtr& column) { return column->IsNull(row); });
  }

  // Right rows that fail the condition are no partners.
  Status JudgeChanges() {
    judged_.Clear();
    const auto each_pair = [this](const auto& visit) {
      for (Change& change : changes_) {
        if (!change.old_left.is_null() && !change.old_right.is_null()) {
          visit(change.old_left, change.old_right);
        }
        if (!change.left.is_null() && !change.right.is_null()) visit(change.left, change.right);
      }
    };
    each_pair([this](RowRef left, RowRef right) { judged_.Push(left, right, 0); });
    Status judged = condition_->Judge(
        *context_, judged_.size(),
        [this](int input, int column, size_t from, size_t count) {
          const std::vector<RowRef>& refs = input == 0 ? judged_.left : judged_.right;
          return (input == 0 ? left_ : right_).Gather(column, std::span(refs).subspan(from, count));
        },
        passes_);
    WEIR_RETURN_IF_ERROR(std::move(judged));
    size_t next = 0;
    each_pair([&](RowRef, RowRef& right) {
      if (passes_[next++] == 0) right = RowRef();
    });
    return OkStatus();
  }

  Status EmitChanges() {
    if (condition_ != nullptr) WEIR_RETURN_IF_ERROR(JudgeChanges());
    for (const Change& change : changes_) {
      node_.spread ? EmitAnswer(change) : EmitChange(change);
    }
    changes_.clear();
    return Flush();
  }

  void EmitChange(const Change& change) {
    const auto& [key, old_left, old_right, left, right, at, pointed, cause] = change;
    const bool was = HasResult(old_left, old_right);
    const bool is = HasResult(left, right);
    int64_t time = at;
    if (!right.is_null()) time = std::max(time, right_.row_time(right));
    // Kafka Streams deletes the result of a deleted row that points somewhere, whether there was
    // one or not.
    const bool deletes = (was && !is) || (left.is_null() && pointed && !retracts_);
    if (deletes) return Push(RowOp::kDelete, key, old_left, old_right, time);
    // The right row was no partner and is none.
    if (condition_ != nullptr && old_left == left && old_right == right) return;
    if (was && retracts_) Push(RowOp::kUpdateBefore, key, old_left, old_right, time);
    if (is) Push(was ? RowOp::kUpdateAfter : RowOp::kInsert, key, left, right, time);
  }

  // Every message is answered; that an answer was given before is for others to know.
  void EmitAnswer(const Change& change) {
    const bool is = HasResult(change.left, change.right);
    int32_t bits = is ? physical::AnswerBits::kHasResult : 0;
    if (!change.cause) {
      if (!is && !HasResult(change.old_left, change.old_right)) return;
      if (condition_ != nullptr && change.old_right == change.right) return;
    } else if (*change.cause == SubscriptionKind::kUnsubscribe) {
      bits = physical::AnswerBits::kUnsubscribed;
    } else if (*change.cause == SubscriptionKind::kMoved) {
      bits |= physical::AnswerBits::kMoved;
    } else if (*change.cause == SubscriptionKind::kDelete && change.pointed) {
      bits = physical::AnswerBits::kDeleted;
    }
    int64_t time = change.time;
    if (!change.right.is_null()) time = std::max(time, right_.row_time(change.right));
    answer_bits_.push_back(bits);
    Push(RowOp::kInsert, change.key, is ? change.left : RowRef(), is ? change.right : RowRef(),
         time);
  }

  bool HasResult(RowRef left, RowRef right) const {
    return !left.is_null() && (is_left_ || !right.is_null());
  }

  Status OnRight(const Chunk& chunk) {
    const auto keys = std::span(chunk.columns).first(right_keys_);
    Select(chunk, keys);
    if (rows_.empty()) return OkStatus();
    WEIR_RETURN_IF_ERROR(right_.FindOrInsert(keys, rows_, {}, ids_));
    const uint32_t block = right_.AddBlock(chunk);
    for (size_t from = 0, to = 0; from < rows_.size(); from = to) {
      WEIR_RETURN_IF_ERROR(FindPointing(keys, from, &to));
      for (size_t i = from; i < to; ++i) {
        WEIR_RETURN_IF_ERROR(ApplyRight(chunk, i, block, PointingByKey(i - from)));
      }
    }
    return EmitChanges();
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
      changes_.push_back({left, left, old_right, left, right, time, false, std::nullopt});
      // Any number of rows may point here.
      if (changes_.size() >= static_cast<size_t>(limits::kBatchRowsMax)) {
        WEIR_RETURN_IF_ERROR(EmitChanges());
      }
    }
    return OkStatus();
  }

  // Looks up the left rows that point to the keys of rows_ from `from` on, up to `*to`: as many as
  // make a batch of them.
  Status FindPointing(std::span<const ColumnPtr> keys, size_t from, size_t* to) {
    std::vector<ColumnBuilder> builders;
    std::vector<DataType> types = LeftTypes(node_);
    types.resize(static_cast<size_t>(node_.left_key_columns));
    for (const DataType& type : types) builders.emplace_back(type);
    int32_t count = 0;
    bool malformed = false;
    pointing_ends_.clear();
    for (*to = from; *to < rows_.size() && count < limits::kBatchRowsMax; ++*to) {
      pointer_bytes_.clear();
      AppendKey(keys, rows_[*to], pointer_bytes_);
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

  // The foreign keys of kept left rows: behind the columns of the table.
  std::vector<ColumnPtr> PointersOf(std::span<const RowRef> lefts) const {
    std::vector<ColumnPtr> pointers;
    for (int i = 0; i < static_cast<int>(right_keys_); ++i) {
      pointers.push_back(left_.Gather(left_width_ + i, lefts));
    }
    return pointers;
  }

  void PointAll() {
    std::vector<RowRef> refs;
    for (uint32_t id = 0; id < left_.id_limit(); ++id) {
      if (left_.Has(id)) refs.push_back(left_.ref(id));
    }
    for (const RowRef ref : refs) {
      const std::vector<ColumnPtr> pointers = PointersOf({&ref, 1});
      if (HasNull(pointers, 0)) continue;
      Chunk row;
      for (int key = 0; key < node_.left_key_columns; ++key) {
        row.columns.push_back(left_.Gather(key, {&ref, 1}));
      }
      Repoint(row, 0, {}, 0, pointers);
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
        ops_.size(), ops_.data(), [&](size_t from, size_t count) { return Joined(from, count); },
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
    out.source_partition = context_->partition();
    if (!node_.spread) {
      out.ops = MakeOps(std::span(ops_).subspan(from, count));
      return out;
    }
    out.columns.push_back(left_.Gather(left_width_ + static_cast<int>(right_keys_), keys));
    ColumnBuilder bits(DataType::Int());
    for (int32_t each : std::span(answer_bits_).subspan(from, count)) bits.AppendInt32(each);
    out.columns.push_back(bits.Finish());
    return out;
  }

  static constexpr uint32_t kNone = GroupTable::kNone;
  const physical::ForeignKeyJoin node_;
  const bool is_left_;
  const bool retracts_;
  const size_t right_keys_;
  const int left_width_;  // Columns of the left table.
  std::unique_ptr<ExprProgram> program_;
  std::unique_ptr<PairCondition> condition_;
  RowTable left_, right_;
  PointerIndex pointing_;
  int64_t times_[2] = {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::min()};
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  EvalContext eval_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, pointed_rows_, numbers_before_;
  std::vector<uint32_t> ids_, left_ids_, right_ids_;
  std::vector<RowRef> right_now_, right_before_;  // By row of the chunk; by place in rows_.
  std::vector<int32_t> pointing_ends_;
  std::string pointer_bytes_, old_pointer_bytes_, key_bytes_;
  std::vector<RowRef> key_refs_, left_refs_, right_refs_;
  std::vector<int64_t> result_times_;
  std::vector<RowOp> ops_;
  std::vector<int32_t> answer_bits_;
  std::vector<Change> changes_;
  JoinPairs judged_;
  std::vector<uint8_t> passes_;
};

}  // namespace

OperatorResult MakeForeignKeyJoin(const physical::ForeignKeyJoin& node) {
  std::unique_ptr<ExprProgram> program;
  if (!node.spread) {
    WEIR_ASSIGN_OR_RETURN(program, CompileExprs(node.foreign_key));
  }
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<PairCondition> condition,
                        PairCondition::Make(node.condition, LeftWidth(node)));
  return std::unique_ptr<Operator>(
      std::make_unique<ForeignKeyJoin>(node, std::move(program), std::move(condition)));
}

}  // namespace weir
