#pragma once

// Where a field in double quotes ends. All that reads CSV asks here, so that a line is cut, taken
// apart and decoded by one rule: a quote means something at a field's start only, a doubled one
// inside stands for itself, and behind the closing one come blanks at most.

#include <cstdint>
#include <cstring>

namespace weir {

enum class QuotedEnd : uint8_t {
  kClosed,
  kOpen,         ///< No closing quote before the end of the text.
  kTextFollows,  ///< Something else than the delimiter or a line end follows the closing quote.
};

struct QuotedField {
  QuotedEnd end = QuotedEnd::kOpen;
  const char* close = nullptr;  ///< The closing quote.
  const char* after = nullptr;  ///< kClosed: the delimiter, the line's end or the text's end.
  bool escaped = false;         ///< A doubled quote is inside.
};

/// `quote` is the opening quote of a field of the text that ends at `end`.
inline QuotedField FindQuotedEnd(const char* quote, const char* end, char delimiter) {
  // Most fields are shorter than what a call is worth.
  constexpr int kBytesLookedAt = 24;
  QuotedField field;
  const char* at = quote + 1;
  while (true) {
    const char* const near = end - at > kBytesLookedAt ? at + kBytesLookedAt : end;
    while (at < near && *at != '"') ++at;
    if (at == near) {
      const void* found = at < end ? std::memchr(at, '"', static_cast<size_t>(end - at)) : nullptr;
      if (found == nullptr) return field;
      at = static_cast<const char*>(found);
    }
    field.close = at;
    if (field.close + 1 == end || field.close[1] != '"') break;
    field.escaped = true;
    at = field.close + 2;
  }
  field.after = field.close + 1;
  while (field.after < end && *field.after != delimiter &&
         (*field.after == ' ' || *field.after == '\t' || *field.after == '\r')) {
    ++field.after;
  }
  const bool ends = field.after == end || *field.after == delimiter || *field.after == '\n';
  field.end = ends ? QuotedEnd::kClosed : QuotedEnd::kTextFollows;
  return field;
}

/// What is wrong with a field that does not end as it should; null: nothing.
inline const char* QuoteFault(QuotedEnd end) {
  switch (end) {
    case QuotedEnd::kClosed: return nullptr;
    case QuotedEnd::kOpen: return "a quoted field is not closed";
    case QuotedEnd::kTextFollows: return "text follows a quoted field";
  }
  return nullptr;
}

}  // namespace weir
