// The invariants that every pass keeps. Shares no code with the passes.

#include "base/status_macros.h"
#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::NodeKind;

Status Broken(std::string what) { return Status(ErrorCode::kInternal, "broken plan: " + what); }

Status CheckExpr(const BoundExpr& expr, const Schema& input) {
  if (expr.kind == BoundKind::kColumn) {
    if (expr.index < 0 || expr.index >= input.size()) {
      return Broken("column index " + std::to_string(expr.index) + " of " +
                    std::to_string(input.size()));
    }
    if (!(input.columns[expr.index].type == expr.type)) {
      return Broken("column " + input.columns[expr.index].name + " has another type");
    }
  }
  for (const BoundExprPtr& child : expr.children) WEIR_RETURN_IF_ERROR(CheckExpr(*child, input));
  return OkStatus();
}

Status CheckProject(const logical::Project& project) {
  const Schema& input = *project.inputs[0]->schema;
  if (static_cast<int>(project.exprs.size()) != project.schema->size()) {
    return Broken("a projection's expressions and columns differ in number");
  }
  for (size_t i = 0; i < project.exprs.size(); ++i) {
    WEIR_RETURN_IF_ERROR(CheckExpr(*project.exprs[i], input));
    if (!(project.exprs[i]->type == project.schema->columns[i].type)) {
      return Broken("a projected column has another type than its expression");
    }
  }
  return OkStatus();
}

Status CheckAggregate(const logical::Aggregate& aggregate) {
  const int inputs = aggregate.inputs[0]->schema->size();
  for (const physical::AggregateCall& call : aggregate.calls) {
    for (int arg : call.args) {
      if (arg < 0 || arg >= inputs) return Broken("an aggregate's argument is out of range");
    }
  }
  const size_t columns = aggregate.key_columns + aggregate.calls.size();
  if (static_cast<int>(columns) != aggregate.schema->size()) {
    return Broken("an aggregate's columns are its keys and its calls");
  }
  return OkStatus();
}

Status CheckJoin(const logical::Join& join) {
  const size_t columns = join.key_columns + join.left_columns.size() + join.right_columns.size();
  if (static_cast<int>(columns) != join.schema->size()) {
    return Broken("a join's columns are its key and those of both sides");
  }
  for (int column : join.left_columns) {
    if (column < 0 || column >= join.inputs[0]->schema->size()) return Broken("left column");
  }
  for (int column : join.right_columns) {
    if (column < 0 || column >= join.inputs[1]->schema->size()) return Broken("right column");
  }
  if (join.foreign_key != nullptr) return CheckExpr(*join.foreign_key, *join.inputs[0]->schema);
  return OkStatus();
}

}  // namespace

Status CheckPlan(const logical::Node& plan) {
  for (const logical::NodePtr& input : plan.inputs) WEIR_RETURN_IF_ERROR(CheckPlan(*input));
  switch (plan.kind) {
    case NodeKind::kSource:
      if (static_cast<int>(plan.As<logical::Source>().columns.size()) != plan.schema->size()) {
        return Broken("a source's columns");
      }
      return OkStatus();
    case NodeKind::kFilter:
      return CheckExpr(*plan.As<logical::Filter>().predicate, *plan.inputs[0]->schema);
    case NodeKind::kProject:
      return CheckProject(plan.As<logical::Project>());
    case NodeKind::kAggregate:
      return CheckAggregate(plan.As<logical::Aggregate>());
    case NodeKind::kJoin:
      return CheckJoin(plan.As<logical::Join>());
    case NodeKind::kFlatMap:
    case NodeKind::kRepartition:
    case NodeKind::kLimit:
    case NodeKind::kSink:
    case NodeKind::kLatestRows:
      return OkStatus();
    case NodeKind::kSort:
      for (const physical::SortKey& key : plan.As<logical::Sort>().keys) {
        if (key.column >= plan.schema->size()) return Broken("a column to sort by");
      }
      return OkStatus();
  }
  return OkStatus();
}

}  // namespace weir
