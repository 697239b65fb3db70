#include "exec/functions/java_date_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "base/time_text.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};

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

/// 1 for Monday to 7 for Sunday.
int WeekdayOf(int64_t days) { return static_cast<int>(((days + 3) % 7 + 7) % 7) + 1; }

int DayOfYear(int64_t days) {
  return static_cast<int>(days - DaysFromCivil(CivilFromDays(days).year, 1, 1)) + 1;
}

void AppendNumber(int64_t value, int width, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", value, value < 0 ? width + 1 : width);
}

/// How much of a name a number of letters means: short, full, or its first letter.
std::string_view NameOf(std::string_view full, int count) {
  if (count == 4) return full;
  return full.substr(0, count == 5 ? 1 : 3);
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

/// How an offset pattern is written: X, XX, XXX, Z, ….
struct OffsetStyle {
  bool zulu;              // 'Z' for no offset.
  bool colon;
  bool minutes_optional;  // Left out when zero.
};

OffsetStyle StyleOf(char letter, int count) {
  if (letter == 'Z') return {.zulu = count == 5, .colon = count == 5, .minutes_optional = false};
  return {.zulu = letter == 'X', .colon = count == 3 || count == 5,
          .minutes_optional = count == 1};
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
  int hour = -1;           // 0 to 23.
  int hour_of_half = -1;   // 0 to 11.
  int half = -1;           // 0: AM.
  int minute = -1;
  int second = -1;
  int64_t nano = -1;
  int64_t milli_of_day = -1;
  int quarter = -1;
  std::optional<TimeZone> zone;

  bool Days(int32_t& days) const;
  bool MillisOfDay(int32_t& millis) const;
};

/// A time taken apart for writing.
struct JavaDateFormat::Instant {
  int64_t utc_ms;
  const TimeZone* zone;
  int32_t offset_seconds;
  int64_t days;
  CivilDate date;
  int64_t ms_of_day;
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

Result<JavaDateFormat> JavaDateFormat::Make(std::string_view pattern) {
  JavaDateFormat format;
  const auto literal = [&](std::string_view text) {
    Element element{.kind = Kind::kLiteral};
    element.literal = std::string(text);
    format.elements_.push_back(std::move(element));
  };
  std::vector<size_t> open;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      size_t end = i;
      while (end < pattern.size() && pattern[end] == c) ++end;
      WEIR_RETURN_IF_ERROR(format.AddLetters(c, static_cast<int>(end - i)));
      i = end - 1;
    } else if (c == '\'') {
      std::string quoted;
      size_t end = i + 1;
      for (; end < pattern.size(); ++end) {
        if (pattern[end] != '\'') {
          quoted.push_back(pattern[end]);
        } else if (end + 1 < pattern.size() && pattern[end + 1] == '\'') {
          quoted.push_back('\'');
          ++end;
        } else {
          break;
        }
      }
      if (end >= pattern.size()) {
        return Status(ErrorCode::kExpressionError,
                      fmt::format("a quote in the date pattern does not end: {}", pattern));
      }
      literal(quoted.empty() ? "'" : quoted);
      i = end;
    } else if (c == '[') {
      open.push_back(format.elements_.size());
      format.elements_.push_back({.kind = Kind::kOptionalStart});
    } else if (c == ']' && !open.empty()) {
      format.elements_[open.back()].jump = format.elements_.size();
      open.pop_back();
      format.elements_.push_back({.kind = Kind::kOptionalEnd});
    } else if (c == ']' || c == '{' || c == '}' || c == '#') {
      return Status(ErrorCode::kExpressionError,
                    fmt::format("the date pattern has a reserved character: {}", pattern));
    } else {
      literal(pattern.substr(i, 1));
    }
  }
  for (const size_t start : open) format.elements_[start].jump = format.elements_.size();
  format.ReserveDigits();
  format.FindFixedShape();
  return format;
}

void JavaDateFormat::AddNumber(char letter, int count, int width_min, int width_max) {
  elements_.push_back({.kind = Kind::kNumber, .letter = letter, .count = count,
                       .width_min = width_min, .width_max = width_max});
}

