#include "parser/ast/type_names.h"

namespace weir::ast {
namespace {

class TypeNameVisitor {
 public:
  explicit TypeNameVisitor(const std::function<void(TypeName&)>& visit) : visit_(visit) {}

  void Visit(Statement& statement) {
    if (statement.Is<CreateSource>()) Visit(statement.As<CreateSource>().columns);
    if (statement.Is<CreateType>()) visit_(statement.As<CreateType>().type);
    if (statement.Is<AlterSource>()) Visit(statement.As<AlterSource>().added);
    if (statement.Is<CreateAsSelect>()) Visit(*statement.As<CreateAsSelect>().query);
    if (statement.Is<InsertInto>()) Visit(*statement.As<InsertInto>().query);
    if (statement.Is<Pipeline>()) {
      for (Statement& inner : statement.As<Pipeline>().statements) Visit(inner);
    }
  }

 private:
  void Visit(std::vector<ColumnDefinition>& columns) {
    for (ColumnDefinition& column : columns) visit_(column.type);
  }
  void Visit(const ExprPtr& expr) {
    if (expr != nullptr) VisitExpr(*expr);
  }
  void Visit(const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& expr : exprs) Visit(expr);
  }
  void Visit(const std::vector<OrderItem>& items) {
    for (const OrderItem& item : items) Visit(item.expr);
  }
  void Visit(Query& query) {
    for (CommonTable& table : query.ctes) Visit(*table.query);
    for (SelectItem& item : query.items) {
      Visit(item.expr);
      for (Replacement& replacement : item.replaced) Visit(replacement.expr);
    }
    Visit(*query.from);
    Visit(query.where);
    Visit(query.group_by);
    Visit(query.partition_by);
    Visit(query.having);
    Visit(query.order_by);
  }
  void Visit(Relation& relation) {
    switch (relation.kind) {
      case RelationKind::kTable:
      case RelationKind::kNothing: break;
      case RelationKind::kJoin: {
        auto& join = relation.As<Join>();
        Visit(*join.left);
        Visit(*join.right);
        Visit(join.on);
        break;
      }
      case RelationKind::kSubquery: Visit(*relation.As<Subquery>().query); break;
      case RelationKind::kSetOperation:
        for (QueryPtr& part : relation.As<SetOperation>().parts) Visit(*part);
        break;
    }
  }
  void VisitExpr(Expr& expr);

  const std::function<void(TypeName&)>& visit_;
};

void TypeNameVisitor::VisitExpr(Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
    case ExprKind::kColumnRef:
    case ExprKind::kIntervalUnit: break;
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
    case ExprKind::kCase:
      Visit(expr.As<Case>().subject);
      for (const CaseBranch& branch : expr.As<Case>().branches) {
        Visit(branch.when);
        Visit(branch.then);
      }
      return Visit(expr.As<Case>().otherwise);
    case ExprKind::kCast: Visit(expr.As<Cast>().operand); return visit_(expr.As<Cast>().type);
    case ExprKind::kFunctionCall: {
      auto& call = expr.As<FunctionCall>();
      Visit(call.args);
      Visit(call.filter);
      if (call.over == nullptr) break;
      Visit(call.over->partition_by);
      return Visit(call.over->order_by);
    }
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
      break;
    case ExprKind::kStructLiteral:
      for (const auto& [name, value] : expr.As<StructLiteral>().fields) Visit(value);
      break;
    case ExprKind::kAtTimeZone: return Visit(expr.As<AtTimeZone>().operand);
    case ExprKind::kSubquery:
      Visit(expr.As<SubqueryExpr>().operand);
      return Visit(*expr.As<SubqueryExpr>().query);
  }
}

}  // namespace

void VisitTypeNames(Statement& statement, const std::function<void(TypeName&)>& visit) {
  TypeNameVisitor(visit).Visit(statement);
}

}  // namespace weir::ast
