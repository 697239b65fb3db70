#pragma once

// Names and types of columns from sample records of a file.

#include <string>
#include <string_view>
#include <vector>

#include "weir/types.h"

namespace weir {

/// Columns of JSON objects, one a line: in the order of first appearance, upper case. Whole numbers
/// are BIGINT, others DOUBLE; texts that all are times or dates are TIMESTAMP or DATE; what differs
/// from record to record is VARCHAR. Lines that are no objects are passed over.
std::vector<ColumnSchema> InferJsonColumns(const std::vector<std::string_view>& lines);

/// Columns of delimited lines by their fields' texts. `names` are the header's; missing ones are
/// made up (C1, C2, …). `null_text` and empty fields say nothing about the type.
std::vector<ColumnSchema> InferDelimitedColumns(const std::vector<std::string>& names,
                                                const std::vector<std::string_view>& lines,
                                                char delimiter, std::string_view null_text);

/// A header's name as a column's: upper case, '_' for everything but letters, digits and '_'.
std::string ColumnNameOf(std::string_view header);

}  // namespace weir
