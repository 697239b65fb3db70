#pragma once

// Dates and times of day to ISO text and back. All in UTC unless the text names an offset.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

/// Room that any text of this file needs.
inline constexpr size_t kTimeTextMax = 48;
inline constexpr int64_t kMillisPerDay = 86'400'000;

/// Day, and milliseconds within it, of a time since 1970-01-01; rounds down before 1970 too.
inline int64_t FloorDay(int64_t ms) {
  return ms >= 0 ? ms / kMillisPerDay : -((-(ms + 1)) / kMillisPerDay) - 1;
}
inline int64_t MillisOfDay(int64_t ms) {
  const int64_t rest = ms % kMillisPerDay;
  return rest < 0 ? rest + kMillisPerDay : rest;
}

/// Each writes the text and returns its bytes: yyyy-MM-dd; HH:mm:ss[.SSS]; yyyy-MM-ddTHH:mm:ss.SSS.
size_t FormatDate(int32_t days, char* out);
size_t FormatTime(int32_t ms_of_day, char* out);
size_t FormatTimestamp(int64_t ms, char* out);

/// yyyy[-M[-d]], with or without a time behind it, which is left out.
bool ParseDate(std::string_view text, int32_t& days);
/// HH[:mm[:ss[.SSS…]]].
bool ParseTime(std::string_view text, int32_t& ms_of_day);
/// A date, and perhaps 'T' or a blank and a time, and perhaps Z, +hh, +hhmm or +hh:mm.
bool ParseTimestamp(std::string_view text, int64_t& ms);

/// Days since 1970-01-01 of a date of the Gregorian calendar, and back. Any year.
int64_t DaysFromCivil(int64_t year, int month, int day);
struct CivilDate {
  int64_t year;
  int month;
  int day;
};
CivilDate CivilFromDays(int64_t days);
/// Whether the calendar has this day.
bool IsCivilDate(int64_t year, int month, int day);

}  // namespace weir
