// = <> < <= > >= and IS DISTINCT FROM over whole columns, 64 rows to a word of bits. The loop over
// a type is chosen once a call; inside it the compiler vectorizes.

#include "base/decimal.h"
#include "base/time_text.h"
#include "exec/column/bits.h"
#include "exec/column/compare.h"
#include "exec/functions/scalar/operator_kernels.h"

namespace weir {
namespace {

/// Made by PrepareComparison when the right side is a constant.
constexpr char kConstantRight = 0;

struct Equal {
  template <typename T>
  static bool Apply(const T& a, const T& b) {
    return a == b;
  }
  static bool OfOrder(int order) { return order == 0; }
};
struct Less {
  template <typename T>
  static bool Apply(const T& a, const T& b) {
    return a < b;
  }
  static bool OfOrder(int order) { return order < 0; }
};
struct LessOrEqual {
  template <typename T>
  static bool Apply(const T& a, const T& b) {
    return a <= b;
  }
  static bool OfOrder(int order) { return order <= 0; }
};

struct Greater {
  template <typename T>
  static bool Apply(const T& a, const T& b) {
    return a > b;
  }
  static bool OfOrder(int order) { return order > 0; }
};
struct GreaterOrEqual {
  template <typename T>
  static bool Apply(const T& a, const T& b) {
    return a >= b;
  }
  static bool OfOrder(int order) { return order >= 0; }
};

/// Fills the words with holds(row), which must be safe to ask for any row.
template <typename Holds>
void FillWords(int32_t rows, uint64_t* words, Holds&& holds) {
  alignas(64) uint8_t bytes[64];
  int32_t row = 0;
  for (; row + 64 <= rows; row += 64) {
    for (int32_t i = 0; i < 64; ++i) bytes[i] = holds(row + i);
    *words++ = PackBytes(bytes);
  }
  if (row == rows) return;
  std::memset(bytes, 0, sizeof(bytes));
  for (int32_t i = 0; row + i < rows; ++i) bytes[i] = holds(row + i);
  *words = PackBytes(bytes);
}

template <typename T, typename Op>
void CompareFixed(const KernelCall& call, uint64_t* words) {
  const T* a = reinterpret_cast<const T*>(call.args[0]->raw_values());
  const T* b = reinterpret_cast<const T*>(call.args[1]->raw_values());
  if (call.state != nullptr) {
    const T right = b[0];
    FillWords(call.rows, words, [=](int32_t row) { return Op::Apply(a[row], right); });
  } else {
    FillWords(call.rows, words, [=](int32_t row) { return Op::Apply(a[row], b[row]); });
  }
}

/// DATE against TIMESTAMP: a date is its midnight.
template <typename Op, bool kDateFirst>
void CompareDateTimestamp(const KernelCall& call, uint64_t* words) {
  const int32_t* days =
      reinterpret_cast<const int32_t*>(call.args[kDateFirst ? 0 : 1]->raw_values());
  const int64_t* times =
      reinterpret_cast<const int64_t*>(call.args[kDateFirst ? 1 : 0]->raw_values());
  FillWords(call.rows, words, [=](int32_t row) {
    const int64_t midnight = days[row] * kMillisPerDay;
    return kDateFirst ? Op::Apply(midnight, times[row]) : Op::Apply(times[row], midnight);
  });
}

template <typename Op>
void CompareDecimalColumns(const KernelCall& call, uint64_t* words) {
  const Decimal128* a = reinterpret_cast<const Decimal128*>(call.args[0]->raw_values());
  const Decimal128* b = reinterpret_cast<const Decimal128*>(call.args[1]->raw_values());
  const int scale_a = call.arg_types[0].scale(), scale_b = call.arg_types[1].scale();
  if (scale_a == scale_b) {
    FillWords(call.rows, words,
              [=](int32_t row) { return Op::Apply(ToInt128(a[row]), ToInt128(b[row])); });
  } else {
    FillWords(call.rows, words, [=](int32_t row) {
      return Op::OfOrder(CompareDecimals(ToInt128(a[row]), scale_a, ToInt128(b[row]), scale_b));
    });
  }
}

template <typename Op, bool kText>
void CompareBytes(const KernelCall& call, uint64_t* words) {
  const Column& a = *call.args[0];
  const Column& b = *call.args[1];
  if constexpr (std::is_same_v<Op, Equal>) {
    if (call.state != nullptr) {
      const std::string_view right = b.GetString(0);
      FillWords(call.rows, words, [&](int32_t row) { return a.GetString(row) == right; });
    } else {
      FillWords(call.rows, words,
                [&](int32_t row) { return a.GetString(row) == b.GetString(row); });
    }
  } else {
    FillWords(call.rows, words, [&](int32_t row) {
      const std::string_view x = a.GetString(row), y = b.GetString(row);
      return Op::OfOrder(kText ? CompareUtf16(x, y) : x.compare(y));
    });
  }
}

/// Words that say where a Op b holds; meaningless where either is null.
template <typename Op>
void CompareWords(const KernelCall& call, uint64_t* words) {
  const TypeKind kind = call.arg_types[0].kind();
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kTime: return CompareFixed<int32_t, Op>(call, words);
    case TypeKind::kDate:
      if (call.arg_types[1].is(TypeKind::kTimestamp)) {
        return CompareDateTimestamp<Op, true>(call, words);
      }
      return CompareFixed<int32_t, Op>(call, words);
    case TypeKind::kTimestamp:
      if (call.arg_types[1].is(TypeKind::kDate)) {
        return CompareDateTimestamp<Op, false>(call, words);
      }
      return CompareFixed<int64_t, Op>(call, words);
    case TypeKind::kBigint: return CompareFixed<int64_t, Op>(call, words);
    case TypeKind::kDouble: return CompareFixed<double, Op>(call, words);
    case TypeKind::kDecimal: return CompareDecimalColumns<Op>(call, words);
    case TypeKind::kString: return CompareBytes<Op, true>(call, words);
    case TypeKind::kBytes: return CompareBytes<Op, false>(call, words);
    case TypeKind::kBoolean:
      FillWords(call.rows, words, [&](int32_t row) {
        return Op::Apply(call.args[0]->GetBool(row), call.args[1]->GetBool(row));
      });
      return;
    case TypeKind::kNull:
      std::memset(words, 0, static_cast<size_t>(WordCount(call.rows)) * 8);
      return;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct:
      FillWords(call.rows, words,
                [&](int32_t row) { return EqualAt(*call.args[0], row, *call.args[1], row); });
      return;
  }
}

uint64_t ValidWord(const Column& column, int32_t word) {
  return column.validity() == nullptr ? ~uint64_t{0} : LoadWord(column.validity(), word);
}

/// words[w] = combine(word, validity of a, validity of b).
template <typename Combine>
void ApplyNulls(const KernelCall& call, uint64_t* words, Combine&& combine) {
  for (int32_t w = 0; w < WordCount(call.rows); ++w) {
    words[w] = combine(words[w], ValidWord(*call.args[0], w), ValidWord(*call.args[1], w));
  }
}

template <typename Op, bool kNegate>
void RunComparison(const KernelCall& call, ColumnBuilder& out) {
  uint64_t* words = out.FillBits(call.rows, nullptr);
  CompareWords<Op>(call, words);
  ApplyNulls(call, words, [](uint64_t word, uint64_t a, uint64_t b) {
    return (kNegate ? ~word : word) & a & b;
  });
}

template <bool kDistinct>
void RunDistinct(const KernelCall& call, ColumnBuilder& out) {
  uint64_t* words = out.FillBits(call.rows, nullptr);
  CompareWords<Equal>(call, words);
  ApplyNulls(call, words, [](uint64_t word, uint64_t a, uint64_t b) {
    const uint64_t same = (word & a & b) | (~a & ~b);
    return kDistinct ? ~same : same;
  });
}

}  // namespace

void EqualKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<Equal, false>(call, out);
}
void NotEqualKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<Equal, true>(call, out);
}
void LessKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<Less, false>(call, out);
}
void LessOrEqualKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<LessOrEqual, false>(call, out);
}
void GreaterKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<Greater, false>(call, out);
}
void GreaterOrEqualKernel(const KernelCall& call, ColumnBuilder& out) {
  RunComparison<GreaterOrEqual, false>(call, out);
}
void DistinctKernel(const KernelCall& call, ColumnBuilder& out) { RunDistinct<true>(call, out); }
void NotDistinctKernel(const KernelCall& call, ColumnBuilder& out) {
  RunDistinct<false>(call, out);
}

Result<std::shared_ptr<const void>> PrepareComparison(std::span<const Value* const> constants,
                                                      std::span<const DataType>) {
  std::shared_ptr<const void> state;
  if (constants[1] != nullptr && !constants[1]->is_null()) {
    state = std::shared_ptr<const void>(std::shared_ptr<const void>(), &kConstantRight);
  }
  return state;
}

}  // namespace weir
