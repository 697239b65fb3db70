#pragma once

// Whole columns as bytes, for state stores: rows that a join keeps are written block by block. The
// format is versioned; column types are not in it, the reader knows them from the plan.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "weir/status.h"

namespace weir {

/// Appends columns of equal length.
void AppendColumns(std::span<const ColumnPtr> columns, std::string& out);
/// Reads them back; kStoreCorrupt if malformed, kStoreVersion if written by a newer Weir.
Result<std::vector<ColumnPtr>> ReadColumns(std::span<const DataType> types, std::string_view bytes);

}  // namespace weir
