// The clauses over FROM and WHERE: SELECT, WINDOW, GROUP BY, HAVING and ORDER BY; and the order of
// all steps.

#include "planner/queries/bounded_builder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/queries/bounded_select.h"
#include "planner/queries/set_operations.h"

namespace weir {
namespace {

bool HasAggregateCall(const BoundExpr& expr) {
  bool found = false;
  VisitExpr(expr, [&](const BoundExpr& node) { found |= IsCallColumn(node); });
  return found;
}

bool HasOrder(const DataType& type) {
  return !type.is(TypeKind::kMap) && !type.is(TypeKind::kStruct);
}

/// The number of an expression that is a whole number and no more.
std::optional<int64_t> OrdinalOf(const ast::Expr& expr) {
  if (expr.kind != ast::ExprKind::kLiteral) return std::nullopt;
  const ast::LiteralValue& value = expr.As<ast::Literal>().value;
  if (value.kind != ast::LiteralKind::kInt && value.kind != ast::LiteralKind::kBigint) {
    return std::nullopt;
  }
  return value.integer;
}

}  // namespace

ExprBinder BoundedBuilder::BinderOver(const Scope& scope, std::string clause) {
  ExprBinder binder(scope, *context_.catalog, *context_.functions, std::move(clause));
  binder.SetOuter(use_.outer);
  return binder;
}

/// What SQL over what is there cannot say, in the statement and in each SELECT inside it.
Status BoundedBuilder::CheckClauses() const {
  if (query_.emit != ast::EmitMode::kNone) {
    return Status(ErrorCode::kInvalidPullQuery,
                  "EMIT belongs to the whole statement, not to a SELECT inside it")
        .WithHint("leave it out")
        .At(query_.emit_position);
  }
  if (query_.partition_by.empty()) return OkStatus();
  return Status(ErrorCode::kInvalidPullQuery,
                "PARTITION BY says where the rows of a stream go, and this SELECT makes none")
      .WithHint("leave it out, or write CREATE STREAM … AS SELECT")
      .At(query_.partition_by_position);
}

Status BoundedBuilder::BindWindow() {
  select_scope_ = input_.scope;
  grouping_.bounded = true;
  grouping_.calls.argument_scope = &input_.scope;
  grouping_.calls.is_sql = true;
  if (!query_.window) return OkStatus();
  if (source_ == nullptr) {
    return ExtensionError(context_, "WINDOW over a join or a subquery without EMIT is",
                          query_.window->position);
  }
  if (source().origin == physical::TopicSource::Origin::kOneRow) {
    return Status(ErrorCode::kInvalidWindow, "WINDOW needs FROM").At(query_.window->position);
  }
  WEIR_ASSIGN_OR_RETURN(grouping_.window, ResolveWindow(*query_.window, query_.emit, context_));
  AddWindowBounds(input_, select_scope_);
  is_grouped_ = true;
  return OkStatus();
}

Status BoundedBuilder::BindSelect() {
  NameGenerator names(input_.scope);
  ExprBinder binder = BinderOver(select_scope_, "SELECT");
  if (Extended()) {
    binder.AllowAggregates(&grouping_.calls);
    binder.AllowTableFunctions(&table_calls_);
    subqueries_.AllowIn(binder, select_scope_);
  }
  WEIR_ASSIGN_OR_RETURN(columns_, BindSelectList(input_, use_, binder, names, std::nullopt));
  if (columns_.empty()) {
    const bool has_from = query_.from->kind != ast::RelationKind::kNothing;
    return Status(ErrorCode::kInvalidStatement, has_from
                                                    ? "SELECT has no columns: EXCEPT leaves out all"
                                                    : "SELECT * needs FROM: there are no columns")
        .At(query_.position);
  }
  WEIR_RETURN_IF_ERROR(CheckSelectedNames(columns_, use_));
  shown_ = columns_.size();
  return OkStatus();
}

/// The names of `scope`, and those of SELECT's columns that it does not have.
Scope BoundedBuilder::WithAliases(const Scope& scope) const {
  Scope wider = scope;
  for (size_t i = 0; i < shown_; ++i) {
    if (!scope.Find(columns_[i].name).empty()) continue;
    wider.Add({.source = "", .name = columns_[i].name, .expr = columns_[i].expr});
  }
  return wider;
}

Result<size_t> BoundedBuilder::Ordinal(int64_t number, std::string_view clause,
                                       SourcePosition position) const {
  if (number >= 1 && number <= static_cast<int64_t>(shown_)) {
    return static_cast<size_t>(number - 1);
  }
  return Status(ErrorCode::kInvalidStatement, std::string(clause) + " names column " +
                                                  std::to_string(number) + ", and SELECT has " +
                                                  std::to_string(shown_))
      .At(position);
}

Status BoundedBuilder::AddGroup(BoundExprPtr expr, SourcePosition position) {
  if (HasAggregateCall(*expr)) {
    return Status(ErrorCode::kInvalidAggregate,
                  "GROUP BY does not take aggregate functions: " + expr->text)
        .At(position);
  }
  if (expr->type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kInvalidAggregate, "GROUP BY takes no bare NULL").At(position);
  }
  for (const BoundExprPtr& other : grouping_.keys) {
    if (SameExpr(*other, *expr)) return OkStatus();
  }
  grouping_.labels.push_back(expr->text);
  grouping_.keys.push_back(std::move(expr));
  return OkStatus();
}

