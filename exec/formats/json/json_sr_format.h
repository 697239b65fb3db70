#pragma once

// The JSON_SR format: JSON behind the id of its JSON Schema in a registry.

#include <memory>
#include <string>
#include <vector>

#include "exec/formats/format.h"

namespace weir {

/// Both need spec.registry, which outlives what is made. One thread at a time.
std::unique_ptr<SideDecoder> MakeJsonSrDecoder(const FormatSpec& spec,
                                               const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeJsonSrEncoder(const FormatSpec& spec,
                                               const std::vector<FormatColumn>& columns);

/// The JSON Schema of a side, with Kafka Connect's names for what JSON has no types for.
std::string JsonSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns);

/// As ColumnsOfAvro. References to other documents have no type.
Result<std::vector<ColumnSchema>> ColumnsOfJsonSchema(const std::string& text, bool is_key,
                                                      bool unwrapped, bool keep_case);

}  // namespace weir
