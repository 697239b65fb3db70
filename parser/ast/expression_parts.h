#pragma once

// The walk over the parts of an expression. A walk of a tree says for which kinds it does more, and
// leaves the rest to this.

#include <functional>

#include "parser/ast/expression.h"

namespace weir::ast {

/// Calls `visit` with each expression directly inside `expr`, in the order in which they are
/// written; not with those of a subquery's SELECT.
void VisitParts(const Expr& expr, const std::function<void(Expr&)>& visit);

}  // namespace weir::ast
