#pragma once

// Holds an operator to what its edge promises. Stands behind each operator in golden tests and in
// conformance runs (setting test.check.edges); a broken promise is a fault of Weir and fails a
// check.

#include <memory>

#include "exec/operators/operator.h"
#include "planner/physical/nodes.h"

namespace weir {

/// Looks at what `node` gives, and hands it on:
/// - columns have the types of the node's schema and as many rows as the chunk; row times are
/// there;
/// - a selection is in order and within the chunk;
/// - operations are those of the node's ChangeMode; in retract mode an old row stands directly
/// before
///   its new one, in one chunk; keys of tables are not null, but
///   for those that a projection makes for a GROUP BY;
/// - stream time never goes back.
std::unique_ptr<Operator> MakeEdgeCheck(const physical::Node& node);

}  // namespace weir
