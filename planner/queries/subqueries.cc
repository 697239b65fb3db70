#include "planner/queries/subqueries.h"

#include <numeric>
#include <utility>

#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/make_call.h"
#include "planner/binder/make_expr.h"
#include "planner/logical/logical_nodes.h"
#include "planner/queries/aggregate_builder.h"
#include "planner/queries/bounded_builder.h"
#include "planner/queries/set_operations.h"

namespace weir {
namespace {

using physical::JoinKind;

/// The source of their columns, which no alias can be.
const std::string kHidden = "(subquery)";

/// An input whose columns no name reaches.
QueryInput Hidden(logical::NodePtr node, const QueryInput& of) {
  QueryInput input;
  input.is_subquery = true;
  input.sources = of.sources;
  input.relations = of.relations;
  for (int i = 0; i < node->schema->size(); ++i) {
    const ColumnSchema& column = node->schema->columns[i];
    input.scope.Add(
        {.source = kHidden, .name = column.name, .expr = MakeColumn(i, column.type, column.name)});
  }
  input.node = std::move(node);
  return input;
}

/// The columns of `input` at these places.
logical::NodePtr Picked(const logical::NodePtr& input, const std::vector<int>& places) {
  auto project = std::make_shared<logical::Project>();
  auto schema = std::make_shared<Schema>();
  for (int place : places) {
    const ColumnSchema& column = input->schema->columns[place];
    project->exprs.push_back(MakeColumn(place, column.type, column.name));
    schema->columns.push_back({column.name, column.type, false});
  }
  project->inputs = {input};
  project->schema = std::move(schema);
  return project;
}

/// first, …, end - 1.
std::vector<int> PlacesFrom(int first, int end) {
  std::vector<int> places(static_cast<size_t>(end - first));
  std::iota(places.begin(), places.end(), first);
  return places;
}

BoundExprPtr Truth(bool value) {
  return MakeLiteral(Value(value), DataType::Boolean(), value ? "TRUE" : "FALSE");
}

BoundExprPtr Unknown() { return MakeLiteral(Value(), DataType::Boolean(), "NULL"); }

BoundExprPtr Case(std::vector<BoundExprPtr> branches) {
  return NewExpr(BoundKind::kCase, DataType::Boolean(), std::move(branches));
}

BoundExprPtr Either(BoundExprPtr a, BoundExprPtr b) {
  return MakeLogical(BoundKind::kOr, {std::move(a), std::move(b)});
}

BoundExprPtr IsNull(BoundExprPtr expr) {
  return MakeLogical(BoundKind::kIsNull, {std::move(expr)});
}

std::string_view SignOf(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::kNotEqual: return "<>";
    case ast::BinaryOp::kLess: return "<";
    case ast::BinaryOp::kLessOrEqual: return "<=";
    case ast::BinaryOp::kGreater: return ">";
    case ast::BinaryOp::kGreaterOrEqual: return ">=";
    default: return "=";
  }
}

/// x = ANY is x IN, x <> ALL is x NOT IN.
bool IsMembership(const ast::SubqueryExpr& expr, bool* negated) {
  *negated = expr.negated;
  if (expr.form == ast::SubqueryForm::kIn) return true;
  *negated = expr.form == ast::SubqueryForm::kAll;
  return *negated ? expr.op == ast::BinaryOp::kNotEqual
                  : expr.form == ast::SubqueryForm::kAny && expr.op == ast::BinaryOp::kEqual;
}

}  // namespace

void Subqueries::AllowIn(ExprBinder& binder, const Scope& scope) {
  binder.AllowSubqueries([this, &scope](const ast::SubqueryExpr& expr, BoundExprPtr operand) {
    return Bind(expr, std::move(operand), scope);
  });
}

bool Subqueries::IsSemiJoin(const ast::Expr& expr) {
  if (expr.kind != ast::ExprKind::kSubquery) return false;
  bool negated = false;
  return IsMembership(expr.As<ast::SubqueryExpr>(), &negated) && !negated;
}

Status Subqueries::BindSemiJoin(const ast::SubqueryExpr& expr, ExprBinder& binder,
                                const Scope& scope) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, binder.Bind(*expr.operand));
  WEIR_ASSIGN_OR_RETURN(Rows values, Build(expr, scope));
  Status coerced = Coerce("=", operand, values.input);
  if (!coerced.ok()) return std::move(coerced).At(expr.position);
  std::vector<BoundExprPtr> operands = {std::move(operand)};
  operands.insert(operands.end(), values.outer.begin(), values.outer.end());
  Add(Hidden(DistinctOf(values.input.node), values.input), std::move(operands), JoinKind::kInner);
  return OkStatus();
}

