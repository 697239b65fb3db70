#pragma once

// Names and types of columns from sample records of a file. What is found here, the readers of
// files find again by the same names.

#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// How many columns can be found, fields of structs counted: kUnsupported beyond. A file may have
/// more if its columns are listed; statements of more become slow to plan.
inline constexpr int kFoundColumnsMax = 4096;

/// Columns of JSON objects, one a line: in the order of first appearance, upper case. Whole numbers
/// are BIGINT, those that do not fit into 64 bits DECIMAL, others DOUBLE; texts that all are times
/// or dates are TIMESTAMP or DATE; what differs from record to record is VARCHAR. Names that differ
/// in case only are one column. Lines that are no objects are passed over.
Result<std::vector<ColumnSchema>> InferJsonColumns(const std::vector<std::string_view>& lines);

/// Columns of delimited lines by their fields' texts. With a header, `names` are all the columns;
/// without one there are as many as most lines have fields (C1, C2, …). Lines with another number
/// of fields are passed over. `null_text` and empty fields say nothing about the type.
Result<std::vector<ColumnSchema>> InferDelimitedColumns(const std::vector<std::string>& names,
                                                        const std::vector<std::string_view>& lines,
                                                        char delimiter, std::string_view null_text);

/// A header's name as a column's: upper case, '_' for every other ASCII character than letters,
/// digits and '_'.
std::string ColumnNameOf(std::string_view header);

/// The columns' names that a header's names give, each once: an empty name becomes C and its
/// number, a name that is taken gets its number behind it.
std::vector<std::string> HeaderColumnNames(const std::vector<std::string>& names);

}  // namespace weir
