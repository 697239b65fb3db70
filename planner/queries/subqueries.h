#pragma once

// Subqueries in expressions: each becomes an input that is joined to that of the expression, and
// the expression reads its columns.
//
//   (SELECT …)           its one row beside each row
//   EXISTS (SELECT …)    how many rows there are, at most one
//   x IN (SELECT y …)    the different values of y, joined on x = y; and, since NOT IN and a null
//                        need it, how many values and nulls there are
//   x > ALL (SELECT y …) the same numbers, the least and the greatest y
//
// A subquery whose WHERE compares a column of the query around it by = is read once, for all values
// of that column; it is joined on it.

#include <vector>

#include "planner/binder/expr_binder.h"
#include "planner/queries/join_plan.h"
#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

/// The subqueries of some expressions over one input.
class Subqueries {
 public:
  explicit Subqueries(const QueryUse& use) : use_(use) {}

  /// Lets `binder`, whose scope is `scope`, take subqueries.
  void AllowIn(ExprBinder& binder, const Scope& scope);
  /// A condition of WHERE that keeps rows with a partner and no others: x IN (SELECT …). It joins
  /// at once, and nothing is left to be asked.
  static bool IsSemiJoin(const ast::Expr& expr);
  Status BindSemiJoin(const ast::SubqueryExpr& expr, ExprBinder& binder, const Scope& scope);

  bool empty() const { return joins_.empty(); }
  /// What is compared with subqueries: over the input, as the expressions are.
  std::vector<BoundExprPtr*> Operands();
  /// Joins them to `input`, and has `exprs` read their columns and the joined input's.
  Result<QueryInput> JoinTo(QueryInput input, std::vector<BoundExprPtr*> exprs);

 private:
  struct Joined {
    QueryInput right;
    std::vector<BoundExprPtr> operands;  ///< Equal the right's first columns.
    physical::JoinKind kind = physical::JoinKind::kInner;
    int first = 0;  ///< Number of its first column among those of all subqueries.
  };

  Result<BoundExprPtr> Bind(const ast::SubqueryExpr& expr, BoundExprPtr operand,
                            const Scope& scope);
  /// The rows of a subquery: its columns, and behind them those that equal `outer` of the query
  /// around it.
  struct Rows {
    QueryInput input;
    std::vector<BoundExprPtr> outer;
    BoundExprPtr of_nothing;
  };
  Result<Rows> Build(const ast::SubqueryExpr& expr, const Scope& scope);
  Result<BoundExprPtr> BindExists(Rows rows);
  Result<BoundExprPtr> BindValue(Rows rows);
  Result<BoundExprPtr> BindIn(const ast::SubqueryExpr& expr, BoundExprPtr operand, Rows values);
  Result<BoundExprPtr> BindQuantified(const ast::SubqueryExpr& expr, BoundExprPtr operand,
                                      QueryInput values);
  Status Coerce(std::string_view op, BoundExprPtr& operand, QueryInput& values) const;
  /// The columns of one more input.
  std::vector<BoundExprPtr> Add(QueryInput right, std::vector<BoundExprPtr> operands,
                                physical::JoinKind kind);
  /// [by, the last columns][rows][values of the first column][extremes…]; without `by` one row.
  Result<QueryInput> Totals(const QueryInput& values, size_t by,
                            const std::vector<std::string_view>& extremes) const;

  const QueryUse& use_;
  std::vector<Joined> joins_;
  int columns_ = 0;
};

}  // namespace weir
