#pragma once

// Values of columns as text.

#include <string>
#include <string_view>

#include "base/json_string.h"
#include "weir/batch.h"

namespace weir {

/// The value at `row` as Column::ToText says: texts bare, BYTES in base64, nested values as JSON.
void AppendText(const Column& column, int32_t row, std::string& out);

/// The value as JSON: texts quoted, MAPs with text keys, STRUCTs by field name.
void AppendJsonText(const Column& column, int32_t row, std::string& out);

/// The value as CAST to STRING writes it, ksqlDB's way: [1, 2], {k=v}, Struct{F=1}.
void AppendCastText(const Column& column, int32_t row, std::string& out);

/// Bytes in base64 with padding.
void AppendBase64(std::string_view bytes, std::string& out);

}  // namespace weir
