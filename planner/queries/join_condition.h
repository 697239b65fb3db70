#pragma once

// ON of a join: the equalities between its two sides, and what else has to hold for a pair of rows.

#include <string>
#include <vector>

#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// An expression of the left side equal to one of the right side.
struct JoinEquality {
  BoundExprPtr left;                    ///< Over the left input.
  BoundExprPtr right;                   ///< Over the right input.
  BoundExprPtr pair;                    ///< The whole, over a pair (see JoinCondition::others).
  std::string left_label, right_label;  ///< "ALIAS.COLUMN", else SQL.
  SourcePosition position;
};

struct JoinCondition {
  /// No expression stands in two of them; at least one where rows keep coming.
  std::vector<JoinEquality> equalities;
  /// The rest, over a pair of rows: columns are numbered by their place in the left's scope and,
  /// behind those, in the right's.
  std::vector<BoundExprPtr> others;
  std::string text;
};

/// What has to hold for a pair of a join of inputs that end: the conditions of ON, and for each
/// name of USING that its columns are equal; in this order. There may be no equality.
Result<JoinCondition> BindBoundedCondition(const QueryInput& left, const QueryInput& right,
                                           const std::vector<const ast::Expr*>& parts,
                                           const std::vector<ast::Identifier>& names,
                                           const QueryUse& use);

Result<JoinCondition> BindJoinCondition(const QueryInput& left, const QueryInput& right,
                                        const ast::Expr& on, const QueryUse& use);

}  // namespace weir
