#include "exec/formats/json/number_scan.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/decimal.h"
#include "base/number_text.h"

namespace weir {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t kExactMantissaMax = uint64_t{1} << 53;
constexpr int kMantissaDigitsMax = 19;
constexpr int kExponentMax = 100000;

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Takes digits into the mantissa; returns how many significant ones are in it now.
inline const char* TakeDigits(const char* p, const char* end, uint64_t& mantissa, int& digits) {
  while (p < end && IsDigit(*p)) {
    if (digits < kMantissaDigitsMax) mantissa = mantissa * 10 + static_cast<uint64_t>(*p - '0');
    digits += (mantissa != 0);
    ++p;
  }
  return p;
}

bool ScanExponent(const char*& p, const char* end, int32_t& exponent) {
  ++p;
  bool negative = false;
  if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (p == end || !IsDigit(*p)) return false;
  int32_t value = 0;
  for (; p < end && IsDigit(*p); ++p) {
    if (value < kExponentMax) value = value * 10 + (*p - '0');
  }
  exponent += negative ? -value : value;
  return true;
}

}  // namespace

bool ScanNumber(const char* begin, const char* end, bool lenient, ScannedNumber& out) {
  const char* p = begin;
  out = {};
  if (p < end && *p == '-') {
    out.negative = true;
    ++p;
  } else if (lenient && p < end && *p == '+') {
    ++p;
  }
  int digits = 0;
  const char* whole = p;
  p = TakeDigits(p, end, out.mantissa, digits);
  const auto whole_digits = p - whole;
  if (!lenient && (whole_digits == 0 || (whole_digits > 1 && *whole == '0'))) return false;
  if (p == end) {
    out.overlong = digits > kMantissaDigitsMax;
    return whole_digits != 0;
  }
  out.integral = false;
  if (*p == '.') {
    const char* fraction = ++p;
    p = TakeDigits(p, end, out.mantissa, digits);
    if (p == fraction && (!lenient || whole_digits == 0)) return false;
    out.exponent = -static_cast<int32_t>(p - fraction);
  } else if (whole_digits == 0) {
    return false;
  }
  out.overlong = digits > kMantissaDigitsMax;
  if (p < end && (*p == 'e' || *p == 'E') && !ScanExponent(p, end, out.exponent)) return false;
  return p == end;
}

bool ToInt64(const ScannedNumber& number, const char* begin, const char* end, int64_t& out) {
  if (number.overlong) {
    Int128 wide = 0;
    const double approximate = ToDouble(number, begin, end);
    if (!(std::fabs(approximate) < 9.3e18)) return false;
    // Cut the fraction off in the text, so that no digit of the whole part is lost.
    std::string_view text(begin, static_cast<size_t>(end - begin));
    if (text.find_first_of("eE") != std::string_view::npos) {
      wide = static_cast<Int128>(approximate);
    } else {
      for (char c : text.substr(0, text.find('.'))) {
        if (IsDigit(c)) wide = wide * 10 + (c - '0');
      }
      if (number.negative) wide = -wide;
    }
    if (wide > std::numeric_limits<int64_t>::max() || wide < std::numeric_limits<int64_t>::min()) {
      return false;
    }
    out = static_cast<int64_t>(wide);
    return true;
  }
  uint64_t value = number.mantissa;
  int32_t exponent = number.exponent;
  for (; exponent < 0 && value != 0; ++exponent) value /= 10;
  for (; exponent > 0 && value != 0; --exponent) {
    if (value > std::numeric_limits<uint64_t>::max() / 10) return false;
    value *= 10;
  }
  constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value > kMax + (number.negative ? 1 : 0)) return false;
  out = static_cast<int64_t>(number.negative ? 0 - value : value);
  return true;
}

double ToDouble(const ScannedNumber& number, const char* begin, const char* end) {
  // Mantissa and power are exact, so one rounding gives the nearest double.
  if (!number.overlong && number.mantissa < kExactMantissaMax && number.exponent >= -22 &&
      number.exponent <= 22) {
    double value = static_cast<double>(number.mantissa);
    value = number.exponent < 0 ? value / kPowersOfTen[-number.exponent]
                                : value * kPowersOfTen[number.exponent];
    return number.negative ? -value : value;
  }
  double value = 0;
  if (begin < end && *begin == '+') ++begin;
  const auto result = std::from_chars(begin, end, value);
  if (result.ec == std::errc::result_out_of_range) {
    value = number.exponent < 0 ? 0.0 : std::numeric_limits<double>::infinity();
    if (number.negative) value = -value;
  }
  return value;
}

bool ToDecimal(const char* begin, const char* end, int precision, int scale, Int128& out) {
  ScannedNumber number;
  if (!ScanNumber(begin, end, true, number)) return false;
  const Int128 limit = PowerOfTen(precision);
  Int128 value = 0;
  int32_t exponent = number.exponent;
  if (!number.overlong) {
    value = static_cast<Int128>(number.mantissa);
  } else {
    for (const char* p = begin; p < end && *p != 'e' && *p != 'E'; ++p) {
      if (!IsDigit(*p)) continue;
      // Zeros at the end of the fraction may go beyond what 38 digits hold; anything else may not.
      if (value >= PowerOfTen(37)) {
        if (*p != '0') return false;
        ++exponent;
        continue;
      }
      value = value * 10 + (*p - '0');
    }
  }
  for (exponent += scale; exponent < 0; ++exponent) {
    if (value == 0) break;
    if (value % 10 != 0) return false;
    value /= 10;
  }
  if (value >= limit) return false;
  for (; exponent > 0 && value != 0; --exponent) {
    if (value >= limit / 10) return false;  // Ten times 38 digits may be more than 128 bits.
    value *= 10;
  }
  out = number.negative ? -value : value;
  return true;
}

bool ParseIntegerText(std::string_view text, int64_t& out) {
  ScannedNumber number;
  const char* end = text.data() + text.size();
  return ScanNumber(text.data(), end, true, number) && number.integral &&
         ToInt64(number, text.data(), end, out);
}

bool ParseDoubleText(std::string_view text, double& out) {
  ScannedNumber number;
  const char* end = text.data() + text.size();
  if (ScanNumber(text.data(), end, true, number)) {
    out = ToDouble(number, text.data(), end);
    return true;
  }
  return ParseDouble(text, out);
}

}  // namespace weir
