#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// One column per expression, in the order of `schema`. The first `key_columns` are the new key.
struct Project : Node {
  Project() : Node(NodeKind::kProject) {}
  std::vector<BoundExprPtr> exprs;
};

}  // namespace weir::logical
