// Keeps a table by key, so that each change comes with the row that was there: upserts become
// retractions. Deletes of what is not there are dropped.

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

class Materialize : public Operator {
 public:
  explicit Materialize(const physical::Materialize& node)
      : store_name_(node.StoreName(physical::StoreKind::kRows)),
        types_(ColumnTypes(*node.schema)),
        key_columns_(CountKeyColumns(*node.schema)),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        table_(LayoutOfTable(types_, key_columns_, windowed_)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return table_.Open(context.Store(store_name_));
  }

  Status OnBatch(int, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    const Chunk kept = TableRows(chunk);
    rows_.clear();
    const auto keys = std::span(kept.columns).first(static_cast<size_t>(table_keys_()));
    const int64_t nulls =
        SelectNonNull(key_columns_ == 1 ? keys.first(1) : keys.first(0), numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    times_.clear();
    if (windowed_) {
      const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
      for (int32_t row : rows_) times_.push_back(starts[row]);
    }
    WEIR_RETURN_IF_ERROR(table_.FindOrInsert(keys, rows_, times_, ids_));
    const uint32_t block = table_.AddBlock(kept);
    Apply(chunk, block);
    Status emitted = InParts(
        refs_.size(), ops_.data(),
        [&](size_t from, size_t count) { return Gathered(chunk, from, count); },
        [this](Chunk gathered) { return out_.Emit(std::move(gathered)); });
    table_.EndBatch();
    memory_.Update(*context_, table_.ByteSize());
    return emitted;
  }

  Status OnBarrier() override {
    table_.Save();
    memory_.Update(*context_, table_.ByteSize());
    return OkStatus();
  }

  Status OnCommitted() override {
    const auto held = static_cast<int64_t>(table_.ByteSize());
    WEIR_RETURN_IF_ERROR(table_.OnCommitted(context_->MemoryShare(held)));
    memory_.Update(*context_, table_.ByteSize());
    return OkStatus();
  }

 private:
  int table_keys_() const { return key_columns_ + (windowed_ ? 1 : 0); }

  Chunk TableRows(const Chunk& chunk) const {
    Chunk kept = chunk;
    if (windowed_) {
      kept.columns.insert(kept.columns.begin() + key_columns_, chunk.sys(SystemColumn::kWindowEnd));
    }
    return kept;
  }

  void Apply(const Chunk& chunk, uint32_t block) {
    refs_.clear();
    out_rows_.clear();
    ops_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) {
      const int32_t row = rows_[i];
      const RowOp op = chunk.op(row);
      if (op == RowOp::kUpdateBefore) continue;
      const bool had = table_.Has(ids_[i]);
      if (op == RowOp::kDelete) {
        if (!had) continue;
        Push(RowOp::kDelete, table_.ref(ids_[i]), row);
        table_.Remove(ids_[i]);
        continue;
      }
      if (had) Push(RowOp::kUpdateBefore, table_.ref(ids_[i]), row);
      table_.Set(ids_[i], {block, row});
      Push(had ? RowOp::kUpdateAfter : RowOp::kInsert, {block, row}, row);
    }
  }

  void Push(RowOp op, RowRef ref, int32_t row) {
    ops_.push_back(op);
    refs_.push_back(ref);
    out_rows_.push_back(row);
  }

  // Columns from the table; times and the like, also of old rows, from the row that changed them.
  Chunk Gathered(const Chunk& chunk, size_t from, size_t count) const {
    const auto refs = std::span(refs_).subspan(from, count);
    Chunk system = chunk;
    system.columns.clear();
    system.ops = nullptr;
    Chunk out = GatherChunk(system, std::span(out_rows_).subspan(from, count));
    out.rows = static_cast<int32_t>(count);
    for (int i = 0; i < static_cast<int>(types_.size()); ++i) {
      const int column = windowed_ && i >= key_columns_ ? i + 1 : i;
      out.columns.push_back(chunk.columns[i] ? table_.Gather(column, refs) : nullptr);
    }
    out.ops = MakeOps(std::span(ops_).subspan(from, count));
    return out;
  }

  const std::string store_name_;
  const std::vector<DataType> types_;
  const int key_columns_;
  const bool windowed_;
  RowTable table_;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, out_rows_;
  std::vector<int64_t> times_;
  std::vector<uint32_t> ids_;
  std::vector<RowRef> refs_;
  std::vector<RowOp> ops_;
};

}  // namespace

OperatorResult MakeMaterialize(const physical::Materialize& node) {
  return std::unique_ptr<Operator>(std::make_unique<Materialize>(node));
}

}  // namespace weir
