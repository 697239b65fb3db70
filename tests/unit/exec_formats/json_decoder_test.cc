#include <new>

#include "exec/formats/json/json_structure.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

using Strings = std::vector<std::string>;

std::vector<FormatColumn> One(DataType type) { return {{.name = "A", .type = type}}; }

Strings DecodeValues(DataType type, const Strings& values) {
  Texts texts;
  for (const std::string& value : values) texts.push_back("{\"A\":" + value + "}");
  return Shown(Decode(kJson, One(type), texts));
}

TEST(JsonDecoderTest, ReadsEachType) {
  EXPECT_EQ(DecodeValues(DataType::Int(), {"1", "-7", "1.9", "\"12\"", "null", "2147483648", "01"}),
            (Strings{"1", "-7", "1", "12", "null", "BAD", "BAD"}));
  EXPECT_EQ(DecodeValues(DataType::Bigint(),
                         {"9223372036854775807", "-9223372036854775808", "9223372036854775808",
                          "1e3", "1.5e3", "true", "\"x\"", "{}", "[]"}),
            (Strings{"9223372036854775807", "-9223372036854775808", "BAD", "1000", "1500", "BAD",
                     "BAD", "BAD", "BAD"}));
  EXPECT_EQ(DecodeValues(DataType::Double(),
                         {"9.3", "10", "-0.5", "1e10", "0.1234567890123456789", "\"2.5\"", "1.",
                          ".5", "-", "1e400", "123456789012345678901234567890"}),
            (Strings{"9.3", "10.0", "-0.5", "1.0E10", "0.12345678901234568", "2.5", "BAD", "BAD",
                     "BAD", "Infinity", "1.2345678901234568E29"}));
  EXPECT_EQ(DecodeValues(DataType::Boolean(), {"true", "false", "\"true\"", "1", "tru", "null"}),
            (Strings{"true", "false", "BAD", "BAD", "BAD", "null"}));
  EXPECT_EQ(DecodeValues(DataType::Decimal(6, 4),
                         {"10", "0.1", "\"1.25\"", "10.12340", "10.12345", "100", "1e1"}),
            (Strings{"10.0000", "0.1000", "1.2500", "10.1234", "BAD", "BAD", "10.0000"}));
  EXPECT_EQ(DecodeValues(DataType::Bytes(), {"\"YQ==\"", "\"?\"", "1"}).size(), 3u);
  EXPECT_EQ(DecodeValues(DataType::Date(), {"10", "\"1970-01-11\"", "\"x\""})[2], "BAD");
  EXPECT_EQ(DecodeValues(DataType::Time(), {"10", "86400000"})[1], "BAD");
  EXPECT_EQ(DecodeValues(DataType::Timestamp(), {"10", "\"1970-01-01 00:00:01\"", "\"10\""})[1],
            DecodeValues(DataType::Timestamp(), {"1000"})[0]);
}

TEST(JsonDecoderTest, TakesAnyValueAsText) {
  EXPECT_EQ(
      DecodeValues(DataType::String(),
                   {"\"a\"", "9.30", "true", "null", "{ \"x\" : [1, \"y z\"] }", "\"\"",
                    "\"a\\n\\u00e9\\ud83d\\ude00\\\"\"", "\"\\q\"", "\"\\ud800\"", "nul", "[1,]"}),
      (Strings{"a", "9.30", "true", "null", "{\"x\":[1,\"y z\"]}", "", "a\né😀\"", "BAD",
               "\xEF\xBF\xBD", "BAD", "BAD"}));
}

TEST(JsonDecoderTest, ReadsNestedTypes) {
  EXPECT_EQ(DecodeValues(DataType::Array(DataType::Int()),
                         {"[1, 2,null]", "[]", "null", "[1,\"x\"]", "[3]", "[[1]]", "{}"}),
            (Strings{"[1,2,null]", "[]", "null", "BAD", "[3]", "BAD", "BAD"}));
  EXPECT_EQ(DecodeValues(DataType::Map(DataType::String(), DataType::Double()),
                         {"{\"k\": 1.5, \"l\":null}", "{}", "{\"k\":{}}", "{\"m\":2}"}),
            (Strings{"{\"k\":1.5,\"l\":null}", "{}", "BAD", "{\"m\":2.0}"}));
  const DataType inner = DataType::Struct({{"F1", DataType::String()}, {"f2", DataType::Int()}});
  EXPECT_EQ(DecodeValues(inner, {"{\"f2\":1,\"f1\":\"x\"}", "{\"F2\":1}", "{\"f2\":\"no\"}",
                                 "{\"F1\":\"y\",\"f1\":\"z\",\"skip\":{\"f2\":9}}", "7",
                                 "{\"f1\":\"v\",\"f2\":1,\"f1\":\"w\",\"f2\":2}"}),
            (Strings{"{\"F1\":\"x\",\"f2\":1}", "{\"F1\":null,\"f2\":null}", "BAD",
                     "{\"F1\":\"y\",\"f2\":null}", "BAD", "{\"F1\":\"w\",\"f2\":2}"}));
}

