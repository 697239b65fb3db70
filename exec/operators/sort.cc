// ORDER BY over an input that ends, and the first rows of it (LIMIT, OFFSET).
//
// Rows are put in order a run at a time, and the runs are merged while they are handed on, so that
// no step takes long. A small LIMIT keeps one run, of the first rows there were so far.
//
// Two rows are mostly told apart by a number made of their first key: its place among the nulls,
// and its first eight bytes in an order-keeping form. Only rows that agree there are compared
// column by column.

#include <algorithm>
#include <bit>
#include <iterator>
#include <string_view>

#include "base/decimal.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/column/compare.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/rows/row_gather.h"

namespace weir {
namespace {

constexpr int64_t kRunRows = 1 << 16;
constexpr size_t kRunBytes = 64u << 20;
constexpr int kSortedChunksAtOnce = 16;
constexpr int64_t kRowsTakenAtOnce = 1 << 16;  // With those that OFFSET passes over.
constexpr SystemColumn kCarried[] = {SystemColumn::kRowTime, SystemColumn::kWindowStart,
                                     SystemColumn::kWindowEnd};

/// What most rows are told apart by.
struct Head {
  uint64_t prefix = 0;
  int32_t row = 0;
  uint8_t rank = 1;  ///< 0: null that comes first; 1: a value; 2: null that comes last.
};

uint64_t OfInteger(int64_t value) { return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63); }

uint64_t OfDouble(double value) {
  if (value != value) return UINT64_MAX;
  if (value == 0) value = 0;  // -0.0 is 0.0.
  const auto bits = std::bit_cast<uint64_t>(value);
  return (bits >> 63) != 0 ? ~bits : bits | (uint64_t{1} << 63);
}

uint64_t OfDecimal(Int128 value) {
  const Int128 least = INT64_MIN;
  const Int128 most = INT64_MAX;
  return OfInteger(static_cast<int64_t>(std::clamp(value, least, most)));
}

/// Texts are in the order of UTF-16: code points beyond U+FFFF come before U+E000 … U+FFFF, whose
/// lead bytes are EE and EF.
uint64_t OfText(std::string_view text, bool is_utf8) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < 8; ++i) {
    auto byte = i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
    if (is_utf8 && byte >= 0xEE) {
      byte = byte >= 0xF0 ? static_cast<uint8_t>(byte - 2) : static_cast<uint8_t>(byte + 8);
    }
    prefix = prefix << 8 | byte;
  }
  return prefix;
}

uint64_t PrefixOf(const Column& column, int32_t row) {
  switch (column.type().kind()) {
    case TypeKind::kBoolean: return column.GetBool(row) ? 1 : 0;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return OfInteger(column.values<int32_t>()[row]);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return OfInteger(column.values<int64_t>()[row]);
    case TypeKind::kDouble: return OfDouble(column.values<double>()[row]);
    case TypeKind::kDecimal: return OfDecimal(ToInt128(column.values<Decimal128>()[row]));
    case TypeKind::kString: return OfText(column.GetString(row), true);
    case TypeKind::kBytes: return OfText(column.GetString(row), false);
    default: return 0;
  }
}

/// Whether equal prefixes are equal values.
bool IsWhole(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
    case TypeKind::kDouble: return true;
    default: return false;
  }
}

/// The order of rows by the keys of one Sort.
class RowOrder {
 public:
  explicit RowOrder(const physical::Sort& node) : keys_(node.keys) {
    const int first = keys_[0].column;
    const bool by_time = first == physical::SortKey::kTime;
    const TypeKind kind = by_time ? TypeKind::kBigint : node.schema->columns[first].type.kind();
    first_left_ = IsWhole(kind) ? 1 : 0;
  }

  std::vector<Head> HeadsOf(const Chunk& chunk) const {
    const physical::SortKey& key = keys_[0];
    const Column& column = KeyColumn(chunk, key);
    std::vector<Head> heads(static_cast<size_t>(chunk.rows));
    for (int32_t row = 0; row < chunk.rows; ++row) {
      Head& head = heads[static_cast<size_t>(row)];
      head.row = row;
      if (column.IsNull(row)) {
        head.rank = key.nulls_first ? 0 : 2;
        continue;
      }
      head.prefix = PrefixOf(column, row);
      if (key.descending) head.prefix = ~head.prefix;
    }
    return heads;
  }

  int Compare(const Chunk& a, const Head& i, const Chunk& b, const Head& j) const {
    if (i.rank != j.rank) return i.rank < j.rank ? -1 : 1;
    if (i.prefix != j.prefix) return i.prefix < j.prefix ? -1 : 1;
    for (size_t k = first_left_; k < keys_.size(); ++k) {
      const int order =
          CompareKey(keys_[k], KeyColumn(a, keys_[k]), i.row, KeyColumn(b, keys_[k]), j.row);
      if (order != 0) return order;
    }
    return 0;
  }

