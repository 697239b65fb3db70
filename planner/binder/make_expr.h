#pragma once

// Makers of bound expressions, and walks over them. Expressions are shared and immutable: every
// change makes new nodes along its path.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "planner/binder/bound_expr.h"

namespace weir {

BoundExprPtr MakeColumn(int index, DataType type, std::string text);
BoundExprPtr MakeSystem(SystemColumn column);
BoundExprPtr MakeLiteral(Value value, DataType type, std::string text = {});
BoundExprPtr MakeBigint(int64_t number);
/// `expr` itself where it already has the type. Literals are converted at once where that is plain.
BoundExprPtr MakeCast(BoundExprPtr expr, const DataType& type);
BoundExprPtr MakeCall(const ScalarOverload* function, std::vector<BoundExprPtr> args,
                      std::string text = {});
/// AND, OR, NOT, IS NULL and the like, of BOOLEAN.
BoundExprPtr MakeLogical(BoundKind kind, std::vector<BoundExprPtr> children, std::string text = {});
/// A node with all but kind, type and children empty.
std::shared_ptr<BoundExpr> NewExpr(BoundKind kind, DataType type,
                                   std::vector<BoundExprPtr> children = {});

/// Whether two expressions compute the same: same tree, names and places aside.
bool SameExpr(const BoundExpr& a, const BoundExpr& b);
/// Equal for expressions that are the same: so that one among thousands is found without comparing
/// it with each.
size_t HashExpr(const BoundExpr& expr);
/// A literal without value.
bool IsNullLiteral(const BoundExpr& expr);
/// A call of a function that may give another result each time, anywhere in the tree.
bool IsDeterministic(const BoundExpr& expr);
/// No column, system column, lambda parameter or random function in it.
bool IsConstant(const BoundExpr& expr);

/// Calls `visit` for each node, parents first.
void VisitExpr(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit);
/// Rebuilds: where `replace` gives an expression it takes the node's place, children unvisited.
BoundExprPtr ReplaceExpr(const BoundExprPtr& expr,
                         const std::function<BoundExprPtr(const BoundExprPtr&)>& replace);
/// Column indexes through `map` (old index to new one); every column used must be in it.
BoundExprPtr MapColumns(const BoundExprPtr& expr, const std::vector<int>& map);
/// Sets used[i] for every column i.
void MarkColumns(const BoundExpr& expr, std::vector<bool>& used);
/// The conjuncts of an AND, or the expression alone.
std::vector<BoundExprPtr> Conjuncts(const BoundExprPtr& expr);

}  // namespace weir
