// TOPK and TOPKDISTINCT: the k largest values of a group, in descending order.

#include <algorithm>

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Reads the column to sort by, and further columns as values.
template <typename T>
class TopkReader : public CellReader<T> {
 public:
  explicit TopkReader(std::span<const ColumnPtr> args)
      : CellReader<T>(args), others_(args.subspan(1)) {}
  std::vector<Value> Others(int32_t row) const {
    std::vector<Value> values;
    values.reserve(others_.size());
    for (const ColumnPtr& column : others_) values.push_back(GetValue(*column, row));
    return values;
  }

 private:
  std::span<const ColumnPtr> others_;
};

template <typename T, bool kDistinct>
class Topk : public NeverFails {
 public:
  struct Item {
    Cell<T> cell;
    std::vector<Value> others;
  };
  struct State {
    std::vector<Item> items;  // Descending; among equals the older first.
  };
  using Reader = TopkReader<T>;
  static constexpr bool kSkipNulls = true;
  Topk(size_t count_max, bool text, bool as_structs)
      : count_max_(count_max), text_(text), as_structs_(as_structs) {}

  bool Add(State& state, const Reader& in, int32_t row) {
    const CellView<T> view = in.Get(row);
    if (!Enters(state, view)) return true;
    Item item;
    item.cell.null = false;
    AssignCell<T>(item.cell.value, view);
    item.others = in.Others(row);
    Insert(state, std::move(item));
    return true;
  }
  void Merge(State& into, const State& from) {
    for (const Item& item : from.items) {
      if (Enters(into, item.cell.value)) Insert(into, item);
    }
  }
  void Append(const State& state, ColumnBuilder& out) const {
    ColumnBuilder& elements = out.child(0);
    for (const Item& item : state.items) {
      if (!as_structs_) {
        AppendCell(item.cell, elements);
        continue;
      }
      AppendCell(item.cell, elements.child(0));
      for (size_t i = 0; i < item.others.size(); ++i) {
        elements.child(static_cast<int>(i) + 1).AppendValue(item.others[i]);
      }
      elements.AppendNested();
    }
    out.AppendNested();
  }
  void Forget(const State& state) {
    for (const Item& item : state.items) heap_bytes_ -= ItemBytes(item);
  }
  size_t heap_bytes() const { return heap_bytes_; }
  void Save(const State& state, std::string& out) const {
    PutFixed(static_cast<uint32_t>(state.items.size()), out);
    for (const Item& item : state.items) {
      PutCell(item.cell, out);
      PutFixed(static_cast<uint32_t>(item.others.size()), out);
      for (const Value& value : item.others) PutValue(value, out);
    }
  }
  bool Load(State& state, std::string_view& bytes) {
    uint32_t count;
    if (!TakeFixed(bytes, count) || count > bytes.size()) return false;
    state.items.resize(count);
    for (Item& item : state.items) {
      uint32_t others;
      if (!TakeCell(bytes, item.cell) || !TakeFixed(bytes, others) || others > bytes.size()) {
        return false;
      }
      item.others.resize(others);
      for (Value& value : item.others) {
        if (!TakeValue(bytes, value)) return false;
      }
      heap_bytes_ += ItemBytes(item);
    }
    return true;
  }

 private:
  static size_t ItemBytes(const Item& item) {
    return sizeof(Item) + CellHeapBytes(item.cell.value) + item.others.size() * sizeof(Value);
  }
  bool Enters(const State& state, const CellView<T>& view) const {
    if constexpr (kDistinct) {
      for (const Item& item : state.items) {
        if (CellsEqual<T>(item.cell.value, view)) return false;
      }
    }
    return state.items.size() < count_max_ ||
           (count_max_ > 0 && CellLess<T>(state.items.back().cell.value, view, text_));
  }
  void Insert(State& state, Item item) {
    const auto at = std::find_if(state.items.begin(), state.items.end(), [&](const Item& other) {
      return CellLess<T>(other.cell.value, item.cell.value, text_);
    });
    heap_bytes_ += ItemBytes(item);
    state.items.insert(at, std::move(item));
    if (state.items.size() > count_max_) {
      heap_bytes_ -= ItemBytes(state.items.back());
      state.items.pop_back();
    }
  }
  size_t count_max_;
  bool text_;
  bool as_structs_;
  size_t heap_bytes_ = 0;
};

