// LATEST_BY_OFFSET and EARLIEST_BY_OFFSET, of one value or of the last or first N.
//
// Rows come in offset order, so the order of arrival within one AggregateStates is the order that
// counts; each kept value carries its number in it, which decides when sessions merge.

#include <algorithm>

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Hands out arrival numbers from 1; loaded states push it past what they hold.
class ArrivalClock {
 public:
  uint64_t Next() { return ++last_; }
  void Saw(uint64_t arrival) { last_ = std::max(last_, arrival); }

 private:
  uint64_t last_ = 0;
};

template <typename T, bool kLatest>
class OneByOffset : public NeverFails {
 public:
  struct State {
    Cell<T> cell;
    uint64_t arrival = 0;  // 0: nothing came yet.
  };
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = false;
  explicit OneByOffset(bool ignore_nulls) : ignore_nulls_(ignore_nulls) {}

  bool Add(State& state, const Reader& in, int32_t row) {
    if (!kLatest && state.arrival != 0) return true;
    const bool null = in.IsNull(row);
    if (null && ignore_nulls_) return true;
    state.arrival = clock_.Next();
    state.cell.null = null;
    if (null) return true;
    if constexpr (kIsText<T> || kIsNested<T>) heap_bytes_ -= CellHeapBytes(state.cell.value);
    AssignCell<T>(state.cell.value, in.Get(row));
    if constexpr (kIsText<T> || kIsNested<T>) heap_bytes_ += CellHeapBytes(state.cell.value);
    return true;
  }
  void Merge(State& into, const State& from) {
    if (from.arrival == 0) return;
    if (into.arrival != 0 &&
        (kLatest ? into.arrival > from.arrival : into.arrival < from.arrival)) {
      return;
    }
    heap_bytes_ -= CellHeapBytes(into.cell.value);
    into = from;
    heap_bytes_ += CellHeapBytes(into.cell.value);
  }
  void Append(const State& state, ColumnBuilder& out) const { AppendCell(state.cell, out); }
  void Forget(const State& state) { heap_bytes_ -= CellHeapBytes(state.cell.value); }
  size_t heap_bytes() const { return heap_bytes_; }
  void Save(const State& state, std::string& out) const {
    PutFixed(state.arrival, out);
    PutCell(state.cell, out);
  }
  bool Load(State& state, std::string_view& bytes) {
    if (!TakeFixed(bytes, state.arrival) || !TakeCell(bytes, state.cell)) return false;
    clock_.Saw(state.arrival);
    heap_bytes_ += CellHeapBytes(state.cell.value);
    return true;
  }

 private:
  bool ignore_nulls_;
  ArrivalClock clock_;
  size_t heap_bytes_ = 0;
};

template <typename T, bool kLatest>
class SomeByOffset : public NeverFails {
 public:
  struct Item {
    uint64_t arrival;
    Cell<T> cell;
  };
  struct State {
    std::vector<Item> items;  // By arrival; at most N.
  };
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = false;
  SomeByOffset(size_t count_max, bool ignore_nulls)
      : count_max_(count_max), ignore_nulls_(ignore_nulls) {}

  bool Add(State& state, const Reader& in, int32_t row) {
    if (!kLatest && state.items.size() >= count_max_) return true;
    Cell<T> cell;
    cell.null = in.IsNull(row);
    if (cell.null && ignore_nulls_) return true;
    if (!cell.null) AssignCell<T>(cell.value, in.Get(row));
    Forget(state);
    state.items.push_back({clock_.Next(), std::move(cell)});
    Trim(state);
    heap_bytes_ += HeapBytes(state);
    return true;
  }
  void Merge(State& into, const State& from) {
    Forget(into);
    std::vector<Item> merged;
    std::merge(into.items.begin(), into.items.end(), from.items.begin(), from.items.end(),
               std::back_inserter(merged),
               [](const Item& a, const Item& b) { return a.arrival < b.arrival; });
    into.items = std::move(merged);
    Trim(into);
    heap_bytes_ += HeapBytes(into);
  }
  void Append(const State& state, ColumnBuilder& out) const {
    for (const Item& item : state.items) AppendCell(item.cell, out.child(0));
    out.AppendNested();
  }
  void Forget(const State& state) { heap_bytes_ -= HeapBytes(state); }
  size_t heap_bytes() const { return heap_bytes_; }
  void Save(const State& state, std::string& out) const {
    PutFixed(static_cast<uint32_t>(state.items.size()), out);
    for (const Item& item : state.items) {
      PutFixed(item.arrival, out);
      PutCell(item.cell, out);
    }
  }
  bool Load(State& state, std::string_view& bytes) {
    uint32_t count;
    if (!TakeFixed(bytes, count) || count > bytes.size()) return false;
    state.items.resize(count);
    for (Item& item : state.items) {
      if (!TakeFixed(bytes, item.arrival) || !TakeCell(bytes, item.cell)) return false;
      clock_.Saw(item.arrival);
    }
    heap_bytes_ += HeapBytes(state);
    return true;
  }

