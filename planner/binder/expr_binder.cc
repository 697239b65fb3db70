#include "planner/binder/expr_binder.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/literals.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

/// The same node with the text and place of the AST it came from.
BoundExprPtr Labelled(BoundExprPtr bound, const ast::Expr& expr) {
  auto copy = std::make_shared<BoundExpr>(*bound);
  copy->position = expr.position;
  if (copy->text.empty()) copy->text = ast::FormatExpr(expr);
  return copy;
}

std::string_view OperatorName(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::kAdd: return "+";
    case ast::BinaryOp::kSubtract: return "-";
    case ast::BinaryOp::kMultiply: return "*";
    case ast::BinaryOp::kDivide: return "/";
    case ast::BinaryOp::kModulo: return "%";
    case ast::BinaryOp::kConcat: return "||";
    case ast::BinaryOp::kEqual: return "=";
    case ast::BinaryOp::kNotEqual: return "<>";
    case ast::BinaryOp::kLess: return "<";
    case ast::BinaryOp::kLessOrEqual: return "<=";
    case ast::BinaryOp::kGreater: return ">";
    case ast::BinaryOp::kGreaterOrEqual: return ">=";
    case ast::BinaryOp::kIsDistinctFrom: return "IS DISTINCT FROM";
    case ast::BinaryOp::kIsNotDistinctFrom: return "IS NOT DISTINCT FROM";
    case ast::BinaryOp::kAnd: return "AND";
    case ast::BinaryOp::kOr: return "OR";
  }
  return {};
}

/// How arguments that an operator does not take become some that it does.
std::string OperatorHint(std::string_view name, const std::vector<BoundExprPtr>& args) {
  const auto is_text = [](const BoundExprPtr& arg) { return arg->type.is(TypeKind::kString); };
  const auto text = std::ranges::find_if(args, is_text);
  const auto other = std::ranges::find_if_not(args, is_text);
  if (text == args.end() || other == args.end()) {
    return name == "+" && other == args.end() ? "|| joins texts" : "";
  }
  if (name == "||" && !(*other)->type.is_nested()) {
    return "CAST makes a text of it: CAST(" + (*other)->text + " AS STRING)";
  }
  if (!(*other)->type.is_numeric()) return "";
  return "|| joins texts; CAST makes a number of a text: CAST(" + (*text)->text + " AS " +
         (*other)->type.ToString() + ")";
}

Status Correlated(const ast::ColumnRef& ref) {
  return Status(ErrorCode::kUnsupported,
                "a subquery that reads a column of the query around it is not supported here: " +
                    ast::FormatExpr(ref))
      .At(ref.position)
      .WithHint("a join says the same: FROM a JOIN (SELECT …) b ON a.x = b.y");
}

bool IsArithmetic(ast::BinaryOp op) { return op <= ast::BinaryOp::kConcat; }

}  // namespace

Result<BoundExprPtr> ExprBinder::Bind(const ast::Expr& expr) { return BindNode(expr); }

Result<BoundExprPtr> ExprBinder::BindPredicate(const ast::Expr& expr) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, Bind(expr));
  if (!bound->type.is(TypeKind::kBoolean)) {
    return Status(ErrorCode::kTypeMismatch,
                  clause_ + " needs a BOOLEAN, not " + bound->type.ToString() + ": " + bound->text)
        .At(expr.position);
  }
  return bound;
}

