// + - * / % and || over whole columns. Integers wrap and divide as in Java; division of an integer
// or a decimal by zero is an error of the row.

#include <cmath>
#include <limits>

#include "base/decimal.h"
#include "base/type_rules.h"
#include "exec/column/bits.h"
#include "exec/functions/scalar/operator_kernels.h"

namespace weir {
namespace {

template <typename T>
const T* Values(const KernelCall& call, size_t arg) {
  return reinterpret_cast<const T*>(call.args[arg]->raw_values());
}

struct Add {
  template <typename T>
  static T Apply(T a, T b) {
    return a + b;
  }
};
struct Subtract {
  template <typename T>
  static T Apply(T a, T b) {
    return a - b;
  }
};
struct Multiply {
  template <typename T>
  static T Apply(T a, T b) {
    return a * b;
  }
};
struct Divide {
  template <typename T>
  static T Apply(T a, T b) {
    return a / b;
  }
};

/// T is the type computed in: the unsigned one for integers, so that they wrap.
template <typename T, typename Op>
void RunBinary(const KernelCall& call, ColumnBuilder& out) {
  T* __restrict result = out.FillFixed<T>(call.rows, call.active);
  const T* a = Values<T>(call, 0);
  const T* b = Values<T>(call, 1);
  for (int32_t i = 0; i < call.rows; ++i) result[i] = Op::template Apply<T>(a[i], b[i]);
}

/// The bits of the active rows without those that `fails` says true for; these are errors.
template <typename Fails>
std::vector<uint64_t> DropFailing(const KernelCall& call, std::string_view message, Fails&& fails) {
  std::vector<uint64_t> valid(static_cast<size_t>(WordCount(call.rows)));
  std::memcpy(valid.data(), call.active, valid.size() * 8);
  ForEachSetBit(call.active, call.rows, [&](int32_t row) {
    if (!fails(row)) return;
    call.Error(row, message);
    valid[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
  });
  return valid;
}

constexpr std::string_view kDivisionByZero = "division by zero";

template <typename T, bool kModulo>
void RunIntegerDivision(const KernelCall& call, ColumnBuilder& out) {
  const T* a = Values<T>(call, 0);
  const T* b = Values<T>(call, 1);
  const std::vector<uint64_t> valid =
      DropFailing(call, kDivisionByZero, [&](int32_t row) { return b[row] == 0; });
  using Unsigned = std::make_unsigned_t<T>;
  T* result = out.FillFixed<T>(call.rows, reinterpret_cast<const uint8_t*>(valid.data()));
  for (int32_t i = 0; i < call.rows; ++i) {
    const T divisor = b[i];
    if (divisor == 0 || divisor == -1) {
      // The smallest integer divided by -1 traps on some machines; Java wraps.
      result[i] =
          kModulo || divisor == 0 ? 0 : static_cast<T>(Unsigned{0} - static_cast<Unsigned>(a[i]));
    } else {
      result[i] = kModulo ? a[i] % divisor : a[i] / divisor;
    }
  }
}

Int128 DecimalAt(const Column& column, int32_t row) {
  return ToInt128(reinterpret_cast<const Decimal128*>(column.raw_values())[row]);
}

/// Runs `compute(row, a, b, result) -> error text or null` over the active rows.
template <typename Compute>
void RunDecimals(const KernelCall& call, ColumnBuilder& out, Compute&& compute) {
  const Column& a = *call.args[0];
  const Column& b = *call.args.back();
  const int precision = call.return_type->precision();
  std::vector<uint64_t> valid(static_cast<size_t>(WordCount(call.rows)));
  std::memcpy(valid.data(), call.active, valid.size() * 8);
  BufferBuilder& values = out.raw_values();
  values.Resize(static_cast<size_t>(call.rows) * sizeof(Decimal128));
  Decimal128* result = values.as<Decimal128>();
  ForEachSetBit(call.active, call.rows, [&](int32_t row) {
    Int128 value = 0;
    const char* error = compute(DecimalAt(a, row), DecimalAt(b, row), value);
    if (error == nullptr && !FitsPrecision(value, precision)) error = "numeric field overflow";
    if (error != nullptr) {
      call.Error(row, error);
      valid[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
    }
    result[row] = ToDecimal128(value);
  });
  out.validity().AppendBits(reinterpret_cast<const uint8_t*>(valid.data()), call.rows);
}

constexpr const char* kOverflow = "numeric field overflow";

template <bool kSubtract>
void RunDecimalSum(const KernelCall& call, ColumnBuilder& out) {
  const int scale = call.return_type->scale();
  const int scale_a = call.arg_types[0].scale(), scale_b = call.arg_types[1].scale();
  RunDecimals(call, out, [=](Int128 a, Int128 b, Int128& result) -> const char* {
    if (!RescaleDecimal(a, scale_a, scale, a) || !RescaleDecimal(b, scale_b, scale, b)) {
      return kOverflow;
    }
    result = kSubtract ? a - b : a + b;
    return nullptr;
  });
}

template <typename T>
void RunNegate(const KernelCall& call, ColumnBuilder& out) {
  T* __restrict result = out.FillFixed<T>(call.rows, call.active);
  const T* a = Values<T>(call, 0);
  for (int32_t i = 0; i < call.rows; ++i) result[i] = T{0} - a[i];
}

}  // namespace

void AddInt(const KernelCall& call, ColumnBuilder& out) { RunBinary<uint32_t, Add>(call, out); }
void AddBigint(const KernelCall& call, ColumnBuilder& out) { RunBinary<uint64_t, Add>(call, out); }
void AddDouble(const KernelCall& call, ColumnBuilder& out) { RunBinary<double, Add>(call, out); }
void SubtractInt(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<uint32_t, Subtract>(call, out);
}
void SubtractBigint(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<uint64_t, Subtract>(call, out);
}
void SubtractDouble(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<double, Subtract>(call, out);
}
void MultiplyInt(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<uint32_t, Multiply>(call, out);
}
void MultiplyBigint(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<uint64_t, Multiply>(call, out);
}
void MultiplyDouble(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<double, Multiply>(call, out);
}
void DivideDouble(const KernelCall& call, ColumnBuilder& out) {
  RunBinary<double, Divide>(call, out);
}
void DivideInt(const KernelCall& call, ColumnBuilder& out) {
  RunIntegerDivision<int32_t, false>(call, out);
}
void DivideBigint(const KernelCall& call, ColumnBuilder& out) {
  RunIntegerDivision<int64_t, false>(call, out);
}
void ModuloInt(const KernelCall& call, ColumnBuilder& out) {
  RunIntegerDivision<int32_t, true>(call, out);
}
void ModuloBigint(const KernelCall& call, ColumnBuilder& out) {
  RunIntegerDivision<int64_t, true>(call, out);
}

void ModuloDouble(const KernelCall& call, ColumnBuilder& out) {
  double* result = out.FillFixed<double>(call.rows, call.active);
  const double* a = Values<double>(call, 0);
  const double* b = Values<double>(call, 1);
  for (int32_t i = 0; i < call.rows; ++i) result[i] = std::fmod(a[i], b[i]);
}

void AddDecimal(const KernelCall& call, ColumnBuilder& out) { RunDecimalSum<false>(call, out); }
void SubtractDecimal(const KernelCall& call, ColumnBuilder& out) { RunDecimalSum<true>(call, out); }

void MultiplyDecimals(const KernelCall& call, ColumnBuilder& out) {
  const int drop =
      call.arg_types[0].scale() + call.arg_types[1].scale() - call.return_type->scale();
  RunDecimals(call, out, [=](Int128 a, Int128 b, Int128& result) -> const char* {
    if (drop == 0 && !__builtin_mul_overflow(a, b, &result)) return nullptr;
    return MultiplyDecimal(a, b, drop, result) ? nullptr : kOverflow;
  });
}

void DivideDecimals(const KernelCall& call, ColumnBuilder& out) {
  const int shift =
      call.return_type->scale() - call.arg_types[0].scale() + call.arg_types[1].scale();
  RunDecimals(call, out, [=](Int128 a, Int128 b, Int128& result) -> const char* {
    if (b == 0) return kDivisionByZero.data();
    return DivideDecimal(a, b, shift, result) ? nullptr : kOverflow;
  });
}

void ModuloDecimals(const KernelCall& call, ColumnBuilder& out) {
  const int scale_a = call.arg_types[0].scale(), scale_b = call.arg_types[1].scale();
  const int fine = std::max(scale_a, scale_b);
  const int scale = call.return_type->scale();
  RunDecimals(call, out, [=](Int128 a, Int128 b, Int128& result) -> const char* {
    if (b == 0) return kDivisionByZero.data();
    if (!RescaleDecimal(a, scale_a, fine, a) || !RescaleDecimal(b, scale_b, fine, b)) {
      return kOverflow;
    }
    return RescaleDecimal(a % b, fine, scale, result) ? nullptr : kOverflow;
  });
}

void NegateInt(const KernelCall& call, ColumnBuilder& out) { RunNegate<uint32_t>(call, out); }
void NegateBigint(const KernelCall& call, ColumnBuilder& out) { RunNegate<uint64_t>(call, out); }

void NegateDouble(const KernelCall& call, ColumnBuilder& out) {
  double* __restrict result = out.FillFixed<double>(call.rows, call.active);
  const double* a = Values<double>(call, 0);
  for (int32_t i = 0; i < call.rows; ++i) result[i] = -a[i];
}

void NegateDecimal(const KernelCall& call, ColumnBuilder& out) {
  RunDecimals(call, out, [](Int128 a, Int128, Int128& result) -> const char* {
    result = -a;
    return nullptr;
  });
}

void FirstArgument(const KernelCall& call, ColumnBuilder& out) {
  out.Adopt(Prefix(call.args[0], call.rows));
}

void ConcatBytes(const KernelCall& call, ColumnBuilder& out) {
  const Column& a = *call.args[0];
  const Column& b = *call.args[1];
  const int32_t* at_a = a.offsets();
  const int32_t* at_b = b.offsets();
  BufferBuilder& offsets = out.raw_offsets();
  offsets.Resize((static_cast<size_t>(call.rows) + 1) * 4);
  int32_t* ends = offsets.as<int32_t>() + 1;
  BufferBuilder& bytes = out.raw_values();
  bytes.Reserve(static_cast<size_t>(at_a[call.rows] - at_a[0]) +
                static_cast<size_t>(at_b[call.rows] - at_b[0]));
  for (int32_t row = 0; row < call.rows; ++row) {
    if (call.IsActive(row)) {
      const std::string_view x = a.GetString(row), y = b.GetString(row);
      bytes.Append(x.data(), x.size());
      bytes.Append(y.data(), y.size());
    }
    ends[row] = static_cast<int32_t>(bytes.size());
  }
  out.validity().AppendBits(call.active, call.rows);
}

Result<DataType> AddResult(std::span<const DataType> args) {
  const DataType a = DecimalOf(args[0]), b = DecimalOf(args[1]);
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return CappedDecimal(whole + scale + 1, scale);
}

Result<DataType> MultiplyResult(std::span<const DataType> args) {
  const DataType a = DecimalOf(args[0]), b = DecimalOf(args[1]);
  return CappedDecimal(a.precision() + b.precision() + 1, a.scale() + b.scale());
}

Result<DataType> DivideResult(std::span<const DataType> args) {
  const DataType a = DecimalOf(args[0]), b = DecimalOf(args[1]);
  const int scale = std::max(6, a.scale() + b.precision() + 1);
  return CappedDecimal(a.precision() - a.scale() + b.scale() + scale, scale);
}

Result<DataType> ModuloResult(std::span<const DataType> args) {
  const DataType a = DecimalOf(args[0]), b = DecimalOf(args[1]);
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::min(a.precision() - a.scale(), b.precision() - b.scale());
  return CappedDecimal(whole + scale, scale);
}

}  // namespace weir
