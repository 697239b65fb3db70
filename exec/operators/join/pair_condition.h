#pragma once

// The further condition of a join's ON: which pairs of rows with equal keys are pairs indeed.

#include <functional>
#include <memory>
#include <vector>

#include "exec/operators/operator.h"

namespace weir {

class PairCondition {
 public:
  /// Null where the join has no condition. `left_columns` is the number of columns of its left
  /// input.
  static Result<std::unique_ptr<PairCondition>> Make(const BoundExprPtr& condition,
                                                     int left_columns);

  /// The columns that it reads, of each input.
  const std::vector<int>& columns(int input) const { return columns_[input]; }

  /// Makes column `column` of input `input`, of `count` pairs from number `from` on.
  using MakeColumn = std::function<ColumnPtr(int input, int column, size_t from, size_t count)>;
  /// Sets passes[i] to 1 for each of the `count` pairs for which the condition is true, else to 0.
  Status Judge(TaskContext& context, size_t count, const MakeColumn& make,
               std::vector<uint8_t>& passes);

 private:
  PairCondition() = default;
  Status JudgePart(TaskContext& context, Chunk pairs, std::vector<uint8_t>& passes);

  std::unique_ptr<ExprProgram> program_;
  std::vector<int> columns_[2];
  EvalContext eval_;
  Selection selected_;
  size_t judged_ = 0;
};

}  // namespace weir
