#include <fmt/format.h>

#include "exec/formats/avro/avro_cursor.h"
#include "exec/formats/avro/avro_json.h"
#include "exec/formats/registry/memory_registry.h"
#include "exec/formats/registry/text_by_schema.h"
#include "exec/formats/registry/wire_format.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

// A registry, and records written by its schemas.
class AvroFormatTest : public ::testing::Test {
 protected:
  FormatSpec Spec(bool unwrapped = false) {
    FormatSpec spec;
    spec.name = "AVRO";
    spec.unwrapped = unwrapped;
    spec.registry = &registry_;
    spec.subject = "t-value";
    return spec;
  }
  int32_t Register(const std::string& schema) {
    const auto id = registry_.Register("t-value", SchemaType::kAvro, schema, {});
    EXPECT_TRUE(id.ok()) << id.status().ToString();
    return id.ok() ? *id : -1;
  }
  std::string Write(const std::string& schema, const std::string& json) {
    BufferBuilder bytes;
    AppendSchemaId(Register(schema), bytes);
    const Status written =
        EncodeAvroJson((*ParseAvroSchema(schema))->root(), *ParseRawJson(json), true, bytes);
    EXPECT_TRUE(written.ok()) << written.ToString();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::string Record(const std::string& fields) {
    return R"({"type":"record","name":"R","fields":[)" + fields + "]}";
  }

  MemoryRegistry registry_{{}, [] { return Compatibility::kNone; }};
};

TEST_F(AvroFormatTest, ReadsRecordsOfSeveralSchemasSideBySide) {
  const std::string old_schema = Record(R"({"name":"x","type":"int"},{"name":"v","type":"int"})");
  const std::string new_schema =
      Record(R"({"name":"V","type":["null","long"]},{"name":"more","type":"string"})");
  const DecodedSide side =
      Decode(Spec(), {{"V", DataType::Bigint()}, {"MORE", DataType::String()}},
             {Write(old_schema, R"({"x":1,"v":2})"), Write(new_schema, R"({"V":3,"more":"m"})"),
              std::nullopt, Write(new_schema, R"({"V":null,"more":"n"})"),
              Write(old_schema, R"({"x":1,"v":5})")});
  EXPECT_EQ(Shown(side, 0), (std::vector<std::string>{"2", "3", "NULL", "null", "5"}));
  EXPECT_EQ(Shown(side, 1), (std::vector<std::string>{"null", "m", "NULL", "n", "null"}));
}

TEST_F(AvroFormatTest, PassesOverWhatIsNotRead) {
  const std::string schema = Record(
      R"({"name":"a","type":{"type":"array","items":{"type":"map","values":["null","double"]}}},
         {"name":"b","type":{"type":"record","name":"S","fields":[
            {"name":"f","type":{"type":"fixed","name":"F","size":3}},{"name":"g","type":"float"},
            {"name":"h","type":"bytes"},{"name":"i","type":"boolean"}]}},
         {"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},
         {"name":"last","type":"string"})");
  const std::string bytes = Write(
      schema,
      R"({"a":[{"k":1.5,"l":null},{}],"b":{"f":"AAAA","g":1,"h":"AQ==","i":true},"e":"Y","last":"z"})");
  EXPECT_EQ(Shown(Decode(Spec(), {{"LAST", DataType::String()}}, {bytes}), 0)[0], "z");
  EXPECT_EQ(Shown(Decode(Spec(), {{"E", DataType::String()}}, {bytes}), 0)[0], "Y");
  EXPECT_EQ(
      Shown(Decode(Spec(),
                   {{"A", DataType::Array(DataType::Map(DataType::String(), DataType::Double()))}},
                   {bytes}),
            0)[0],
      R"([{"k":1.5,"l":null},{}])");
}

TEST_F(AvroFormatTest, SaysWhatIsWrongWithBadRecords) {
  const std::string schema = Record(R"({"name":"V","type":"string"})");
  const std::string good = Write(schema, R"({"V":"text"})");
  const std::string number = Write(Record(R"({"name":"V","type":"double"})"), R"({"V":1})");
  const DecodedSide side = Decode(Spec(), {{"V", DataType::String()}},
                                  {good, "", "{\"V\":1}", std::string("\0\0\0\0\x63zzz", 8),
                                   good.substr(0, 8), good + "x", number, good});
  EXPECT_EQ(Shown(side),
            (std::vector<std::string>{"text", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "text"}));
  EXPECT_NE(side.bad[0].reason.find("no schema id"), std::string::npos);
  EXPECT_NE(side.bad[2].reason.find("99 is not in the registry"), std::string::npos);
  EXPECT_NE(side.bad[3].reason.find("end too early"), std::string::npos);
  EXPECT_NE(side.bad[4].reason.find("1 bytes follow"), std::string::npos);
  EXPECT_NE(side.bad[5].reason.find("double is no STRING"), std::string::npos);
}

TEST_F(AvroFormatTest, AsksAgainForIdsThatWereUnknown) {
  const std::string schema = Record(R"({"name":"V","type":"int"})");
  MemoryRegistry other;
  ASSERT_TRUE(other.Register("t-value", SchemaType::kAvro, schema, {}).ok());
  auto decoder = MakeDecoder(Spec(), {{"V", DataType::Int()}});
  ASSERT_TRUE(decoder.ok());
  const std::string record("\0\0\0\0\x01\x0e", 6);
  DecodedSide side;
  ASSERT_TRUE((*decoder)->Decode(MakeRecords({record}), side).ok());
  EXPECT_EQ(Shown(side)[0], "BAD");
  Register(schema);
  ASSERT_TRUE((*decoder)->Decode(MakeRecords({record}), side).ok());
  EXPECT_EQ(Shown(side)[0], "7");
}

TEST_F(AvroFormatTest, ConvertsAsKsqlDoes) {
  const auto read = [&](const std::string& avro, const std::string& json, DataType type) {
    return Shown(Decode(Spec(true), {{"V", type}}, {Write(avro, json)}))[0];
  };
  EXPECT_EQ(read(R"("int")", "7", DataType::Bigint()), "7");
  EXPECT_EQ(read(R"("int")", "7", DataType::String()), "7");
  EXPECT_EQ(read(R"("boolean")", "true", DataType::String()), "true");
  EXPECT_EQ(read(R"("float")", "1.5", DataType::Double()), "1.5");
  EXPECT_EQ(read(R"("string")", "\"7\"", DataType::Int()), "BAD");
  EXPECT_EQ(read(R"("long")", "7", DataType::Int()), "BAD");
  EXPECT_EQ(read(R"(["null","int"])", "null", DataType::Int()), "NULL");
  EXPECT_EQ(
      read(R"({"type":"long","logicalType":"timestamp-micros"})", "-1", DataType::Timestamp()),
      "1969-12-31T23:59:59.999");
  EXPECT_EQ(read(R"({"type":"bytes","logicalType":"decimal","precision":5,"scale":3})", "-1.125",
                 DataType::Decimal(4, 2)),
            "-1.13");
  EXPECT_EQ(read(R"(["int","string"])", "\"s\"",
                 DataType::Struct({{"INT", DataType::Int()}, {"STRING", DataType::String()}})),
            R"({"INT":null,"STRING":"s"})");
}

TEST_F(AvroFormatTest, ATimeIsInsideOneDay) {
  const auto read = [&](const std::string& avro, const std::string& json) {
    return Shown(Decode(Spec(true), {{"V", DataType::Time()}}, {Write(avro, json)}))[0];
  };
  const std::string millis = R"({"type":"int","logicalType":"time-millis"})";
  const std::string micros = R"({"type":"long","logicalType":"time-micros"})";
  EXPECT_EQ(read(millis, "86399999"), "23:59:59.999");
  EXPECT_EQ(read(millis, "86400000"), "BAD");
  EXPECT_EQ(read(millis, "-1"), "BAD");
  EXPECT_EQ(read(micros, "86399999999"), "23:59:59.999");
  EXPECT_EQ(read(micros, "86400000000"), "BAD");
  EXPECT_EQ(read(micros, "-1"), "BAD");
}

TEST_F(AvroFormatTest, ARecordWithoutAKnownIdIsBadThoughItsIdIsMinusOne) {
  FormatSpec spec = Spec();
  spec.name = "JSON_SR";
  const DecodedSide side =
      Decode(spec, {{"V", DataType::Int()}}, {std::string("\0\xff\xff\xff\xff{\"V\":5}", 12)});
  EXPECT_EQ(Shown(side)[0], "BAD");
}

TEST_F(AvroFormatTest, TakesAliasesAndDefaultsOfTheSchemaThatIsNamed) {
  const std::string written = Record(R"({"name":"old","type":"int"})");
  const std::string mine = Record(
      R"({"name":"fresh","aliases":["old"],"type":"long"},
         {"name":"added","type":{"type":"array","items":"string"},"default":["d"]})");
  FormatSpec spec = Spec();
  spec.properties["SCHEMA_ID"] = std::to_string(Register(mine));
  const DecodedSide side =
      Decode(spec, {{"fresh", DataType::Bigint()}, {"added", DataType::Array(DataType::String())}},
             {Write(written, R"({"old":4})"), Write(mine, R"({"fresh":5,"added":[]})")});
  EXPECT_EQ(Shown(side, 0), (std::vector<std::string>{"4", "5"}));
  EXPECT_EQ(Shown(side, 1), (std::vector<std::string>{R"(["d"])", "[]"}));
}

TEST_F(AvroFormatTest, WritesByTheSchemaThatIsNamed) {
  FormatSpec spec = Spec();
  spec.properties["SCHEMA_ID"] = std::to_string(
      Register(Record(R"({"name":"n","type":"long","default":10},{"name":"more","type":"string",
                         "default":"foo"},{"name":"s","type":["string","null"]})")));
  const std::vector<FormatColumn> columns = {{"s", DataType::String()}, {"n", DataType::Bigint()}};
  ColumnBuilder text(DataType::String());
  ColumnBuilder number(DataType::Bigint());
  text.AppendBytes("a");
  number.AppendNull();
  text.AppendNull();
  number.AppendInt64(3);
  const Texts texts = Encode(spec, columns, {text.Finish(), number.Finish()}, {0, 1});
  EXPECT_EQ(TextBySchema(registry_, *texts[0]), R"({"n":10,"more":"foo","s":"a"})");
  EXPECT_EQ(TextBySchema(registry_, *texts[1]), R"({"n":3,"more":"foo","s":null})");
}

TEST_F(AvroFormatTest, RefusesRowsThatTheSchemaDoesNotTake) {
  FormatSpec spec = Spec();
  spec.properties["SCHEMA_ID"] = std::to_string(Register(Record(R"({"name":"n","type":"int"})")));
  auto encoder = MakeEncoder(spec, {{"n", DataType::Int()}});
  ASSERT_TRUE(encoder.ok());
  const int32_t row = 0;
  BufferBuilder bytes;
  std::vector<Slice> slices;
  EXPECT_EQ((*encoder)
                ->Encode({MakeNullColumn(DataType::Int(), 1)}, std::span(&row, 1), bytes, slices)
                .code(),
            ErrorCode::kBadRecord);
  auto other = MakeEncoder(spec, {{"n", DataType::String()}});
  EXPECT_EQ((*other)->Prepare().code(), ErrorCode::kFormatMismatch);
}

TEST_F(AvroFormatTest, NeedsARegistry) {
  EXPECT_EQ(MakeDecoder({.name = "AVRO"}, {{"V", DataType::Int()}}).status().code(),
            ErrorCode::kUnsupported);
}

TEST_F(AvroFormatTest, WritesJsonSrBehindItsId) {
  FormatSpec spec = Spec();
  spec.name = "JSON_SR";
  ColumnBuilder numbers(DataType::Int());
  numbers.AppendInt32(5);
  const std::vector<FormatColumn> columns = {{"V", DataType::Int()}};
  const Texts texts = Encode(spec, columns, {numbers.Finish()}, {0});
  EXPECT_EQ(*texts[0], std::string("\0\0\0\0\x01{\"V\":5}", 12));
  EXPECT_EQ((*registry_.ById(1))->type, SchemaType::kJson);
  const DecodedSide side =
      Decode(spec, columns,
             {*texts[0], "{\"V\":6}", std::nullopt, std::string("\0\0\0\0\x07{\"V\":5}", 12),
              std::string("\0\0\0\0\x01{\"V\":", 10), *texts[0]});
  EXPECT_EQ(Shown(side), (std::vector<std::string>{"5", "BAD", "NULL", "BAD", "BAD", "5"}));
}

}  // namespace
}  // namespace weir::test
