#include "exec/operators/join/pair_condition.h"

#include <utility>

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "planner/binder/make_expr.h"

namespace weir {

Result<std::unique_ptr<PairCondition>> PairCondition::Make(const BoundExprPtr& condition,
                                                           int left_columns) {
  std::unique_ptr<PairCondition> made;
  if (condition == nullptr) return made;
  made.reset(new PairCondition());
  int last = 0;
  VisitExpr(*condition, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kColumn) last = std::max(last, node.index);
  });
  std::vector<bool> used(static_cast<size_t>(last) + 1, false);
  MarkColumns(*condition, used);
  std::vector<int> map(used.size(), -1);
  int next = 0;
  for (int column = 0; column < static_cast<int>(used.size()); ++column) {
    if (!used[column]) continue;
    map[column] = next++;
    const bool right = column >= left_columns;
    made->columns_[right ? 1 : 0].push_back(right ? column - left_columns : column);
  }
  const BoundExprPtr dense = MapColumns(condition, map);
  WEIR_ASSIGN_OR_RETURN(made->program_, CompileExprs(std::span(&dense, 1)));
  return made;
}

Status PairCondition::Judge(TaskContext& context, size_t count, const MakeColumn& make,
                            std::vector<uint8_t>& passes) {
  passes.assign(count, 0);
  judged_ = 0;
  eval_.now_ms = context.now_ms();
  const auto pairs = [&](size_t from, size_t part) {
    Chunk chunk;
    chunk.rows = static_cast<int32_t>(part);
    for (int input : {0, 1}) {
      for (int column : columns_[input]) {
        chunk.columns.push_back(make(input, column, from, part));
      }
    }
    chunk.source_partition = context.partition();
    return chunk;
  };
  return InParts(count, nullptr, pairs,
                 [&](Chunk chunk) { return JudgePart(context, std::move(chunk), passes); });
}

Status PairCondition::JudgePart(TaskContext& context, Chunk pairs, std::vector<uint8_t>& passes) {
  selected_.clear();
  Status judged = EvaluatePredicate(*program_, pairs, eval_, selected_);
  if (IsTooLarge(judged) && HasParts(pairs)) {
    return ForBothParts(std::move(pairs),
                        [&](Chunk part) { return JudgePart(context, std::move(part), passes); });
  }
  WEIR_RETURN_IF_ERROR(std::move(judged));
  WEIR_RETURN_IF_ERROR(ReportRowErrors(context, pairs, eval_.errors));
  for (int32_t row : selected_) passes[judged_ + static_cast<size_t>(row)] = 1;
  judged_ += static_cast<size_t>(pairs.rows);
  return OkStatus();
}

}  // namespace weir
