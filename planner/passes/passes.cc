#include "planner/passes/passes.h"

#include "base/status_macros.h"
#include "planner/properties/session_settings.h"

namespace weir {
namespace {

constexpr Pass kPasses[] = {
    {"fold_constants", FoldConstants, "constants are computed once, before anything looks at them"},
    {"push_down_filters", PushDownFilters,
     "rows that a join would only carry are dropped before it"},
    {"prune_columns", PruneColumns, "decoders and exchanges carry what is read, nothing else"},
    {"insert_repartitions", InsertRepartitions,
     "rows meet by key; behind pruning, so that exchanges are narrow"},
    {"preaggregate", Preaggregate,
     "batches shrink to their groups before they move; needs to know what moves"},
    {"name_state_stores", NameStateStores, "names are stable only once the plan is final"},
};

/// Without repartitions and stores a plan cannot run, so these stay on.
bool IsRequired(std::string_view name) {
  return name == "insert_repartitions" || name == "name_state_stores";
}

bool IsDisabled(std::string_view name, const PlannerContext& context) {
  const std::optional<std::string> list = SessionText(context, "disable_pass");
  return list && !IsRequired(name) &&
         ("," + *list + ",").find("," + std::string(name) + ",") != std::string::npos;
}

}  // namespace

std::span<const Pass> Passes() { return kPasses; }

Result<logical::NodePtr> RunPasses(logical::NodePtr plan, const PlannerContext& context,
                                   std::string* trace) {
  bool placed = false;
  for (const Pass& pass : kPasses) {
    if (IsDisabled(pass.name, context)) continue;
    WEIR_ASSIGN_OR_RETURN(logical::NodePtr next, pass.run(plan, context));
    if (trace != nullptr) {
      const std::string text = logical::LogicalText(*next);
      const bool changed = text != logical::LogicalText(*plan);
      *trace += "after " + std::string(pass.name) + ":\n" + (changed ? text : "(the same)\n");
    }
    plan = std::move(next);
    placed |= pass.run == InsertRepartitions;
    WEIR_RETURN_IF_ERROR(CheckPlan(*plan, placed));
  }
  return plan;
}

}  // namespace weir
