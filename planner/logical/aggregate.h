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
  /// Over all rows of an input that ends, each group once; null is a group.
  bool bounded = false;
  /// No GROUP BY: one group, whose key is a constant. Bounded it is there without rows too.
  bool global = false;
};

}  // namespace weir::logical
