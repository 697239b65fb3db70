#pragma once

// The AVRO format: Avro's binary encoding behind the id of its schema in a registry.

#include <memory>

#include "exec/formats/format.h"

namespace weir {

/// Both need spec.registry, which outlives what is made. One thread at a time. Encoding a row that
/// the schema does not take is kBadRecord.
std::unique_ptr<SideDecoder> MakeAvroDecoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeAvroEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);

/// The schema of a side as ksqlDB writes it: fields that may be null, records named after the
/// side's full name.
std::string AvroSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns);

/// The columns that a schema's records have, or, unwrapped, the one column that a value is: ROWKEY
/// or ROWVAL. Names are upper case unless `keep_case`. Fields without a type in SQL are left out.
/// kFormatMismatch for what is no schema or no record.
Result<std::vector<ColumnSchema>> ColumnsOfAvro(const std::string& text,
                                                const std::vector<std::string>& references,
                                                bool is_key, bool unwrapped, bool keep_case);

}  // namespace weir
