// SUM, AVG and SUM_LIST.

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Integers wrap around at their ends, as Java's do; through unsigned, so that it is defined.
template <typename T>
T WrapAdd(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return a + b;
  }
}
template <typename T>
T WrapSub(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  } else {
    return a - b;
  }
}

template <typename T, typename ReaderType = CellReader<T>>
struct Sum : NeverFails {
  using State = T;
  using Reader = ReaderType;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    state = WrapAdd(state, in.Get(row));
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) { state = WrapSub(state, in.Get(row)); }
  void Merge(State& into, const State& from) { into = WrapAdd(into, from); }
  void Append(const State& state, ColumnBuilder& out) const { AppendCell<T>(state, out); }
  void Export(const State& state, std::span<ColumnBuilder> out) const {
    AppendCell<T>(state, out[0]);
  }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    state = WrapAdd(state, ReadCell<T>(*partials[0], row));
    return true;
  }
};

/// A sum that has more digits than its type leaves the state as it was: row by row, so that adding
/// up partial sums would leave out others.
class SumDecimal {
 public:
  static constexpr std::string_view kFailure = "a DECIMAL sum has too many digits for its type";
  using State = Int128;
  using Reader = CellReader<Int128>;
  static constexpr bool kSkipNulls = true;
  explicit SumDecimal(int precision) {
    for (int i = 0; i < precision; ++i) bound_ *= 10;
  }
  bool Add(State& state, const Reader& in, int32_t row) { return AddValue(state, in.Get(row)); }
  void Undo(State& state, const Reader& in, int32_t row) { state -= in.Get(row); }
  void Merge(State& into, const State& from) { AddValue(into, from); }
  void Append(const State& state, ColumnBuilder& out) const { out.AppendDecimal(state); }

 private:
  bool AddValue(State& state, Int128 value) const {
    Int128 sum;
    if (__builtin_add_overflow(state, value, &sum)) return false;
    if (sum >= bound_ || sum <= -bound_) return false;
    state = sum;
    return true;
  }
  Int128 bound_ = 1;
};

template <typename T>
std::unique_ptr<AggregateStates> MakeSum(Types, Constants, const DataType&) {
  return MakeGroupStates<Sum<T>>();
}
std::unique_ptr<AggregateStates> MakeSumDecimal(Types args, Constants, const DataType&) {
  return MakeGroupStates(SumDecimal(args[0].precision()));
}
std::vector<DataType> SumPartials(Types args) { return {args[0]}; }
Result<DataType> TypeOfSum(Types args) { return args[0]; }

/// AVG: the sum in its exact type as long as there is one, and the count.
template <typename T>
struct Average : NeverFails {
  using SumType = std::conditional_t<std::is_same_v<T, double>, double, int64_t>;
  struct State {
    SumType sum;
    int64_t count;
  };
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    state.sum = WrapAdd<SumType>(state.sum, in.Get(row));
    ++state.count;
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) {
    state.sum = WrapSub<SumType>(state.sum, in.Get(row));
    --state.count;
  }
  void Merge(State& into, const State& from) {
    into.sum = WrapAdd(into.sum, from.sum);
    into.count += from.count;
  }
  void Append(const State& state, ColumnBuilder& out) const {
    out.AppendDouble(
        state.count == 0 ? 0.0 : static_cast<double>(state.sum) / static_cast<double>(state.count));
  }
  void Export(const State& state, std::span<ColumnBuilder> out) const {
    AppendCell<SumType>(state.sum, out[0]);
    out[1].AppendInt64(state.count);
  }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    Merge(state, {ReadCell<SumType>(*partials[0], row), ReadCell<int64_t>(*partials[1], row)});
    return true;
  }
};

template <typename T>
std::unique_ptr<AggregateStates> MakeAverage(Types, Constants, const DataType&) {
  return MakeGroupStates<Average<T>>();
}
std::vector<DataType> AveragePartials(Types args) {
  const bool is_double = args[0].is(TypeKind::kDouble);
  return {is_double ? DataType::Double() : DataType::Bigint(), DataType::Bigint()};
}

/// Reads an ARRAY row as the sum of its elements that are not null.
template <typename T>
class ListSumReader {
 public:
  explicit ListSumReader(std::span<const ColumnPtr> args)
      : lists_(args[0].get()), elements_(args[0]->child(0).get()) {}
  bool has_nulls() const { return lists_->has_nulls(); }
  bool IsNull(int32_t row) const { return lists_->IsNull(row); }
  T Get(int32_t row) const {
    T sum{};
    for (int32_t i = lists_->offsets()[row]; i < lists_->offsets()[row + 1]; ++i) {
      if (!elements_->IsNull(i)) sum = WrapAdd(sum, ReadCell<T>(*elements_, i));
    }
    return sum;
  }

 private:
  const Column* lists_;
  const Column* elements_;
};

template <typename T>
std::unique_ptr<AggregateStates> MakeSumList(Types, Constants, const DataType&) {
  return MakeGroupStates<Sum<T, ListSumReader<T>>>();
}
std::vector<DataType> SumListPartials(Types args) { return {args[0].element()}; }

constexpr AggregateRow SumRow(std::string_view signature, decltype(AggregateRow::make) make,
                              decltype(AggregateRow::partial_types) partial_types = &SumPartials,
                              decltype(AggregateRow::result_type) result_type = nullptr) {
  return {.name = "SUM",
          .signature = signature,
          .make = make,
          .result_type = result_type,
          .partial_types = partial_types,
          .can_undo = true,
          .can_merge = true,
          .text = "Adds up the values that are not null, in their own type; 0 if there are none.",
          .example = "SELECT k, SUM(v) FROM s GROUP BY k"};
}

constexpr AggregateRow AverageRow(std::string_view signature, decltype(AggregateRow::make) make) {
  return {.name = "AVG",
          .signature = signature,
          .make = make,
          .partial_types = &AveragePartials,
          .can_undo = true,
          .can_merge = true,
          .text = "Gives the mean of the values that are not null; 0.0 if there are none.",
          .example = "SELECT k, AVG(v) FROM s GROUP BY k"};
}

constexpr AggregateRow SumListRow(std::string_view signature, decltype(AggregateRow::make) make) {
  return {.name = "SUM_LIST",
          .signature = signature,
          .make = make,
          .partial_types = &SumListPartials,
          .can_undo = true,
          .can_merge = true,
          .text = "Adds up the elements of all arrays; nulls count as nothing.",
          .example = "SELECT k, SUM_LIST(v) FROM s GROUP BY k"};
}

constexpr AggregateRow kSumAggregates[] = {
    SumRow("(INT) -> INT", &MakeSum<int32_t>),
    SumRow("(BIGINT) -> BIGINT", &MakeSum<int64_t>),
    SumRow("(DECIMAL) -> DECIMAL", &MakeSumDecimal, nullptr, &TypeOfSum),
    SumRow("(DOUBLE) -> DOUBLE", &MakeSum<double>),
    AverageRow("(INT) -> DOUBLE", &MakeAverage<int32_t>),
    AverageRow("(BIGINT) -> DOUBLE", &MakeAverage<int64_t>),
    AverageRow("(DOUBLE) -> DOUBLE", &MakeAverage<double>),
    SumListRow("(ARRAY<INT>) -> INT", &MakeSumList<int32_t>),
    SumListRow("(ARRAY<BIGINT>) -> BIGINT", &MakeSumList<int64_t>),
    SumListRow("(ARRAY<DOUBLE>) -> DOUBLE", &MakeSumList<double>),
};

}  // namespace

std::span<const AggregateRow> SumAggregates() { return kSumAggregates; }

}  // namespace weir
