#pragma once

// Base64 (RFC 4648) of BYTES in JSON and DELIMITED records.

#include <string>
#include <string_view>

#include "exec/column/builder.h"

namespace weir {

/// Takes the standard alphabet, padding optional, line ends skipped; false if it is no base64.
bool DecodeBase64(std::string_view text, std::string& out);
/// Appends with padding.
void AppendBase64(std::string_view bytes, BufferBuilder& out);

}  // namespace weir
