#include "parser/ast/type_names.h"

#include "parser/ast/expression_parts.h"

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
  VisitParts(expr, [this](Expr& part) { VisitExpr(part); });
  if (expr.kind == ExprKind::kCast) visit_(expr.As<Cast>().type);
  if (expr.kind == ExprKind::kSubquery) Visit(*expr.As<SubqueryExpr>().query);
}

}  // namespace

void VisitTypeNames(Statement& statement, const std::function<void(TypeName&)>& visit) {
  TypeNameVisitor(visit).Visit(statement);
}

}  // namespace weir::ast
