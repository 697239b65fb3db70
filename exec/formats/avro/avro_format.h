#pragma once

// The AVRO format: Avro's binary encoding behind the id of its schema in a registry.

#include <memory>

#include "exec/formats/format.h"

namespace weir {

std::unique_ptr<SideDecoder> MakeAvroDecoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeAvroEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);

/// The schema of a side as ksqlDB writes it: fields that may be null, records named after the
/// side's full name.
std::string AvroSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns);

/// The columns that a schema's records have, or, unwrapped, the one column that a value is: ROWKEY
/// or ROWVAL. Names are upper case unless `keep_case`. Fields without a type in SQL are left out.
Result<std::vector<ColumnSchema>> ColumnsOfAvro(const std::string& text,
                                                const std::vector<std::string>& references,
                                                bool is_key, bool unwrapped, bool keep_case);

}  // namespace weir
