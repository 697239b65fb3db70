#include "planner/binder/bound_expr.h"

#include "planner/binder/literals.h"

namespace weir {
namespace {

std::string JoinChildren(const BoundExpr& expr, const Schema& schema, std::string_view separator,
                         size_t from = 0) {
  std::string text;
  for (size_t i = from; i < expr.children.size(); ++i) {
    if (i > from) text += separator;
    text += ToText(*expr.children[i], schema);
  }
  return text;
}

bool IsOperatorName(std::string_view name) {
  const char c = name.front();
  return !(c >= 'A' && c <= 'Z') || name.starts_with("IS ") || name == "LIKE";
}

std::string CallText(const BoundExpr& expr, const Schema& schema) {
  const std::string& name = expr.function->name;
  if (IsOperatorName(name) && expr.children.size() == 2) {
    return "(" + JoinChildren(expr, schema, " " + name + " ") + ")";
  }
  return name + "(" + JoinChildren(expr, schema, ", ") + ")";
}

std::string CaseText(const BoundExpr& expr, const Schema& schema) {
  std::string text = "CASE";
  size_t i = 0;
  for (; i + 1 < expr.children.size(); i += 2) {
    text += " WHEN " + ToText(*expr.children[i], schema) + " THEN " +
            ToText(*expr.children[i + 1], schema);
  }
  if (i < expr.children.size()) text += " ELSE " + ToText(*expr.children[i], schema);
  return text + " END";
}

}  // namespace

std::string ToText(const BoundExpr& expr, const Schema& schema) {
  switch (expr.kind) {
    case BoundKind::kLiteral: return ValueText(expr.value, expr.type);
    case BoundKind::kColumn:
      return expr.index >= 0 && expr.index < schema.size() ? schema.columns[expr.index].name
                                                           : "#" + std::to_string(expr.index);
    case BoundKind::kSystem: return std::string(SystemColumnName(expr.system));
    case BoundKind::kCall: return CallText(expr, schema);
    case BoundKind::kCast:
      return "CAST(" + JoinChildren(expr, schema, ", ") + " AS " + expr.type.ToString() + ")";
    case BoundKind::kCase: return CaseText(expr, schema);
    case BoundKind::kAnd: return "(" + JoinChildren(expr, schema, " AND ") + ")";
    case BoundKind::kOr: return "(" + JoinChildren(expr, schema, " OR ") + ")";
    case BoundKind::kNot: return "NOT " + JoinChildren(expr, schema, "");
    case BoundKind::kIsNull: return JoinChildren(expr, schema, "") + " IS NULL";
    case BoundKind::kIsNotNull: return JoinChildren(expr, schema, "") + " IS NOT NULL";
    case BoundKind::kIn:
      return ToText(*expr.children[0], schema) + " IN (" + JoinChildren(expr, schema, ", ", 1) +
             ")";
    case BoundKind::kSubscript:
      return ToText(*expr.children[0], schema) + "[" + ToText(*expr.children[1], schema) + "]";
    case BoundKind::kField:
      return ToText(*expr.children[0], schema) + "->" +
             expr.children[0]->type.fields()[expr.index].name;
    case BoundKind::kArray: return "ARRAY[" + JoinChildren(expr, schema, ", ") + "]";
    case BoundKind::kMap: return "MAP(" + JoinChildren(expr, schema, ", ") + ")";
    case BoundKind::kStruct: return "STRUCT(" + JoinChildren(expr, schema, ", ") + ")";
    case BoundKind::kLambda:
      return "p" + std::to_string(expr.index) + "… => " + JoinChildren(expr, schema, "");
    case BoundKind::kLambdaParam: return "p" + std::to_string(expr.index);
  }
  return {};
}

DataType SystemColumnType(SystemColumn column) {
  switch (column) {
    case SystemColumn::kPartition: return DataType::Int();
    case SystemColumn::kHeaders:
      return DataType::Array(
          DataType::Struct({{"KEY", DataType::String()}, {"VALUE", DataType::Bytes()}}));
    default: return DataType::Bigint();
  }
}

std::string_view SystemColumnName(SystemColumn column) {
  switch (column) {
    case SystemColumn::kRowTime: return "ROWTIME";
    case SystemColumn::kWindowStart: return "WINDOWSTART";
    case SystemColumn::kWindowEnd: return "WINDOWEND";
    case SystemColumn::kPartition: return "ROWPARTITION";
    case SystemColumn::kOffset: return "ROWOFFSET";
    case SystemColumn::kHeaders: return "HEADERS";
    case SystemColumn::kStreamTime: return "STREAMTIME";
  }
  return {};
}

}  // namespace weir
