#include "planner/queries/bounded_builder.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/coercion.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/properties/session_settings.h"
#include "planner/queries/aggregate_builder.h"
#include "planner/queries/set_operations.h"
#include "planner/queries/subqueries.h"
#include "planner/queries/where_parts.h"

namespace weir {
namespace {

using Origin = physical::TopicSource::Origin;

/// Records have a partition and an offset; the rows of a table have none.
Status CheckSystemColumns(const BoundExpr& expr, std::string_view clause) {
  const BoundExpr* found = nullptr;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kSystem &&
        (node.system == SystemColumn::kPartition || node.system == SystemColumn::kOffset)) {
      found = &node;
    }
  });
  if (found == nullptr) return OkStatus();
  return Status(ErrorCode::kInvalidPullQuery, "pull queries do not support this column in " +
                                                  std::string(clause) + ": " +
                                                  std::string(SystemColumnName(found->system)))
      .At(expr.position);
}

/// ksqlDB reads no numbers out of text where a key is looked up.
Status CheckKeyLists(const ast::Expr& expr, const QueryInput& input) {
  if (expr.kind == ast::ExprKind::kBinary) {
    const auto& binary = expr.As<ast::Binary>();
    WEIR_RETURN_IF_ERROR(CheckKeyLists(*binary.left, input));
    return CheckKeyLists(*binary.right, input);
  }
  if (expr.kind != ast::ExprKind::kInList) return OkStatus();
  const auto& in = expr.As<ast::InList>();
  if (in.operand->kind != ast::ExprKind::kColumnRef) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const ScopeColumn* column,
                        input.scope.Resolve(in.operand->As<ast::ColumnRef>(), "WHERE"));
  if (!column->is_key || !column->expr->type.is_numeric()) return OkStatus();
  for (const ast::ExprPtr& value : in.values) {
    if (value->kind != ast::ExprKind::kLiteral ||
        value->As<ast::Literal>().value.kind != ast::LiteralKind::kString) {
      continue;
    }
    return Status(ErrorCode::kInvalidPullQuery, "a text is no key of type " +
                                                    column->expr->type.ToString() + ": '" +
                                                    value->As<ast::Literal>().value.text + "'")
        .At(value->position);
  }
  return OkStatus();
}

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

template <typename T>
std::shared_ptr<T> Above(const logical::NodePtr& input) {
  auto node = std::make_shared<T>();
  node->inputs = {input};
  node->schema = input->schema;
  node->key_columns = input->key_columns;
  node->windowed_key = input->windowed_key;
  node->window_size_ms = input->window_size_ms;
  return node;
}

/// Binds the clauses over FROM and WHERE, then stacks the nodes: aggregate, HAVING, projection,
/// DISTINCT, sort or limit. What ORDER BY needs and SELECT does not show travels behind the shown
/// columns until the rows are sorted.
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
  bool IsKept() const { return source_ != nullptr && source().origin == Origin::kKeptTable; }
  /// For what this query reads.
  QueryUse InnerUse() const {
    QueryUse inner = use_;
    inner.common = &common_;
    inner.in_join = false;
    inner.where = nullptr;
    inner.correlation = nullptr;
    return inner;
  }
  Status CheckClauses() const;
  Status CheckRelations() const;
  Status BindFrom();
  Status BindWhere();
  Status BindCorrelation();
  Status AddCorrelation();
  Status BindConditions();
  Status BindSubqueryConditions();
  void DropRecordColumns();
  Status JoinSubqueries();
  Result<logical::NodePtr> JoinToGroups(logical::NodePtr groups, BoundExprPtr& having);
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
  ExprBinder BinderOver(const Scope& scope, std::string clause);
  Status CheckSystem() const;
  Result<logical::NodePtr> Aggregated();
  logical::NodePtr Projected(const logical::NodePtr& input) const;
  logical::NodePtr Ordered(logical::NodePtr input) const;
  logical::NodePtr Shown(const logical::NodePtr& input) const;
  bool IsKeyColumn(const BoundExpr& expr) const;

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

