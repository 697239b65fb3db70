#include "exec/engine/source_ddl.h"

#include <gtest/gtest.h>

#include "parser/parser.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

SourceEntry EntryOf(const std::string& sql) {
  PlanningSession session;
  auto statement = ParseStatement(sql);
  EXPECT_TRUE(statement.ok()) << sql << "\n" << statement.status().ToString();
  if (!statement.ok()) return {};
  auto plan = PlanCreateSource(*statement, session.context);
  EXPECT_TRUE(plan.ok()) << sql << "\n" << plan.status().ToString();
  return plan.ok() ? plan->source : SourceEntry{};
}

TEST(SourceDdl, ParsesBackToTheSameEntry) {
  for (const char* sql : {
           "CREATE STREAM s (id INT KEY, x DECIMAL(10, 2), l ARRAY<STRING>, m MAP<STRING, BIGINT>) "
           "WITH (kafka_topic='t', value_format='JSON');",
           "CREATE SOURCE TABLE t (id STRING PRIMARY KEY, st STRUCT<`in` INT, B ARRAY<DATE>>) WITH "
           "(kafka_topic='its', key_format='JSON', value_format='JSON');",
           "CREATE STREAM `Mixed Case` (`a``b` INT KEY, `select` STRING, v BYTES) WITH "
           "(kafka_topic='t', value_format='DELIMITED', value_delimiter='|');",
           "CREATE STREAM s (x INT) WITH (kafka_topic='t', value_format='JSON', "
           "wrap_single_value=false);",
           "CREATE TABLE t (id INT PRIMARY KEY, x INT) WITH (kafka_topic='t', value_format='JSON', "
           "window_type='HOPPING', window_size='10 SECONDS');",
           "CREATE STREAM s (id INT KEY, x INT) WITH (kafka_topic='t', value_format='JSON', "
           "window_type='SESSION');",
           "CREATE STREAM s (x INT, ts STRING) WITH (kafka_topic='t', value_format='JSON', "
           "timestamp='ts', timestamp_format='yyyy-MM-dd''T''HH');",
           "CREATE STREAM s (x INT, h BYTES HEADER('a''b')) WITH (kafka_topic='t', "
           "value_format='JSON', on_error='NULL');",
           "CREATE STREAM s (x INT, hs ARRAY<STRUCT<key STRING, value BYTES>> HEADERS) WITH "
           "(kafka_topic='t', value_format='JSON', on_error='FAIL');",
           "CREATE STREAM s (x INT) WITH (kafka_topic='t', value_format='JSON', "
           "timestamp_source='append', on_error='letters');",
           "CREATE STREAM s (x INT) WITH (kafka_topic='t', value_format='JSON', "
           "timestamp_source='processing');",
           "CREATE STREAM s (x INT) WITH (connector='file', path='rides.csv', value_format='JSON', "
           "wrap_single_value=false, on_error='NULL', timestamp_source='processing');",
           "CREATE STREAM s (x INT) WITH (connector='file', path='it''s', format='DELIMITED', "
           "value_delimiter='|');",
           "CREATE STREAM s (x INT, y INT) WITH (kafka_topic='t', format='DELIMITED', "
           "key_delimiter='space', value_delimiter='TAB');",
           "CREATE STREAM s (x INT) WITH (connector='File', path='x.csv', value_delimiter='TAB');",
           "CREATE STREAM s (x INT) WITH (kafka_topic='t', value_format='JSON', strict.json=true);",
           "CREATE STREAM s (x INT) WITH (connector='file', path='x.json', 'strict.json'=true);",
       }) {
    const SourceEntry first = EntryOf(sql);
    const std::string ddl = FormatSourceDdl(first);
    const SourceEntry second = EntryOf(ddl + ";");
    EXPECT_EQ(EntryOf(FormatSourceDdl(second) + ";").connector, second.connector) << ddl;
    if (first.connector.empty()) {
      EXPECT_EQ(FormatSourceDdl(second), ddl);
    }
    EXPECT_EQ(second.name, first.name) << ddl;
    EXPECT_EQ(second.is_table, first.is_table) << ddl;
    EXPECT_EQ(second.read_only, first.read_only) << ddl;
    EXPECT_EQ(second.topic, first.topic) << ddl;
    EXPECT_EQ(second.key_format, first.key_format) << ddl;
    EXPECT_EQ(second.value_format, first.value_format) << ddl;
    EXPECT_EQ(second.windowed_key, first.windowed_key) << ddl;
    EXPECT_EQ(second.window_size_ms, first.window_size_ms) << ddl;
    EXPECT_EQ(second.time_source, first.time_source) << ddl;
    EXPECT_EQ(second.time_column, first.time_column) << ddl;
    EXPECT_EQ(second.time_format, first.time_format) << ddl;
    EXPECT_EQ(second.on_error, first.on_error) << ddl;
    EXPECT_EQ(second.dead_letter_topic, first.dead_letter_topic) << ddl;
    EXPECT_EQ(second.ToSchema(), first.ToSchema()) << ddl;
    for (size_t i = 0; i < first.columns.size() && i < second.columns.size(); ++i) {
      EXPECT_EQ(second.columns[i].is_headers, first.columns[i].is_headers) << ddl;
      EXPECT_EQ(second.columns[i].header_key, first.columns[i].header_key) << ddl;
    }
  }
}

TEST(SourceDdl, OnlyGrowingSchemasReplace) {
  const SourceEntry before =
      EntryOf("CREATE STREAM s (id INT KEY, x INT) WITH (kafka_topic='t', value_format='JSON');");
  auto after = [&](const std::string& columns, const std::string& with = "value_format='JSON'") {
    return CheckSchemaGrows(before, EntryOf("CREATE STREAM s (" + columns +
                                            ") WITH (kafka_topic='t', " + with + ");"))
        .code();
  };
  EXPECT_EQ(after("id INT KEY, x INT"), ErrorCode::kOk);
  EXPECT_EQ(after("id INT KEY, x INT, y INT"), ErrorCode::kOk);
  EXPECT_EQ(after("id INT KEY"), ErrorCode::kIncompatibleChange);
  EXPECT_EQ(after("id INT KEY, y INT, x INT"), ErrorCode::kIncompatibleChange);
  EXPECT_EQ(after("id INT KEY, x BIGINT"), ErrorCode::kIncompatibleChange);
  EXPECT_EQ(after("id INT KEY, x INT", "value_format='DELIMITED'"), ErrorCode::kIncompatibleChange);
}

TEST(SourceDdl, UnknownSourcesHaveNeighbours) {
  EXPECT_NE(UnknownSource("RIDE", {"RIDES", "ZONES"}).hint().find("RIDES"), std::string::npos);
  EXPECT_EQ(UnknownSource("X", {}).code(), ErrorCode::kUnknownSource);
  EXPECT_TRUE(FoldsTo("rIdes", "RIDES"));
  EXPECT_FALSE(FoldsTo("ride", "RIDES"));
}

}  // namespace
}  // namespace weir