 private:
  static const Column& KeyColumn(const Chunk& chunk, const physical::SortKey& key) {
    return key.column == physical::SortKey::kTime ? *chunk.row_time()
                                                  : *chunk.columns[static_cast<size_t>(key.column)];
  }

  static int CompareKey(const physical::SortKey& key, const Column& a, int32_t i, const Column& b,
                        int32_t j) {
    const bool null_a = a.IsNull(i);
    const bool null_b = b.IsNull(j);
    if (null_a || null_b) {
      if (null_a == null_b) return 0;
      return null_a == key.nulls_first ? -1 : 1;
    }
    const int order = CompareAt(a, i, b, j);
    return key.descending ? -order : order;
  }

  const std::vector<physical::SortKey> keys_;
  size_t first_left_ = 0;  // The first key that heads do not decide.
};

class Sort : public Operator {
 public:
  explicit Sort(const physical::Sort& node)
      : order_(node),
        kept_(node.limit < 0 ? -1 : node.limit + std::min(node.offset, INT64_MAX - node.limit)),
        left_(node.limit < 0 ? INT64_MAX : node.limit),
        skip_(node.offset) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    if (kept_ == 0) return OkStatus();
    Add(Carried(Flatten(std::move(chunk))));
    if (pending_rows_ >= kRunRows || pending_bytes_ >= kRunBytes) MakeRun();
    AccountMemory();
    return OkStatus();
  }

  Status EmitRest(bool* more) override {
    if (!merging_) StartMerge();
    for (int chunks = 0; chunks < kSortedChunksAtOnce && !heap_.empty() && left_ > 0; ++chunks) {
      TakeFirst();
      WEIR_RETURN_IF_ERROR(InParts(
          refs_.size(), nullptr,
          [&](size_t from, size_t count) { return RowsAt(std::span(refs_).subspan(from, count)); },
          [this](Chunk chunk) { return out_.Emit(std::move(chunk)); }));
    }
    *more = !heap_.empty() && left_ > 0;
    return OkStatus();
  }

 private:
  struct Run {
    Chunk chunk;              // In order.
    std::vector<Head> heads;  // Of its rows.
    size_t next = 0;          // First row that has not been handed on.
  };

  // The columns of the schema, and of the others those that somebody behind a sort may read.
  static Chunk Carried(Chunk chunk) {
    Chunk carried;
    carried.rows = chunk.rows;
    carried.columns = std::move(chunk.columns);
    for (SystemColumn column : kCarried) carried.sys(column) = chunk.sys(column);
    return carried;
  }

  void Add(Chunk chunk) {
    pending_rows_ += chunk.rows;
    pending_bytes_ += ByteSize(chunk);
    pending_.push_back(std::move(chunk));
  }

  static Chunk Together(const std::vector<Chunk>& chunks) {
    if (chunks.size() == 1) return chunks[0];
    const auto concat = [&](auto column_of) {
      std::vector<ColumnPtr> parts;
      for (const Chunk& chunk : chunks) {
        if (column_of(chunk) == nullptr) return ColumnPtr();
        parts.push_back(column_of(chunk));
      }
      return Concat(parts);
    };
    Chunk all;
    for (const Chunk& chunk : chunks) all.rows += chunk.rows;
    for (size_t i = 0; i < chunks[0].columns.size(); ++i) {
      all.columns.push_back(concat([&](const Chunk& chunk) { return chunk.columns[i]; }));
    }
    for (SystemColumn column : kCarried) {
      all.sys(column) = concat([&](const Chunk& chunk) { return chunk.sys(column); });
    }
    return all;
  }

  // Puts the pending rows in order, as one more run. With a LIMIT, only those that may come out;
  // where these are few, they wait for the next rows and become one run with them.
  void MakeRun() {
    if (pending_rows_ == 0) return;
    const Chunk all = Together(pending_);
    pending_.clear();
    pending_rows_ = 0;
    pending_bytes_ = 0;
    std::vector<Head> heads = order_.HeadsOf(all);
    const auto before = [&](const Head& a, const Head& b) {
      const int order = order_.Compare(all, a, all, b);
      return order != 0 ? order < 0 : a.row < b.row;
    };
    if (kept_ >= 0 && kept_ < static_cast<int64_t>(heads.size())) {
      std::partial_sort(heads.begin(), heads.begin() + kept_, heads.end(), before);
      heads.resize(static_cast<size_t>(kept_));
    } else {
      std::sort(heads.begin(), heads.end(), before);
    }
    std::vector<int32_t> rows(heads.size());
    for (size_t i = 0; i < heads.size(); ++i) {
      rows[i] = heads[i].row;
      heads[i].row = static_cast<int32_t>(i);
    }
    Run run{GatherChunk(all, rows), std::move(heads), 0};
    if (!merging_ && kept_ >= 0 && kept_ <= kRunRows / 2 && ByteSize(run.chunk) <= kRunBytes / 2) {
      Add(std::move(run.chunk));
      return;
    }
    run_bytes_ += ByteSize(run.chunk) + run.heads.size() * sizeof(Head);
    runs_.push_back(std::move(run));
  }

  // A heap with the run on top whose next row comes first; of equal rows the earlier run's.
  bool ComesAfter(size_t a, size_t b) const {
    const Run& left = runs_[a];
    const Run& right = runs_[b];
    const int order =
        order_.Compare(left.chunk, left.heads[left.next], right.chunk, right.heads[right.next]);
    return order != 0 ? order > 0 : a > b;
  }

  void StartMerge() {
    merging_ = true;
    MakeRun();
    if (runs_.empty()) return;
    const Chunk& first = runs_[0].chunk;
    blocks_.resize(first.columns.size() + std::size(kCarried));
    for (size_t run = 0; run < runs_.size(); ++run) {
      const Chunk& chunk = runs_[run].chunk;
      for (size_t i = 0; i < chunk.columns.size(); ++i) {
        blocks_[i].push_back(chunk.columns[i].get());
      }
      for (size_t i = 0; i < std::size(kCarried); ++i) {
        blocks_[chunk.columns.size() + i].push_back(chunk.sys(kCarried[i]).get());
      }
      heap_.push_back(run);
    }
    std::make_heap(heap_.begin(), heap_.end(),
                   [this](size_t a, size_t b) { return ComesAfter(a, b); });
  }

  // Fills refs_ with the next rows.
  void TakeFirst() {
    refs_.clear();
    for (int64_t taken = 0; !heap_.empty() && left_ > 0 && taken < kRowsTakenAtOnce &&
                            refs_.size() < size_t{limits::kBatchRowsMax};
         ++taken) {
      const RowRef ref = TakeOne();
      if (skip_ > 0) {
        --skip_;
        continue;
      }
      --left_;
      refs_.push_back(ref);
    }
  }

  RowRef TakeOne() {
    const auto after = [this](size_t a, size_t b) { return ComesAfter(a, b); };
    const size_t top = heap_.front();
    Run& run = runs_[top];
    const RowRef ref{static_cast<uint32_t>(top), static_cast<int32_t>(run.next)};
    if (heap_.size() > 1) std::pop_heap(heap_.begin(), heap_.end(), after);
    ++run.next;
    if (run.next == run.heads.size()) {
      heap_.pop_back();
    } else if (heap_.size() > 1) {
      std::push_heap(heap_.begin(), heap_.end(), after);
    }
    return ref;
  }

  Chunk RowsAt(std::span<const RowRef> refs) const {
    Chunk out;
    out.rows = static_cast<int32_t>(refs.size());
    const Chunk& first = runs_[0].chunk;
    for (size_t i = 0; i < first.columns.size(); ++i) {
      out.columns.push_back(GatherRefs(first.columns[i]->type(), blocks_[i], refs));
    }
    for (size_t i = 0; i < std::size(kCarried); ++i) {
      if (first.sys(kCarried[i]) == nullptr) continue;
      out.sys(kCarried[i]) =
          GatherRefs(DataType::Bigint(), blocks_[first.columns.size() + i], refs);
    }
    return out;
  }

  void AccountMemory() { memory_.Update(*context_, run_bytes_ + pending_bytes_); }

  const RowOrder order_;
  const int64_t kept_;  // Rows that may come out, skipped ones included; -1: all.
  int64_t left_;        // Rows to hand on.
  int64_t skip_;        // Rows to pass over first.
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  std::vector<Chunk> pending_;
  int64_t pending_rows_ = 0;
  size_t pending_bytes_ = 0;
  std::vector<Run> runs_;
  size_t run_bytes_ = 0;
  bool merging_ = false;
  std::vector<size_t> heap_;                        // Numbers of runs.
  std::vector<std::vector<const Column*>> blocks_;  // By column, by run.
  std::vector<RowRef> refs_;                        // Rows that are handed on next.
};

}  // namespace

OperatorResult MakeSort(const physical::Sort& node) {
  return std::unique_ptr<Operator>(std::make_unique<Sort>(node));
}

}  // namespace weir
