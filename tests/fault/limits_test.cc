// The bounds: memory, bytes of a record, nesting, the length of a statement. Each gives its own
// error, and what is not concerned goes on.

#include <gtest/gtest.h>

#include "base/limits.h"
#include "tests/fault/temporary_directory.h"
#include "weir/engine.h"

namespace weir::fault {
namespace {

std::unique_ptr<Engine> Open(std::map<std::string, std::string> settings = {},
                             const std::string& directory = "") {
  EngineOptions options;
  options.directory = directory;
  options.settings = std::move(settings);
  auto engine = Engine::Open(std::move(options));
  EXPECT_TRUE(engine.ok()) << engine.status().ToString();
  return engine.ok() ? std::move(*engine) : nullptr;
}

Status Execute(Engine& engine, std::string_view sql) { return engine.Execute(sql).status(); }

const QueryMetrics* Find(const EngineMetrics& metrics, std::string_view id) {
  for (const QueryMetrics& query : metrics.queries) {
    if (query.query_id == id) return &query;
  }
  return nullptr;
}

Record Json(std::string value) {
  Record record;
  record.value = std::move(value);
  record.timestamp_ms = 1000;
  return record;
}

TEST(LimitsTest, MemoryLimitStopsTheGreedyQueryOnly) {
  auto engine = Open({{"memory.limit", "3000000"}});
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Execute(*engine, R"sql(
    CREATE STREAM s (id BIGINT, name VARCHAR, kind INT)
      WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE TABLE greedy AS SELECT name, COUNT(*) AS n FROM s GROUP BY name EMIT CHANGES;
    CREATE TABLE modest AS SELECT kind, COUNT(*) AS n FROM s GROUP BY kind EMIT CHANGES;)sql")
                  .ok());
  constexpr int kRecords = 60000;
  std::vector<Record> records;
  for (int i = 0; i < kRecords; ++i) {
    records.push_back(Json("{\"id\":" + std::to_string(i) + ",\"name\":\"" + std::string(40, 'x') +
                           std::to_string(i) + "\",\"kind\":" + std::to_string(i % 3) + "}"));
  }
  ASSERT_TRUE(engine->Append("s", records).ok());
  const auto end = engine->RunUntilEnd(false);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.status().code(), ErrorCode::kQueryFailed);
  EXPECT_NE(end.status().message().find("memory.limit"), std::string::npos)
      << end.status().ToString();
  const EngineMetrics metrics = engine->Metrics();
  const QueryMetrics* greedy = Find(metrics, "CTAS_GREEDY");
  const QueryMetrics* modest = Find(metrics, "CTAS_MODEST");
  ASSERT_TRUE(greedy != nullptr && modest != nullptr);
  EXPECT_EQ(greedy->state, "ERROR");
  EXPECT_NE(greedy->error.find("memory.limit"), std::string::npos) << greedy->error;
  EXPECT_EQ(modest->state, "RUNNING") << modest->error;
  ASSERT_TRUE(Execute(*engine, "DROP TABLE greedy;").ok());
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  auto rows = engine->ReadTopic("MODEST");
  ASSERT_TRUE(rows.ok());
  int64_t counted = 0;
  std::map<std::string, int64_t> last;
  for (const TopicRecord& record : *rows) {
    last[record.key.value_or("")] = std::stoll(record.value->substr(record.value->find(':') + 1));
  }
  for (const auto& [key, count] : last) counted += count;
  EXPECT_EQ(counted, kRecords);
}

// Rows of two streams with equal ids from 0 on; the left ones' times are their ids.
std::vector<Record> JoinRows(int from, int count, int late) {
  std::vector<Record> records(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    records[i].value = "{\"ID\":" + std::to_string(from + i) + ",\"PAD\":\"" +
                       std::string(50, static_cast<char>('a' + i % 26)) + "\"}";
    records[i].timestamp_ms = from + i + late;
  }
  return records;
}

// A window of more rows than memory.limit has room for.
TEST(LimitsTest, AJoinGoesOnBeyondTheMemoryLimit) {
  constexpr int64_t kLimit = 6'000'000;
  constexpr int kRows = 100'000, kPart = 20'000;
  TemporaryDirectory directory;
  for (int part = 0; part < kRows / kPart; ++part) {
    SCOPED_TRACE(part);
    // It starts again on what it has stored, too.
    auto engine = Open({{"memory.limit", std::to_string(kLimit)}}, directory.At("store"));
    ASSERT_NE(engine, nullptr);
    ASSERT_TRUE(part > 0 || Execute(*engine, R"sql(
      CREATE STREAM l (id BIGINT, pad VARCHAR)
        WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=1);
      CREATE STREAM r (id BIGINT, pad VARCHAR)
        WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);
      CREATE STREAM j WITH (KAFKA_TOPIC='j') AS SELECT l.id AS id, l.pad AS a, r.pad AS b
        FROM l LEFT JOIN r WITHIN 1 DAY GRACE PERIOD 1 HOUR ON l.id = r.id
        EMIT CHANGES;)sql")
                                .ok());
    ASSERT_TRUE(engine->Append("l", JoinRows(part * kPart, kPart, 0)).ok());
    // Those of the part before: their partners have left memory.
    if (part > 0) {
      ASSERT_TRUE(engine->Append("r", JoinRows((part - 1) * kPart, kPart, 2 * kPart)).ok());
    }
    const auto end = engine->RunUntilEnd(false);
    ASSERT_TRUE(end.ok()) << end.status().ToString();
    EXPECT_LT(engine->Metrics().memory_bytes, kLimit);
    auto joined = engine->ReadTopic("j");
    ASSERT_TRUE(joined.ok());
    EXPECT_EQ(joined->size(), static_cast<size_t>(part * kPart));
    for (const TopicRecord& record : *joined) {
      ASSERT_EQ(record.value->find("null"), std::string::npos) << *record.value;
    }
    ASSERT_TRUE(engine->Close().ok());
  }
}

