#include "planner/binder/literals.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/decimal.h"
#include "base/letter_case.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "base/time_text.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

Status InvalidLiteral(std::string_view what, std::string_view text, SourcePosition position) {
  return Status(ErrorCode::kInvalidLiteral, std::string(what) + ": " + std::string(text))
      .At(position);
}

/// Precision and scale of written digits: 0.05 has (2, 2), 12.50 has (4, 2).
Result<BoundExprPtr> BindDecimal(std::string_view text, SourcePosition position) {
  int digits = 0;
  int scale = 0;
  bool seen_point = false;
  bool leading = true;
  for (char c : text) {
    if (c == '.') seen_point = true;
    if (!std::isdigit(static_cast<unsigned char>(c))) continue;
    if (c != '0') leading = false;
    if (!leading) ++digits;
    if (seen_point) ++scale;
  }
  const int precision = std::max({digits, scale, 1});
  Int128 unscaled = 0;
  if (precision > limits::kDecimalPrecisionMax ||
      ParseDecimal(text, precision, scale, unscaled) != DecimalParse::kOk) {
    return InvalidLiteral("a decimal literal has more than 38 digits", text, position);
  }
  return MakeLiteral(Value(unscaled), DataType::Decimal(precision, scale), std::string(text));
}

Result<BoundExprPtr> BindTyped(const ast::LiteralValue& literal, SourcePosition position) {
  const std::string& type = literal.type_name.name;
  DataType to = type == "DATE"        ? DataType::Date()
                : type == "TIME"      ? DataType::Time()
                : type == "TIMESTAMP" ? DataType::Timestamp()
                                      : DataType::Null();
  if (to.is(TypeKind::kNull)) {
    return Status(ErrorCode::kUnsupported, "literals of this type are not supported: " + type)
        .At(position);
  }
  std::optional<Value> value = ConvertLiteral(Value(literal.text), DataType::String(), to);
  if (!value) return InvalidLiteral("not a " + type, literal.text, position);
  return MakeLiteral(std::move(*value), to, type + " '" + literal.text + "'");
}

