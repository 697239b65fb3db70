// MIN and MAX.

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Whether `a` takes the place of `b`.
template <typename T, bool kMax>
bool Beats(const CellView<T>& a, const CellView<T>& b, bool text) {
  return kMax ? CellLess<T>(b, a, text) : CellLess<T>(a, b, text);
}

template <typename T, bool kMax>
struct FixedExtreme : NeverFails {
  struct State {
    T value;
    T is_set;  // 0 or 1; as wide as the value, so that the state has no padding.
  };
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    AddValue(state, in.Get(row));
    return true;
  }
  void Merge(State& into, const State& from) {
    if (from.is_set != 0) AddValue(into, from.value);
  }
  void Append(const State& state, ColumnBuilder& out) const {
    if (state.is_set == 0) {
      out.AppendNull();
    } else {
      AppendCell<T>(state.value, out);
    }
  }
  void Export(const State& state, std::span<ColumnBuilder> out) const { Append(state, out[0]); }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    if (!partials[0]->IsNull(row)) AddValue(state, ReadCell<T>(*partials[0], row));
    return true;
  }

 private:
  static void AddValue(State& state, T value) {
    if (state.is_set == 0 || Beats<T, kMax>(value, state.value, false)) {
      state.value = value;
      state.is_set = 1;
    }
  }
};

/// STRING and BYTES.
template <bool kMax>
class TextExtreme : public NeverFails {
 public:
  using State = Cell<std::string>;
  using Reader = CellReader<std::string>;
  static constexpr bool kSkipNulls = true;
  explicit TextExtreme(bool text) : text_(text) {}
  bool Add(State& state, const Reader& in, int32_t row) {
    AddValue(state, in.Get(row));
    return true;
  }
  void Merge(State& into, const State& from) {
    if (!from.null) AddValue(into, from.value);
  }
  void Append(const State& state, ColumnBuilder& out) const { AppendCell(state, out); }
  void Export(const State& state, std::span<ColumnBuilder> out) const { Append(state, out[0]); }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    if (!partials[0]->IsNull(row)) AddValue(state, partials[0]->GetString(row));
    return true;
  }
  void Forget(const State& state) { heap_bytes_ -= CellHeapBytes(state.value); }
  size_t heap_bytes() const { return heap_bytes_; }
  void Save(const State& state, std::string& out) const { PutCell(state, out); }
  bool Load(State& state, std::string_view& bytes) {
    if (!TakeCell(bytes, state)) return false;
    heap_bytes_ += CellHeapBytes(state.value);
    return true;
  }

 private:
  void AddValue(State& state, std::string_view value) {
    if (!state.null && !Beats<std::string, kMax>(value, state.value, text_)) return;
    heap_bytes_ -= CellHeapBytes(state.value);
    state.value.assign(value);
    state.null = false;
    heap_bytes_ += CellHeapBytes(state.value);
  }
  bool text_;
  size_t heap_bytes_ = 0;
};

template <bool kMax>
std::unique_ptr<AggregateStates> MakeExtreme(Types args, Constants, const DataType&) {
  return VisitCellType(args[0], [&](auto cell) -> std::unique_ptr<AggregateStates> {
    using T = decltype(cell);
    if constexpr (kIsText<T>) {
      return MakeGroupStates(TextExtreme<kMax>(args[0].is(TypeKind::kString)));
    } else if constexpr (kIsNested<T> || std::is_same_v<T, bool>) {
      WEIR_CHECK(false, "MIN and MAX have no overload for this type");
    } else {
      return MakeGroupStates<FixedExtreme<T, kMax>>();
    }
  });
}

std::vector<DataType> ExtremePartials(Types args) { return {args[0]}; }
Result<DataType> SameType(Types args) { return args[0]; }

template <bool kMax>
constexpr AggregateRow ExtremeRow(std::string_view signature,
                                  decltype(AggregateRow::result_type) result_type = nullptr) {
  return {.name = kMax ? "MAX" : "MIN",
          .signature = signature,
          .make = &MakeExtreme<kMax>,
          .result_type = result_type,
          .partial_types = &ExtremePartials,
          .can_merge = true,
          .text = kMax ? "Gives the largest value that is not null."
                       : "Gives the smallest value that is not null.",
          .example =
              kMax ? "SELECT k, MAX(v) FROM s GROUP BY k" : "SELECT k, MIN(v) FROM s GROUP BY k"};
}

constexpr AggregateRow kMinMaxAggregates[] = {
    ExtremeRow<false>("(INT) -> INT"),
    ExtremeRow<false>("(BIGINT) -> BIGINT"),
    ExtremeRow<false>("(DECIMAL) -> DECIMAL", &SameType),
    ExtremeRow<false>("(DOUBLE) -> DOUBLE"),
    ExtremeRow<false>("(DATE) -> DATE"),
    ExtremeRow<false>("(TIME) -> TIME"),
    ExtremeRow<false>("(TIMESTAMP) -> TIMESTAMP"),
    ExtremeRow<false>("(STRING) -> STRING"),
    ExtremeRow<false>("(BYTES) -> BYTES"),
    ExtremeRow<true>("(INT) -> INT"),
    ExtremeRow<true>("(BIGINT) -> BIGINT"),
    ExtremeRow<true>("(DECIMAL) -> DECIMAL", &SameType),
    ExtremeRow<true>("(DOUBLE) -> DOUBLE"),
    ExtremeRow<true>("(DATE) -> DATE"),
    ExtremeRow<true>("(TIME) -> TIME"),
    ExtremeRow<true>("(TIMESTAMP) -> TIMESTAMP"),
    ExtremeRow<true>("(STRING) -> STRING"),
    ExtremeRow<true>("(BYTES) -> BYTES"),
};

}  // namespace

std::span<const AggregateRow> MinMaxAggregates() { return kMinMaxAggregates; }

}  // namespace weir