Status JavaDateFormat::AddLetters(char letter, int count) {
  const auto refuse = [&](ErrorCode code, std::string_view what) {
    return Status(code, fmt::format("{} in the date pattern: {}", what,
                                    std::string(static_cast<size_t>(count), letter)));
  };
  constexpr std::string_view kDateLetters = "GuyYwDMLdQqEec";
  constexpr std::string_view kTimeLetters = "ahKkHmsSAnN";
  if (kDateLetters.find(letter) != std::string_view::npos) {
    has_date_ = true;
  } else if (kTimeLetters.find(letter) != std::string_view::npos) {
    has_time_ = true;
  } else {
    has_zone_ = true;
  }
  if (count > 19) return refuse(ErrorCode::kExpressionError, "too many letters");
  const auto two_at_most = [&]() -> Status {
    if (count > 2) return refuse(ErrorCode::kExpressionError, "too many letters");
    AddNumber(letter, count, count, count == 1 ? 19 : 2);
    return OkStatus();
  };
  switch (letter) {
    case 'u':
    case 'y':
    case 'Y':
      AddNumber(letter, count, count, count == 2 ? 2 : 19);
      return OkStatus();
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
      if (count <= 2) return two_at_most();
      if (letter == 'Q' || letter == 'q') return refuse(ErrorCode::kUnsupported, "no such letters");
      break;
    case 'd':
    case 'h':
    case 'K':
    case 'k':
    case 'H':
    case 'm':
    case 's':
    case 'w':
      return two_at_most();
    case 'D':
      if (count > 3) return refuse(ErrorCode::kExpressionError, "too many letters");
      AddNumber(letter, count, count, count == 1 ? 19 : 3);
      return OkStatus();
    case 'A':
    case 'n':
    case 'N':
      AddNumber(letter, count, count, 19);
      return OkStatus();
    case 'S':
      if (count > 9) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kFraction, .letter = letter, .count = count,
                           .width_min = count, .width_max = count});
      return OkStatus();
    case 'e':
    case 'c':
      if (count <= 2) {
        AddNumber(letter, count, count, count);
        return OkStatus();
      }
      break;
    case 'E':
    case 'G':
      break;
    case 'a':
      if (count > 1) return refuse(ErrorCode::kExpressionError, "too many letters");
      break;
    case 'X':
    case 'x':
    case 'Z':
      if (count > 5) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kOffset, .letter = letter, .count = count});
      return OkStatus();
    case 'O':
      if (count != 1 && count != 4) return refuse(ErrorCode::kExpressionError, "too many letters");
      elements_.push_back({.kind = Kind::kOffset, .letter = letter, .count = count});
      return OkStatus();
    case 'V':
      if (count != 2) return refuse(ErrorCode::kExpressionError, "a zone id is written VV");
      elements_.push_back({.kind = Kind::kZone, .letter = letter, .count = count});
      return OkStatus();
    case 'z':
      if (count > 3) return refuse(ErrorCode::kUnsupported, "full zone names are not supported");
      elements_.push_back({.kind = Kind::kZone, .letter = letter, .count = count});
      return OkStatus();
    default:
      return refuse(std::string_view("FWgBvp").find(letter) != std::string_view::npos
                        ? ErrorCode::kUnsupported
                        : ErrorCode::kExpressionError,
                    "an unknown letter");
  }
  if (count > 5) return refuse(ErrorCode::kExpressionError, "too many letters");
  elements_.push_back({.kind = Kind::kText, .letter = letter, .count = count});
  return OkStatus();
}

/// Numbers that stand side by side (yyyyMMdd): the first leaves the others their fixed digits.
void JavaDateFormat::ReserveDigits() {
  for (size_t i = 0; i < elements_.size(); ++i) {
    if (elements_[i].kind != Kind::kNumber) continue;
    for (size_t j = i + 1; j < elements_.size(); ++j) {
      const Element& next = elements_[j];
      const bool fixed = (next.kind == Kind::kNumber && next.width_min == next.width_max) ||
                         next.kind == Kind::kFraction;
      if (!fixed) break;
      elements_[i].reserved += next.width_max;
    }
  }
}

// --- Writing.

void JavaDateFormat::Format(int64_t utc_ms, const TimeZone& zone, std::string& out) const {
  Instant instant;
  instant.utc_ms = utc_ms;
  instant.zone = &zone;
  instant.offset_seconds = zone.is_utc() ? 0 : zone.OffsetSecondsAt(utc_ms);
  const int64_t local_ms = utc_ms + int64_t{instant.offset_seconds} * 1000;
  instant.days = FloorDay(local_ms);
  instant.ms_of_day = MillisOfDay(local_ms);
  instant.date = CivilFromDays(instant.days);
  for (const Element& element : elements_) FormatElement(element, instant, out);
}

namespace {

/// The year whose week (from Sunday; the first holds January 1st) a day belongs to, and the week.
std::pair<int64_t, int> WeekOf(int64_t days) {
  const int64_t saturday = days + (6 - WeekdayOf(days) % 7);
  return {CivilFromDays(saturday).year, (DayOfYear(saturday) - 1) / 7 + 1};
}

void AppendOffsetStyled(char letter, int count, int32_t seconds, std::string& out) {
  if (letter == 'O' || (letter == 'Z' && count == 4)) {
    out += "GMT";
    if (seconds == 0) return;
    if (letter == 'O' && count == 1) {
      out.push_back(seconds < 0 ? '-' : '+');
      const int32_t distance = std::abs(seconds);
      fmt::format_to(std::back_inserter(out), "{}", distance / 3600);
      if (distance % 3600 != 0) {
        fmt::format_to(std::back_inserter(out), ":{:02}", distance / 60 % 60);
      }
      return;
    }
    return AppendOffset(seconds, true, out);
  }
  const OffsetStyle style = StyleOf(letter, count);
  if (seconds == 0 && style.zulu) {
    out.push_back('Z');
    return;
  }
  AppendOffset(seconds, style.colon, out);
  if (style.minutes_optional && seconds % 3600 == 0) out.resize(out.size() - 2);
}

}  // namespace

