// The trees of expressions: precedence, literals, lambdas, names.

#include <gtest/gtest.h>

#include <string>

#include "parser/parser.h"

namespace weir {
namespace {

ast::ExprPtr Parse(std::string_view text) {
  Result<ast::ExprPtr> parsed = ParseExpression(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
  return parsed.ok() ? std::move(parsed).value() : nullptr;
}

/// Every operator in brackets, so that the tree can be read from the text.
std::string Tree(const ast::Expr& expr) {
  if (expr.kind == ast::ExprKind::kBinary) {
    const auto& binary = expr.As<ast::Binary>();
    ast::Binary flat;
    flat.op = binary.op;
    auto left = std::make_unique<ast::ColumnRef>();
    left->column.name = "L";
    auto right = std::make_unique<ast::ColumnRef>();
    right->column.name = "R";
    flat.left = std::move(left);
    flat.right = std::move(right);
    const std::string text = ast::FormatExpr(flat);
    return "(" + Tree(*binary.left) + text.substr(1, text.size() - 2) + Tree(*binary.right) + ")";
  }
  if (expr.kind == ast::ExprKind::kNot) return "(NOT " + Tree(*expr.As<ast::Not>().operand) + ")";
  if (expr.kind == ast::ExprKind::kUnary) {
    return "(-" + Tree(*expr.As<ast::Unary>().operand) + ")";
  }
  return ast::FormatExpr(expr);
}

std::string TreeOf(std::string_view text) {
  const ast::ExprPtr expr = Parse(text);
  return expr ? Tree(*expr) : "";
}

TEST(ExpressionTest, OperatorsBindAsInKsql) {
  EXPECT_EQ(TreeOf("a + b * c"), "(A + (B * C))");
  EXPECT_EQ(TreeOf("a - b - c"), "((A - B) - C)");
  EXPECT_EQ(TreeOf("a || b + c"), "(A || (B + C))");
  EXPECT_EQ(TreeOf("a + b || c"), "((A + B) || C)");
  EXPECT_EQ(TreeOf("-a * b"), "((-A) * B)");
  EXPECT_EQ(TreeOf("a % b / c"), "((A % B) / C)");
  EXPECT_EQ(TreeOf("NOT a = b AND c"), "((NOT (A = B)) AND C)");
  EXPECT_EQ(TreeOf("a OR b AND c OR d"), "((A OR (B AND C)) OR D)");
  EXPECT_EQ(TreeOf("a != b"), "(A <> B)");
  EXPECT_EQ(TreeOf("a IS NOT DISTINCT FROM b + 1"), "(A IS NOT DISTINCT FROM (B + 1))");
  EXPECT_EQ(TreeOf("(a + b) * c"), "((A + B) * C)");
}

TEST(ExpressionTest, IntegersAreAsWideAsTheyMustBe) {
  const auto kind = [](std::string_view text) {
    return Parse(text)->As<ast::Literal>().value.kind;
  };
  EXPECT_EQ(kind("2147483647"), ast::LiteralKind::kInt);
  EXPECT_EQ(kind("2147483648"), ast::LiteralKind::kBigint);
  EXPECT_EQ(kind("-2147483648"), ast::LiteralKind::kInt);
  EXPECT_EQ(kind("1.50"), ast::LiteralKind::kDecimal);
  EXPECT_EQ(kind("1e3"), ast::LiteralKind::kDouble);
  EXPECT_EQ(kind(".5E-1"), ast::LiteralKind::kDouble);
  EXPECT_EQ(kind("null"), ast::LiteralKind::kNull);
  const ast::ExprPtr least = Parse("-9223372036854775808");
  EXPECT_EQ(least->As<ast::Literal>().value.integer, INT64_MIN);
  EXPECT_EQ(Parse("1.50")->As<ast::Literal>().value.text, "1.50");
  EXPECT_DOUBLE_EQ(Parse("-1.5e2")->As<ast::Literal>().value.real, -150);
}

TEST(ExpressionTest, NumbersOutOfRangeAreInvalidLiterals) {
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "1e400"}) {
    const Result<ast::ExprPtr> parsed = ParseExpression(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), ErrorCode::kInvalidLiteral) << text;
  }
}

