#pragma once

// Looks fields of one JSON object up by name, without decoding the rest: for keys and times of
// records that are loaded as they stand.

#include <optional>
#include <string>
#include <string_view>

namespace weir::shell {

/// The raw JSON text of the top-level field `name` of the object `json`: the last of several, and
/// where none is spelt so, one that differs by case. Nothing if there is no such field or the text
/// is not an object up to there.
std::optional<std::string_view> FindJsonField(std::string_view json, std::string_view name);

/// The text a raw JSON value stands for: a string without quotes and escapes, others as they are.
/// Nothing for null.
std::optional<std::string> JsonValueText(std::string_view raw);

}  // namespace weir::shell
