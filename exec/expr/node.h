#pragma once

// The compiled form of expressions: a graph of nodes, one a distinct sub-expression, each giving a
// column for a whole batch. Inside exec/expr only.
//
// Which rows. A frame's base mask says which rows count. A node that cannot fail runs over all of
// them, once, in straight loops. A node that can (a division, a cast, any function) runs only for
// the rows that its users need: CASE, AND, OR and COALESCE ask with narrowed masks, and what is
// asked for later is computed then and blended in. So a branch not taken raises no error.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "exec/column/bits.h"
#include "exec/column/block_pool.h"
#include "exec/column/builder.h"
#include "exec/expr/expr_program.h"

namespace weir {

/// A set of rows as bits. Bits behind the last row are 0.
class RowMask {
 public:
  RowMask() = default;
  static RowMask All(int32_t rows);
  static RowMask Of(int32_t rows, const Selection& selection);

  int32_t rows() const { return rows_; }
  const uint8_t* bits() const { return reinterpret_cast<const uint8_t*>(words_.data()); }
  std::span<uint64_t> words() { return words_; }
  std::span<const uint64_t> words() const { return words_; }
  bool Empty() const;
  bool Contains(const RowMask& other) const;
  /// In place; `other` has as many rows.
  void Remove(const RowMask& other);
  void Add(const RowMask& other);
  /// Keeps only rows that are valid in the column.
  void KeepValid(const Column& column);
  /// Keeps only rows where a BOOLEAN column is true, or where it is not true (false or null).
  void KeepTrue(const Column& column);
  void KeepNotTrue(const Column& column);
  void KeepNotFalse(const Column& column);

 private:
  std::vector<uint64_t, BlockAllocator<uint64_t>> words_;
  int32_t rows_ = 0;
};

/// Where one evaluation takes its columns from: a batch, or the elements that a lambda runs over.
class Frame {
 public:
  Frame(int32_t rows, RowMask base, EvalContext& context, uint64_t epoch)
      : rows_(rows), base_(std::move(base)), context_(context), epoch_(epoch) {}
  virtual ~Frame() = default;
  int32_t rows() const { return rows_; }
  const RowMask& base() const { return base_; }
  EvalContext& context() { return context_; }
  uint64_t epoch() const { return epoch_; }
  virtual ColumnPtr GetColumn(int index) = 0;
  virtual ColumnPtr GetSystem(SystemColumn column) = 0;
  virtual ColumnPtr GetParameter(int number) = 0;

 private:
  int32_t rows_;
  RowMask base_;
  EvalContext& context_;
  uint64_t epoch_;  // Distinct for each evaluation of one graph; results of others are stale.
};

/// One sub-expression. Keeps its result until the next evaluation.
class Node {
 public:
  explicit Node(DataType type) : type_(std::move(type)) {}
  virtual ~Node() = default;
  const DataType& type() const { return type_; }
  /// At least frame.rows() values; those of rows outside `mask` have no meaning.
  const ColumnPtr& Evaluate(Frame& frame, const RowMask& mask);
  /// The value, if this is a constant.
  virtual const Value* constant() const { return nullptr; }
  /// Runs over all rows that count, as neither it nor what is below it can fail.
  bool runs_whole() const { return runs_whole_; }
  void set_runs_whole(bool value) { runs_whole_ = value; }
  /// Lets go of the result, so that its memory serves the next batch.
  void Release() { value_ = nullptr; }

 protected:
  virtual ColumnPtr Compute(Frame& frame, const RowMask& mask) = 0;

 private:
  DataType type_;
  bool runs_whole_ = false;
  uint64_t epoch_ = 0;
  RowMask computed_;
  ColumnPtr value_;
};
using NodePtr = std::unique_ptr<Node>;
bool AllRunWhole(std::span<Node* const> nodes);

/// Which of 64 rows, from 64 * word on, are valid.
inline uint64_t ValidWord(const Column& column, size_t word) {
  return column.validity() == nullptr ? ~uint64_t{0}
                                      : LoadWord(column.validity(), static_cast<int32_t>(word));
}
/// Which of them are true, of a BOOLEAN column; null rows say nothing.
inline uint64_t ValueWord(const Column& column, size_t word) {
  return LoadWord(column.raw_values(), static_cast<int32_t>(word));
}

/// Nodes of one scope (the batch, or one lambda's body), and the one that is asked for.
struct NodeGraph {
  std::vector<NodePtr> nodes;
  uint64_t epoch = 0;
  Node* Own(NodePtr node) {
    nodes.push_back(std::move(node));
    return nodes.back().get();
  }
};

/// Row i from columns[choice[i]], null where choice[i] is kChooseNull.
inline constexpr uint8_t kChooseNull = 255;
ColumnPtr ChooseRows(const DataType& type, std::span<const ColumnPtr> columns,
                     std::span<const uint8_t> choice);

/// A lambda's body with its parameters' numbers.
struct CompiledLambda {
  NodeGraph graph;
  Node* body = nullptr;
  int first_parameter = 0;
  int parameter_count = 0;
};

// The makers of nodes. Children belong to the same graph and outlive the node.
NodePtr MakeLiteralNode(const DataType& type, Value value);
NodePtr MakeColumnNode(const DataType& type, int index);
NodePtr MakeSystemNode(const DataType& type, SystemColumn column);
NodePtr MakeParameterNode(const DataType& type, int number);
NodePtr MakeCallNode(const BoundExpr& expr, const struct FunctionRow& row, std::vector<Node*> args,
                     std::vector<std::unique_ptr<CompiledLambda>> lambdas,
                     std::shared_ptr<const void> state);
Result<NodePtr> MakeCastNode(const DataType& type, Node* child);
NodePtr MakeCaseNode(const DataType& type, std::vector<Node*> children);
NodePtr MakeCoalesceNode(const DataType& type, std::vector<Node*> children);
NodePtr MakeAndNode(std::vector<Node*> children);
NodePtr MakeOrNode(std::vector<Node*> children);
NodePtr MakeNotNode(Node* child);
NodePtr MakeIsNullNode(Node* child, bool negated);
NodePtr MakeInNode(std::vector<Node*> children);
NodePtr MakeSubscriptNode(const DataType& type, Node* collection, Node* index);
NodePtr MakeFieldNode(const DataType& type, Node* record, int field);
NodePtr MakeArrayNode(const DataType& type, std::vector<Node*> children);
NodePtr MakeMapNode(const DataType& type, std::vector<Node*> children);
NodePtr MakeStructNode(const DataType& type, std::vector<Node*> children);

}  // namespace weir
