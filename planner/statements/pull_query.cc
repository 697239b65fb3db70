// SELECT without EMIT: the rows that are there now.

#include <utility>

#include "base/status_macros.h"
#include "planner/passes/passes.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_text.h"
#include "planner/properties/session_settings.h"
#include "planner/queries/bounded_builder.h"
#include "planner/statements/query_plan.h"

namespace weir {
namespace {

Status Refuse(std::string_view clause, SourcePosition position) {
  return Status(ErrorCode::kInvalidPullQuery, "pull queries do not support " + std::string(clause))
      .WithHint("with EMIT CHANGES it is a push query")
      .At(position);
}

/// What ksqlDB's pull queries may not say.
Status CheckDialect(const ast::Query& query, const PlannerContext& context) {
  if (query.distinct) return ExtensionError(context, "SELECT DISTINCT is", query.position);
  if (query.offset) return ExtensionError(context, "OFFSET is", query.offset_position);
  if (query.from->kind == ast::RelationKind::kNothing) {
    return ExtensionError(context, "a SELECT without FROM is", query.position);
  }
  if (query.from->kind == ast::RelationKind::kJoin) return Refuse("JOIN", query.from->position);
  if (query.window) return Refuse("WINDOW", query.window->position);
  if (!query.group_by.empty()) return Refuse("GROUP BY", query.group_by_position);
  if (!query.partition_by.empty()) return Refuse("PARTITION BY", query.partition_by_position);
  if (query.having != nullptr) return Refuse("HAVING", query.having->position);
  if (!query.order_by.empty()) return Refuse("ORDER BY", query.order_by[0].expr->position);
  return OkStatus();
}

Status CheckClauses(const ast::Query& query, const PlannerContext& context) {
  if (!query.ctes.empty() && !context.sql_extensions) {
    return ExtensionError(context, "WITH … AS is", query.position);
  }
  if (query.limit && *query.limit < 0) {
    return Status(ErrorCode::kInvalidPullQuery, "LIMIT is not negative").At(query.position);
  }
  return context.sql_extensions ? OkStatus() : CheckDialect(query, context);
}

}  // namespace

Result<PullLogical> BuildPull(const ast::Statement& statement, const PlannerContext& context) {
  if (!statement.Is<ast::Select>()) {
    return Status(ErrorCode::kInvalidStatement, "not a SELECT").At(statement.position);
  }
  const ast::Query& query = *statement.As<ast::Select>().query;
  WEIR_RETURN_IF_ERROR(CheckClauses(query, context));
  QueryUse use{&context, false, "", &query};
  use.bounded = true;
  WEIR_ASSIGN_OR_RETURN(BuiltQuery built, BuildBounded(use));
  PullLogical pull;
  auto sink = std::make_shared<logical::Sink>();
  sink->inputs = {built.node};
  sink->schema = built.node->schema;
  pull.root = std::move(sink);
  pull.plan.schema = built.node->schema;
  pull.plan.from = query.from->position;
  pull.plan.limit = query.limit;
  for (const auto& source : built.sources) pull.plan.reads.push_back(source->name);
  pull.plan.is_table = !built.sources.empty() && built.sources[0]->is_table;
  return pull;
}

Result<PullQueryPlan> PlanPullQuery(const ast::Statement& statement,
                                    const PlannerContext& context) {
  WEIR_ASSIGN_OR_RETURN(PullLogical built, BuildPull(statement, context));
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr optimized, RunPasses(built.root, context));
  WEIR_ASSIGN_OR_RETURN(built.plan.root, LowerPlan(optimized, "PULL"));
  // These plans are kept nowhere, and a look-up is over in less time than this takes.
  if (SessionBoolean(context, "test.check.edges").value_or(false)) {
    WEIR_ASSIGN_OR_RETURN(built.plan.root, WrittenAndRead(built.plan.root, *context.functions));
  }
  return std::move(built.plan);
}

}  // namespace weir