void JavaDateFormat::FormatElement(const Element& element, const Instant& instant,
                                   std::string& out) const {
  const auto hour = static_cast<int>(instant.ms_of_day / 3'600'000);
  const CivilDate& date = instant.date;
  const int weekday = WeekdayOf(instant.days);
  switch (element.kind) {
    case Kind::kLiteral:
      out += element.literal;
      return;
    case Kind::kOptionalStart:
    case Kind::kOptionalEnd:
      return;
    case Kind::kOffset:
      return AppendOffsetStyled(element.letter, element.count, instant.offset_seconds, out);
    case Kind::kZone:
      out += element.letter == 'V' ? instant.zone->name()
                                   : instant.zone->AbbreviationAt(instant.utc_ms);
      return;
    case Kind::kFraction: {
      const std::string digits = fmt::format("{:03}000000", instant.ms_of_day % 1000);
      out.append(digits, 0, static_cast<size_t>(element.count));
      return;
    }
    case Kind::kText:
      switch (element.letter) {
        case 'M':
        case 'L':
          out += NameOf(kMonths[static_cast<size_t>(date.month - 1)], element.count);
          return;
        case 'a':
          out += kHalves[hour >= 12 ? 1 : 0];
          return;
        case 'G':
          out += element.count == 4 ? (date.year > 0 ? "Anno Domini" : "Before Christ")
                                    : (date.year > 0 ? "AD" : "BC");
          return;
        default:
          out += NameOf(kWeekdays[static_cast<size_t>(weekday - 1)], element.count);
          return;
      }
    case Kind::kNumber:
      break;
  }
  int64_t value = 0;
  switch (element.letter) {
    case 'u':
      value = date.year;
      break;
    case 'y':
      value = date.year > 0 ? date.year : 1 - date.year;
      break;
    case 'Y':
      value = WeekOf(instant.days).first;
      break;
    case 'w':
      value = WeekOf(instant.days).second;
      break;
    case 'M':
    case 'L':
      value = date.month;
      break;
    case 'Q':
    case 'q':
      value = (date.month + 2) / 3;
      break;
    case 'd':
      value = date.day;
      break;
    case 'D':
      value = DayOfYear(instant.days);
      break;
    case 'e':
    case 'c':
      value = weekday % 7 + 1;  // Weeks start on Sunday.
      break;
    case 'H':
      value = hour;
      break;
    case 'k':
      value = hour == 0 ? 24 : hour;
      break;
    case 'K':
      value = hour % 12;
      break;
    case 'h':
      value = hour % 12 == 0 ? 12 : hour % 12;
      break;
    case 'm':
      value = instant.ms_of_day / 60'000 % 60;
      break;
    case 's':
      value = instant.ms_of_day / 1000 % 60;
      break;
    case 'A':
      value = instant.ms_of_day;
      break;
    case 'n':
      value = instant.ms_of_day % 1000 * 1'000'000;
      break;
    default:  // 'N'
      value = instant.ms_of_day * 1'000'000;
      break;
  }
  const bool year = element.letter == 'u' || element.letter == 'y' || element.letter == 'Y';
  if (year && element.count == 2) value = (value % 100 + 100) % 100;
  if (year && element.count >= 4 && value > 9999 && element.count == 4) out.push_back('+');
  AppendNumber(value, element.width_min, out);
}

// --- Reading.

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

