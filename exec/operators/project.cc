// Evaluates one expression for each output column.

#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

class Project : public Operator {
 public:
  Project(const physical::Project& node, std::unique_ptr<ExprProgram> program)
      : schema_(node.schema),
        masks_deletes_(node.mode != physical::ChangeMode::kRetract),
        program_(std::move(program)) {
    for (size_t i = 0; i < node.exprs.size(); ++i) {
      const BoundExpr& expr = *node.exprs[i];
      const bool is_bound =
          expr.kind == BoundKind::kSystem &&
          (expr.system == SystemColumn::kWindowStart || expr.system == SystemColumn::kWindowEnd);
      // Of a record without a value only the key is known: not its time, even as part of a new key.
      const bool is_key = schema_->columns[i].is_key && expr.kind != BoundKind::kSystem;
      keeps_.push_back(is_key || is_bound);
    }
  }

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    eval_.now_ms = context_->now_ms();
    Status evaluated = program_->Evaluate(chunk, eval_, results_);
    if (IsTooLarge(evaluated) && HasParts(chunk)) {
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    WEIR_RETURN_IF_ERROR(std::move(evaluated));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    if (masks_deletes_ && chunk.ops) MaskDeletes(chunk);
    chunk.columns.swap(results_);
    results_.clear();
    return out_.Emit(std::move(chunk));
  }

 private:
  // A deleted row, or a stream's row whose value is null, keeps its key, window bounds included.
  void MaskDeletes(const Chunk& chunk) {
    std::vector<int32_t> rows(chunk.rows);
    bool any = false;
    for (int32_t row = 0; row < chunk.rows; ++row) {
      const bool deleted = chunk.op(row) == RowOp::kDelete;
      rows[row] = deleted ? -1 : row;
      any |= deleted;
    }
    if (!any) return;
    for (size_t i = 0; i < results_.size(); ++i) {
      if (!keeps_[i] && results_[i]) results_[i] = Gather(*results_[i], rows);
    }
  }

  const SchemaPtr schema_;
  const bool masks_deletes_;
  std::vector<bool> keeps_;
  std::unique_ptr<ExprProgram> program_;
  TaskContext* context_ = nullptr;
  EvalContext eval_;
  std::vector<ColumnPtr> results_;
};

}  // namespace

OperatorResult MakeProject(const physical::Project& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program, CompileExprs(node.exprs));
  return std::unique_ptr<Operator>(std::make_unique<Project>(node, std::move(program)));
}

}  // namespace weir
