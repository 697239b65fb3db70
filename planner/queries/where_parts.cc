#include "planner/queries/where_parts.h"

#include <algorithm>

namespace weir {
namespace {

void Note(const ast::Expr& expr, WherePart& part);

void Note(const ast::ExprPtr& expr, WherePart& part) {
  if (expr != nullptr) Note(*expr, part);
}

void Note(const std::vector<ast::ExprPtr>& exprs, WherePart& part) {
  for (const ast::ExprPtr& expr : exprs) Note(expr, part);
}

void NoteCall(const ast::FunctionCall& call, WherePart& part) {
  Note(call.args, part);
  Note(call.filter, part);
  if (call.over == nullptr) return;
  part.is_movable = false;
  Note(call.over->partition_by, part);
  for (const ast::OrderItem& item : call.over->order_by) Note(item.expr, part);
}

void NoteCase(const ast::Case& expr, WherePart& part) {
  Note(expr.subject, part);
  for (const ast::CaseBranch& branch : expr.branches) {
    Note(branch.when, part);
    Note(branch.then, part);
  }
  Note(expr.otherwise, part);
}

void Note(const ast::Expr& expr, WherePart& part) {
  using ast::ExprKind;
  switch (expr.kind) {
    case ExprKind::kLiteral: return;
    case ExprKind::kColumnRef: part.columns.push_back(&expr.As<ast::ColumnRef>()); return;
    case ExprKind::kUnary: return Note(expr.As<ast::Unary>().operand, part);
    case ExprKind::kBinary:
      Note(expr.As<ast::Binary>().left, part);
      return Note(expr.As<ast::Binary>().right, part);
    case ExprKind::kNot: return Note(expr.As<ast::Not>().operand, part);
    case ExprKind::kIsNull: return Note(expr.As<ast::IsNull>().operand, part);
    case ExprKind::kBetween:
      Note(expr.As<ast::Between>().operand, part);
      Note(expr.As<ast::Between>().low, part);
      return Note(expr.As<ast::Between>().high, part);
    case ExprKind::kInList:
      Note(expr.As<ast::InList>().operand, part);
      return Note(expr.As<ast::InList>().values, part);
    case ExprKind::kLike:
      Note(expr.As<ast::Like>().operand, part);
      return Note(expr.As<ast::Like>().pattern, part);
    case ExprKind::kCase: return NoteCase(expr.As<ast::Case>(), part);
    case ExprKind::kCast: return Note(expr.As<ast::Cast>().operand, part);
    case ExprKind::kFunctionCall: return NoteCall(expr.As<ast::FunctionCall>(), part);
    case ExprKind::kSubscript:
      Note(expr.As<ast::Subscript>().base, part);
      return Note(expr.As<ast::Subscript>().index, part);
    case ExprKind::kStructField: return Note(expr.As<ast::StructField>().base, part);
    case ExprKind::kArrayLiteral: return Note(expr.As<ast::ArrayLiteral>().elements, part);
    case ExprKind::kMapLiteral:
      for (const auto& [key, value] : expr.As<ast::MapLiteral>().entries) {
        Note(key, part);
        Note(value, part);
      }
      return;
    case ExprKind::kStructLiteral:
      for (const auto& [name, value] : expr.As<ast::StructLiteral>().fields) Note(value, part);
      return;
    case ExprKind::kAtTimeZone: return Note(expr.As<ast::AtTimeZone>().operand, part);
    case ExprKind::kLambda:
      // Its parameters look like columns.
      part.is_movable = false;
      return Note(expr.As<ast::Lambda>().body, part);
    case ExprKind::kIntervalUnit: part.is_movable = false; return;
    case ExprKind::kSubquery:
      part.is_movable = false;
      part.has_subquery = true;
      return Note(expr.As<ast::SubqueryExpr>().operand, part);
  }
}

}  // namespace

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