Status BoundedBuilder::CheckRelations() const {
  constexpr size_t kRelationsMax = 1000;
  if (input_.relations <= kRelationsMax) return OkStatus();
  return Status(ErrorCode::kUnsupported,
                "a SELECT reads at most " + std::to_string(kRelationsMax) +
                    " sources, those of WITH counted at each use; this one reads " +
                    std::to_string(input_.relations))
      .At(query_.from->position);
}

Status BoundedBuilder::BindFrom() {
  // Each sees those before it; all are looked at, be they used or not.
  for (size_t i = 0; i < query_.ctes.size(); ++i) {
    const ast::Identifier& name = query_.ctes[i].name;
    for (size_t other = 0; other < i; ++other) {
      if (query_.ctes[other].name.name != name.name) continue;
      return Status(ErrorCode::kDuplicateName, "WITH has this name twice: " + name.name)
          .At(name.position);
    }
    QueryUse inner = inner_;
    inner.query = query_.ctes[i].query.get();
    WEIR_ASSIGN_OR_RETURN(BuiltQuery built, BuildBounded(inner));
    built_.push_back(std::move(built));
  }
  QueryUse use = inner_;
  if (Extended()) {
    where_ = PartsOf(query_.where.get());
    use.where = &where_;
  }
  WEIR_ASSIGN_OR_RETURN(input_, BuildFrom(*query_.from, use));
  WEIR_RETURN_IF_ERROR(CheckRelations());
  if (input_.is_join || input_.is_subquery) return OkStatus();
  source_ = input_.node;
  while (!source_->inputs.empty()) source_ = source_->inputs[0];
  if (!IsTable() || source().origin == Origin::kKeptTable || Extended()) return OkStatus();
  const SourceEntry& entry = *source().entry;
  return Status(ErrorCode::kInvalidPullQuery,
                "no query keeps the rows of this table, so there is nothing to pull: " + entry.name)
      .WithHint("CREATE TABLE queryable_" + entry.name + " AS SELECT * FROM " + entry.name +
                ", or declare it as a SOURCE TABLE")
      .At(query_.from->position);
}

/// Takes the equalities with the query around out of WHERE.
Status BoundedBuilder::BindCorrelation() {
  if (use_.correlation == nullptr) return OkStatus();
  const Scope& around = *use_.correlation->scope;
  for (WherePart& part : where_) {
    if (part.is_taken || part.has_subquery || part.expr->kind != ast::ExprKind::kBinary) continue;
    const auto& equality = part.expr->As<ast::Binary>();
    if (equality.op != ast::BinaryOp::kEqual || IsCovered(part, input_.scope)) continue;
    const ast::Expr* sides[] = {equality.left.get(), equality.right.get()};
    if (!IsCovered(PartOf(*sides[0]), input_.scope)) std::swap(sides[0], sides[1]);
    if (!IsCovered(PartOf(*sides[0]), input_.scope) || !IsCovered(PartOf(*sides[1]), around)) {
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr own, BinderOver(input_.scope, "WHERE").Bind(*sides[0]));
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr outer, BinderOver(around, "WHERE").Bind(*sides[1]));
    WEIR_RETURN_IF_ERROR(CoerceComparison("=", outer, own));
    use_.correlation->outer.push_back(std::move(outer));
    correlated_.push_back(std::move(own));
    part.is_taken = part.is_correlated = true;
  }
  if (correlated_.empty() || (!query_.limit && !query_.offset)) return OkStatus();
  return Status(
             ErrorCode::kUnsupported,
             "LIMIT in a subquery that reads a column of the query around it is not supported: " +
                 use_.correlation->outer[0]->text)
      .At(query_.position);
}

/// What an expression over aggregates gives of no rows.
BoundExprPtr OfNothing(const BoundExprPtr& expr, const CollectedAggregates& calls) {
  return ReplaceExpr(expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
    if (!IsCallColumn(*node)) return nullptr;
    const std::string& name =
        calls.calls[static_cast<size_t>(node->index - kCallColumnBase)].function->name;
    const bool counts = name == "COUNT" || name == "COUNT_DISTINCT";
    if (counts)
      return MakeCast(MakeLiteral(Value(int64_t{0}), DataType::Bigint(), "0"), node->type);
    return MakeLiteral(Value(), node->type, "NULL");
  });
}