namespace {

/// Digits of a number: at least the minimum, at most the maximum, and leaving `reserved` of the run.
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
    case Kind::kOptionalEnd:
      return true;
    case Kind::kOffset: {
      int32_t seconds = 0;
      if (!TakeOffset(element.letter, element.count, text, at, seconds)) return false;
      fields.zone = TimeZone::FixedOffset(seconds);
      return true;
    }
    case Kind::kZone: {
      size_t end = at;
      while (end < text.size() && (IsDigit(text[end]) || (Lower(text[end]) >= 'a' &&
             Lower(text[end]) <= 'z') || std::string_view("/_+-:").find(text[end]) !=
             std::string_view::npos)) {
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
        case 'a':
          fields.half = TakeName(kHalves, 4, text, at) - 1;
          return fields.half >= 0;
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
    case Kind::kNumber:
      break;
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
    case 'L':
      return ranged(value, 1, 12, fields.month);
    case 'Q':
    case 'q':
      return ranged(value, 1, 4, fields.quarter);
    case 'd':
      return ranged(value, 1, 31, fields.day);
    case 'D':
      return ranged(value, 1, 366, fields.day_of_year);
    case 'H':
      return ranged(value, 0, 23, fields.hour);
    case 'k':
      return ranged(value % 24, 0, 23, fields.hour) && value >= 1 && value <= 24;
    case 'K':
      return ranged(value, 0, 11, fields.hour_of_half);
    case 'h':
      return ranged(value % 12, 0, 11, fields.hour_of_half) && value >= 1 && value <= 12;
    case 'm':
      return ranged(value, 0, 59, fields.minute);
    case 's':
      return ranged(value, 0, 59, fields.second);
    case 'A':
      fields.milli_of_day = value;
      return value >= 0 && value < kMillisPerDay;
    case 'n':
      fields.nano = value;
      return value >= 0 && value < 1'000'000'000;
    case 'N':
      fields.milli_of_day = value / 1'000'000;
      return value >= 0 && fields.milli_of_day < kMillisPerDay;
    case 'e':
    case 'c':
      return value >= 1 && value <= 7;
    default:  // 'Y' and 'w' do not make a date in Java either.
      return false;
  }
}

bool JavaDateFormat::ParseAll(std::string_view text, Fields& fields) const {
  size_t at = 0;
  return ParseElements(text, at, 0, elements_.size(), fields) && at == text.size();
}

void JavaDateFormat::FindFixedShape() {
  constexpr std::string_view kLetters = "yMdHms";
  std::string shape;
  unsigned seen = 0;
  for (const Element& element : elements_) {
    if (element.kind == Kind::kLiteral) {
      if (element.literal.find('0') != std::string::npos) return;   // It stands for digits here.
      shape += element.literal;
      continue;
    }
    const size_t part = kLetters.find(element.letter);
    if (element.kind != Kind::kNumber || part == std::string_view::npos) return;
    if (element.count != (part == 0 ? 4 : 2) || (seen >> part & 1) != 0) return;
    seen |= 1u << part;
    shape_at_[part] = static_cast<uint8_t>(shape.size());
    shape.append(static_cast<size_t>(element.count), '0');
  }
  if (seen != 63 || shape.size() >= 64) return;
  for (char c : shape) {
    shape_sixes_.push_back(c == '0' ? '\x06' : '\0');
    shape_mask_.push_back(c == '0' ? '\xF0' : '\xFF');
  }
  shape_ = std::move(shape);
}

namespace {

bool IsDate(int year, int month, int day) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

/// Days since 1970-01-01 of a date from the year 1 on. Years begin in March here, so that the leap day
/// is their last.
int64_t DaysOf(int year, int month, int day) {
  const int from_march = month > 2 ? month - 3 : month + 9;
  const int64_t years = month > 2 ? year : year - 1;
  const int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
  return years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719468;
}

uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

/// Eight bytes at a time, the last ones twice: digits where the shape has them, all else the same.
bool JavaDateFormat::HasShape(const char* text) const {
  uint64_t wrong = 0;
  const size_t last = shape_.size() - 8;
  for (size_t at = 0;; at = std::min(at + 8, last)) {
    // A digit differs from '0' in its low half, by 9 at most: then adding 6 does not carry.
    const uint64_t differs = LoadWord(text + at) ^ LoadWord(shape_.data() + at);
    wrong |= (differs | (differs + LoadWord(shape_sixes_.data() + at))) &
             LoadWord(shape_mask_.data() + at);
    if (at == last) return wrong == 0;
  }
}

/// Reads texts of the fixed shape; false says nothing about others.
bool JavaDateFormat::ReadFixed(std::string_view text, int64_t& local_ms) const {
  if (shape_.empty() || text.size() != shape_.size() || !HasShape(text.data())) return false;
  const auto two = [&](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int year = two(shape_at_[0]) * 100 + two(shape_at_[0] + 2u);
  const int month = two(shape_at_[1]), day = two(shape_at_[2]);
  const int hour = two(shape_at_[3]), minute = two(shape_at_[4]), second = two(shape_at_[5]);
  if (year < 1 || hour > 23 || minute > 59 || second > 59 || !IsDate(year, month, day)) return false;
  local_ms = DaysOf(year, month, day) * kMillisPerDay +
             (hour * 3600 + minute * 60 + second) * 1000;
  return true;
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

bool JavaDateFormat::ParseDate(std::string_view text, int32_t& days) const {
  Fields fields;
  return ParseAll(text, fields) && fields.Days(days);
}

bool JavaDateFormat::ParseTime(std::string_view text, int32_t& ms_of_day) const {
  Fields fields;
  return ParseAll(text, fields) && fields.MillisOfDay(ms_of_day);
}

}  // namespace weir
