#include <fmt/format.h>

#include "parser/ast/print_parts.h"
#include "parser/ast/printer.h"
#include "parser/keyword_table.h"

namespace weir::ast {
namespace {

/// How tightly an expression binds, loosest first, as in the grammar.
enum Level {
  kOrLevel,
  kAndLevel,
  kNotLevel,
  kPredicateLevel,
  kConcatLevel,
  kAdditiveLevel,
  kMultiplicativeLevel,
  kSignLevel,
  kZoneLevel,
  kPrimaryLevel,
};

struct Operator {
  std::string_view text;
  Level level;
};

Operator OperatorOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd: return {"+", kAdditiveLevel};
    case BinaryOp::kSubtract: return {"-", kAdditiveLevel};
    case BinaryOp::kMultiply: return {"*", kMultiplicativeLevel};
    case BinaryOp::kDivide: return {"/", kMultiplicativeLevel};
    case BinaryOp::kModulo: return {"%", kMultiplicativeLevel};
    case BinaryOp::kConcat: return {"||", kConcatLevel};
    case BinaryOp::kEqual: return {"=", kPredicateLevel};
    case BinaryOp::kNotEqual: return {"<>", kPredicateLevel};
    case BinaryOp::kLess: return {"<", kPredicateLevel};
    case BinaryOp::kLessOrEqual: return {"<=", kPredicateLevel};
    case BinaryOp::kGreater: return {">", kPredicateLevel};
    case BinaryOp::kGreaterOrEqual: return {">=", kPredicateLevel};
    case BinaryOp::kIsDistinctFrom: return {"IS DISTINCT FROM", kPredicateLevel};
    case BinaryOp::kIsNotDistinctFrom: return {"IS NOT DISTINCT FROM", kPredicateLevel};
    case BinaryOp::kAnd: return {"AND", kAndLevel};
    case BinaryOp::kOr: return {"OR", kOrLevel};
  }
  return {"", kPrimaryLevel};
}

bool IsNegativeNumber(const Expr& expr) {
  if (expr.kind != ExprKind::kLiteral) return false;
  const LiteralValue& value = expr.As<Literal>().value;
  const bool number = value.kind == LiteralKind::kInt || value.kind == LiteralKind::kBigint ||
                      value.kind == LiteralKind::kDecimal || value.kind == LiteralKind::kDouble;
  return number && value.text.starts_with('-');
}

bool IsNumber(const Expr& expr) {
  if (expr.kind != ExprKind::kLiteral) return false;
  const LiteralKind kind = expr.As<Literal>().value.kind;
  return kind == LiteralKind::kInt || kind == LiteralKind::kBigint ||
         kind == LiteralKind::kDecimal || kind == LiteralKind::kDouble;
}

Level LevelOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kBinary: return OperatorOf(expr.As<Binary>().op).level;
    case ExprKind::kNot: return kNotLevel;
    case ExprKind::kIsNull:
    case ExprKind::kBetween:
    case ExprKind::kInList:
    case ExprKind::kLike: return kPredicateLevel;
    case ExprKind::kUnary: return kSignLevel;
    case ExprKind::kAtTimeZone: return kZoneLevel;
    case ExprKind::kLambda: return kOrLevel;
    case ExprKind::kSubquery:
      return expr.As<SubqueryExpr>().operand ? kPredicateLevel : kPrimaryLevel;
    case ExprKind::kLiteral: return IsNegativeNumber(expr) ? kSignLevel : kPrimaryLevel;
    case ExprKind::kColumnRef:
    case ExprKind::kCase:
    case ExprKind::kCast:
    case ExprKind::kFunctionCall:
    case ExprKind::kSubscript:
    case ExprKind::kStructField:
    case ExprKind::kArrayLiteral:
    case ExprKind::kMapLiteral:
    case ExprKind::kStructLiteral:
    case ExprKind::kIntervalUnit: break;
  }
  return kPrimaryLevel;
}

/// `expr`, in brackets where it binds looser than `least`.
std::string Format(const Expr& expr, Level least) {
  std::string text = FormatExpr(expr);
  return LevelOf(expr) < least ? "(" + text + ")" : text;
}

Level Above(Level level) { return static_cast<Level>(level + 1); }

std::string FormatBinary(const Binary& binary) {
  const Operator op = OperatorOf(binary.op);
  const bool chains = binary.op == BinaryOp::kAnd || binary.op == BinaryOp::kOr;
  const bool predicate = op.level == kPredicateLevel;
  return fmt::format("{} {} {}", Format(*binary.left, predicate ? Above(op.level) : op.level),
                     op.text, Format(*binary.right, chains ? op.level : Above(op.level)));
}

