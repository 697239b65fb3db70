// A join of two inputs that end, as SQL has it: both sides are kept until then, the right one is
// put into a hash table, and the rows of the left one look for theirs. Keys that are null equal
// nothing. Without keys each row of the left side meets all of the right one.

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/join/join_output.h"
#include "exec/operators/join/pair_condition.h"
#include "exec/state/group_table.h"

namespace weir {
namespace {

using physical::JoinKind;

constexpr uint32_t kChainEnd = UINT32_MAX;
constexpr int kPiecesAtOnce = 16;

class BoundedJoin : public Operator {
 public:
  BoundedJoin(const physical::BoundedJoin& node, std::unique_ptr<PairCondition> condition)
      : node_(node), condition_(std::move(condition)), table_({KeyTypesOf(node), false, false}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int input, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    Chunk kept;
    kept.rows = chunk.rows;
    kept.columns = std::move(chunk.columns);
    kept.sys(SystemColumn::kRowTime) = chunk.row_time();
    // Chunks of a few rows weigh more than what is in them.
    bytes_ += ByteSize(kept) + sizeof(Chunk) + (KeepsAlone(input) ? kept.rows : 0) +
              kept.columns.size() * (sizeof(Column) + sizeof(ColumnPtr) + sizeof(Column*));
    blocks_[input].resize(kept.columns.size());
    for (size_t i = 0; i < kept.columns.size(); ++i) {
      blocks_[input][i].push_back(kept.columns[i].get());
    }
    sides_[input].push_back(std::move(kept));
    AccountMemory();
    return OkStatus();
  }

  // Nothing behind a join whose inputs end goes by time.
  Status OnStreamTime(int, int64_t) override { return OkStatus(); }

  Status EmitRest(bool* more) override {
    if (!is_built_) WEIR_RETURN_IF_ERROR(Build());
    for (int piece = 0; piece < kPiecesAtOnce; ++piece) {
      CheckInterrupt();
      pairs_.Clear();
      if (left_ < sides_[0].size()) {
        WEIR_RETURN_IF_ERROR(MatchSome());
      } else if (KeepsAlone(1) && right_ < sides_[1].size()) {
        AddUnmatched(1, right_);
        ++right_;
      } else {
        *more = false;
        return OkStatus();
      }
      WEIR_RETURN_IF_ERROR(EmitPairs());
    }
    *more = true;
    return OkStatus();
  }

 private:
  static std::vector<DataType> KeyTypesOf(const physical::BoundedJoin& node) {
    std::vector<DataType> types;
    for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
    return types;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  }
  /// Whether rows of a side come out without a partner.
  bool KeepsAlone(int side) const {
    return node_.join == JoinKind::kFull ||
           node_.join == (side == 0 ? JoinKind::kLeft : JoinKind::kRight);
  }
  void AccountMemory() {
    memory_.Update(*context_, bytes_ + table_.ByteSize() + refs_.capacity() * sizeof(RowRef) +
                                  (next_.capacity() + heads_.capacity()) * sizeof(uint32_t));
  }
  int64_t TimeOf(int side, RowRef ref) const {
    return sides_[side][ref.block].row_time()->values<int64_t>()[ref.row];
  }

  static int64_t RowsOf(const std::vector<Chunk>& side) {
    int64_t rows = 0;
    for (const Chunk& chunk : side) rows += chunk.rows;
    return rows;
  }

  Status CheckPairs() const {
    const int64_t left = RowsOf(sides_[0]);
    const int64_t right = RowsOf(sides_[1]);
    if (right == 0 || left <= limits::kJoinPairsMax / right) return OkStatus();
    return Status(ErrorCode::kInvalidJoin,
                  fmt::format("a join without an equality compares each row with each, and {} by "
                              "{} rows are more than {} pairs",
                              left, right, limits::kJoinPairsMax))
        .WithHint("an equality of columns of both sides, in ON or WHERE, finds the pairs at once");
  }

