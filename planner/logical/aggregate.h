#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// GROUP BY. Input: group keys first, then the calls' arguments. Output: keys, one column a call.
struct Aggregate : Node {
  Aggregate() : Node(NodeKind::kAggregate) {}
  std::vector<physical::AggregateCall> calls;
  physical::WindowSpec window;
  bool emit_final = false;
  /// The pass preaggregate sets it: each batch is reduced to its groups before the repartition.
  bool preaggregated = false;
};

}  // namespace weir::logical
