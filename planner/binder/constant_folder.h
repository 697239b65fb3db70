#pragma once

// Values of constant expressions. Kernels live in exec, which the planner must not know: exec gives
// its evaluator here when the engine starts.

#include "planner/binder/bound_expr.h"

namespace weir {

/// Computes an expression without columns; kExpressionError if it has no value.
using ConstantEvaluator = Result<Value> (*)(const BoundExpr& expr);

/// Sets the evaluator for the whole process; safe from any thread. Without one only literals fold.
void SetConstantEvaluator(ConstantEvaluator evaluator);

/// The value of an expression that IsConstant(); kUnsupported if it needs an evaluator and none is
/// set.
Result<Value> EvaluateConstantExpr(const BoundExpr& expr);

/// Every constant sub-tree replaced by its value. What cannot be computed stays as it is: at run
/// time it is an error of each row, not of the statement.
BoundExprPtr FoldConstantExprs(const BoundExprPtr& expr);

}  // namespace weir
