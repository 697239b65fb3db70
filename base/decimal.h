#pragma once

// Arithmetic on unscaled decimals of up to 38 digits, rounding half away from zero as SQL does.

#include <cstdint>

#include "base/value.h"
#include "weir/types.h"

namespace weir {

inline Int128 ToInt128(Decimal128 value) {
  return static_cast<Int128>(
      (static_cast<unsigned __int128>(static_cast<uint64_t>(value.high)) << 64) | value.low);
}
inline Decimal128 ToDecimal128(Int128 value) {
  return {static_cast<uint64_t>(value), static_cast<int64_t>(value >> 64)};
}

/// 10 to the power `n`, 0 <= n <= 38.
Int128 PowerOfTen(int n);

/// Whether `value` has at most `precision` digits.
inline bool FitsPrecision(Int128 value, int precision) {
  const Int128 limit = PowerOfTen(precision);
  return value < limit && value > -limit;
}

/// `value` with `from` digits after the point, brought to `to` of them. False on overflow of 38
/// digits.
bool RescaleDecimal(Int128 value, int from, int to, Int128& out);

/// a * b / 10^drop, rounded. False on overflow.
bool MultiplyDecimal(Int128 a, Int128 b, int drop, Int128& out);

/// a * 10^shift / b, rounded; `shift` up to 76, b not 0; negative: divides. False on overflow.
bool DivideDecimal(Int128 a, Int128 b, int shift, Int128& out);

/// Three-way comparison of decimals of different scales.
int CompareDecimals(Int128 a, int scale_a, Int128 b, int scale_b);

double DecimalToDouble(Int128 unscaled, int scale);

/// The decimal nearest to the shortest text of `value`. False if it does not fit or is not finite.
bool DoubleToDecimal(double value, int precision, int scale, Int128& out);

}  // namespace weir