std::optional<Value> TextTo(const std::string& text, const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kString: return Value(text);
    case TypeKind::kBoolean: {
      const std::string lower = ToLower(text);
      // As in ksqlDB any beginning of the words counts.
      for (std::string_view word : {"true", "yes"}) {
        if (!lower.empty() && word.starts_with(lower)) return Value(true);
      }
      for (std::string_view word : {"false", "no"}) {
        if (!lower.empty() && word.starts_with(lower)) return Value(false);
      }
      return std::nullopt;
    }
    case TypeKind::kInt: {
      int32_t value = 0;
      return ParseInt32(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    case TypeKind::kBigint: {
      int64_t value = 0;
      return ParseInt64(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    case TypeKind::kDouble: {
      double value = 0;
      return ParseDouble(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    case TypeKind::kDecimal: {
      Int128 value = 0;
      return ParseDecimal(text, to.precision(), to.scale(), value) == DecimalParse::kOk
                 ? std::optional<Value>(Value(value))
                 : std::nullopt;
    }
    case TypeKind::kDate: {
      int32_t value = 0;
      return ParseDate(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    case TypeKind::kTime: {
      int32_t value = 0;
      return ParseTime(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    case TypeKind::kTimestamp: {
      int64_t value = 0;
      return ParseTimestamp(text, value) ? std::optional<Value>(Value(value)) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::optional<Value> IntegerTo(int64_t value, const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kBigint: return Value(value);
    case TypeKind::kDouble: return Value(static_cast<double>(value));
    case TypeKind::kString: return Value(std::to_string(value));
    case TypeKind::kDecimal: {
      Int128 out = 0;
      if (!RescaleDecimal(value, 0, to.scale(), out) || !FitsPrecision(out, to.precision())) {
        return std::nullopt;
      }
      return Value(out);
    }
    default: return std::nullopt;
  }
}

std::optional<Value> DecimalTo(Int128 value, const DataType& from, const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kDouble: return Value(DecimalToDouble(value, from.scale()));
    case TypeKind::kString: return Value(DecimalText(value, from.scale()));
    case TypeKind::kDecimal: {
      Int128 out = 0;
      if (!RescaleDecimal(value, from.scale(), to.scale(), out) ||
          !FitsPrecision(out, to.precision())) {
        return std::nullopt;
      }
      return Value(out);
    }
    default: return std::nullopt;
  }
}

}  // namespace

Result<BoundExprPtr> BindLiteral(const ast::LiteralValue& literal, SourcePosition position) {
  switch (literal.kind) {
    case ast::LiteralKind::kNull: return MakeLiteral(Value(), DataType::Null(), "null");
    case ast::LiteralKind::kBoolean:
      return MakeLiteral(Value(literal.boolean), DataType::Boolean(),
                         literal.boolean ? "true" : "false");
    case ast::LiteralKind::kInt:
      return MakeLiteral(Value(static_cast<int32_t>(literal.integer)), DataType::Int(),
                         std::to_string(literal.integer));
    case ast::LiteralKind::kBigint:
      return MakeLiteral(Value(literal.integer), DataType::Bigint(),
                         std::to_string(literal.integer));
    case ast::LiteralKind::kDecimal: return BindDecimal(literal.text, position);
    case ast::LiteralKind::kDouble:
      if (!std::isfinite(literal.real)) {
        return InvalidLiteral("a number is too large for DOUBLE", literal.text, position);
      }
      return MakeLiteral(Value(literal.real), DataType::Double(), literal.text);
    case ast::LiteralKind::kString:
      return MakeLiteral(Value(literal.text), DataType::String(), "'" + literal.text + "'");
    case ast::LiteralKind::kTyped: return BindTyped(literal, position);
  }
  return Status(ErrorCode::kInternal, "literal of an unknown kind");
}

std::optional<Value> ConvertLiteral(const Value& value, const DataType& from, const DataType& to) {
  if (value.is_null() || from == to) return value;
  switch (from.kind()) {
    case TypeKind::kString: return TextTo(value.as<std::string>(), to);
    case TypeKind::kBoolean:
      if (to.is(TypeKind::kString)) return Value(std::string(value.as<bool>() ? "true" : "false"));
      return std::nullopt;
    case TypeKind::kInt: return IntegerTo(value.as<int32_t>(), to);
    case TypeKind::kBigint: return IntegerTo(value.as<int64_t>(), to);
    case TypeKind::kDecimal: return DecimalTo(value.as<Int128>(), from, to);
    case TypeKind::kDouble:
      if (to.is(TypeKind::kString)) return Value(DoubleText(value.as<double>()));
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::string ValueText(const Value& value, const DataType& type) {
  if (value.is_null()) return "null";
  char buffer[kTimeTextMax];
  switch (type.kind()) {
    case TypeKind::kBoolean: return value.as<bool>() ? "true" : "false";
    case TypeKind::kInt: return std::to_string(value.as<int32_t>());
    case TypeKind::kBigint: return std::to_string(value.as<int64_t>());
    case TypeKind::kDouble: return DoubleText(value.as<double>());
    case TypeKind::kDecimal: return DecimalText(value.as<Int128>(), type.scale());
    case TypeKind::kString: return "'" + value.as<std::string>() + "'";
    case TypeKind::kDate:
      return "DATE '" + std::string(buffer, FormatDate(value.as<int32_t>(), buffer)) + "'";
    case TypeKind::kTime:
      return "TIME '" + std::string(buffer, FormatTime(value.as<int32_t>(), buffer)) + "'";
    case TypeKind::kTimestamp:
      return "TIMESTAMP '" + std::string(buffer, FormatTimestamp(value.as<int64_t>(), buffer)) +
             "'";
    default: return "<" + type.ToString() + ">";
  }
}

}  // namespace weir
