// Reads texts by a pattern of Java's DateTimeFormatter, resolved smartly as it does by default.

#include "exec/functions/scalar/java_date_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/time_text.h"
#include "exec/functions/scalar/java_date_words.h"

namespace weir {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool StartsIgnoringCase(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (Lower(text[i]) != Lower(prefix[i])) return false;
  }
  return true;
}

bool IsLeap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

/// Reads one of `names` (full or short as `count` says); its position from 1, or 0.
template <size_t N>
int TakeName(const std::array<std::string_view, N>& names, int count, std::string_view text,
             size_t& at) {
  for (size_t i = 0; i < N; ++i) {
    const std::string_view name = NameOf(names[i], count);
    if (!StartsIgnoringCase(text.substr(at), name)) continue;
    at += name.size();
    return static_cast<int>(i) + 1;
  }
  return 0;
}

/// Reads two digits; false if there are none.
bool TakeTwo(std::string_view text, size_t& at, int& value) {
  if (at + 2 > text.size() || !IsDigit(text[at]) || !IsDigit(text[at + 1])) return false;
  value = (text[at] - '0') * 10 + (text[at + 1] - '0');
  at += 2;
  return true;
}

/// Digits of a number: at least the minimum, at most the maximum, `reserved` of the run left over.
bool TakeNumber(std::string_view text, size_t& at, int width_min, int width_max, int reserved,
                int64_t& value) {
  size_t run = at;
  while (run < text.size() && IsDigit(text[run])) ++run;
  int digits = std::min(static_cast<int>(run - at) - reserved, width_max);
  digits = std::min(std::max(digits, width_min), static_cast<int>(run - at));
  if (digits < width_min || digits == 0 || digits > 18) return false;
  value = 0;
  for (int i = 0; i < digits; ++i) value = value * 10 + (text[at + static_cast<size_t>(i)] - '0');
  at += static_cast<size_t>(digits);
  return true;
}

/// Reads an offset; `seconds` stays as it is where false.
bool TakeOffset(char letter, int count, std::string_view text, size_t& at, int32_t& seconds) {
  const OffsetStyle style = StyleOf(letter, count);
  if (letter == 'O' || (letter == 'Z' && count == 4)) {
    if (!StartsIgnoringCase(text.substr(at), "GMT")) return false;
    at += 3;
    if (at >= text.size() || (text[at] != '+' && text[at] != '-')) {
      seconds = 0;
      return true;
    }
  } else if (style.zulu && at < text.size() && Lower(text[at]) == 'z') {
    ++at;
    seconds = 0;
    return true;
  }
  if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return false;
  const int sign = text[at] == '-' ? -1 : 1;
  size_t position = at + 1;
  int hours = 0;
  int minutes = 0;
  if (!TakeTwo(text, position, hours)) {
    if (letter != 'O' || position >= text.size() || !IsDigit(text[position])) return false;
    hours = text[position++] - '0';
  }
  const bool colon = position < text.size() && text[position] == ':';
  size_t behind = position + (colon ? 1 : 0);
  if (TakeTwo(text, behind, minutes)) {
    position = behind;
  } else if (!style.minutes_optional && letter != 'O') {
    return false;
  }
  if (hours > 18 || minutes > 59) return false;
  seconds = sign * (hours * 3600 + minutes * 60);
  at = position;
  return true;
}

}  // namespace

/// What a text gave; -1 where it gave nothing (years may be negative, hence the flag).
struct JavaDateFormat::Fields {
  bool has_year = false;
  int64_t year = 1970;
  int era = 1;
  int month = -1;
  int day = -1;
  int day_of_year = -1;
  int hour = -1;          // 0 to 23.
  int hour_of_half = -1;  // 0 to 11.
  int half = -1;          // 0: AM.
  int minute = -1;
  int second = -1;
  int64_t nano = -1;
  int64_t milli_of_day = -1;
  int quarter = -1;
  std::optional<TimeZone> zone;

