#include <gtest/gtest.h>

#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

std::string Field(const char* json, const char* path) {
  return Eval("EXTRACTJSONFIELD", {Lit(json), Lit(path)});
}

TEST(JsonFunctions, ExtractsFields) {
  const char* json = R"({"name": "cdc", "n": {"m": [1, {"x": 2}]}, "@type": "UDF", "f": 1.23450})";
  EXPECT_EQ(Field(json, "$.name"), "cdc");
  EXPECT_EQ(Field(json, "$.@type"), "UDF");
  EXPECT_EQ(Field(json, "$.f"), "1.23450");
  EXPECT_EQ(Field(json, "$.n"), R"({"m":[1,{"x":2}]})");
  EXPECT_EQ(Field(json, "$.n.m[1].x"), "2");
  EXPECT_EQ(Field(json, "$[\"n\"]['m'][0]"), "1");
  EXPECT_EQ(Field(json, "$.n.m[-1]"), "null");
  EXPECT_EQ(Field(json, "$.n.m[7]"), "null");
  EXPECT_EQ(Field(json, "$.missing.more"), "null");
  EXPECT_EQ(Field(R"({"a": null})", "$.a"), "null");
  EXPECT_EQ(Field(R"({"v": "2"}})", "$.v"), "2");
  EXPECT_EQ(Field(R"(["a", "b"])", "$[1]"), "b");
  EXPECT_EQ(Field(R"({"a": "A\n\"é"})", "$.a"), "A\n\"é");
  EXPECT_EQ(Field("{", "$.a"), "null!");
  EXPECT_EQ(Field("{}", "a"), "null!");
  EXPECT_EQ(Field("{}", "$.*"), "null!");
}

TEST(JsonFunctions, TellsJson) {
  const auto is_json = [](const char* text) { return Eval("IS_JSON_STRING", {Lit(text)}); };
  for (const char* text :
       {"[1, 2]", "{}", "1", "\"a\"", "null", "-1.5e3", " true ", "12345678901234567890123"}) {
    EXPECT_EQ(is_json(text), "true") << text;
  }
  for (const char* text : {"", "abc", "[1", "{\"a\":}", "01", "1.", "tru", "[1] 2", "{\"a\":1}}"}) {
    EXPECT_EQ(is_json(text), "false") << text;
  }
  EXPECT_EQ(Eval("IS_JSON_STRING", {NoText()}), "false");
}

TEST(JsonFunctions, Arrays) {
  EXPECT_EQ(Eval("JSON_ARRAY_LENGTH", {Lit("[1, {\"a\": [2, 3]}]")}), "2");
  EXPECT_EQ(Eval("JSON_ARRAY_LENGTH", {Lit("{}")}), "null");
  EXPECT_EQ(Eval("JSON_ARRAY_LENGTH", {Lit("")}), "null");
  EXPECT_EQ(Eval("JSON_ARRAY_CONTAINS", {Lit("[\"Pink\", null]"), Lit("Pink")}), "true");
  EXPECT_EQ(Eval("JSON_ARRAY_CONTAINS", {Lit("[\"Pink\", null]"), NoText()}), "true");
  EXPECT_EQ(Eval("JSON_ARRAY_CONTAINS", {Lit("[1, 2.5]"), Lit(2.5)}), "true");
  EXPECT_EQ(Eval("JSON_ARRAY_CONTAINS", {Lit("[\"1\"]"), Lit(1)}), "false");
  EXPECT_EQ(Eval("JSON_ITEMS", {Lit(R"([{"a": 1}, "x"])")}), R"(["{\"a\":1}","\"x\""])");
}

TEST(JsonFunctions, Objects) {
  EXPECT_EQ(Eval("JSON_KEYS", {Lit(R"({"Red": 3, "Green": 5})")}), R"(["Red","Green"])");
  EXPECT_EQ(Eval("JSON_RECORDS", {Lit(R"({"a": 3, "b": "x", "c": null})")}),
            R"({"a":"3","b":"x","c":"null"})");
  EXPECT_EQ(Eval("JSON_KEYS", {Lit("[]")}), "null");
}

TEST(JsonFunctions, Concat) {
  const auto concat = [](const char* a, const char* b) {
    return Eval("JSON_CONCAT", {Lit(a), Lit(b)});
  };
  EXPECT_EQ(concat("{\"a\": 1}", "{\"b\": 2}"), R"({"a":1,"b":2})");
  EXPECT_EQ(concat(R"({"a": {"5": 6}})", R"({"a": {"3": 4}})"), R"({"a":{"3":4}})");
  EXPECT_EQ(concat("null", "null"), "[null,null]");
  EXPECT_EQ(concat("[1, 2]", "{\"a\": 1}"), R"([1,2,{"a":1}])");
  EXPECT_EQ(concat("[1, [2]]", "[[[3]]]"), "[1,[2],[[3]]]");
  EXPECT_EQ(concat("1", ""), "null");
  EXPECT_EQ(Eval("JSON_CONCAT", {NoText(), Lit("1")}), "null");
}

TEST(JsonFunctions, ToJson) {
  EXPECT_EQ(Eval("TO_JSON_STRING", {NoInt()}), "null");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Lit(123.456)}), "123.456");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Bytes("!")}), "\"IQ==\"");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Time(60220000)}), "\"16:43:40\"");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Date(1000)}), "\"1972-09-27\"");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Stamp(60220000000)}), "\"1971-11-28T23:46:40.000\"");
  EXPECT_EQ(Eval("TO_JSON_STRING", {Ints({1, 2})}), "[1,2]");
}

}  // namespace
}  // namespace weir
