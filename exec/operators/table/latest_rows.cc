// A table's rows as they are at the end of a bounded input: the latest of each key (and window).

#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

constexpr int kChunksAtOnce = 16;

// Of windowed tables the window's end is one more key column, behind the key, and its start the
// time of the key.
class LatestRows : public Operator {
 public:
  explicit LatestRows(const physical::LatestRows& node)
      : columns_(node.schema->size()),
        key_columns_(CountKeyColumns(*node.schema)),
        windowed_(node.windowed_key != physical::WindowKind::kNone),
        table_(LayoutOfTable(ColumnTypes(*node.schema), key_columns_, windowed_)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    WEIR_RETURN_IF_ERROR(Keep(Flatten(std::move(chunk))));
    memory_.Update(*context_, table_.ByteSize());
    return OkStatus();
  }

  Status EmitRest(bool* more) override {
    std::vector<uint32_t> ids;
    for (int chunks = 0; chunks < kChunksAtOnce && TakeIds(ids); ++chunks) {
      WEIR_RETURN_IF_ERROR(InParts(
          ids.size(), nullptr,
          [&](size_t from, size_t count) { return RowsOf(std::span(ids).subspan(from, count)); },
          [this](Chunk rows) { return out_.Emit(std::move(rows)); }));
    }
    *more = next_id_ < table_.id_limit();
    return OkStatus();
  }

 private:
  Status Keep(const Chunk& chunk) {
    rows_.clear();
    Chunk kept = chunk;
    if (windowed_) {
      kept.columns.insert(kept.columns.begin() + key_columns_, chunk.sys(SystemColumn::kWindowEnd));
    }
    const auto keys =
        std::span(kept.columns).first(static_cast<size_t>(key_columns_ + (windowed_ ? 1 : 0)));
    // Of several key columns some may be null.
    SelectNonNull(keys.first(key_columns_ == 1 ? 1 : 0), numbers_.Of(chunk), rows_);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
    if (rows_.empty()) return OkStatus();
    times_.clear();
    if (windowed_) {
      const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
      for (int32_t row : rows_) times_.push_back(starts[row]);
    }
    WEIR_RETURN_IF_ERROR(table_.FindOrInsert(keys, rows_, times_, ids_));
    const uint32_t block = table_.AddBlock(kept);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (chunk.op(rows_[i]) == RowOp::kDelete) {
        table_.Remove(ids_[i]);
      } else {
        table_.Set(ids_[i], {block, rows_[i]});
      }
    }
    table_.EndBatch();
    return OkStatus();
  }

  // The next ids that have rows, at most a batch of them; false if there is none.
  bool TakeIds(std::vector<uint32_t>& ids) {
    ids.clear();
    for (; next_id_ < table_.id_limit() && ids.size() < static_cast<size_t>(limits::kBatchRowsMax);
         ++next_id_) {
      if (table_.Has(next_id_)) ids.push_back(next_id_);
    }
    return !ids.empty();
  }

  Chunk RowsOf(std::span<const uint32_t> ids) const {
    std::vector<RowRef> refs;
    for (uint32_t id : ids) refs.push_back(table_.ref(id));
    Chunk chunk;
    chunk.rows = static_cast<int32_t>(ids.size());
    for (int i = 0; i < columns_; ++i) {
      chunk.columns.push_back(table_.Gather(windowed_ && i >= key_columns_ ? i + 1 : i, refs));
    }
    chunk.sys(SystemColumn::kRowTime) = table_.GatherRowTimes(refs);
    if (windowed_) {
      std::vector<int64_t> starts;
      for (uint32_t id : ids) starts.push_back(table_.time(id));
      chunk.sys(SystemColumn::kWindowStart) = MakeTimes(starts);
      chunk.sys(SystemColumn::kWindowEnd) = table_.Gather(key_columns_, refs);
    }
    return chunk;
  }

  const int columns_;
  const int key_columns_;
  const bool windowed_;
  RowTable table_;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> times_;
  std::vector<uint32_t> ids_;
  uint32_t next_id_ = 0;  // Of those that are handed on at the end.
};

}  // namespace

OperatorResult MakeLatestRows(const physical::LatestRows& node) {
  return std::unique_ptr<Operator>(std::make_unique<LatestRows>(node));
}

}  // namespace weir
