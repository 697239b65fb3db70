#include "shell/conformance/conformance_judge.h"

#include <gtest/gtest.h>

namespace weir::testing {
namespace {

bool Passes(const std::string& wanted_value, const std::string& got_value) {
  auto test =
      ParseRawJson("{\"outputs\":[{\"topic\":\"T\",\"key\":1,\"value\":" + wanted_value + "}]}");
  EXPECT_TRUE(test.ok());
  CaseOutcome outcome;
  outcome.outputs = {"{\"topic\":\"T\",\"key\":1,\"value\":" + got_value + ",\"timestamp\":5}"};
  return JudgeCase(*test, outcome).empty();
}

TEST(ConformanceJudge, NumbersAreAlikeByTheirMeaning) {
  EXPECT_TRUE(Passes("1", "1"));
  EXPECT_TRUE(Passes("1.0", "1"));
  EXPECT_FALSE(Passes("1", "1.0")) << "an integer is wanted";
  EXPECT_TRUE(Passes("1e3", "1000.0"));
  EXPECT_TRUE(Passes("0.30000000000000004", "0.3"));
  EXPECT_FALSE(Passes("0.3001", "0.3"));
  EXPECT_FALSE(Passes("1.10", "1.1")) << "the scale of a decimal counts";
  EXPECT_TRUE(Passes("\"12\"", "12")) << "as some cases write decimals";
  EXPECT_FALSE(Passes("12", "\"12\""));
}

TEST(ConformanceJudge, ObjectsMatchByNameWithoutCase) {
  EXPECT_TRUE(Passes(R"({"a":1,"B":null})", R"({"B":null,"A":1})"));
  EXPECT_FALSE(Passes(R"({"A":1})", R"({"A":1,"B":2})"));
  EXPECT_FALSE(Passes(R"([1,2])", R"([2,1])"));
  EXPECT_TRUE(Passes("null", "null"));
  EXPECT_FALSE(Passes("null", "{}"));
}

TEST(ConformanceJudge, CountsAndTimestampsCount) {
  auto test = ParseRawJson(R"({"outputs":[{"topic":"T","value":1,"timestamp":4}]})");
  CaseOutcome outcome;
  EXPECT_NE(JudgeCase(*test, outcome).find("got nothing"), std::string::npos);
  outcome.outputs = {R"({"topic":"T","value":1,"timestamp":5})"};
  EXPECT_FALSE(JudgeCase(*test, outcome).empty());
  outcome.outputs = {R"({"topic":"T","value":1,"timestamp":4})"};
  EXPECT_EQ(JudgeCase(*test, outcome), "");
  outcome.outputs.push_back(R"({"topic":"other","value":1,"timestamp":4})");
  EXPECT_EQ(JudgeCase(*test, outcome), "") << "topics that no one asked for may hold anything";
  outcome.outputs.push_back(outcome.outputs[0]);
  EXPECT_NE(JudgeCase(*test, outcome).find("expected nothing"), std::string::npos);
}

TEST(ConformanceJudge, ACaseThatMustFailMustBeRejected) {
  auto test = ParseRawJson(R"({"expectedException":{"message":"no"}})");
  CaseOutcome outcome;
  EXPECT_FALSE(JudgeCase(*test, outcome).empty());
  outcome.status = "crashed";
  EXPECT_FALSE(JudgeCase(*test, outcome).empty());
  outcome.status = "rejected";
  EXPECT_EQ(JudgeCase(*test, outcome), "");
}

TEST(ConformanceJudge, RowsOfAResponseMayComeInAnyOrderUnlessVerified) {
  const std::string wanted = R"("responses":[{"statement":2,"rows":[{"row":1},{"row":2}]}])";
  CaseOutcome outcome;
  outcome.responses = {R"({"statement":2,"rows":[{"row":2},{"row":1}]})"};
  EXPECT_EQ(JudgeCase(*ParseRawJson("{" + wanted + "}"), outcome), "");
  EXPECT_NE(JudgeCase(*ParseRawJson("{\"verifyOrder\":true," + wanted + "}"), outcome), "");
  outcome.responses.clear();
  EXPECT_NE(JudgeCase(*ParseRawJson("{" + wanted + "}"), outcome), "");
}

TEST(ConformanceJudge, SelectIsSeenThroughBlanksAndCase) {
  EXPECT_TRUE(IsSelect("\n  sElect * FROM t;"));
  EXPECT_FALSE(IsSelect("SELECTION"));
  EXPECT_FALSE(IsSelect(""));
}

}  // namespace
}  // namespace weir::testing
