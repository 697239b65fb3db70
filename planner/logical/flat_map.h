#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Table functions, zipped: `exprs` are kept, then comes one column a call.
struct FlatMap : Node {
  FlatMap() : Node(NodeKind::kFlatMap) {}
  std::vector<BoundExprPtr> exprs;
  std::vector<physical::FlatMap::Call> calls;
};

}  // namespace weir::logical
