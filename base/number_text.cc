#include "base/number_text.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/decimal.h"

namespace weir {
namespace {

size_t CopyText(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

/// Digits d1d2…dn with the point behind the first digit moved `exponent` places.
size_t LayOutPlain(const char* digits, int count, int exponent, char* out) {
  char* p = out;
  if (exponent < 0) {
    *p++ = '0';
    *p++ = '.';
    for (int i = -1; i > exponent; --i) *p++ = '0';
    std::memcpy(p, digits, count);
    return p + count - out;
  }
  const int whole = exponent + 1;
  for (int i = 0; i < whole; ++i) *p++ = i < count ? digits[i] : '0';
  *p++ = '.';
  if (count <= whole) {
    *p++ = '0';
  } else {
    std::memcpy(p, digits + whole, count - whole);
    p += count - whole;
  }
  return p - out;
}

size_t LayOutScientific(const char* digits, int count, int exponent, char* out) {
  char* p = out;
  *p++ = digits[0];
  *p++ = '.';
  if (count == 1) {
    *p++ = '0';
  } else {
    std::memcpy(p, digits + 1, count - 1);
    p += count - 1;
  }
  *p++ = 'E';
  return std::to_chars(p, p + 8, exponent).ptr - out;
}

template <typename T>
bool ParseInteger(std::string_view text, T& out) {
  text = TrimBlanks(text);
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (text.empty() || text[0] == '-') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// What a decimal's text says, before scaling.
struct DecimalDigits {
  Int128 value = 0;      // Of the first 38 significant digits.
  int taken = 0;         // Significant digits in `value`.
  int64_t dropped = 0;   // Significant digits of the whole part behind these.
  int64_t fraction = 0;  // Digits after the point in `value`.
  int next_digit = 0;    // First digit that was left out, for rounding.
};

/// Reads digits and a point; returns where it stopped, or null without any digit.
const char* ReadDigits(const char* p, const char* end, DecimalDigits& digits) {
  bool any = false, point = false, left_out = false;
  for (; p != end; ++p) {
    if (*p == '.' && !point) {
      point = true;
      continue;
    }
    if (*p < '0' || *p > '9') break;
    any = true;
    if (digits.taken < 38) {
      digits.value = digits.value * 10 + (*p - '0');
      if (digits.value != 0) ++digits.taken;
      if (point) ++digits.fraction;
      continue;
    }
    if (!left_out) digits.next_digit = *p - '0';
    left_out = true;
    if (!point) ++digits.dropped;
  }
  return any ? p : nullptr;
}

/// value * 10^shift rounded, where shift < 0 drops digits.
DecimalParse ShiftDigits(const DecimalDigits& digits, int64_t shift, Int128& out) {
  if (digits.value == 0) {
    out = 0;
    return DecimalParse::kOk;
  }
  if (shift > 38) return DecimalParse::kOverflow;
  if (shift < -39) {
    out = 0;
    return DecimalParse::kOk;
  }
  if (shift == 0 && digits.next_digit >= 5) {
    out = digits.value + 1;
    return DecimalParse::kOk;
  }
  const int from = shift < 0 ? static_cast<int>(-shift) : 0;
  const int to = shift > 0 ? static_cast<int>(shift) : 0;
  return RescaleDecimal(digits.value, from, to, out) ? DecimalParse::kOk : DecimalParse::kOverflow;
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

size_t FormatInt64(int64_t value, char* out) {
  return std::to_chars(out, out + kDecimalTextMax, value).ptr - out;
}

size_t FormatJavaDouble(double value, char* out) {
  if (std::isnan(value)) return CopyText("NaN", out);
  char* p = out;
  if (std::signbit(value)) {
    *p++ = '-';
    value = -value;
  }
  if (std::isinf(value)) return p - out + CopyText("Infinity", p);
  if (value == 0) return p - out + CopyText("0.0", p);
  if (value < 1e7) {
    const int32_t whole = static_cast<int32_t>(value);
    if (static_cast<double>(whole) == value) {
      p = std::to_chars(p, p + 12, whole).ptr;
      return p - out + CopyText(".0", p);
    }
  }
  char text[kDoubleTextMax];
  const char* end =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  // Java shows at least two digits, the nearest two; for subnormals one digit is not always those.
  if (text[1] == 'e' && value < std::numeric_limits<double>::min()) {
    end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific, 1).ptr;
  }
  const char* e = end;
  while (*--e != 'e') {
  }
  int exponent = 0;
  std::from_chars(e + (e[1] == '+' ? 2 : 1), end, exponent);
  char digits[kDoubleTextMax];
  digits[0] = text[0];
  const int count = 1 + (e - text > 2 ? static_cast<int>(e - text) - 2 : 0);
  if (count > 1) std::memcpy(digits + 1, text + 2, count - 1);
  const bool plain = exponent >= -3 && exponent < 7;
  return p - out +
         (plain ? LayOutPlain(digits, count, exponent, p)
                : LayOutScientific(digits, count, exponent, p));
}

std::string DoubleText(double value) {
  char text[kDoubleTextMax];
  return std::string(text, FormatJavaDouble(value, text));
}

size_t FormatDecimal(Int128 unscaled, int scale, char* out) {
  char digits[kDecimalTextMax];
  char* p = digits + sizeof(digits);
  unsigned __int128 rest = unscaled < 0 ? 0 - static_cast<unsigned __int128>(unscaled)
                                        : static_cast<unsigned __int128>(unscaled);
  int count = 0;
  while (rest > std::numeric_limits<uint64_t>::max()) {
    *--p = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (++count == scale) *--p = '.';
  }
  uint64_t small = static_cast<uint64_t>(rest);
  while (small != 0 || count <= scale) {
    *--p = static_cast<char>('0' + small % 10);
    small /= 10;
    if (++count == scale) *--p = '.';
  }
  if (unscaled < 0) *--p = '-';
  return CopyText({p, static_cast<size_t>(digits + sizeof(digits) - p)}, out);
}

std::string DecimalText(Int128 unscaled, int scale) {
  char text[kDecimalTextMax];
  return std::string(text, FormatDecimal(unscaled, scale, text));
}

bool ParseInt32(std::string_view text, int32_t& out) { return ParseInteger(text, out); }
bool ParseInt64(std::string_view text, int64_t& out) { return ParseInteger(text, out); }

bool ParseDouble(std::string_view text, double& out) {
  text = TrimBlanks(text);
  if (text.empty()) return false;
  bool negative = false;
  if (text[0] == '+' || text[0] == '-') {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "NaN" || text == "Infinity") {
    out = text == "NaN" ? std::numeric_limits<double>::quiet_NaN()
                        : std::numeric_limits<double>::infinity();
    if (negative) out = -out;
    return true;
  }
  // from_chars would also take "inf", "nan" and a second sign.
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small: as Java, infinity or zero.
    const size_t e = text.find_first_of("eE");
    const bool tiny = e != std::string_view::npos && text.substr(e + 1).starts_with("-");
    out = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  } else if (error != std::errc()) {
    return false;
  }
  if (negative) out = -out;
  return true;
}

DecimalParse ParseDecimal(std::string_view text, int precision, int scale, Int128& out) {
  text = TrimBlanks(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  DecimalDigits digits;
  const char* end = text.data() + text.size();
  const char* p = ReadDigits(text.data(), end, digits);
  if (p == nullptr) return DecimalParse::kMalformed;
  int64_t exponent = 0;
  if (p != end) {
    if (*p != 'e' && *p != 'E') return DecimalParse::kMalformed;
    int32_t value = 0;
    if (p + 1 == end || p[1] == ' ' || end[-1] == ' ' ||
        !ParseInt32({p + 1, static_cast<size_t>(end - p - 1)}, value)) {
      return DecimalParse::kMalformed;
    }
    exponent = value;
  }
  const int64_t shift = exponent + digits.dropped - digits.fraction + scale;
  if (const DecimalParse state = ShiftDigits(digits, shift, out); state != DecimalParse::kOk) {
    return state;
  }
  if (!FitsPrecision(out, precision)) return DecimalParse::kOverflow;
  if (negative) out = -out;
  return DecimalParse::kOk;
}

}  // namespace weir
