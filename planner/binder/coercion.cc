#include "planner/binder/coercion.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "base/time_text.h"
#include "base/type_rules.h"
#include "planner/binder/literals.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

Status NoConversion(const BoundExpr& expr, const DataType& type) {
  return Status(ErrorCode::kTypeMismatch, "an expression of type " + expr.type.ToString() +
                                              " does not convert to " + type.ToString() + ": " +
                                              expr.text)
      .WithHint("CAST(… AS …) converts where it is meant")
      .At(expr.position);
}

bool IsTemporal(const DataType& type) {
  return type.is(TypeKind::kDate) || type.is(TypeKind::kTime) || type.is(TypeKind::kTimestamp);
}

/// The fields of STRUCTs: the second's, then those that only the first has, as ksqlDB orders them.
/// Those that one side lacks are null there.
std::optional<DataType> CommonTypeOf(const DataType& a, const DataType& b) {
  return CommonType(b, a, DecimalExcess::kDropsWhole);
}

/// The type of a text literal that is to be a number, "4.000" DECIMAL(4, 3).
std::optional<DataType> NumberTypeOfText(const std::string& text) {
  const DataType string = DataType::String();
  if (ConvertLiteral(Value(text), string, DataType::Int())) return DataType::Int();
  if (ConvertLiteral(Value(text), string, DataType::Bigint())) return DataType::Bigint();
  const size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  int32_t exponent = 0;
  if (exponent_at < text.size()) {
    std::optional<Value> power =
        ConvertLiteral(Value(text.substr(exponent_at + 1)), string, DataType::Int());
    if (!power || std::abs(power->as<int32_t>()) > limits::kDecimalPrecisionMax) {
      return std::nullopt;
    }
    exponent = power->as<int32_t>();
  }
  const std::string mantissa = text.substr(0, exponent_at);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const int fraction = point == mantissa.size() ? 0 : static_cast<int>(mantissa.size() - point - 1);
  int digits = static_cast<int>(
      std::ranges::count_if(mantissa, [](unsigned char c) { return std::isdigit(c) != 0; }));
  const int scale = std::max(fraction - exponent, 0);
  digits = std::max(digits + std::max(exponent - fraction, 0), scale);
  if (digits >= 1 && digits <= limits::kDecimalPrecisionMax &&
      ConvertLiteral(Value(text), string, DataType::Decimal(digits, scale))) {
    return DataType::Decimal(digits, scale);
  }
  if (ConvertLiteral(Value(text), string, DataType::Double())) return DataType::Double();
  return std::nullopt;
}

bool IsTextLiteral(const BoundExpr& expr) {
  return expr.kind == BoundKind::kLiteral && expr.type.is(TypeKind::kString) &&
         !expr.value.is_null();
}

bool IsScalarLiteral(const BoundExpr& expr) {
  return expr.kind == BoundKind::kLiteral && !expr.value.is_null();
}

/// Type that an element adds to the common type `so_far` of a list.
Result<DataType> Widen(const DataType& so_far, const BoundExpr& expr);

Result<DataType> WidenConstructor(const DataType& so_far, const BoundExpr& expr) {
  if (expr.kind == BoundKind::kArray) {
    DataType element = so_far.element();
    for (const BoundExprPtr& child : expr.children) {
      WEIR_ASSIGN_OR_RETURN(element, Widen(element, *child));
    }
    return DataType::Array(element);
  }
  if (expr.kind == BoundKind::kMap) {
    DataType key = so_far.key();
    DataType value = so_far.element();
    for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
      WEIR_ASSIGN_OR_RETURN(key, Widen(key, *expr.children[i]));
      WEIR_ASSIGN_OR_RETURN(value, Widen(value, *expr.children[i + 1]));
    }
    return DataType::Map(key, value);
  }
  // Fields in the order of CommonStruct.
  std::vector<DataType::Field> fields;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    const std::string& name = expr.type.fields()[i].name;
    const int index = so_far.FieldIndex(name);
    DataType type = expr.children[i]->type;
    if (index >= 0) {
      WEIR_ASSIGN_OR_RETURN(type, Widen(so_far.fields()[index].type, *expr.children[i]));
    }
    fields.push_back({name, std::move(type)});
  }
  for (const DataType::Field& field : so_far.fields()) {
    if (expr.type.FieldIndex(field.name) < 0) fields.push_back(field);
  }
  return DataType::Struct(std::move(fields));
}

