#pragma once

// One SELECT without EMIT while it becomes a plan: what its clauses have been bound to, and the
// steps, which the files named below have. Only these include it; others call BuildBounded. What is
// wrong with a clause is the error of its step, at its place in the statement.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planner/binder/expr_binder.h"
#include "planner/queries/aggregate_builder.h"
#include "planner/queries/query_builder.h"
#include "planner/queries/subqueries.h"
#include "planner/queries/where_parts.h"

namespace weir {

/// For one Build. Binds the clauses over FROM and WHERE, then stacks the nodes: aggregate, HAVING,
/// projection, DISTINCT, sort or limit. What ORDER BY needs and SELECT does not show travels behind
/// the shown columns until the rows are sorted.
class BoundedBuilder {
 public:
  explicit BoundedBuilder(const QueryUse& use)
      : use_(use),
        query_(*use.query),
        context_(*use.context),
        common_{use.common, &query_.ctes, &built_},
        inner_(InnerUse()),
        subqueries_(inner_) {}

  Result<BuiltQuery> Build();

 private:
  /// ORDER BY's item: a shown column, or one behind them.
  struct Order {
    size_t column = 0;
    bool descending = false;
    bool nulls_first = false;
  };

  bool Extended() const { return context_.sql_extensions; }
  const logical::Source& source() const { return source_->As<logical::Source>(); }
  bool IsTable() const { return source_ != nullptr && source().entry->is_table; }
  bool IsKept() const {
    return source_ != nullptr && source().origin == physical::TopicSource::Origin::kKeptTable;
  }
  /// For what this query reads.
  QueryUse InnerUse() const {
    QueryUse inner = use_;
    inner.common = &common_;
    inner.in_join = false;
    inner.where = nullptr;
    inner.correlation = nullptr;
    return inner;
  }

  // bounded_builder.cc
  ExprBinder BinderOver(const Scope& scope, std::string clause);
  Status CheckClauses() const;
  Status BindWindow();
  Status BindSelect();
  Status BindGroupBy();
  Status AddGroup(BoundExprPtr expr, SourcePosition position);
  Status BindHaving();
  Status BindOrderBy();
  Status OrderAsKept();
  Result<size_t> OrderColumn(const ast::Expr& expr);
  size_t Hidden(BoundExprPtr expr);
  Result<size_t> Ordinal(int64_t number, std::string_view clause, SourcePosition position) const;
  Scope WithAliases(const Scope& scope) const;
  bool IsKeyColumn(const BoundExpr& expr) const;

  // bounded_input.cc
  Status BindFrom();
  Status CheckRelations() const;
  Status BindCorrelation();
  Status AddCorrelation();
  Status BindWhere();
  Status BindConditions();
  Status BindSubqueryConditions();
  void DropRecordColumns();
  Status CheckSystem() const;

  // bounded_nodes.cc
  Result<logical::NodePtr> Aggregated();
  Result<logical::NodePtr> JoinToGroups(logical::NodePtr groups, BoundExprPtr& having);
  Status JoinSubqueries();
  logical::NodePtr Projected(const logical::NodePtr& input) const;
  logical::NodePtr Ordered(logical::NodePtr input) const;
  logical::NodePtr Shown(const logical::NodePtr& input) const;

  const QueryUse& use_;
  const ast::Query& query_;
  const PlannerContext& context_;
  QueryInput input_;
  std::vector<BuiltQuery> built_;  ///< Of its WITH.
  const CommonTables common_;
  const QueryUse inner_;
  std::vector<WherePart> where_;
  std::vector<BoundExprPtr> correlated_;  ///< What equals expressions of the query around.
  Subqueries subqueries_;                 ///< Of SELECT, HAVING and ORDER BY.
  logical::NodePtr source_;               ///< The leaf; null over joins and subqueries.
  Scope select_scope_;                    ///< The input's names and the window's bounds.
  Grouping grouping_;
  bool is_grouped_ = false;
  TableCalls table_calls_;
  std::vector<SelectedColumn> columns_;  ///< The first `shown_` of them are SELECT's.
  size_t shown_ = 0;
  std::vector<bool> is_key_;  ///< Of the shown columns.
  BoundExprPtr having_;
  std::vector<Order> order_;
};

}  // namespace weir