Result<BoundExprPtr> ExprBinder::BindNode(const ast::Expr& expr) {
  Result<BoundExprPtr> bound = [&]() -> Result<BoundExprPtr> {
    switch (expr.kind) {
      case ast::ExprKind::kLiteral:
        return BindLiteral(expr.As<ast::Literal>().value, expr.position);
      case ast::ExprKind::kColumnRef: return BindColumn(expr.As<ast::ColumnRef>());
      case ast::ExprKind::kUnary: return BindUnary(expr.As<ast::Unary>());
      case ast::ExprKind::kBinary: return BindBinary(expr.As<ast::Binary>());
      case ast::ExprKind::kNot: {
        WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindBoolean(*expr.As<ast::Not>().operand));
        return MakeLogical(BoundKind::kNot, {std::move(operand)});
      }
      case ast::ExprKind::kIsNull: {
        const auto& is_null = expr.As<ast::IsNull>();
        WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*is_null.operand));
        return MakeLogical(is_null.negated ? BoundKind::kIsNotNull : BoundKind::kIsNull,
                           {std::move(operand)});
      }
      case ast::ExprKind::kBetween: return BindBetween(expr.As<ast::Between>());
      case ast::ExprKind::kInList: return BindIn(expr.As<ast::InList>());
      case ast::ExprKind::kLike: return BindLike(expr.As<ast::Like>());
      case ast::ExprKind::kCase: return BindCase(expr.As<ast::Case>());
      case ast::ExprKind::kCast: return BindCast(expr.As<ast::Cast>());
      case ast::ExprKind::kFunctionCall: return BindCall(expr.As<ast::FunctionCall>());
      case ast::ExprKind::kLambda:
        return Status(ErrorCode::kInvalidStatement,
                      "a lambda stands only as an argument of a function");
      case ast::ExprKind::kSubscript: return BindSubscript(expr.As<ast::Subscript>());
      case ast::ExprKind::kStructField: return BindStructField(expr.As<ast::StructField>());
      case ast::ExprKind::kArrayLiteral: return BindArray(expr.As<ast::ArrayLiteral>());
      case ast::ExprKind::kMapLiteral: return BindMap(expr.As<ast::MapLiteral>());
      case ast::ExprKind::kStructLiteral: return BindStruct(expr.As<ast::StructLiteral>());
      case ast::ExprKind::kAtTimeZone:
        return Status(ErrorCode::kUnsupported, "AT TIME ZONE is not supported")
            .WithHint("CONVERT_TZ(timestamp, from_zone, to_zone) converts");
      case ast::ExprKind::kIntervalUnit: {
        ast::ColumnRef ref;
        ref.column = expr.As<ast::IntervalUnit>().name;
        ref.position = expr.position;
        return BindColumn(ref);
      }
      case ast::ExprKind::kSubquery: return BindSubquery(expr.As<ast::SubqueryExpr>());
    }
    return Status(ErrorCode::kInternal, "expression of an unknown kind");
  }();
  if (!bound.ok()) {
    if (bound.status().position()) return bound;
    return std::move(bound).status().At(expr.position);
  }
  return Labelled(std::move(*bound), expr);
}

Result<BoundExprPtr> ExprBinder::BindColumn(const ast::ColumnRef& ref) {
  if (!ref.qualifier) {
    for (auto it = lambda_parameters_.rbegin(); it != lambda_parameters_.rend(); ++it) {
      if (it->name != ref.column.name) continue;
      auto parameter = NewExpr(BoundKind::kLambdaParam, it->type);
      parameter->index = it->number;
      parameter->text = ref.column.name;
      return BoundExprPtr(parameter);
    }
  }
  Result<const ScopeColumn*> found = scope_.Resolve(ref, clause_);
  if (!found.ok()) {
    for (const OuterScope* outer = outer_; outer != nullptr; outer = outer->outer) {
      if (outer->scope->Resolve(ref, clause_).ok()) return Correlated(ref);
    }
    return std::move(found).status();
  }
  const ScopeColumn* column = *found;
  auto copy = std::make_shared<BoundExpr>(*column->expr);
  copy->text.clear();
  return BoundExprPtr(copy);
}

Result<BoundExprPtr> ExprBinder::BindSubquery(const ast::SubqueryExpr& expr) {
  if (inside_aggregate_ || !lambda_parameters_.empty() || bind_subquery_ == nullptr) {
    const std::string where = inside_aggregate_             ? "an aggregate function"
                              : !lambda_parameters_.empty() ? "a lambda"
                                                            : clause_;
    return Status(ErrorCode::kUnsupported, "a subquery in " + where + " is not supported")
        .WithHint(
            "a SELECT without EMIT takes them in WHERE, SELECT, HAVING and ORDER BY, while "
            "weir.sql.extensions is true");
  }
  BoundExprPtr operand;
  if (expr.operand != nullptr) {
    WEIR_ASSIGN_OR_RETURN(operand, BindNode(*expr.operand));
  }
  return bind_subquery_(expr, std::move(operand));
}

