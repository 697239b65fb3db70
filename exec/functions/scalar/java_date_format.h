#pragma once

// The date and time patterns of Java's DateTimeFormatter (yyyy-MM-dd'T'HH:mm:ssX), compiled once
// and then used for many values, to write and to read. English names; reading ignores case.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/functions/scalar/time_zone.h"
#include "weir/status.h"

namespace weir {

/// Immutable; safe from any thread.
class JavaDateFormat {
 public:
  /// kExpressionError if Java would refuse the pattern, kUnsupported for letters we lack.
  static Result<JavaDateFormat> Make(std::string_view pattern);

  /// Whether the pattern has letters that need a date, a time of day, a zone.
  bool has_date() const { return has_date_; }
  bool has_time() const { return has_time_; }
  bool has_zone() const { return has_zone_; }

  /// Appends the time `utc_ms` as seen in `zone`.
  void Format(int64_t utc_ms, const TimeZone& zone, std::string& out) const;

  /// Reads a whole text. What the pattern lacks is 1970-01-01, midnight; a zone in the text wins
  /// over `zone`. False if the text does not fit.
  bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t& utc_ms) const;
  /// Unless `whole`, anything may stand behind the date.
  bool ParseDate(std::string_view text, int32_t& days, bool whole = true) const;
  bool ParseTime(std::string_view text, int32_t& ms_of_day) const;

 private:
  enum class Kind : uint8_t {
    kLiteral,
    kNumber,
    kFraction,
    kText,
    kOffset,
    kZone,
    kOptionalStart,
    kOptionalEnd
  };
  struct Element {
    Kind kind;
    char letter = 0;
    int count = 0;      // Letters in a row.
    int width_min = 0;  // Digits of numbers.
    int width_max = 0;
    int reserved = 0;  // Digits that the numbers directly behind need.
    size_t jump = 0;   // kOptionalStart: its end.
    std::string literal;
  };
  struct Fields;
  struct Instant;

  Status AddLetters(char letter, int count);
  void AddNumber(char letter, int count, int width_min, int width_max);
  void ReserveDigits();
  void FindFixedShape();
  bool HasShape(const char* text) const;
  bool ReadFixed(std::string_view text, int64_t& local_ms) const;
  bool ParseElements(std::string_view text, size_t& at, size_t begin, size_t end,
                     Fields& fields) const;
  bool ParseElement(const Element& element, std::string_view text, size_t& at,
                    Fields& fields) const;
  bool ParseAll(std::string_view text, Fields& fields, bool whole = true) const;
  void FormatElement(const Element& element, const Instant& instant, std::string& out) const;

  std::vector<Element> elements_;
  /// Patterns that are a date and a time of fixed width, as most columns of times have them: the
  /// text with a 0 for each digit, and where year, month, day, hour, minute and second begin.
  /// Empty: another pattern.
  std::string shape_;
  std::string shape_sixes_;  ///< By byte of the shape: 6 for digits, else 0.
  std::string shape_mask_;   ///< Likewise: the bits in which a text may not differ.
  std::array<uint8_t, 6> shape_at_{};
  bool has_date_ = false;
  bool has_time_ = false;
  bool has_zone_ = false;
};

}  // namespace weir
