#pragma once

// Avro values as JSON and back, by their schema alone: defaults of schemas, PRINT, and what tests
// write down. Not for hot paths.

#include <string>
#include <string_view>

#include "exec/column/builder.h"
#include "exec/formats/avro/avro_cursor.h"
#include "exec/formats/avro/avro_schema.h"
#include "exec/formats/json/raw_json.h"
#include "weir/status.h"

namespace weir {

/// Appends the value that `json` stands for: fields of records by their names, in any case, those
/// that are not there by their defaults or as null; maps and lists of map entries as objects; bytes
/// as base64 where `bytes_as_base64`, else one character a byte, as defaults have them; decimals as
/// numbers. kBadRecord if it does not fit the type.
Status EncodeAvroJson(const AvroType& type, const RawJson& json, bool bytes_as_base64,
                      BufferBuilder& out);
/// A default's text.
Status EncodeAvroJson(const AvroType& type, std::string_view json, BufferBuilder& out);

/// Appends the value as JSON, as ksqlDB shows it: unions bare, bytes as base64, decimals as numbers
/// with their scale. kBadRecord if the bytes are not the schema's.
Status AppendAvroAsJson(const AvroType& type, AvroCursor& from, std::string& out);

}  // namespace weir
