// Which JSON Schemas take what another one describes.

#include <gtest/gtest.h>

#include "exec/formats/registry/memory_registry.h"

namespace weir {
namespace {

/// What is in the way of `now` where `before` wrote, or empty.
std::string Fault(const std::string& before, const std::string& now,
                  const std::vector<ReferencedText>& references = {}) {
  const Status status = CheckJsonReads(now, references, before, references);
  EXPECT_TRUE(status.ok() || status.code() == ErrorCode::kIncompatibleChange) << status.ToString();
  return status.ok() ? "" : status.message();
}

bool Reads(const std::string& before, const std::string& now) { return Fault(before, now).empty(); }

std::string Open(const std::string& properties, const std::string& more = "") {
  return R"({"type":"object","properties":{)" + properties + "}" + more + "}";
}
std::string Closed(const std::string& properties, const std::string& more = "") {
  return Open(properties, R"(,"additionalProperties":false)" + more);
}

constexpr const char* kA = R"("a":{"type":"string"})";
constexpr const char* kAB = R"("a":{"type":"string"},"b":{"type":"integer"})";

TEST(JsonCompatibilityTest, PropertiesComeAndGoByTheContentModel) {
  EXPECT_NE(Fault(Open(kA), Open(kAB)).find("property b is new"), std::string::npos)
      << Fault(Open(kA), Open(kAB));
  EXPECT_TRUE(Reads(Open(kA), Open(R"("a":{"type":"string"},"b":{})")));
  EXPECT_TRUE(Reads(Open(kA), Open(R"("a":{"type":"string"},"b":true)")));
  EXPECT_TRUE(Reads(Open(kAB), Open(kA)));
  EXPECT_TRUE(Reads(Closed(kA), Closed(kAB)));
  EXPECT_FALSE(Reads(Closed(kAB), Closed(kA)));
  EXPECT_TRUE(Reads(Closed(kA), Closed(R"("a":{"type":"string"},"b":{"type":"integer"})")));
  EXPECT_FALSE(Reads(Closed(kA), Closed(kAB, R"(,"required":["b"])")));
  EXPECT_TRUE(
      Reads(Closed(kA), Closed(R"("a":{"type":"string"},"b":{"type":"integer","default":1})",
                               R"(,"required":["b"])")));
  // A schema for all others is a content model between the two.
  const auto partly = [](const std::string& properties) {
    return Open(properties, R"(,"additionalProperties":{"type":"integer"})");
  };
  EXPECT_TRUE(Reads(partly(kA), partly(kAB)));
  EXPECT_TRUE(Reads(partly(kAB), partly(kA)));
  EXPECT_FALSE(Reads(partly(kA), partly(R"("a":{"type":"string"},"b":{"type":"string"})")));
  EXPECT_TRUE(Reads(partly(kA), Open(kA)));
  EXPECT_FALSE(Reads(Open(kA), partly(kA)));
  EXPECT_FALSE(Reads(Open(kA), Closed(kA)));
  EXPECT_TRUE(Reads(Closed(kA), Open(kA)));
  const std::string patterns = Open(kA, R"(,"patternProperties":{"^x":{}})");
  EXPECT_TRUE(Reads(patterns, patterns));
  EXPECT_NE(Fault(patterns, Open(kAB)).find("patternProperties, which are not compared"),
            std::string::npos);
}

TEST(JsonCompatibilityTest, WhatIsRequired) {
  const std::string required = R"(,"required":["a"])";
  EXPECT_TRUE(Reads(Open(kA, required), Open(kA)));
  EXPECT_FALSE(Reads(Open(kA), Open(kA, required)));
  EXPECT_TRUE(Reads(Open(kA), Open(R"("a":{"type":"string","default":"x"})", required)));
  EXPECT_FALSE(Reads(R"({"dependencies":{"a":["b"]},"type":"object"})",
                     R"({"dependencies":{"a":["b","c"]},"type":"object"})"));
  EXPECT_TRUE(Reads(R"({"dependencies":{"a":["b","c"]},"type":"object"})",
                    R"({"dependencies":{"a":["b"]},"type":"object"})"));
}

TEST(JsonCompatibilityTest, TypesAndTheirChoices) {
  EXPECT_TRUE(Reads(R"({"type":"integer"})", R"({"type":"number"})"));
  EXPECT_FALSE(Reads(R"({"type":"number"})", R"({"type":"integer"})"));
  EXPECT_FALSE(Reads(R"({"type":"string"})", R"({"type":"integer"})"));
  EXPECT_TRUE(Reads(R"({"type":"string"})", R"({"type":["null","string"]})"));
  EXPECT_FALSE(Reads(R"({"type":["null","string"]})", R"({"type":"string"})"));
  EXPECT_TRUE(Reads(R"({"type":"string"})", R"({"oneOf":[{"type":"null"},{"type":"string"}]})"));
  EXPECT_FALSE(Reads(R"({"oneOf":[{"type":"null"},{"type":"string"}]})", R"({"type":"string"})"));
  EXPECT_TRUE(Reads(R"({"oneOf":[{"type":"null"},{"type":"integer"}]})",
                    R"({"oneOf":[{"type":"number"},{"type":"null"},{"type":"string"}]})"));
  EXPECT_FALSE(Reads(R"({"oneOf":[{"type":"null"},{"type":"integer"}]})",
                     R"({"oneOf":[{"type":"null"},{"type":"string"}]})"));
  EXPECT_TRUE(Reads(R"({"oneOf":[{"type":"null"},{"type":"string"}]})",
                    R"({"anyOf":[{"type":"null"},{"type":"string"}]})"));
  EXPECT_FALSE(Reads(R"({"anyOf":[{"type":"null"},{"type":"string"}]})",
                     R"({"oneOf":[{"type":"null"},{"type":"string"}]})"));
  EXPECT_TRUE(Reads(R"({"allOf":[{"type":"string"},{"maxLength":3}]})", R"({"type":"string"})"));
  EXPECT_FALSE(Reads(R"({"type":"string"})", R"({"allOf":[{"type":"string"},{"maxLength":3}]})"));
  EXPECT_TRUE(Reads(R"({"type":"string"})", "{}"));
  EXPECT_FALSE(Reads("{}", R"({"type":"string"})"));
  EXPECT_TRUE(Reads("false", R"({"type":"string"})"));
  EXPECT_TRUE(Reads(R"({"not":{"type":"number"}})", R"({"not":{"type":"integer"}})"));
  EXPECT_FALSE(Reads(R"({"not":{"type":"integer"}})", R"({"not":{"type":"number"}})"));
}

TEST(JsonCompatibilityTest, ValuesAndLimits) {
  EXPECT_TRUE(Reads(R"({"enum":["a"]})", R"({"enum":["b","a"]})"));
  EXPECT_NE(Fault(R"({"enum":["a","b"]})", R"({"enum":["a"]})").find("the enum lacks \"b\""),
            std::string::npos);
  EXPECT_TRUE(Reads(R"({"const":1})", R"({"enum":[1,2]})"));
  EXPECT_FALSE(Reads(R"({"type":"string"})", R"({"type":"string","enum":["a"]})"));
  EXPECT_TRUE(Reads(R"({"type":"string","maxLength":3})", R"({"type":"string","maxLength":4})"));
  EXPECT_FALSE(Reads(R"({"type":"string","maxLength":3})", R"({"type":"string","maxLength":2})"));
  EXPECT_TRUE(Reads(R"({"type":"number","minimum":3})", R"({"type":"number","minimum":2.5})"));
  EXPECT_FALSE(Reads(R"({"type":"number"})", R"({"type":"number","minimum":2})"));
  EXPECT_TRUE(
      Reads(R"({"type":"integer","multipleOf":6})", R"({"type":"integer","multipleOf":3})"));
  EXPECT_FALSE(
      Reads(R"({"type":"integer","multipleOf":3})", R"({"type":"integer","multipleOf":6})"));
  EXPECT_FALSE(Reads(R"({"type":"string","pattern":"a"})", R"({"type":"string","pattern":"b"})"));
  EXPECT_TRUE(Reads(R"({"type":"string","pattern":"a"})", R"({"type":"string"})"));
}

TEST(JsonCompatibilityTest, Items) {
  EXPECT_TRUE(Reads(R"({"type":"array","items":{"type":"integer"}})",
                    R"({"type":"array","items":{"type":"number"}})"));
  EXPECT_FALSE(Reads(R"({"type":"array"})", R"({"type":"array","items":{"type":"number"}})"));
  const std::string one = R"({"type":"array","items":[{"type":"string"}])";
  const std::string two = R"({"type":"array","items":[{"type":"string"},{"type":"integer"}])";
  const std::string closed = R"(,"additionalItems":false})";
  EXPECT_TRUE(Reads(one + closed, two + closed));
  EXPECT_FALSE(Reads(two + closed, one + closed));
  EXPECT_FALSE(Reads(one + "}", two + "}"));
  EXPECT_TRUE(Reads(two + "}", one + "}"));
  EXPECT_FALSE(Reads(R"({"type":"array"})", R"({"type":"array","uniqueItems":true})"));
}

TEST(JsonCompatibilityTest, ReferencesAreFollowed) {
  const auto tree = [](const std::string& type) {
    return R"({"$ref":"#/definitions/Node","definitions":{"Node":{"type":"object","properties":{)"
           R"("value":{"type":")" +
           type + R"("},"next":{"$ref":"#/definitions/Node"}}}}})";
  };
  EXPECT_TRUE(Reads(tree("integer"), tree("number")));
  EXPECT_NE(Fault(tree("number"), tree("integer")).find("#/value was of type number"),
            std::string::npos);
  const std::vector<ReferencedText> other = {
      {"other.json", R"({"$ref":"#/d","d":{"type":"integer"}})"}};
  EXPECT_EQ(Fault(R"({"type":"integer"})", R"({"$ref":"other.json"})", other), "");
  EXPECT_EQ(Fault(R"({"$ref":"other.json#/d"})", R"({"type":"number"})", other), "");
  EXPECT_NE(Fault(R"({"type":"integer"})", R"({"$ref":"none.json"})").find("is not there"),
            std::string::npos);
  EXPECT_NE(Fault(R"({"type":"integer"})", R"({"$ref":"#"})"), "");
}

TEST(JsonCompatibilityTest, TheRuleSaysWhichWayIsAsked) {
  for (const auto& [rule, adds, removes] : {std::tuple{Compatibility::kBackward, false, true},
                                            {Compatibility::kForward, true, false},
                                            {Compatibility::kFull, false, false},
                                            {Compatibility::kNone, true, true}}) {
    for (const bool add : {true, false}) {
      MemoryRegistry registry({}, [rule = rule] { return rule; });
      ASSERT_TRUE(registry.Register("s", SchemaType::kJson, Open(add ? kA : kAB), {}).ok());
      EXPECT_EQ(registry.Register("s", SchemaType::kJson, Open(add ? kAB : kA), {}).ok(),
                add ? adds : removes)
          << CompatibilityName(rule);
    }
  }
  // A version between them hides what the oldest one said, unless all are asked.
  for (const bool all : {true, false}) {
    MemoryRegistry registry(
        {}, [all] { return all ? Compatibility::kForwardTransitive : Compatibility::kForward; });
    const auto add = [&](const std::string& text) {
      return registry.Register("s", SchemaType::kJson, text, {}).ok();
    };
    EXPECT_TRUE(add(Open(kAB)));
    EXPECT_TRUE(add(Open(R"("a":{"type":"string"},"b":{"type":"integer"},"c":{})")));
    EXPECT_TRUE(all || add(Open(kAB, R"(,"required":["a"])")));
    EXPECT_FALSE(add(Open(R"("a":{"type":"integer"})")));
  }
}

TEST(JsonCompatibilityTest, ChoicesOfChoicesEnd) {
  std::string before = R"({"type":"integer"})";
  std::string now = R"({"type":"string"})";
  for (int level = 0; level < 12; ++level) {
    before = R"({"oneOf":[)" + before + "," + before + "]}";
    now = R"({"anyOf":[)" + now + "," + now + "]}";
  }
  const Status status = CheckJsonReads(now, {}, before, {});
  EXPECT_TRUE(status.code() == ErrorCode::kIncompatibleChange ||
              status.code() == ErrorCode::kUnsupported)
      << status.ToString();
}

}  // namespace
}  // namespace weir
