#pragma once

// Whether bytes are text that can be read: UTF-8. What is not is named, as far as it shows.

#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

/// How many of a text's first bytes CheckIsText looks at.
inline constexpr size_t kCheckedBytes = 4096;

/// kUnsupported with the encoding or kind of file where `first_bytes`, the first of a text, are of
/// UTF-16, UTF-32, of lines that end in '\r' alone, or of a file that is no text (xz, zip, Parquet,
/// …). `name` is for the message.
Status CheckIsText(std::string_view first_bytes, const std::string& name);

/// What `line`, which is not UTF-8, seems to be: "not UTF-8 but perhaps Latin-1 (ISO 8859-1) or
/// Windows-1252, at its byte 4 (0xE9)".
std::string DescribeWrongEncoding(std::string_view line);

/// kUnsupported for a file whose line `number` is not UTF-8.
Status WrongEncoding(const std::string& name, int64_t number, std::string_view line);

}  // namespace weir
