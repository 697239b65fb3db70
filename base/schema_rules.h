#pragma once

// What the formats whose records have schemas (AVRO, JSON_SR, PROTOBUF) take, as the planner and
// the formats themselves ask it.

#include <string>
#include <string_view>

#include "weir/types.h"

namespace weir {

/// True of the formats whose schemas are in a schema registry.
bool NeedsRegistry(std::string_view format);
/// PROTOBUF and PROTOBUF_NOSR: all records are messages, none is a bare value.
bool IsProtobuf(std::string_view format);

/// What is wrong with a name in Avro and Protobuf; empty: nothing.
std::string_view SchemaNameFault(std::string_view name);
/// A name of a column, or of a field inside it, that is no such name; empty: none.
std::string SchemaMisname(const std::string& name, const DataType& type);

/// What Protobuf has no place for in a column's type; empty: nothing.
std::string ProtobufMisfit(const DataType& type);

}  // namespace weir
