#pragma once

// Calls that the planner writes itself: functions resolved by name over bound arguments.

#include <string_view>
#include <vector>

#include "planner/binder/bound_expr.h"
#include "planner/binder/expr_binder.h"
#include "planner/catalog/function_catalog.h"

namespace weir {

/// A scalar function or an operator ("<", "+") of these arguments, converted as they have to be.
Result<BoundExprPtr> CallOf(const FunctionCatalog& functions, std::string_view name,
                            std::vector<BoundExprPtr> args);
/// `left` op `right`, both brought to one type first.
Result<BoundExprPtr> Compare(const FunctionCatalog& functions, std::string_view op,
                             BoundExprPtr left, BoundExprPtr right);
/// An aggregate of these arguments; COUNT of none counts rows.
Result<CollectedAggregates::Call> AggregateOf(const FunctionCatalog& functions,
                                              std::string_view name,
                                              std::vector<BoundExprPtr> args);

}  // namespace weir
