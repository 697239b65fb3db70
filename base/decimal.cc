#include "base/decimal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/number_text.h"

namespace weir {
namespace {

using Uint128 = unsigned __int128;

/// 256 bits, for intermediate products.
struct Uint256 {
  Uint128 high = 0;
  Uint128 low = 0;
};

constexpr std::array<Int128, 39> MakePowers() {
  std::array<Int128, 39> powers{};
  Int128 power = 1;
  for (int i = 0; i < 39; ++i) {
    powers[i] = power;
    if (i < 38) power *= 10;
  }
  return powers;
}
constexpr std::array<Int128, 39> kPowers = MakePowers();

Uint128 Magnitude(Int128 value) {
  return value < 0 ? Uint128{0} - static_cast<Uint128>(value) : static_cast<Uint128>(value);
}

Uint256 Multiply(Uint128 a, Uint128 b) {
  const Uint128 mask = ~uint64_t{0};
  const Uint128 al = a & mask, ah = a >> 64, bl = b & mask, bh = b >> 64;
  const Uint128 ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
  const Uint128 middle = (ll >> 64) + (lh & mask) + (hl & mask);
  return {hh + (lh >> 64) + (hl >> 64) + (middle >> 64), (middle << 64) | (ll & mask)};
}

/// value / divisor rounded half up; false if the quotient needs more than 127 bits.
bool DivideRounded(Uint256 value, Uint128 divisor, Uint128& out) {
  Uint128 quotient, remainder;
  if (value.high == 0) {
    quotient = value.low / divisor;
    remainder = value.low % divisor;
  } else {
    if (value.high >= divisor) return false;
    // Bit by bit; only for numbers beyond 38 digits, which are rare.
    quotient = 0;
    remainder = value.high;
    for (int bit = 127; bit >= 0; --bit) {
      const bool carry = (remainder >> 127) != 0;
      remainder = (remainder << 1) | ((value.low >> bit) & 1);
      quotient <<= 1;
      if (carry || remainder >= divisor) {
        remainder -= divisor;
        quotient |= 1;
      }
    }
  }
  if (remainder >= divisor - remainder) ++quotient;
  out = quotient;
  return (quotient >> 127) == 0;
}

bool Finish(Uint128 magnitude, bool negative, Int128& out) {
  if (magnitude >= static_cast<Uint128>(kPowers[38])) return false;
  out = negative ? -static_cast<Int128>(magnitude) : static_cast<Int128>(magnitude);
  return true;
}

}  // namespace

Int128 PowerOfTen(int n) { return kPowers[n]; }

bool RescaleDecimal(Int128 value, int from, int to, Int128& out) {
  if (from == to) {
    out = value;
    return true;
  }
  if (to > from) {
    if (to - from > 38) {
      out = 0;
      return value == 0;
    }
    return !__builtin_mul_overflow(value, kPowers[to - from], &out) && FitsPrecision(out, 38);
  }
  if (from - to > 38) {
    out = 0;
    return true;
  }
  Uint128 magnitude;
  return DivideRounded({0, Magnitude(value)}, static_cast<Uint128>(kPowers[from - to]),
                       magnitude) &&
         Finish(magnitude, value < 0, out);
}

bool MultiplyDecimal(Int128 a, Int128 b, int drop, Int128& out) {
  const Uint256 product = Multiply(Magnitude(a), Magnitude(b));
  Uint128 magnitude;
  return DivideRounded(product, static_cast<Uint128>(kPowers[drop]), magnitude) &&
         Finish(magnitude, (a < 0) != (b < 0), out);
}

bool DivideDecimal(Int128 a, Int128 b, int shift, Int128& out) {
  Uint256 numerator{0, Magnitude(a)};
  Uint128 divisor = Magnitude(b);
  if (shift < 0) {
    const Uint256 scaled = Multiply(divisor, static_cast<Uint128>(kPowers[-shift]));
    if (scaled.high != 0) {
      out = 0;
      return true;
    }
    divisor = scaled.low;
  } else if (shift <= 38) {
    numerator = Multiply(numerator.low, static_cast<Uint128>(kPowers[shift]));
  } else {
    numerator = Multiply(numerator.low, static_cast<Uint128>(kPowers[38]));
    if (numerator.high != 0) return a == 0;
    numerator = Multiply(numerator.low, static_cast<Uint128>(kPowers[shift - 38]));
  }
  Uint128 magnitude;
  return DivideRounded(numerator, divisor, magnitude) && Finish(magnitude, (a < 0) != (b < 0), out);
}

int CompareDecimals(Int128 a, int scale_a, Int128 b, int scale_b) {
  if (scale_a == scale_b) return a < b ? -1 : a > b;
  if ((a < 0) != (b < 0)) return a < 0 ? -1 : 1;
  const bool a_is_finer = scale_a > scale_b;
  const Int128 coarse = a_is_finer ? b : a;
  const Int128 fine = a_is_finer ? a : b;
  Int128 scaled;
  int order;
  if (__builtin_mul_overflow(coarse, kPowers[std::abs(scale_a - scale_b)], &scaled)) {
    order = coarse < 0 ? -1 : 1;
  } else {
    order = scaled < fine ? -1 : scaled > fine;
  }
  return a_is_finer ? -order : order;
}

double DecimalToDouble(Int128 unscaled, int scale) {
  const Uint128 magnitude = Magnitude(unscaled);
  // Both are exact in a double up to these bounds, so one division rounds correctly.
  if (magnitude < (Uint128{1} << 53) && scale <= 22) {
    return static_cast<double>(unscaled) / static_cast<double>(kPowers[scale]);
  }
  const std::string text = DecimalText(unscaled, scale);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool DoubleToDecimal(double value, int precision, int scale, Int128& out) {
  if (!std::isfinite(value)) return false;
  char text[kDoubleTextMax];
  const size_t size = FormatJavaDouble(value, text);
  return ParseDecimal({text, size}, precision, scale, out) == DecimalParse::kOk;
}

}  // namespace weir