Status BoundedBuilder::BindGroupBy() {
  const Scope scope = WithAliases(input_.scope);
  ExprBinder binder = BinderOver(scope, "GROUP BY");
  for (const ast::ExprPtr& expr : query_.group_by) {
    BoundExprPtr bound;
    if (const std::optional<int64_t> number = OrdinalOf(*expr)) {
      WEIR_ASSIGN_OR_RETURN(const size_t column, Ordinal(*number, "GROUP BY", expr->position));
      bound = columns_[column].expr;
    } else {
      WEIR_ASSIGN_OR_RETURN(bound, binder.Bind(*expr));
    }
    WEIR_RETURN_IF_ERROR(AddGroup(std::move(bound), expr->position));
  }
  is_grouped_ |= !query_.group_by.empty();
  return OkStatus();
}

Status BoundedBuilder::BindHaving() {
  if (query_.having == nullptr) return OkStatus();
  const Scope scope = WithAliases(select_scope_);
  ExprBinder binder = BinderOver(scope, "HAVING");
  binder.AllowAggregates(&grouping_.calls);
  subqueries_.AllowIn(binder, scope);
  WEIR_ASSIGN_OR_RETURN(having_, binder.BindPredicate(*query_.having));
  is_grouped_ = true;
  return OkStatus();
}

/// The place of an expression among all columns; a new one behind them where none is the same.
size_t BoundedBuilder::Hidden(BoundExprPtr expr) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (SameExpr(*columns_[i].expr, *expr)) return i;
  }
  SelectedColumn column{expr->text, expr, expr->position, false, false};
  columns_.push_back(std::move(column));
  return columns_.size() - 1;
}

/// A name is SELECT's before it is the source's; inside expressions the other way round.
Result<size_t> BoundedBuilder::OrderColumn(const ast::Expr& expr) {
  if (const std::optional<int64_t> number = OrdinalOf(expr)) {
    return Ordinal(*number, "ORDER BY", expr.position);
  }
  if (expr.kind == ast::ExprKind::kColumnRef && !expr.As<ast::ColumnRef>().qualifier) {
    for (size_t i = 0; i < shown_; ++i) {
      if (columns_[i].name == expr.As<ast::ColumnRef>().column.name) return i;
    }
  }
  const Scope scope = WithAliases(select_scope_);
  ExprBinder binder = BinderOver(scope, "ORDER BY");
  binder.AllowAggregates(&grouping_.calls);
  subqueries_.AllowIn(binder, scope);
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(expr));
  const size_t column = Hidden(std::move(bound));
  if (column >= shown_ && query_.distinct) {
    return Status(ErrorCode::kInvalidStatement,
                  "with DISTINCT, ORDER BY takes columns of the SELECT only")
        .At(expr.position)
        .WithHint("add it to the SELECT");
  }
  return column;
}

