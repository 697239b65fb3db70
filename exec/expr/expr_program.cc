#include "exec/expr/expr_program.h"

#include <chrono>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/expr/cast.h"
#include "exec/expr/compiler.h"
#include "exec/expr/node.h"

namespace weir {
namespace {

class ChunkFrame final : public Frame {
 public:
  ChunkFrame(const Chunk& chunk, RowMask base, EvalContext& context, uint64_t epoch)
      : Frame(chunk.rows, std::move(base), context, epoch), chunk_(chunk) {}
  ColumnPtr GetColumn(int index) override {
    return static_cast<size_t>(index) < chunk_.columns.size()
               ? chunk_.columns[static_cast<size_t>(index)]
               : nullptr;
  }
  ColumnPtr GetSystem(SystemColumn column) override { return chunk_.sys(column); }
  ColumnPtr GetParameter(int) override { return nullptr; }

 private:
  const Chunk& chunk_;
};

class GraphProgram final : public ExprProgram {
 public:
  NodeGraph& graph() { return graph_; }
  /// `makes` is false for what only hands on a column of the input.
  void AddRoot(Node* node, bool makes) { roots_.push_back({node, makes}); }

  Status Evaluate(const Chunk& input, EvalContext& context,
                  std::vector<ColumnPtr>& results) override {
    CheckInterrupt();
    RowMask base =
        input.selection ? RowMask::Of(input.rows, *input.selection) : RowMask::All(input.rows);
    ChunkFrame frame(input, std::move(base), context, ++graph_.epoch);
    const int64_t errors_before = context.errors.count();
    results.resize(roots_.size());
    const bool has_parts = HasParts(input);
    const size_t limit = has_parts ? limits::kMadeColumnBytesMax
                                   : limits::kMadeValueBytesMax * (input.rows > 1 ? 2 : 1);
    size_t made = 0;
    Status status;
    for (size_t i = 0; i < roots_.size() && status.ok(); ++i) {
      status = EvaluateRoot(roots_[i], frame, limit, made, results[i]);
      if (!IsTooLarge(status) || has_parts) continue;
      results[i] = MakeNullColumn(roots_[i].node->type(), input.rows);
      context.errors.Add(0, kTooLong);
      status = OkStatus();
    }
    for (const NodePtr& node : graph_.nodes) node->Release();
    if (status.ok()) return status;
    context.errors.ForgetFrom(errors_before);
    results.clear();
    return status;
  }

 private:
  struct Root {
    Node* node;
    bool makes;
  };

  /// `made` are the bytes of the results so far, which are limited too.
  static Status EvaluateRoot(const Root& root, Frame& frame, size_t limit, size_t& made,
                             ColumnPtr& result) {
    return WithinColumnLimit(limit, [&] {
      result = Prefix(root.node->Evaluate(frame, frame.base()), frame.rows());
      if (!root.makes) return;
      const size_t bytes = ByteSize(*result);
      if (made + bytes > kMadeBytesMax) throw ColumnTooLarge{made + bytes, kMadeBytesMax};
      made += bytes;
    });
  }

  static constexpr size_t kMadeBytesMax = 2 * limits::kMadeValueBytesMax;
  static constexpr std::string_view kTooLong =
      "the value would be larger than a record may be (64 MB)";
  NodeGraph graph_;
  std::vector<Root> roots_;
};

int64_t WallClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The one value of a column of one row, or the error that took its place.
Result<Value> OnlyValue(const Column& column, const EvalContext& context) {
  if (context.errors.count() != 0) {
    return Status(ErrorCode::kExpressionError, context.errors.entries().front().message);
  }
  return GetValue(column, 0);
}

}  // namespace

Result<std::unique_ptr<ExprProgram>> CompileExprs(std::span<const BoundExprPtr> exprs) {
  auto program = std::make_unique<GraphProgram>();
  Compiler compiler(program->graph());
  for (const BoundExprPtr& expr : exprs) {
    WEIR_ASSIGN_OR_RETURN(Node * node, compiler.Compile(expr));
    const bool hands_on = expr->kind == BoundKind::kColumn || expr->kind == BoundKind::kSystem;
    program->AddRoot(node, !hands_on);
  }
  return std::unique_ptr<ExprProgram>(std::move(program));
}

Status EvaluatePredicate(ExprProgram& program, const Chunk& input, EvalContext& context,
                         Selection& selected) {
  selected.clear();
  if (input.rows == 0) return OkStatus();
  std::vector<ColumnPtr> results;
  WEIR_RETURN_IF_ERROR(program.Evaluate(input, context, results));
  const Column& column = *results.front();
  WEIR_CHECK(results.size() == 1 && column.type().is(TypeKind::kBoolean), "not a predicate");
  RowMask mask =
      input.selection ? RowMask::Of(input.rows, *input.selection) : RowMask::All(input.rows);
  mask.KeepTrue(column);
  selected.reserve(static_cast<size_t>(CountBits(mask.bits(), input.rows)));
  ForEachSetBit(mask.bits(), input.rows, [&](int32_t row) { selected.push_back(row); });
  return OkStatus();
}

Result<Value> EvaluateConstant(const BoundExpr& expr) {
  const BoundExprPtr borrowed(BoundExprPtr(), &expr);
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ExprProgram> program, CompileExprs({&borrowed, 1}));
  Chunk chunk;
  chunk.rows = 1;
  EvalContext context;
  context.now_ms = WallClockMs();
  std::vector<ColumnPtr> results;
  WEIR_RETURN_IF_ERROR(program->Evaluate(chunk, context, results));
  return OnlyValue(*results.front(), context);
}

Result<Value> CastValue(const Value& value, const DataType& from, const DataType& to) {
  if (value.is_null() || from == to) return value;
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Cast> cast, CompileCast(from, to));
  EvalContext context;
  const RowMask all = RowMask::All(1);
  const ColumnPtr column =
      cast->Run({1, all.bits(), &context, nullptr}, MakeConstantColumn(from, value, 1));
  return OnlyValue(*column, context);
}

}  // namespace weir
