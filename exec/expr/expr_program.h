#pragma once

// Bound expressions compiled to nodes that work on whole columns. Compiled once a query; common
// sub-expressions run once a batch, constants are folded.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/functions/row_errors.h"
#include "planner/binder/bound_expr.h"
#include "weir/status.h"

namespace weir {

/// Several expressions over one input schema. Evaluate() is not const: it reuses scratch columns.
/// One thread at a time.
class ExprProgram {
 public:
  virtual ~ExprProgram() = default;
  /// Evaluates all expressions over the rows of `input` that count. With a selection the results
  /// have `input.rows` rows, of which only the selected ones have a meaning (and only those may
  /// raise row errors). Each result has exactly `input.rows` rows.
  ///
  /// kRecordTooLarge where a column would become too large and the chunk has parts (HasParts):
  /// these are to be evaluated, one by one. A single row's value that is too large is null, an
  /// error of the row.
  virtual Status Evaluate(const Chunk& input, EvalContext& context,
                          std::vector<ColumnPtr>& results) = 0;
};

/// Compiles; fails only for expressions that a planner should not have let through.
Result<std::unique_ptr<ExprProgram>> CompileExprs(std::span<const BoundExprPtr> exprs);

/// Rows of `input` (within its selection) for which the BOOLEAN expression is true, ascending.
/// `program` must hold exactly one expression. kRecordTooLarge as from Evaluate.
Status EvaluatePredicate(ExprProgram& program, const Chunk& input, EvalContext& context,
                         Selection& selected);

/// The value of an expression without columns (literals, INSERT VALUES, folding).
Result<Value> EvaluateConstant(const BoundExpr& expr);

/// `value` of type `from` cast to `to` by SQL's CAST rules; kExpressionError if it has no value.
Result<Value> CastValue(const Value& value, const DataType& from, const DataType& to);

}  // namespace weir
