#pragma once

// What the text of a CSV field means: a number, a point in time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::shell {

/// Appends the field as a JSON value: null without data (see FileRows::fields), a number when it is
/// a decimal number without a superfluous leading zero (".80" is 0.8; "01234", "1e5" and "+1" are
/// texts), else a string.
void AppendFieldAsJson(std::string_view text, std::string* out);

/// Milliseconds since the epoch of an ISO text ("2020-07-01T00:25:32.5Z", "2020-07-01 00:25:32" is
/// in UTC, "2020-07-01", an offset such as +02:00) or of epoch milliseconds.
std::optional<int64_t> ParseTimestampMs(std::string_view text);

}  // namespace weir::shell