Result<BoundExprPtr> ExprBinder::BindUnary(const ast::Unary& unary) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*unary.operand));
  if (!operand->type.is_numeric()) {
    return Status(ErrorCode::kTypeMismatch,
                  "a sign needs a number, not " + operand->type.ToString());
  }
  if (unary.op == ast::UnaryOp::kPlus) return operand;
  return ResolveOperator("-", {std::move(operand)}, unary);
}

Result<BoundExprPtr> ExprBinder::BindBinary(const ast::Binary& binary) {
  if (binary.op == ast::BinaryOp::kAnd || binary.op == ast::BinaryOp::kOr) {
    return BindLogic(binary);
  }
  const std::string_view op = OperatorName(binary.op);
  if (IsArithmetic(binary.op)) return BindArithmetic(op, binary);
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr left, BindNode(*binary.left));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr right, BindNode(*binary.right));
  return BindComparison(op, std::move(left), std::move(right), binary);
}

Result<BoundExprPtr> ExprBinder::BindArithmetic(std::string_view op, const ast::Binary& binary) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr left, BindNode(*binary.left));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr right, BindNode(*binary.right));
  if (left->type.is(TypeKind::kNull) || right->type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kTypeMismatch, "arithmetic with NULL is not supported: " + left->text +
                                                " " + std::string(op) + " " + right->text)
        .At(binary.op_position);
  }
  return ResolveOperator(op, {std::move(left), std::move(right)}, binary);
}

Result<BoundExprPtr> ExprBinder::BindComparison(std::string_view op, BoundExprPtr left,
                                                BoundExprPtr right, const ast::Expr& whole) {
  WEIR_RETURN_IF_ERROR(CoerceComparison(op, left, right));
  return ResolveOperator(op, {std::move(left), std::move(right)}, whole);
}

Result<BoundExprPtr> ExprBinder::BindBoolean(const ast::Expr& expr) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindNode(expr));
  if (bound->type.is(TypeKind::kNull)) return MakeCast(std::move(bound), DataType::Boolean());
  if (!bound->type.is(TypeKind::kBoolean)) {
    return Status(ErrorCode::kTypeMismatch,
                  "a condition needs a BOOLEAN, not " + bound->type.ToString() + ": " + bound->text)
        .At(expr.position);
  }
  return bound;
}

Result<BoundExprPtr> ExprBinder::BindLogic(const ast::Binary& binary) {
  const BoundKind kind = binary.op == ast::BinaryOp::kAnd ? BoundKind::kAnd : BoundKind::kOr;
  std::vector<BoundExprPtr> children;
  for (const ast::Expr* side : {binary.left.get(), binary.right.get()}) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindBoolean(*side));
    if (bound->kind == kind) {
      children.insert(children.end(), bound->children.begin(), bound->children.end());
    } else {
      children.push_back(std::move(bound));
    }
  }
  return MakeLogical(kind, std::move(children));
}

Result<BoundExprPtr> ExprBinder::BindBetween(const ast::Between& between) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*between.operand));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr low, BindNode(*between.low));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr high, BindNode(*between.high));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr above, BindComparison(">=", operand, low, between));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr below, BindComparison("<=", operand, high, between));
  BoundExprPtr both = MakeLogical(BoundKind::kAnd, {std::move(above), std::move(below)});
  if (!between.negated) return both;
  return MakeLogical(BoundKind::kNot, {std::move(both)});
}

Result<BoundExprPtr> ExprBinder::BindIn(const ast::InList& in) {
  std::vector<BoundExprPtr> list;
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*in.operand));
  list.push_back(std::move(operand));
  for (const ast::ExprPtr& value : in.values) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindNode(*value));
    list.push_back(std::move(bound));
  }
  WEIR_ASSIGN_OR_RETURN(list, CoerceList(std::move(list)));
  // NULLs of the list take its type, so that kernels see one type only.
  for (BoundExprPtr& element : list) element = MakeCast(std::move(element), list[0]->type);
  BoundExprPtr bound = MakeLogical(BoundKind::kIn, std::move(list));
  if (!in.negated) return bound;
  return MakeLogical(BoundKind::kNot, {std::move(bound)});
}

