#pragma once

// JSON text as ksqlDB writes it: doubles as Java prints them, decimals plain with their scale,
// BYTES as base64, dates and times as numbers, nulls written.

#include <string_view>

#include "exec/column/builder.h"

namespace weir {

/// Appends `text` quoted and escaped.
void AppendJsonString(std::string_view text, BufferBuilder& out);

/// Writes a double's text at `to` (room for kDoubleTextMax bytes) and returns its end. NaN and the
/// infinities are written as strings, as Jackson does.
char* WriteJsonDouble(double value, char* to);
/// Writes an integer (room for 20 bytes) and returns its end.
char* WriteJsonInteger(int64_t value, char* to);

}  // namespace weir
