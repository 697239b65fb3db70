#pragma once

// Suggestions for misspelt names.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// "did you mean AMOUNT?" for the nearest of `names`, or an empty text if none is near.
std::string DidYouMean(std::string_view name, std::span<const std::string> names);

/// As DidYouMean; where none is near in letters, one of which `name` is the last part: DELIMITER
/// for VALUE_DELIMITER. The last of several.
std::string DidYouMeanPart(std::string_view name, std::span<const std::string> names);

/// "A, B, C", at most `limit` of them, then "…".
std::string ListNames(std::span<const std::string> names, size_t limit = 12);

}  // namespace weir