TEST(ExpressionTest, TextsUndoubleTheirQuotes) {
  EXPECT_EQ(Parse("'it''s'")->As<ast::Literal>().value.text, "it's");
  EXPECT_EQ(Parse("''")->As<ast::Literal>().value.text, "");
  EXPECT_EQ(Parse("''''")->As<ast::Literal>().value.text, "'");
}

TEST(ExpressionTest, NamesFoldUnlessQuoted) {
  EXPECT_EQ(Parse("größe")->As<ast::ColumnRef>().column.name,
            "GRÖ\xE1\xBA\x9E"
            "E");
  EXPECT_EQ(Parse("`größe`")->As<ast::ColumnRef>().column.name, "größe");
  EXPECT_EQ(Parse("\"a\"\"b\"")->As<ast::ColumnRef>().column.name, "a\"b");
  EXPECT_EQ(Parse("1st")->As<ast::ColumnRef>().column.name, "1ST");
  const ast::ExprPtr column = Parse("Amount");
  EXPECT_EQ(column->As<ast::ColumnRef>().column.spelling, "Amount");
  EXPECT_FALSE(column->As<ast::ColumnRef>().column.quoted);
}

TEST(ExpressionTest, FreeWordsAreNames) {
  for (const char* word : {"date", "timestamp", "key", "id", "year", "source", "union", "over",
                           "order", "pipeline", "begin", "rows", "latest"}) {
    const ast::ExprPtr expr = Parse(word);
    ASSERT_NE(expr, nullptr) << word;
    EXPECT_EQ(expr->kind, ast::ExprKind::kColumnRef) << word;
  }
}

TEST(ExpressionTest, LambdasAreArguments) {
  const ast::ExprPtr call = Parse("REDUCE(arr, 0, (acc, x) => acc + x)");
  const auto& lambda = call->As<ast::FunctionCall>().args[2]->As<ast::Lambda>();
  ASSERT_EQ(lambda.parameters.size(), 2u);
  EXPECT_EQ(lambda.parameters[1].name, "X");
  EXPECT_EQ(Tree(*lambda.body), "(ACC + X)");
  const ast::ExprPtr filter = Parse("FILTER(arr, (x) => (x > 1))");
  EXPECT_EQ(filter->As<ast::FunctionCall>().args[1]->kind, ast::ExprKind::kLambda);
}

TEST(ExpressionTest, UnitsStandOnlyWhereADateFunctionTakesThem) {
  const auto first = [](std::string_view text) {
    return Parse(text)->As<ast::FunctionCall>().args[0]->kind;
  };
  EXPECT_EQ(first("DATEADD(DAY, 1, d)"), ast::ExprKind::kIntervalUnit);
  EXPECT_EQ(first("DATEADD(milliseconds, 1, d)"), ast::ExprKind::kIntervalUnit);
  EXPECT_EQ(first("ABS(day)"), ast::ExprKind::kColumnRef);
  EXPECT_EQ(first("GREATEST(`DAY`, a, b)"), ast::ExprKind::kColumnRef);
}

TEST(ExpressionTest, PostfixesChain) {
  const ast::ExprPtr expr = Parse("a.b->c[1]->`d`['k']");
  EXPECT_EQ(expr->kind, ast::ExprKind::kSubscript);
  EXPECT_EQ(ast::FormatExpr(*expr), "A.B->C[1]->`d`['k']");
}

TEST(ExpressionTest, PlacesCountCodePoints) {
  const ast::ExprPtr expr = Parse("'ä' || größe + 1");
  const auto& concat = expr->As<ast::Binary>();
  EXPECT_EQ(concat.op_position.column, 5);
  EXPECT_EQ(concat.right->position.column, 8);
  EXPECT_EQ(concat.right->position.length, 9);
}

TEST(ExpressionTest, ACloneIsTheSame) {
  const char* text =
      "CASE WHEN a IN (1, b) THEN F(x => x + 1, ARRAY[1], MAP('a' := STRUCT(b := NULL))) "
      "ELSE CAST(-c AS DECIMAL(4, 2)) END";
  const ast::ExprPtr expr = Parse(text);
  const ast::ExprPtr copy = ast::CloneExpr(*expr);
  EXPECT_EQ(ast::FormatExpr(*copy), ast::FormatExpr(*expr));
  EXPECT_EQ(copy->height, expr->height);
  EXPECT_EQ(copy->position, expr->position);
}

}  // namespace
}  // namespace weir
