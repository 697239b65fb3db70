// SELECT without EMIT: the rows that are there now.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/build/select_list.h"
#include "planner/build/source_builder.h"
#include "planner/physical/lower.h"
#include "planner/planner.h"
#include "planner/properties/session_settings.h"
#include "planner/statements/pull_keys.h"

namespace weir {
namespace {

Status Refuse(const PlannerContext& context, std::string_view clause, SourcePosition position) {
  const ErrorCode code =
      context.sql_extensions ? ErrorCode::kUnsupported : ErrorCode::kInvalidPullQuery;
  return Status(code, "pull queries do not support " + std::string(clause))
      .WithHint("with EMIT CHANGES it is a push query")
      .At(position);
}

Status CheckClauses(const ast::Query& query, const PlannerContext& context) {
  if (!query.ctes.empty()) return ExtensionError(context, "WITH … AS is", query.position);
  if (query.distinct) return ExtensionError(context, "SELECT DISTINCT is", query.position);
  if (query.from->kind == ast::RelationKind::kJoin) {
    return Refuse(context, "JOIN", query.from->position);
  }
  if (query.window) return Refuse(context, "WINDOW", query.window->position);
  if (!query.group_by.empty()) return Refuse(context, "GROUP BY", query.group_by_position);
  if (!query.partition_by.empty()) {
    return Refuse(context, "PARTITION BY", query.partition_by_position);
  }
  if (query.having != nullptr) return Refuse(context, "HAVING", query.having->position);
  if (!query.order_by.empty()) {
    return Refuse(context, "ORDER BY", query.order_by[0].expr->position);
  }
  if (query.limit && *query.limit < 0) {
    return Status(ErrorCode::kInvalidPullQuery, "LIMIT is not negative").At(query.position);
  }
  return OkStatus();
}

Status CheckQueryable(const SourceEntry& source, SourcePosition position) {
  if (!source.is_table || source.is_materialized) return OkStatus();
  return Status(ErrorCode::kInvalidPullQuery,
                "no query keeps the rows of this table, so there is nothing to pull: " +
                    source.name)
      .WithHint("CREATE TABLE queryable_" + source.name + " AS SELECT * FROM " + source.name +
                ", or declare it as a SOURCE TABLE")
      .At(position);
}

/// Records have a partition and an offset; what a pull query reads has none.
Status CheckSystemColumns(const BoundExpr& expr, std::string_view clause) {
  const BoundExpr* found = nullptr;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kSystem && (node.system == SystemColumn::kPartition ||
                                            node.system == SystemColumn::kOffset)) {
      found = &node;
    }
  });
  if (found == nullptr) return OkStatus();
  return Status(ErrorCode::kInvalidPullQuery,
                "pull queries do not support this column in " + std::string(clause) + ": " +
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
    return Status(ErrorCode::kInvalidPullQuery,
                  "a text is no key of type " + column->expr->type.ToString() + ": '" +
                      value->As<ast::Literal>().value.text + "'")
        .At(value->position);
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

Status PlanWhere(const QueryInput& input, const QueryUse& use, PullQueryPlan& plan) {
  const ast::Query& query = *use.query;
  const PlannerContext& context = *use.context;
  const SourceEntry& source = *input.sources[0];
  if (query.where == nullptr) {
    return source.is_table ? CheckScan({}, context, query.position) : OkStatus();
  }
  ExprBinder binder(input.scope, *context.catalog, *context.functions, "WHERE");
  WEIR_ASSIGN_OR_RETURN(plan.filter, binder.BindPredicate(*query.where));
  WEIR_RETURN_IF_ERROR(CheckSystemColumns(*plan.filter, "WHERE"));
  if (!source.is_table) return OkStatus();
  WEIR_RETURN_IF_ERROR(CheckKeyLists(*query.where, input));
  WEIR_ASSIGN_OR_RETURN(PullKeys keys, ExtractKeys(plan.filter, source));
  WEIR_RETURN_IF_ERROR(CheckScan(keys, context, query.where->position));
  if (keys.lookups) plan.keys = std::move(*keys.lookups);
  ExtractWindowBounds(plan.filter, plan);
  return OkStatus();
}

bool IsKeyColumn(const BoundExpr& expr, const QueryInput& input) {
  return std::ranges::any_of(input.scope.columns(), [&](const ScopeColumn& column) {
    return (column.is_key || column.is_window_bound) && SameExpr(*column.expr, expr);
  });
}

Status PlanSelect(const QueryInput& input, const QueryUse& use, PullQueryPlan& plan) {
  const PlannerContext& context = *use.context;
  NameGenerator names(input.scope);
  ExprBinder binder(input.scope, *context.catalog, *context.functions, "SELECT");
  WEIR_ASSIGN_OR_RETURN(std::vector<SelectedColumn> columns,
                        BindSelectList(input, use, binder, names, std::nullopt));
  WEIR_RETURN_IF_ERROR(CheckSelectedNames(columns, use));
  auto schema = std::make_shared<Schema>();
  for (SelectedColumn& column : columns) {
    WEIR_RETURN_IF_ERROR(CheckSystemColumns(*column.expr, "SELECT"));
    schema->columns.push_back(
        {column.name, column.expr->type,
         input.is_table() && IsKeyColumn(*column.expr, input)});
    plan.exprs.push_back(std::move(column.expr));
  }
  plan.schema = std::move(schema);
  return OkStatus();
}

/// The stream's source with the columns that are read, and the expressions over them.
Status PlanStreamSource(const QueryInput& input, PullQueryPlan& plan) {
  std::vector<bool> used(input.node->schema->size(), false);
  for (const BoundExprPtr& expr : plan.exprs) MarkColumns(*expr, used);
  if (plan.filter != nullptr) MarkColumns(*plan.filter, used);
  auto source = logical::CopyAs<logical::Source>(*input.node);
  auto schema = std::make_shared<Schema>();
  source->columns.clear();
  std::vector<int> map(used.size(), -1);
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    map[i] = schema->size();
    source->columns.push_back(static_cast<int>(i));
    schema->columns.push_back(input.node->schema->columns[i]);
  }
  source->schema = std::move(schema);
  source->start = physical::TopicSource::Start::kEarliest;
  for (BoundExprPtr& expr : plan.exprs) expr = MapColumns(expr, map);
  if (plan.filter != nullptr) plan.filter = MapColumns(plan.filter, map);
  WEIR_ASSIGN_OR_RETURN(plan.stream_source, LowerPlan(source, "PULL"));
  return OkStatus();
}

}  // namespace

