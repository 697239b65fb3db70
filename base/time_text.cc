#include "base/time_text.h"

#include <charconv>
#include <limits>

#include <absl/time/civil_time.h>

namespace weir {
namespace {

const absl::CivilDay kEpoch(1970, 1, 1);

char* PutDigits(int64_t value, int width, char* out) {
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + width;
}

char* PutDate(int64_t days, char* p) {
  const CivilDate date = CivilFromDays(days);
  int64_t year = date.year;
  if (year < 0) {
    *p++ = '-';
    year = -year;
  } else if (year > 9999) {
    *p++ = '+';
  }
  p = year > 9999 ? std::to_chars(p, p + 20, year).ptr : PutDigits(year, 4, p);
  *p++ = '-';
  p = PutDigits(date.month, 2, p);
  *p++ = '-';
  return PutDigits(date.day, 2, p);
}

char* PutTime(int64_t ms, bool always_millis, char* p) {
  p = PutDigits(ms / 3'600'000, 2, p);
  *p++ = ':';
  p = PutDigits(ms / 60'000 % 60, 2, p);
  *p++ = ':';
  p = PutDigits(ms / 1000 % 60, 2, p);
  if (always_millis || ms % 1000 != 0) {
    *p++ = '.';
    p = PutDigits(ms % 1000, 3, p);
  }
  return p;
}

/// Reads the front of a text piece by piece.
struct Reader {
  std::string_view text;

  bool Take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  /// Between `least` and `most` digits.
  bool Digits(size_t least, size_t most, int64_t& value) {
    size_t count = 0;
    value = 0;
    while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') {
      value = value * 10 + (text[count++] - '0');
    }
    text.remove_prefix(count);
    return count >= least;
  }
};

bool ReadDate(Reader& in, int64_t& days) {
  int64_t year, month = 1, day = 1;
  const bool negative = in.Take('-');
  if (!negative) in.Take('+');
  if (!in.Digits(4, 9, year)) return false;
  if (negative) year = -year;
  if (in.Take('-')) {
    if (!in.Digits(1, 2, month)) return false;
    if (in.Take('-') && !in.Digits(1, 2, day)) return false;
  }
  if (!IsCivilDate(year, static_cast<int>(month), static_cast<int>(day))) return false;
  days = DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  return true;
}

bool ReadTime(Reader& in, int64_t& ms) {
  int64_t hour, minute = 0, second = 0, millis = 0;
  if (!in.Digits(1, 2, hour)) return false;
  if (in.Take(':')) {
    if (!in.Digits(1, 2, minute)) return false;
    if (in.Take(':')) {
      if (!in.Digits(1, 2, second)) return false;
      if (in.Take('.')) {
        const size_t before = in.text.size();
        int64_t fraction;
        if (!in.Digits(1, 9, fraction)) return false;
        size_t digits = before - in.text.size();
        for (; digits < 3; ++digits) fraction *= 10;
        for (; digits > 3; --digits) fraction /= 10;
        millis = fraction;
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  ms = ((hour * 60 + minute) * 60 + second) * 1000 + millis;
  return true;
}

/// An offset at the end of a timestamp, in milliseconds east of UTC; 0 where there is none.
bool ReadOffset(Reader& in, int64_t& ms) {
  ms = 0;
  if (in.text.empty() || in.Take('Z') || in.Take('z')) return true;
  const bool west = in.Take('-');
  if (!west && !in.Take('+')) return false;
  int64_t hours, minutes = 0;
  if (!in.Digits(2, 2, hours)) return false;
  in.Take(':');
  if (!in.text.empty() && !in.Digits(2, 2, minutes)) return false;
  if (hours > 18 || minutes > 59) return false;
  ms = (hours * 60 + minutes) * 60'000 * (west ? -1 : 1);
  return true;
}

}  // namespace

int64_t DaysFromCivil(int64_t year, int month, int day) {
  return absl::CivilDay(year, month, day) - kEpoch;
}

CivilDate CivilFromDays(int64_t days) {
  const absl::CivilDay day = kEpoch + days;
  return {day.year(), day.month(), day.day()};
}

bool IsCivilDate(int64_t year, int month, int day) {
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  const absl::CivilDay civil(year, month, day);
  return civil.month() == month && civil.day() == day;
}

size_t FormatDate(int32_t days, char* out) { return PutDate(days, out) - out; }

size_t FormatTime(int32_t ms_of_day, char* out) { return PutTime(ms_of_day, false, out) - out; }

size_t FormatTimestamp(int64_t ms, char* out) {
  char* p = PutDate(FloorDay(ms), out);
  *p++ = 'T';
  return PutTime(MillisOfDay(ms), true, p) - out;
}

bool ParseDate(std::string_view text, int32_t& days) {
  Reader in{text};
  int64_t value;
  if (!ReadDate(in, value)) return false;
  if (!in.text.empty() && in.text.front() != 'T' && in.text.front() != ' ') return false;
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return false;
  }
  days = static_cast<int32_t>(value);
  return true;
}

bool ParseTime(std::string_view text, int32_t& ms_of_day) {
  Reader in{text};
  int64_t ms;
  if (!ReadTime(in, ms) || !in.text.empty()) return false;
  ms_of_day = static_cast<int32_t>(ms);
  return true;
}

bool ParseTimestamp(std::string_view text, int64_t& ms) {
  Reader in{text};
  int64_t days, time = 0, offset;
  if (!ReadDate(in, days)) return false;
  if (in.Take('T') || in.Take(' ')) {
    if (!in.text.empty() && !ReadTime(in, time)) return false;
  }
  if (!ReadOffset(in, offset) || !in.text.empty()) return false;
  constexpr int64_t kDaysMax = std::numeric_limits<int64_t>::max() / kMillisPerDay - 2;
  if (days > kDaysMax || days < -kDaysMax) return false;
  ms = days * kMillisPerDay + time - offset;
  return true;
}

}  // namespace weir
