// The first part of a foreign-key join over several partitions: tells the partition of the right
// row that a left row points to of that row, and that of its earlier one that it no longer does.
//
// Each change of a left row has a version, higher than those of all earlier changes in this task,
// so that the last part knows the latest answer. What is kept of a row is where it points.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/keyed_entries.h"

namespace weir {
namespace {

using physical::SubscriptionKind;

class ForeignKeySubscribe : public Operator {
 public:
  ForeignKeySubscribe(const physical::ForeignKeySubscribe& node,
                      std::unique_ptr<ExprProgram> program)
      : node_(node), program_(std::move(program)), entries_(KeyTypes(node)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(node_.StoreName(physical::StoreKind::kSubscriptions));
    WEIR_RETURN_IF_ERROR(entries_.Load(*store_, kVersionKey, [this](std::string_view value) {
      return ReadOrdered64(value, version_);
    }));
    entries_.ForEach([this](const Entry& entry) { pointer_bytes_ += entry.pointer.size(); });
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    eval_.now_ms = context_->now_ms();
    std::vector<ColumnPtr> pointers;
    Status evaluated = program_->Evaluate(chunk, eval_, pointers);
    if (IsTooLarge(evaluated) && HasParts(chunk)) {
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    WEIR_RETURN_IF_ERROR(std::move(evaluated));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    rows_.clear();
    const auto keys = std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
    const int64_t nulls = SelectNonNull(keys, numbers_.Of(chunk), rows_);
    if (nulls > 0) context_->counters().Dropped("null_key", nulls);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
    if (rows_.empty()) return OkStatus();
    entries_.Find(keys, rows_, ids_);
    messages_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) Apply(chunk, pointers, i);
    Status sent = InParts(
        messages_.size(), nullptr,
        [&](size_t from, size_t count) { return Messages(chunk, pointers, from, count); },
        [this](Chunk messages) { return out_.Emit(std::move(messages)); });
    entries_.DropEmpty();
    return sent;
  }

  Status OnBarrier() override {
    if (entries_.Save(*store_)) {
      std::string value;
      AppendOrdered64(version_, value);
      store_->Put(kVersionKey, value);
    }
    memory_.Update(*context_, entries_.ByteSize() + pointer_bytes_);
    return OkStatus();
  }

 private:
  // No key begins so: the first byte says whether its first column is there.
  static constexpr std::string_view kVersionKey = "\xff";

  struct Entry {
    int64_t version = 0;  // 0: there is no row.
    std::string pointer;  // The foreign key, as row_codec.h writes it.

    bool empty() const { return version == 0; }
    void AppendTo(std::string& out) const {
      AppendOrdered64(version, out);
      out += pointer;
    }
    bool Read(std::string_view bytes) {
      if (!ReadOrdered64(bytes, version)) return false;
      pointer = bytes;
      return true;
    }
  };
  struct Message {
    int32_t row;
    int64_t version;
    SubscriptionKind kind;
    std::string pointer;  // That of the earlier row; else the row's own.
  };

  static std::vector<DataType> KeyTypes(const physical::ForeignKeySubscribe& node) {
    std::vector<DataType> types = ColumnTypes(*node.inputs[0]->schema);
    types.resize(static_cast<size_t>(node.key_columns));
    return types;
  }

  void Apply(const Chunk& chunk, std::span<const ColumnPtr> pointers, size_t i) {
    const int32_t row = rows_[i];
    const uint32_t id = ids_[i];
    Entry& entry = entries_[id];
    if (chunk.op(row) == RowOp::kDelete) {
      if (entry.version != 0) {
        pointer_bytes_ -= entry.pointer.size();
        messages_.push_back(
            {row, ++version_, SubscriptionKind::kDelete, std::exchange(entry.pointer, {})});
        entry.version = 0;
        entries_.MarkDirty(id);
      }
      entries_.Touch(id);
      return;
    }
    pointer_.clear();
    AppendRow(pointers, row, pointer_);
    ++version_;
    const bool moved = entry.version != 0 && entry.pointer != pointer_;
    if (moved) {
      messages_.push_back({row, version_, SubscriptionKind::kUnsubscribe, entry.pointer});
    }
    messages_.push_back(
        {row, version_, moved ? SubscriptionKind::kMoved : SubscriptionKind::kSubscribe, {}});
    pointer_bytes_ += pointer_.size() - entry.pointer.size();
    entry.version = version_;
    entry.pointer = pointer_;
    entries_.MarkDirty(id);
  }

  Chunk Messages(const Chunk& chunk, std::span<const ColumnPtr> pointers, size_t from,
                 size_t count) {
    const auto messages = std::span(messages_).subspan(from, count);
    std::vector<int32_t> rows, value_rows;
    std::vector<ColumnBuilder> keys;
    for (const BoundExprPtr& key : node_.foreign_key) keys.emplace_back(key->type);
    ColumnBuilder versions(DataType::Bigint()), kinds(DataType::Int());
    for (const Message& message : messages) {
      const bool earlier = message.kind == SubscriptionKind::kUnsubscribe ||
                           message.kind == SubscriptionKind::kDelete;
      rows.push_back(message.row);
      value_rows.push_back(earlier ? -1 : message.row);
      versions.AppendInt64(message.version);
      kinds.AppendInt32(static_cast<int32_t>(message.kind));
      if (earlier) {
        std::string_view bytes = message.pointer;
        ReadRow(bytes, keys);
        continue;
      }
      for (size_t key = 0; key < keys.size(); ++key) {
        keys[key].AppendFrom(*pointers[key], message.row);
      }
    }
    Chunk system = chunk;
    system.columns.clear();
    system.ops = nullptr;
    Chunk out = GatherChunk(system, rows);
    out.rows = static_cast<int32_t>(count);
    for (ColumnBuilder& key : keys) out.columns.push_back(key.Finish());
    for (size_t column = 0; column < chunk.columns.size(); ++column) {
      const bool is_key = column < static_cast<size_t>(node_.key_columns);
      out.columns.push_back(Gather(*chunk.columns[column], is_key ? rows : value_rows));
    }
    out.columns.push_back(versions.Finish());
    out.columns.push_back(kinds.Finish());
    return out;
  }

  const physical::ForeignKeySubscribe node_;
  std::unique_ptr<ExprProgram> program_;
  KeyedEntries<Entry> entries_;
  int64_t version_ = 0;  // The last one given.
  size_t pointer_bytes_ = 0;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  EvalContext eval_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_;
  std::vector<Message> messages_;
  std::string pointer_;
};

}  // namespace

OperatorResult MakeForeignKeySubscribe(const physical::ForeignKeySubscribe& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program, CompileExprs(node.foreign_key));
  return std::unique_ptr<Operator>(std::make_unique<ForeignKeySubscribe>(node, std::move(program)));
}

}  // namespace weir
