// What a SELECT without EMIT reads: WITH, FROM and WHERE, and the equalities of a subquery with the
// query around it. WHERE is taken apart: FROM has what it can ask early, then come the conditions
// without subqueries, then those with them.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status_macros.h"
#include "planner/binder/coercion.h"
#include "planner/binder/make_expr.h"
#include "planner/properties/session_settings.h"
#include "planner/queries/bounded_builder.h"
#include "planner/queries/bounded_select.h"

namespace weir {
namespace {

using Origin = physical::TopicSource::Origin;

/// Records have a partition and an offset; the rows of a table have none.
bool IsOfRecord(const BoundExpr& expr) {
  return expr.kind == BoundKind::kSystem &&
         (expr.system == SystemColumn::kPartition || expr.system == SystemColumn::kOffset);
}

Status CheckSystemColumns(const BoundExpr& expr, std::string_view clause) {
  const BoundExpr* found = nullptr;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (IsOfRecord(node)) found = &node;
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

/// What an expression over aggregates gives of no rows.
BoundExprPtr OfNothing(const BoundExprPtr& expr, const CollectedAggregates& calls) {
  return ReplaceExpr(expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
    if (!IsCallColumn(*node)) return nullptr;
    const std::string& name =
        calls.calls[static_cast<size_t>(node->index - kCallColumnBase)].function->name;
    const bool counts = name == "COUNT" || name == "COUNT_DISTINCT";
    return counts ? MakeCast(MakeBigint(0), node->type) : MakeLiteral(Value(), node->type, "NULL");
  });
}

}  // namespace

Status BoundedBuilder::CheckRelations() const {
  if (input_.relations <= limits::kRelationsMax) return OkStatus();
  return Status(ErrorCode::kUnsupported,
                "a SELECT reads at most " + std::to_string(limits::kRelationsMax) +
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
    if (part.is_taken || part.has_subquery || !IsEquality(*part.expr)) continue;
    if (IsCovered(part, input_.scope)) continue;
    const auto& equality = part.expr->As<ast::Binary>();
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
    if (!IsOfRecord(*column.expr)) scope.Add(column);
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

Status BoundedBuilder::CheckSystem() const {
  if (Extended() && !IsTable()) return OkStatus();
  for (const SelectedColumn& column : columns_) {
    WEIR_RETURN_IF_ERROR(CheckSystemColumns(*column.expr, "SELECT"));
  }
  return OkStatus();
}

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

}  // namespace weir
