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

}  // namespace
}  // namespace weir