Status BoundedBuilder::BindOrderBy() {
  for (const ast::OrderItem& item : query_.order_by) {
    WEIR_ASSIGN_OR_RETURN(const size_t column, OrderColumn(*item.expr));
    if (!HasOrder(columns_[column].expr->type)) {
      return Status(ErrorCode::kTypeMismatch,
                    "values of this type have no order: " + columns_[column].expr->type.ToString())
          .At(item.expr->position);
    }
    order_.push_back({column, item.descending, item.nulls_first.value_or(false)});
  }
  return OkStatus();
}

/// LIMIT alone gives a table's first rows by key and window, so that they are the same each time.
Status BoundedBuilder::OrderAsKept() {
  const bool limits = query_.limit || query_.offset;
  if (!IsTable() || !limits || is_grouped_ || query_.distinct || !order_.empty()) {
    return OkStatus();
  }
  for (const ScopeColumn& column : input_.scope.columns()) {
    const bool start = column.is_window_bound && column.expr->system == SystemColumn::kWindowStart;
    if ((!column.is_key && !start) || !HasOrder(column.expr->type)) continue;
    order_.push_back({Hidden(column.expr), false, false});
  }
  return OkStatus();
}

bool BoundedBuilder::IsKeyColumn(const BoundExpr& expr) const {
  return std::ranges::any_of(input_.scope.columns(), [&](const ScopeColumn& column) {
    return (column.is_key || column.is_window_bound) && SameExpr(*column.expr, expr);
  });
}

Result<BuiltQuery> BoundedBuilder::Build() {
  if (Extended()) WEIR_RETURN_IF_ERROR(CheckClauses());
  WEIR_RETURN_IF_ERROR(BindFrom());
  WEIR_RETURN_IF_ERROR(BindCorrelation());
  WEIR_RETURN_IF_ERROR(BindWhere());
  WEIR_RETURN_IF_ERROR(BindSubqueryConditions());
  WEIR_RETURN_IF_ERROR(BindWindow());
  WEIR_RETURN_IF_ERROR(BindSelect());
  WEIR_RETURN_IF_ERROR(CheckSystem());
  WEIR_RETURN_IF_ERROR(BindGroupBy());
  WEIR_RETURN_IF_ERROR(BindHaving());
  WEIR_RETURN_IF_ERROR(BindOrderBy());
  is_grouped_ |= !grouping_.calls.calls.empty();
  WEIR_RETURN_IF_ERROR(AddCorrelation());
  WEIR_RETURN_IF_ERROR(OrderAsKept());
  for (size_t i = 0; i < shown_; ++i) {
    is_key_.push_back(IsTable() && !is_grouped_ && IsKeyColumn(*columns_[i].expr));
  }
  logical::NodePtr node;
  if (is_grouped_) {
    WEIR_ASSIGN_OR_RETURN(node, Aggregated());
  } else {
    WEIR_RETURN_IF_ERROR(JoinSubqueries());
    WEIR_RETURN_IF_ERROR(AddFlatMap(input_, table_calls_, columns_, query_.position));
    node = input_.node;
  }
  WEIR_RETURN_IF_ERROR(CheckRelations());
  node = Projected(node);
  if (query_.distinct) node = DistinctOf(node);
  BuiltQuery built;
  built.node = Shown(Ordered(std::move(node)));
  built.sources = std::move(input_.sources);
  built.relations = input_.relations;
  return built;
}

Result<BuiltQuery> BuildBounded(const QueryUse& use) { return BoundedBuilder(use).Build(); }

}  // namespace weir
