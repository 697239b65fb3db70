#pragma once

// WHERE by its conditions, those that AND joins, so that each can go where its columns first meet:
// to a source, or into a join, which may find its pairs by it.

#include <vector>

#include "parser/ast/query.h"
#include "planner/binder/scope.h"

namespace weir {

struct WherePart {
  const ast::Expr* expr = nullptr;
  std::vector<const ast::ColumnRef*> columns;
  bool has_subquery = false;
  /// It says the same of a row wherever it is asked, as far as its syntax tells.
  bool is_movable = true;
  bool is_taken = false;       ///< FROM has it.
  bool is_correlated = false;  ///< So has the join of a subquery with the query around it.
};

/// a = b.
bool IsEquality(const ast::Expr& expr);
/// `expr` cut at its ANDs.
void SplitConjuncts(const ast::Expr& expr, std::vector<const ast::Expr*>& parts);

std::vector<WherePart> PartsOf(const ast::Expr* where);
WherePart PartOf(const ast::Expr& expr);

/// Whether the part has columns, and all of them are in `scope`.
bool IsCovered(const WherePart& part, const Scope& scope);

}  // namespace weir
