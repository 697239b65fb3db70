#pragma once

// UNION, INTERSECT and EXCEPT of queries that end, and what DISTINCT and subqueries share with
// them.

#include <string>
#include <string_view>

#include "parser/ast/query.h"
#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// "UNION ALL", "EXCEPT", …
std::string NameOf(const ast::SetOperation& operation);

Result<QueryInput> BuildSetOperation(const ast::SetOperation& operation, const QueryUse& use);

/// Each row once.
logical::NodePtr DistinctOf(const logical::NodePtr& input);

}  // namespace weir
