// From raw records to rows, over the exchange, and back to records.

#include <gtest/gtest.h>

#include "exec/connect/header_codec.h"
#include "planner/physical/stores.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::OnError;
using test::ChunkFromText;
using test::ChunkToLines;
using test::FakeContext;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

struct TestRecord {
  std::optional<std::string> key, value;
  int64_t timestamp = 0;
};

RecordBatch MakeRecords(const std::vector<TestRecord>& records) {
  RecordBatch batch;
  BufferBuilder bytes;
  auto append = [&](const std::optional<std::string>& text) {
    if (!text) return Slice();
    const Slice slice{static_cast<uint32_t>(bytes.size()), static_cast<int32_t>(text->size())};
    bytes.Append(text->data(), text->size());
    return slice;
  };
  for (const TestRecord& record : records) {
    batch.keys.push_back(append(record.key));
    batch.values.push_back(append(record.value));
    batch.timestamps.push_back(record.timestamp);
    batch.offsets.push_back(static_cast<int64_t>(batch.offsets.size()) + 100);
  }
  batch.bytes = bytes.Finish();
  return batch;
}

physical::TopicSource Source() {
  physical::TopicSource node;
  node.topic = "rides";
  node.key_format = {"KAFKA"};
  node.value_format = {"JSON"};
  node.schema = SchemaFromText("K STRING KEY, N BIGINT");
  node.columns = {{.name = "K", .type = DataType::String(), .is_key = true, .output_index = 0},
                  {.name = "N", .type = DataType::Bigint(), .output_index = 1},
                  {.name = "T", .type = DataType::String(), .output_index = -1}};
  return node;
}

std::vector<std::string> Decode(const physical::TopicSource& node,
                                const std::vector<TestRecord>& records, FakeContext& context) {
  auto decoder = MakeSourceDecoder(node);
  EXPECT_TRUE(decoder.ok()) << decoder.status().message();
  Chunk chunk;
  const Status status = (*decoder)->Decode(MakeRecords(records), 0, context, chunk);
  if (!status.ok()) return {"error: " + status.message()};
  return ChunkToLines(chunk);
}

const std::vector<TestRecord> kRecords = {{"a", R"({"N": 1})", 10},
                                          {"b", R"({"N": )", 20},
                                          {std::nullopt, R"({"N": 3})", 30},
                                          {"d", std::nullopt, 40},
                                          {"e", R"({"N": 5})", -1}};

TEST(SourceDecoder, SkipsBadRecords) {
  FakeContext context;
  EXPECT_EQ(Decode(Source(), kRecords, context),
            Lines("+ 10 | a, 1\n+ 30 | null, 3\n- 40 | d, null"));
  EXPECT_EQ(context.dropped["bad_value"], 1);
  EXPECT_EQ(context.dropped["bad_timestamp"], 1);
  ASSERT_EQ(context.errors.size(), 2u);
  EXPECT_TRUE(context.errors[0].starts_with("bad_value rides/0/101: ")) << context.errors[0];
}

TEST(SourceDecoder, TablesNeedKeys) {
  auto node = Source();
  node.is_table = true;
  FakeContext context;
  EXPECT_EQ(Decode(node, kRecords, context), Lines("+ 10 | a, 1\n- 40 | d, null"));
  EXPECT_EQ(context.dropped["null_key"], 1);
}

TEST(SourceDecoder, OtherWaysWithBadRecords) {
  auto node = Source();
  FakeContext context;
  node.on_error = OnError::kNull;
  EXPECT_EQ(Decode(node, {kRecords[1]}, context), Lines("+ 20 | b, null"));
  node.on_error = OnError::kFail;
  EXPECT_EQ(Decode(node, {kRecords[1]}, context).front().substr(0, 31),
            "error: a record does not decode");
  node.on_error = OnError::kDeadLetter;
  node.dead_letter_topic = "dead";
  EXPECT_EQ(Decode(node, {kRecords[1]}, context), Lines(""));
  RecordBatchBuilder& dead = context.topics["dead"][0];
  ASSERT_EQ(dead.size(), 1);
  EXPECT_EQ(dead.View(dead.values()[0]), R"({"N": )");
  std::vector<HeaderView> headers;
  ASSERT_TRUE(DecodeHeaders(dead.View(dead.headers()[0]), headers));
  ASSERT_EQ(headers.size(), 5u);
  EXPECT_EQ(headers[4].name, "weir.source.offset");
  EXPECT_EQ(*headers[4].value, "100");
}

TEST(SourceDecoder, TakesTimeFromAColumn) {
  auto node = Source();
  node.time_source = physical::TimeSource::kColumn;
  node.time_column = 2;
  node.time_format = "yyyy-MM-dd HH:mm:ss";
  FakeContext context;
  EXPECT_EQ(Decode(node,
                   {{"a", R"({"N": 1, "T": "1970-01-01 00:00:02"})", 10},
                    {"b", R"({"N": 2, "T": "yesterday"})", 20},
                    {"c", R"({"N": 3})", 30},
                    {"d", std::nullopt, 40}},
                   context),
            Lines("+ 2000 | a, 1\n- 40 | d, null"));
  EXPECT_EQ(context.dropped["bad_timestamp"], 2);
}

