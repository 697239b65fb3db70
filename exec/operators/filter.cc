// WHERE and HAVING. On a stream rows go or stay. On a table a row that no longer passes is deleted
// from the result, if it was there:
//
//   upsert:   a set of the keys in the result tells whether it was
//   retract:  the old row comes along; it was there exactly if it passes
//
// (Kafka Streams' KTable.filter with old values.)

#include <optional>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

class StreamFilter : public Operator {
 public:
  explicit StreamFilter(std::unique_ptr<ExprProgram> program) : program_(std::move(program)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    if (chunk.ops) DropNullValues(chunk);
    eval_.now_ms = context_->now_ms();
    auto selected = std::make_shared<Selection>();
    Status judged = EvaluatePredicate(*program_, chunk, eval_, *selected);
    if (IsTooLarge(judged) && HasParts(chunk)) {
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    WEIR_RETURN_IF_ERROR(std::move(judged));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    if (static_cast<int32_t>(selected->size()) != chunk.rows) {
      chunk.selection = std::move(selected);
    } else {
      chunk.selection = nullptr;
    }
    return out_.Emit(std::move(chunk));
  }

 private:
  void DropNullValues(Chunk& chunk) {
    auto kept = std::make_shared<Selection>();
    for (int32_t row : numbers_.Of(chunk)) {
      if (chunk.op(row) != RowOp::kDelete) kept->push_back(row);
    }
    chunk.selection = std::move(kept);
  }

  std::unique_ptr<ExprProgram> program_;
  TaskContext* context_ = nullptr;
  EvalContext eval_;
  RowNumbers numbers_;
};

/// What the two table filters share: the predicate's verdict on each row.
class TableFilter : public Operator {
 public:
  explicit TableFilter(std::unique_ptr<ExprProgram> program) : program_(std::move(program)) {}

  Status OnBatch(int, Chunk chunk) override {
    eval_.now_ms = context_->now_ms();
    selected_.clear();
    Status judged = EvaluatePredicate(*program_, chunk, eval_, selected_);
    if (IsTooLarge(judged) && HasParts(chunk)) {
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    WEIR_RETURN_IF_ERROR(std::move(judged));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    passes_.assign(chunk.rows, 0);
    for (int32_t row : selected_) passes_[row] = 1;
    auto rows = std::make_shared<Selection>();
    ops_.assign(chunk.rows, RowOp::kInsert);
    Judge(chunk, *rows);
    chunk.ops = MakeOps(ops_);
    chunk.selection = std::move(rows);
    return out_.Emit(std::move(chunk));
  }

 protected:
  // Puts the rows to hand on into `rows`, and their operations into ops_.
  virtual void Judge(Chunk& chunk, Selection& rows) = 0;

  std::unique_ptr<ExprProgram> program_;
  TaskContext* context_ = nullptr;
  EvalContext eval_;
  RowNumbers numbers_;
  Selection selected_;
  std::vector<uint8_t> passes_;
  std::vector<RowOp> ops_;
};

class RetractFilter : public TableFilter {
 public:
  using TableFilter::TableFilter;
  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

 protected:
  void Judge(Chunk& chunk, Selection& rows) override {
    const auto numbers = numbers_.Of(chunk);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const int32_t row = numbers[i];
      const RowOp op = chunk.op(row);
      ops_[row] = op;
      if (op != RowOp::kUpdateBefore) {
        if (passes_[row] != 0) rows.push_back(row);
        continue;
      }
      if (i + 1 == numbers.size() || chunk.op(numbers[i + 1]) != RowOp::kUpdateAfter) {
        // Its partner was sent elsewhere.
        if (passes_[row] != 0) rows.push_back(row);
        continue;
      }
      const int32_t after = numbers[++i];
      const bool was = passes_[row] != 0;
      const bool is = passes_[after] != 0;
      ops_[row] = is ? RowOp::kUpdateBefore : RowOp::kDelete;
      ops_[after] = was ? RowOp::kUpdateAfter : RowOp::kInsert;
      if (was) rows.push_back(row);
      if (is) rows.push_back(after);
    }
  }
};

class UpsertFilter : public TableFilter {
 public:
  UpsertFilter(const physical::Filter& node, std::unique_ptr<ExprProgram> program)
      : TableFilter(std::move(program)),
        store_name_(node.StoreName(physical::StoreKind::kResultKeys)),
        schema_(node.schema),
        key_columns_(CountKeyColumns(*node.schema)),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        keys_({KeyTypes(*node.schema, key_columns_, windowed_), windowed_, key_columns_ > 1}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(store_name_);
    return Load();
  }

  Status OnBarrier() override {
    std::string key;
    for (const std::string& gone : deleted_) store_->Delete(gone);
    for (uint32_t id : added_) {
      if (present_[id] != kNew) continue;
      present_[id] = kSaved;
      key.clear();
      StoreKey(id, key);
      store_->Put(key, "");
    }
    added_.clear();
    deleted_.clear();
    memory_.Update(*context_, keys_.ByteSize() + present_.capacity());
    return OkStatus();
  }

