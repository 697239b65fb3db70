// SELECT … EMIT CHANGES|FINAL: rows go to a client.

#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/logical/logical_nodes.h"
#include "planner/passes/passes.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_text.h"
#include "planner/statements/query_plan.h"

namespace weir {
namespace {

template <typename T>
std::shared_ptr<T> On(const logical::NodePtr& input) {
  auto node = std::make_shared<T>();
  node->inputs = {input};
  node->schema = input->schema;
  node->key_columns = input->key_columns;
  node->is_table = input->is_table;
  node->windowed_key = input->windowed_key;
  node->window_size_ms = input->window_size_ms;
  return node;
}

/// A table's topic does not say whether a key was there before: a filter that lets all rows pass
/// remembers it, so that changes are told from new rows.
logical::NodePtr WithKnownKeys(const logical::NodePtr& node) {
  if (!node->is_table) return node;
  if (node->kind == logical::NodeKind::kProject) {
    return logical::WithInputs(node, {WithKnownKeys(node->inputs[0])});
  }
  if (node->kind != logical::NodeKind::kSource) return node;
  auto filter = On<logical::Filter>(node);
  filter->predicate = MakeLiteral(Value(true), DataType::Boolean(), "true");
  return filter;
}

}  // namespace

Result<PushLogical> BuildPush(const ast::Statement& statement, const PlannerContext& context) {
  if (!statement.Is<ast::Select>()) {
    return Status(ErrorCode::kInvalidStatement, "not a SELECT").At(statement.position);
  }
  const ast::Query& query = *statement.As<ast::Select>().query;
  if (query.limit && *query.limit < 0) {
    return Status(ErrorCode::kInvalidStatement, "LIMIT is not negative").At(query.position);
  }
  WEIR_ASSIGN_OR_RETURN(BuiltQuery built, BuildQuery({&context, false, "", &query}));
  PushLogical push;
  logical::NodePtr node = WithKnownKeys(built.node);
  if (query.limit) {
    auto limit = On<logical::Limit>(node);
    limit->rows = *query.limit;
    node = std::move(limit);
  }
  push.root = On<logical::Sink>(node);
  push.plan.schema = built.node->schema;
  push.plan.is_table = built.node->is_table;
  push.plan.limit = query.limit;
  for (const auto& source : built.sources) push.plan.reads.push_back(source->name);
  return push;
}

Result<PushQueryPlan> PlanPushQuery(const ast::Statement& statement,
                                    const PlannerContext& context) {
  WEIR_ASSIGN_OR_RETURN(PushLogical built, BuildPush(statement, context));
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr optimized, RunPasses(built.root, context));
  WEIR_ASSIGN_OR_RETURN(const physical::NodePtr root, LowerPlan(optimized, "PUSH"));
  WEIR_ASSIGN_OR_RETURN(built.plan.root, WrittenAndRead(root, *context.functions));
  return std::move(built.plan);
}

}  // namespace weir