TEST(JsonDecoderTest, MatchesNamesWithoutCaseUnlessTheyHaveLowerCase) {
  const Texts texts = {"{\"vendorId\":1}", "{\"VENDORID\":2}", "{\"vendorid\":3}", "{\"x\":4}"};
  const std::vector<FormatColumn> folded = {{.name = "VENDORID", .type = DataType::Int()}};
  EXPECT_EQ(Shown(Decode(kJson, folded, texts)), (Strings{"1", "2", "3", "null"}));
  const std::vector<FormatColumn> exact = {{.name = "vendorId", .type = DataType::Int()}};
  EXPECT_EQ(Shown(Decode(kJson, exact, texts)), (Strings{"1", "null", "null", "null"}));
}

// The records are decoded in every order of two before them: none changes what another means.
TEST(JsonDecoderTest, ARecordMeansTheSameWhateverCameBeforeIt) {
  const std::vector<std::pair<std::string, std::string>> meanings = {
      {R"({"a":1,"A":9})", "9"},
      {R"({"A":9,"a":1})", "9"},
      {R"({"a":1,"b":0})", "1"},
      {R"({"a":1,"a":5})", "5"},
      {R"({"A":1,"A":5})", "5"},
      {R"({"b":0,"a":1})", "1"},
      {R"({"a":1,"\u0061":7})", "7"},
      {R"({"a":1,"\u0041":7})", "7"},
      {R"({"a":1,"b":7})", "1"},
      {R"({"c":1,"b":7})", "null"},
      {R"({"a":1,"b":{"a":7}})", "1"},
      {R"({"a":1,"b":[],"a":2})", "2"},
      {R"({"a": 1,"b": 7})", "1"},
      {R"({ "a" :1 ,"a" : 3 })", "3"},
      {R"({})", "null"},
      {R"({"a":null,"A":null})", "null"},
      {R"({"a":1,"a_long_name_of_more_than_thirty_two_bytes":7})", "1"},
      {R"({"a":1,"a_long_name_of_more_than_thirty_two_bytez":7,"a":8})", "8"}};
  for (const auto& [first, first_means] : meanings) {
    for (const auto& [second, second_means] : meanings) {
      for (const auto& [third, third_means] : meanings) {
        EXPECT_EQ(Shown(Decode(kJson, One(DataType::Int()), {first, second, third})),
                  (Strings{first_means, second_means, third_means}))
            << first << second << third;
      }
    }
  }
}

TEST(JsonDecoderTest, AKeyThatCannotBeReadMakesABadRecord) {
  const Strings bad = {
      R"({'A':1})",       R"({A:1})",          R"({"A" 1})",        R"({"A",1})",
      R"({"A":1,"b",2})", R"({"A":1,"b" 2})",  R"({"A":1,b:2})",    R"({"A":1,'b':2})",
      R"({"A":1,})",      R"({,"A":1})",       R"({"A":1 "b":2})",  R"({"A":1:"b":2})",
      R"({"A":1,"b":})",  R"({"A":1,"b":,})",  R"({"A":1,"b"::2})", R"({"A":1,"b"})",
      R"({"A"})",         R"({"A":1,"\q":2})", R"({"A":1,"b"x:2})", R"({"A":1,"b":2]})",
      R"({"A":1,[1]:2})", R"({"A":1,1:2})",    R"({"A":1,,"b":2})", R"({:1})"};
  for (const std::string& text : bad) {
    for (bool needed : {true, false}) {
      std::vector<FormatColumn> columns = One(DataType::Int());
      columns[0].needed = needed;
      columns.push_back({.name = "OTHER", .type = DataType::Int()});
      const DecodedSide side = Decode(
          kJson, columns, {R"({"A":1,"b":2})", text, R"({"A":1,"b":2})", text, R"({"OTHER":4})"});
      EXPECT_EQ(Shown(side, 1), (Strings{"null", "BAD", "null", "BAD", "4"})) << text;
    }
  }
}

