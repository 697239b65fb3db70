#pragma once

// Numbers to text and back, in ksqlDB's (that is, Java's) notation. No locale, no allocation where
// a buffer is given.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/value.h"

namespace weir {

/// Room that any double's text needs.
inline constexpr size_t kDoubleTextMax = 32;
/// Room that any decimal's or integer's text needs.
inline constexpr size_t kDecimalTextMax = 48;

/// Writes a double as Java's Double.toString does (10.0, 1.0E10, NaN) with the fewest digits that
/// read back; returns the number of bytes, at most kDoubleTextMax.
size_t FormatJavaDouble(double value, char* out);
std::string DoubleText(double value);

/// Writes an integer; returns the number of bytes.
size_t FormatInt64(int64_t value, char* out);

/// Writes unscaled / 10^scale with exactly `scale` digits after the point; returns the bytes.
size_t FormatDecimal(Int128 unscaled, int scale, char* out);
std::string DecimalText(Int128 unscaled, int scale);

/// Whole text to a number, maybe with a sign in front and blanks around it; false if it is none.
bool ParseInt32(std::string_view text, int32_t& out);
bool ParseInt64(std::string_view text, int64_t& out);
/// Also takes NaN and Infinity, with a sign.
bool ParseDouble(std::string_view text, double& out);

enum class DecimalParse : uint8_t { kOk, kMalformed, kOverflow };
/// Digits with an optional sign, point and exponent; rounds half up to `scale` digits.
DecimalParse ParseDecimal(std::string_view text, int precision, int scale, Int128& out);

/// `text` without blanks and control characters at its ends, as Java's trim().
std::string_view TrimBlanks(std::string_view text);

}  // namespace weir
