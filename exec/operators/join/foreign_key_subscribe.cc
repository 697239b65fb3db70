// The first part of a foreign-key join over several partitions: tells the partition of the right row
// that a left row points to of that row, and that of its earlier one that it no longer does.
//
// Each change of a left row has a version, higher than those of all earlier changes in this task, so
// that the last part knows the latest answer. What is kept of a row is where it points.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

using physical::SubscriptionKind;

class ForeignKeySubscribe : public Operator {
 public:
  ForeignKeySubscribe(const physical::ForeignKeySubscribe& node,
                      std::unique_ptr<ExprProgram> program)
      : node_(node), program_(std::move(program)), keys_({KeyTypes(node), false, false}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(node_.StoreName(physical::StoreKind::kSubscriptions));
    return Load();
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
    created_.clear();
    keys_.FindOrInsert(keys, rows_, {}, ids_, created_);
    if (entries_.size() < keys_.id_limit()) entries_.resize(keys_.id_limit());
    for (uint32_t id : created_) entries_[id] = Entry();
    messages_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) Apply(chunk, pointers, i);
    Status sent = InParts(
        messages_.size(), nullptr,
        [&](size_t from, size_t count) { return Messages(chunk, pointers, from, count); },
        [this](Chunk messages) { return out_.Emit(std::move(messages)); });
    Forget();
    return sent;
  }

  Status OnBarrier() override {
    for (const std::string& key : deleted_) store_->Delete(key);
    deleted_.clear();
    std::string key, value;
    for (uint32_t id : dirty_) {
      Entry& entry = entries_[id];
      if (!entry.dirty) continue;
      entry.dirty = false;
      key.clear();
      keys_.AppendKeyBytes(id, key);
      value.clear();
      AppendOrdered64(entry.version, value);
      value += entry.pointer;
      store_->Put(key, value);
    }
    if (!dirty_.empty()) {
      value.clear();
      AppendOrdered64(version_, value);
      store_->Put(kVersionKey, value);
    }
    dirty_.clear();
    memory_.Update(*context_, keys_.ByteSize() + entries_.capacity() * sizeof(Entry) +
                                  pointer_bytes_);
    return OkStatus();
  }

 private:
  // No key begins so: the first byte says whether its first column is there.
  static constexpr std::string_view kVersionKey = "\xff";

  struct Entry {
    int64_t version = 0;        // 0: there is no row.
    std::string pointer;        // The foreign key, as row_codec.h writes it.
    bool dirty = false;
  };
  struct Message {
    int32_t row;
    int64_t version;
    SubscriptionKind kind;
    std::string pointer;        // That of the earlier row; else the row's own.
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
        messages_.push_back({row, ++version_, SubscriptionKind::kDelete,
                             std::exchange(entry.pointer, {})});
        entry.version = 0;
        MarkDirty(id);
      }
      gone_.push_back(id);
      return;
    }
    pointer_.clear();
    AppendRow(pointers, row, pointer_);
    ++version_;
    const bool moved = entry.version != 0 && entry.pointer != pointer_;
    if (moved) {
      messages_.push_back({row, version_, SubscriptionKind::kUnsubscribe, entry.pointer});
    }
    messages_.push_back({row, version_,
                         moved ? SubscriptionKind::kMoved : SubscriptionKind::kSubscribe, {}});
    pointer_bytes_ += pointer_.size() - entry.pointer.size();
    entry.version = version_;
    entry.pointer = pointer_;
    MarkDirty(id);
  }

  void MarkDirty(uint32_t id) {
    if (entries_[id].dirty) return;
    entries_[id].dirty = true;
    dirty_.push_back(id);
  }

  // Keys without a row are not kept.
  void Forget() {
    std::ranges::sort(gone_);
    gone_.erase(std::ranges::unique(gone_).begin(), gone_.end());
    for (uint32_t id : gone_) {
      if (entries_[id].version != 0) continue;
      deleted_.emplace_back();
      keys_.AppendKeyBytes(id, deleted_.back());
      entries_[id] = Entry();
      keys_.Erase(id);
    }
    gone_.clear();
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

  Status Load() {
    const std::vector<DataType> types = KeyTypes(node_);
    bool malformed = false;
    WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
      int64_t version = 0;
      malformed = !ReadOrdered64(value, version);
      if (malformed) return false;
      if (key == kVersionKey) {
        version_ = version;
        return true;
      }
      std::vector<ColumnBuilder> builders;
      for (const DataType& type : types) builders.emplace_back(type);
      malformed = !ReadRow(key, builders);
      if (malformed) return false;
      std::vector<ColumnPtr> columns;
      for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
      const int32_t row = 0;
      created_.clear();
      keys_.FindOrInsert(columns, {&row, 1}, {}, ids_, created_);
      if (entries_.size() < keys_.id_limit()) entries_.resize(keys_.id_limit());
      entries_[ids_[0]] = {version, std::string(value), false};
      pointer_bytes_ += value.size();
      return true;
    }));
    if (!malformed) return OkStatus();
    return Status(ErrorCode::kStoreCorrupt, "an entry of a foreign-key join is malformed");
  }

  const physical::ForeignKeySubscribe node_;
  std::unique_ptr<ExprProgram> program_;
  GroupTable keys_;
  std::vector<Entry> entries_;           // By id.
  int64_t version_ = 0;                  // The last one given.
  size_t pointer_bytes_ = 0;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  EvalContext eval_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, created_, dirty_, gone_;
  std::vector<std::string> deleted_;     // Store keys.
  std::vector<Message> messages_;
  std::string pointer_;
};

}  // namespace

OperatorResult MakeForeignKeySubscribe(const physical::ForeignKeySubscribe& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program, CompileExprs(node.foreign_key));
  return std::unique_ptr<Operator>(
      std::make_unique<ForeignKeySubscribe>(node, std::move(program)));
}

}  // namespace weir
