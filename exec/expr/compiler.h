#pragma once

// From bound expressions to a graph of nodes. Inside exec/expr only.

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "exec/expr/node.h"
#include "planner/binder/bound_expr.h"

namespace weir {

/// Compiles into one graph. Equal sub-expressions become one node, constant ones a literal.
class Compiler {
 public:
  explicit Compiler(NodeGraph& graph) : graph_(graph) {}
  Result<Node*> Compile(const BoundExprPtr& expr);

 private:
  /// As Compile, converted to `type` where the planner has left that open (bare NULLs).
  Result<Node*> CompileAs(const BoundExprPtr& expr, const DataType& type);
  Result<Node*> CompileNew(const BoundExpr& expr);
  Result<Node*> CompileCall(const BoundExpr& expr);
  Result<Node*> CompileLogical(const BoundExpr& expr);
  Result<Node*> CompileCase(const BoundExpr& expr);
  Result<Node*> CompileCollection(const BoundExpr& expr);
  Result<Node*> CompileConstructor(const BoundExpr& expr);
  Result<std::vector<Node*>> CompileAllAs(const std::vector<BoundExprPtr>& exprs,
                                          const DataType& type);
  Result<std::unique_ptr<CompiledLambda>> CompileLambda(const BoundExpr& lambda);
  /// The node that stands for `expr`: an equal one that is there already, a literal, or `node`.
  Node* Settle(const BoundExpr& expr, std::vector<Node*> children, NodePtr node,
               bool deterministic);
  Node* OwnLiteral(const DataType& type, const Value& value);
  Result<Node*> CastTo(Node* node, const DataType& type);

  NodeGraph& graph_;
  std::unordered_map<const BoundExpr*, Node*> by_expr_;
  std::map<std::string, Node*> by_key_;
};

}  // namespace weir
