#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// GROUP BY. Input: group keys first, then the calls' arguments. Output: keys, one column a call.
struct Aggregate : Node {
  Aggregate() : Node(NodeKind::kAggregate) {}
  std::vector<physical::AggregateCall> calls;
  physical::WindowSpec window;
  bool emit_final = false;
  /// Each batch is reduced to its groups before the repartition below. Set by the pass preaggregate.
  bool preaggregated = false;
};

}  // namespace weir::logical
