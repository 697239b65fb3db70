#include "shell/load/field_text.h"

#include <charconv>
#include <chrono>

#include "shell/render/json_text.h"

namespace weir::shell {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// The parts of a decimal number; `valid` tells whether the text is one.
struct DecimalText {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  bool has_point = false;
  bool valid = false;
};

DecimalText ParseDecimal(std::string_view text) {
  DecimalText number;
  if (!text.empty() && text[0] == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  size_t i = 0;
  while (i < text.size() && IsDigit(text[i])) ++i;
  number.whole = text.substr(0, i);
  if (i < text.size() && text[i] == '.') {
    number.has_point = true;
    const size_t start = ++i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    number.fraction = text.substr(start, i - start);
  }
  const bool leading_zero = number.whole.size() > 1 && number.whole[0] == '0';
  number.valid = i == text.size() && !leading_zero &&
                 (number.has_point ? !number.fraction.empty() : !number.whole.empty());
  return number;
}

/// Takes exactly `count` digits off the front.
bool TakeDigits(std::string_view* text, size_t count, int* value) {
  if (text->size() < count) return false;
  *value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit((*text)[i])) return false;
    *value = *value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text, std::chrono::sys_days* date) {
  int year = 0, month = 0, day = 0;
  if (!TakeDigits(text, 4, &year) || !TakeChar(text, '-') || !TakeDigits(text, 2, &month) ||
      !TakeChar(text, '-') || !TakeDigits(text, 2, &day)) {
    return false;
  }
  const std::chrono::year_month_day ymd{std::chrono::year(year),
                                        std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  if (!ymd.ok()) return false;
  *date = std::chrono::sys_days(ymd);
  return true;
}

/// "HH:MM[:SS[.fraction]]" in milliseconds of the day.
bool TakeTime(std::string_view* text, int64_t* ms) {
  int hour = 0, minute = 0, second = 0;
  if (!TakeDigits(text, 2, &hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, &minute)) {
    return false;
  }
  if (TakeChar(text, ':') && !TakeDigits(text, 2, &second)) return false;
  int64_t fraction_ms = 0;
  if (TakeChar(text, '.') || TakeChar(text, ',')) {
    if (text->empty() || !IsDigit(text->front())) return false;
    for (int64_t unit = 100; !text->empty() && IsDigit(text->front()); unit /= 10) {
      fraction_ms += unit * (text->front() - '0');
      text->remove_prefix(1);
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *ms = ((hour * 60 + minute) * 60 + second) * int64_t{1000} + fraction_ms;
  return true;
}

/// "", "Z", "+HH:MM", "+HHMM" or "+HH": what must be taken off local time.
bool TakeOffset(std::string_view text, int64_t* ms) {
  *ms = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  const int sign = text[0] == '+' ? 1 : text[0] == '-' ? -1 : 0;
  if (sign == 0) return false;
  text.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!TakeDigits(&text, 2, &hours)) return false;
  TakeChar(&text, ':');
  if (!text.empty() && !TakeDigits(&text, 2, &minutes)) return false;
  *ms = sign * (hours * 60 + minutes) * int64_t{60000};
  return text.empty();
}

}  // namespace

void AppendFieldAsJson(std::string_view text, std::string* out) {
  if (text.data() == nullptr) {
    *out += "null";
    return;
  }
  DecimalText number = ParseDecimal(text);
  if (!number.valid) {
    AppendJsonString(text, out);
    return;
  }
  if (number.negative) *out += '-';
  *out += number.whole.empty() ? std::string_view("0") : number.whole;
  if (!number.has_point) return;
  // As a program would write the number: 1.50 is 1.5, and 2.00 stays a number with a point.
  while (number.fraction.size() > 1 && number.fraction.back() == '0') {
    number.fraction.remove_suffix(1);
  }
  *out += '.';
  *out += number.fraction;
}

std::optional<int64_t> ParseTimestampMs(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  int64_t epoch_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch_ms);
  if (error == std::errc() && end == text.data() + text.size()) return epoch_ms;
  std::chrono::sys_days date;
  if (!TakeDate(&text, &date)) return std::nullopt;
  int64_t ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(date.time_since_epoch()).count();
  if (text.empty()) return ms;
  int64_t time_ms = 0;
  int64_t offset_ms = 0;
  if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return std::nullopt;
  if (!TakeTime(&text, &time_ms) || !TakeOffset(text, &offset_ms)) return std::nullopt;
  return ms + time_ms - offset_ms;
}

}  // namespace weir::shell