template <bool kDistinct>
std::unique_ptr<AggregateStates> MakeTopk(Types args, Constants constants, const DataType&) {
  int32_t count = 0;
  if (!constants.empty()) {
    if (const auto* k = std::get_if<int32_t>(&constants[0].data)) count = std::max(*k, 0);
  }
  return VisitCellType(args[0], [&](auto cell) -> std::unique_ptr<AggregateStates> {
    return MakeGroupStates(Topk<decltype(cell), kDistinct>(
        static_cast<size_t>(count), args[0].is(TypeKind::kString), args.size() > 1));
  });
}

/// ARRAY<STRUCT<sort_col, col0, col1, …>>.
Result<DataType> StructsType(Types args) {
  std::vector<DataType::Field> fields;
  for (size_t i = 0; i < args.size(); ++i) {
    fields.push_back({i == 0 ? "sort_col" : "col" + std::to_string(i - 1), args[i]});
  }
  return DataType::Array(DataType::Struct(std::move(fields)));
}
Result<DataType> ArrayOfFirst(Types args) { return DataType::Array(args[0]); }

constexpr AggregateRow TopkRow(std::string_view signature,
                               decltype(AggregateRow::result_type) result_type = nullptr) {
  return {.name = "TOPK",
          .signature = signature,
          .make = &MakeTopk<false>,
          .result_type = result_type,
          .can_merge = true,
          .order_sensitive = true,
          .text =
              "Gives the k largest values in descending order; with more columns an array of "
              "structs (sort_col, col0, …).",
          .example = "SELECT k, TOPK(v, 3) FROM s GROUP BY k"};
}

constexpr AggregateRow TopkDistinctRow(std::string_view signature,
                                       decltype(AggregateRow::result_type) result_type = nullptr) {
  return {.name = "TOPKDISTINCT",
          .signature = signature,
          .make = &MakeTopk<true>,
          .result_type = result_type,
          .can_merge = true,
          .text = "Gives the k largest different values in descending order.",
          .example = "SELECT k, TOPKDISTINCT(v, 3) FROM s GROUP BY k"};
}

// Each further column may have a type of its own, so there is one row a number of columns.
#define WEIR_TOPK_ROWS(type)                                                    \
  TopkRow("(" type "; INT) -> ARRAY<" type ">"),                                \
      TopkRow("(" type ", A; INT) -> ARRAY<STRUCT>", &StructsType),             \
      TopkRow("(" type ", A, B; INT) -> ARRAY<STRUCT>", &StructsType),          \
      TopkRow("(" type ", A, B, C; INT) -> ARRAY<STRUCT>", &StructsType),       \
      TopkRow("(" type ", A, B, C, D; INT) -> ARRAY<STRUCT>", &StructsType),    \
      TopkRow("(" type ", A, B, C, D, E; INT) -> ARRAY<STRUCT>", &StructsType), \
      TopkRow("(" type ", A, B, C, D, E, F; INT) -> ARRAY<STRUCT>", &StructsType)

constexpr AggregateRow kTopkAggregates[] = {
    WEIR_TOPK_ROWS("INT"),
    WEIR_TOPK_ROWS("BIGINT"),
    WEIR_TOPK_ROWS("DOUBLE"),
    WEIR_TOPK_ROWS("STRING"),
    TopkDistinctRow("(INT; INT) -> ARRAY<INT>"),
    TopkDistinctRow("(BIGINT; INT) -> ARRAY<BIGINT>"),
    TopkDistinctRow("(DECIMAL; INT) -> ARRAY<DECIMAL>", &ArrayOfFirst),
    TopkDistinctRow("(DOUBLE; INT) -> ARRAY<DOUBLE>"),
    TopkDistinctRow("(STRING; INT) -> ARRAY<STRING>"),
    TopkDistinctRow("(DATE; INT) -> ARRAY<DATE>"),
    TopkDistinctRow("(TIME; INT) -> ARRAY<TIME>"),
    TopkDistinctRow("(TIMESTAMP; INT) -> ARRAY<TIMESTAMP>"),
    TopkDistinctRow("(BYTES; INT) -> ARRAY<BYTES>"),
};
#undef WEIR_TOPK_ROWS

}  // namespace

std::span<const AggregateRow> TopkAggregates() { return kTopkAggregates; }

}  // namespace weir
