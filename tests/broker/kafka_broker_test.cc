// The engine on a real Kafka broker: what a Broker promises, and SQL from topic to topic. A plain
// client of Kafka's (TestBroker) stands on the other side.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>

#include "exec/column/builder.h"
#include "exec/connect/header_codec.h"
#include "exec/connect/topic.h"
#include "tests/broker/support/test_broker.h"
#include "weir/engine.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
using testing::KafkaRecord;
using testing::TestBroker;

class KafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    state_dir_ = std::filesystem::temp_directory_path() /
                 ("weir_kafka_" + std::to_string(getpid()) + "_" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(state_dir_);
  }
  void TearDown() override { std::filesystem::remove_all(state_dir_); }

  std::unique_ptr<TestBroker> kafka_;
  std::filesystem::path state_dir_;
};

// What every broker promises, as far as Kafka can: outputs are not taken back with a failed commit.
class KafkaBrokerTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (kafka_ != nullptr) Open("app");
  }
  void TearDown() override {
    session_.reset();
    broker_.reset();
    KafkaTest::TearDown();
  }
  void Open(const std::string& application_id) {
    broker_.reset();
    BrokerOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_id;
    options.state_dir = state_dir_.string();
    auto broker = OpenKafkaBroker(options);
    ASSERT_TRUE(broker.ok()) << broker.status().ToString();
    broker_ = std::move(*broker);
  }
  std::string MakeTopic(int32_t partitions) {
    const std::string name = kafka_->NewName("contract");
    const Status status = broker_->CreateTopic({.name = name, .partitions = partitions});
    EXPECT_TRUE(status.ok()) << status.ToString();
    return name;
  }
  void Append(const std::string& topic, int32_t partition, const std::vector<std::string>& values,
              int64_t time = 5) {
    RecordBatchBuilder records;
    for (const std::string& text : values) {
      const std::string key = "k" + text;
      const std::string_view key_view = key;
      const std::string_view value_view = text;
      records.AddCopy(&key_view, &value_view, "", time);
    }
    const Status status = broker_->AppendDurably(topic, partition, records);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(records.size(), 0);
  }
  std::unique_ptr<PartitionReader> Reader(const std::string& topic, int32_t partition,
                                          StartPosition start = {}) {
    if (session_ == nullptr) session_ = std::move(*broker_->OpenReadSession("test"));
    auto reader = session_->Open(topic, partition, start);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return std::move(*reader);
  }
  /// Until the end is reached, for at most ten seconds.
  static std::vector<std::string> ReadAll(PartitionReader& reader, int32_t rows_max = 4096) {
    std::vector<std::string> values;
    RecordBatch batch;
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (!reader.caught_up() && Clock::now() < deadline) {
      const Status status = reader.Fetch(rows_max, 1 << 20, batch);
      EXPECT_TRUE(status.ok()) << status.ToString();
      if (!status.ok()) return values;
      EXPECT_LE(batch.size(), rows_max);
      for (int32_t row = 0; row < batch.size(); ++row) {
        const auto at = static_cast<size_t>(row);
        values.emplace_back(batch.View(batch.values[at]));
        EXPECT_EQ(batch.View(batch.keys[at]), "k" + values.back());
      }
    }
    EXPECT_TRUE(reader.caught_up());
    return values;
  }

  std::unique_ptr<Broker> broker_;
  std::unique_ptr<ReadSession> session_;
};

