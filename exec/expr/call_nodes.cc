// Nodes that call kernels of functions, and casts.

#include "base/status_macros.h"
#include "exec/expr/cast.h"
#include "exec/expr/node.h"
#include "exec/functions/kernel.h"

namespace weir {
namespace {

/// The elements that a lambda runs over. What its body takes from outside is gathered once.
class LambdaFrame final : public Frame {
 public:
  LambdaFrame(CompiledLambda& lambda, Frame& outer, std::span<const ColumnPtr> parameters,
              std::span<const int32_t> outer_rows, EvalContext& context)
      : Frame(static_cast<int32_t>(outer_rows.size()),
              RowMask::All(static_cast<int32_t>(outer_rows.size())), context, ++lambda.graph.epoch),
        lambda_(lambda),
        outer_(outer),
        parameters_(parameters),
        outer_rows_(outer_rows) {}

  // Each is asked for once by its node, which keeps the result.
  ColumnPtr GetColumn(int index) override { return FromOutside(outer_.GetColumn(index)); }
  ColumnPtr GetSystem(SystemColumn column) override {
    return FromOutside(outer_.GetSystem(column));
  }
  ColumnPtr GetParameter(int number) override {
    const int own = number - lambda_.first_parameter;
    if (own >= 0 && own < lambda_.parameter_count) return parameters_[static_cast<size_t>(own)];
    return FromOutside(outer_.GetParameter(number));
  }

 private:
  ColumnPtr FromOutside(const ColumnPtr& column) {
    return column == nullptr ? nullptr : Gather(*column, outer_rows_);
  }

  CompiledLambda& lambda_;
  Frame& outer_;
  std::span<const ColumnPtr> parameters_;
  std::span<const int32_t> outer_rows_;
};

/// A lambda bound to the frame of the call that runs it.
class BoundLambda final : public LambdaProgram {
 public:
  explicit BoundLambda(std::unique_ptr<CompiledLambda> lambda) : lambda_(std::move(lambda)) {}
  void Bind(Frame& frame) { frame_ = &frame; }
  ColumnPtr Run(std::span<const ColumnPtr> parameters,
                std::span<const int32_t> outer_rows) override {
    const int32_t rows = static_cast<int32_t>(outer_rows.size());
    if (rows == 0) return MakeNullColumn(lambda_->body->type(), 0);
    EvalContext context;
    context.now_ms = frame_->context().now_ms;
    LambdaFrame frame(*lambda_, *frame_, parameters, outer_rows, context);
    ColumnPtr result = Prefix(lambda_->body->Evaluate(frame, frame.base()), rows);
    context.errors.ForwardTo(frame_->context().errors, outer_rows);
    return result;
  }

 private:
  std::unique_ptr<CompiledLambda> lambda_;
  Frame* frame_ = nullptr;
};

class CallNode final : public Node {
 public:
  CallNode(const BoundExpr& expr, const FunctionRow& row, std::vector<Node*> args,
           std::vector<std::unique_ptr<CompiledLambda>> lambdas, std::shared_ptr<const void> state)
      : Node(expr.type),
        row_(row),
        args_(std::move(args)),
        state_(std::move(state)),
        out_(expr.type) {
    bool whole = row.never_fails;
    for (size_t i = 0; i < args_.size(); ++i) {
      arg_types_.push_back(args_[i] == nullptr ? lambdas[i]->body->type() : args_[i]->type());
      whole = whole && args_[i] != nullptr && args_[i]->runs_whole();
      bound_.push_back(
          lambdas[i] == nullptr ? nullptr : std::make_unique<BoundLambda>(std::move(lambdas[i])));
      lambda_pointers_.push_back(bound_.back().get());
    }
    columns_.resize(args_.size());
    set_runs_whole(whole);
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    if (frame.rows() == 0) return MakeNullColumn(type(), 0);
    active_ = mask;
    for (size_t i = 0; i < args_.size(); ++i) {
      if (args_[i] == nullptr) {
        bound_[i]->Bind(frame);
        continue;
      }
      columns_[i] = args_[i]->Evaluate(frame, mask);
      if (row_.nulls == Nulls::kPropagate) active_.KeepValid(*columns_[i]);
    }
    KernelCall call;
    call.rows = frame.rows();
    call.args = columns_;
    call.lambdas = lambda_pointers_;
    call.active = active_.bits();
    call.return_type = &type();
    call.arg_types = arg_types_;
    call.state = state_.get();
    call.context = &frame.context();
    try {
      row_.kernel(call, out_);
    } catch (...) {
      out_ = ColumnBuilder(type());  // Half a column is in it.
      for (ColumnPtr& column : columns_) column = nullptr;
      throw;
    }
    ColumnPtr result = out_.Finish();
    WEIR_CHECK(result->length() == call.rows, row_.name);
    // Arguments live in their nodes as long as needed; held here too they would be reused late.
    for (ColumnPtr& column : columns_) column = nullptr;
    return result;
  }

 private:
  const FunctionRow& row_;
  std::vector<Node*> args_;
  std::vector<std::unique_ptr<BoundLambda>> bound_;
  std::vector<LambdaProgram*> lambda_pointers_;
  std::vector<DataType> arg_types_;
  std::vector<ColumnPtr> columns_;
  std::shared_ptr<const void> state_;
  ColumnBuilder out_;
  RowMask active_;
};

class CastNode final : public Node {
 public:
  CastNode(const DataType& type, Node* child, std::unique_ptr<Cast> cast)
      : Node(type), child_(child), cast_(std::move(cast)) {
    set_runs_whole(child->runs_whole() && cast_->never_fails());
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    if (frame.rows() == 0) return MakeNullColumn(type(), 0);
    const ColumnPtr& column = child_->Evaluate(frame, mask);
    RowMask active = mask;
    active.KeepValid(*column);
    return cast_->Run({frame.rows(), active.bits(), &frame.context(), nullptr}, column);
  }

 private:
  Node* child_;
  std::unique_ptr<Cast> cast_;
};

}  // namespace

NodePtr MakeCallNode(const BoundExpr& expr, const FunctionRow& row, std::vector<Node*> args,
                     std::vector<std::unique_ptr<CompiledLambda>> lambdas,
                     std::shared_ptr<const void> state) {
  return std::make_unique<CallNode>(expr, row, std::move(args), std::move(lambdas),
                                    std::move(state));
}

Result<NodePtr> MakeCastNode(const DataType& type, Node* child) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Cast> cast, CompileCast(child->type(), type));
  return NodePtr(std::make_unique<CastNode>(type, child, std::move(cast)));
}

}  // namespace weir
