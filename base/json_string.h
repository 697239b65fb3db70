#pragma once

// Text in JSON's quotes.

#include <string>
#include <string_view>

namespace weir {

/// `text`, which is UTF-8, in JSON's quotes.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace weir