  bool Days(int32_t& days) const;
  bool MillisOfDay(int32_t& millis) const;
};

bool JavaDateFormat::Fields::Days(int32_t& days) const {
  const int64_t full_year = era == 0 ? 1 - year : year;
  int64_t result;
  if (day_of_year >= 0) {
    if (day_of_year < 1 || day_of_year > (IsLeap(full_year) ? 366 : 365)) return false;
    result = DaysFromCivil(full_year, 1, 1) + day_of_year - 1;
  } else {
    const int in_month = month > 0 ? month : (quarter > 0 ? quarter * 3 - 2 : 1);
    // Java's smart resolving: the 31st of a shorter month is its last day.
    const int in_day = std::min(day > 0 ? day : 1, DaysInMonth(full_year, in_month));
    result = DaysFromCivil(full_year, in_month, in_day);
  }
  if (result < INT32_MIN || result > INT32_MAX) return false;
  days = static_cast<int32_t>(result);
  return true;
}

bool JavaDateFormat::Fields::MillisOfDay(int32_t& millis) const {
  if (milli_of_day >= 0) {
    millis = static_cast<int32_t>(milli_of_day);
    return milli_of_day < kMillisPerDay;
  }
  int full_hour = std::max(hour, 0);
  if (hour < 0 && hour_of_half >= 0) full_hour = hour_of_half + (half == 1 ? 12 : 0);
  millis = ((full_hour * 60 + std::max(minute, 0)) * 60 + std::max(second, 0)) * 1000 +
           static_cast<int32_t>(std::max<int64_t>(nano, 0) / 1'000'000);
  return true;
}

bool JavaDateFormat::ParseElements(std::string_view text, size_t& at, size_t begin, size_t end,
                                   Fields& fields) const {
  for (size_t i = begin; i < end; ++i) {
    const Element& element = elements_[i];
    if (element.kind == Kind::kOptionalEnd) continue;
    if (element.kind != Kind::kOptionalStart) {
      if (!ParseElement(element, text, at, fields)) return false;
      continue;
    }
    Fields inner = fields;
    size_t inner_at = at;
    if (ParseElements(text, inner_at, i + 1, element.jump, inner)) {
      fields = std::move(inner);
      at = inner_at;
    }
    i = element.jump;
  }
  return true;
}

