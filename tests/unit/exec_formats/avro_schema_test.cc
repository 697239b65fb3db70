#include "exec/formats/avro/avro_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exec/formats/avro/avro_format.h"
#include "exec/formats/avro/avro_json.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir::test {
namespace {

std::string Fault(const std::string& text) {
  const Result<AvroSchemaPtr> schema = ParseAvroSchema(text);
  return schema.ok() ? "" : schema.status().message();
}

std::string Columns(const std::string& text, bool unwrapped = false, bool keep_case = false) {
  const auto columns = ColumnsOfAvro(text, {}, false, unwrapped, keep_case);
  return columns.ok() ? Schema{*columns}.ToString() : columns.status().message();
}

TEST(AvroSchemaTest, ReadsAllTypes) {
  const auto schema = ParseAvroSchema(R"({"type":"record","name":"R","namespace":"a.b","fields":[
    {"name":"u","type":["null","long"],"default":null},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},
    {"name":"again","type":"E"},
    {"name":"f","type":{"type":"fixed","name":"c.F","size":4}},
    {"name":"m","type":{"type":"map","values":{"type":"array","items":"double"}}},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}}]})");
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  const AvroType& root = (*schema)->root();
  EXPECT_EQ(root.full_name, "a.b.R");
  EXPECT_EQ(root.fields[0].default_json, "null");
  EXPECT_EQ(root.fields[1].type, root.fields[2].type);
  EXPECT_EQ(root.fields[1].type->full_name, "a.b.E");
  EXPECT_EQ(root.fields[3].type->full_name, "c.F");
  EXPECT_EQ(root.fields[4].type->children[0]->kind, AvroKind::kArray);
  EXPECT_EQ(root.fields[5].type->logical, AvroLogical::kDecimal);
}

TEST(AvroSchemaTest, RefusesWhatIsNoSchema) {
  EXPECT_NE(Fault(""), "");
  EXPECT_NE(Fault("7"), "");
  EXPECT_NE(Fault("<html>"), "");
  EXPECT_NE(Fault(R"({"type":"record","name":"R"})"), "");
  EXPECT_NE(Fault(R"({"type":"array"})"), "");
  EXPECT_NE(Fault(R"("nothing")"), "");
  EXPECT_NE(Fault(R"(["int","int"])"), "");
  EXPECT_NE(Fault(R"({"type":"fixed","name":"F","size":-1})"), "");
  EXPECT_NE(Fault(R"({"type":"record","name":"1R","fields":[]})"), "");
  EXPECT_EQ(ParseAvroSchema(R"({"type":"record","name":"R","fields":[
                {"name":"next","type":["null","R"]}]})")
                .status()
                .code(),
            ErrorCode::kUnsupported);
}

TEST(AvroSchemaTest, SurvivesDeepAndWideSchemas) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"type":"array","items":)";
  deep += R"("int")" + std::string(100, '}');
  EXPECT_EQ(Fault(deep), "");
  std::string too_deep;
  for (int i = 0; i < 100'000; ++i) too_deep += R"({"type":"array","items":)";
  EXPECT_NE(Fault(too_deep), "");
  std::string wide = R"({"type":"record","name":"R","fields":[)";
  for (int i = 0; i < 10'000; ++i) {
    wide += fmt::format(R"({}{{"name":"f{}","type":["null","string"]}})", i == 0 ? "" : ",", i);
  }
  EXPECT_EQ(Fault(wide + "]}"), "");
}

// Each record has two of the next by default: a few lines are a thousand million values.
TEST(AvroSchemaTest, DefaultsOfDefaultsHaveABound) {
  std::string type = R"("int")";
  std::string value = "1";
  for (int i = 0; i < 30; ++i) {
    const std::string again = i == 0 ? type : fmt::format("\"R{}\"", i - 1);
    type = fmt::format(
        R"({{"type":"record","name":"R{}","fields":[{{"name":"l","type":{},"default":{}}},)"
        R"({{"name":"r","type":{},"default":{}}}]}})",
        i, type, value, again, value);
    value = "{}";
  }
  const Result<AvroSchemaPtr> schema = ParseAvroSchema(type);
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  BufferBuilder bytes;
  const Status written = EncodeAvroJson((*schema)->root(), "{}", bytes);
  EXPECT_NE(written.message().find("more than 1000000 parts"), std::string::npos)
      << written.ToString();
}

TEST(AvroSchemaTest, GivesColumns) {
  EXPECT_EQ(Columns(R"({"type":"record","name":"R","fields":[
    {"name":"a","type":"int"},{"name":"b","type":["null","float"]},
    {"name":"c","type":{"type":"map","values":"long"}},{"name":"nothing","type":"null"},
    {"name":"s","type":{"type":"record","name":"S","fields":[{"name":"x","type":"string"}]}},
    {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"u","type":["int","string"]}]})"),
            "`A` INTEGER, `B` DOUBLE, `C` MAP<STRING, BIGINT>, `S` STRUCT<`X` STRING>, "
            "`T` TIMESTAMP, `U` STRUCT<`INT` INTEGER, `STRING` STRING>");
  EXPECT_EQ(
      Columns(R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})", false, true),
      "`a` INTEGER");
  EXPECT_EQ(Columns(R"("bytes")", true), "`ROWVAL` BYTES");
  EXPECT_NE(Columns(R"("bytes")").find("no record"), std::string::npos);
}

