#include "parser/statement_splitter.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::vector<std::string> Split(std::string_view text, size_t piece = 0) {
  StatementSplitter splitter;
  if (piece == 0) piece = text.size() + 1;
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size(); at += piece) {
    splitter.Add(text.substr(at, piece));
    while (auto next = splitter.Next()) out.push_back(next->text);
  }
  if (auto rest = splitter.TakeRest()) out.push_back("rest: " + rest->text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(StatementSplitterTest, CutsAtSemicolons) {
  EXPECT_EQ(Split("a; b ;\n;; c"), (Texts{"a", "b", "rest: c"}));
  EXPECT_EQ(Split(""), Texts{});
  EXPECT_EQ(Split(" -- only a comment"), Texts{});
  EXPECT_EQ(Split("/* x; */ a /* ; */; -- b;\n"), (Texts{"a /* ; */"}));
}

TEST(StatementSplitterTest, QuotesHideSemicolons) {
  EXPECT_EQ(Split("SELECT ';' FROM `a;b`, \"c;d\"; x"),
            (Texts{"SELECT ';' FROM `a;b`, \"c;d\"", "rest: x"}));
  EXPECT_EQ(Split("SELECT 'it''s;' ; x"), (Texts{"SELECT 'it''s;'", "rest: x"}));
  EXPECT_EQ(Split("SELECT '--' ; x"), (Texts{"SELECT '--'", "rest: x"}));
}

TEST(StatementSplitterTest, PiecesMakeNoDifference) {
  const std::string text =
      "a-b/c; 'x''y;' -- c;\n; /* ; * / */ BEGIN PIPELINE p; a; END PIPELINE; ü; rest";
  const Texts whole = Split(text);
  for (size_t piece = 1; piece < 8; ++piece) EXPECT_EQ(Split(text, piece), whole) << piece;
}

TEST(StatementSplitterTest, APipelineIsOneStatement) {
  EXPECT_EQ(Split("begin pipeline p; SELECT a FROM END; end  pipeline p; b;"),
            (Texts{"begin pipeline p; SELECT a FROM END; end  pipeline p", "b"}));
  EXPECT_EQ(Split("EXPLAIN VERBOSE BEGIN OR REPLACE PIPELINE p; a; END PIPELINE; b;"),
            (Texts{"EXPLAIN VERBOSE BEGIN OR REPLACE PIPELINE p; a; END PIPELINE", "b"}));
  EXPECT_EQ(Split("beginning pipeline; b;"), (Texts{"beginning pipeline", "b"}));
  EXPECT_EQ(Split("begin; b;"), (Texts{"begin", "b"}));
}

TEST(StatementSplitterTest, PlacesCountFromTheBeginOfAllText) {
  StatementSplitter splitter;
  splitter.Add("a;\n  äö; b;\n");
  EXPECT_EQ(splitter.Next()->position, (SourcePosition{.line = 1, .column = 1}));
  EXPECT_EQ(splitter.Next()->position, (SourcePosition{.line = 2, .column = 3}));
  EXPECT_EQ(splitter.Next()->position, (SourcePosition{.line = 2, .column = 7}));
  splitter.Add("c;");
  EXPECT_EQ(splitter.Next()->position, (SourcePosition{.line = 3, .column = 1}));
}

TEST(StatementSplitterTest, SaysWhatIsOpen) {
  using Open = StatementSplitter::Open;
  const auto open = [](std::string_view text) {
    StatementSplitter splitter;
    splitter.Add(text);
    return splitter.open();
  };
  EXPECT_EQ(open(""), Open::kNothing);
  EXPECT_EQ(open("a;\n"), Open::kNothing);
  EXPECT_EQ(open("a"), Open::kStatement);
  EXPECT_EQ(open("-"), Open::kStatement);
  EXPECT_EQ(open("-- c"), Open::kNothing);
  EXPECT_EQ(open("a '"), Open::kString);
  EXPECT_EQ(open("a `x"), Open::kQuotedName);
  EXPECT_EQ(open("a /* "), Open::kComment);
  EXPECT_EQ(open("BEGIN PIPELINE p; a;"), Open::kPipeline);
}

TEST(StatementSplitterTest, AByteOrderMarkIsNoText) {
  EXPECT_EQ(Split("\xEF\xBB\xBFSELECT;"), Texts{"SELECT"});
}

}  // namespace
}  // namespace weir
