// A GROUP BY whose rows have to move first reduces each batch to one row a group, where its calls
// can be combined: with few keys next to nothing crosses the exchange.

#include <algorithm>
#include <utility>

#include "planner/passes/passes.h"
#include "planner/properties/session_settings.h"

namespace weir {
namespace {

using logical::NodeKind;
using logical::NodePtr;

/// A row may lie in so many hopping windows; with more, a batch grows rather than shrinks.
constexpr int64_t kWindowsMax = 16;

/// Whether every single change is to be seen: then a batch must not be taken together.
bool ShowsEachChange(const PlannerContext& context) {
  // A number of bytes, perhaps with a unit: 0 if no digit of it is another.
  const std::optional<std::string> bytes = SessionText(context, "cache.max.bytes.buffering");
  return bytes && bytes->find_first_of("123456789") == std::string::npos;
}

bool IsCombinable(const physical::AggregateCall& call) {
  return !call.function->partial_types.empty() && !call.function->order_sensitive;
}

bool FewWindows(const physical::WindowSpec& window) {
  switch (window.kind) {
    case physical::WindowKind::kNone:
    case physical::WindowKind::kTumbling: return true;
    case physical::WindowKind::kHopping: return window.size_ms / window.advance_ms <= kWindowsMax;
    case physical::WindowKind::kSession: return false;
  }
  return false;
}

bool CanPreaggregate(const logical::Aggregate& aggregate, const PlannerContext& context) {
  const logical::Node& input = *aggregate.inputs[0];
  if (input.kind != NodeKind::kRepartition || input.is_table) return false;
  if (input.As<logical::Repartition>().ordered || !FewWindows(aggregate.window)) return false;
  // Without extensions, windows that close are lost as Kafka Streams loses them: row by row.
  if (aggregate.bounded) return std::ranges::all_of(aggregate.calls, IsCombinable);
  if (aggregate.emit_final ? !context.sql_extensions : ShowsEachChange(context)) return false;
  return std::ranges::all_of(aggregate.calls, IsCombinable);
}

/// `in_join`: a join above takes the aggregate's changes in the order of time, row by row.
NodePtr Rewrite(const NodePtr& plan, const PlannerContext& context, bool in_join) {
  in_join |= plan->kind == NodeKind::kJoin;
  std::vector<NodePtr> inputs;
  for (const NodePtr& input : plan->inputs) inputs.push_back(Rewrite(input, context, in_join));
  NodePtr node = logical::WithInputs(plan, std::move(inputs));
  if (in_join || node->kind != NodeKind::kAggregate) return node;
  if (!CanPreaggregate(node->As<logical::Aggregate>(), context)) return node;
  auto copy = logical::CopyAs<logical::Aggregate>(*node);
  copy->preaggregated = true;
  return copy;
}

}  // namespace

Result<NodePtr> Preaggregate(const NodePtr& plan, const PlannerContext& context) {
  return Rewrite(plan, context, false);
}

}  // namespace weir
