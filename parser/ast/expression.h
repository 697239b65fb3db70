#pragma once

// Expressions as trees of plain structs. A node is owned by its parent through ExprPtr; trees are
// built by the parser, copied with CloneExpr and printed with FormatExpr (parser/ast/printer.h).
// `kind` says which struct a node is; As<T>() casts. Trees are at most limits::kNestingDepthMax
// high, so recursion over them is safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parser/ast/identifier.h"
#include "parser/ast/type_name.h"
#include "weir/status.h"

namespace weir::ast {

enum class ExprKind {
  kLiteral,
  kColumnRef,
  kUnary,
  kBinary,
  kNot,
  kIsNull,
  kBetween,
  kInList,
  kLike,
  kCase,
  kCast,
  kFunctionCall,
  kLambda,
  kSubscript,
  kStructField,
  kArrayLiteral,
  kMapLiteral,
  kStructLiteral,
  kAtTimeZone,
  kIntervalUnit,
  kSubquery,
};

/// Base of all expressions. Not copyable: CloneExpr says when a copy is made.
struct Expr {
  explicit Expr(ExprKind kind) : kind(kind) {}
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;
  virtual ~Expr() = default;

  const ExprKind kind;
  /// Where its text begins; for operators, the operator's left operand's begin.
  SourcePosition position;
  /// Height of the tree below, 1 for a leaf.
  int height = 1;

  /// This node as `T`; `kind` must be T::kKind.
  template <typename T>
  const T& As() const {
    return static_cast<const T&>(*this);
  }
  template <typename T>
  T& As() {
    return static_cast<T&>(*this);
  }
};
using ExprPtr = std::unique_ptr<Expr>;

enum class LiteralKind {
  kNull,
  kBoolean,
  kInt,      ///< Fits 32 bits: integer.
  kBigint,   ///< Fits 64 bits: integer.
  kDecimal,  ///< `12.50`: text holds sign and digits as written.
  kDouble,   ///< `1e3`: real; text as written.
  kString,   ///< text is the unescaped value, UTF-8.
  kTyped,    ///< `DATE '2020-01-01'`: type_name and text.
};

/// The value of a literal. Copyable, comparable through its canonical text.
struct LiteralValue {
  LiteralKind kind = LiteralKind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;      ///< Digits as written (sign included), or a string's contents.
  Identifier type_name;  ///< kTyped only.
};

struct Literal : Expr {
  static constexpr ExprKind kKind = ExprKind::kLiteral;
  Literal() : Expr(kKind) {}
  LiteralValue value;
};

/// `name` or `qualifier.name`; also a lambda's parameter, which only the binder can tell apart.
struct ColumnRef : Expr {
  static constexpr ExprKind kKind = ExprKind::kColumnRef;
  ColumnRef() : Expr(kKind) {}
  std::optional<Identifier> qualifier;
  Identifier column;
};

enum class UnaryOp { kMinus, kPlus };
/// A sign. A minus before a number literal is already part of the literal.
struct Unary : Expr {
  static constexpr ExprKind kKind = ExprKind::kUnary;
  Unary() : Expr(kKind) {}
  UnaryOp op = UnaryOp::kMinus;
  ExprPtr operand;
};

enum class BinaryOp {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kConcat,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIsDistinctFrom,
  kIsNotDistinctFrom,
  kAnd,
  kOr,
};
/// Two operands. Chains of AND and of OR come balanced, not left-deep, so long ones stay low.
struct Binary : Expr {
  static constexpr ExprKind kKind = ExprKind::kBinary;
  Binary() : Expr(kKind) {}
  BinaryOp op = BinaryOp::kAdd;
  SourcePosition op_position;
  ExprPtr left;
  ExprPtr right;
};

struct Not : Expr {
  static constexpr ExprKind kKind = ExprKind::kNot;
  Not() : Expr(kKind) {}
  ExprPtr operand;
};

struct IsNull : Expr {
  static constexpr ExprKind kKind = ExprKind::kIsNull;
  IsNull() : Expr(kKind) {}
  ExprPtr operand;
  bool negated = false;  ///< IS NOT NULL.
};

struct Between : Expr {
  static constexpr ExprKind kKind = ExprKind::kBetween;
  Between() : Expr(kKind) {}
  ExprPtr operand;
  ExprPtr low;
  ExprPtr high;
  bool negated = false;
};

struct InList : Expr {
  static constexpr ExprKind kKind = ExprKind::kInList;
  InList() : Expr(kKind) {}
  ExprPtr operand;
  std::vector<ExprPtr> values;  ///< At least one.
  bool negated = false;
};

struct Like : Expr {
  static constexpr ExprKind kKind = ExprKind::kLike;
  Like() : Expr(kKind) {}
  ExprPtr operand;
  ExprPtr pattern;
  std::optional<std::string> escape;  ///< The text after ESCAPE; one character is not yet checked.
  bool negated = false;
};

struct CaseBranch {
  ExprPtr when;
  ExprPtr then;
};
struct Case : Expr {
  static constexpr ExprKind kKind = ExprKind::kCase;
  Case() : Expr(kKind) {}
  ExprPtr subject;                   ///< Null for CASE WHEN….
  std::vector<CaseBranch> branches;  ///< At least one.
  ExprPtr otherwise;                 ///< Null without ELSE.
};

struct Cast : Expr {
  static constexpr ExprKind kKind = ExprKind::kCast;
  Cast() : Expr(kKind) {}
  ExprPtr operand;
  TypeName type;
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
  OrderItem() = default;
};
/// OVER (PARTITION BY … ORDER BY … frame).
struct OverClause {
  std::vector<ExprPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::string frame;  ///< Canonical text of a ROWS/RANGE frame, or empty.
  SourcePosition position;
};

struct FunctionCall : Expr {
  static constexpr ExprKind kKind = ExprKind::kFunctionCall;
  FunctionCall() : Expr(kKind) {}
  Identifier name;
  bool star = false;                 ///< COUNT(*): args is empty.
  bool distinct = false;             ///< COUNT(DISTINCT x).
  std::vector<ExprPtr> args;         ///< Lambdas and interval units may stand among them.
  ExprPtr filter;                    ///< FILTER (WHERE …); null without.
  std::unique_ptr<OverClause> over;  ///< Null for a plain call.
};

/// `x => e`, `(x, y) => e`; only as a function's argument.
struct Lambda : Expr {
  static constexpr ExprKind kKind = ExprKind::kLambda;
  Lambda() : Expr(kKind) {}
  std::vector<Identifier> parameters;
  ExprPtr body;
};

/// `base[index]` on an array or a map.
struct Subscript : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubscript;
  Subscript() : Expr(kKind) {}
  ExprPtr base;
  ExprPtr index;
};

