#pragma once

// All nodes of the logical plan, and how to copy one.

#include <memory>

#include "planner/logical/aggregate.h"
#include "planner/logical/filter.h"
#include "planner/logical/flat_map.h"
#include "planner/logical/join.h"
#include "planner/logical/latest_rows.h"
#include "planner/logical/limit.h"
#include "planner/logical/node.h"
#include "planner/logical/project.h"
#include "planner/logical/repartition.h"
#include "planner/logical/sink.h"
#include "planner/logical/sort.h"
#include "planner/logical/source.h"
#include "planner/logical/union_all.h"

namespace weir::logical {

/// A changeable copy of `node`, which must be a T.
template <typename T>
std::shared_ptr<T> CopyAs(const Node& node) {
  return std::make_shared<T>(static_cast<const T&>(node));
}

/// A copy of any node, same inputs.
std::shared_ptr<Node> CopyNode(const Node& node);
/// The node with other inputs; itself where they are the same.
NodePtr WithInputs(const NodePtr& node, std::vector<NodePtr> inputs);

}  // namespace weir::logical
