#pragma once

// How high the trees of a query are: recursion goes from expressions into the queries inside them.

#include "parser/ast/query.h"

namespace weir::ast {

/// The highest of its expressions, those of the queries directly inside it by their own `height`.
int HeightWithin(const Query& query);

}  // namespace weir::ast
