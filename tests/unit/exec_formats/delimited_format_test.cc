#include "exec/formats/delimited_format.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

using Strings = std::vector<std::string>;

const std::vector<FormatColumn> kColumns = {{.name = "A", .type = DataType::String()},
                                            {.name = "B", .type = DataType::Bigint()},
                                            {.name = "C", .type = DataType::Double()}};

TEST(DelimitedFormatTest, ReadsLines) {
  const DecodedSide side =
      Decode(kDelimited, kColumns,
             {"x,1,2.5", "\"a,\"\"b\"\"\",\"2\",3", ",,", "x,1", "x,1,2,3", "x,y,2", "\"x,1,2",
              "\"x\"y,1,2", "", std::nullopt, "z,-4,1e3\r\n", "\xff,1,2", "\"\",5,6"},
             false);
  EXPECT_EQ(Shown(side, 0), (Strings{"x", "a,\"b\"", "null", "BAD", "BAD", "BAD", "BAD", "BAD",
                                     "BAD", "NULL", "z", "BAD", "null"}));
  EXPECT_EQ(Shown(side, 1), (Strings{"1", "2", "null", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD",
                                     "NULL", "-4", "BAD", "5"}));
  EXPECT_EQ(Shown(side, 2)[10], "1000.0");
  EXPECT_EQ(side.bad.size(), 7u);
}

TEST(DelimitedFormatTest, QuotesAsCommonsCsv) {
  const Texts texts = {"-12,1,2.0", "a b,1,2.0",  "x ,1,2.0", "#,1,2.0",
                       "é,1,2.0",   "a\"b,1,2.0", ",1,2.0"};
  const DecodedSide side = Decode(kDelimited, kColumns, texts, false);
  EXPECT_EQ(Encode(kDelimited, kColumns, side.columns, {0, 1, 2, 3, 4, 5, 6}),
            (Texts{"\"-12\",1,2.0", "a b,1,2.0", "\"x \",1,2.0", "\"#\",1,2.0", "\"é\",1,2.0",
                   "\"a\"\"b\",1,2.0", ",1,2.0"}));
}

TEST(DelimitedFormatTest, WhatAFileHoldsComesBack) {
  const std::vector<FormatColumn> columns = {{.name = "A", .type = DataType::String()},
                                             {.name = "D", .type = DataType::Date()},
                                             {.name = "T", .type = DataType::Time()},
                                             {.name = "S", .type = DataType::Timestamp()},
                                             {.name = "B", .type = DataType::String()}};
  FormatSpec file = kDelimited;
  file.properties[kDelimitedFile] = "TRUE";
  const Texts texts = {"x,2020-02-29,13:14:15,2020-02-29T13:14:15.123,\"\"", "\"\",,,,", ",,,,"};
  const DecodedSide side = Decode(file, columns, texts, false);
  EXPECT_EQ(Shown(side, 0), (Strings{"x", "", "null"}));
  EXPECT_EQ(Shown(side, 4), (Strings{"", "null", "null"}));
  EXPECT_EQ(Encode(file, columns, side.columns, {0, 1, 2}), texts);
  file.properties[kDelimitedNull] = "NA";
  const Texts with_null = {"\"NA\",NA,NA,NA,\"\""};
  EXPECT_EQ(Encode(file, columns, Decode(file, columns, with_null, false).columns, {0}), with_null);
}

TEST(DelimitedFormatTest, ANullAloneIsALineOfNothing) {
  const std::vector<FormatColumn> column = {{.name = "A", .type = DataType::String()}};
  const Texts texts = {"x", "", std::nullopt};
  const DecodedSide side = Decode(kDelimited, column, texts, false);
  EXPECT_EQ(Shown(side), (Strings{"x", "null", "NULL"}));
  EXPECT_EQ(Encode(kDelimited, column, side.columns, {0, 1}), (Texts{"x", ""}));
}

TEST(DelimitedFormatTest, TakesOtherDelimiters) {
  for (const auto& [name, c] : std::vector<std::pair<std::string, std::string>>{
           {"TAB", "\t"}, {"SPACE", " "}, {"|", "|"}}) {
    FormatSpec spec = kDelimited;
    spec.properties["DELIMITER"] = name;
    const Texts texts = {"x" + c + "1" + c + "2.0"};
    const DecodedSide side = Decode(spec, kColumns, texts, false);
    EXPECT_EQ(Encode(spec, kColumns, side.columns, {0}), texts);
  }
  for (const char* bad : {"", " ", "\t", "<>"}) {
    FormatSpec spec = kDelimited;
    spec.properties["VALUE_DELIMITER"] = bad;
    EXPECT_EQ(CheckFormat(spec, kColumns).code(), ErrorCode::kInvalidProperty) << bad;
  }
}

TEST(DelimitedFormatTest, MapsFieldsOfFiles) {
  FormatSpec spec = kDelimited;
  spec.properties = {
      {kDelimitedFields, "3,-1,1"}, {kDelimitedFieldCount, "5"}, {kDelimitedNull, "NA"}};
  const DecodedSide side = Decode(spec, kColumns, {"0,1.5,2,x,4", "0,NA,2,\"NA\",4", "1"}, false);
  EXPECT_EQ(Shown(side, 0), (Strings{"x", "NA", "BAD"}));
  EXPECT_EQ(Shown(side, 1), (Strings{"null", "null", "BAD"}));
  EXPECT_EQ(Shown(side, 2), (Strings{"1.5", "null", "BAD"}));
}

TEST(DelimitedFormatTest, ReadsTimesAsNumbersAndIsoText) {
  const std::vector<FormatColumn> column = {{.name = "T", .type = DataType::Timestamp()}};
  const Strings shown = Shown(Decode(kDelimited, column, {"1000", "1970-01-01 00:00:01", "x"}));
  EXPECT_EQ(shown[0], shown[1]);
  EXPECT_EQ(shown[2], "BAD");
}

}  // namespace
}  // namespace weir::test