/// `base->field`.
struct StructField : Expr {
  static constexpr ExprKind kKind = ExprKind::kStructField;
  StructField() : Expr(kKind) {}
  ExprPtr base;
  Identifier field;
};

/// `ARRAY[a, b]`; may be empty.
struct ArrayLiteral : Expr {
  static constexpr ExprKind kKind = ExprKind::kArrayLiteral;
  ArrayLiteral() : Expr(kKind) {}
  std::vector<ExprPtr> elements;
};

/// `MAP(k := v, …)`; may be empty.
struct MapLiteral : Expr {
  static constexpr ExprKind kKind = ExprKind::kMapLiteral;
  MapLiteral() : Expr(kKind) {}
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};

/// `STRUCT(f := v, …)`; may be empty.
struct StructLiteral : Expr {
  static constexpr ExprKind kKind = ExprKind::kStructLiteral;
  StructLiteral() : Expr(kKind) {}
  std::vector<std::pair<Identifier, ExprPtr>> fields;
};

/// `operand AT TIME ZONE 'zone'`.
struct AtTimeZone : Expr {
  static constexpr ExprKind kKind = ExprKind::kAtTimeZone;
  AtTimeZone() : Expr(kKind) {}
  ExprPtr operand;
  std::string zone;
};

enum class TimeUnit { kMillisecond, kSecond, kMinute, kHour, kDay, kWeek, kMonth, kYear };
/// A bare unit as a function's argument: DATEADD(DAYS, 1, d). Where a column of that name is meant
/// (DAY, HOUR, MINUTE, SECOND, MONTH, YEAR are no reserved words) the binder may take it as one:
/// `name` keeps it.
struct IntervalUnit : Expr {
  static constexpr ExprKind kKind = ExprKind::kIntervalUnit;
  IntervalUnit() : Expr(kKind) {}
  TimeUnit unit = TimeUnit::kDay;
  Identifier name;
};

struct Query;
enum class SubqueryForm {
  kScalar,  ///< (SELECT …)
  kExists,  ///< EXISTS (SELECT …)
  kIn,      ///< operand [NOT] IN (SELECT …)
  kAny,     ///< operand op ANY (SELECT …); SOME is ANY.
  kAll,     ///< operand op ALL (SELECT …)
};
/// A SELECT as a value or a condition.
struct SubqueryExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::kSubquery;
  SubqueryExpr();
  ~SubqueryExpr() override;
  SubqueryForm form = SubqueryForm::kScalar;
  ExprPtr operand;                 ///< kIn, kAny, kAll.
  BinaryOp op = BinaryOp::kEqual;  ///< kAny, kAll: a comparison.
  bool negated = false;            ///< NOT IN.
  std::unique_ptr<Query> query;
};

}  // namespace weir::ast