std::vector<BoundExprPtr*> Subqueries::Operands() {
  std::vector<BoundExprPtr*> operands;
  for (Joined& joined : joins_) {
    for (BoundExprPtr& operand : joined.operands) operands.push_back(&operand);
  }
  return operands;
}

/// The rows of the subquery, read by itself.
Result<Subqueries::Rows> Subqueries::Build(const ast::SubqueryExpr& expr, const Scope& scope) {
  const OuterScope outer{&scope, use_.outer};
  QueryUse inner = use_;
  inner.query = expr.query.get();
  inner.in_join = false;
  inner.where = nullptr;
  inner.outer = &outer;
  Correlation correlation{&scope, expr.form == ast::SubqueryForm::kScalar, {}, nullptr};
  bool negated = false;
  const bool compares =
      expr.form == ast::SubqueryForm::kAny || expr.form == ast::SubqueryForm::kAll;
  if (!compares || IsMembership(expr, &negated)) inner.correlation = &correlation;
  WEIR_ASSIGN_OR_RETURN(BuiltQuery built, BuildBounded(inner));
  const int columns = built.node->schema->size() - static_cast<int>(correlation.outer.size());
  if (expr.form != ast::SubqueryForm::kExists && columns != 1) {
    return Status(ErrorCode::kInvalidStatement,
                  "a SELECT that is compared or stands for a value has one column, and this one "
                  "has " +
                      std::to_string(columns))
        .At(expr.query->position);
  }
  QueryInput read;
  read.sources = built.sources;
  read.relations = built.relations;
  return Rows{Hidden(std::move(built.node), read), std::move(correlation.outer),
              std::move(correlation.of_nothing)};
}

std::vector<BoundExprPtr> Subqueries::Add(QueryInput right, std::vector<BoundExprPtr> operands,
                                          JoinKind kind) {
  std::vector<BoundExprPtr> columns;
  for (const ScopeColumn& column : right.scope.columns()) {
    columns.push_back(MakeColumn(kSubqueryColumnBase + columns_ + static_cast<int>(columns.size()),
                                 column.expr->type, column.name));
  }
  joins_.push_back({std::move(right), std::move(operands), kind, columns_});
  columns_ += static_cast<int>(columns.size());
  return columns;
}

Result<BoundExprPtr> Subqueries::Bind(const ast::SubqueryExpr& expr, BoundExprPtr operand,
                                      const Scope& scope) {
  WEIR_ASSIGN_OR_RETURN(Rows rows, Build(expr, scope));
  if (expr.form == ast::SubqueryForm::kExists) return BindExists(std::move(rows));
  if (expr.form == ast::SubqueryForm::kScalar) return BindValue(std::move(rows));
  bool negated = false;
  if (!IsMembership(expr, &negated)) {
    return BindQuantified(expr, std::move(operand), std::move(rows.input));
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr in, BindIn(expr, std::move(operand), std::move(rows)));
  return negated ? MakeLogical(BoundKind::kNot, {std::move(in)}) : in;
}

Result<QueryInput> Subqueries::Totals(const QueryInput& values, size_t by,
                                      const std::vector<std::string_view>& extremes) const {
  const FunctionCatalog& functions = *use_.context->functions;
  const ColumnSchema& value = values.node->schema->columns[0];
  const BoundExprPtr column = MakeColumn(0, value.type, value.name);
  Grouping grouping;
  grouping.bounded = true;
  for (size_t i = 0; i < by; ++i) {
    const int place = values.node->schema->size() - static_cast<int>(by - i);
    const ColumnSchema& key = values.node->schema->columns[place];
    grouping.keys.push_back(MakeColumn(place, key.type, key.name));
    grouping.labels.push_back(key.name);
  }
  if (by == 0) GroupAll(grouping);
  WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call rows, AggregateOf(functions, "COUNT", {}));
  grouping.calls.calls.push_back(std::move(rows));
  WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call count, AggregateOf(functions, "COUNT", {column}));
  grouping.calls.calls.push_back(std::move(count));
  for (std::string_view name : extremes) {
    WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call call, AggregateOf(functions, name, {column}));
    grouping.calls.calls.push_back(std::move(call));
  }
  const logical::NodePtr all = MakeAggregate(values, grouping, *use_.context);
  if (by > 0) return Hidden(all, values);
  return Hidden(Picked(all, PlacesFrom(1, all->schema->size())), values);
}

