#pragma once

// Writing JSON texts: what the output and the loader of the program need, no more.

#include <string>
#include <string_view>

namespace weir::shell {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

/// `text` as a JSON string.
std::string JsonString(std::string_view text);

}  // namespace weir::shell
