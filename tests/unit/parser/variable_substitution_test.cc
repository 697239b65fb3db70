#include "parser/variable_substitution.h"

#include <gtest/gtest.h>

#include <map>

namespace weir {
namespace {

Result<std::string> Substitute(std::string_view text) {
  static const std::map<std::string, std::string, std::less<>> kValues = {
      {"TOPIC", "rides"}, {"QUOTED", "'a''b'"}, {"LOOP", "${TOPIC}"}};
  return SubstituteVariables(text,
                             [](std::string_view name) {
                               const auto found = kValues.find(name);
                               return found == kValues.end() ? nullptr : &found->second;
                             },
                             {"TOPIC", "QUOTED", "LOOP"});
}

TEST(VariableSubstitutionTest, ReplacesNamesInAndOutOfQuotes) {
  EXPECT_EQ(*Substitute("SELECT ${topic} FROM '${TOPIC}'"), "SELECT rides FROM 'rides'");
  EXPECT_EQ(*Substitute("x = ${quoted}"), "x = 'a''b'");
  EXPECT_EQ(*Substitute("no variables: $ { } ${} $x"), "no variables: $ { } ${} $x");
}

TEST(VariableSubstitutionTest, AValueIsNotSearchedAgain) {
  EXPECT_EQ(*Substitute("${loop}"), "${TOPIC}");
}

TEST(VariableSubstitutionTest, TwoDollarsEscape) {
  EXPECT_EQ(*Substitute("'$${topic}' ${topic}"), "'${topic}' rides");
  EXPECT_EQ(*Substitute("$${nothing}"), "${nothing}");
}

TEST(VariableSubstitutionTest, CommentsAreLeftAlone) {
  EXPECT_EQ(*Substitute("a -- ${nope}\n/* ${nope} */ ${topic}"),
            "a -- ${nope}\n/* ${nope} */ rides");
  EXPECT_EQ(*Substitute("'-- ${topic}'"), "'-- rides'");
}

TEST(VariableSubstitutionTest, UnknownNamesHaveAPlaceAndAHint) {
  const Result<std::string> result = Substitute("SELECT a\nFROM ${topik};");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), ErrorCode::kUnknownVariable);
  EXPECT_EQ(result.status().message(), "unknown variable: topik");
  EXPECT_EQ(result.status().hint(), "did you mean ${TOPIC}?");
  EXPECT_EQ(result.status().position()->line, 2);
  EXPECT_EQ(result.status().position()->column, 6);
}

}  // namespace
}  // namespace weir
