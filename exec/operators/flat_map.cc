// Table functions (EXPLODE, CUBE_EXPLODE): each row becomes as many rows as the longest of its
// functions' results; shorter ones are padded with null.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/column/bits.h"
#include "exec/functions/kernel.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

struct TableCall {
  const TableFunctionRow* row = nullptr;
  const TableFunctionOverload* overload = nullptr;
  std::unique_ptr<ExprProgram> args;
  std::vector<DataType> arg_types;
};

class FlatMap : public Operator {
 public:
  FlatMap(std::unique_ptr<ExprProgram> kept, std::vector<TableCall> calls)
      : kept_(std::move(kept)), calls_(std::move(calls)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    chunk = Flatten(std::move(chunk));
    eval_.now_ms = context_->now_ms();
    std::vector<ColumnPtr> columns;
    WEIR_RETURN_IF_ERROR(kept_->Evaluate(chunk, eval_, columns));
    std::vector<ColumnPtr> values(calls_.size());
    std::vector<std::vector<int32_t>> counts(calls_.size());
    for (size_t i = 0; i < calls_.size(); ++i) {
      WEIR_RETURN_IF_ERROR(Run(calls_[i], chunk, counts[i], values[i]));
    }
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    return out_.Emit(Zip(chunk, columns, values, counts));
  }

 private:
  Status Run(TableCall& call, const Chunk& chunk, std::vector<int32_t>& counts, ColumnPtr& values) {
    std::vector<ColumnPtr> args;
    WEIR_RETURN_IF_ERROR(call.args->Evaluate(chunk, eval_, args));
    std::vector<uint8_t> active(static_cast<size_t>(WordCount(chunk.rows)) * 8, 0);
    for (int32_t row = 0; row < chunk.rows; ++row) {
      if (chunk.op(row) != RowOp::kDelete) SetBit(active.data(), row, true);
    }
    ColumnBuilder builder(call.overload->return_type);
    const std::vector<LambdaProgram*> no_lambdas(args.size(), nullptr);
    KernelCall kernel;
    kernel.rows = chunk.rows;
    kernel.args = args;
    kernel.lambdas = no_lambdas;
    kernel.active = active.data();
    kernel.return_type = &call.overload->return_type;
    kernel.arg_types = call.arg_types;
    kernel.context = &eval_;
    call.row->kernel(kernel, counts, builder);
    values = builder.Finish();
    if (static_cast<int32_t>(counts.size()) != chunk.rows) {
      return Status(ErrorCode::kInternal, "a table function gave a wrong number of counts");
    }
    return OkStatus();
  }

  static Chunk Zip(const Chunk& chunk, const std::vector<ColumnPtr>& kept,
                   const std::vector<ColumnPtr>& values,
                   const std::vector<std::vector<int32_t>>& counts) {
    std::vector<int32_t> source_rows;
    std::vector<std::vector<int32_t>> value_rows(values.size());
    std::vector<int32_t> next(values.size(), 0);
    for (int32_t row = 0; row < chunk.rows; ++row) {
      int32_t longest = 0;
      for (const auto& count : counts) longest = std::max(longest, count[row]);
      for (int32_t i = 0; i < longest; ++i) {
        source_rows.push_back(row);
        for (size_t call = 0; call < values.size(); ++call) {
          value_rows[call].push_back(i < counts[call][row] ? next[call] + i : -1);
        }
      }
      for (size_t call = 0; call < values.size(); ++call) next[call] += counts[call][row];
    }
    Chunk system = chunk;
    system.columns.clear();
    Chunk out = GatherChunk(system, source_rows);
    out.rows = static_cast<int32_t>(source_rows.size());
    for (const ColumnPtr& column : kept) out.columns.push_back(Gather(*column, source_rows));
    for (size_t call = 0; call < values.size(); ++call) {
      out.columns.push_back(Gather(*values[call], value_rows[call]));
    }
    return out;
  }

  std::unique_ptr<ExprProgram> kept_;
  std::vector<TableCall> calls_;
  TaskContext* context_ = nullptr;
  EvalContext eval_;
};

}  // namespace

OperatorResult MakeFlatMap(const physical::FlatMap& node) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> kept, CompileExprs(node.exprs));
  std::vector<TableCall> calls;
  for (const physical::FlatMap::Call& call : node.calls) {
    TableCall made;
    made.overload = call.function;
    made.row = static_cast<const TableFunctionRow*>(call.function->kernel_row);
    WEIR_ASSIGN_OR_RETURN(made.args, CompileExprs(call.args));
    for (const BoundExprPtr& arg : call.args) made.arg_types.push_back(arg->type);
    calls.push_back(std::move(made));
  }
  return std::unique_ptr<Operator>(std::make_unique<FlatMap>(std::move(kept), std::move(calls)));
}

}  // namespace weir
