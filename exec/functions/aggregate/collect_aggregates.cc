// COLLECT_LIST, COLLECT_SET, HISTOGRAM and ATTR: states that are lists of values.
//
// The planner may add one constant behind the arguments, the bound on the number of elements
// (ksql.functions.<name>.limit); without it kElementsMax holds.

#include <algorithm>
#include <limits>

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Elements kept a group unless a setting says otherwise; further ones are dropped, as ksqlDB does.
constexpr size_t kElementsMax = 1000;

size_t ElementsMax(Constants constants) {
  for (const Value& constant : constants) {
    int64_t limit = 0;
    if (const auto* n = std::get_if<int32_t>(&constant.data)) limit = *n;
    if (const auto* n = std::get_if<int64_t>(&constant.data)) limit = *n;
    // A negative limit means none.
    return limit < 0 ? std::numeric_limits<int32_t>::max() : static_cast<size_t>(limit);
  }
  return kElementsMax;
}

template <typename T>
bool SameCell(const Cell<T>& cell, bool null, const CellView<T>& view) {
  return cell.null == null && (null || CellsEqual<T>(cell.value, view));
}

template <typename T>
uint64_t CellHash(bool null, const CellView<T>& view) {
  return null ? 0x7f4a7c15 : HashCell<T>(view);
}

/// One value and how often it came; lists use only the value.
template <typename T>
struct Counted {
  Cell<T> cell;
  int64_t count = 1;
};

/// What the four functions share: a list of elements a group, its bytes, how it is saved.
template <typename T, bool kCounts>
class ListOp : public NeverFails {
 public:
  using Element = std::conditional_t<kCounts, Counted<T>, Cell<T>>;
  struct State {
    std::vector<Element> elements;
    DistinctIndex index;
  };
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = false;
  explicit ListOp(size_t elements_max) : elements_max_(elements_max) {}

  void Forget(const State& state) {
    for (const Element& element : state.elements) heap_bytes_ -= ElementBytes(element);
  }
  size_t heap_bytes() const { return heap_bytes_; }
  void Save(const State& state, std::string& out) const {
    PutFixed(static_cast<uint32_t>(state.elements.size()), out);
    for (const Element& element : state.elements) {
      PutCell(CellOf(element), out);
      if constexpr (kCounts) PutFixed(element.count, out);
    }
  }
  bool Load(State& state, std::string_view& bytes) {
    uint32_t count;
    if (!TakeFixed(bytes, count) || count > bytes.size()) return false;
    state.elements.resize(count);
    for (Element& element : state.elements) {
      if (!TakeCell(bytes, CellOf(element))) return false;
      if constexpr (kCounts) {
        if (!TakeFixed(bytes, element.count)) return false;
      }
      heap_bytes_ += ElementBytes(element);
    }
    return true;
  }

 protected:
  static Cell<T>& CellOf(Element& element) {
    if constexpr (kCounts) {
      return element.cell;
    } else {
      return element;
    }
  }
  static const Cell<T>& CellOf(const Element& element) {
    return CellOf(const_cast<Element&>(element));
  }
  static size_t ElementBytes(const Element& element) {
    return sizeof(Element) + CellHeapBytes(CellOf(element).value);
  }
  static CellView<T> ViewOf(const Cell<T>& cell) { return cell.value; }

  int32_t Find(State& state, bool null, const CellView<T>& view, uint64_t hash) const {
    return state.index.Find(
        hash, static_cast<int32_t>(state.elements.size()),
        [&](int32_t i) { return SameCell<T>(CellOf(state.elements[i]), null, view); },
        [&](int32_t i) {
          const Cell<T>& cell = CellOf(state.elements[i]);
          return CellHash<T>(cell.null, cell.value);
        });
  }
  bool HasRoom(const State& state) const { return state.elements.size() < elements_max_; }
  Element& Push(State& state, bool null, CellView<T> view) {
    Element& element = state.elements.emplace_back();
    Cell<T>& cell = CellOf(element);
    cell.null = null;
    if (!null) AssignCell<T>(cell.value, std::move(view));
    heap_bytes_ += ElementBytes(element);
    return element;
  }
  void Erase(State& state, int32_t position) {
    heap_bytes_ -= ElementBytes(state.elements[position]);
    state.elements.erase(state.elements.begin() + position);
    state.index.Clear();
  }

 private:
  size_t elements_max_;
  size_t heap_bytes_ = 0;
};

template <typename T>
class CollectList : public ListOp<T, false> {
 public:
  using Base = ListOp<T, false>;
  using Base::Base;
  using typename Base::Reader;
  using typename Base::State;
  bool Add(State& state, const Reader& in, int32_t row) {
    if (!this->HasRoom(state)) return true;
    const bool null = in.IsNull(row);
    this->Push(state, null, null ? CellView<T>{} : in.Get(row));
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) {
    // Takes out the last equal value, as ksqlDB does: nothing says which the row had added.
    const bool null = in.IsNull(row);
    const CellView<T> view = null ? CellView<T>{} : in.Get(row);
    for (size_t i = state.elements.size(); i-- > 0;) {
      if (!SameCell<T>(state.elements[i], null, view)) continue;
      this->Erase(state, static_cast<int32_t>(i));
      return;
    }
  }
  void Merge(State& into, const State& from) {
    for (const Cell<T>& cell : from.elements) {
      if (this->HasRoom(into)) this->Push(into, cell.null, cell.value);
    }
  }
  void Append(const State& state, ColumnBuilder& out) const {
    for (const Cell<T>& cell : state.elements) AppendCell(cell, out.child(0));
    out.AppendNested();
  }
};

