#pragma once

// Catalog entries back to SQL, and checks between an entry and the one that replaces it.

#include <string>
#include <string_view>
#include <vector>

#include "planner/catalog/catalog.h"
#include "weir/status.h"

namespace weir {

/// CREATE STREAM|TABLE … (columns) WITH (…) that makes the entry anew, without a semicolon.
std::string FormatSourceDdl(const SourceEntry& source);
/// "table" or "stream".
inline std::string_view KindName(bool is_table) { return is_table ? "table" : "stream"; }
/// `name`, in backticks where SQL needs them.
std::string QuoteIdentifier(std::string_view name);
/// kIncompatibleChange unless `after` has the columns of `before`, in order, and at most more value
/// columns behind them, and the same key and formats.
Status CheckSchemaGrows(const SourceEntry& before, const SourceEntry& after);
/// kUnknownSource, with the nearest of `names`.
Status UnknownSource(std::string_view name, const std::vector<std::string>& names);

/// Equal without regard to ASCII case.
bool FoldsTo(std::string_view text, std::string_view wanted);

}  // namespace weir
