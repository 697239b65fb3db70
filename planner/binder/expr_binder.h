#pragma once

// Expressions of the AST to bound expressions: names, types, overloads, implicit conversions.
// One binder serves one clause; it keeps no state between expressions but the calls it collects.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parser/ast/expression.h"
#include "planner/binder/bound_expr.h"
#include "planner/binder/scope.h"
#include "planner/catalog/catalog.h"
#include "planner/catalog/function_catalog.h"

namespace weir {

/// Columns of bound expressions from here on stand for collected calls: number kCallColumnBase + i
/// is call i of CollectedAggregates or TableCalls, until the plan gives them a place.
inline constexpr int kCallColumnBase = 1 << 20;
/// The same for the columns of subqueries.
inline constexpr int kSubqueryColumnBase = 1 << 24;
inline bool IsCallColumn(const BoundExpr& expr) {
  return expr.kind == BoundKind::kColumn && expr.index >= kCallColumnBase &&
         expr.index < kSubqueryColumnBase;
}
inline bool IsSubqueryColumn(const BoundExpr& expr) {
  return expr.kind == BoundKind::kColumn && expr.index >= kSubqueryColumnBase;
}

/// Aggregate calls of SELECT and HAVING, each once.
struct CollectedAggregates {
  struct Call {
    const AggregateOverload* function = nullptr;
    std::vector<BoundExprPtr> args;  ///< Over the input of the aggregation.
    std::vector<Value> constants;
    std::string text;
  };
  std::vector<Call> calls;
  std::unordered_multimap<size_t, int> by_hash;  ///< Numbers of the calls.
  /// Scope of the arguments: that of the aggregation's input.
  const Scope* argument_scope = nullptr;
  /// As SQL has it: SUM, AVG and STDDEV_SAMP of too few values are null, not 0 as in ksqlDB,
  /// STDDEV_SAMP is no variance, and SUM of INT is a BIGINT.
  bool is_sql = false;
};

/// Calls of table functions in SELECT.
struct TableCalls {
  struct Call {
    const TableFunctionOverload* function = nullptr;
    std::vector<BoundExprPtr> args;
    std::string text;
  };
  std::vector<Call> calls;
};

class ExprBinder {
 public:
  /// `clause` ("WHERE", …) is for messages. All arguments must outlive the binder.
  ExprBinder(const Scope& scope, const Catalog& catalog, const FunctionCatalog& functions,
             std::string clause)
      : scope_(scope), catalog_(catalog), functions_(functions), clause_(std::move(clause)) {}

  /// Aggregate functions are allowed and collected in `calls`.
  void AllowAggregates(CollectedAggregates* calls) { aggregates_ = calls; }
  void AllowTableFunctions(TableCalls* calls) { table_calls_ = calls; }

  /// The queries around the one at hand; null: none.
  void SetOuter(const OuterScope* outer) { outer_ = outer; }
  /// Subqueries are allowed: `bind` gives what stands for one, given its bound operand, if any.
  using SubqueryBinder =
      std::function<Result<BoundExprPtr>(const ast::SubqueryExpr& expr, BoundExprPtr operand)>;
  void AllowSubqueries(SubqueryBinder bind) { bind_subquery_ = std::move(bind); }

  Result<BoundExprPtr> Bind(const ast::Expr& expr);
  /// As Bind, and the type must be BOOLEAN, or a NULL that becomes one.
  Result<BoundExprPtr> BindCondition(const ast::Expr& expr) { return BindBoolean(expr); }
  /// As Bind, and the type must be BOOLEAN.
  Result<BoundExprPtr> BindPredicate(const ast::Expr& expr);

 private:
  struct LambdaParameter {
    std::string name;
    int number;
    DataType type;
  };

  Result<BoundExprPtr> BindNode(const ast::Expr& expr);
  Result<BoundExprPtr> BindColumn(const ast::ColumnRef& ref);
  Result<BoundExprPtr> BindUnary(const ast::Unary& unary);
  Result<BoundExprPtr> BindBinary(const ast::Binary& binary);
  Result<BoundExprPtr> BindArithmetic(std::string_view op, const ast::Binary& binary);
  Result<BoundExprPtr> BindComparison(std::string_view op, BoundExprPtr left, BoundExprPtr right,
                                      const ast::Expr& whole);
  Result<BoundExprPtr> BindLogic(const ast::Binary& binary);
  Result<BoundExprPtr> BindBoolean(const ast::Expr& expr);
  Result<BoundExprPtr> BindBetween(const ast::Between& between);
  Result<BoundExprPtr> BindIn(const ast::InList& in);
  Result<BoundExprPtr> BindLike(const ast::Like& like);
  Result<BoundExprPtr> BindCase(const ast::Case& expr);
  Result<BoundExprPtr> BindCast(const ast::Cast& cast);
  Result<BoundExprPtr> BindSubscript(const ast::Subscript& subscript);
  Result<BoundExprPtr> BindStructField(const ast::StructField& field);
  Result<BoundExprPtr> BindArray(const ast::ArrayLiteral& array);
  Result<BoundExprPtr> BindMap(const ast::MapLiteral& map);
  Result<BoundExprPtr> BindStruct(const ast::StructLiteral& literal);
  Result<BoundExprPtr> BindSubquery(const ast::SubqueryExpr& expr);
  Result<BoundExprPtr> BindCall(const ast::FunctionCall& call);
  Result<BoundExprPtr> BindScalarCall(const ast::FunctionCall& call, bool units_as_columns);
  Result<BoundExprPtr> BindAggregateCall(const ast::FunctionCall& call);
  Status AddFilter(const ast::FunctionCall& call, ExprBinder& inner,
                   std::vector<BoundExprPtr>& args, std::vector<ArgumentType>& types);
  Result<BoundExprPtr> CountDistinct(const ast::FunctionCall& call,
                                     const std::vector<BoundExprPtr>& args);
  /// The number of a call among the collected ones, each once.
  int Collect(CollectedAggregates::Call call);
  /// `result`, or null where fewer than `least` values of `arg` were not null.
  Result<BoundExprPtr> NullBelow(int64_t least, const BoundExprPtr& arg, BoundExprPtr result);
  Result<BoundExprPtr> BindTableCall(const ast::FunctionCall& call);
  Result<BoundExprPtr> ResolveOperator(std::string_view name, std::vector<BoundExprPtr> args,
                                       const ast::Expr& whole);
  /// The lambda's body with parameters of these types; numbers them on from the enclosing ones.
  Result<BoundExprPtr> BindLambda(const ast::Lambda& lambda, std::span<const DataType> types);

  const Scope& scope_;
  const Catalog& catalog_;
  const FunctionCatalog& functions_;
  std::string clause_;
  CollectedAggregates* aggregates_ = nullptr;
  TableCalls* table_calls_ = nullptr;
  const OuterScope* outer_ = nullptr;
  SubqueryBinder bind_subquery_;
  bool inside_aggregate_ = false;
  bool inside_table_function_ = false;
  std::vector<LambdaParameter> lambda_parameters_;
};

}  // namespace weir
