// A condition on the stream side alone of a stream-table join moves below the join: rows that fail
// need no look-up. Nothing moves below windowed joins or tables: there a dropped row would change
// stream time, or which deletions come out.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::NodeKind;

/// The condition over the input of the join's left projection, or null if it cannot go there.
BoundExprPtr OverLeftInput(const BoundExprPtr& condition, const logical::Join& join,
                           const logical::Project& left) {
  if (!IsDeterministic(*condition)) return nullptr;
  const int keys = join.key_columns;
  const int left_end = keys + static_cast<int>(join.left_columns.size());
  bool movable = true;
  VisitExpr(*condition, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kSystem) movable = false;
    if (node.kind == BoundKind::kColumn && node.index >= left_end) movable = false;
  });
  if (!movable) return nullptr;
  return ReplaceExpr(condition, [&](const BoundExprPtr& node) -> BoundExprPtr {
    if (node->kind != BoundKind::kColumn) return nullptr;
    const int index = node->index < keys ? node->index : join.left_columns[node->index - keys];
    return left.exprs[index];
  });
}

std::shared_ptr<logical::Filter> FilterOver(const logical::NodePtr& input,
                                            std::vector<BoundExprPtr> conditions) {
  auto filter = std::make_shared<logical::Filter>();
  filter->predicate = conditions.size() == 1 ? std::move(conditions[0])
                                             : MakeLogical(BoundKind::kAnd, std::move(conditions));
  filter->inputs = {input};
  filter->schema = input->schema;
  filter->key_columns = input->key_columns;
  filter->is_table = input->is_table;
  filter->windowed_key = input->windowed_key;
  filter->window_size_ms = input->window_size_ms;
  return filter;
}

logical::NodePtr PushFilter(const logical::NodePtr& node) {
  if (node->kind != NodeKind::kFilter || node->inputs[0]->kind != NodeKind::kJoin) return node;
  const auto& join = node->inputs[0]->As<logical::Join>();
  if (join.sides != logical::JoinSides::kStreamTable) return node;
  if (join.inputs[0]->kind != NodeKind::kProject) return node;
  const auto& left = join.inputs[0]->As<logical::Project>();
  std::vector<BoundExprPtr> moved;
  std::vector<BoundExprPtr> kept;
  for (const BoundExprPtr& condition : Conjuncts(node->As<logical::Filter>().predicate)) {
    BoundExprPtr below = OverLeftInput(condition, join, left);
    if (below != nullptr)
      moved.push_back(std::move(below));
    else
      kept.push_back(condition);
  }
  if (moved.empty()) return node;
  auto new_left = logical::CopyAs<logical::Project>(left);
  new_left->inputs = {PushFilter(FilterOver(left.inputs[0], std::move(moved)))};
  logical::NodePtr new_join = logical::WithInputs(node->inputs[0], {new_left, join.inputs[1]});
  if (kept.empty()) return new_join;
  return FilterOver(new_join, std::move(kept));
}

}  // namespace

Result<logical::NodePtr> PushDownFilters(const logical::NodePtr& plan,
                                         const PlannerContext& context) {
  logical::NodePtr pushed = PushFilter(plan);
  std::vector<logical::NodePtr> inputs;
  for (const logical::NodePtr& input : pushed->inputs) {
    WEIR_ASSIGN_OR_RETURN(logical::NodePtr next, PushDownFilters(input, context));
    inputs.push_back(std::move(next));
  }
  return logical::WithInputs(pushed, std::move(inputs));
}

}  // namespace weir