 protected:
  void Judge(Chunk& chunk, Selection& rows) override {
    Lookup(chunk);
    const auto numbers = numbers_.Of(chunk);
    bool masks = false;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const int32_t row = numbers[i];
      const RowOp op = chunk.op(row);
      uint8_t& present = present_[ids_[i]];
      if (op == RowOp::kUpdateBefore) continue;
      if (op != RowOp::kDelete && passes_[row] != 0) {
        ops_[row] = present != kAbsent ? RowOp::kUpdateAfter : RowOp::kInsert;
        if (present == kAbsent) {
          present = kNew;
          added_.push_back(ids_[i]);
        }
        rows.push_back(row);
      } else if (present != kAbsent) {
        masks |= op != RowOp::kDelete;
        ops_[row] = RowOp::kDelete;
        present = kAbsent;
        absent_.push_back(ids_[i]);
        rows.push_back(row);
      }
    }
    if (masks) MaskDeleted(chunk);
    Forget();
  }

 private:
  static constexpr uint8_t kAbsent = 0, kNew = 1, kSaved = 2;

  static std::vector<DataType> KeyTypes(const Schema& schema, int count, bool windowed) {
    std::vector<DataType> types;
    for (int i = 0; i < count; ++i) types.push_back(schema.columns[i].type);
    if (windowed) types.push_back(DataType::Bigint());  // The window's end; its start is the time.
    return types;
  }

  void Lookup(const Chunk& chunk) {
    const auto numbers = numbers_.Of(chunk);
    lookup_columns_.assign(chunk.columns.begin(), chunk.columns.begin() + key_columns_);
    times_.clear();
    if (windowed_) {
      lookup_columns_.push_back(chunk.sys(SystemColumn::kWindowEnd));
      const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
      for (int32_t row : numbers) times_.push_back(starts[row]);
    }
    created_.clear();
    keys_.FindOrInsert(lookup_columns_, numbers, times_, ids_, created_);
    if (present_.size() < keys_.id_limit()) present_.resize(keys_.id_limit(), kAbsent);
    for (uint32_t id : created_) {
      present_[id] = kAbsent;
      absent_.push_back(id);
    }
  }

  // Keys that are not in the result are not kept.
  void Forget() {
    for (uint32_t id : absent_) {
      if (present_[id] != kAbsent) continue;
      deleted_.emplace_back();
      StoreKey(id, deleted_.back());
      present_[id] = kErased;
      keys_.Erase(id);
    }
    absent_.clear();
  }

  void MaskDeleted(Chunk& chunk) {
    std::vector<int32_t> rows(chunk.rows);
    for (int32_t row = 0; row < chunk.rows; ++row) {
      rows[row] = ops_[row] == RowOp::kDelete ? -1 : row;
    }
    for (size_t i = key_columns_; i < chunk.columns.size(); ++i) {
      if (chunk.columns[i]) chunk.columns[i] = Gather(*chunk.columns[i], rows);
    }
  }

  void StoreKey(uint32_t id, std::string& out) const {
    if (windowed_) AppendOrdered64(keys_.time(id), out);
    keys_.AppendKeyBytes(id, out);
  }

  Status Load() {
    const std::vector<DataType> types = KeyTypes(*schema_, key_columns_, windowed_);
    bool malformed = false;
    WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view) {
      std::vector<ColumnBuilder> builders;
      for (const DataType& type : types) builders.emplace_back(type);
      int64_t time = 0;
      malformed = (windowed_ && !ReadOrdered64(key, time)) || !ReadRow(key, builders);
      if (malformed) return false;
      std::vector<ColumnPtr> columns;
      for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
      const int32_t row = 0;
      created_.clear();
      keys_.FindOrInsert(columns, {&row, 1}, {&time, windowed_ ? 1u : 0u}, ids_, created_);
      if (present_.size() < keys_.id_limit()) present_.resize(keys_.id_limit(), kAbsent);
      present_[ids_[0]] = kSaved;
      return true;
    }));
    if (!malformed) return OkStatus();
    return Status(ErrorCode::kStoreCorrupt, "a key in a filter's state store is malformed");
  }

  static constexpr uint8_t kErased = 3;
  const std::string store_name_;
  const SchemaPtr schema_;
  const int key_columns_;
  const bool windowed_;
  GroupTable keys_;
  StateStore* store_ = nullptr;
  std::vector<uint8_t> present_;  // By id.
  std::vector<uint32_t> ids_, created_, added_, absent_;
  std::vector<std::string> deleted_;
  std::vector<ColumnPtr> lookup_columns_;
  std::vector<int64_t> times_;
  MemoryAccount memory_;
};

}  // namespace

OperatorResult MakeFilter(const physical::Filter& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program,
                        CompileExprs(std::span(&node.predicate, 1)));
  std::unique_ptr<Operator> filter;
  switch (node.inputs.empty() ? node.mode : node.inputs.front()->mode) {
    case physical::ChangeMode::kAppend:
      filter = std::make_unique<StreamFilter>(std::move(program));
      break;
    case physical::ChangeMode::kUpsert:
      filter = std::make_unique<UpsertFilter>(node, std::move(program));
      break;
    case physical::ChangeMode::kRetract:
      filter = std::make_unique<RetractFilter>(std::move(program));
      break;
  }
  return filter;
}

}  // namespace weir