bool JavaDateFormat::ParseElement(const Element& element, std::string_view text, size_t& at,
                                  Fields& fields) const {
  const auto ranged = [](int64_t value, int64_t low, int64_t high, int& field) {
    if (value < low || value > high) return false;
    field = static_cast<int>(value);
    return true;
  };
  switch (element.kind) {
    case Kind::kLiteral:
      if (!StartsIgnoringCase(text.substr(at), element.literal)) return false;
      at += element.literal.size();
      return true;
    case Kind::kOptionalStart:
    case Kind::kOptionalEnd: return true;
    case Kind::kOffset: {
      int32_t seconds = 0;
      if (!TakeOffset(element.letter, element.count, text, at, seconds)) return false;
      fields.zone = TimeZone::FixedOffset(seconds);
      return true;
    }
    case Kind::kZone: {
      size_t end = at;
      while (end < text.size() &&
             (IsDigit(text[end]) || (Lower(text[end]) >= 'a' && Lower(text[end]) <= 'z') ||
              std::string_view("/_+-:").find(text[end]) != std::string_view::npos)) {
        ++end;
      }
      fields.zone = TimeZone::FindAbbreviation(text.substr(at, end - at));
      at = end;
      return fields.zone.has_value();
    }
    case Kind::kFraction: {
      int64_t value = 0;
      if (!TakeNumber(text, at, element.count, element.count, 0, value)) return false;
      for (int i = element.count; i < 9; ++i) value *= 10;
      fields.nano = value;
      return true;
    }
    case Kind::kText:
      switch (element.letter) {
        case 'M':
        case 'L':
          fields.month = TakeName(kMonths, element.count, text, at);
          return fields.month > 0;
        case 'a': fields.half = TakeName(kHalves, 4, text, at) - 1; return fields.half >= 0;
        case 'G': {
          constexpr std::array<std::string_view, 2> kShort = {"BC", "AD"};
          constexpr std::array<std::string_view, 2> kFull = {"Before Christ", "Anno Domini"};
          fields.era = TakeName(element.count == 4 ? kFull : kShort, 4, text, at) - 1;
          return fields.era >= 0;
        }
        default:
          // The weekday is read but, as the date decides, not used.
          return TakeName(kWeekdays, element.count, text, at) > 0;
      }
    case Kind::kNumber: break;
  }
  bool negative = false;
  if (element.width_min != element.width_max && at < text.size() &&
      (text[at] == '-' || text[at] == '+')) {
    negative = text[at] == '-';
    ++at;
  }
  int64_t value = 0;
  if (!TakeNumber(text, at, element.width_min, element.width_max, element.reserved, value)) {
    return false;
  }
  if (negative) value = -value;
  switch (element.letter) {
    case 'u':
    case 'y':
      fields.has_year = true;
      fields.year = element.count == 2 ? value + 2000 : value;
      return std::abs(fields.year) <= 999'999'999;
    case 'M':
    case 'L': return ranged(value, 1, 12, fields.month);
    case 'Q':
    case 'q': return ranged(value, 1, 4, fields.quarter);
    case 'd': return ranged(value, 1, 31, fields.day);
    case 'D': return ranged(value, 1, 366, fields.day_of_year);
    case 'H': return ranged(value, 0, 23, fields.hour);
    case 'k': return ranged(value % 24, 0, 23, fields.hour) && value >= 1 && value <= 24;
    case 'K': return ranged(value, 0, 11, fields.hour_of_half);
    case 'h': return ranged(value % 12, 0, 11, fields.hour_of_half) && value >= 1 && value <= 12;
    case 'm': return ranged(value, 0, 59, fields.minute);
    case 's': return ranged(value, 0, 59, fields.second);
    case 'A': fields.milli_of_day = value; return value >= 0 && value < kMillisPerDay;
    case 'n': fields.nano = value; return value >= 0 && value < 1'000'000'000;
    case 'N':
      fields.milli_of_day = value / 1'000'000;
      return value >= 0 && fields.milli_of_day < kMillisPerDay;
    case 'e':
    case 'c': return value >= 1 && value <= 7;
    default:  // 'Y' and 'w' do not make a date in Java either.
      return false;
  }
}

bool JavaDateFormat::ParseAll(std::string_view text, Fields& fields, bool whole) const {
  size_t at = 0;
  return ParseElements(text, at, 0, elements_.size(), fields) && (!whole || at == text.size());
}

bool JavaDateFormat::ParseTimestamp(std::string_view text, const TimeZone& zone,
                                    int64_t& utc_ms) const {
  if (int64_t local_ms = 0; ReadFixed(text, local_ms)) {
    utc_ms = zone.is_utc() ? local_ms : zone.ToUtc(local_ms);
    return true;
  }
  Fields fields;
  int32_t days = 0;
  int32_t millis = 0;
  if (!ParseAll(text, fields) || !fields.Days(days) || !fields.MillisOfDay(millis)) return false;
  const int64_t local_ms = int64_t{days} * kMillisPerDay + millis;
  utc_ms = fields.zone ? fields.zone->ToUtc(local_ms) : zone.ToUtc(local_ms);
  return true;
}

bool JavaDateFormat::ParseDate(std::string_view text, int32_t& days, bool whole) const {
  Fields fields;
  return ParseAll(text, fields, whole) && fields.Days(days);
}

bool JavaDateFormat::ParseTime(std::string_view text, int32_t& ms_of_day) const {
  Fields fields;
  return ParseAll(text, fields) && fields.MillisOfDay(ms_of_day);
}

}  // namespace weir
