#pragma once

// Messages as JSON and back, by their schema alone: PRINT, and what tests write down. Not for hot
// paths.

#include <string>
#include <string_view>

#include "exec/column/builder.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/protobuf/protobuf_schema.h"
#include "weir/status.h"

namespace weir {

/// Appends the message that `json` stands for: fields by their names, in any case; those that are
/// null, or that the message lacks, are left out; maps as objects, bytes as base64, decimals as
/// numbers, dates and times as numbers of days and milliseconds. kBadRecord if a value does not
/// fit.
Status EncodeProtobufJson(const ProtobufMessage& message, const RawJson& json, BufferBuilder& out);

/// Appends a message as JSON, as ksqlDB shows it: fields that are not there by their defaults, or
/// null; a oneof as an object with the member that is there. kBadRecord if the bytes are no such
/// message.
Status AppendProtobufAsJson(const ProtobufMessage& message, std::string_view bytes,
                            std::string& out);

}  // namespace weir
