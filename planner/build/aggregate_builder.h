#pragma once

// GROUP BY, with WINDOW and HAVING.

#include "planner/build/query_input.h"
#include "planner/build/source_builder.h"

namespace weir {

/// Groups `input` (after WHERE), filters by HAVING and projects SELECT.
Result<logical::NodePtr> BuildAggregation(QueryInput input, const QueryUse& use);

/// WINDOW with its defaults: grace 24 hours less the size (with EMIT FINAL none, as nobody waits a
/// day for a window), retention a day or size and grace.
Result<physical::WindowSpec> ResolveWindow(const ast::WindowClause& clause, ast::EmitMode emit,
                                           const PlannerContext& context);

}  // namespace weir
