// EXPLAIN: the plans of a statement at every stage.

#include <utility>

#include "base/status_macros.h"
#include "planner/passes/passes.h"
#include "planner/physical/lower.h"
#include "planner/statements/query_plan.h"

namespace weir {
namespace {

Result<std::pair<logical::NodePtr, std::string>> LogicalOf(const ast::Statement& statement,
                                                           const PlannerContext& context) {
  if (statement.Is<ast::Select>() &&
      statement.As<ast::Select>().query->emit == ast::EmitMode::kNone) {
    WEIR_ASSIGN_OR_RETURN(PullLogical pull, BuildPull(statement, context));
    return std::pair(pull.root, std::string("PULL"));
  }
  if (statement.Is<ast::Select>()) {
    WEIR_ASSIGN_OR_RETURN(PushLogical push, BuildPush(statement, context));
    return std::pair(push.root, std::string("PUSH"));
  }
  WEIR_ASSIGN_OR_RETURN(PersistentLogical persistent, BuildPersistent(statement, context));
  return std::pair(persistent.root, persistent.plan.query_id);
}

}  // namespace

Result<std::string> ExplainStatement(const ast::Statement& statement, const PlannerContext& context,
                                     std::string_view stage) {
  WEIR_ASSIGN_OR_RETURN(auto built, LogicalOf(statement, context));
  const auto& [root, query_id] = built;
  if (stage == "logical") return logical::LogicalText(*root);
  std::string trace;
  const bool verbose = stage == "verbose";
  if (verbose) trace = "logical:\n" + logical::LogicalText(*root);
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr optimized,
                        RunPasses(root, context, verbose ? &trace : nullptr));
  if (stage == "optimized") return logical::LogicalText(*optimized);
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr plan, LowerPlan(optimized, query_id));
  if (stage == "dot") return ExplainDot(*plan);
  if (verbose) return trace + "physical:\n" + ExplainPhysical(*plan);
  return ExplainPhysical(*plan);
}

}  // namespace weir
