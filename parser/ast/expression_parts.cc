#include "parser/ast/expression_parts.h"

#include "parser/ast/query.h"

namespace weir::ast {
namespace {

class PartVisitor {
 public:
  explicit PartVisitor(const std::function<void(Expr&)>& visit) : visit_(visit) {}

  void VisitAll(const Expr& expr);

 private:
  void Visit(const ExprPtr& expr) {
    if (expr != nullptr) visit_(*expr);
  }
  void Visit(const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& expr : exprs) Visit(expr);
  }
  void VisitCall(const FunctionCall& call) {
    Visit(call.args);
    Visit(call.filter);
    if (call.over == nullptr) return;
    Visit(call.over->partition_by);
    for (const OrderItem& item : call.over->order_by) Visit(item.expr);
  }
  void VisitCase(const Case& expr) {
    Visit(expr.subject);
    for (const CaseBranch& branch : expr.branches) {
      Visit(branch.when);
      Visit(branch.then);
    }
    Visit(expr.otherwise);
  }

  const std::function<void(Expr&)>& visit_;
};

void PartVisitor::VisitAll(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
    case ExprKind::kColumnRef:
    case ExprKind::kIntervalUnit: return;
    case ExprKind::kUnary: return Visit(expr.As<Unary>().operand);
    case ExprKind::kBinary: Visit(expr.As<Binary>().left); return Visit(expr.As<Binary>().right);
    case ExprKind::kNot: return Visit(expr.As<Not>().operand);
    case ExprKind::kIsNull: return Visit(expr.As<IsNull>().operand);
    case ExprKind::kBetween:
      Visit(expr.As<Between>().operand);
      Visit(expr.As<Between>().low);
      return Visit(expr.As<Between>().high);
    case ExprKind::kInList:
      Visit(expr.As<InList>().operand);
      return Visit(expr.As<InList>().values);
    case ExprKind::kLike: Visit(expr.As<Like>().operand); return Visit(expr.As<Like>().pattern);
    case ExprKind::kCase: return VisitCase(expr.As<Case>());
    case ExprKind::kCast: return Visit(expr.As<Cast>().operand);
    case ExprKind::kFunctionCall: return VisitCall(expr.As<FunctionCall>());
    case ExprKind::kLambda: return Visit(expr.As<Lambda>().body);
    case ExprKind::kSubscript:
      Visit(expr.As<Subscript>().base);
      return Visit(expr.As<Subscript>().index);
    case ExprKind::kStructField: return Visit(expr.As<StructField>().base);
    case ExprKind::kArrayLiteral: return Visit(expr.As<ArrayLiteral>().elements);
    case ExprKind::kMapLiteral:
      for (const auto& [key, value] : expr.As<MapLiteral>().entries) {
        Visit(key);
        Visit(value);
      }
      return;
    case ExprKind::kStructLiteral:
      for (const auto& [name, value] : expr.As<StructLiteral>().fields) Visit(value);
      return;
    case ExprKind::kAtTimeZone: return Visit(expr.As<AtTimeZone>().operand);
    case ExprKind::kSubquery: return Visit(expr.As<SubqueryExpr>().operand);
  }
}

}  // namespace

void VisitParts(const Expr& expr, const std::function<void(Expr&)>& visit) {
  PartVisitor(visit).VisitAll(expr);
}

}  // namespace weir::ast
