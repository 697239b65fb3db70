// Each row of a stream with the row that its key has in a table at that moment.

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

class StreamTableJoin : public Operator {
 public:
  StreamTableJoin(const physical::StreamTableJoin& node, std::unique_ptr<PairCondition> condition)
      : node_(node),
        store_name_(node.StoreName(physical::StoreKind::kRows)),
        table_({ColumnTypes(*node.inputs[1]->schema), node.key_columns, false}),
        condition_(std::move(condition)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return table_.Open(context.Store(store_name_));
  }

  Status OnBatch(int input, Chunk chunk) override {
    Status done = input == 1 ? Keep(chunk) : Probe(std::move(chunk));
    table_.EndBatch();
    memory_.Update(*context_, table_.ByteSize());
    return done;
  }

  // The table's time moves nothing.
  Status OnStreamTime(int input, int64_t stream_time) override {
    return input == 0 ? Advance(stream_time) : OkStatus();
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
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  }

  Status Keep(const Chunk& chunk) {
    rows_.clear();
    const int64_t nulls = SelectNonNull(Keys(chunk), numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
    if (rows_.empty()) return OkStatus();
    WEIR_RETURN_IF_ERROR(table_.FindOrInsert(Keys(chunk), rows_, {}, ids_));
    const uint32_t block = table_.AddBlock(chunk);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (chunk.op(rows_[i]) == RowOp::kDelete) {
        table_.Remove(ids_[i]);
      } else {
        table_.Set(ids_[i], {block, rows_[i]});
      }
    }
    return OkStatus();
  }

  // Rows without a key or a value match nothing and are dropped, also from a LEFT join: Kafka
  // Streams' rule.
  Status Probe(Chunk chunk) {
    candidates_.clear();
    const int64_t nulls = SelectNonNull(Keys(chunk), numbers_.Of(chunk), candidates_);
    if (nulls > 0) context_->counters().Dropped("null_join_key", nulls);
    if (chunk.ops) {
      const size_t before = candidates_.size();
      std::erase_if(candidates_, [&](int32_t row) { return chunk.op(row) == RowOp::kDelete; });
      if (candidates_.size() < before) {
        context_->counters().Dropped("null_value",
                                     static_cast<int64_t>(before - candidates_.size()));
      }
    }
    WEIR_RETURN_IF_ERROR(table_.Find(Keys(chunk), candidates_, {}, ids_));
    rows_.clear();
    refs_.clear();
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const bool found = ids_[i] != GroupTable::kNone && table_.Has(ids_[i]);
      if (!found && node_.join == physical::JoinKind::kInner) continue;
      rows_.push_back(candidates_[i]);
      refs_.push_back(found ? table_.ref(ids_[i]) : RowRef());
    }
    if (condition_ != nullptr) WEIR_RETURN_IF_ERROR(KeepPairs(chunk));
    return InParts(
        rows_.size(), nullptr,
        [&](size_t from, size_t count) { return Joined(chunk, from, count); },
        [this](Chunk joined) { return out_.Emit(std::move(joined)); });
  }

  // Rows whose partner fails the condition have none.
  Status KeepPairs(const Chunk& chunk) {
    Status judged = condition_->Judge(
        *context_, rows_.size(),
        [&](int input, int column, size_t from, size_t count) {
          return input == 0 ? Gather(*chunk.columns[column], std::span(rows_).subspan(from, count))
                            : table_.Gather(column, std::span(refs_).subspan(from, count));
        },
        passes_);
    WEIR_RETURN_IF_ERROR(std::move(judged));
    size_t kept = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (passes_[i] == 0 && node_.join == physical::JoinKind::kInner) continue;
      rows_[kept] = rows_[i];
      refs_[kept++] = passes_[i] != 0 ? refs_[i] : RowRef();
    }
    rows_.resize(kept);
    refs_.resize(kept);
    return OkStatus();
  }

  Chunk Joined(const Chunk& chunk, size_t from, size_t count) const {
    const auto rows = std::span(rows_).subspan(from, count);
    const auto refs = std::span(refs_).subspan(from, count);
    const bool all = static_cast<int32_t>(count) == chunk.rows;
    auto gathered = [&](const ColumnPtr& source) {
      return all || !source ? source : Gather(*source, rows);
    };
    Chunk out;
    out.columns.reserve(static_cast<size_t>(node_.key_columns) + node_.left_columns.size() +
                        node_.right_columns.size());
    for (int key = 0; key < node_.key_columns; ++key) {
      out.columns.push_back(gathered(chunk.columns[key]));
    }
    for (int column : node_.left_columns) out.columns.push_back(gathered(chunk.columns[column]));
    for (int column : node_.right_columns) out.columns.push_back(table_.Gather(column, refs));
    for (int i = 0; i < kSystemColumnCount; ++i) out.system[i] = gathered(chunk.system[i]);
    out.rows = static_cast<int32_t>(count);
    out.source = chunk.source;
    out.source_partition = chunk.source_partition;
    return out;
  }

  const physical::StreamTableJoin node_;
  const std::string store_name_;
  RowTable table_;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, candidates_;
  std::vector<uint32_t> ids_;
  std::vector<RowRef> refs_;
  std::unique_ptr<PairCondition> condition_;
  std::vector<uint8_t> passes_;
};

}  // namespace

OperatorResult MakeStreamTableJoin(const physical::StreamTableJoin& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<PairCondition> condition,
                        PairCondition::Make(node.condition, node.inputs[0]->schema->size()));
  return std::unique_ptr<Operator>(std::make_unique<StreamTableJoin>(node, std::move(condition)));
}

}  // namespace weir