Result<DataType> Widen(const DataType& so_far, const BoundExpr& expr) {
  if (so_far.is(TypeKind::kNull)) return expr.type;
  if (IsNullLiteral(expr)) return so_far;
  if (IsTextLiteral(expr) && !so_far.is(TypeKind::kString)) {
    if (so_far.is_numeric()) {
      std::optional<DataType> number = NumberTypeOfText(expr.value.as<std::string>());
      if (!number) return NoConversion(expr, so_far);
      return *CommonTypeOf(so_far, *number);
    }
    if (ConvertLiteral(expr.value, expr.type, so_far)) return so_far;
    return NoConversion(expr, so_far);
  }
  if (so_far.is(TypeKind::kString) && IsScalarLiteral(expr)) return so_far;
  const bool constructor = expr.kind == BoundKind::kArray || expr.kind == BoundKind::kMap ||
                           expr.kind == BoundKind::kStruct;
  if (constructor && so_far.kind() == expr.type.kind()) return WidenConstructor(so_far, expr);
  std::optional<DataType> common = CommonTypeOf(so_far, expr.type);
  if (!common) return NoConversion(expr, so_far);
  return *common;
}

bool IsOrdering(std::string_view op) { return op == "<" || op == "<=" || op == ">" || op == ">="; }

/// How a text and something else become comparable.
std::string ComparisonHint(const BoundExpr& left, const BoundExpr& right) {
  const bool left_text = left.type.is(TypeKind::kString);
  const bool right_text = right.type.is(TypeKind::kString);
  if (left_text == right_text) return "";
  const BoundExpr& text = left_text ? left : right;
  const BoundExpr& other = left_text ? right : left;
  if (text.kind == BoundKind::kLiteral && other.type.is_numeric()) {
    return "a number is written without quotes";
  }
  if (other.type.is_nested()) return "";
  return "CAST converts: CAST(" + text.text + " AS " + other.type.ToString() + ")";
}

Status CannotCompare(std::string_view op, const BoundExpr& left, const BoundExpr& right) {
  return Status(ErrorCode::kTypeMismatch, "cannot compare " + left.text + " (" +
                                              left.type.ToString() + ") with " + right.text + " (" +
                                              right.type.ToString() + ") by " + std::string(op))
      .WithHint(ComparisonHint(left, right))
      .At(left.position);
}

/// ROWTIME and the window bounds compare with ISO text.
bool IsTimeSystemColumn(const BoundExpr& expr) {
  return expr.kind == BoundKind::kSystem &&
         (expr.system == SystemColumn::kRowTime || expr.system == SystemColumn::kWindowStart ||
          expr.system == SystemColumn::kWindowEnd);
}

/// Milliseconds of ISO text; hour 24 is the next day's begin.
std::optional<Value> TimeOfText(const BoundExpr& text) {
  std::optional<Value> ms = ConvertLiteral(text.value, text.type, DataType::Timestamp());
  if (ms) return ms;
  std::string changed = text.value.as<std::string>();
  const size_t hour = changed.find("T24");
  if (hour == std::string::npos) return std::nullopt;
  changed.replace(hour, 3, "T00");
  ms = ConvertLiteral(Value(changed), text.type, DataType::Timestamp());
  if (!ms) return std::nullopt;
  return Value(ms->as<int64_t>() + kMillisPerDay);
}

Status ReadTimeText(const BoundExpr& column, BoundExprPtr& text) {
  std::optional<Value> ms = TimeOfText(*text);
  if (!ms) {
    return Status(ErrorCode::kTypeMismatch,
                  column.text + " compares with a time, and this text is none: " + text->text)
        .WithHint("write 'YYYY-MM-DDTHH:MM:SS.mmm', maybe with a zone as +0100")
        .At(text->position);
  }
  text = MakeLiteral(std::move(*ms), DataType::Bigint(), text->text);
  return OkStatus();
}

}  // namespace

bool ConvertsImplicitly(const DataType& from, const DataType& to) {
  if (from == to || from.is(TypeKind::kNull)) return true;
  if (from.is_numeric() && to.is_numeric()) {
    if (to.is(TypeKind::kDouble)) return true;
    if (to.is(TypeKind::kDecimal)) {
      if (from.is(TypeKind::kDouble)) return false;
      if (!from.is(TypeKind::kDecimal)) return true;
      return from.scale() <= to.scale() &&
             from.precision() - from.scale() <= to.precision() - to.scale();
    }
    return from.is(TypeKind::kInt) && to.is(TypeKind::kBigint);
  }
  if (from.kind() != to.kind()) return false;
  if (from.is(TypeKind::kArray)) return ConvertsImplicitly(from.element(), to.element());
  if (from.is(TypeKind::kMap)) {
    return ConvertsImplicitly(from.key(), to.key()) &&
           ConvertsImplicitly(from.element(), to.element());
  }
  if (from.is(TypeKind::kStruct)) {
    return std::ranges::all_of(from.fields(), [&](const DataType::Field& field) {
      const int index = to.FieldIndex(field.name);
      return index >= 0 && ConvertsImplicitly(field.type, to.fields()[index].type);
    });
  }
  return false;
}

