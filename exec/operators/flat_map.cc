// Table functions (EXPLODE, CUBE_EXPLODE): each row becomes as many rows as the longest of its
// functions' results; shorter ones are padded with null.

#include <algorithm>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/bits.h"
#include "exec/column/chunk_parts.h"
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
    std::vector<Results> results(calls_.size());
    Status evaluated = kept_->Evaluate(chunk, eval_, columns);
    for (size_t i = 0; i < calls_.size() && evaluated.ok(); ++i) {
      evaluated = Run(calls_[i], chunk, results[i]);
    }
    if (IsTooLarge(evaluated) && HasParts(chunk)) {
      eval_.errors.Clear();
      return ForBothParts(std::move(chunk),
                          [this](Chunk part) { return OnBatch(0, std::move(part)); });
    }
    WEIR_RETURN_IF_ERROR(std::move(evaluated));
    WEIR_RETURN_IF_ERROR(ReportRowErrors(*context_, chunk, eval_.errors));
    return EmitZipped(chunk, columns, results);
  }

 private:
  // What a call gave for the rows of a chunk: values below each other, and how many are whose.
  struct Results {
    std::vector<int32_t> counts;
    ColumnPtr values;
  };

  // The rows to make, a batch at a time: which input row each is of, and which value of each call.
  struct Zipped {
    std::vector<int32_t> source_rows;
    std::vector<std::vector<int32_t>> value_rows;
    void Clear() {
      source_rows.clear();
      for (auto& rows : value_rows) rows.clear();
    }
  };

  Status Run(TableCall& call, const Chunk& chunk, Results& results) {
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
    const bool has_parts = HasParts(chunk);
    Status made =
        WithinColumnLimit(has_parts ? limits::kMadeColumnBytesMax : limits::kColumnBytesMax, [&] {
          call.row->kernel(kernel, results.counts, builder);
          results.values = builder.Finish();
        });
    if (IsTooLarge(made) && !has_parts) {
      eval_.errors.Add(0, "the rows that a table function makes of one would be too large");
      results.counts.assign(static_cast<size_t>(chunk.rows), 0);
      results.values = MakeNullColumn(call.overload->return_type, 0);
      return OkStatus();
    }
    WEIR_RETURN_IF_ERROR(std::move(made));
    if (static_cast<int32_t>(results.counts.size()) != chunk.rows) {
      return Status(ErrorCode::kInternal, "a table function gave a wrong number of counts");
    }
    return OkStatus();
  }

  // One row may become millions, so they are handed on as they come.
  Status EmitZipped(const Chunk& chunk, const std::vector<ColumnPtr>& kept,
                    const std::vector<Results>& results) {
    Zipped zipped;
    zipped.value_rows.resize(results.size());
    std::vector<int32_t> next(results.size(), 0);
    for (int32_t row = 0; row < chunk.rows; ++row) {
      int32_t longest = 0;
      for (const Results& one : results) longest = std::max(longest, one.counts[row]);
      for (int32_t i = 0; i < longest; ++i) {
        zipped.source_rows.push_back(row);
        for (size_t call = 0; call < results.size(); ++call) {
          zipped.value_rows[call].push_back(i < results[call].counts[row] ? next[call] + i : -1);
        }
        if (zipped.source_rows.size() < static_cast<size_t>(limits::kBatchRowsMax)) continue;
        WEIR_RETURN_IF_ERROR(Emit(chunk, kept, results, zipped));
        zipped.Clear();
      }
      for (size_t call = 0; call < results.size(); ++call) next[call] += results[call].counts[row];
    }
    return Emit(chunk, kept, results, zipped);
  }

  Status Emit(const Chunk& chunk, const std::vector<ColumnPtr>& kept,
              const std::vector<Results>& results, const Zipped& zipped) {
    return InParts(
        zipped.source_rows.size(), nullptr,
        [&](size_t from, size_t count) { return Zip(chunk, kept, results, zipped, from, count); },
        [this](Chunk made) { return out_.Emit(std::move(made)); });
  }

  static Chunk Zip(const Chunk& chunk, const std::vector<ColumnPtr>& kept,
                   const std::vector<Results>& results, const Zipped& zipped, size_t from,
                   size_t count) {
    const auto rows = std::span(zipped.source_rows).subspan(from, count);
    Chunk system = chunk;
    system.columns.clear();
    Chunk out = GatherChunk(system, rows);
    out.rows = static_cast<int32_t>(count);
    for (const ColumnPtr& column : kept) out.columns.push_back(Gather(*column, rows));
    for (size_t call = 0; call < results.size(); ++call) {
      const auto values = std::span(zipped.value_rows[call]).subspan(from, count);
      out.columns.push_back(Gather(*results[call].values, values));
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
