#include <gtest/gtest.h>

#include "shell/test/golden_compare.h"
#include "shell/test/golden_file.h"
#include "shell/test/record_text.h"

namespace weir::shell {
namespace {

TEST(GoldenFileTest, ReadsEveryKindOfBlock) {
  const auto file = ParseGoldenFile(R"(# name: all.test

statement ok
CREATE STREAM s (a INT)  # a comment
  WITH (kafka_topic='s');

statement error 3002
SELECT nope;
----
unknown column: NOPE

statement plan physical
SELECT 1;
----
Sink
  Scan  # not a comment here

input s
5 | k | {"A": 1}
* | NULL | NULL

output t final
6 | a@[0,10) | x | y

query ordered
SELECT 1;
----
1 | 2

query
SELECT 1;
same as
SELECT 2;

metric late_rows_dropped 3

close windows

clock 5000
)");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_EQ(file->blocks.size(), 10u);
  EXPECT_FALSE(file->pins_partitions);
  const auto& blocks = file->blocks;
  EXPECT_EQ(blocks[0].sql, "CREATE STREAM s (a INT)\n  WITH (kafka_topic='s');\n");
  EXPECT_EQ(blocks[1].number, 3002);
  EXPECT_EQ(blocks[1].expected, std::vector<std::string>{"unknown column: NOPE"});
  EXPECT_EQ(blocks[2].expected[1], "  Scan  # not a comment here");
  EXPECT_EQ(blocks[3].rows[0].value, "{\"A\": 1}");
  EXPECT_EQ(blocks[3].rows[1].time_ms, std::nullopt);
  EXPECT_EQ(blocks[3].rows[1].value, std::nullopt);
  EXPECT_EQ(blocks[4].rows[0].value, "x | y");
  EXPECT_TRUE(blocks[5].ordered);
  EXPECT_EQ(blocks[6].other_sql, "SELECT 2;\n");
  EXPECT_EQ(blocks[7].number, 3);
  EXPECT_EQ(blocks[8].kind, BlockKind::kCloseWindows);
  EXPECT_EQ(blocks[9].number, 5000);
}

TEST(GoldenFileTest, SeesPinnedPartitions) {
  EXPECT_TRUE(ParseGoldenFile("statement ok\nCREATE x WITH (Partitions = 1);\n")->pins_partitions);
}

TEST(GoldenFileTest, NamesTheLineOfAMistake) {
  EXPECT_EQ(ParseGoldenFile("\nwhat is this\n").status().message(),
            "line 2: unknown kind of block: what");
  EXPECT_FALSE(ParseGoldenFile("input t\n1 | a\n").ok());
  EXPECT_FALSE(ParseGoldenFile("statement maybe\n").ok());
  EXPECT_FALSE(ParseGoldenFile("output t\n").ok());
}

SourceInfo Source(std::string window_type, TypeKind key) {
  SourceInfo source;
  source.key_format = "KAFKA";
  source.value_format = "JSON";
  source.window_type = std::move(window_type);
  source.window_size_ms = 10;
  auto schema = std::make_shared<Schema>();
  schema->columns.push_back(
      {"K", key == TypeKind::kInt ? DataType::Int() : DataType::String(), true});
  source.schema = schema;
  return source;
}

TEST(RecordTextTest, GoesBothWays) {
  const SourceInfo plain = Source("", TypeKind::kInt);
  const SourceInfo tumbling = Source("TUMBLING", TypeKind::kString);
  const SourceInfo session = Source("SESSION", TypeKind::kInt);
  for (const auto& [key, source, bytes] :
       std::vector<std::tuple<std::string, const SourceInfo*, std::string>>{
           {"258", &plain, std::string("\0\0\1\2", 4)},
           {"a@[256,266)", &tumbling, std::string("a\0\0\0\0\0\0\1\0", 9)},
           {"1@[2,3]", &session, std::string("\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\2", 20)},
           {"text", nullptr, "text"}}) {
    const auto record = MakeRecord({.time_ms = 5, .key = key, .value = "{\"A\": 1}"}, source);
    ASSERT_TRUE(record.ok()) << record.status().ToString();
    EXPECT_EQ(record->key, bytes);
    const GoldenRow row = MakeRow(*record, source);
    EXPECT_EQ(row.key, key);
    EXPECT_EQ(row.value, "{\"A\":1}");
  }
  EXPECT_FALSE(MakeRecord({.key = "x"}, &plain).ok());
  EXPECT_FALSE(MakeRecord({.key = "no window"}, &tumbling).ok());
}

TEST(RecordTextTest, ForgivesBlanksAndTheLastDigitsOfSums) {
  EXPECT_TRUE(SameText("{\"A\": 1.0}", "{\"A\":1.0}"));
  EXPECT_TRUE(SameText("{\"A\":0.30000000000000004}", "{\"A\":0.3}"));
  EXPECT_FALSE(SameText("{\"A\":1}", "{\"A\":2}"));
  EXPECT_FALSE(SameText("{\"A\":1}", "{\"A\":1.0}"));
  EXPECT_FALSE(SameText("{\"A\":\"x y\"}", "{\"A\":\"xy\"}"));
}

GoldenRow Row(int64_t time, std::string key, std::optional<std::string> value) {
  return {.time_ms = time, .key = std::move(key), .value = std::move(value)};
}

TEST(GoldenCompareTest, ComparesByKeyOrInOrder) {
  const std::vector<GoldenRow> expected = {Row(1, "a", "1"), Row(2, "b", "2"), Row(3, "a", "3")};
  const std::vector<GoldenRow> moved = {Row(2, "b", "2"), Row(1, "a", "1"), Row(3, "a", "3")};
  EXPECT_EQ(CompareRows(expected, moved, RowsMatch::kByKey), "");
  EXPECT_NE(CompareRows(expected, moved, RowsMatch::kOrdered), "");
  const std::vector<GoldenRow> swapped = {Row(3, "a", "3"), Row(1, "a", "1"), Row(2, "b", "2")};
  EXPECT_NE(CompareRows(expected, swapped, RowsMatch::kByKey), "");
  EXPECT_NE(CompareRows({}, expected, RowsMatch::kByKey), "");
}

TEST(GoldenCompareTest, FinalLooksAtTheLastRowOfEachKey) {
  const std::vector<GoldenRow> all = {Row(1, "a", "1"), Row(2, "b", "2"), Row(3, "b", std::nullopt),
                                      Row(4, "a", "4")};
  EXPECT_EQ(LastOfEachKey(all).size(), 2u);
  EXPECT_EQ(CompareRows({Row(4, "a", "4")}, all, RowsMatch::kLastOfKeys), "");
  EXPECT_EQ(CompareRows({Row(4, "a", "4"), Row(3, "b", std::nullopt)}, all, RowsMatch::kLastOfKeys),
            "");
  EXPECT_NE(CompareRows({Row(4, "a", "1")}, all, RowsMatch::kLastOfKeys), "");
}

}  // namespace
}  // namespace weir::shell