Result<BoundExprPtr> Subqueries::BindExists(Rows rows) {
  if (!rows.outer.empty()) {
    const int keys = static_cast<int>(rows.outer.size());
    const int size = rows.input.node->schema->size();
    QueryInput partners =
        Hidden(DistinctOf(Picked(rows.input.node, PlacesFrom(size - keys, size))), rows.input);
    const std::vector<BoundExprPtr> columns =
        Add(std::move(partners), std::move(rows.outer), JoinKind::kLeft);
    return MakeLogical(BoundKind::kIsNotNull, {columns[0]});
  }
  auto first = std::make_shared<logical::Limit>();
  first->inputs = {rows.input.node};
  first->schema = rows.input.node->schema;
  first->rows = 1;
  WEIR_ASSIGN_OR_RETURN(QueryInput totals, Totals(Hidden(std::move(first), rows.input), 0, {}));
  const std::vector<BoundExprPtr> columns = Add(std::move(totals), {}, JoinKind::kInner);
  return Compare(*use_.context->functions, ">", columns[0], MakeBigint(0));
}

Result<BoundExprPtr> Subqueries::BindValue(Rows rows) {
  if (!rows.outer.empty()) {
    // One group for each value of what is compared: at most one partner.
    const size_t keys = rows.outer.size();
    std::vector<int> places = PlacesFrom(1, rows.input.node->schema->size());
    places.push_back(0);  // The value behind the keys.
    QueryInput groups = Hidden(Picked(rows.input.node, places), rows.input);
    const std::vector<BoundExprPtr> columns =
        Add(std::move(groups), std::move(rows.outer), JoinKind::kLeft);
    const DataType type = columns[keys]->type;
    return BoundExprPtr(NewExpr(BoundKind::kCase, type,
                                {MakeLogical(BoundKind::kIsNotNull, {columns[0]}), columns[keys],
                                 MakeCast(std::move(rows.of_nothing), type)}));
  }
  auto one = std::make_shared<logical::Limit>();
  one->inputs = {rows.input.node};
  one->schema = rows.input.node->schema;
  one->rows = -1;
  one->one_row = true;
  return Add(Hidden(std::move(one), rows.input), {}, JoinKind::kInner)[0];
}

/// Brings the operand and the values to the type in which they are compared.
Status Subqueries::Coerce(std::string_view op, BoundExprPtr& operand, QueryInput& values) const {
  const ColumnSchema& value = values.node->schema->columns[0];
  BoundExprPtr column = MakeColumn(0, value.type, value.name);
  if (operand->type.is(TypeKind::kNull)) operand = MakeCast(operand, value.type);
  WEIR_RETURN_IF_ERROR(CoerceComparison(op, operand, column));
  if (column->kind == BoundKind::kColumn) return OkStatus();
  auto project = std::make_shared<logical::Project>();
  auto schema = std::make_shared<Schema>(*values.node->schema);
  schema->columns[0].type = column->type;
  project->exprs = {std::move(column)};
  for (int i = 1; i < schema->size(); ++i) {
    project->exprs.push_back(MakeColumn(i, schema->columns[i].type, schema->columns[i].name));
  }
  project->inputs = {values.node};
  project->schema = std::move(schema);
  values = Hidden(std::move(project), values);
  return OkStatus();
}

/// True with a partner; else false where there is no value at all, unknown where a null is among
/// those that are compared, and false.
Result<BoundExprPtr> Subqueries::BindIn(const ast::SubqueryExpr& expr, BoundExprPtr operand,
                                        Rows values) {
  const FunctionCatalog& functions = *use_.context->functions;
  Status coerced = Coerce("=", operand, values.input);
  if (!coerced.ok()) return std::move(coerced).At(expr.position);
  const size_t keys = values.outer.size();
  WEIR_ASSIGN_OR_RETURN(QueryInput totals, Totals(values.input, keys, {}));
  const std::vector<BoundExprPtr> total =
      Add(std::move(totals), values.outer, keys == 0 ? JoinKind::kInner : JoinKind::kLeft);
  std::vector<BoundExprPtr> operands = {operand};
  operands.insert(operands.end(), values.outer.begin(), values.outer.end());
  const BoundExprPtr partner = Add(Hidden(DistinctOf(values.input.node), values.input),
                                   std::move(operands), JoinKind::kLeft)[0];
  BoundExprPtr is_empty = IsNull(total[keys]);
  if (keys == 0) {
    WEIR_ASSIGN_OR_RETURN(is_empty, Compare(functions, "=", total[0], MakeBigint(0)));
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr has_nulls,
                        Compare(functions, "<", total[keys + 1], total[keys]));
  return Case({MakeLogical(BoundKind::kIsNotNull, {partner}), Truth(true), std::move(is_empty),
               Truth(false), Either(IsNull(std::move(operand)), std::move(has_nulls)), Unknown(),
               Truth(false)});
}

