#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Keeps the rows for which `predicate` is true; of tables, rows that fail become deletions.
struct Filter : Node {
  Filter() : Node(NodeKind::kFilter) {}
  BoundExprPtr predicate;
  bool is_having = false;
};

}  // namespace weir::logical