std::string FormatUnary(const Unary& unary) {
  const bool minus = unary.op == UnaryOp::kMinus;
  // -(5) is not the literal -5, and two minus signs in a row begin a comment.
  if (minus && IsNumber(*unary.operand)) return fmt::format("-({})", FormatExpr(*unary.operand));
  const std::string operand = Format(*unary.operand, kSignLevel);
  const bool apart = operand.starts_with('-') || operand.starts_with('+');
  return fmt::format("{}{}{}", minus ? "-" : "+", apart ? " " : "", operand);
}

std::string FormatCase(const Case& node) {
  std::string out = "CASE";
  if (node.subject) out += " " + Format(*node.subject, kConcatLevel);
  for (const CaseBranch& branch : node.branches) {
    out += fmt::format(" WHEN {} THEN {}", FormatExpr(*branch.when), FormatExpr(*branch.then));
  }
  if (node.otherwise) out += " ELSE " + FormatExpr(*node.otherwise);
  return out + " END";
}

std::string FormatCall(const FunctionCall& call) {
  std::string out = FormatIdentifier(call.name) + "(";
  if (call.star) out += "*";
  if (call.distinct) out += "DISTINCT ";
  out += FormatExprList(call.args) + ")";
  if (call.filter) out += " FILTER (WHERE " + FormatExpr(*call.filter) + ")";
  if (!call.over) return out;
  std::string over;
  const auto add = [&over](const std::string& part) {
    if (!over.empty()) over += " ";
    over += part;
  };
  if (!call.over->partition_by.empty()) {
    add("PARTITION BY " + FormatExprList(call.over->partition_by));
  }
  if (!call.over->order_by.empty()) add("ORDER BY " + FormatOrderItems(call.over->order_by));
  if (!call.over->frame.empty()) add(call.over->frame);
  return out + " OVER (" + over + ")";
}

std::string FormatLambda(const Lambda& lambda) {
  if (lambda.parameters.size() == 1) {
    return fmt::format("{} => {}", FormatIdentifier(lambda.parameters[0]),
                       FormatExpr(*lambda.body));
  }
  return fmt::format("({}) => {}", JoinFormatted(lambda.parameters, FormatIdentifier),
                     FormatExpr(*lambda.body));
}

std::string FormatPredicate(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kIsNull: {
      const auto& node = expr.As<IsNull>();
      return fmt::format("{} IS {}NULL", Format(*node.operand, kConcatLevel),
                         node.negated ? "NOT " : "");
    }
    case ExprKind::kBetween: {
      const auto& node = expr.As<Between>();
      return fmt::format("{} {}BETWEEN {} AND {}", Format(*node.operand, kConcatLevel),
                         node.negated ? "NOT " : "", Format(*node.low, kConcatLevel),
                         Format(*node.high, kConcatLevel));
    }
    case ExprKind::kInList: {
      const auto& node = expr.As<InList>();
      return fmt::format("{} {}IN ({})", Format(*node.operand, kConcatLevel),
                         node.negated ? "NOT " : "", FormatExprList(node.values));
    }
    default: {
      const auto& node = expr.As<Like>();
      std::string out =
          fmt::format("{} {}LIKE {}", Format(*node.operand, kConcatLevel),
                      node.negated ? "NOT " : "", Format(*node.pattern, kConcatLevel));
      if (node.escape) out += " ESCAPE " + FormatText(*node.escape);
      return out;
    }
  }
}

std::string FormatSubquery(const SubqueryExpr& expr) {
  const std::string query = "(" + FormatQuery(*expr.query) + ")";
  switch (expr.form) {
    case SubqueryForm::kScalar: return query;
    case SubqueryForm::kExists: return "EXISTS " + query;
    case SubqueryForm::kIn:
      return fmt::format("{} {}IN {}", Format(*expr.operand, kConcatLevel),
                         expr.negated ? "NOT " : "", query);
    case SubqueryForm::kAny:
    case SubqueryForm::kAll: break;
  }
  return fmt::format("{} {} {} {}", Format(*expr.operand, kConcatLevel), OperatorOf(expr.op).text,
                     expr.form == SubqueryForm::kAny ? "ANY" : "ALL", query);
}

std::string FormatColumn(const ColumnRef& column) {
  if (!column.qualifier) return FormatIdentifier(column.column);
  return FormatIdentifier(*column.qualifier) + "." + FormatIdentifier(column.column);
}

}  // namespace

