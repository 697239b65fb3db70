#include <cmath>
#include <limits>

#include "base/number_text.h"
#include "exec/formats/json/json_text.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

std::string DoubleAsJson(double value) {
  char text[64];
  return {text, WriteJsonDouble(value, text)};
}

TEST(JsonEncoderTest, WritesDoublesAsJavaDoes) {
  EXPECT_EQ(DoubleAsJson(9.3), "9.3");
  EXPECT_EQ(DoubleAsJson(10), "10.0");
  EXPECT_EQ(DoubleAsJson(-0.0), "-0.0");
  EXPECT_EQ(DoubleAsJson(0.001), "0.001");
  EXPECT_EQ(DoubleAsJson(1e7), "1.0E7");
  EXPECT_EQ(DoubleAsJson(9999999.999), "9999999.999");
  EXPECT_EQ(DoubleAsJson(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(DoubleAsJson(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(DoubleAsJson(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
}

TEST(JsonEncoderTest, ItsShortcutForDoublesAgreesWithTheLongWay) {
  uint64_t state = 12345;
  for (int i = 0; i < 200000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const auto thousandths = static_cast<double>((state >> 30) % 10000000000ull);
    for (double value : {thousandths / 1000, std::nextafter(thousandths / 1000, 0.0),
                         std::nextafter(thousandths / 1000, 1e9)}) {
      ASSERT_EQ(DoubleAsJson(value), DoubleText(value));
    }
  }
}

TEST(JsonEncoderTest, EscapesTexts) {
  BufferBuilder out;
  AppendJsonString("a\"b\\c\n\t\x01/é longer than a word 0123456789\x1f", out);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(out.data()), out.size()),
            "\"a\\\"b\\\\c\\n\\t\\u0001/é longer than a word 0123456789\\u001F\"");
}

TEST(JsonEncoderTest, WritesKeysInSchemaOrderAndNulls) {
  const std::vector<FormatColumn> columns = {
      {.name = "I", .type = DataType::Int()},
      {.name = "s\"", .type = DataType::String()},
      {.name = "D", .type = DataType::Decimal(6, 2)},
      {.name = "F", .type = DataType::Double()},
      {.name = "B", .type = DataType::Boolean()},
      {.name = "X", .type = DataType::Bytes()},
      {.name = "L", .type = DataType::Array(DataType::Bigint())},
      {.name = "M", .type = DataType::Map(DataType::String(), DataType::Int())},
      {.name = "R", .type = DataType::Struct({{"A", DataType::Int()}, {"B", DataType::String()}})}};
  const Texts texts = {
      R"({"I":1,"s\"":"x","D":1.50,"F":2.0,"B":true,"X":"YWI=","L":[1,null],"M":{"k":1},"R":{"A":1,"B":null}})",
      R"({"I":null,"s\"":null,"D":null,"F":null,"B":null,"X":null,"L":null,"M":null,"R":null})"};
  const DecodedSide side = Decode(kJson, columns, texts);
  ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason;
  EXPECT_EQ(Encode(kJson, columns, side.columns, {0, 1}), texts);
  EXPECT_EQ(Encode(kJson, columns, side.columns, {1, 0, 0}), (Texts{texts[1], texts[0], texts[0]}));
}

TEST(JsonEncoderTest, WritesABareColumn) {
  const std::vector<FormatColumn> column = {{.name = "A", .type = DataType::String()}};
  const Texts texts = {"\"x\"", std::nullopt};
  EXPECT_EQ(Encode(kJsonBare, column, Decode(kJsonBare, column, texts).columns, {0, 1}), texts);
  EXPECT_EQ(Encode(kJson, {}, {}, {0, 1}), (Texts{std::nullopt, std::nullopt}));
}

}  // namespace
}  // namespace weir::test
