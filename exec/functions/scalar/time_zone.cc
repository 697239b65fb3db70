#include "exec/functions/scalar/time_zone.h"

#include <array>
#include <cstdlib>

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "base/time_text.h"

namespace weir {
namespace {

/// Reads [+-]h[h][[:]mm[[:]ss]] as a whole.
std::optional<int32_t> ParseOffset(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int parts[3] = {0, 0, 0};
  int count = 0;
  while (!text.empty() && count < 3) {
    if (count > 0 && text[0] == ':') text.remove_prefix(1);
    size_t digits = 0;
    while (digits < 2 && digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      parts[count] = parts[count] * 10 + (text[digits] - '0');
      ++digits;
    }
    if (digits == 0 || (count > 0 && digits != 2)) return std::nullopt;
    text.remove_prefix(digits);
    ++count;
  }
  if (!text.empty() || count == 0 || parts[0] > 18 || parts[1] > 59 || parts[2] > 59) {
    return std::nullopt;
  }
  return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
}

struct Abbreviation {
  std::string_view name;
  const char* region;
};

constexpr Abbreviation kAbbreviations[] = {
    {"ACST", "Australia/Adelaide"}, {"ACDT", "Australia/Adelaide"},  {"AEST", "Australia/Sydney"},
    {"AEDT", "Australia/Sydney"},   {"AKST", "America/Anchorage"},   {"AKDT", "America/Anchorage"},
    {"AST", "America/Halifax"},     {"ADT", "America/Halifax"},      {"AWST", "Australia/Perth"},
    {"BRT", "America/Sao_Paulo"},   {"BST", "Europe/London"},        {"CAT", "Africa/Maputo"},
    {"CET", "Europe/Paris"},        {"CEST", "Europe/Paris"},        {"CST", "America/Chicago"},
    {"CDT", "America/Chicago"},     {"EAT", "Africa/Nairobi"},       {"EET", "Europe/Bucharest"},
    {"EEST", "Europe/Bucharest"},   {"EST", "America/New_York"},     {"EDT", "America/New_York"},
    {"HKT", "Asia/Hong_Kong"},      {"HST", "Pacific/Honolulu"},     {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},          {"KST", "Asia/Seoul"},           {"MSK", "Europe/Moscow"},
    {"MST", "America/Denver"},      {"MDT", "America/Denver"},       {"NZST", "Pacific/Auckland"},
    {"NZDT", "Pacific/Auckland"},   {"PKT", "Asia/Karachi"},         {"PST", "America/Los_Angeles"},
    {"PDT", "America/Los_Angeles"}, {"SAST", "Africa/Johannesburg"}, {"SGT", "Asia/Singapore"},
    {"WET", "Europe/Lisbon"},       {"WEST", "Europe/Lisbon"},
};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Upper(a[i]) != Upper(b[i])) return false;
  }
  return true;
}

absl::CivilSecond CivilOf(int64_t local_ms) {
  const int64_t seconds = (local_ms - ((local_ms % 1000) + 1000) % 1000) / 1000;
  return absl::CivilSecond(1970, 1, 1) + seconds;
}

}  // namespace

struct TimeZone::Region {
  std::string name;
  absl::TimeZone zone;
};

TimeZone TimeZone::FixedOffset(int32_t seconds) {
  TimeZone zone;
  zone.offset_seconds_ = seconds;
  return zone;
}

std::optional<TimeZone> TimeZone::Find(std::string_view name) {
  if (name == "Z" || name == "UTC" || name == "GMT" || name == "UT") return TimeZone();
  std::string_view offset = name;
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (!name.starts_with(prefix)) continue;
    offset = name.substr(prefix.size());
    break;
  }
  if (const auto seconds = ParseOffset(offset)) return FixedOffset(*seconds);
  // Names become file names below: nothing that leaves the database's folder.
  if (name.empty() || name[0] == '/' || name[0] == '.' || name.find("..") != name.npos) {
    return std::nullopt;
  }
  auto region = std::make_shared<Region>();
  region->name = std::string(name);
  if (!absl::LoadTimeZone(region->name, &region->zone)) return std::nullopt;
  TimeZone zone;
  zone.region_ = std::move(region);
  return zone;
}

std::optional<TimeZone> TimeZone::FindAbbreviation(std::string_view name) {
  if (SameIgnoringCase(name, "UTC") || SameIgnoringCase(name, "GMT") ||
      SameIgnoringCase(name, "Z")) {
    return TimeZone();
  }
  for (const Abbreviation& row : kAbbreviations) {
    if (SameIgnoringCase(row.name, name)) return Find(row.region);
  }
  return Find(name);
}

int32_t TimeZone::OffsetSecondsAt(int64_t utc_ms) const {
  if (region_ == nullptr) return offset_seconds_;
  return region_->zone.At(absl::FromUnixMillis(utc_ms)).offset;
}

std::string TimeZone::AbbreviationAt(int64_t utc_ms) const {
  if (region_ != nullptr) return region_->zone.At(absl::FromUnixMillis(utc_ms)).zone_abbr;
  return name();
}

int64_t TimeZone::ToUtc(int64_t local_ms) const {
  if (region_ == nullptr) return local_ms - int64_t{offset_seconds_} * 1000;
  // absl's `pre` is what Java does for clocks set forward and for the first of repeated times.
  const absl::Time whole = region_->zone.At(CivilOf(local_ms)).pre;
  return absl::ToUnixMillis(whole) + ((local_ms % 1000) + 1000) % 1000;
}

std::string TimeZone::name() const {
  if (region_ != nullptr) return region_->name;
  if (offset_seconds_ == 0) return "UTC";
  std::string text;
  AppendOffset(offset_seconds_, true, text);
  return text;
}

void AppendOffset(int32_t seconds, bool colon, std::string& out) {
  const int32_t distance = std::abs(seconds);
  const auto two = [&](int32_t value) {
    out.push_back(static_cast<char>('0' + value / 10));
    out.push_back(static_cast<char>('0' + value % 10));
  };
  out.push_back(seconds < 0 ? '-' : '+');
  two(distance / 3600);
  if (colon) out.push_back(':');
  two(distance / 60 % 60);
}

}  // namespace weir
