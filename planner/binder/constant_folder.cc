#include "planner/binder/constant_folder.h"

#include <atomic>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

std::atomic<ConstantEvaluator> constant_evaluator{nullptr};

}  // namespace

void SetConstantEvaluator(ConstantEvaluator evaluator) { constant_evaluator.store(evaluator); }

Result<Value> EvaluateConstantExpr(const BoundExpr& expr) {
  if (expr.kind == BoundKind::kLiteral) return expr.value;
  const ConstantEvaluator evaluate = constant_evaluator.load();
  if (evaluate == nullptr) {
    return Status(ErrorCode::kUnsupported,
                  "only literals are constants without an evaluator: " + expr.text)
        .At(expr.position);
  }
  return evaluate(expr);
}

BoundExprPtr FoldConstantExprs(const BoundExprPtr& expr) {
  if (constant_evaluator.load() == nullptr) return expr;
  return ReplaceExpr(expr, [](const BoundExprPtr& node) -> BoundExprPtr {
    const bool foldable = node->kind != BoundKind::kLiteral && node->kind != BoundKind::kLambda &&
                          node->kind != BoundKind::kLambdaParam && IsConstant(*node);
    if (!foldable) return nullptr;
    bool inside_lambda = false;
    VisitExpr(*node, [&](const BoundExpr& part) {
      if (part.kind == BoundKind::kLambdaParam || part.kind == BoundKind::kLambda) {
        inside_lambda = true;
      }
    });
    if (inside_lambda) return nullptr;
    Result<Value> value = EvaluateConstantExpr(*node);
    if (!value.ok()) return nullptr;
    auto literal = NewExpr(BoundKind::kLiteral, node->type);
    literal->value = std::move(*value);
    literal->text = node->text;
    literal->position = node->position;
    return literal;
  });
}

}  // namespace weir
