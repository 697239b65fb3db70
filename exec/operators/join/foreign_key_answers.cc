// The last part of a foreign-key join over several partitions: takes the answers to a left row's
// subscriptions and makes a table of the latest ones.
//
// Answers of one partition come in order, those of several do not: what the partition says that a
// row no longer points to may come after the answer to the row as it is now. So an answer of an
// earlier version than the latest one is dropped. A key without a result is forgotten once nothing
// earlier can come any more: when each kMoved that was answered has its kUnsubscribe answered too.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/keyed_entries.h"

namespace weir {
namespace {

using physical::AnswerBits;

class ForeignKeyAnswers : public Operator {
 public:
  explicit ForeignKeyAnswers(const physical::ForeignKeyAnswers& node)
      : node_(node), entries_(KeyTypes(node)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(node_.StoreName(physical::StoreKind::kAnswers));
    return entries_.Load(*store_, {}, [](std::string_view) { return false; });
  }

  Status OnBatch(int, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    const auto rows = numbers_.Of(chunk);
    entries_.Find(std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns)), rows,
                  ids_);
    const size_t columns = chunk.columns.size() - 2;
    const int64_t* versions = chunk.columns[columns]->values<int64_t>().data();
    const int32_t* kinds = chunk.columns[columns + 1]->values<int32_t>().data();
    picked_.clear();
    ops_.clear();
    for (size_t i = 0; i < rows.size(); ++i) Take(rows[i], ids_[i], versions[i], kinds[i]);
    chunk.columns.resize(columns);
    Status emitted = InParts(
        picked_.size(), ops_.data(),
        [&](size_t from, size_t count) { return Results(chunk, from, count); },
        [this](Chunk results) { return out_.Emit(std::move(results)); });
    entries_.DropEmpty();
    return emitted;
  }

  Status OnBarrier() override {
    entries_.Save(*store_);
    memory_.Update(*context_, entries_.ByteSize());
    return OkStatus();
  }

 private:
  struct Entry {
    int64_t version = 0;  // Of the latest answer.
    // Sum over the versions that a kMoved was answered of less those that a kUnsubscribe was
    // answered of, each mixed up: 0 where they are the same ones.
    uint64_t open = 0;
    bool has_result = false;

    bool empty() const { return !has_result && open == 0; }
    void AppendTo(std::string& out) const {
      AppendOrdered64(version, out);
      AppendOrdered64(static_cast<int64_t>(open), out);
      AppendOrdered64(has_result ? 1 : 0, out);
    }
    bool Read(std::string_view bytes) {
      int64_t opened = 0, result = 0;
      if (!ReadOrdered64(bytes, version) || !ReadOrdered64(bytes, opened) ||
          !ReadOrdered64(bytes, result)) {
        return false;
      }
      open = static_cast<uint64_t>(opened);
      has_result = result != 0;
      return true;
    }
  };

  static std::vector<DataType> KeyTypes(const physical::ForeignKeyAnswers& node) {
    std::vector<DataType> types = ColumnTypes(*node.schema);
    types.resize(static_cast<size_t>(node.key_columns));
    return types;
  }

  static uint64_t Mixed(int64_t version) {
    uint64_t word = static_cast<uint64_t>(version) * 0x9E3779B97F4A7C15u;
    word = (word ^ (word >> 32)) * 0xD6E8FEB86659FD93u;
    return word ^ (word >> 32);
  }

  void Take(int32_t row, uint32_t id, int64_t version, int32_t kind) {
    Entry& entry = entries_[id];
    entries_.Touch(id);
    entries_.MarkDirty(id);
    if (kind == AnswerBits::kUnsubscribed) {
      entry.open -= Mixed(version);
      return;
    }
    if ((kind & AnswerBits::kMoved) != 0) entry.open += Mixed(version);
    if (version < entry.version) return;
    entry.version = version;
    const bool had = entry.has_result;
    entry.has_result = (kind & AnswerBits::kHasResult) != 0;
    // As in one task (and in Kafka Streams), a row that is deleted is told even if it had no
    // result.
    if (!had && !entry.has_result && (kind & AnswerBits::kDeleted) == 0) return;
    picked_.push_back(row);
    ops_.push_back(!entry.has_result ? RowOp::kDelete : had ? RowOp::kUpdateAfter : RowOp::kInsert);
  }

  Chunk Results(const Chunk& chunk, size_t from, size_t count) const {
    const auto rows = std::span(picked_).subspan(from, count);
    Chunk out = GatherChunk(chunk, rows);
    out.ops = MakeOps(std::span(ops_).subspan(from, count));
    return out;
  }

  const physical::ForeignKeyAnswers node_;
  KeyedEntries<Entry> entries_;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> picked_;
  std::vector<RowOp> ops_;
  std::vector<uint32_t> ids_;
};

}  // namespace

OperatorResult MakeForeignKeyAnswers(const physical::ForeignKeyAnswers& node) {
  return std::unique_ptr<Operator>(std::make_unique<ForeignKeyAnswers>(node));
}

}  // namespace weir
