#include "planner/queries/where_parts.h"

#include <algorithm>

#include "parser/ast/expression_parts.h"

namespace weir {
namespace {

/// Adds what `expr` has to the part.
void Note(const ast::Expr& expr, WherePart& part) {
  switch (expr.kind) {
    case ast::ExprKind::kColumnRef: part.columns.push_back(&expr.As<ast::ColumnRef>()); break;
    case ast::ExprKind::kFunctionCall:
      if (expr.As<ast::FunctionCall>().over != nullptr) part.is_movable = false;
      break;
    case ast::ExprKind::kLambda:  // Its parameters look like columns.
    case ast::ExprKind::kIntervalUnit: part.is_movable = false; break;
    case ast::ExprKind::kSubquery:
      part.is_movable = false;
      part.has_subquery = true;
      break;
    default: break;
  }
  ast::VisitParts(expr, [&part](const ast::Expr& inner) { Note(inner, part); });
}

}  // namespace

bool IsEquality(const ast::Expr& expr) {
  return expr.kind == ast::ExprKind::kBinary && expr.As<ast::Binary>().op == ast::BinaryOp::kEqual;
}

void SplitConjuncts(const ast::Expr& expr, std::vector<const ast::Expr*>& parts) {
  if (expr.kind == ast::ExprKind::kBinary && expr.As<ast::Binary>().op == ast::BinaryOp::kAnd) {
    SplitConjuncts(*expr.As<ast::Binary>().left, parts);
    SplitConjuncts(*expr.As<ast::Binary>().right, parts);
    return;
  }
  parts.push_back(&expr);
}

std::vector<WherePart> PartsOf(const ast::Expr* where) {
  std::vector<WherePart> parts;
  if (where == nullptr) return parts;
  std::vector<const ast::Expr*> exprs;
  SplitConjuncts(*where, exprs);
  for (const ast::Expr* expr : exprs) parts.push_back(PartOf(*expr));
  return parts;
}

WherePart PartOf(const ast::Expr& expr) {
  WherePart part;
  part.expr = &expr;
  Note(expr, part);
  return part;
}

bool IsCovered(const WherePart& part, const Scope& scope) {
  if (part.columns.empty()) return false;
  return std::ranges::all_of(part.columns, [&](const ast::ColumnRef* ref) {
    const std::vector<const ScopeColumn*> found = scope.Find(ref->column.name);
    return std::ranges::any_of(found, [&](const ScopeColumn* column) {
      return ref->qualifier ? column->source == ref->qualifier->name : !column->is_merged;
    });
  });
}

}  // namespace weir
