#pragma once

// Every expression of one logical node, seen or rewritten.

#include <functional>

#include "planner/logical/logical_nodes.h"

namespace weir {

/// Calls `visit` for each expression of the node itself; all are over inputs[0], but the condition
/// of a join, which is over both inputs.
void VisitNodeExprs(const logical::Node& node, const std::function<void(const BoundExpr&)>& visit);

/// The node with each expression through `map`; itself where none changed.
logical::NodePtr MapNodeExprs(const logical::NodePtr& node,
                              const std::function<BoundExprPtr(const BoundExprPtr&)>& map);

}  // namespace weir