  // All rows of the right side in one chain.
  void ChainAll() {
    heads_.assign(1, sides_[1].empty() ? kChainEnd : 0);
    for (uint32_t block = 0; block < sides_[1].size(); ++block) {
      matched_[1].emplace_back(KeepsAlone(1) ? sides_[1][block].rows : 0, 0);
      for (int32_t row = 0; row < sides_[1][block].rows; ++row) {
        refs_.push_back({block, row});
        next_.push_back(static_cast<uint32_t>(refs_.size()));
      }
    }
    if (!next_.empty()) next_.back() = kChainEnd;
  }

  // Rows with equal keys are chained in the order in which they came.
  Status Build() {
    is_built_ = true;
    if (node_.key_columns == 0) {
      WEIR_RETURN_IF_ERROR(CheckPairs());
      ChainAll();
      AccountMemory();
      return OkStatus();
    }
    std::vector<uint32_t> tails;
    for (uint32_t block = 0; block < sides_[1].size(); ++block) {
      CheckInterrupt();
      const Chunk& chunk = sides_[1][block];
      matched_[1].emplace_back(KeepsAlone(1) ? chunk.rows : 0, 0);
      rows_.clear();
      SelectNonNull(Keys(chunk), numbers_.Of(chunk), rows_);
      created_.clear();
      table_.FindOrInsert(Keys(chunk), rows_, {}, ids_, created_);
      heads_.resize(table_.id_limit(), kChainEnd);
      tails.resize(table_.id_limit(), kChainEnd);
      for (size_t i = 0; i < rows_.size(); ++i) {
        const auto place = static_cast<uint32_t>(refs_.size());
        refs_.push_back({block, rows_[i]});
        next_.push_back(kChainEnd);
        uint32_t& tail = tails[ids_[i]];
        (tail == kChainEnd ? heads_[ids_[i]] : next_[tail]) = place;
        tail = place;
      }
    }
    AccountMemory();
    return OkStatus();
  }

  // The first rows of the right side for each row of the block of the left side at hand.
  void FindPartners() {
    const Chunk& chunk = sides_[0][left_];
    partners_.assign(static_cast<size_t>(chunk.rows), kChainEnd);
    matched_[0].assign(1, std::vector<uint8_t>(static_cast<size_t>(chunk.rows), 0));
    row_ = 0;
    is_begun_ = true;
    if (node_.key_columns == 0) {
      partners_.assign(partners_.size(), heads_[0]);
      return;
    }
    rows_.clear();
    SelectNonNull(Keys(chunk), numbers_.Of(chunk), rows_);
    table_.Find(Keys(chunk), rows_, {}, ids_);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (ids_[i] != GroupTable::kNone) partners_[rows_[i]] = heads_[ids_[i]];
    }
  }

  // Pairs of the left block at hand, at most a batch of them; behind the last its rows that found
  // none.
  Status MatchSome() {
    if (!is_begun_) FindPartners();
    const int32_t rows = sides_[0][left_].rows;
    while (row_ < rows && pairs_.size() < static_cast<size_t>(limits::kBatchRowsMax)) {
      uint32_t& partner = partners_[row_];
      if (partner == kChainEnd) {
        ++row_;
        continue;
      }
      const RowRef left{left_, row_};
      const RowRef right = refs_[partner];
      pairs_.Push(left, right, std::max(TimeOf(0, left), TimeOf(1, right)));
      partner = next_[partner];
    }
    WEIR_RETURN_IF_ERROR(KeepTruePairs());
    if (row_ < rows) return OkStatus();
    if (KeepsAlone(0)) AddUnmatched(0, left_);
    ++left_;
    is_begun_ = false;
    return OkStatus();
  }

