#include "base/status_macros.h"
#include "planner/binder/constant_folder.h"
#include "planner/passes/map_exprs.h"
#include "planner/passes/passes.h"

namespace weir {

Result<logical::NodePtr> FoldConstants(const logical::NodePtr& plan,
                                       const PlannerContext& context) {
  std::vector<logical::NodePtr> inputs;
  for (const logical::NodePtr& input : plan->inputs) {
    WEIR_ASSIGN_OR_RETURN(logical::NodePtr folded, FoldConstants(input, context));
    inputs.push_back(std::move(folded));
  }
  return MapNodeExprs(logical::WithInputs(plan, std::move(inputs)), FoldConstantExprs);
}

}  // namespace weir
