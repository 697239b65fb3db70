#pragma once

// The last projection of a query: which selected columns are the key, and in which order columns
// stand.

#include <string>
#include <vector>

#include "planner/queries/query_input.h"
#include "planner/queries/select_list.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// Words for messages about a missing key: "key column", "grouping expression", ….
struct KeyMessages {
  std::string what = "key column";
};

/// Puts a projection over `input`. Persistent queries have each key exactly once and at least one
/// value column; the key columns come first. Push queries keep the order of SELECT, and columns
/// that are the key are marked so.
Result<logical::NodePtr> BuildProjection(logical::NodePtr input, const std::vector<KeyColumn>& keys,
                                         std::vector<SelectedColumn> columns,
                                         const KeyMessages& messages, const QueryUse& use);

}  // namespace weir