/// Shows what equals expressions of the query around, and groups by it.
Status BoundedBuilder::AddCorrelation() {
  if (correlated_.empty()) return OkStatus();
  const std::string& name = use_.correlation->outer[0]->text;
  const bool of_all = is_grouped_ && query_.group_by.empty() && !query_.window;
  if (of_all != use_.correlation->is_value || (of_all && having_ != nullptr)) {
    const std::string what = !of_all              ? "that stands for a value and has no aggregate"
                             : having_ != nullptr ? "with HAVING"
                                                  : "with an aggregate";
    return Status(ErrorCode::kUnsupported,
                  "a subquery " + what +
                      " and reads a column of the query around it is not supported: " + name)
        .At(query_.position)
        .WithHint(of_all ? "a join says the same: FROM a JOIN (SELECT …) b ON a.x = b.y"
                         : "MAX(x) makes one row of those that it finds");
  }
  if (of_all) use_.correlation->of_nothing = OfNothing(columns_[0].expr, grouping_.calls);
  std::vector<SelectedColumn> added;
  for (const BoundExprPtr& own : correlated_) {
    if (is_grouped_) WEIR_RETURN_IF_ERROR(AddGroup(own, query_.position));
    added.push_back({"around " + std::to_string(added.size() + 1), own, query_.position});
  }
  for (Order& order : order_) {
    if (order.column >= shown_) order.column += added.size();
  }
  columns_.insert(columns_.begin() + static_cast<std::ptrdiff_t>(shown_), added.begin(),
                  added.end());
  shown_ += added.size();
  return OkStatus();
}

/// What WHERE says without subqueries, and FROM has not taken.
Status BoundedBuilder::BindConditions() {
  if (!Extended()) return AddWhere(input_, use_);
  ExprBinder binder = BinderOver(input_.scope, "WHERE");
  std::vector<BoundExprPtr> conditions;
  for (const WherePart& part : where_) {
    if (part.has_subquery || part.is_correlated) continue;
    // Also those that have been taken: a name has to be clear where all names are.
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr condition, where_.size() == 1
                                                      ? binder.BindPredicate(*part.expr)
                                                      : binder.BindCondition(*part.expr));
    if (part.is_taken) continue;
    for (BoundExprPtr& one : Conjuncts(condition)) conditions.push_back(std::move(one));
  }
  if (!conditions.empty()) AddFilter(input_, std::move(conditions));
  return OkStatus();
}

/// Behind the others: what these drop need not be joined.
Status BoundedBuilder::BindSubqueryConditions() {
  for (const WherePart& part : where_) {
    if (!part.has_subquery) continue;
    DropRecordColumns();
    const Scope scope = input_.scope;
    Subqueries subqueries(inner_);
    ExprBinder binder = BinderOver(scope, "WHERE");
    subqueries.AllowIn(binder, scope);
    if (Subqueries::IsSemiJoin(*part.expr)) {
      WEIR_RETURN_IF_ERROR(
          subqueries.BindSemiJoin(part.expr->As<ast::SubqueryExpr>(), binder, scope));
      WEIR_ASSIGN_OR_RETURN(input_, subqueries.JoinTo(std::move(input_), {}));
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr condition, where_.size() == 1
                                                      ? binder.BindPredicate(*part.expr)
                                                      : binder.BindCondition(*part.expr));
    WEIR_ASSIGN_OR_RETURN(input_, subqueries.JoinTo(std::move(input_), {&condition}));
    AddFilter(input_, {std::move(condition)});
  }
  return OkStatus();
}

/// Rows of a table that are joined have no partition and no offset.
void BoundedBuilder::DropRecordColumns() {
  if (!IsTable()) return;
  Scope scope;
  for (const ScopeColumn& column : input_.scope.columns()) {
    const bool is_of_record = column.expr->kind == BoundKind::kSystem &&
                              (column.expr->system == SystemColumn::kPartition ||
                               column.expr->system == SystemColumn::kOffset);
    if (!is_of_record) scope.Add(column);
  }
  input_.scope = std::move(scope);
}