Result<BoundExprPtr> CoerceTo(const BoundExprPtr& expr, const DataType& type) {
  if (expr->type == type) return expr;
  std::vector<BoundExprPtr> children = expr->children;
  if (expr->kind == BoundKind::kArray && type.is(TypeKind::kArray)) {
    for (BoundExprPtr& child : children) {
      WEIR_ASSIGN_OR_RETURN(child, CoerceTo(child, type.element()));
    }
  } else if (expr->kind == BoundKind::kMap && type.is(TypeKind::kMap)) {
    for (size_t i = 0; i < children.size(); ++i) {
      WEIR_ASSIGN_OR_RETURN(children[i],
                            CoerceTo(children[i], i % 2 == 0 ? type.key() : type.element()));
    }
  } else if (expr->kind == BoundKind::kStruct && type.is(TypeKind::kStruct)) {
    std::vector<BoundExprPtr> ordered;
    for (const DataType::Field& field : type.fields()) {
      const int index = expr->type.FieldIndex(field.name);
      if (index < 0) {
        ordered.push_back(MakeLiteral(Value(), field.type, "null"));
        continue;
      }
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr child, CoerceTo(children[index], field.type));
      ordered.push_back(std::move(child));
    }
    children = std::move(ordered);
  } else if (expr->kind == BoundKind::kLiteral) {
    if (expr->type.is(TypeKind::kNull)) return MakeLiteral(Value(), type, expr->text);
    std::optional<Value> value = ConvertLiteral(expr->value, expr->type, type);
    if (!value) return NoConversion(*expr, type);
    return MakeLiteral(std::move(*value), type, expr->text);
  } else {
    if (!CanCast(expr->type, type)) return NoConversion(*expr, type);
    return MakeCast(expr, type);
  }
  auto copy = std::make_shared<BoundExpr>(*expr);
  copy->children = std::move(children);
  copy->type = type;
  return BoundExprPtr(copy);
}

Result<std::vector<BoundExprPtr>> CoerceList(std::vector<BoundExprPtr> exprs) {
  DataType type;
  for (const BoundExprPtr& expr : exprs) {
    WEIR_ASSIGN_OR_RETURN(type, Widen(type, *expr));
  }
  if (type.is(TypeKind::kNull)) return exprs;
  for (BoundExprPtr& expr : exprs) {
    WEIR_ASSIGN_OR_RETURN(expr, CoerceTo(expr, type));
  }
  return exprs;
}

Status CoerceComparison(std::string_view op, BoundExprPtr& left, BoundExprPtr& right) {
  if (left->type.is(TypeKind::kNull) || right->type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kTypeMismatch, "comparing with NULL has no meaning: " + left->text +
                                                " " + std::string(op) + " " + right->text)
        .WithHint("write IS NULL or IS NOT NULL")
        .At(left->position);
  }
  if (IsTimeSystemColumn(*left) && IsTextLiteral(*right)) return ReadTimeText(*left, right);
  if (IsTimeSystemColumn(*right) && IsTextLiteral(*left)) return ReadTimeText(*right, left);
  const DataType& a = left->type;
  const DataType& b = right->type;
  std::optional<DataType> common;
  if (IsTemporal(a) && b.is(TypeKind::kString)) common = a;
  if (a.is(TypeKind::kString) && IsTemporal(b)) common = b;
  if (IsTemporal(a) && IsTemporal(b) && !(a == b) && !a.is(TypeKind::kTime) &&
      !b.is(TypeKind::kTime)) {
    common = DataType::Timestamp();
  }
  if (!common && a.is_numeric() && b.is_numeric()) common = CommonTypeOf(a, b);
  if (!common && (a.kind() == b.kind()) && !a.is_numeric()) common = CommonTypeOf(a, b);
  const bool unordered = a.is_nested() || a.is(TypeKind::kBoolean);
  if (!common || (IsOrdering(op) && unordered)) return CannotCompare(op, *left, *right);
  Result<BoundExprPtr> coerced_left = CoerceTo(left, *common);
  Result<BoundExprPtr> coerced_right = CoerceTo(right, *common);
  if (!coerced_left.ok() || !coerced_right.ok()) return CannotCompare(op, *left, *right);
  left = std::move(coerced_left).value();
  right = std::move(coerced_right).value();
  return OkStatus();
}

}  // namespace weir
