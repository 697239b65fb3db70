#pragma once

// What the condition of a SELECT without EMIT says about a table's keys, so that it need not scan.

#include <optional>
#include <vector>

#include "planner/catalog/catalog.h"
#include "planner/planner.h"

namespace weir {

/// One value a key column.
using KeyLookup = std::vector<Value>;

struct PullKeys {
  /// Look-ups that find every row that can match; nothing: only a scan does.
  std::optional<std::vector<KeyLookup>> lookups;
  /// A single comparison of the one key column with a constant (<, <=, >, >=).
  bool is_key_range = false;
};

/// `filter` is over the source's columns. For keys that are NULL kInvalidPullQuery, as in ksqlDB,
/// or with extensions no look-up: nothing equals them.
Result<PullKeys> ExtractKeys(const BoundExprPtr& filter, const SourceEntry& source,
                             bool sql_extensions);

}  // namespace weir
