#pragma once

// Rewrites of the logical plan, each a function from plan to plan, run in the order of one table.

#include <span>
#include <string>
#include <string_view>

#include "planner/logical/logical_nodes.h"
#include "planner/planner.h"

namespace weir {

struct Pass {
  std::string_view name;
  Result<logical::NodePtr> (*run)(const logical::NodePtr& plan, const PlannerContext& context);
  std::string_view reason;
};

/// The table, in order.
std::span<const Pass> Passes();

/// All passes but those of SET 'disable_pass' = 'a,b'. Where `trace` is given, the plan after each
/// pass is appended to it as text.
Result<logical::NodePtr> RunPasses(logical::NodePtr plan, const PlannerContext& context,
                                   std::string* trace = nullptr);

/// kInternal if a plan breaks an invariant: column indexes within the input, types that agree, and
/// inputs of each node that carry what it needs (logical/edge.h). `placed`: rows that a node brings
/// together are in one task, as insert_repartitions makes it.
Status CheckPlan(const logical::Node& plan, bool placed);

Result<logical::NodePtr> FoldConstants(const logical::NodePtr& plan, const PlannerContext& context);
Result<logical::NodePtr> PushDownFilters(const logical::NodePtr& plan,
                                         const PlannerContext& context);
Result<logical::NodePtr> PruneColumns(const logical::NodePtr& plan, const PlannerContext& context);
Result<logical::NodePtr> InsertRepartitions(const logical::NodePtr& plan,
                                            const PlannerContext& context);
Result<logical::NodePtr> Preaggregate(const logical::NodePtr& plan, const PlannerContext& context);
Result<logical::NodePtr> NameStateStores(const logical::NodePtr& plan,
                                         const PlannerContext& context);

}  // namespace weir
