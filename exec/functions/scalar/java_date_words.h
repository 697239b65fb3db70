#pragma once

// What writing and reading share of Java's date patterns: English names, and how offsets look.

#include <array>
#include <string_view>

namespace weir {

inline constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<std::string_view, 7> kWeekdays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};

/// How much of a name a number of letters means: short, full, or its first letter.
inline std::string_view NameOf(std::string_view full, int count) {
  if (count == 4) return full;
  return full.substr(0, count == 5 ? 1 : 3);
}

/// How an offset pattern is written: X, XX, XXX, Z, ….
struct OffsetStyle {
  bool zulu;  // 'Z' for no offset.
  bool colon;
  bool minutes_optional;  // Left out when zero.
};

inline OffsetStyle StyleOf(char letter, int count) {
  if (letter == 'Z') return {.zulu = count == 5, .colon = count == 5, .minutes_optional = false};
  return {.zulu = letter == 'X', .colon = count == 3 || count == 5, .minutes_optional = count == 1};
}

}  // namespace weir