 private:
  void Trim(State& state) const {
    if (state.items.size() <= count_max_) return;
    const auto excess = static_cast<ptrdiff_t>(state.items.size() - count_max_);
    if (kLatest) {
      state.items.erase(state.items.begin(), state.items.begin() + excess);
    } else {
      state.items.resize(count_max_);
    }
  }
  static size_t HeapBytes(const State& state) {
    size_t bytes = state.items.size() * sizeof(Item);
    if constexpr (kIsText<T> || kIsNested<T>) {
      for (const Item& item : state.items) bytes += CellHeapBytes(item.cell.value);
    }
    return bytes;
  }
  size_t count_max_;
  bool ignore_nulls_;
  ArrivalClock clock_;
  size_t heap_bytes_ = 0;
};

template <bool kLatest>
std::unique_ptr<AggregateStates> MakeByOffset(Types args, Constants constants, const DataType&) {
  bool ignore_nulls = true;
  std::optional<size_t> count;
  for (const Value& constant : constants) {
    if (const auto* flag = std::get_if<bool>(&constant.data)) ignore_nulls = *flag;
    if (const auto* n = std::get_if<int32_t>(&constant.data)) {
      count = static_cast<size_t>(std::max(*n, 0));
    }
  }
  return VisitCellType(args[0], [&](auto cell) -> std::unique_ptr<AggregateStates> {
    using T = decltype(cell);
    if (count) return MakeGroupStates(SomeByOffset<T, kLatest>(*count, ignore_nulls));
    return MakeGroupStates(OneByOffset<T, kLatest>(ignore_nulls));
  });
}

template <bool kLatest>
constexpr AggregateRow OffsetRow(std::string_view signature, std::string_view text,
                                 std::string_view example) {
  return {.name = kLatest ? "LATEST_BY_OFFSET" : "EARLIEST_BY_OFFSET",
          .signature = signature,
          .make = &MakeByOffset<kLatest>,
          .can_merge = true,
          .order_sensitive = true,
          .text = text,
          .example = example};
}

constexpr AggregateRow kOffsetAggregates[] = {
    OffsetRow<true>("(T) -> T", "Gives the value of the last row in which it is not null.",
                    "SELECT k, LATEST_BY_OFFSET(v) FROM s GROUP BY k"),
    OffsetRow<true>("(T; BOOLEAN) -> T",
                    "Gives the value of the last row, or with TRUE of the last that is not null.",
                    "SELECT k, LATEST_BY_OFFSET(v, FALSE) FROM s GROUP BY k"),
    OffsetRow<true>("(T; INT) -> ARRAY<T>", "Gives the values of the last N rows, without nulls.",
                    "SELECT k, LATEST_BY_OFFSET(v, 2) FROM s GROUP BY k"),
    OffsetRow<true>("(T; INT, BOOLEAN) -> ARRAY<T>",
                    "Gives the values of the last N rows, without nulls where TRUE.",
                    "SELECT k, LATEST_BY_OFFSET(v, 2, FALSE) FROM s GROUP BY k"),
    OffsetRow<false>("(T) -> T", "Gives the value of the first row in which it is not null.",
                     "SELECT k, EARLIEST_BY_OFFSET(v) FROM s GROUP BY k"),
    OffsetRow<false>(
        "(T; BOOLEAN) -> T",
        "Gives the value of the first row, or with TRUE of the first that is not null.",
        "SELECT k, EARLIEST_BY_OFFSET(v, FALSE) FROM s GROUP BY k"),
    OffsetRow<false>("(T; INT) -> ARRAY<T>", "Gives the values of the first N rows, without nulls.",
                     "SELECT k, EARLIEST_BY_OFFSET(v, 2) FROM s GROUP BY k"),
    OffsetRow<false>("(T; INT, BOOLEAN) -> ARRAY<T>",
                     "Gives the values of the first N rows, without nulls where TRUE.",
                     "SELECT k, EARLIEST_BY_OFFSET(v, 2, FALSE) FROM s GROUP BY k"),
};

}  // namespace

std::span<const AggregateRow> OffsetAggregates() { return kOffsetAggregates; }

}  // namespace weir
