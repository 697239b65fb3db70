// CREATE STREAM and TABLE: properties, formats, keys.

#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

class CreateSourceTest : public testing::Test {
 protected:
  ErrorCode Stream(const std::string& columns, const std::string& with) {
    PlanningSession session;
    return session.CodeOf("CREATE STREAM s (" + columns + ") WITH (kafka_topic = 't', " + with +
                          ");");
  }
  ErrorCode Table(const std::string& columns, const std::string& with) {
    PlanningSession session;
    return session.CodeOf("CREATE TABLE s (" + columns + ") WITH (kafka_topic = 't', " + with +
                          ");");
  }
};

TEST_F(CreateSourceTest, PropertiesAreKnownAndOfTheirType) {
  EXPECT_EQ(Stream("a INT", "format = 'JSON'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT", "formt = 'JSON'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT", "format = 'JSON', partitions = 'x'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT", "format = 'JSON', value_format = 'JSON'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT", "format = 'FOO'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT", "format = 'PROTOBUF'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a ARRAY<ARRAY<INT>>", "format = 'PROTOBUF_NOSR'"), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Stream("a INT", "format = 'PROTOBUF', wrap_single_value = false"),
            ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT",
                   "value_format = 'PROTOBUF', "
                   "value_protobuf_nullable_representation = 'MAYBE'"),
            ErrorCode::kInvalidProperty);
}

TEST_F(CreateSourceTest, TheTopicMustBeThereOrBeMade) {
  PlanningSession session;
  session.context.topic_partitions = [](std::string_view) { return std::nullopt; };
  EXPECT_EQ(session.CodeOf("CREATE STREAM s (a INT) WITH (kafka_topic = 't');"),
            ErrorCode::kUnknownTopic);
  EXPECT_EQ(session.CodeOf("CREATE STREAM s (a INT) WITH (kafka_topic = 't', partitions = 2);"),
            ErrorCode::kOk);
  EXPECT_EQ(session.CodeOf("CREATE STREAM r (a INT) WITH (partitions = 2);"),
            ErrorCode::kInvalidProperty);
}

TEST_F(CreateSourceTest, KeysFitTheirKind) {
  EXPECT_EQ(Table("a INT", "format = 'JSON'"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Table("a INT KEY", "format = 'JSON'"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Stream("a INT PRIMARY KEY", "format = 'JSON'"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Stream("a MAP<STRING, INT> KEY, b INT", "format = 'JSON'"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Stream("a INT KEY, b INT KEY, c INT", "value_format = 'JSON'"),
            ErrorCode::kFormatMismatch);
}

TEST_F(CreateSourceTest, FormatsHoldWhatTheyCan) {
  EXPECT_EQ(Stream("a ARRAY<INT>", "format = 'DELIMITED'"), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Stream("a INT, b INT", "format = 'KAFKA'"), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Stream("a BOOLEAN", "format = 'KAFKA'"), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Stream("a MAP<INT, INT>", "format = 'JSON'"), ErrorCode::kFormatMismatch);
  EXPECT_EQ(Stream("a INT", "value_format = 'NONE'"), ErrorCode::kFormatMismatch);
}

TEST_F(CreateSourceTest, NamesOfSystemColumnsAreReserved) {
  EXPECT_EQ(Stream("rowtime INT", "format = 'JSON'"), ErrorCode::kReservedName);
  EXPECT_EQ(Stream("a INT, A STRING", "format = 'JSON'"), ErrorCode::kDuplicateName);
}

TEST_F(CreateSourceTest, DelimitersAreOneCharacter) {
  EXPECT_EQ(Stream("a INT", "format = 'DELIMITED', value_delimiter = '|'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT", "format = 'DELIMITED', value_delimiter = 'TAB'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT", "format = 'DELIMITED', value_delimiter = '||'"),
            ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT", "format = 'JSON', value_delimiter = '|'"), ErrorCode::kInvalidProperty);
}

TEST_F(CreateSourceTest, WindowsOfKeys) {
  EXPECT_EQ(Stream("a INT KEY, b INT", "window_type = 'session'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT KEY, b INT", "window_type = 'tumbling'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a INT KEY, b INT", "window_type = 'tumbling', window_size = '5 bobs'"),
            ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("b INT", "window_type = 'session'"), ErrorCode::kInvalidKey);
}

TEST_F(CreateSourceTest, TimeColumns) {
  EXPECT_EQ(Stream("a BIGINT", "timestamp = 'a'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a STRING", "timestamp = 'a'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a STRING", "timestamp = 'a', timestamp_format = 'yyyy'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT", "timestamp = 'a'"), ErrorCode::kInvalidProperty);
  EXPECT_EQ(Stream("a BIGINT", "timestamp = 'b'"), ErrorCode::kInvalidProperty);
}

TEST_F(CreateSourceTest, ColumnsOfHeaders) {
  EXPECT_EQ(Stream("a INT, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS", "format = 'JSON'"),
            ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT, h BYTES HEADER('x')", "format = 'JSON'"), ErrorCode::kOk);
  EXPECT_EQ(Stream("a INT, h STRING HEADER('x')", "format = 'JSON'"), ErrorCode::kTypeMismatch);
}

TEST_F(CreateSourceTest, AnotherSourceOfTheNameIsAnError) {
  PlanningSession session;
  const std::string sql = "CREATE STREAM s (a INT) WITH (kafka_topic = 't');";
  session.MustRun(sql);
  EXPECT_EQ(session.CodeOf(sql), ErrorCode::kOk);
  EXPECT_EQ(session.CodeOf("CREATE STREAM s (a INT, b INT) WITH (kafka_topic = 't');"),
            ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace weir