TEST(SourceDecoder, SplitsWindowsOffKeys) {
  auto node = Source();
  node.windowed_key = physical::WindowKind::kTumbling;
  node.window_size_ms = 1000;
  std::string key = "a";
  key += std::string("\0\0\0\0\0\0\x13\x88", 8);
  FakeContext context;
  EXPECT_EQ(Decode(node, {{key, R"({"N": 1})", 10}, {"short", R"({"N": 1})", 10}}, context),
            Lines("+ 10 @5000-6000 | a, 1"));
  EXPECT_EQ(context.dropped["bad_key"], 1);
}

physical::TopicSink SinkNode() {
  physical::TopicSink node;
  node.inputs = {InputNode("K STRING KEY, N BIGINT")};
  node.schema = node.inputs[0]->schema;
  node.topic = "out";
  node.key_format = {"KAFKA"};
  node.value_format = {"JSON"};
  return node;
}

std::string Written(RecordBatchBuilder& records, int32_t i) {
  auto text = [&](Slice slice) {
    return slice.is_null() ? std::string("null") : std::string(records.View(slice));
  };
  return std::to_string(records.timestamps()[i]) + " " + text(records.keys()[i]) + " " +
         text(records.values()[i]);
}

TEST(TopicSink, WritesRecords) {
  const auto node = SinkNode();
  Harness run(node);
  run.Push(0, "+ 1 | a, 1\nb 2 | a, 1\nu 2 | a, 2\n- 3 | a\n4 | null, 5");
  RecordBatchBuilder& out = run.context().topics["out"][0];
  ASSERT_EQ(out.size(), 4);
  EXPECT_EQ(Written(out, 0), R"(1 a {"N":1})");
  EXPECT_EQ(Written(out, 1), R"(2 a {"N":2})");
  EXPECT_EQ(Written(out, 2), "3 a null");
  EXPECT_EQ(Written(out, 3), R"(4 null {"N":5})");
  EXPECT_EQ(run.context().records_out, 4);
}

TEST(TopicSink, TakesTimeFromAColumn) {
  auto node = SinkNode();
  node.time_column = 1;
  Harness run(node);
  run.Push(0, "+ 1 | a, 100\n+ 2 | b, -2\n- 3 | a\n4 | c, null");
  RecordBatchBuilder& out = run.context().topics["out"][0];
  ASSERT_EQ(out.size(), 2);
  EXPECT_EQ(Written(out, 0), R"(100 a {"N":100})");
  EXPECT_EQ(Written(out, 1), "3 a null");
  EXPECT_EQ(run.context().dropped["bad_timestamp"], 2);
}

TEST(TopicSink, PlacesWindowedKeysByTheirKey) {
  auto node = SinkNode();
  node.windowed_key = physical::WindowKind::kTumbling;
  Harness run(node);
  run.context().partition_count = 5;
  run.Push(0, "1 @0-10 | a, 1\n2 @10-20 | a, 2\n3 @0-10 | b, 3\n- 4 @0-10 | a");
  for (const std::string& key : {std::string("a"), std::string("b")}) {
    RecordBatchBuilder& out = run.context().topics["out"][JavaPartition(key, 5)];
    ASSERT_GE(out.size(), 1);
    for (int32_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(out.View(out.keys()[i]).size(), 9u);
    }
  }
  RecordBatchBuilder& of_a = run.context().topics["out"][JavaPartition("a", 5)];
  EXPECT_EQ(of_a.View(of_a.keys()[0]), std::string("a\0\0\0\0\0\0\0\0", 9));
}

TEST(ExchangeRouter, SplitsByKeyAndKeepsStreamTime) {
  physical::Exchange node;
  node.id = 4;
  node.inputs = {InputNode("K INT KEY, N BIGINT")};
  node.schema = node.inputs[0]->schema;
  node.key_columns = 1;
  DeclareStores(node);
  FakeContext context;
  for (int32_t partitions : {1, 3}) {
    auto router = MakeExchangeRouter(node, partitions);
    ASSERT_TRUE(router.ok());
    ASSERT_TRUE((*router)->Open(context).ok());
    std::vector<Chunk> parts(partitions);
    ASSERT_TRUE((*router)
                    ->Route(ChunkFromText(*node.schema,
                                          "5 | 1, 1\n3 | 2, 2\n9 | null, 3\n4 | 1, 4\n8 | 3, 5"),
                            context, parts)
                    .ok());
    int32_t rows = 0;
    std::map<std::string, int> home;
    for (int32_t part = 0; part < partitions; ++part) {
      const Chunk flat = Flatten(parts[part]);
      rows += flat.rows;
      for (int32_t row = 0; row < flat.rows; ++row) {
        const auto [entry, is_new] = home.emplace(flat.columns[0]->ToText(row), part);
        EXPECT_EQ(entry->second, part);
        const int64_t clock = flat.sys(SystemColumn::kStreamTime)->values<int64_t>()[row];
        EXPECT_EQ(clock, flat.columns[1]->values<int64_t>()[row] == 5 ? 8 : 5);
      }
    }
    EXPECT_EQ(rows, 4);
    ASSERT_TRUE((*router)->OnBarrier(context).ok());
    context.stores_["exchange-4"] = {};
  }
  EXPECT_EQ(context.dropped["null_group_key"], 2);
}

}  // namespace
}  // namespace weir
