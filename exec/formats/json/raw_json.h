#pragma once

// A JSON text as a tree that keeps each value's own spelling: 10.0 stays 10.0. For test cases and
// other small documents, not for records.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "weir/status.h"

namespace weir {

struct RawJson {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string raw;   ///< The value's text as it stands in the document.
  std::string text;  ///< kString: unescaped; others: as raw.
  std::vector<RawJson> items;
  std::vector<std::pair<std::string, RawJson>> members;

  bool is_null() const { return kind == Kind::kNull; }
  /// The member named `name`, or null.
  const RawJson* Find(std::string_view name) const;
};

/// kBadRecord if `text` is not one JSON value, kNestingTooDeep beyond `depth_max` levels.
Result<RawJson> ParseRawJson(std::string_view text, int depth_max = limits::kValueDepthMax);

/// `text` as a JSON string with its quotes.
std::string QuoteJson(std::string_view text);

}  // namespace weir
