// Any bytes as a record, of any format, between good ones: the neighbours come out untouched, and
// each record that does not is counted by reason, with topic, partition and offset.

#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "weir/engine.h"

namespace weir::fault {
namespace {

constexpr int kRecords = 4000;

struct FormatCase {
  const char* name;
  const char* properties;
  const char* columns;
  std::string (*good)(int number);
  std::string (*expected)(int number);  // Found in the JSON that comes out.
};

std::string BigEndian32(int number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

const FormatCase kCases[] = {
    {"JSON", "VALUE_FORMAT='JSON'", "a INT, b VARCHAR",
     [](int n) { return fmt::format("{{\"a\":{},\"b\":\"text {}\",\"c\":[1,{{}}]}}", n, n); },
     [](int n) { return fmt::format("\"A\":{},\"B\":\"text {}\"", n, n); }},
    {"DELIMITED", "VALUE_FORMAT='DELIMITED'", "a INT, b VARCHAR",
     [](int n) { return fmt::format("{},\"text, {}\"", n, n); },
     [](int n) { return fmt::format("\"A\":{},\"B\":\"text, {}\"", n, n); }},
    {"KAFKA", "VALUE_FORMAT='KAFKA'", "a INT", BigEndian32,
     [](int n) { return fmt::format("\"A\":{}", n); }},
};

std::string AnyBytes(std::mt19937_64& random, const FormatCase& format, int number) {
  std::string bytes;
  switch (random() % 4) {
    case 0:  // Noise.
      bytes.resize(random() % 60);
      for (char& c : bytes) c = static_cast<char>(random());
      return bytes;
    case 1:  // Cut off, as an open quote or bracket.
      bytes = format.good(number);
      return bytes.substr(0, random() % bytes.size());
    case 2:  // A byte changed.
      bytes = format.good(number);
      bytes[random() % bytes.size()] = static_cast<char>(random());
      return bytes;
    default:  // Something behind.
      return format.good(number) + static_cast<char>(random()) + format.good(number);
  }
}

class BadRecordTest : public ::testing::TestWithParam<FormatCase> {};

TEST_P(BadRecordTest, NeighboursAreUntouched) {
  const FormatCase& format = GetParam();
  const char* given = std::getenv("WEIR_FAULT_SEED");
  const uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "WEIR_FAULT_SEED=" << seed << std::endl;
  std::mt19937_64 random(seed);
  auto engine = Engine::Open({});
  ASSERT_TRUE(engine.ok());
  ASSERT_TRUE(
      (*engine)
          ->Execute(fmt::format(
              "CREATE STREAM s (k VARCHAR KEY, {}) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA',"
              " {}, PARTITIONS=3);"
              "CREATE STREAM t WITH (VALUE_FORMAT='JSON') AS SELECT * FROM s EMIT CHANGES;",
              format.columns, format.properties))
          .ok());
  std::vector<Record> records;
  for (int i = 0; i < kRecords; ++i) {
    Record record;
    const bool bad = random() % 3 == 0;
    record.key = fmt::format("{}{}", bad ? "bad" : "good", i);
    record.value = bad ? AnyBytes(random, format, i) : format.good(i);
    record.timestamp_ms = 1000 + i;
    records.push_back(std::move(record));
  }
  ASSERT_TRUE((*engine)->Append("s", records).ok());
  const auto end = (*engine)->RunUntilEnd(false);
  ASSERT_TRUE(end.ok()) << end.status().ToString();

  auto rows = (*engine)->ReadTopic("T");
  ASSERT_TRUE(rows.ok());
  std::map<std::string, std::string> by_key;
  for (const TopicRecord& row : *rows) {
    EXPECT_TRUE(by_key.emplace(*row.key, row.value.value_or("")).second) << *row.key << " twice";
  }
  for (int i = 0; i < kRecords; ++i) {
    const std::string& key = *records[i].key;
    if (!key.starts_with("good")) continue;
    ASSERT_TRUE(by_key.contains(key)) << key;
    EXPECT_NE(by_key[key].find(format.expected(i)), std::string::npos)
        << key << ": " << by_key[key];
  }
  const EngineMetrics metrics = (*engine)->Metrics();
  const QueryMetrics& query = metrics.queries.front();
  EXPECT_EQ(query.state, "RUNNING") << query.error;
  int64_t dropped = 0;
  for (const auto& [reason, count] : query.dropped) {
    if (reason != "expression_error") dropped += count;
  }
  EXPECT_EQ(static_cast<int64_t>(rows->size()) + dropped, kRecords);
  EXPECT_GT(dropped, 0);
  ASSERT_FALSE(query.last_errors.empty());
  for (const std::string& error : query.last_errors) {
    EXPECT_TRUE(error.find("topic s partition ") != std::string::npos &&
                error.find(" offset ") != std::string::npos)
        << error;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, BadRecordTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

std::unique_ptr<Engine> EngineWith(const char* on_error) {
  auto engine = Engine::Open({});
  EXPECT_TRUE(engine.ok());
  const auto made = (*engine)->Execute(fmt::format(
      "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1, "
      "ON_ERROR='{}');"
      "CREATE STREAM t AS SELECT a FROM s EMIT CHANGES;",
      on_error));
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  std::vector<Record> records(3);
  records[0].value = "{\"a\":1}";
  records[1].value = "{\"a\":";
  records[1].key = "key";
  records[2].value = "{\"a\":3}";
  EXPECT_TRUE((*engine)->Append("s", records).ok());
  return std::move(*engine);
}

TEST(OnErrorTest, SkipShowsTheCount) {
  auto engine = EngineWith("SKIP");
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  EXPECT_EQ(engine->ReadTopic("T")->size(), 2u);
  const QueryMetrics query = engine->Metrics().queries.front();
  EXPECT_EQ(query.dropped.at("bad_value"), 1);
  ASSERT_EQ(query.last_errors.size(), 1u);
  EXPECT_NE(query.last_errors[0].find("topic s partition 0 offset 1"), std::string::npos);
}

TEST(OnErrorTest, NullKeepsTheRow) {
  auto engine = EngineWith("NULL");
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  EXPECT_EQ(engine->ReadTopic("T")->size(), 3u);
  EXPECT_EQ(engine->Metrics().queries.front().dropped.at("bad_value"), 1);
}

TEST(OnErrorTest, FailStopsTheQueryWithThePlace) {
  auto engine = EngineWith("FAIL");
  const auto end = engine->RunUntilEnd(false);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.status().code(), ErrorCode::kQueryFailed);
  const QueryMetrics query = engine->Metrics().queries.front();
  EXPECT_EQ(query.state, "ERROR");
  EXPECT_NE(query.error.find("topic s, partition 0, offset 1"), std::string::npos) << query.error;
}

TEST(OnErrorTest, DeadLettersKeepTheBytesAndTheirPlace) {
  auto engine = EngineWith("dead");
  const auto end = engine->RunUntilEnd(false);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ(engine->ReadTopic("T")->size(), 2u);
  const auto dead = engine->ReadTopic("dead");
  ASSERT_TRUE(dead.ok());
  ASSERT_EQ(dead->size(), 1u);
  EXPECT_EQ(dead->front().value, "{\"a\":");
  EXPECT_EQ(dead->front().key, "key");
  std::map<std::string, std::string> headers;
  for (const auto& header : dead->front().headers) headers[header.name] = header.value.value_or("");
  EXPECT_EQ(headers["weir.source.topic"], "s");
  EXPECT_EQ(headers["weir.source.partition"], "0");
  EXPECT_EQ(headers["weir.source.offset"], "1");
  EXPECT_EQ(headers["weir.error.reason"], "bad_value");
}

}  // namespace
}  // namespace weir::fault
