// What the parser bounds: length, nesting, chains. Each must hold before anything recurses.

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "parser/parser.h"

namespace weir {
namespace {

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

ErrorCode CodeOf(const std::string& expression) {
  const Result<ast::ExprPtr> parsed = ParseExpression(expression);
  return parsed.ok() ? ErrorCode::kOk : parsed.status().code();
}

TEST(LimitsTest, DeepNestingIsRefusedInEveryForm) {
  constexpr int kDeep = 20'000;
  EXPECT_EQ(CodeOf(Repeat("(", kDeep) + "a" + Repeat(")", kDeep)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("(", kDeep)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("NOT ", kDeep) + "a"), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("- ", kDeep) + "a"), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("CASE WHEN ", kDeep) + "a"), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("f(x => ", kDeep) + "a"), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf("a" + Repeat("[1", kDeep)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("ARRAY[", kDeep)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf(Repeat("(NOT ", kDeep) + "a"), ErrorCode::kNestingTooDeep);
  const Result<ast::TypeName> type = ParseType(Repeat("ARRAY<", kDeep) + "INT");
  ASSERT_FALSE(type.ok());
  EXPECT_EQ(type.status().code(), ErrorCode::kNestingTooDeep);
}

TEST(LimitsTest, NestingUpToTheLimitParses) {
  constexpr int kUsual = limits::kNestingDepthMax - 10;
  EXPECT_EQ(CodeOf(Repeat("(", kUsual) + "a" + Repeat(")", kUsual)), ErrorCode::kOk);
  EXPECT_EQ(CodeOf(Repeat("f(", kUsual) + "a" + Repeat(")", kUsual)), ErrorCode::kOk);
  EXPECT_EQ(CodeOf(Repeat("NOT ", kUsual) + "a"), ErrorCode::kOk);
}

TEST(LimitsTest, ChainsOfAndAreBalanced) {
  const std::string chain = "a" + Repeat(" AND a", 20'000);
  Result<ast::ExprPtr> parsed = ParseExpression(chain);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_LT((*parsed)->height, 20);
  Result<ast::ExprPtr> again = ParseExpression(ast::FormatExpr(**parsed));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(ast::FormatExpr(**again), ast::FormatExpr(**parsed));
}

TEST(LimitsTest, OtherChainsAreBounded) {
  EXPECT_EQ(CodeOf("a" + Repeat(" + a", 100)), ErrorCode::kOk);
  EXPECT_EQ(CodeOf("a" + Repeat(" + a", 20'000)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf("a" + Repeat(" || a", 20'000)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf("a" + Repeat("->b", 20'000)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf("a" + Repeat("[1]", 20'000)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(CodeOf("a" + Repeat(" AT TIME ZONE 'x'", 20'000)), ErrorCode::kNestingTooDeep);
  EXPECT_EQ(ParseStatement("SELECT a FROM a" + Repeat(" JOIN b ON c", 20'000)).status().code(),
            ErrorCode::kNestingTooDeep);
}

TEST(LimitsTest, ManyColumnsOfBracketedTypesAreNoNesting) {
  std::string sql = "CREATE STREAM s (c0 INT";
  for (int i = 1; i < 1000; ++i) {
    sql += ", c" + std::to_string(i) + " MAP<STRING, ARRAY<STRUCT<a DECIMAL(4, 2)>>>";
  }
  const Result<ast::Statement> parsed = ParseStatement(sql + ") WITH (kafka_topic='t')");
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
}

TEST(LimitsTest, LongListsParse) {
  const std::string list = "a IN (0" + Repeat(", 1", 20'000) + ")";
  EXPECT_EQ(CodeOf(list), ErrorCode::kOk);
}

TEST(LimitsTest, StatementsHaveALength) {
  const std::string text = "SELECT '" + std::string(limits::kStatementBytesMax, 'x') + "' FROM s";
  const Result<ast::Statement> parsed = ParseStatement(text);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), ErrorCode::kStatementTooLong);
}

TEST(LimitsTest, BytesThatAreNotUtf8AreNamed) {
  const Result<ast::Statement> parsed = ParseStatement("SELECT ä\xFF FROM s");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().code(), ErrorCode::kSyntax);
  EXPECT_EQ(parsed.status().message(), "the text is not UTF-8: byte 0xFF");
  EXPECT_EQ(parsed.status().position()->column, 9);
}

}  // namespace
}  // namespace weir
