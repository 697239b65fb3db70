#pragma once

// The formats PROTOBUF, behind the id of its schema in a registry and the place of its message
// there, and PROTOBUF_NOSR, bare messages of the schema that the columns have.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/formats/format.h"
#include "exec/formats/protobuf/protobuf_schema.h"
#include "exec/formats/registry/schema_registry.h"

namespace weir {

/// Both need spec.registry for PROTOBUF, which outlives what is made. One thread at a time.
/// Encoding a row that the schema does not take is kBadRecord.
std::unique_ptr<SideDecoder> MakeProtobufDecoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeProtobufEncoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns);

/// The schema of a side as ksqlDB writes it: fields numbered as the columns stand. What
/// PROTOBUF_NULLABLE_REPRESENTATION says (OPTIONAL, WRAPPER) tells nulls from zeros.
std::string ProtobufSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns);

/// The columns that a message has: the one of `full_name`, or the schema's first. Names are upper
/// case unless `keep_case`. Fields without a type in SQL are left out. kFormatMismatch for what is
/// no schema, has no such message, or is of a type that contains itself.
Result<std::vector<ColumnSchema>> ColumnsOfProtobuf(const ProtobufSchema& schema,
                                                    std::string_view full_name, bool is_key,
                                                    bool keep_case);

/// A schema of a registry with what it imports. kFormatMismatch if it is of another type.
Result<ProtobufSchemaPtr> ParseRegisteredProtobuf(SchemaRegistry& registry,
                                                  const RegisteredSchema& schema);

/// The message of `full_name`, or the schema's first. kFormatMismatch where it has none of the
/// name.
Result<const ProtobufMessage*> MessageOf(const ProtobufSchema& schema, std::string_view full_name);

/// The side's SCHEMA_FULL_NAME; empty: none is given.
std::string_view MessageNameOf(const FormatSpec& spec);

/// The spec, of PROTOBUF_NOSR without the registry that it has no use for.
FormatSpec WithoutIdleRegistry(FormatSpec spec);

/// Takes the place of a record's message, which stands behind the schema's id, off the front.
bool TakeProtobufPlace(std::string_view& bytes, std::vector<int32_t>& place);
void AppendProtobufPlace(const std::vector<int32_t>& place, BufferBuilder& out);

}  // namespace weir
