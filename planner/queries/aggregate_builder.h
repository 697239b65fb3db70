#pragma once

// GROUP BY, with WINDOW and HAVING.

#include <string>
#include <vector>

#include "planner/binder/expr_binder.h"
#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// What an aggregation groups by and computes, bound over its input.
struct Grouping {
  std::vector<BoundExprPtr> keys;
  std::vector<std::string> labels;  ///< The keys as SQL.
  physical::WindowSpec window;
  CollectedAggregates calls;
  bool emit_final = false;
  bool bounded = false;  ///< As in logical::Aggregate.
  bool global = false;
  bool has_window() const { return window.kind != physical::WindowKind::kNone; }
};

/// Groups `input` (after WHERE), filters by HAVING and projects SELECT. Without GROUP BY all rows
/// are one group.
Result<logical::NodePtr> BuildAggregation(QueryInput input, const QueryUse& use);

/// Makes the one group of a query without GROUP BY: its key is a constant.
void GroupAll(Grouping& grouping);
/// Adds WINDOWSTART and WINDOWEND where `scope`, that of `input`, has no columns of these names.
void AddWindowBounds(const QueryInput& input, Scope& scope);
/// Keys and arguments projected out of `input`, and the aggregate over them.
logical::NodePtr MakeAggregate(const QueryInput& input, const Grouping& grouping,
                               const PlannerContext& context);
/// The aggregate's rows that pass `having`, which is over its output.
logical::NodePtr AddHaving(const logical::NodePtr& aggregate, BoundExprPtr having);
/// The expression over the aggregate's output: group keys and calls become its columns.
Result<BoundExprPtr> PlaceInGroups(const BoundExprPtr& expr, const Grouping& grouping,
                                   SourcePosition position);

/// WINDOW with its defaults: grace 24 hours less the size (with EMIT FINAL none, as nobody waits a
/// day for a window), retention a day or size and grace.
Result<physical::WindowSpec> ResolveWindow(const ast::WindowClause& clause, ast::EmitMode emit,
                                           const PlannerContext& context);

}  // namespace weir
