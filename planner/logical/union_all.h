#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Bounded queries: the rows of all inputs, whose columns have the same types.
struct UnionAll : Node {
  UnionAll() : Node(NodeKind::kUnionAll) {}
};

}  // namespace weir::logical
