#pragma once

// A SELECT without EMIT to a logical plan: SQL over sources that end. GROUP BY with aliases and
// ordinals, HAVING, DISTINCT, ORDER BY, LIMIT and OFFSET; subqueries in expressions by
// planner/queries/subqueries.h, UNION and the like by set_operations.h, the steps by
// bounded_select.h.

#include "planner/queries/query_builder.h"
#include "planner/statements/pull_keys.h"

namespace weir {

/// `use.bounded` is set. Without sql_extensions only what ksqlDB's pull queries may say. What is
/// wrong in the SELECT is an error with its place; kUnsupported names what is not built.
Result<BuiltQuery> BuildBounded(const QueryUse& use);

/// Whether the settings let a kept table be read whole, or by what `keys` say of it: else
/// kInvalidPullQuery.
Status CheckScan(const PullKeys& keys, const PlannerContext& context, SourcePosition position);

}  // namespace weir
