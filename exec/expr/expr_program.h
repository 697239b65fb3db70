#pragma once

// Bound expressions compiled to nodes that work on whole columns. Compiled once a query; common
// sub-expressions run once a batch, constants are folded.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/column/chunk.h"
#include "planner/binder/bound_expr.h"
#include "weir/status.h"

namespace weir {

/// Collects errors of single rows (division by zero, a cast that has no value). The value of the
/// row is null; the operator counts and logs it with the row's origin.
class RowErrors {
 public:
  struct Entry {
    int32_t row;
    std::string message;
  };
  /// Only the first few of a batch are kept with text; all are counted.
  void Add(int32_t row, std::string_view message);
  int64_t count() const { return count_; }
  const std::vector<Entry>& entries() const { return entries_; }
  void Clear();
  /// Forgets those that came after there were `count`.
  void ForgetFrom(int64_t count);
  /// Adds these to `target`, row i as rows[i]: from elements of collections back to the batch.
  void ForwardTo(RowErrors& target, std::span<const int32_t> rows) const;

 private:
  static constexpr size_t kEntriesMax = 16;
  int64_t count_ = 0;
  std::vector<Entry> entries_;
};

/// What kernels may ask for at run time.
struct EvalContext {
  int64_t now_ms = 0;        ///< Wall clock, taken once a batch (UNIX_TIMESTAMP()).
  RowErrors errors;
};

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
