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

/// Two inputs joined, and where the columns of their scopes are in the result; null: nowhere.
struct JoinedInput {
  QueryInput input;
  std::vector<BoundExprPtr> left, right;
};
/// A join of inputs that end; `plan.sides` is kBounded. Defined with the other joins.
Result<JoinedInput> JoinBounded(const QueryInput& left, const QueryInput& right, JoinPlan plan,
                                const QueryUse& use);
/// `expr`, which is over `scope`, with each column as `placed` has it.
BoundExprPtr PlaceExpr(const BoundExprPtr& expr, const Scope& scope,
                       const std::vector<BoundExprPtr>& placed);

bool ContainsExpr(const std::vector<BoundExprPtr>& exprs, const BoundExpr& expr);
/// Whether `expr` over the input is the key column in each row.
bool IsKeyOf(const BoundExpr& expr, const KeyColumn& key, const QueryInput& input);

}  // namespace weir
