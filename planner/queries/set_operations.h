#pragma once

// UNION, INTERSECT and EXCEPT of queries that end, and what DISTINCT and subqueries share with
// them.

#include <string>

#include "parser/ast/query.h"
#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// "UNION ALL", "EXCEPT", …
std::string NameOf(const ast::SetOperation& operation);

/// The rows under the names of the first part's columns. An error where the parts have not as many
/// columns, or columns of types that convert to none in common.
Result<QueryInput> BuildSetOperation(const ast::SetOperation& operation, const QueryUse& use);

/// Each row once.
logical::NodePtr DistinctOf(const logical::NodePtr& input);

}  // namespace weir
