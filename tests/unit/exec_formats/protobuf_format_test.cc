// PROTOBUF and PROTOBUF_NOSR: what their decoders and encoders do, with libprotobuf's own messages
// as the oracle.

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <random>

#include <fmt/format.h>

#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_json.h"
#include "exec/formats/protobuf/protobuf_wire.h"
#include "exec/formats/registry/memory_registry.h"
#include "exec/formats/registry/text_by_schema.h"
#include "exec/formats/registry/wire_format.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

namespace pb = google::protobuf;
using Lines = std::vector<std::string>;

std::string Bytes(const BufferBuilder& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ProtobufFormatTest : public ::testing::Test {
 protected:
  FormatSpec Spec(const std::string& name = "PROTOBUF") {
    FormatSpec spec;
    spec.name = name;
    spec.registry = &registry_;
    spec.subject = "t-value";
    return spec;
  }
  int32_t Register(const std::string& schema) {
    const auto id = registry_.Register("t-value", SchemaType::kProtobuf, schema, {});
    EXPECT_TRUE(id.ok()) << id.status().ToString();
    return id.ok() ? *id : -1;
  }
  static std::string Proto3(const std::string& body) { return "syntax = \"proto3\";" + body; }
  /// A record of the schema's first message with these bytes.
  std::string Record(const std::string& schema, const std::string& message) {
    BufferBuilder bytes;
    AppendSchemaId(Register(schema), bytes);
    AppendProtobufPlace({0}, bytes);
    bytes.Append(message.data(), message.size());
    return Bytes(bytes);
  }
  /// The message that JSON stands for.
  std::string Write(const std::string& schema, const std::string& json) {
    const auto parsed = ParseProtobufSchema(schema);
    EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
    BufferBuilder bytes;
    const Status written =
        EncodeProtobufJson(*(*parsed)->messages()[0], *ParseRawJson(json), bytes);
    EXPECT_TRUE(written.ok()) << written.ToString();
    return Record(schema, Bytes(bytes));
  }

  MemoryRegistry registry_{{}, [] { return Compatibility::kNone; }};
};

/// A .proto text and its first message, by libprotobuf alone.
class Oracle : public pb::compiler::SourceTree, public pb::compiler::MultiFileErrorCollector {
 public:
  explicit Oracle(std::string text)
      : text_(std::move(text)), importer_(this, this), pool_(importer_.pool()) {
    const pb::FileDescriptor* file = importer_.Import("oracle.proto");
    EXPECT_NE(file, nullptr);
    if (file != nullptr) prototype_ = factory_.GetPrototype(file->message_type(0));
  }
  std::unique_ptr<pb::Message> New() const {
    return std::unique_ptr<pb::Message>(prototype_->New());
  }
  std::string FromText(const std::string& text) const {
    const auto message = New();
    EXPECT_TRUE(pb::TextFormat::ParseFromString(text, message.get())) << text;
    return message->SerializeAsString();
  }

 private:
  pb::io::ZeroCopyInputStream* Open(const std::string& file) override {
    if (file == "oracle.proto") {
      return new pb::io::ArrayInputStream(text_.data(), static_cast<int>(text_.size()));
    }
    return nullptr;
  }
  void AddError(const std::string&, int line, int column, const std::string& message) override {
    ADD_FAILURE() << line << ":" << column << ": " << message;
  }

  const std::string text_;
  pb::compiler::Importer importer_;
  const pb::DescriptorPool* pool_;
  pb::DynamicMessageFactory factory_;
  const pb::Message* prototype_ = nullptr;
};

TEST_F(ProtobufFormatTest, ReadsRecordsOfSeveralSchemasSideBySide) {
  const std::string before = Proto3("message R { int32 x = 1; int32 v = 2; }");
  const std::string after = Proto3("message R { int32 x = 1; int64 V = 7; string more = 3; }");
  const DecodedSide side =
      Decode(Spec(), {{"V", DataType::Bigint()}, {"MORE", DataType::String()}},
             {Write(before, R"({"x":1,"v":2})"), Write(after, R"({"v":3,"more":"m"})"),
              std::nullopt, Write(after, R"({"more":"n"})"), Write(before, R"({"v":5})")});
  EXPECT_EQ(Shown(side, 0), (Lines{"2", "3", "NULL", "0", "5"}));
  EXPECT_EQ(Shown(side, 1), (Lines{"null", "m", "NULL", "n", "null"}));
}

TEST_F(ProtobufFormatTest, ReadsWhatLibprotobufWrites) {
  const std::string schema = Proto3(R"(
      message R {
        message In { sint32 z = 1; repeated fixed64 many = 2; }
        enum Color { RED = 0; GREEN = 5; }
        double d = 1; float f = 2; sfixed32 s32 = 3; uint32 u = 4; bool b = 5;
        string s = 6; bytes y = 7; Color c = 8; In in = 9; repeated In ins = 10;
        map<string, int64> m = 11; repeated string texts = 12; optional int32 o = 13;
        repeated int32 loose = 14 [packed = false]; sint64 far = 5000;
      })");
  const Oracle oracle(schema);
  const DataType in =
      DataType::Struct({{"Z", DataType::Int()}, {"MANY", DataType::Array(DataType::Bigint())}});
  const std::vector<FormatColumn> columns = {
      {"D", DataType::Double()},
      {"F", DataType::Double()},
      {"S32", DataType::Int()},
      {"U", DataType::Bigint()},
      {"B", DataType::Boolean()},
      {"S", DataType::String()},
      {"C", DataType::String()},
      {"IN", in},
      {"INS", DataType::Array(in)},
      {"M", DataType::Map(DataType::String(), DataType::Bigint())},
      {"TEXTS", DataType::Array(DataType::String())},
      {"O", DataType::Int()},
      {"LOOSE", DataType::Array(DataType::Int())},
      {"FAR", DataType::Bigint()}};
  const DecodedSide side = Decode(
      Spec(), columns,
      {Record(schema, oracle.FromText(
                          "d: 1.5 f: 0.25 s32: -7 u: 4000000000 b: true s: 'é' y: 'x' c: GREEN "
                          "in { z: -3 many: 1 many: 2 } ins { z: 4 } ins { } m { key: 'a' value: 1 "
                          "} texts: 'p' texts: '' o: 0 loose: 8 loose: -9 far: -1")),
       Record(schema, "")});
  ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason;
  Lines first;
  Lines second;
  for (size_t i = 0; i < columns.size(); ++i) {
    first.push_back(Shown(side, i)[0]);
    second.push_back(Shown(side, i)[1]);
  }
  EXPECT_EQ(first, (Lines{"1.5", "0.25", "-7", "4000000000", "true", "é", "GREEN",
                          R"({"Z":-3,"MANY":[1,2]})", R"([{"Z":4,"MANY":[]},{"Z":0,"MANY":[]}])",
                          R"({"a":1})", R"(["p",""])", "0", "[8,-9]", "-1"}));
  EXPECT_EQ(second, (Lines{"0.0", "0.0", "0", "0", "false", "", "RED", "null", "[]", "{}", "[]",
                           "null", "[]", "0"}));
}

// Parts of one message may come apart, fields again, and lists packed or not.
TEST_F(ProtobufFormatTest, WhatComesLaterAddsToWhatCameBefore) {
  const std::string schema = Proto3(R"(
      message R { message In { int32 a = 1; repeated int32 b = 2; } In in = 1; int32 x = 2;
                  map<int32, string> m = 3; oneof either { int32 p = 4; string q = 5; } })");
  const Oracle oracle(schema);
  const std::string bytes =
      oracle.FromText("in { a: 1 b: 2 } x: 5 m { key: 1 value: 'old' } p: 9") +
      oracle.FromText("in { b: 3 b: 4 } x: 6 m { key: 2 value: 'b' } q: 'last'") +
      oracle.FromText("m { key: 1 value: 'new' }");
  const DecodedSide side = Decode(
      Spec(),
      {{"IN", DataType::Struct({{"A", DataType::Int()}, {"B", DataType::Array(DataType::Int())}})},
       {"X", DataType::Int()},
       {"M", DataType::Map(DataType::Int(), DataType::String())},
       {"P", DataType::Int()},
       {"Q", DataType::String()}},
      {Record(schema, bytes)});
  ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason;
  EXPECT_EQ(Shown(side, 0), Lines{R"({"A":1,"B":[2,3,4]})"});
  EXPECT_EQ(Shown(side, 1), Lines{"6"});
  EXPECT_EQ(Shown(side, 2), Lines{R"({"2":"b","1":"new"})"});
  EXPECT_EQ(Shown(side, 3), Lines{"null"});
  EXPECT_EQ(Shown(side, 4), Lines{"last"});
}

TEST_F(ProtobufFormatTest, AOneofIsAStructAsKafkaConnectHasIt) {
  const std::string schema =
      Proto3("message R { int32 k = 1; oneof what { int32 p = 4; string q = 5; } }");
  const auto parsed = ParseProtobufSchema(schema);
  ASSERT_TRUE(parsed.ok());
  const auto columns = ColumnsOfProtobuf(**parsed, "", false, false);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  ASSERT_EQ(columns->size(), 2u);
  EXPECT_EQ((*columns)[1].name, "WHAT_0");
  EXPECT_EQ((*columns)[1].type.ToString(), "STRUCT<`P` INTEGER, `Q` STRING>");
  const Oracle oracle(schema);
  const DecodedSide side =
      Decode(Spec(), {{"WHAT_0", (*columns)[1].type}},
             {Record(schema, oracle.FromText("p: 0")), Record(schema, oracle.FromText("q: 'x'")),
              Record(schema, oracle.FromText("k: 1"))});
  EXPECT_EQ(Shown(side), (Lines{R"({"P":0,"Q":null})", R"({"P":null,"Q":"x"})", "null"}));
}

TEST_F(ProtobufFormatTest, ValuesThatAreMessages) {
  const std::string schema = Proto3(R"(
      import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
      import "google/type/date.proto"; import "google/type/timeofday.proto";
      import "confluent/type/decimal.proto";
      message R { google.protobuf.Timestamp ts = 1; google.type.Date d = 2;
                  google.type.TimeOfDay t = 3;
                  confluent.type.Decimal n = 4 [(confluent.field_meta) = {
                      params: [{key: "precision", value: "9"}, {key: "scale", value: "2"}]}];
                  google.protobuf.Int64Value w = 5; })");
  const auto parsed = ParseProtobufSchema(schema);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const auto found = ColumnsOfProtobuf(**parsed, "R", false, false);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  std::vector<FormatColumn> columns;
  std::string types;
  for (const ColumnSchema& column : *found) {
    columns.push_back({column.name, column.type});
    types += column.type.ToString() + " ";
  }
  EXPECT_EQ(types, "TIMESTAMP DATE TIME DECIMAL(9, 2) BIGINT ");
  const std::string record = Write(schema, R"({"ts":-1,"d":-10,"t":3723004,"n":-12.5,"w":0})");
  const DecodedSide side = Decode(Spec(), columns, {record, Record(schema, "")});
  ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason;
  Lines first;
  for (size_t i = 0; i < columns.size(); ++i) first.push_back(Shown(side, i)[0]);
  EXPECT_EQ(first, (Lines{"1969-12-31T23:59:59.999", "1969-12-22", "01:02:03.004", "-12.50", "0"}));
  for (size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(Shown(side, i)[1], "null") << i;
  EXPECT_EQ(TextBySchema(registry_, record).value_or(""),
            R"({"ts":-1,"d":-10,"t":3723004,"n":-12.50,"w":0})");
}

TEST_F(ProtobufFormatTest, BadRecordsSayWhatIsWrong) {
  const std::string schema = Proto3("message R { int32 a = 1; string s = 2; uint64 u = 3; }");
  const Oracle oracle(schema);
  const std::string good = Record(schema, oracle.FromText("a: 1 s: 'x'"));
  const int32_t avro = *registry_.Register("a-value", SchemaType::kAvro, "\"int\"", {});
  BufferBuilder of_avro;
  AppendSchemaId(avro, of_avro);
  of_avro.AppendValue<char>(0);
  BufferBuilder elsewhere;
  AppendSchemaId(Register(schema), elsewhere);
  AppendProtobufPlace({3, 1}, elsewhere);
  const DecodedSide side =
      Decode(Spec(), {{"A", DataType::Int()}, {"S", DataType::String()}, {"U", DataType::Bigint()}},
             {good, "x", std::string("\0\0\0\0\x63\0", 6), Bytes(of_avro), Bytes(elsewhere),
              good.substr(0, good.size() - 1), Record(schema, "\x12\x01\xff"),
              Record(schema, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), good});
  EXPECT_EQ(Shown(side), (Lines{"1", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "BAD", "1"}));
  const char* const reasons[] = {"no schema id",
                                 "99 is not in the registry",
                                 "of type AVRO, not PROTOBUF",
                                 "no message at the record's place",
                                 "the bytes end too early",
                                 "not UTF-8",
                                 "more than 64 bits"};
  ASSERT_EQ(side.bad.size(), std::size(reasons));
  for (size_t i = 0; i < std::size(reasons); ++i) {
    EXPECT_NE(side.bad[i].reason.find(reasons[i]), std::string::npos) << side.bad[i].reason;
  }
}

TEST_F(ProtobufFormatTest, TheSchemaOfColumns) {
  FormatSpec spec = Spec();
  const std::vector<FormatColumn> columns = {
      {"A", DataType::Int()},
      {"D", DataType::Decimal(9, 2)},
      {"S", DataType::Array(DataType::Struct({{"X", DataType::String()}}))},
      {"M", DataType::Map(DataType::String(), DataType::Date())}};
  const std::string text = ProtobufSchemaOf(spec, columns);
  EXPECT_NE(text.find("message ConnectDefault1 {\n  int32 A = 1;\n"), std::string::npos) << text;
  EXPECT_NE(text.find("repeated ConnectDefault2 S = 3;"), std::string::npos) << text;
  EXPECT_NE(text.find("map<string, google.type.Date> M = 4;"), std::string::npos) << text;
  const auto parsed = ParseProtobufSchema(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString() << "\n" << text;
  const auto found = ColumnsOfProtobuf(**parsed, "", false, false);
  ASSERT_TRUE(found.ok());
  for (size_t i = 0; i < columns.size(); ++i) {
    EXPECT_EQ((*found)[i].name, columns[i].name);
    EXPECT_EQ((*found)[i].type.ToString(), columns[i].type.ToString());
  }
  spec.properties["SCHEMA_FULL_NAME"] = "a.b.Ride";
  spec.properties["PROTOBUF_NULLABLE_REPRESENTATION"] = "OPTIONAL";
  EXPECT_NE(ProtobufSchemaOf(spec, columns).find("package a.b;"), std::string::npos);
  EXPECT_NE(ProtobufSchemaOf(spec, columns).find("message Ride {\n  optional int32 A = 1;\n"),
            std::string::npos);
  // Names that libprotobuf takes for the same.
  EXPECT_TRUE(ParseProtobufSchema(Proto3("message R { int32 a_b = 1; int32 AB = 2; }")).ok());
}

TEST_F(ProtobufFormatTest, ErrorsOfSchemasSayWhere) {
  const auto fault = [](const std::string& text) {
    return ParseProtobufSchema(text).status().message();
  };
  EXPECT_NE(fault("syntax = \"proto3\";\nmessage R { int32 = 1; }").find("line 2, column 19"),
            std::string::npos)
      << fault("syntax = \"proto3\";\nmessage R { int32 = 1; }");
  EXPECT_NE(fault(Proto3("message R { Gone x = 1; }")).find("Gone"), std::string::npos);
  EXPECT_NE(fault(Proto3("import 'gone.proto'; message R {}")).find("gone.proto"),
            std::string::npos);
  EXPECT_NE(fault(Proto3("")).find("no message"), std::string::npos);
  const auto circle = ParseProtobufSchema(Proto3("message R { R inner = 1; int32 a = 2; }"));
  ASSERT_TRUE(circle.ok());
  EXPECT_NE(
      ColumnsOfProtobuf(**circle, "", false, false).status().message().find("contains itself"),
      std::string::npos);
  // Who reads other fields of it may.
  const DecodedSide side = Decode(
      Spec(), {{"A", DataType::Int()}},
      {Write(Proto3("message R { R inner = 1; int32 a = 2; }"), R"({"inner":{"a":1},"a":7})")});
  EXPECT_EQ(Shown(side), Lines{"7"});
}

// libprotobuf warns on the standard error of whatever program it is in.
TEST_F(ProtobufFormatTest, SaysNothingOnTheTerminal) {
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(ParseProtobufSchema("message R { optional int32 a = 1; }").ok());
  EXPECT_FALSE(ParseProtobufSchema("message R { optional int32 a = 0; }").ok());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ProtobufFormatTest, SurvivesDeepAndWideSchemas) {
  std::string chain;
  constexpr int kLong = 20'000;
  for (int i = 0; i < kLong; ++i) {
    chain += fmt::format("message M{} {{ M{} next = 1; int32 a = 2; }}\n", i, (i + 1) % kLong);
  }
  const auto parsed = ParseProtobufSchema(Proto3(chain));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_FALSE(ColumnsOfProtobuf(**parsed, "", false, false).ok());
  // Each message has two of the next: a few lines are a thousand million fields.
  std::string doubling = "message M0 { int32 a = 1; }\n";
  for (int i = 1; i <= 30; ++i) {
    doubling += fmt::format("message M{} {{ M{} l = 1; M{} r = 2; }}\n", i, i - 1, i - 1);
  }
  const auto double_parsed = ParseProtobufSchema(Proto3(doubling));
  ASSERT_TRUE(double_parsed.ok());
  EXPECT_EQ(ColumnsOfProtobuf(**double_parsed, "M30", false, false).status().code(),
            ErrorCode::kUnsupported);
  std::string inside = "int32 a = 1;";
  for (int i = 0; i < 100; ++i) inside = fmt::format("message In{} {{ {} }}", i, inside);
  EXPECT_NE(ParseProtobufSchema(Proto3(inside)).status().message().find("not a Protobuf schema"),
            std::string::npos);
  // Two bytes an empty message, and each stands for many values.
  std::string wide = "message R { message W {";
  std::vector<DataType::Field> fields;
  for (int i = 1; i <= 4000; ++i) {
    wide += fmt::format("int32 f{} = {};", i, i);
    fields.push_back({fmt::format("F{}", i), DataType::Int()});
  }
  wide += "} repeated W w = 1; }";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += std::string("\x0a\0", 2);
  const DecodedSide side = Decode(Spec(), {{"W", DataType::Array(DataType::Struct(fields))}},
                                  {Record(Proto3(wide), many)});
  ASSERT_EQ(side.bad.size(), 1u);
  EXPECT_NE(side.bad[0].reason.find("16 million"), std::string::npos) << side.bad[0].reason;
}

TEST_F(ProtobufFormatTest, WritesByAGivenSchema) {
  const std::string schema = Proto3(
      "message Other { int32 q = 1; } enum Color { RED = 0; BLUE = 3; }"
      "message R { float f = 3; uint32 u = 9; Color c = 1; string none = 5; }");
  FormatSpec spec = Spec();
  spec.properties["SCHEMA_ID"] = std::to_string(Register(schema));
  spec.properties["SCHEMA_FULL_NAME"] = "R";
  const std::vector<FormatColumn> columns = {
      {"F", DataType::Double()}, {"U", DataType::Bigint()}, {"C", DataType::String()}};
  ColumnBuilder f(DataType::Double());
  ColumnBuilder u(DataType::Bigint());
  ColumnBuilder c(DataType::String());
  f.AppendDouble(0.5);
  u.AppendInt64(4000000000);
  c.AppendBytes("BLUE");
  const Texts texts = Encode(spec, columns, {f.Finish(), u.Finish(), c.Finish()}, {0});
  EXPECT_EQ(TextBySchema(registry_, *texts[0]).value_or(""),
            R"({"f":0.5,"u":4000000000,"c":"BLUE","none":""})");
  u.AppendInt64(-1);
  f.AppendNull();
  c.AppendNull();
  auto encoder = MakeEncoder(spec, columns);
  ASSERT_TRUE(encoder.ok());
  BufferBuilder bytes;
  std::vector<Slice> slices;
  const std::vector<int32_t> row = {0};
  const Status refused =
      (*encoder)->Encode({f.Finish(), u.Finish(), c.Finish()}, row, bytes, slices);
  EXPECT_EQ(refused.code(), ErrorCode::kBadRecord);
  EXPECT_NE(refused.message().find("-1 is no unsigned number"), std::string::npos)
      << refused.message();
}

TEST_F(ProtobufFormatTest, WritesAOneofFromAStruct) {
  const std::string schema =
      Proto3("message R { int32 k = 1; oneof what { int32 p = 4; string q = 5; } }");
  FormatSpec spec = Spec();
  spec.properties["SCHEMA_ID"] = std::to_string(Register(schema));
  const DataType what = DataType::Struct({{"P", DataType::Int()}, {"Q", DataType::String()}});
  const std::vector<FormatColumn> columns = {{"K", DataType::Int()}, {"WHAT_0", what}};
  const Oracle oracle(schema);
  // What was read is written: a member that is zero is there, none at all is none.
  const DecodedSide side =
      Decode(Spec(), columns,
             {Record(schema, oracle.FromText("k: 1 p: 0")),
              Record(schema, oracle.FromText("q: 'x'")), Record(schema, oracle.FromText("k: 2"))});
  const Texts texts = Encode(spec, columns, side.columns, {0, 1, 2});
  EXPECT_EQ(TextBySchema(registry_, *texts[0]).value_or(""),
            R"({"k":1,"what_0":{"p":0,"q":null}})");
  EXPECT_EQ(TextBySchema(registry_, *texts[1]).value_or(""),
            R"({"k":0,"what_0":{"p":null,"q":"x"}})");
  EXPECT_EQ(TextBySchema(registry_, *texts[2]).value_or(""), R"({"k":2,"what_0":null})");

  ColumnBuilder both(what);
  both.child(0).AppendInt32(1);
  both.child(1).AppendBytes("x");
  both.AppendNested();
  auto two = MakeEncoder(spec, {{"WHAT_0", what}});
  ASSERT_TRUE(two.ok());
  BufferBuilder bytes;
  std::vector<Slice> slices(1);
  const std::vector<int32_t> row = {0};
  const Status refused = (*two)->Encode({both.Finish()}, row, bytes, slices);
  EXPECT_EQ(refused.code(), ErrorCode::kBadRecord);
  EXPECT_NE(refused.message().find("both p and q are there"), std::string::npos)
      << refused.message();

  const auto error_of = [&](const std::vector<FormatColumn>& given) {
    auto encoder = MakeEncoder(spec, given);
    const Status status = encoder.ok() ? (*encoder)->Prepare() : encoder.status();
    EXPECT_EQ(status.code(), ErrorCode::kFormatMismatch) << status.ToString();
    return status.message();
  };
  EXPECT_NE(error_of({{"WHAT_0", DataType::Int()}}).find("oneof what"), std::string::npos);
  EXPECT_NE(error_of({{"WHAT_0", DataType::Struct({{"Z", DataType::Int()}})}}).find("WHAT_0->Z"),
            std::string::npos);
  EXPECT_NE(error_of({{"P", DataType::Int()}, {"WHAT_0", what}}).find("member p"),
            std::string::npos);
}

TEST_F(ProtobufFormatTest, CompatibilityAsTheRegistryHasIt) {
  const auto check = [](const std::string& reader, const std::string& writer) {
    const auto now = ParseProtobufSchema(Proto3(reader));
    const auto before = ParseProtobufSchema(Proto3(writer));
    EXPECT_TRUE(now.ok() && before.ok());
    return CheckProtobufReads(**now, **before).code();
  };
  const std::string base = "message R { int32 a = 1; string s = 2; }";
  EXPECT_EQ(check(base, base), ErrorCode::kOk);
  EXPECT_EQ(check("message R { int64 a = 1; bytes s = 2; bool more = 3; }", base), ErrorCode::kOk);
  EXPECT_EQ(check("message R { int32 a = 1; }", base), ErrorCode::kOk);
  EXPECT_EQ(check("message R { string a = 1; string s = 2; }", base),
            ErrorCode::kIncompatibleChange);
  EXPECT_EQ(check("message R { sint32 a = 1; string s = 2; }", base),
            ErrorCode::kIncompatibleChange);
  EXPECT_EQ(check("message R { repeated int32 a = 1; string s = 2; }", base),
            ErrorCode::kIncompatibleChange);
  EXPECT_EQ(check("message Other { int32 a = 1; }", base), ErrorCode::kIncompatibleChange);
  EXPECT_EQ(check("message R { int32 a = 1; }",
                  "message R { int32 a = 1; oneof x { int32 p = 3; int32 q = 4; } }"),
            ErrorCode::kIncompatibleChange);
}

// Random messages of libprotobuf's, and what is read of them.
TEST_F(ProtobufFormatTest, RandomMessagesAsLibprotobufHasThem) {
  const std::string schema = Proto3(R"(
      message R { message In { int32 a = 1; string s = 2; optional sint64 z = 3; }
        int32 i = 1; sint64 z = 2; fixed32 x = 3; double d = 4; string s = 5; In in = 6;
        repeated int64 l = 7; repeated In ins = 8; optional bool b = 9; })");
  const Oracle oracle(schema);
  const DataType in = DataType::Struct(
      {{"A", DataType::Int()}, {"S", DataType::String()}, {"Z", DataType::Bigint()}});
  const std::vector<FormatColumn> columns = {{"I", DataType::Int()},
                                             {"Z", DataType::Bigint()},
                                             {"X", DataType::Bigint()},
                                             {"S", DataType::String()},
                                             {"IN", in},
                                             {"L", DataType::Array(DataType::Bigint())},
                                             {"INS", DataType::Array(in)},
                                             {"B", DataType::Boolean()}};
  std::mt19937 random(7);
  const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random()) % limit; };
  const auto number = [&] { return static_cast<int64_t>(random()) - (int64_t{1} << 31); };
  Texts records;
  std::vector<Lines> expected(columns.size());
  for (int row = 0; row < 300; ++row) {
    const auto inner = [&](std::string& shown) {
      std::string text;
      const bool a = below(2) == 0;
      const bool z = below(2) == 0;
      const auto value = static_cast<int32_t>(number());
      const int64_t far = number();
      if (a) text += fmt::format("a: {} ", value);
      if (z) text += fmt::format("z: {} ", far);
      text += "s: 't' ";
      shown = fmt::format(R"({{"A":{},"S":"t","Z":{}}})", a ? value : 0,
                          z ? std::to_string(far) : "null");
      return "{ " + text + "} ";
    };
    std::string text;
    const auto i = static_cast<int32_t>(number());
    const int64_t z = number();
    const uint32_t x = static_cast<uint32_t>(random());
    text += fmt::format("i: {} z: {} x: {} ", i, z, x);
    std::string in_shown = "null";
    if (below(2) == 0) text += "in " + inner(in_shown);
    std::string list;
    for (uint32_t n = below(4); n > 0; --n) {
      const int64_t each = number();
      text += fmt::format("l: {} ", each);
      list += (list.empty() ? "" : ",") + std::to_string(each);
    }
    std::string items;
    for (uint32_t n = below(3); n > 0; --n) {
      std::string shown;
      text += "ins " + inner(shown);
      items += (items.empty() ? "" : ",") + shown;
    }
    const uint32_t flag = below(3);
    if (flag > 0) text += flag == 1 ? "b: false" : "b: true";
    records.emplace_back(Record(schema, oracle.FromText(text)));
    const Lines row_expected = {
        std::to_string(i), std::to_string(z),
        std::to_string(x), "",
        in_shown,          "[" + list + "]",
        "[" + items + "]", flag == 0 ? "null" : flag == 1 ? "false" : "true"};
    for (size_t column = 0; column < columns.size(); ++column) {
      expected[column].push_back(row_expected[column]);
    }
  }
  const DecodedSide side = Decode(Spec(), columns, records);
  ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason;
  for (size_t column = 0; column < columns.size(); ++column) {
    EXPECT_EQ(Shown(side, column), expected[column]) << columns[column].name;
  }
}

}  // namespace
}  // namespace weir::test