Result<PullQueryPlan> PlanPullQuery(const ast::Statement& statement,
                                    const PlannerContext& context) {
  if (!statement.Is<ast::Select>()) {
    return Status(ErrorCode::kInvalidStatement, "not a SELECT").At(statement.position);
  }
  const ast::Query& query = *statement.As<ast::Select>().query;
  WEIR_RETURN_IF_ERROR(CheckClauses(query, context));
  const QueryUse use{&context, false, "", &query};
  WEIR_ASSIGN_OR_RETURN(QueryInput input, BuildFrom(*query.from, use));
  const SourceEntry& source = *input.sources[0];
  WEIR_RETURN_IF_ERROR(CheckQueryable(source, query.from->position));
  PullQueryPlan plan;
  plan.source = source.name;
  plan.is_table = source.is_table;
  plan.limit = query.limit;
  plan.key_columns = static_cast<int>(std::ranges::count_if(
      source.columns, [](const auto& column) { return column.is_key; }));
  WEIR_RETURN_IF_ERROR(PlanSelect(input, use, plan));
  WEIR_RETURN_IF_ERROR(PlanWhere(input, use, plan));
  if (!source.is_table) WEIR_RETURN_IF_ERROR(PlanStreamSource(input, plan));
  return plan;
}

}  // namespace weir