TEST_F(KafkaBrokerTest, KeepsTopics) {
  const std::string name = MakeTopic(2);
  EXPECT_EQ(broker_->CreateTopic({.name = name, .partitions = 1}).code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(broker_->CreateTopic({.name = "no/slash", .partitions = 1}).code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(broker_->DescribeTopic(name)->partitions, 2);
  EXPECT_EQ(broker_->DescribeTopic(name)->retention_ms, -1);
  EXPECT_EQ(broker_->DescribeTopic("no.such.topic").status().code(), ErrorCode::kUnknownTopic);
  const auto first_ends = broker_->EndOffsets(name);
  ASSERT_TRUE(first_ends.ok()) << first_ends.status().ToString();
  EXPECT_EQ(*first_ends, (std::vector<int64_t>{0, 0}));

  const std::string foreign = kafka_->NewName("foreign") + "-changelog";
  ASSERT_TRUE(
      kafka_->CreateTopic(foreign, 1, {{"cleanup.policy", "compact"}, {"retention.ms", "1000"}})
          .ok());
  std::map<std::string, TopicInfo> listed;
  const auto topics = broker_->ListTopics();
  ASSERT_TRUE(topics.ok()) << topics.status().ToString();
  for (const TopicInfo& info : *topics) listed[info.name] = info;
  EXPECT_FALSE(listed[name].internal);
  EXPECT_TRUE(listed[foreign].internal);
  EXPECT_TRUE(listed[foreign].compacted);
  EXPECT_EQ(listed[foreign].retention_ms, 1000);

  EXPECT_TRUE(broker_->DeleteTopic(name).ok());
  EXPECT_EQ(broker_->DeleteTopic(name).code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(broker_->EndOffsets(name).status().code(), ErrorCode::kUnknownTopic);
  ASSERT_TRUE(broker_->CreateTopic({.name = name, .partitions = 1}).ok());
  auto ends = broker_->EndOffsets(name);
  ASSERT_TRUE(ends.ok()) << ends.status().ToString();
  EXPECT_EQ(*ends, (std::vector<int64_t>{0}));
  Append(name, 0, {"again"});
  ends = broker_->EndOffsets(name);
  ASSERT_TRUE(ends.ok()) << ends.status().ToString();
  EXPECT_EQ(*ends, (std::vector<int64_t>{1}));
}

TEST_F(KafkaBrokerTest, GivesRecordsBackInOrder) {
  const std::string topic = MakeTopic(2);
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) {
    std::vector<std::string> values;
    for (int j = 0; j < 1 + i % 5; ++j) {
      values.push_back(std::to_string(all.size() + values.size()));
    }
    Append(topic, 1, values);
    all.insert(all.end(), values.begin(), values.end());
  }
  std::vector<std::string> large;
  for (int j = 0; j < 6000; ++j) {
    large.push_back("large " + std::string(200, 'x') + std::to_string(j));
  }
  Append(topic, 1, large);
  all.insert(all.end(), large.begin(), large.end());
  for (int32_t rows_max : {7, 4096}) {
    auto reader = Reader(topic, 1);
    EXPECT_FALSE(reader->caught_up());
    EXPECT_EQ(reader->end_offset(), static_cast<int64_t>(all.size()));
    EXPECT_EQ(ReadAll(*reader, rows_max), all);
    EXPECT_EQ(reader->position(), static_cast<int64_t>(all.size()));
    EXPECT_EQ(reader->end_offset(), static_cast<int64_t>(all.size()));
  }
  EXPECT_TRUE(ReadAll(*Reader(topic, 0)).empty());
  for (size_t from : {0u, 1u, 59u, 3000u}) {
    auto reader = Reader(topic, 1, {StartPosition::Kind::kOffset, static_cast<int64_t>(from)});
    EXPECT_EQ(ReadAll(*reader),
              std::vector<std::string>(all.begin() + static_cast<long>(from), all.end()));
  }
  auto latest = Reader(topic, 1, {StartPosition::Kind::kLatest});
  EXPECT_TRUE(ReadAll(*latest).empty());
  auto beside = Reader(topic, 1);  // The same partition, read twice in one session.
  EXPECT_EQ(ReadAll(*beside).size(), all.size());
  auto past = session_->Open(topic, 1, {StartPosition::Kind::kOffset, 999999});
  ASSERT_FALSE(past.ok());
  EXPECT_EQ(past.status().code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_NE(past.status().message().find("999999"), std::string::npos);
}

TEST_F(KafkaBrokerTest, KeepsNullsHeadersAndTimes) {
  const std::string topic = MakeTopic(1);
  BufferBuilder headers;
  AppendHeader("h", "x", headers);
  AppendHeader("h", std::nullopt, headers);
  AppendHeader("empty", "", headers);
  const std::string encoded(reinterpret_cast<const char*>(headers.data()), headers.size());
  RecordBatchBuilder records;
  const std::string_view text = "x";
  const std::string_view nothing = "";
  records.AddCopy(&text, nullptr, "", 5);
  records.AddCopy(nullptr, &text, encoded, 0);
  records.AddCopy(&nothing, &nothing, "", 6);
  ASSERT_TRUE(broker_->AppendDurably(topic, 0, records).ok());
  auto reader = Reader(topic, 0);
  RecordBatch batch;
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  while (batch.size() == 0 && Clock::now() < deadline) {
    ASSERT_TRUE(reader->Fetch(10, 1000, batch).ok());
  }
  ASSERT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.timestamps, (std::vector<int64_t>{5, 1, 6}));  // 0 cannot be written.
  EXPECT_TRUE(batch.values[0].is_null());
  EXPECT_TRUE(batch.keys[1].is_null());
  EXPECT_FALSE(batch.keys[2].is_null() || batch.values[2].is_null());
  EXPECT_EQ(batch.keys[2].length, 0);
  ASSERT_EQ(batch.headers.size(), 3u);
  EXPECT_TRUE(batch.headers[0].is_null());
  EXPECT_EQ(batch.View(batch.headers[1]), encoded);
  EXPECT_TRUE(batch.headers[2].is_null());
}

TEST_F(KafkaBrokerTest, FindsTimestamps) {
  const std::string topic = MakeTopic(1);
  for (int i = 0; i < 20; ++i) Append(topic, 0, {std::to_string(i)}, 100 + i * 10);
  for (const auto& [time, first] :
       std::vector<std::pair<int64_t, std::string>>{{0, "0"}, {101, "1"}, {200, "10"}}) {
    auto reader = Reader(topic, 0, {StartPosition::Kind::kTimestamp, time});
    EXPECT_EQ(ReadAll(*reader).front(), first);
  }
  EXPECT_TRUE(ReadAll(*Reader(topic, 0, {StartPosition::Kind::kTimestamp, 1000})).empty());
}

TEST_F(KafkaBrokerTest, CommitsOutputsThenState) {
  const std::string topic = MakeTopic(1);
  auto unit = broker_->NewCommitUnit("q");
  RecordBatchBuilder records;
  const std::string_view text = "1";
  records.AddCopy(&text, &text, "", 5);
  ASSERT_TRUE(unit->Append(topic, 0, records).ok());
  EXPECT_EQ(records.size(), 0);
  unit->Put("a", "1");
  unit->Put("b", "2");
  EXPECT_GT(unit->byte_size(), 0u);
  EXPECT_FALSE(*broker_->state().Get("a"));
  const Status committed = unit->Commit();
  ASSERT_TRUE(committed.ok()) << committed.ToString();
  EXPECT_EQ(unit->byte_size(), 0u);
  EXPECT_EQ(**broker_->state().Get("a"), "1");
  EXPECT_EQ(*broker_->EndOffsets(topic), (std::vector<int64_t>{1}));

  const std::string huge(2'000'000, 'x');
  const std::string_view huge_view = huge;
  records.AddCopy(&text, &huge_view, "", 5);
  Status status = unit->Append(topic, 0, records);
  if (status.ok()) status = unit->Commit();
  EXPECT_EQ(status.code(), ErrorCode::kRecordTooLarge);
  EXPECT_NE(status.message().find(topic), std::string::npos);
  unit.reset();

  Open("app");  // State stays.
  EXPECT_EQ(**broker_->state().Get("b"), "2");
  Open("");  // Without an application id there is none.
  EXPECT_FALSE(*broker_->state().Get("b"));
  unit = broker_->NewCommitUnit("q");
  unit->Put("a", "1");
  const Status refused = unit->Commit();
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidOption);
  EXPECT_NE(refused.hint().find("--application-id"), std::string::npos);
}

TEST_F(KafkaBrokerTest, WakesReaders) {
  const std::string topic = MakeTopic(1);
  std::atomic<int> woken = 0;
  auto session = std::move(*broker_->OpenReadSession("test"));
  session->SetListener([&] {
    ++woken;
    woken.notify_all();
  });
  auto reader = std::move(*session->Open(topic, 0, {}));
  ReadAll(*reader);  // Takes the word of the end, after which the next is of records.
  const int before = woken;
  Append(topic, 0, {"1"});
  woken.wait(before);
  EXPECT_EQ(ReadAll(*reader), std::vector<std::string>{"1"});
}

TEST_F(KafkaBrokerTest, RefusesUnknownPlaces) {
  const std::string topic = MakeTopic(1);
  RecordBatchBuilder records;
  const std::string_view text = "1";
  records.AddCopy(&text, &text, "", 5);
  EXPECT_EQ(broker_->AppendDurably("no.such.topic", 0, records).code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(broker_->AppendDurably(topic, 1, records).code(), ErrorCode::kUnknownTopic);
  auto session = std::move(*broker_->OpenReadSession("test"));
  EXPECT_EQ(session->Open("no.such.topic", 0, {}).status().code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(session->Open(topic, 3, {}).status().code(), ErrorCode::kUnknownTopic);
}

TEST(KafkaOptionsTest, NamesWhatIsWrong) {
  BrokerOptions options;
  options.brokers = "127.0.0.1:1";
  options.kafka = {{"no.such.property", "1"}};
  EXPECT_EQ(OpenKafkaBroker(options).status().code(), ErrorCode::kUnknownOption);
  options.kafka = {{"acks", "perhaps"}};
  EXPECT_EQ(OpenKafkaBroker(options).status().code(), ErrorCode::kInvalidOption);
  options.kafka = {{"group.id", "g"}};
  EXPECT_EQ(OpenKafkaBroker(options).status().code(), ErrorCode::kInvalidOption);
  options.kafka.clear();
  const Status down = OpenKafkaBroker(options).status();
  EXPECT_EQ(down.code(), ErrorCode::kKafkaUnavailable);
  EXPECT_NE(down.message().find("127.0.0.1:1"), std::string::npos);
}

// SQL over topics.
class KafkaEngineTest : public KafkaTest {
 protected:
  std::unique_ptr<Engine> Open(const std::string& application_id = "app") {
    EngineOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_id;
    options.state_dir = state_dir_.string();
    options.settings = {{"persistence.default.format.value", "JSON"}};
    auto engine = Engine::Open(options);
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    return engine.ok() ? std::move(*engine) : nullptr;
  }
  static Status Execute(Engine& engine, const std::string& sql) {
    auto results = engine.Execute(sql);
    return results.ok() ? OkStatus() : results.status();
  }
  void Produce(const std::string& topic, int first, int count) {
    std::vector<KafkaRecord> records;
    for (int i = first; i < first + count; ++i) {
      KafkaRecord record;
      record.key = "k" + std::to_string(i % 3);
      record.value = "{\"ID\":" + std::to_string(i % 3) + ",\"N\":" + std::to_string(i) + "}";
      record.timestamp_ms = 1593561600000 + i * 1000;
      records.push_back(record);
    }
    const Status status = kafka_->Produce(topic, records);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::string CountSql(const std::string& in, const std::string& out) {
    return "CREATE STREAM s (k STRING KEY, id INT, n INT) WITH (KAFKA_TOPIC='" + in +
           "');"
           "CREATE TABLE c WITH (KAFKA_TOPIC='" +
           out +
           "') AS "
           "SELECT id, COUNT(*) AS n FROM s GROUP BY id EMIT CHANGES;";
  }
  /// The last value of each key, and the records there are.
  std::map<std::string, std::string> Last(const std::string& topic, size_t* records = nullptr) {
    std::map<std::string, std::string> last;
    auto read = kafka_->ReadAll(topic);
    EXPECT_TRUE(read.ok()) << read.status().ToString();
    if (!read.ok()) return last;
    for (const KafkaRecord& record : *read)
      last[record.key.value_or("-")] = record.value.value_or("-");
    if (records != nullptr) *records = read->size();
    return last;
  }
};

TEST_F(KafkaEngineTest, CountsFromTopicToTopicAndGoesOnWhereItWas) {
  const std::string in = kafka_->NewName("in");
  const std::string out = kafka_->NewName("out");
  ASSERT_TRUE(kafka_->CreateTopic(in, 3).ok());
  Produce(in, 0, 300);
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  Status status = Execute(*engine, CountSql(in, out));
  ASSERT_TRUE(status.ok()) << status.ToString();
  auto settled = engine->RunUntilEnd(false);
  ASSERT_TRUE(settled.ok()) << settled.status().ToString();
  EXPECT_EQ(kafka_->PartitionCount(out).value(), 3);
  std::map<std::string, std::string> last = Last(out);
  ASSERT_EQ(last.size(), 3u);
  for (const auto& [key, value] : last) EXPECT_EQ(value, "{\"N\":100}");
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  size_t before = 0;
  Last(out, &before);

  engine = Open();
  ASSERT_NE(engine, nullptr);
  status = Execute(*engine, CountSql(in, out));
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  size_t after = 0;
  Last(out, &after);
  EXPECT_EQ(after, before);  // Nothing is read again.
  Produce(in, 300, 3);
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  last = Last(out, &after);
  for (const auto& [key, value] : last) EXPECT_EQ(value, "{\"N\":101}");
  EXPECT_LE(after, before + 3);
}

TEST_F(KafkaEngineTest, SaysWhatIsMissing) {
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  Status status = Execute(*engine, "CREATE STREAM s (n INT) WITH (KAFKA_TOPIC='no.such.topic');");
  EXPECT_EQ(status.code(), ErrorCode::kUnknownTopic) << status.ToString();
  EXPECT_NE(status.message().find("no.such.topic"), std::string::npos);
  engine = Open("");
  const std::string in = kafka_->NewName("in");
  ASSERT_TRUE(kafka_->CreateTopic(in, 1).ok());
  status = Execute(*engine, CountSql(in, kafka_->NewName("out")));
  EXPECT_EQ(status.code(), ErrorCode::kInvalidOption) << status.ToString();
}

TEST_F(KafkaEngineTest, OutlivesABrokerThatIsKilled) {
  const std::string in = kafka_->NewName("in");
  const std::string out = kafka_->NewName("out");
  ASSERT_TRUE(kafka_->CreateTopic(in, 1).ok());
  Produce(in, 0, 30);
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Execute(*engine, CountSql(in, out)).ok());
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  ASSERT_TRUE(kafka_->Stop(/*kill=*/true).ok());
  ASSERT_TRUE(kafka_->Start().ok());
  Produce(in, 30, 30);
  const auto settled = engine->RunUntilEnd(false);
  ASSERT_TRUE(settled.ok()) << settled.status().ToString();
  for (const auto& [key, value] : Last(out)) EXPECT_EQ(value, "{\"N\":20}");
}

}  // namespace
}  // namespace weir
