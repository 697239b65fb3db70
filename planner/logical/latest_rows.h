#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Bounded queries: a table's rows as they are when its topic has been read, the latest of each
/// key.
struct LatestRows : Node {
  LatestRows() : Node(NodeKind::kLatestRows) {}
};

}  // namespace weir::logical