  // Drops pairs for which the condition is not true, and marks the rows of the others.
  Status KeepTruePairs() {
    if (condition_ != nullptr && pairs_.size() > 0) {
      WEIR_RETURN_IF_ERROR(condition_->Judge(
          *context_, pairs_.size(),
          [this](int side, int column, size_t from, size_t count) {
            return Take(side, column, RefsOf(side).subspan(from, count));
          },
          passes_));
      size_t kept = 0;
      for (size_t i = 0; i < pairs_.size(); ++i) {
        if (passes_[i] == 0) continue;
        pairs_.left[kept] = pairs_.left[i];
        pairs_.right[kept] = pairs_.right[i];
        pairs_.times[kept++] = pairs_.times[i];
      }
      pairs_.left.resize(kept);
      pairs_.right.resize(kept);
      pairs_.times.resize(kept);
    }
    for (size_t i = 0; i < pairs_.size(); ++i) {
      matched_[0][0][pairs_.left[i].row] = 1;
      if (KeepsAlone(1)) matched_[1][pairs_.right[i].block][pairs_.right[i].row] = 1;
    }
    return OkStatus();
  }

  void AddUnmatched(int side, uint32_t block) {
    const std::vector<uint8_t>& matched = matched_[side][side == 0 ? 0 : block];
    for (int32_t row = 0; row < sides_[side][block].rows; ++row) {
      if (matched[row] != 0) continue;
      const RowRef ref{block, row};
      pairs_.Push(side == 0 ? ref : RowRef(), side == 0 ? RowRef() : ref, TimeOf(side, ref));
    }
  }

  std::span<const RowRef> RefsOf(int side) const { return side == 0 ? pairs_.left : pairs_.right; }

  ColumnPtr Take(int side, int column, std::span<const RowRef> refs) {
    const std::vector<std::vector<const Column*>>& columns = blocks_[side];
    return GatherRefs(node_.inputs[side]->schema->columns[column].type,
                      columns.empty() ? std::span<const Column* const>() : columns[column], refs);
  }

  Status EmitPairs() {
    return InParts(
        pairs_.size(), nullptr, [this](size_t from, size_t count) { return Joined(from, count); },
        [this](Chunk chunk) { return out_.Emit(std::move(chunk)); });
  }

  Chunk Joined(size_t from, size_t count) {
    const std::span<const RowRef> left = RefsOf(0).subspan(from, count);
    const std::span<const RowRef> right = RefsOf(1).subspan(from, count);
    Chunk out;
    out.rows = static_cast<int32_t>(count);
    for (int key = 0; key < node_.key_columns; ++key) {
      out.columns.push_back(MergeKeys(Take(0, key, left), Take(1, key, right), left));
    }
    for (int column : node_.left_columns) out.columns.push_back(Take(0, column, left));
    for (int column : node_.right_columns) out.columns.push_back(Take(1, column, right));
    out.sys(SystemColumn::kRowTime) = MakeTimes(std::span(pairs_.times).subspan(from, count));
    out.source_partition = context_->partition();
    return out;
  }

  const physical::BoundedJoin& node_;
  const std::unique_ptr<PairCondition> condition_;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  size_t bytes_ = 0;  // Of the chunks.
  std::vector<Chunk> sides_[2];
  std::vector<std::vector<const Column*>> blocks_[2];  // Of their columns.
  // Which rows have come out in a pair: of the left side those of the block at hand.
  std::vector<std::vector<uint8_t>> matched_[2];

  // The right side by key: rows, and for each the next one with its key.
  GroupTable table_;
  std::vector<uint32_t> heads_;  // By id of the key.
  std::vector<RowRef> refs_;
  std::vector<uint32_t> next_;
  bool is_built_ = false;

  // How far the output is.
  uint32_t left_ = 0, right_ = 0;  // Blocks.
  bool is_begun_ = false;          // The left block is.
  int32_t row_ = 0;
  std::vector<uint32_t> partners_;  // By row of it: the next partner.

  // Of the piece at hand.
  JoinPairs pairs_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<uint32_t> ids_, created_;
  std::vector<uint8_t> passes_;
};

}  // namespace

OperatorResult MakeBoundedJoin(const physical::BoundedJoin& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<PairCondition> condition,
                        PairCondition::Make(node.condition, node.inputs[0]->schema->size()));
  return std::unique_ptr<Operator>(std::make_unique<BoundedJoin>(node, std::move(condition)));
}

}  // namespace weir