/// The least or the greatest value decides; for = ALL and <> ANY both.
Result<BoundExprPtr> Subqueries::BindQuantified(const ast::SubqueryExpr& expr, BoundExprPtr operand,
                                                QueryInput values) {
  const FunctionCatalog& functions = *use_.context->functions;
  const std::string_view op = SignOf(expr.op);
  const bool is_all = expr.form == ast::SubqueryForm::kAll;
  Status coerced = Coerce(op, operand, values);
  if (!coerced.ok()) return std::move(coerced).At(expr.position);
  Result<QueryInput> totals = Totals(values, 0, {"MIN", "MAX"});
  if (!totals.ok()) {
    return Status(
               ErrorCode::kUnsupported,
               "ANY and ALL take values that have a least and a greatest: " + ast::FormatExpr(expr))
        .At(expr.position);
  }
  const std::vector<BoundExprPtr> total = Add(std::move(*totals), {}, JoinKind::kInner);
  const bool upwards = op == "<" || op == "<=";
  BoundExprPtr holds;
  if (op == "=" || op == "<>") {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr least, Compare(functions, op, operand, total[2]));
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr greatest, Compare(functions, op, operand, total[3]));
    holds = MakeLogical(is_all ? BoundKind::kAnd : BoundKind::kOr,
                        {std::move(least), std::move(greatest)});
  } else {
    WEIR_ASSIGN_OR_RETURN(holds, Compare(functions, op, operand, total[upwards == is_all ? 2 : 3]));
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr is_empty, Compare(functions, "=", total[0], MakeBigint(0)));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr has_nulls, Compare(functions, "<", total[1], total[0]));
  // Without nulls the extremes decide; one value that decides does so beside nulls, too.
  BoundExprPtr decided = is_all ? MakeLogical(BoundKind::kNot, {holds}) : holds;
  return Case({std::move(is_empty), Truth(is_all), Either(IsNull(operand), IsNull(total[2])),
               Unknown(), std::move(decided), Truth(!is_all), std::move(has_nulls), Unknown(),
               Truth(is_all)});
}

Result<QueryInput> Subqueries::JoinTo(QueryInput input, std::vector<BoundExprPtr*> exprs) {
  for (BoundExprPtr* operand : Operands()) exprs.push_back(operand);
  const bool was_join = input.is_join;
  const bool was_subquery = input.is_subquery;
  for (const Joined& joined : joins_) {
    JoinPlan plan;
    plan.sides = logical::JoinSides::kBounded;
    plan.join = joined.kind;
    for (size_t i = 0; i < joined.operands.size(); ++i) {
      JoinEquality equality;
      equality.left = joined.operands[i];
      equality.right = joined.right.scope.columns()[i].expr;
      plan.keys.push_back(std::move(equality));
    }
    WEIR_ASSIGN_OR_RETURN(JoinedInput made,
                          JoinBounded(input, joined.right, std::move(plan), use_));
    for (BoundExprPtr* expr : exprs) {
      if (*expr == nullptr) continue;
      *expr = PlaceExpr(*expr, input.scope, made.left);
      *expr = ReplaceExpr(*expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
        if (!IsSubqueryColumn(*node)) return nullptr;
        const int place = node->index - kSubqueryColumnBase - joined.first;
        const bool is_own = place >= 0 && place < static_cast<int>(made.right.size());
        return is_own ? made.right[static_cast<size_t>(place)] : nullptr;
      });
    }
    input = std::move(made.input);
    input.is_join = was_join;
    input.is_subquery = was_subquery;
    if (!was_join) input.keys.clear();
  }
  // They have been read: no name of theirs stays.
  Scope scope;
  for (const ScopeColumn& column : input.scope.columns()) {
    if (column.source != kHidden) scope.Add(column);
  }
  input.scope = std::move(scope);
  joins_.clear();
  return input;
}

}  // namespace weir
