#pragma once

// TIMESTAMP and TIMESTAMP_FORMAT: which column gives a record its time.

#include <optional>
#include <string>
#include <string_view>

#include "planner/properties/with_properties.h"
#include "weir/types.h"

namespace weir {

/// The column of WITH (TIMESTAMP = …) in `schema`, or nothing where the clause has none. Its type
/// is BIGINT, TIMESTAMP, or STRING with TIMESTAMP_FORMAT; else kInvalidProperty.
Result<std::optional<int>> ReadTimeColumn(const WithProperties& with, const Schema& schema);

/// A name in a property's text: upper-cased unless it stands in back quotes or double quotes.
std::string FoldPropertyName(std::string_view text);

}  // namespace weir
