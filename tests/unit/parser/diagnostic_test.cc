#include "parser/diagnostic.h"

#include <gtest/gtest.h>

#include <vector>

#include "parser/source_text.h"

namespace weir {
namespace {

TEST(DiagnosticTest, EditDistanceCountsSwapsAsOne) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("FROM", "FORM"), 1);
  EXPECT_EQ(EditDistance("SELCT", "SELECT"), 1);
  EXPECT_EQ(EditDistance("GRUOP", "GROUP"), 1);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(DiagnosticTest, TheNearestWordIsNearOrNone) {
  const std::vector<std::string_view> words = {"AMOUNT", "ID", "ROWTIME"};
  EXPECT_EQ(NearestWord("AMONT", words), "AMOUNT");
  EXPECT_EQ(NearestWord("XYZ", words), std::nullopt);
  EXPECT_EQ(NearestWord("", words), std::nullopt);
}

TEST(DiagnosticTest, ErrorsShowTheirLine) {
  EXPECT_EQ(SourceLineAt("a\nb\tc\r\nd", 2), "b c");
  EXPECT_EQ(SourceLineAt("a", 2), "");
  EXPECT_EQ(FoldName("aé_1"), "AÉ_1");
  EXPECT_EQ(CodePointCount("äb€"), 3);
}

TEST(DiagnosticTest, OfALongLineThePartAroundThePlaceIsShown) {
  Status status = Status(ErrorCode::kSyntax, "odd").At({.line = 1, .column = 1001, .length = 3});
  std::string before;  // 60 characters of two bytes each.
  for (int i = 0; i < 60; ++i) before += "ä";
  status = std::move(status).WithSourceLine(std::string(940, 'a') + before + "odd" +
                                            std::string(1000, 'b'));
  EXPECT_EQ(status.ToString(), "error 2001: odd\n  1:1001 | …" + before + "odd" +
                                   std::string(97, 'b') + "…\n         | " + std::string(61, ' ') +
                                   "^^^");
  // A caret is not longer than what is shown.
  status = Status(ErrorCode::kSyntax, "all").At({.line = 1, .column = 1, .length = 5000});
  status = std::move(status).WithSourceLine(std::string(5000, 'b'));
  EXPECT_EQ(status.ToString(), "error 2001: all\n  1:1 | " + std::string(160, 'b') + "…\n      | " +
                                   std::string(160, '^'));
}

}  // namespace
}  // namespace weir