std::string FormatText(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

std::string FormatIdentifier(const Identifier& identifier) {
  const std::string& name = identifier.name;
  bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '@';
  for (char c : name) {
    plain = plain && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@');
  }
  const std::optional<int> keyword = FindKeyword(name);
  if (plain && !(keyword && Keywords()[static_cast<size_t>(*keyword)].reserved)) return name;
  std::string out = "`";
  for (char c : name) {
    out += c;
    if (c == '`') out += c;
  }
  return out + "`";
}

std::string FormatLiteral(const LiteralValue& value) {
  switch (value.kind) {
    case LiteralKind::kNull: return "NULL";
    case LiteralKind::kBoolean: return value.boolean ? "TRUE" : "FALSE";
    case LiteralKind::kInt:
    case LiteralKind::kBigint:
    case LiteralKind::kDecimal:
    case LiteralKind::kDouble: return value.text;
    case LiteralKind::kString: return FormatText(value.text);
    case LiteralKind::kTyped:
      return FormatIdentifier(value.type_name) + " " + FormatText(value.text);
  }
  return "";
}

std::string FormatType(const TypeName& type) {
  switch (type.kind) {
    case TypeNameKind::kArray: return "ARRAY<" + FormatType(type.children[0]) + ">";
    case TypeNameKind::kMap:
      return fmt::format("MAP<{}, {}>", FormatType(type.children[0]), FormatType(type.children[1]));
    case TypeNameKind::kStruct: {
      std::string fields;
      for (size_t i = 0; i < type.children.size(); ++i) {
        if (i > 0) fields += ", ";
        fields += FormatIdentifier(type.field_names[i]) + " " + FormatType(type.children[i]);
      }
      return "STRUCT<" + fields + ">";
    }
    case TypeNameKind::kNamed: break;
  }
  // DECIMAL is reserved as a name of other things, and stands bare as a type.
  std::string out =
      type.name.name == "DECIMAL" && !type.name.quoted ? "DECIMAL" : FormatIdentifier(type.name);
  if (type.parameters.empty()) return out;
  return out + "(" +
         JoinFormatted(type.parameters, [](int64_t each) { return std::to_string(each); }) + ")";
}

std::string FormatExprList(const std::vector<ExprPtr>& exprs) {
  return JoinFormatted(exprs, [](const ExprPtr& expr) { return FormatExpr(*expr); });
}

std::string FormatExpr(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: return FormatLiteral(expr.As<Literal>().value);
    case ExprKind::kColumnRef: return FormatColumn(expr.As<ColumnRef>());
    case ExprKind::kUnary: return FormatUnary(expr.As<Unary>());
    case ExprKind::kBinary: return FormatBinary(expr.As<Binary>());
    case ExprKind::kNot: return "NOT " + Format(*expr.As<Not>().operand, kNotLevel);
    case ExprKind::kIsNull:
    case ExprKind::kBetween:
    case ExprKind::kInList:
    case ExprKind::kLike: return FormatPredicate(expr);
    case ExprKind::kCase: return FormatCase(expr.As<Case>());
    case ExprKind::kCast:
      return fmt::format("CAST({} AS {})", FormatExpr(*expr.As<Cast>().operand),
                         FormatType(expr.As<Cast>().type));
    case ExprKind::kFunctionCall: return FormatCall(expr.As<FunctionCall>());
    case ExprKind::kLambda: return FormatLambda(expr.As<Lambda>());
    case ExprKind::kSubscript:
      return fmt::format("{}[{}]", Format(*expr.As<Subscript>().base, kPrimaryLevel),
                         Format(*expr.As<Subscript>().index, kConcatLevel));
    case ExprKind::kStructField:
      return fmt::format("{}->{}", Format(*expr.As<StructField>().base, kPrimaryLevel),
                         FormatIdentifier(expr.As<StructField>().field));
    case ExprKind::kArrayLiteral:
      return "ARRAY[" + FormatExprList(expr.As<ArrayLiteral>().elements) + "]";
    case ExprKind::kMapLiteral:
      return "MAP(" +
             JoinFormatted(expr.As<MapLiteral>().entries,
                           [](const auto& entry) {
                             return FormatExpr(*entry.first) + " := " + FormatExpr(*entry.second);
                           }) +
             ")";
    case ExprKind::kStructLiteral:
      return "STRUCT(" +
             JoinFormatted(expr.As<StructLiteral>().fields,
                           [](const auto& field) {
                             return FormatIdentifier(field.first) +
                                    " := " + FormatExpr(*field.second);
                           }) +
             ")";
    case ExprKind::kAtTimeZone:
      return fmt::format("{} AT TIME ZONE {}", Format(*expr.As<AtTimeZone>().operand, kZoneLevel),
                         FormatText(expr.As<AtTimeZone>().zone));
    case ExprKind::kIntervalUnit: return expr.As<IntervalUnit>().name.name;
    case ExprKind::kSubquery: return FormatSubquery(expr.As<SubqueryExpr>());
  }
  return "";
}

}  // namespace weir::ast
