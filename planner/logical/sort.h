#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Bounded queries: ORDER BY, with LIMIT and OFFSET.
struct Sort : Node {
  Sort() : Node(NodeKind::kSort) {}
  std::vector<physical::SortKey> keys;
  int64_t limit = -1;  ///< -1: all.
  int64_t offset = 0;
};

}  // namespace weir::logical
