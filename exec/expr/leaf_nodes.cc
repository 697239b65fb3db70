// Nodes without children: constants, columns of the batch, parameters of lambdas.

#include <algorithm>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/expr/node.h"

namespace weir {
namespace {

/// A constant, as a column that is made once and long enough for every batch.
class LiteralNode final : public Node {
 public:
  LiteralNode(const DataType& type, Value value) : Node(type), value_(std::move(value)) {
    set_runs_whole(true);
  }
  const Value* constant() const override { return &value_; }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask&) override {
    if (column_ == nullptr || column_->length() < frame.rows()) {
      // Folding asks for one row; only what runs over batches is worth a whole column.
      const int32_t rows = frame.rows() <= 1 ? 1 : std::max(frame.rows(), limits::kBatchRowsMax);
      column_ = MakeConstantColumn(type(), value_, rows);
    }
    return column_;
  }

 private:
  Value value_;
  ColumnPtr column_;
};

class ColumnNode final : public Node {
 public:
  ColumnNode(const DataType& type, int index) : Node(type), index_(index) { set_runs_whole(true); }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask&) override {
    ColumnPtr column = frame.GetColumn(index_);
    WEIR_CHECK(column != nullptr && column->type() == type(), "batch does not fit its expression");
    return column;
  }

 private:
  int index_;
};

class SystemNode final : public Node {
 public:
  SystemNode(const DataType& type, SystemColumn column) : Node(type), column_(column) {
    set_runs_whole(true);
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask&) override {
    ColumnPtr column = frame.GetSystem(column_);
    WEIR_CHECK(column != nullptr, "batch lacks a system column");
    return column;
  }

 private:
  SystemColumn column_;
};

class ParameterNode final : public Node {
 public:
  ParameterNode(const DataType& type, int number) : Node(type), number_(number) {
    set_runs_whole(true);
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask&) override { return frame.GetParameter(number_); }

 private:
  int number_;
};

}  // namespace

NodePtr MakeLiteralNode(const DataType& type, Value value) {
  return std::make_unique<LiteralNode>(type, std::move(value));
}
NodePtr MakeColumnNode(const DataType& type, int index) {
  return std::make_unique<ColumnNode>(type, index);
}
NodePtr MakeSystemNode(const DataType& type, SystemColumn column) {
  return std::make_unique<SystemNode>(type, column);
}
NodePtr MakeParameterNode(const DataType& type, int number) {
  return std::make_unique<ParameterNode>(type, number);
}

}  // namespace weir
