#pragma once

// From a SELECT with its sink to plans of every stage; what persistent queries, push queries and
// EXPLAIN share.

#include <string>

#include "planner/logical/logical_nodes.h"
#include "planner/planner.h"
#include "planner/queries/query_builder.h"

namespace weir {

/// A statement's logical plan with what goes into the catalog.
struct PersistentLogical {
  PersistentQueryPlan plan;  ///< All but root and fingerprint.
  logical::NodePtr root;
};

Result<PersistentLogical> BuildPersistent(const ast::Statement& statement,
                                          const PlannerContext& context);

struct PushLogical {
  PushQueryPlan plan;  ///< All but root.
  logical::NodePtr root;
};
Result<PushLogical> BuildPush(const ast::Statement& statement, const PlannerContext& context);

struct PullLogical {
  PullQueryPlan plan;  ///< All but root.
  logical::NodePtr root;
};
Result<PullLogical> BuildPull(const ast::Statement& statement, const PlannerContext& context);

}  // namespace weir
