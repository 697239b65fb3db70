#pragma once

// The types that a statement names.

#include <functional>

#include "parser/ast/statement.h"

namespace weir::ast {

/// Calls `visit` with each type written in a statement that makes or changes something: those of
/// columns, of casts and of CREATE TYPE. A type's own children are not visited: `visit` sees the
/// whole of it, and may replace it.
void VisitTypeNames(Statement& statement, const std::function<void(TypeName&)>& visit);

}  // namespace weir::ast
