// Writes times as a pattern of Java's DateTimeFormatter has them.

#include "exec/functions/scalar/java_date_format.h"

#include <cstdlib>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.h"
#include "exec/functions/scalar/java_date_words.h"

namespace weir {
namespace {

/// 1 for Monday to 7 for Sunday.
int WeekdayOf(int64_t days) { return static_cast<int>(((days + 3) % 7 + 7) % 7) + 1; }

int DayOfYear(int64_t days) {
  return static_cast<int>(days - DaysFromCivil(CivilFromDays(days).year, 1, 1)) + 1;
}

void AppendNumber(int64_t value, int width, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", value, value < 0 ? width + 1 : width);
}

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

/// A time taken apart for writing.
struct JavaDateFormat::Instant {
  int64_t utc_ms;
  const TimeZone* zone;
  int32_t offset_seconds;
  int64_t days;
  CivilDate date;
  int64_t ms_of_day;
};

void JavaDateFormat::Format(int64_t utc_ms, const TimeZone& zone, std::string& out) const {
  Instant instant;
  instant.utc_ms = utc_ms;
  instant.zone = &zone;
  instant.offset_seconds = zone.is_utc() ? 0 : zone.OffsetSecondsAt(utc_ms);
  // At the very ends of 64 bits the clock stands still.
  int64_t local_ms = utc_ms;
  if (__builtin_add_overflow(utc_ms, int64_t{instant.offset_seconds} * 1000, &local_ms)) {
    local_ms = utc_ms;
  }
  instant.days = FloorDay(local_ms);
  instant.ms_of_day = MillisOfDay(local_ms);
  instant.date = CivilFromDays(instant.days);
  for (const Element& element : elements_) FormatElement(element, instant, out);
}

void JavaDateFormat::FormatElement(const Element& element, const Instant& instant,
                                   std::string& out) const {
  const auto hour = static_cast<int>(instant.ms_of_day / 3'600'000);
  const CivilDate& date = instant.date;
  const int weekday = WeekdayOf(instant.days);
  switch (element.kind) {
    case Kind::kLiteral: out += element.literal; return;
    case Kind::kOptionalStart:
    case Kind::kOptionalEnd: return;
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
        case 'a': out += kHalves[hour >= 12 ? 1 : 0]; return;
        case 'G':
          out += element.count == 4 ? (date.year > 0 ? "Anno Domini" : "Before Christ")
                                    : (date.year > 0 ? "AD" : "BC");
          return;
        default: out += NameOf(kWeekdays[static_cast<size_t>(weekday - 1)], element.count); return;
      }
    case Kind::kNumber: break;
  }
  int64_t value = 0;
  switch (element.letter) {
    case 'u': value = date.year; break;
    case 'y': value = date.year > 0 ? date.year : 1 - date.year; break;
    case 'Y': value = WeekOf(instant.days).first; break;
    case 'w': value = WeekOf(instant.days).second; break;
    case 'M':
    case 'L': value = date.month; break;
    case 'Q':
    case 'q': value = (date.month + 2) / 3; break;
    case 'd': value = date.day; break;
    case 'D': value = DayOfYear(instant.days); break;
    case 'e':
    case 'c':
      value = weekday % 7 + 1;  // Weeks start on Sunday.
      break;
    case 'H': value = hour; break;
    case 'k': value = hour == 0 ? 24 : hour; break;
    case 'K': value = hour % 12; break;
    case 'h': value = hour % 12 == 0 ? 12 : hour % 12; break;
    case 'm': value = instant.ms_of_day / 60'000 % 60; break;
    case 's': value = instant.ms_of_day / 1000 % 60; break;
    case 'A': value = instant.ms_of_day; break;
    case 'n': value = instant.ms_of_day % 1000 * 1'000'000; break;
    default:  // 'N'
      value = instant.ms_of_day * 1'000'000;
      break;
  }
  const bool year = element.letter == 'u' || element.letter == 'y' || element.letter == 'Y';
  if (year && element.count == 2) value = (value % 100 + 100) % 100;
  if (year && element.count >= 4 && value > 9999 && element.count == 4) out.push_back('+');
  AppendNumber(value, element.width_min, out);
}

}  // namespace weir
