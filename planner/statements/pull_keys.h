#pragma once

// What a pull query's condition says about keys and windows, so that it need not scan.

#include <optional>
#include <vector>

#include "planner/catalog/catalog.h"
#include "planner/planner.h"

namespace weir {

struct PullKeys {
  /// Look-ups that find every row that can match; nothing: only a scan does.
  std::optional<std::vector<PullQueryPlan::KeyLookup>> lookups;
  /// A single comparison of the one key column with a constant (<, <=, >, >=).
  bool is_key_range = false;
};

/// `filter` is over the source's columns. kInvalidPullQuery for keys that are NULL.
Result<PullKeys> ExtractKeys(const BoundExprPtr& filter, const SourceEntry& source);

/// Bounds on WINDOWSTART and WINDOWEND from conditions that hold for every result row.
void ExtractWindowBounds(const BoundExprPtr& filter, PullQueryPlan& plan);

}  // namespace weir