Result<BoundExprPtr> ExprBinder::BindLike(const ast::Like& like) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*like.operand));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr pattern, BindNode(*like.pattern));
  for (const BoundExprPtr& side : {operand, pattern}) {
    if (side->type.is(TypeKind::kString)) continue;
    return Status(ErrorCode::kTypeMismatch,
                  "LIKE compares STRINGs, not " + side->type.ToString() + ": " + side->text)
        .At(side->position);
  }
  std::vector<BoundExprPtr> args = {std::move(operand), std::move(pattern)};
  if (like.escape) {
    size_t characters = 0;
    for (char c : *like.escape) characters += (c & 0xC0) != 0x80 ? 1 : 0;
    if (characters != 1) {
      return Status(ErrorCode::kInvalidStatement,
                    "ESCAPE takes one character: '" + *like.escape + "'");
    }
    args.push_back(MakeLiteral(Value(*like.escape), DataType::String(), *like.escape));
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, ResolveOperator("LIKE", std::move(args), like));
  if (!like.negated) return bound;
  return MakeLogical(BoundKind::kNot, {std::move(bound)});
}

Result<BoundExprPtr> ExprBinder::BindCase(const ast::Case& expr) {
  BoundExprPtr subject;
  if (expr.subject != nullptr) {
    WEIR_ASSIGN_OR_RETURN(subject, BindNode(*expr.subject));
  }
  std::vector<BoundExprPtr> whens;
  std::vector<BoundExprPtr> results;
  for (const ast::CaseBranch& branch : expr.branches) {
    if (subject == nullptr) {
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr when, BindBoolean(*branch.when));
      whens.push_back(std::move(when));
    } else {
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr when, BindNode(*branch.when));
      WEIR_ASSIGN_OR_RETURN(when, BindComparison("=", subject, std::move(when), *branch.when));
      whens.push_back(std::move(when));
    }
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr then, BindNode(*branch.then));
    results.push_back(std::move(then));
  }
  if (expr.otherwise != nullptr) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr otherwise, BindNode(*expr.otherwise));
    results.push_back(std::move(otherwise));
  }
  WEIR_ASSIGN_OR_RETURN(results, CoerceList(std::move(results)));
  const DataType type = results[0]->type;
  if (type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kTypeMismatch, "all branches of CASE are NULL, so it has no type");
  }
  std::vector<BoundExprPtr> children;
  for (size_t i = 0; i < whens.size(); ++i) {
    children.push_back(std::move(whens[i]));
    children.push_back(std::move(results[i]));
  }
  if (expr.otherwise != nullptr) children.push_back(std::move(results.back()));
  return BoundExprPtr(NewExpr(BoundKind::kCase, type, std::move(children)));
}

Result<BoundExprPtr> ExprBinder::ResolveOperator(std::string_view name,
                                                 std::vector<BoundExprPtr> args,
                                                 const ast::Expr& whole) {
  std::vector<ArgumentType> types;
  for (const BoundExprPtr& arg : args) {
    types.push_back({.type = arg->type, .is_literal = arg->kind == BoundKind::kLiteral});
  }
  Result<const ScalarOverload*> overload = functions_.ResolveScalar(name, types, nullptr);
  if (!overload.ok()) {
    std::string list;
    for (const ArgumentType& type : types) {
      if (!list.empty()) list += ", ";
      list += type.type.ToString();
    }
    return Status(ErrorCode::kTypeMismatch,
                  "operator " + std::string(name) + " does not take these types: " + list)
        .WithHint(OperatorHint(name, args))
        .At(whole.position);
  }
  for (size_t i = 0; i < args.size() && i < (*overload)->parameter_types.size(); ++i) {
    args[i] = MakeCast(std::move(args[i]), (*overload)->parameter_types[i]);
  }
  return MakeCall(*overload, std::move(args));
}

}  // namespace weir
