#pragma once

// Reads numbers from text: JSON's grammar strictly, and the wider one that texts in CSV files and
// JSON strings may use. No allocation, no locale, exact rounding.

#include <cstdint>
#include <string_view>

#include "base/value.h"

namespace weir {

/// A decimal number as scanned: (-1)^negative * mantissa * 10^exponent.
struct ScannedNumber {
  uint64_t mantissa = 0;
  int32_t exponent = 0;
  bool negative = false;
  /// The text had neither fraction nor exponent.
  bool integral = true;
  /// More than 19 significant digits: `mantissa` is not the whole; convert from the text.
  bool overlong = false;
};

/// Scans [begin, end), all of it, by JSON's grammar. `lenient` also takes a leading '+', leading
/// zeros, and a missing digit before or after the point. False if it is no number.
bool ScanNumber(const char* begin, const char* end, bool lenient, ScannedNumber& out);

/// Conversions of a number that ScanNumber took from [begin, end). Integers drop a fraction, as
/// Java's narrowing does; false if the value does not fit.
bool ToInt64(const ScannedNumber& number, const char* begin, const char* end, int64_t& out);
double ToDouble(const ScannedNumber& number, const char* begin, const char* end);
/// The unscaled value at `scale`; false if it needs more than `precision` digits or more fraction
/// digits than `scale` (trailing zeros do not count).
bool ToDecimal(const char* begin, const char* end, int precision, int scale, Int128& out);

/// Whole texts outside JSON's grammar: a sign '+' and leading zeros are allowed, and for a DOUBLE
/// also NaN, Infinity and blanks around it.
bool ParseIntegerText(std::string_view text, int64_t& out);
bool ParseDoubleText(std::string_view text, double& out);

}  // namespace weir