TEST(LimitsTest, RecordBytes) {
  auto engine = Open();
  ASSERT_TRUE(engine->CreateTopic("t", 1, false).ok());
  std::vector<Record> records = {Json(std::string(limits::kRecordBytesMax + 1, 'x'))};
  EXPECT_EQ(engine->Append("t", records).code(), ErrorCode::kRecordTooLarge);
  auto kept = engine->ReadTopic("t");
  ASSERT_TRUE(kept.ok());
  EXPECT_TRUE(kept->empty());
}

TEST(LimitsTest, RecordsLargerThanABatchPass) {
  auto engine = Open();
  ASSERT_TRUE(Execute(*engine, R"sql(
    CREATE STREAM s (id INT, body VARCHAR)
      WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM sizes AS SELECT id, LEN(body) AS bytes FROM s EMIT CHANGES;)sql")
                  .ok());
  std::vector<Record> records;
  for (int i = 0; i < 3; ++i) {
    records.push_back(Json("{\"id\":" + std::to_string(i) + ",\"body\":\"" +
                           std::string(limits::kBatchBytesMax + 1000, 'b') + "\"}"));
  }
  ASSERT_TRUE(engine->Append("s", records).ok());
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  auto sizes = engine->ReadTopic("SIZES");
  ASSERT_TRUE(sizes.ok());
  ASSERT_EQ(sizes->size(), 3u);
  EXPECT_NE(sizes->front().value->find(std::to_string(limits::kBatchBytesMax + 1000)),
            std::string::npos);
}

TEST(LimitsTest, StatementLength) {
  auto engine = Open();
  const std::string sql = "SELECT '" + std::string(limits::kStatementBytesMax, 'a') + "' FROM s;";
  EXPECT_EQ(Execute(*engine, sql).code(), ErrorCode::kStatementTooLong);
  EXPECT_TRUE(Execute(*engine, "SHOW STREAMS;").ok());
}

TEST(LimitsTest, StatementNesting) {
  auto engine = Open();
  for (const std::string_view open : {"(", "NOT ", "ARRAY[", "- "}) {
    std::string sql = "CREATE STREAM d AS SELECT ";
    constexpr int kDepth = 20000;
    for (int i = 0; i < kDepth; ++i) sql += open;
    sql += "x";
    for (int i = 0; i < kDepth && open == "("; ++i) sql += ")";
    for (int i = 0; i < kDepth && open == "ARRAY["; ++i) sql += "]";
    sql += " FROM s;";
    EXPECT_EQ(Execute(*engine, sql).code(), ErrorCode::kNestingTooDeep) << open;
  }
}

TEST(LimitsTest, ValueNesting) {
  auto engine = Open();
  ASSERT_TRUE(Execute(*engine, R"sql(
    CREATE STREAM s (id INT, body ARRAY<INT>, extra VARCHAR)
      WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM ids AS SELECT id, body, extra FROM s EMIT CHANGES;)sql")
                  .ok());
  std::vector<Record> records;
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  records.push_back(Json("{\"id\":1,\"body\":[1],\"extra\":\"a\"}"));
  records.push_back(Json("{\"id\":2,\"body\":" + deep + ",\"extra\":\"b\"}"));
  records.push_back(Json("{\"id\":3,\"body\":[3],\"extra\":" + deep + "}"));
  records.push_back(Json("{\"id\":4,\"body\":[4],\"extra\":\"d\"}"));
  ASSERT_TRUE(engine->Append("s", records).ok());
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  auto ids = engine->ReadTopic("IDS");
  ASSERT_TRUE(ids.ok());
  ASSERT_EQ(ids->size(), 2u);
  EXPECT_NE(ids->front().value->find("\"ID\":1"), std::string::npos);
  EXPECT_NE(ids->back().value->find("\"ID\":4"), std::string::npos);
  const EngineMetrics metrics = engine->Metrics();
  EXPECT_EQ(metrics.queries.front().dropped.at("bad_value"), 2);
}

}  // namespace
}  // namespace weir::fault