/// The filter stays where keys are looked up: it says what else has to hold.
Status BoundedBuilder::BindWhere() {
  const SourcePosition position =
      query_.where != nullptr ? query_.where->position : query_.position;
  const bool is_kept = IsKept();
  if (query_.where == nullptr) return is_kept ? CheckScan({}, context_, position) : OkStatus();
  const logical::NodePtr unfiltered = input_.node;
  WEIR_RETURN_IF_ERROR(BindConditions());
  if (input_.node == unfiltered) return is_kept ? CheckScan({}, context_, position) : OkStatus();
  const BoundExprPtr predicate = input_.node->As<logical::Filter>().predicate;
  if (!Extended() || IsTable()) WEIR_RETURN_IF_ERROR(CheckSystemColumns(*predicate, "WHERE"));
  if (!IsTable()) return OkStatus();
  WEIR_RETURN_IF_ERROR(CheckKeyLists(*query_.where, input_));
  if (!is_kept) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(PullKeys keys, ExtractKeys(predicate, *source().entry, Extended()));
  WEIR_RETURN_IF_ERROR(CheckScan(keys, context_, position));
  if (!keys.lookups) return OkStatus();
  auto lookup = logical::CopyAs<logical::Source>(*source_);
  lookup->lookups = std::move(*keys.lookups);
  source_ = lookup;
  input_.node = logical::WithInputs(input_.node, {source_});
  return OkStatus();
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
  if (source().origin == Origin::kOneRow) {
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
    return Status(ErrorCode::kInvalidStatement, "SELECT * needs FROM: there are no columns")
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

Status BoundedBuilder::CheckSystem() const {
  if (Extended() && !IsTable()) return OkStatus();
  for (const SelectedColumn& column : columns_) {
    WEIR_RETURN_IF_ERROR(CheckSystemColumns(*column.expr, "SELECT"));
  }
  return OkStatus();
}

bool BoundedBuilder::IsKeyColumn(const BoundExpr& expr) const {
  return std::ranges::any_of(input_.scope.columns(), [&](const ScopeColumn& column) {
    return (column.is_key || column.is_window_bound) && SameExpr(*column.expr, expr);
  });
}

/// The aggregate, with all columns placed over it.
Result<logical::NodePtr> BoundedBuilder::Aggregated() {
  if (!table_calls_.calls.empty()) {
    return Status(ErrorCode::kInvalidAggregate,
                  "a table function has no place beside GROUP BY and aggregates: " +
                      table_calls_.calls[0].text)
        .At(query_.position);
  }
  for (const BoundExprPtr& key : grouping_.keys) {
    bool has_subquery = false;
    VisitExpr(*key, [&](const BoundExpr& node) { has_subquery |= IsSubqueryColumn(node); });
    if (!has_subquery) continue;
    return Status(ErrorCode::kUnsupported, "a subquery in GROUP BY is not supported")
        .WithHint("compute it in a SELECT inside FROM, and group by its name")
        .At(query_.group_by_position);
  }
  if (grouping_.keys.empty()) GroupAll(grouping_);
  for (BoundExprPtr* operand : subqueries_.Operands()) {
    WEIR_ASSIGN_OR_RETURN(*operand, PlaceInGroups(*operand, grouping_, query_.position));
  }
  for (SelectedColumn& column : columns_) {
    WEIR_ASSIGN_OR_RETURN(column.expr, PlaceInGroups(column.expr, grouping_, column.position));
  }
  logical::NodePtr node = MakeAggregate(input_, grouping_, context_);
  BoundExprPtr having;
  if (having_ != nullptr) {
    WEIR_ASSIGN_OR_RETURN(having, PlaceInGroups(having_, grouping_, query_.having->position));
  }
  if (!subqueries_.empty()) {
    WEIR_ASSIGN_OR_RETURN(node, JoinToGroups(std::move(node), having));
  }
  return having == nullptr ? node : AddHaving(node, std::move(having));
}

/// The groups with their subqueries beside them; `having` and all columns read the result.
Result<logical::NodePtr> BoundedBuilder::JoinToGroups(logical::NodePtr groups,
                                                      BoundExprPtr& having) {
  QueryInput input;
  input.sources = std::move(input_.sources);
  input.relations = input_.relations;
  for (int i = 0; i < groups->schema->size(); ++i) {
    const ColumnSchema& column = groups->schema->columns[i];
    input.scope.Add(
        {.source = "", .name = column.name, .expr = MakeColumn(i, column.type, column.name)});
  }
  input.is_join = true;  // No source has a name.
  if (grouping_.has_window()) AddWindowBounds(input, input.scope);
  input.node = std::move(groups);
  std::vector<BoundExprPtr*> exprs = {&having};
  for (SelectedColumn& column : columns_) exprs.push_back(&column.expr);
  WEIR_ASSIGN_OR_RETURN(QueryInput joined, subqueries_.JoinTo(std::move(input), std::move(exprs)));
  input_.sources = std::move(joined.sources);
  input_.relations = joined.relations;
  return joined.node;
}

/// Those of a query that does not group.
Status BoundedBuilder::JoinSubqueries() {
  if (subqueries_.empty()) return OkStatus();
  DropRecordColumns();
  std::vector<BoundExprPtr*> exprs;
  for (SelectedColumn& column : columns_) exprs.push_back(&column.expr);
  for (TableCalls::Call& call : table_calls_.calls) {
    for (BoundExprPtr& arg : call.args) exprs.push_back(&arg);
  }
  WEIR_ASSIGN_OR_RETURN(input_, subqueries_.JoinTo(std::move(input_), std::move(exprs)));
  return OkStatus();
}

logical::NodePtr BoundedBuilder::Projected(const logical::NodePtr& input) const {
  auto project = Above<logical::Project>(input);
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < columns_.size(); ++i) {
    project->exprs.push_back(columns_[i].expr);
    schema->columns.push_back({columns_[i].name, columns_[i].expr->type, i < shown_ && is_key_[i]});
  }
  project->schema = std::move(schema);
  project->key_columns = 0;
  return project;
}

logical::NodePtr BoundedBuilder::Ordered(logical::NodePtr input) const {
  const int64_t limit = query_.limit.value_or(-1);
  const int64_t offset = query_.offset.value_or(0);
  if (!order_.empty()) {
    auto sort = Above<logical::Sort>(input);
    for (const Order& order : order_) {
      sort->keys.push_back({static_cast<int>(order.column), order.descending, order.nulls_first});
    }
    sort->limit = limit;
    sort->offset = offset;
    return sort;
  }
  if (limit < 0 && offset == 0) return input;
  auto first = Above<logical::Limit>(input);
  first->rows = limit;
  first->offset = offset;
  return first;
}

/// The shown columns alone.
logical::NodePtr BoundedBuilder::Shown(const logical::NodePtr& input) const {
  if (columns_.size() == shown_) return input;
  auto project = Above<logical::Project>(input);
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < shown_; ++i) {
    const ColumnSchema& column = input->schema->columns[i];
    project->exprs.push_back(MakeColumn(static_cast<int>(i), column.type, column.name));
    schema->columns.push_back(column);
  }
  project->schema = std::move(schema);
  project->key_columns = 0;
  return project;
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

}  // namespace

Status CheckScan(const PullKeys& keys, const PlannerContext& context, SourcePosition position) {
  if (keys.lookups) return OkStatus();
  if (SessionBoolean(context, "query.pull.table.scan.enabled").value_or(true)) return OkStatus();
  const bool ranges = SessionBoolean(context, "query.pull.range.scan.enabled").value_or(true);
  if (ranges && keys.is_key_range) return OkStatus();
  return Status(ErrorCode::kInvalidPullQuery,
                "the WHERE names no value for every key column, and scans are switched off")
      .WithHint("SET 'ksql.query.pull.table.scan.enabled' = 'true'")
      .At(position);
}

Result<BuiltQuery> BuildBounded(const QueryUse& use) { return BoundedBuilder(use).Build(); }

}  // namespace weir