template <typename T>
class CollectSet : public ListOp<T, false> {
 public:
  using Base = ListOp<T, false>;
  using Base::Base;
  using typename Base::Reader;
  using typename Base::State;
  bool Add(State& state, const Reader& in, int32_t row) {
    const bool null = in.IsNull(row);
    AddView(state, null, null ? CellView<T>{} : in.Get(row));
    return true;
  }
  void Merge(State& into, const State& from) {
    for (const Cell<T>& cell : from.elements) AddView(into, cell.null, cell.value);
  }
  void Append(const State& state, ColumnBuilder& out) const {
    for (const Cell<T>& cell : state.elements) AppendCell(cell, out.child(0));
    out.AppendNested();
  }

 private:
  void AddView(State& state, bool null, CellView<T> view) {
    if (!this->HasRoom(state)) return;
    const uint64_t hash = CellHash<T>(null, view);
    if (this->Find(state, null, view, hash) >= 0) return;
    const auto position = static_cast<int32_t>(state.elements.size());
    this->Push(state, null, std::move(view));
    state.index.Added(hash, position);
  }
};

/// HISTOGRAM (nulls left out, a map as result) and ATTR (the value if there is but one).
template <typename T, bool kHistogram>
class CountValues : public ListOp<T, true> {
 public:
  using Base = ListOp<T, true>;
  using Base::Base;
  using typename Base::Reader;
  using typename Base::State;
  static constexpr bool kSkipNulls = kHistogram;
  bool Add(State& state, const Reader& in, int32_t row) {
    const bool null = in.IsNull(row);
    AddView(state, null, null ? CellView<T>{} : in.Get(row), 1);
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) {
    const bool null = in.IsNull(row);
    const CellView<T> view = null ? CellView<T>{} : in.Get(row);
    const int32_t position = this->Find(state, null, view, CellHash<T>(null, view));
    if (position < 0) return;
    if (--state.elements[position].count == 0) this->Erase(state, position);
  }
  void Merge(State& into, const State& from) {
    for (const auto& element : from.elements) {
      AddView(into, element.cell.null, element.cell.value, element.count);
    }
  }
  void Append(const State& state, ColumnBuilder& out) const {
    if constexpr (kHistogram) {
      for (const auto& element : state.elements) {
        AppendCell(element.cell, out.child(0));
        out.child(1).AppendInt64(element.count);
      }
      out.AppendNested();
    } else if (state.elements.size() == 1) {
      AppendCell(state.elements[0].cell, out);
    } else {
      out.AppendNull();
    }
  }

 private:
  void AddView(State& state, bool null, CellView<T> view, int64_t count) {
    const uint64_t hash = CellHash<T>(null, view);
    const int32_t position = this->Find(state, null, view, hash);
    if (position >= 0) {
      state.elements[position].count += count;
    } else if (this->HasRoom(state)) {
      const auto end = static_cast<int32_t>(state.elements.size());
      this->Push(state, null, std::move(view)).count = count;
      state.index.Added(hash, end);
    }
  }
};

template <template <typename> typename Op>
std::unique_ptr<AggregateStates> MakeCollect(Types args, Constants constants, const DataType&) {
  const size_t elements_max = ElementsMax(constants);
  return VisitCellType(args[0], [&](auto cell) -> std::unique_ptr<AggregateStates> {
    return MakeGroupStates(Op<decltype(cell)>(elements_max));
  });
}

template <typename T>
class Attribute : public CountValues<T, false> {
  using CountValues<T, false>::CountValues;
};

std::unique_ptr<AggregateStates> MakeAttribute(Types args, Constants, const DataType& type) {
  // Every distinct value must be counted, or undoing could make a wrong one look unanimous.
  const Value unlimited(int32_t{-1});
  return MakeCollect<Attribute>(args, {&unlimited, 1}, type);
}

std::unique_ptr<AggregateStates> MakeHistogram(Types, Constants constants, const DataType&) {
  return MakeGroupStates(CountValues<std::string, true>(ElementsMax(constants)));
}

constexpr AggregateRow kCollectAggregates[] = {
    {.name = "COLLECT_LIST",
     .signature = "(T) -> ARRAY<T>",
     .make = &MakeCollect<CollectList>,
     .can_undo = true,
     .can_merge = true,
     .order_sensitive = true,
     .text = "Gathers all values, nulls too, in an array of at most 1000 elements.",
     .example = "SELECT k, COLLECT_LIST(v) FROM s GROUP BY k"},
    {.name = "COLLECT_SET",
     .signature = "(T) -> ARRAY<T>",
     .make = &MakeCollect<CollectSet>,
     .can_merge = true,
     .order_sensitive = true,
     .text = "Gathers the different values, null too, in an array of at most 1000 elements.",
     .example = "SELECT k, COLLECT_SET(v) FROM s GROUP BY k"},
    {.name = "HISTOGRAM",
     .signature = "(STRING) -> MAP<STRING, BIGINT>",
     .make = &MakeHistogram,
     .can_undo = true,
     .can_merge = true,
     .order_sensitive = true,
     .text = "Counts each of the values, at most 1000 different ones.",
     .example = "SELECT k, HISTOGRAM(v) FROM s GROUP BY k"},
    {.name = "ATTR",
     .signature = "(T) -> T",
     .make = &MakeAttribute,
     .can_undo = true,
     .can_merge = true,
     .text = "Gives the value that all rows of the group have, or null if they differ.",
     .example = "SELECT k, ATTR(v) FROM s GROUP BY k"},
};

}  // namespace

std::span<const AggregateRow> CollectAggregates() { return kCollectAggregates; }

}  // namespace weir
