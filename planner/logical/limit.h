#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Ends the query after `rows` rows behind the first `offset`.
struct Limit : Node {
  Limit() : Node(NodeKind::kLimit) {}
  int64_t rows = 0;  ///< -1: all.
  int64_t offset = 0;
  bool one_row = false;  ///< Of bounded queries, as in physical::Limit.
};

}  // namespace weir::logical
