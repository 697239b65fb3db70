// STDDEV_SAMP, STDDEV_SAMPLE and CORRELATION.

#include <array>
#include <cmath>

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Count, sum and sum of squared distances from the mean (m2), moved along value by value, which
/// loses far fewer digits than a sum of squares would.
struct Moments {
  double sum;
  double m2;
  int64_t count;
};

/// `kRoot`: the standard deviation; otherwise the variance (ksqlDB's STDDEV_SAMP is one).
template <typename T, bool kRoot>
struct Deviation : NeverFails {
  using State = Moments;
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    const auto value = static_cast<double>(in.Get(row));
    state.sum += value;
    ++state.count;
    state.m2 += Step(state, value);
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) {
    const auto value = static_cast<double>(in.Get(row));
    state.m2 -= Step(state, value);
    state.sum -= value;
    --state.count;
    if (state.count <= 1) state.m2 = 0;
    if (state.count == 0) state.sum = 0;
  }
  void Merge(State& into, const State& from) {
    if (from.count == 0) return;
    if (into.count != 0) {
      const auto n = static_cast<double>(into.count);
      const auto m = static_cast<double>(from.count);
      const double distance = from.sum / m - into.sum / n;
      into.m2 += distance * distance * n * m / (n + m);
    }
    into.m2 += from.m2;
    into.sum += from.sum;
    into.count += from.count;
  }
  void Append(const State& state, ColumnBuilder& out) const {
    const double variance = state.count < 2 ? 0.0 : state.m2 / static_cast<double>(state.count - 1);
    out.AppendDouble(kRoot ? std::sqrt(variance) : variance);
  }
  void Export(const State& state, std::span<ColumnBuilder> out) const {
    out[0].AppendDouble(state.sum);
    out[1].AppendDouble(state.m2);
    out[2].AppendInt64(state.count);
  }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    Merge(state, {ReadCell<double>(*partials[0], row), ReadCell<double>(*partials[1], row),
                  ReadCell<int64_t>(*partials[2], row)});
    return true;
  }

 private:
  /// What `value`, already in count and sum, contributes to m2.
  static double Step(const State& state, double value) {
    if (state.count < 2) return 0;
    const auto n = static_cast<double>(state.count);
    const double distance = n * value - state.sum;
    return distance * distance / (n * (n - 1));
  }
};

template <typename T, bool kRoot>
std::unique_ptr<AggregateStates> MakeDeviation(Types, Constants, const DataType&) {
  return MakeGroupStates<Deviation<T, kRoot>>();
}
std::vector<DataType> DeviationPartials(Types) {
  return {DataType::Double(), DataType::Double(), DataType::Bigint()};
}

template <typename T>
class PairReader {
 public:
  explicit PairReader(std::span<const ColumnPtr> args) : x_(args[0].get()), y_(args[1].get()) {}
  bool has_nulls() const { return x_->has_nulls() || y_->has_nulls(); }
  bool IsNull(int32_t row) const { return x_->IsNull(row) || y_->IsNull(row); }
  double X(int32_t row) const { return static_cast<double>(ReadCell<T>(*x_, row)); }
  double Y(int32_t row) const { return static_cast<double>(ReadCell<T>(*y_, row)); }

 private:
  const Column* x_;
  const Column* y_;
};

template <typename T>
struct Correlation : NeverFails {
  /// Sums of x, y, x², y², xy, and the count.
  using State = std::array<double, 6>;
  using Reader = PairReader<T>;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    AddPair(state, in.X(row), in.Y(row), 1);
    return true;
  }
  void Undo(State& state, const Reader& in, int32_t row) {
    AddPair(state, in.X(row), in.Y(row), -1);
  }
  void Merge(State& into, const State& from) {
    for (size_t i = 0; i < into.size(); ++i) into[i] += from[i];
  }
  void Append(const State& s, ColumnBuilder& out) const {
    const double n = s[5];
    const double x = std::sqrt(n * s[2] - s[0] * s[0]);
    const double y = std::sqrt(n * s[3] - s[1] * s[1]);
    out.AppendDouble((n * s[4] - s[0] * s[1]) / (x * y));  // NaN (0/0) below two different pairs.
  }
  void Export(const State& state, std::span<ColumnBuilder> out) const {
    for (size_t i = 0; i < state.size(); ++i) out[i].AppendDouble(state[i]);
  }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    for (size_t i = 0; i < state.size(); ++i) state[i] += ReadCell<double>(*partials[i], row);
    return true;
  }

 private:
  static void AddPair(State& state, double x, double y, double sign) {
    const State pair = {x, y, x * x, y * y, x * y, 1};
    for (size_t i = 0; i < state.size(); ++i) state[i] += sign * pair[i];
  }
};

template <typename T>
std::unique_ptr<AggregateStates> MakeCorrelation(Types, Constants, const DataType&) {
  return MakeGroupStates<Correlation<T>>();
}
std::vector<DataType> CorrelationPartials(Types) {
  return std::vector<DataType>(6, DataType::Double());
}

template <bool kRoot>
constexpr AggregateRow DeviationRow(std::string_view signature, decltype(AggregateRow::make) make) {
  return {.name = kRoot ? "STDDEV_SAMPLE" : "STDDEV_SAMP",
          .signature = signature,
          .make = make,
          .partial_types = &DeviationPartials,
          .can_undo = true,
          .can_merge = true,
          .text = kRoot ? "Gives the sample standard deviation."
                        : "Gives the sample variance (not its root, as in ksqlDB).",
          .example = kRoot ? "SELECT k, STDDEV_SAMPLE(v) FROM s GROUP BY k"
                           : "SELECT k, STDDEV_SAMP(v) FROM s GROUP BY k"};
}

constexpr AggregateRow CorrelationRow(std::string_view signature,
                                      decltype(AggregateRow::make) make) {
  return {.name = "CORRELATION",
          .signature = signature,
          .make = make,
          .partial_types = &CorrelationPartials,
          .can_undo = true,
          .can_merge = true,
          .text = "Gives Pearson's coefficient of two columns; NaN if one of them is constant.",
          .example = "SELECT k, CORRELATION(x, y) FROM s GROUP BY k"};
}

constexpr AggregateRow kStatisticsAggregates[] = {
    DeviationRow<false>("(INT) -> DOUBLE", &MakeDeviation<int32_t, false>),
    DeviationRow<false>("(BIGINT) -> DOUBLE", &MakeDeviation<int64_t, false>),
    DeviationRow<false>("(DOUBLE) -> DOUBLE", &MakeDeviation<double, false>),
    DeviationRow<true>("(INT) -> DOUBLE", &MakeDeviation<int32_t, true>),
    DeviationRow<true>("(BIGINT) -> DOUBLE", &MakeDeviation<int64_t, true>),
    DeviationRow<true>("(DOUBLE) -> DOUBLE", &MakeDeviation<double, true>),
    CorrelationRow("(INT, INT) -> DOUBLE", &MakeCorrelation<int32_t>),
    CorrelationRow("(BIGINT, BIGINT) -> DOUBLE", &MakeCorrelation<int64_t>),
    CorrelationRow("(DOUBLE, DOUBLE) -> DOUBLE", &MakeCorrelation<double>),
};

}  // namespace

std::span<const AggregateRow> StatisticsAggregates() { return kStatisticsAggregates; }

}  // namespace weir