TEST(AvroSchemaTest, WritesTheSchemaThatItReads) {
  const std::vector<FormatColumn> columns = {
      {"A", DataType::Int()},
      {"M", DataType::Map(DataType::String(), DataType::Struct({{"X", DataType::Date()}}))},
      {"S", DataType::Struct({{"D", DataType::Decimal(5, 2)}, {"T", DataType::Time()}})},
      {"L", DataType::Array(DataType::Struct({{"B", DataType::Bytes()}}))}};
  FormatSpec spec;
  spec.name = "AVRO";
  Schema schema;
  for (const FormatColumn& column : columns) schema.columns.push_back({column.name, column.type});
  EXPECT_EQ(Columns(AvroSchemaOf(spec, columns)), schema.ToString());
  const auto parsed = ParseAvroSchema(AvroSchemaOf(spec, columns));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ((*parsed)->root().full_name, "io.confluent.ksql.avro_schemas.KsqlDataSourceSchema");
  spec.is_key = true;
  spec.source_name = "MY_TABLE";
  const auto key = ParseAvroSchema(AvroSchemaOf(spec, columns));
  EXPECT_EQ((*key)->root().full_name, "io.confluent.ksql.avro_schemas.MyTableKey");
}

// Columns A_B and the field B of A would have the same name.
TEST(AvroSchemaTest, NamesRecordsOnce) {
  const DataType inner = DataType::Struct({{"X", DataType::Int()}});
  FormatSpec spec;
  spec.name = "AVRO";
  EXPECT_EQ(Fault(AvroSchemaOf(spec, {{"A_B", inner}, {"A", DataType::Struct({{"B", inner}})}})),
            "");
}

TEST(MemoryRegistryTest, GivesIdsAndVersions) {
  MemoryRegistry registry;
  EXPECT_EQ(*registry.Register("t-value", SchemaType::kAvro, R"("int")", {}), 1);
  EXPECT_EQ(*registry.Register("t-value", SchemaType::kAvro, R"( "int" )", {}), 1);
  EXPECT_EQ(*registry.Register("u-value", SchemaType::kAvro, R"("int")", {}), 1);
  EXPECT_EQ(*registry.Register("u-value", SchemaType::kAvro, R"("long")", {}), 2);
  EXPECT_EQ((*registry.Latest("u-value"))->id, 2);
  EXPECT_EQ((*registry.Version("u-value", 1))->id, 1);
  EXPECT_EQ(*registry.Latest("v-value"), nullptr);
  EXPECT_EQ(*registry.ById(3), nullptr);
  EXPECT_EQ(registry.Register("t-value", SchemaType::kAvro, R"("string")", {}).status().code(),
            ErrorCode::kIncompatibleChange);
  EXPECT_EQ(registry.RegisterAs(2, "w", SchemaType::kAvro, R"("string")", {}).code(),
            ErrorCode::kAlreadyExists);
  EXPECT_TRUE(registry.RegisterAs(102, "w", SchemaType::kAvro, R"("string")", {}).ok());
  EXPECT_EQ(*registry.Register("x", SchemaType::kAvro, R"("double")", {}), 103);
}

TEST(MemoryRegistryTest, KeepsVersionsAndReadsThemBack) {
  std::vector<std::string> kept;
  MemoryRegistry registry([&](const SubjectVersion& version) {
    kept.push_back(EncodeSubjectVersion(version));
    return OkStatus();
  });
  ASSERT_TRUE(registry.Register("a", SchemaType::kAvro, R"("int")", {}).ok());
  ASSERT_TRUE(
      registry.Register("b", SchemaType::kJson, R"({"title":"\"é"})", {{"n", "a", 1}}).ok());
  MemoryRegistry again;
  for (const std::string& row : kept) again.Restore(*DecodeSubjectVersion(row));
  EXPECT_EQ((*again.Latest("b"))->text, R"({"title":"\"é"})");
  EXPECT_EQ((*again.Latest("b"))->references[0].subject, "a");
  EXPECT_EQ((*again.Latest("a"))->id, 1);
  EXPECT_FALSE(DecodeSubjectVersion("{}").ok());
}

TEST(AvroCompatibilityTest, FollowsTheRulesOfResolution) {
  const auto reads = [](const std::string& reader, const std::string& writer) {
    return CheckAvroReads(reader, {}, writer, {}).ok();
  };
  const auto record = [](const std::string& fields) {
    return R"({"type":"record","name":"R","fields":[)" + fields + "]}";
  };
  const std::string a = R"({"name":"a","type":"int"})";
  EXPECT_TRUE(reads(record(a), record(a)));
  EXPECT_FALSE(reads(record(a + R"(,{"name":"b","type":"int"})"), record(a)));
  EXPECT_TRUE(reads(record(a + R"(,{"name":"b","type":"int","default":0})"), record(a)));
  EXPECT_TRUE(reads(record(a), record(a + R"(,{"name":"b","type":"int"})")));
  EXPECT_TRUE(reads(record(R"({"name":"z","aliases":["a"],"type":"long"})"), record(a)));
  EXPECT_FALSE(reads(record(R"({"name":"a","type":"string"})"), record(a)));
  EXPECT_TRUE(reads(R"(["null","long"])", R"("int")"));
  EXPECT_FALSE(reads(R"("long")", R"(["null","int"])"));
  EXPECT_FALSE(reads(R"({"type":"enum","name":"E","symbols":["X"]})",
                     R"({"type":"enum","name":"E","symbols":["X","Y"]})"));
}

}  // namespace
}  // namespace weir::test
