#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

constexpr uint64_t kInt64Magnitude = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

/// The value of `digits` with its sign, or nothing when 64 bits do not hold it.
std::optional<int64_t> ReadInteger(std::string_view digits, bool negative) {
  uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
  if (error != std::errc() || magnitude > kInt64Magnitude + (negative ? 1 : 0)) {
    return std::nullopt;
  }
  // Negated as unsigned: the least value has no positive counterpart.
  return static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
}

}  // namespace

ast::LiteralValue Transformer::TransformLiteral(Grammar::LiteralContext* tree) {
  ast::LiteralValue value;
  if (tree->STRING() != nullptr) {
    value.kind = ast::LiteralKind::kString;
    value.text = TransformString(tree->STRING());
  } else if (tree->K_NULL() == nullptr) {
    value.kind = ast::LiteralKind::kBoolean;
    value.boolean = tree->K_TRUE() != nullptr;
  }
  return value;
}

ast::LiteralValue Transformer::TransformNumber(Grammar::NumberContext* tree, bool negative) {
  const std::string digits = TextOf(tree);
  ast::LiteralValue value;
  value.text = negative ? "-" + digits : digits;
  if (tree->DECIMAL_NUMBER() != nullptr) {
    value.kind = ast::LiteralKind::kDecimal;
    return value;
  }
  if (tree->FLOAT() != nullptr) {
    value.kind = ast::LiteralKind::kDouble;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value.real);
    // from_chars reports what is too small too; that is 0 to us, as it is to Java.
    const bool exponent_is_negative = digits.find('-') != std::string::npos;
    if (error == std::errc::result_out_of_range) {
      if (exponent_is_negative) {
        value.real = 0;
      } else {
        Fail(Place(tree), ErrorCode::kInvalidLiteral,
             fmt::format("the number is too large for a DOUBLE: {}", value.text));
      }
    }
    if (negative) value.real = -value.real;
    return value;
  }
  const std::optional<int64_t> integer = ReadInteger(digits, negative);
  if (!integer) {
    Fail(Place(tree), ErrorCode::kInvalidLiteral,
         fmt::format("the number is too large for a BIGINT: {}", value.text),
         "a DECIMAL takes up to 38 digits: write it with a point");
    value.kind = ast::LiteralKind::kBigint;
    return value;
  }
  const bool small = *integer >= std::numeric_limits<int32_t>::min() &&
                     *integer <= std::numeric_limits<int32_t>::max();
  value.kind = small ? ast::LiteralKind::kInt : ast::LiteralKind::kBigint;
  value.integer = *integer;
  return value;
}

ast::ExprPtr Transformer::MakeLiteral(antlr4::ParserRuleContext* tree, ast::LiteralValue value) {
  auto out = std::make_unique<ast::Literal>();
  out->position = Place(tree);
  out->value = std::move(value);
  return out;
}

int64_t Transformer::TransformInteger(antlr4::Token* token) {
  const std::string digits = TextOf(token);
  const std::optional<int64_t> value = ReadInteger(digits, false);
  if (!value) {
    Fail(Place(token), ErrorCode::kInvalidLiteral,
         fmt::format("the number is too large: {}", digits));
  }
  return value.value_or(0);
}

}  // namespace weir::transform
