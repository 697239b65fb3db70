#include "planner/binder/make_call.h"

#include <string>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/coercion.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

std::vector<ArgumentType> TypesOf(const std::vector<BoundExprPtr>& args) {
  std::vector<ArgumentType> types;
  for (const BoundExprPtr& arg : args) {
    types.push_back({.type = arg->type, .is_literal = arg->kind == BoundKind::kLiteral});
  }
  return types;
}

}  // namespace

Result<BoundExprPtr> CallOf(const FunctionCatalog& functions, std::string_view name,
                            std::vector<BoundExprPtr> args) {
  WEIR_ASSIGN_OR_RETURN(const ScalarOverload* function,
                        functions.ResolveScalar(name, TypesOf(args), nullptr));
  for (size_t i = 0; i < args.size() && i < function->parameter_types.size(); ++i) {
    args[i] = MakeCast(std::move(args[i]), function->parameter_types[i]);
  }
  return MakeCall(function, std::move(args));
}

Result<BoundExprPtr> Compare(const FunctionCatalog& functions, std::string_view op,
                             BoundExprPtr left, BoundExprPtr right) {
  WEIR_RETURN_IF_ERROR(CoerceComparison(op, left, right));
  return CallOf(functions, op, {std::move(left), std::move(right)});
}

Result<CollectedAggregates::Call> AggregateOf(const FunctionCatalog& functions,
                                              std::string_view name,
                                              std::vector<BoundExprPtr> args) {
  WEIR_ASSIGN_OR_RETURN(const AggregateOverload* function,
                        functions.ResolveAggregate(name, TypesOf(args)));
  CollectedAggregates::Call call{function, {}, {}, std::string(name)};
  for (size_t i = 0; i < args.size(); ++i) {
    call.args.push_back(i < function->parameter_types.size()
                            ? MakeCast(args[i], function->parameter_types[i])
                            : args[i]);
  }
  call.text += "(" + (args.empty() ? "*" : call.args[0]->text) + ")";
  return call;
}

}  // namespace weir
