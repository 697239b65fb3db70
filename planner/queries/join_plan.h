#pragma once

// How two inputs are joined: by which kind of join, and on which keys.

#include <string>
#include <vector>

#include "planner/queries/join_condition.h"
#include "planner/queries/source_builder.h"

namespace weir {

struct JoinPlan {
  logical::JoinSides sides = logical::JoinSides::kStreamStream;
  physical::JoinKind join = physical::JoinKind::kInner;
  std::vector<JoinEquality> keys;    ///< In the order of the join's keys.
  std::vector<BoundExprPtr> others;  ///< As JoinCondition::others.
};

/// kInvalidJoin where the two cannot be joined so.
Result<JoinPlan> PlanJoin(const QueryInput& left, const QueryInput& right, JoinCondition on,
                          const ast::Join& join, const QueryUse& use);

bool ContainsExpr(const std::vector<BoundExprPtr>& exprs, const BoundExpr& expr);
/// Whether `expr` over the input is the key column in each row.
bool IsKeyOf(const BoundExpr& expr, const KeyColumn& key, const QueryInput& input);

}  // namespace weir
