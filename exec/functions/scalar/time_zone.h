#pragma once

// Time zones by the names that Java knows: regions (Europe/Zurich), UTC, GMT, offsets (+02:00,
// UTC+2). The rules come from the system's time zone database.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// A small immutable value; copy it freely, between threads too.
class TimeZone {
 public:
  TimeZone() = default;  ///< UTC.
  static TimeZone FixedOffset(int32_t seconds);
  /// Nothing if no zone has this name. Regions are case-sensitive.
  static std::optional<TimeZone> Find(std::string_view name);
  /// By an abbreviation as Java's parser reads it: "PST" and "PDT" are America/Los_Angeles.
  static std::optional<TimeZone> FindAbbreviation(std::string_view name);

  bool is_utc() const { return region_ == nullptr && offset_seconds_ == 0; }
  int32_t OffsetSecondsAt(int64_t utc_ms) const;
  /// The short name in use at a time: PDT, UTC, or +02:00 for offsets.
  std::string AbbreviationAt(int64_t utc_ms) const;
  /// The time at which a clock of the zone shows `local_ms` (counted as if in UTC). Of two such
  /// times the first; of none (a clock set forward) as many ms later as the clock is set.
  int64_t ToUtc(int64_t local_ms) const;
  /// As written, for pattern letter V.
  std::string name() const;

 private:
  struct Region;
  std::shared_ptr<const Region> region_;
  int32_t offset_seconds_ = 0;
};

/// Appends +hh:mm, or +hhmm without the colon.
void AppendOffset(int32_t seconds, bool colon, std::string& out);

}  // namespace weir
