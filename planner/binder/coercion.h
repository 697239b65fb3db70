#pragma once

// What converts to what without being asked, as ksqlDB has it: INT → BIGINT → DECIMAL → DOUBLE,
// element by element inside ARRAY, MAP and STRUCT; literals in lists take the type of the list.

#include <span>
#include <string>
#include <vector>

#include "planner/binder/bound_expr.h"

namespace weir {

/// Whether `from` becomes `to` unasked, as INSERT INTO … SELECT does.
bool ConvertsImplicitly(const DataType& from, const DataType& to);

/// `expr` as `type`, going into ARRAY[…], MAP(…) and STRUCT(…) so that literals inside convert too.
/// kTypeMismatch if it does not convert.
Result<BoundExprPtr> CoerceTo(const BoundExprPtr& expr, const DataType& type);

/// Brings all of a list to one type: that of the first element that is not NULL, widened by the
/// others. Text literals are read as that type, numbers and booleans written as text where it is
/// STRING. All NULL: the type NULL.
Result<std::vector<BoundExprPtr>> CoerceList(std::vector<BoundExprPtr> exprs);

/// Both sides of a comparison brought to one type; kTypeMismatch if they do not compare. `op` is
/// the operator's sign.
Status CoerceComparison(std::string_view op, BoundExprPtr& left, BoundExprPtr& right);

}  // namespace weir