TEST(JsonDecoderTest, AKeyOfAStructThatCannotBeReadMakesABadRecord) {
  const DataType inner = DataType::Struct({{"F", DataType::Int()}});
  EXPECT_EQ(DecodeValues(inner, {R"({"f":1,"\q":2})", R"({"f":1,"x" 2})", R"({"f":1,x:2})",
                                 R"({"f":1,"\u0046":2})"}),
            (Strings{"BAD", "BAD", "BAD", R"({"F":2})"}));
}

TEST(JsonDecoderTest, NamesBeyondAsciiFoldToo) {
  const std::vector<FormatColumn> columns = {{.name = "ÉTÉ", .type = DataType::Int()}};
  EXPECT_EQ(
      Shown(Decode(kJson, columns,
                   {R"({"été":1})", R"({"Été":2})", R"({"\u00e9t\u00c9":3})", R"({"ete":4})"})),
      (Strings{"1", "2", "3", "null"}));
}

TEST(JsonDecoderTest, MapsHoldTheLastOfEqualKeys) {
  const DataType numbers = DataType::Map(DataType::String(), DataType::Int());
  EXPECT_EQ(DecodeValues(numbers,
                         {R"({"k":1,"l":2,"k":3})", R"({"k":1,"\u006b":2})", R"({"k":1,"K":2})"}),
            (Strings{R"({"k":3,"l":2})", R"({"k":2})", R"({"k":1,"K":2})"}));
  EXPECT_EQ(DecodeValues(DataType::Map(DataType::String(), numbers),
                         {R"({"a":{"k":1,"k":2},"b":{"x":1},"a":{"l":3,"l":4}})"}),
            (Strings{R"({"a":{"l":4},"b":{"x":1}})"}));
  std::string many = "{";
  for (int i = 0; i < 20; ++i) {
    many += "\"k" + std::to_string(i % 19) + "\":" + std::to_string(i) + ",";
  }
  many.back() = '}';
  EXPECT_EQ(DecodeValues(numbers, {many})[0].substr(0, 15), R"({"k0":19,"k1":1)");
}

// More spellings than are remembered: each is still read.
TEST(JsonDecoderTest, ReadsObjectsWhoseKeysAreAlwaysNew) {
  Texts texts;
  for (int i = 0; i < 3000; ++i) {
    texts.push_back("{\"k" + std::to_string(i) + "\":0,\"a\":" + std::to_string(i) + "}");
  }
  const Strings shown = Shown(Decode(kJson, One(DataType::Int()), texts));
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(shown[static_cast<size_t>(i)], std::to_string(i));
}

