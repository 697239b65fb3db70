// One input, one result: however the records are spread over partitions, threads and batches, and
// in whatever order partitions are read, a table ends up the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "weir/engine.h"

namespace weir {
namespace {

using Random = std::mt19937_64;
using Table = std::map<std::string, std::string>;

struct Way {
  int partitions = 1;
  int threads = 1;
  uint64_t skew_seed = 0;
  bool all_before = false;  // Every record is there before the query starts.
};

constexpr int kKeys = 12;
constexpr int kRecords = 600;

// Records with a key each, times going up with jitter.
std::vector<Record> MakeRecords(uint64_t seed, int64_t jitter_ms) {
  Random random(seed);
  std::vector<Record> records(kRecords);
  for (int i = 0; i < kRecords; ++i) {
    const auto key = static_cast<int>(random() % kKeys);
    records[i].key = "k" + std::to_string(key);
    records[i].value =
        "{\"G\":" + std::to_string(random() % 5) + ",\"X\":" + std::to_string(i) + "}";
    const int64_t jitter = jitter_ms == 0 ? 0 : static_cast<int64_t>(random() % jitter_ms);
    records[i].timestamp_ms = 1'000'000 + int64_t{i} * 700 - jitter;
  }
  return records;
}

void Append(Engine& engine, const std::string& topic, const std::vector<Record>& records) {
  const Status status = engine.Append(topic, records);
  ASSERT_TRUE(status.ok()) << status.ToString();
}

// Appends in pieces of random size, some keys' records running far ahead of others'; within a key,
// and so within a partition, the order stays.
void AppendSkewed(Engine& engine, const std::string& topic, const std::vector<Record>& records,
                  const Way& way) {
  if (way.skew_seed == 0) return Append(engine, topic, records);
  Random random(way.skew_seed);
  std::vector<std::vector<Record>> lanes(2);
  for (const Record& record : records) {
    // All records of a key go the same lane.
    lanes[(*record.key)[1] % 2].push_back(record);
  }
  std::vector<size_t> next(lanes.size(), 0);
  std::vector<Record> piece;
  while (true) {
    const size_t lane = random() % lanes.size();
    const size_t count = std::min<size_t>(1 + random() % 120, lanes[lane].size() - next[lane]);
    const auto from = lanes[lane].begin() + static_cast<std::ptrdiff_t>(next[lane]);
    piece.assign(from, from + static_cast<std::ptrdiff_t>(count));
    next[lane] += count;
    if (!piece.empty()) Append(engine, topic, piece);
    if (next[0] == lanes[0].size() && next[1] == lanes[1].size()) return;
  }
}

std::unique_ptr<Engine> Open(const Way& way) {
  EngineOptions options;
  options.threads = way.threads;
  auto engine = Engine::Open(std::move(options));
  EXPECT_TRUE(engine.ok());
  return std::move(*engine);
}

void Execute(Engine& engine, const std::string& sql) {
  const auto done = engine.Execute(sql);
  EXPECT_TRUE(done.ok()) << done.status().ToString();
}

// Runs all there is; gives what the topic T then holds.
std::vector<TopicRecord> ReadResult(Engine& engine) {
  const auto left = engine.RunUntilEnd(false);
  EXPECT_TRUE(left.ok()) << left.status().ToString();
  auto output = engine.ReadTopic("T");
  EXPECT_TRUE(output.ok()) << output.status().ToString();
  return output.ok() ? *output : std::vector<TopicRecord>();
}

Table RunWay(const std::string& query, const std::vector<Record>& records, const Way& way) {
  const std::unique_ptr<Engine> engine = Open(way);
  const auto run = [&](const std::string& sql) { Execute(*engine, sql); };
  run("CREATE STREAM s (k STRING KEY, g INT, x BIGINT) WITH (kafka_topic='s', value_format='JSON', "
      "partitions=" +
      std::to_string(way.partitions) + ");");
  if (way.all_before) AppendSkewed(*engine, "s", records, way);
  run(query);
  if (!way.all_before) AppendSkewed(*engine, "s", records, way);
  Table table;
  for (const TopicRecord& record : ReadResult(*engine)) {
    if (record.value) {
      table[*record.key] = *record.value;
    } else {
      table.erase(*record.key);
    }
  }
  EXPECT_EQ(engine->Metrics().queries.at(0).late_rows_dropped, 0);
  return table;
}

void ExpectOneResult(const std::string& query, const std::vector<Record>& records,
                     const std::vector<Way>& ways) {
  const Table wanted = RunWay(query, records, {});
  EXPECT_GT(wanted.size(), 3u);
  for (const Way& way : ways) {
    EXPECT_EQ(RunWay(query, records, way), wanted)
        << way.partitions << " partitions, " << way.threads << " threads, skew " << way.skew_seed;
  }
}

constexpr const char* kGrace = "GRACE PERIOD 1 HOUR";
const std::vector<Way> kWays = {{4, 1, 0},        {4, 3, 0}, {4, 3, 11},     {4, 1, 12},
                                {4, 3, 13, true}, {1, 3, 0}, {1, 1, 0, true}};

TEST(OneResult, Tumbling) {
  ExpectOneResult(std::string("CREATE TABLE t AS SELECT g, COUNT(*) AS n, SUM(x) AS s, MAX(x) AS m "
                              "FROM s WINDOW TUMBLING (SIZE 20 SECONDS, ") +
                      kGrace + ") GROUP BY g;",
                  MakeRecords(1, 30'000), kWays);
}

TEST(OneResult, Hopping) {
  ExpectOneResult(
      std::string("CREATE TABLE t AS SELECT g, COUNT(*) AS n, MIN(x) AS m FROM s WINDOW "
                  "HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, ") +
          kGrace + ") GROUP BY g;",
      MakeRecords(2, 30'000), kWays);
}

TEST(OneResult, Session) {
  ExpectOneResult(
      std::string("CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(x) AS s FROM s WINDOW "
                  "SESSION (6 SECONDS, ") +
          kGrace + ") GROUP BY k;",
      MakeRecords(3, 15'000), kWays);
}

TEST(OneResult, SessionBehindAnExchange) {
  ExpectOneResult(
      std::string("CREATE TABLE t AS SELECT g, COUNT(*) AS n, SUM(x) AS s FROM s WINDOW "
                  "SESSION (1 SECONDS, ") +
          kGrace + ") GROUP BY g;",
      MakeRecords(4, 15'000), kWays);
}

TEST(OneResult, ListsAndLatestOfAKeyKeepItsOrder) {
  ExpectOneResult(
      "CREATE TABLE t AS SELECT k, COLLECT_LIST(x) AS xs, LATEST_BY_OFFSET(x) AS last, "
      "EARLIEST_BY_OFFSET(x) AS first FROM s GROUP BY k;",
      MakeRecords(5, 30'000), kWays);
}

TEST(OneResult, ListsBehindAnExchangeGoByTimeWhenAllIsThere) {
  ExpectOneResult(
      "CREATE TABLE t AS SELECT g, COLLECT_LIST(x) AS xs, LATEST_BY_OFFSET(x) AS last "
      "FROM s GROUP BY g;",
      MakeRecords(6, 0), {{4, 1, 0, true}, {4, 3, 0, true}, {4, 3, 0, true}, {1, 3, 0, true}});
}

// What a join of streams writes, as a multiset. Everything is there before it starts: while rows
// come in, which of them wait for others depends on when they come.
std::multiset<std::string> RunJoin(const std::string& query, uint64_t seed, int64_t jitter_ms,
                                   const Way& way) {
  const std::unique_ptr<Engine> engine = Open(way);
  const auto run = [&](const std::string& sql) { Execute(*engine, sql); };
  for (const std::string topic : {"s", "r"}) {
    run("CREATE STREAM " + topic + " (k STRING KEY, g INT, x BIGINT) WITH (kafka_topic='" + topic +
        "', value_format='JSON', partitions=" + std::to_string(way.partitions) + ");");
    AppendSkewed(*engine, topic, MakeRecords(seed + topic.size(), jitter_ms), way);
    ++seed;
  }
  run(query);
  std::multiset<std::string> rows;
  for (const TopicRecord& record : ReadResult(*engine)) {
    rows.insert(record.key.value_or("null") + " " + record.value.value_or("null") + " " +
                std::to_string(record.timestamp_ms.value_or(-1)));
  }
  return rows;
}

// Some rows come when their window has passed, in their own partition or in others.
TEST(OneResult, OuterJoinsBehindExchanges) {
  for (const std::string kind : {"", "LEFT", "RIGHT", "FULL OUTER"}) {
    const std::string query = "CREATE STREAM t AS SELECT ROWKEY, s.x AS a, r.x AS b FROM s " +
                              kind +
                              " JOIN r WITHIN 2 SECONDS GRACE PERIOD 40 SECONDS"
                              " ON s.g * 7 + s.x % 60 = r.g * 7 + r.x % 60;";
    const auto wanted = RunJoin(query, 20, 30'000, {4, 1, 0, true});
    EXPECT_GT(wanted.size(), 30u);
    for (const Way& way : std::vector<Way>{{4, 3, 0, true}, {4, 3, 0, true}, {4, 2, 0, true}}) {
      EXPECT_EQ(RunJoin(query, 20, 30'000, way), wanted)
          << kind << " JOIN, " << way.threads << " threads";
    }
  }
}

// Many records of one topic lie in one batch; how far the other side then is must not decide what
// is kept of it, nor which rows come out alone.
std::multiset<std::string> JoinLongTopics(const std::string& query, bool in_batches,
                                          const Way& way) {
  const std::unique_ptr<Engine> engine = Open(way);
  const auto run = [&](const std::string& sql) { Execute(*engine, sql); };
  if (!in_batches) run("SET 'cache.max.bytes.buffering' = '0';");
  Random random(5);
  for (const std::string topic : {"s", "r"}) {
    run("CREATE STREAM " + topic + " (k STRING KEY, g INT, x BIGINT) WITH (kafka_topic='" + topic +
        "', value_format='JSON', partitions=" + std::to_string(way.partitions) + ");");
    std::vector<Record> records = MakeRecords(random(), 0);
    for (Record& record : records) *record.timestamp_ms += static_cast<int64_t>(random() % 3);
    Append(*engine, topic, records);
  }
  run(query);
  std::multiset<std::string> rows;
  for (const TopicRecord& record : ReadResult(*engine)) {
    rows.insert(record.key.value_or("null") + " " + record.value.value_or("null"));
  }
  return rows;
}

TEST(OneResult, JoinsOfLongBatchesMeetWhatSingleRowsMeet) {
  const auto query = [](const std::string& kind, const std::string& on, const std::string& key) {
    return "CREATE STREAM t AS SELECT " + key + ", s.x AS a, r.x AS b FROM s " + kind +
           " JOIN r WITHIN (2 SECONDS, 1 SECOND) GRACE PERIOD 1 SECOND ON s." + on + " = r." + on +
           ";";
  };
  for (const std::string on : {"k", "g"}) {
    for (const auto& [kind, key] : std::map<std::string, std::string>{
             {"INNER", "s." + on}, {"LEFT", "s." + on}, {"RIGHT", "r." + on}, {"FULL", "ROWKEY"}}) {
      const std::string sql = query(kind, on, key);
      const auto wanted = JoinLongTopics(sql, false, {1, 1});
      EXPECT_GT(wanted.size(), 100u) << sql;
      EXPECT_EQ(JoinLongTopics(sql, true, {1, 1}), wanted) << sql;
    }
    // With several partitions rows that wait come out up to the end of their own.
    const std::string inner = query("INNER", on, "s." + on);
    const auto wanted = JoinLongTopics(inner, false, {1, 1});
    EXPECT_EQ(JoinLongTopics(inner, true, {3, 1}), wanted) << inner;
    EXPECT_EQ(JoinLongTopics(inner, true, {3, 3}), wanted) << inner;
  }
}

// An append that reaches several partitions is seen as a whole: no partition looks as if it had
// ended while its neighbours are read. So no row is late where records are in order and have none.
TEST(OneResult, RowsInOrderAreNotLostUnderARunningQuery) {
  const std::vector<Record> records = MakeRecords(7, 0);
  const std::vector<std::string> queries = {
      "CREATE TABLE t AS SELECT g, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 5 SECONDS, "
      "GRACE PERIOD 0 SECONDS) GROUP BY g;",
      "CREATE TABLE t AS SELECT g, COLLECT_LIST(x) AS n FROM s WINDOW TUMBLING (SIZE 5 SECONDS, "
      "GRACE PERIOD 0 SECONDS) GROUP BY g;",
      "CREATE TABLE t AS SELECT g, COUNT(*) AS n FROM s WINDOW SESSION (1 SECOND, "
      "GRACE PERIOD 0 SECONDS) GROUP BY g;"};
  for (const std::string& query : queries) {
    Table wanted;
    for (uint64_t seed = 0; seed < 12; ++seed) {
      Random random(seed);
      const bool first = seed % 3 != 0;
      const std::unique_ptr<Engine> engine = Open({3, 1 + static_cast<int>(seed % 3)});
      Execute(*engine,
              "CREATE STREAM s (k STRING KEY, g INT, x BIGINT) WITH (kafka_topic='s', "
              "value_format='JSON', partitions=3);");
      if (first) Execute(*engine, query);
      for (size_t at = 0; at < records.size();) {
        const size_t count = std::min<size_t>(1 + random() % 90, records.size() - at);
        const auto from = records.begin() + static_cast<std::ptrdiff_t>(at);
        Append(*engine, "s", {from, from + static_cast<std::ptrdiff_t>(count)});
        at += count;
      }
      if (!first) Execute(*engine, query);
      Table table;
      for (const TopicRecord& record : ReadResult(*engine)) {
        if (record.value) {
          table[*record.key] = *record.value;
        } else {
          table.erase(*record.key);
        }
      }
      const QueryMetrics metrics = engine->Metrics().queries.at(0);
      EXPECT_TRUE(metrics.dropped.empty()) << seed << ": " << metrics.dropped.begin()->first;
      if (wanted.empty()) wanted = table;
      EXPECT_EQ(table, wanted) << query << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace weir
