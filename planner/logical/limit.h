#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Ends the query after `rows` rows.
struct Limit : Node {
  Limit() : Node(NodeKind::kLimit) {}
  int64_t rows = 0;
};

}  // namespace weir::logical