TEST(JsonDecoderTest, FindsFieldsWhereverTheyStand) {
  const std::vector<FormatColumn> columns = {
      {.name = "A", .type = DataType::Int()},
      {.name = "SKIPPED", .type = DataType::Int(), .needed = false},
      {.name = "B", .type = DataType::String()}};
  const Texts texts = {
      R"({"a":1,"b":"x"})",
      R"({"a":2,"b":"y"})",
      R"({"b":"z","a":3})",
      R"({"o":{"a":9,"b":"no"},"a":4,"b":"in"})",
      R"({"o":{"a":9,"b":"no"},"a":5,"b":"in"})",
      R"({"o":{"a":9},"l":[{"b":1}]})",
      R"( { "a" : 6 , "\u0062" : "e" } )",
      R"({"a":"7","b":"a:,{"})",
  };
  for (bool separated : {true, false}) {
    const DecodedSide side = Decode(kJson, columns, texts, separated);
    EXPECT_EQ(Shown(side, 0), (Strings{"1", "2", "3", "4", "5", "null", "6", "7"}));
    EXPECT_EQ(Shown(side, 2), (Strings{"x", "y", "z", "in", "in", "null", "e", "a:,{"}));
    EXPECT_EQ(side.columns[1], nullptr);
  }
}

TEST(JsonDecoderTest, ABadRecordNeverDisturbsItsNeighbours) {
  const Strings bad = {"{\"A\":1,\"b\":\"open}",
                       "{\"A\":1",
                       "{\"A\":1}}",
                       "{\"A\":1}x",
                       "",
                       "  ",
                       "[1]",
                       "7",
                       "\"text\"",
                       "{\"A\":1}{\"A\":2}",
                       "{\"A\":\"\xff\"}",
                       "{\"A\":1,\"b\":\"\xc3",
                       "\xa9\"}",
                       "{\"A\":1}\\",
                       "\"",
                       "{\"A\":nul}",
                       "{\"A\":}",
                       "{\"A\":1 2}",
                       "{\"A\":1,\"b\":[}",
                       "{\"b\":\"\n\",\"A\":1}",
                       "}"};
  for (const std::string& first : bad) {
    for (const std::string& second : bad) {
      for (bool separated : {true, false}) {
        const Texts texts = {"{\"A\":1}",
                             first,
                             second,
                             "{\"A\":2}",
                             std::nullopt,
                             first,
                             "{\"A\":3,\"b\":\"\\\\\"}",
                             second,
                             "null"};
        const DecodedSide side = Decode(kJson, One(DataType::Int()), texts, separated);
        ASSERT_EQ(Shown(side), (Strings{"1", "BAD", "BAD", "2", "NULL", "BAD", "3", "BAD", "NULL"}))
            << first << " / " << second << " / " << separated;
        ASSERT_EQ(side.bad.size(), 4u);
        EXPECT_EQ(side.bad[0].row, 1);
        EXPECT_FALSE(side.bad[0].reason.empty());
      }
    }
  }
}

TEST(JsonDecoderTest, PassesOverGarbageThatNobodyReadsUnlessStrict) {
  const Texts texts = {"{\"A\":1,\"b\":nul}", "{\"b\":01,\"A\":2}", "{\"A\":3,\"b\":{\"c\":1}}"};
  EXPECT_EQ(Shown(Decode(kJson, One(DataType::Int()), texts)), (Strings{"1", "2", "3"}));
  FormatSpec strict = kJson;
  strict.properties["STRICT.JSON"] = "true";
  EXPECT_EQ(Shown(Decode(strict, One(DataType::Int()), texts)), (Strings{"BAD", "BAD", "3"}));
}

TEST(JsonDecoderTest, ReadsABareColumn) {
  EXPECT_EQ(Shown(Decode(kJsonBare, One(DataType::Bigint()),
                         {"33", " 4 ", "\"5\"", "null", std::nullopt, "x", "1 2", ""}, false)),
            (Strings{"33", "4", "5", "NULL", "NULL", "BAD", "BAD", "BAD"}));
  EXPECT_EQ(Shown(Decode(kJsonBare, One(DataType::String()), {"\"Hey\"", "7", "{\"a\": 1}"})),
            (Strings{"Hey", "7", "{\"a\":1}"}));
  EXPECT_EQ(Shown(Decode(kJsonBare, One(DataType::Array(DataType::String())),
                         {"[\"a\",null]", "[", "[]"})),
            (Strings{"[\"a\",null]", "BAD", "[]"}));
}

TEST(JsonDecoderTest, LimitsTheDepthOfWhatItReads) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string very_deep(200000, '[');
  EXPECT_EQ(DecodeValues(DataType::String(), {deep, very_deep, "\"ok\""}),
            (Strings{"BAD", "BAD", "ok"}));
  const DecodedSide side = Decode(kJson, One(DataType::Int()), {"{\"x\":" + deep + ",\"A\":1}"});
  EXPECT_EQ(Shown(side), (Strings{"1"}));
}

TEST(JsonDecoderTest, LackOfMemoryIsNoFaultOfTheRecord) {
  JsonStructure structure;
  EXPECT_THROW(structure.Index("{}", size_t{5} << 30), std::bad_alloc);
  EXPECT_TRUE(structure.Index(R"({"a":1})", 7));
}

TEST(JsonDecoderTest, DecodesManyGroups) {
  Texts texts;
  for (int i = 0; i < 4096; ++i) {
    texts.push_back("{\"pad\":\"" + std::string(static_cast<size_t>(i % 300), 'x') +
                    "\",\"A\":" + std::to_string(i) + "}");
  }
  texts[1000] = "{\"A\":\"";
  texts[3000] = "{\"pad\":\"" + std::string(200000, 'y') + "\",\"A\":5}";
  const Strings shown = Shown(Decode(kJson, One(DataType::Int()), texts, false));
  for (int i = 0; i < 4096; ++i) {
    ASSERT_EQ(shown[static_cast<size_t>(i)], i == 1000 ? "BAD" : std::to_string(i == 3000 ? 5 : i));
  }
}

}  // namespace
}  // namespace weir::test
