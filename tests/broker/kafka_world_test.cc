// The world as it is: codecs, headers, security, many partitions, a broker that goes away under
// load, topics that are deleted under a query, records that are too large, offsets that are gone.
// Each ends in the right result or in a query in state ERROR that says what happened, never in a
// hang.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>

#include "tests/broker/copies_feed.h"
#include "tests/broker/copies_follower.h"
#include "tests/broker/support/test_broker.h"
#include "tests/broker/support/wait_until.h"
#include "tests/fault/temporary_directory.h"
#include "tests/support/record_text.h"
#include "weir/engine.h"

namespace weir::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kDeadline(60);

class KafkaWorldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
  }

  std::unique_ptr<Engine> Open(const std::map<std::string, std::string>& kafka = {},
                               const std::string& brokers = "") {
    auto engine = TryOpen(kafka, brokers);
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    return engine.ok() ? std::move(*engine) : nullptr;
  }
  Result<std::unique_ptr<Engine>> TryOpen(const std::map<std::string, std::string>& kafka,
                                          const std::string& brokers) {
    if (application_id_.empty()) application_id_ = kafka_->NewName("world");
    EngineOptions options;
    options.brokers = brokers.empty() ? kafka_->address() : brokers;
    options.application_id = application_id_;
    options.state_dir = state_.path();
    options.settings = {{"persistence.default.format.value", "JSON"}};
    options.kafka = kafka;
    options.log_level = LogLevel::kInfo;
    options.logger = [this](LogLevel, std::string_view line) {
      std::lock_guard lock(log_mutex_);
      log_.push_back(fmt::format("{} ms: {}", MsSince(start_), line));
    };
    return Engine::Open(options);
  }
  static ::testing::AssertionResult Executes(Engine& engine, const std::string& sql) {
    auto results = engine.Execute(sql);
    if (results.ok()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << results.status().ToString();
  }
  std::string MakeTopic(const std::string& prefix, int partitions,
                        const std::map<std::string, std::string>& config = {}) {
    const std::string name = kafka_->NewName(prefix);
    const Status made = kafka_->CreateTopic(name, partitions, config);
    EXPECT_TRUE(made.ok()) << made.ToString();
    EXPECT_TRUE(WaitUntil(kDeadline, [&] {
      const auto count = kafka_->PartitionCount(name);
      return HasFailure() || (count.ok() && *count == partitions);
    })) << name;
    return name;
  }
  static KafkaRecord Numbered(int64_t number, int32_t partition = -1) {
    return {.key = "k" + std::to_string(number),
            .value = fmt::format("{{\"N\":{}}}", number),
            .timestamp_ms = 1'600'000'000'000 + number,
            .partition = partition,
            .headers = {}};
  }
  static std::vector<KafkaRecord> Numbers(int64_t first, int64_t count, int32_t partition = -1) {
    std::vector<KafkaRecord> records;
    for (int64_t i = first; i < first + count; ++i) records.push_back(Numbered(i, partition));
    return records;
  }
  /// Stream S over `in`, and S copied to `out`.
  static std::string CopySql(const std::string& in, const std::string& out,
                             const std::string& name = "s") {
    return fmt::format(
        "CREATE STREAM {0} (k STRING KEY, n INT) WITH (KAFKA_TOPIC='{1}');"
        "CREATE STREAM {0}_out WITH (KAFKA_TOPIC='{2}') AS SELECT * FROM {0};",
        name, in, out);
  }
  std::vector<KafkaRecord> Read(const std::string& topic) {
    auto records = kafka_->ReadAll(topic);
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    return records.ok() ? std::move(*records) : std::vector<KafkaRecord>();
  }
  /// How often each number came.
  std::map<int64_t, int> NumbersIn(const std::string& topic) {
    std::map<int64_t, int> numbers;
    for (const KafkaRecord& record : Read(topic)) {
      ++numbers[JsonInteger(record.value.value_or(""), "N")];
    }
    return numbers;
  }
  static QueryMetrics MetricsOf(Engine& engine, const std::string& query_id) {
    for (const QueryMetrics& query : engine.Metrics().queries) {
      if (query.query_id == query_id) return query;
    }
    ADD_FAILURE() << "no query " << query_id;
    return {};
  }
  static std::string WaitForError(Engine& engine, const std::string& query_id) {
    EXPECT_TRUE(WaitUntil(
        kDeadline, [&] { return HasFailure() || MetricsOf(engine, query_id).state == "ERROR"; }))
        << query_id << " is " << MetricsOf(engine, query_id).state;
    return MetricsOf(engine, query_id).error;
  }

  static int64_t MsSince(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
  }
  void TearDown() override {
    if (!HasFailure()) return;
    std::lock_guard lock(log_mutex_);
    for (const std::string& line : log_) fmt::print("{}\n", line);
  }

  const Clock::time_point start_ = Clock::now();
  std::mutex log_mutex_;
  std::vector<std::string> log_;  ///< What the engines told; shown where a test fails.
  std::unique_ptr<TestBroker> kafka_;
  fault::TemporaryDirectory state_;
  std::string application_id_;
};

TEST_F(KafkaWorldTest, ReadsAndWritesEveryCodec) {
  constexpr int kEach = 500;
  const std::vector<std::string> codecs = {"none", "gzip", "snappy", "lz4", "zstd"};
  const std::string in = MakeTopic("codecs", static_cast<int>(codecs.size()));
  for (size_t i = 0; i < codecs.size(); ++i) {
    const Status produced = kafka_->ProduceWith(
        {{"compression.codec", codecs[i]}, {"linger.ms", "100"}}, in,
        Numbers(static_cast<int64_t>(i) * kEach, kEach, static_cast<int32_t>(i)));
    ASSERT_TRUE(produced.ok()) << produced.ToString();
  }
  for (const std::string& codec : codecs) {
    application_id_.clear();
    auto engine = Open({{"compression.codec", codec}});
    ASSERT_NE(engine, nullptr);
    const std::string out = kafka_->NewName("out-" + codec);
    ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
    const auto settled = engine->RunUntilEnd(false);
    ASSERT_TRUE(settled.ok()) << codec << ": " << settled.status().ToString();
    const std::map<int64_t, int> numbers = NumbersIn(out);
    EXPECT_EQ(numbers.size(), codecs.size() * kEach) << codec;
    for (const auto& [number, times] : numbers) ASSERT_EQ(times, 1) << codec << ' ' << number;
  }
}

TEST_F(KafkaWorldTest, CarriesHeadersThrough) {
  const std::string in = MakeTopic("headers", 1);
  const std::string out = kafka_->NewName("headers-out");
  std::vector<KafkaRecord> records = Numbers(0, 3);
  records[0].headers = {{"trace", "abc"}, {"trace", "def"}, {"empty", ""}, {"none", std::nullopt}};
  records[2].headers = {{"bytes", std::string("\0\xff\x01", 3)}};
  ASSERT_TRUE(kafka_->Produce(in, records).ok());
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  const std::vector<KafkaRecord> copied = Read(out);
  ASSERT_EQ(copied.size(), records.size());
  for (size_t i = 0; i < records.size(); ++i) EXPECT_EQ(copied[i].headers, records[i].headers) << i;

  ASSERT_TRUE(Executes(
      *engine,
      fmt::format("CREATE STREAM h (n INT, seen ARRAY<STRUCT<key STRING, value BYTES>> HEADERS)"
                  " WITH (KAFKA_TOPIC='{}');"
                  "CREATE STREAM h_out WITH (KAFKA_TOPIC='{}-column') AS SELECT n, "
                  "ARRAY_LENGTH(seen) AS c FROM h;",
                  in, out)));
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  std::map<int64_t, int64_t> counts;
  for (const KafkaRecord& record : Read(out + "-column")) {
    counts[JsonInteger(*record.value, "N")] = JsonInteger(*record.value, "C");
  }
  EXPECT_EQ(counts, (std::map<int64_t, int64_t>{{0, 4}, {1, 0}, {2, 1}}));
}

TEST_F(KafkaWorldTest, LosesNothingWhenTheBrokerRestartsUnderLoad) {
  constexpr int64_t kRecords = 12'000;
  const std::string in = MakeTopic("load", 3);
  const std::string out = kafka_->NewName("load-out");
  auto engine = Open({{"reconnect.backoff.max.ms", "500"}});
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
  RecordFeed feed(
      kafka_->address(),
      [&](int64_t step, std::vector<FeedRecord>& to) {
        to.push_back({&in, Numbered(step)});
      },
      /*rate=*/1500);
  feed.Release(kRecords);
  for (const bool kill : {true, false}) {
    ASSERT_TRUE(feed.WaitForSent(kill ? kRecords / 4 : kRecords / 2, kDeadline)) << feed.error();
    ASSERT_TRUE(kafka_->Stop(kill).ok());
    ASSERT_TRUE(kafka_->Start().ok());
  }
  ASSERT_TRUE(feed.WaitForAcknowledged(2 * kDeadline)) << feed.error();
  const auto settled = engine->RunUntilEnd(false);
  ASSERT_TRUE(settled.ok()) << settled.status().ToString();
  const std::map<int64_t, int> numbers = NumbersIn(out);
  std::map<int64_t, std::string> fed;
  for (const KafkaRecord& record : Read(in)) {
    fed[JsonInteger(record.value.value_or(""), "N")] =
        fmt::format("partition {}, offset {}", record.partition, record.offset);
  }
  for (int64_t number = 0; number < kRecords; ++number) {
    EXPECT_TRUE(numbers.contains(number))
        << number << " was lost, in the topic that is read it is at: " << fed[number];
  }
  EXPECT_EQ(MetricsOf(*engine, "CSAS_S_OUT").state, "RUNNING");
}

TEST_F(KafkaWorldTest, TellsOfATopicDeletedUnderAQuery) {
  const std::string doomed = MakeTopic("doomed", 2);
  const std::string kept = MakeTopic("kept", 2);
  const std::string kept_out = kafka_->NewName("kept-out");
  ASSERT_TRUE(kafka_->Produce(doomed, Numbers(0, 100)).ok());
  ASSERT_TRUE(kafka_->Produce(kept, Numbers(0, 100)).ok());
  auto engine = Open({{"topic.metadata.refresh.interval.ms", "1000"}});
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, CopySql(doomed, kafka_->NewName("doomed-out"), "doomed")));
  ASSERT_TRUE(Executes(*engine, CopySql(kept, kept_out, "kept")));
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  ASSERT_TRUE(kafka_->DeleteTopic(doomed).ok());
  const std::string error = WaitForError(*engine, "CSAS_DOOMED_OUT");
  fmt::print("{}\n", error);
  EXPECT_NE(error.find(doomed), std::string::npos) << error;

  ASSERT_TRUE(kafka_->Produce(kept, Numbers(100, 100)).ok());
  EXPECT_TRUE(
      WaitUntil(kDeadline, [&] { return HasFailure() || NumbersIn(kept_out).size() == 200; }));
  EXPECT_EQ(MetricsOf(*engine, "CSAS_KEPT_OUT").state, "RUNNING");
}

TEST_F(KafkaWorldTest, NamesARecordThatIsTooLarge) {
  const std::string in = MakeTopic("large", 1);
  const std::string small = MakeTopic("small", 1, {{"max.message.bytes", "2000"}});
  const std::string other = kafka_->NewName("other");
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, fmt::format("CREATE STREAM s (k STRING KEY, n INT, text STRING)"
                                            " WITH (KAFKA_TOPIC='{}');",
                                            in)));
  ASSERT_TRUE(Executes(*engine, fmt::format("CREATE STREAM small_out WITH (KAFKA_TOPIC='{}') AS"
                                            " SELECT k, n, text FROM s;",
                                            small)));
  ASSERT_TRUE(Executes(*engine, fmt::format("CREATE STREAM other_out WITH (KAFKA_TOPIC='{}') AS"
                                            " SELECT k, n FROM s;",
                                            other)));
  std::vector<KafkaRecord> records = Numbers(0, 10);
  std::string noise;  // The topic's limit is on what codecs make of it.
  for (uint32_t i = 0, x = 1; i < 20'000; ++i) {
    x = x * 1664525 + 1013904223;
    noise += static_cast<char>('!' + (x >> 16) % 90);
    if (noise.back() == '"' || noise.back() == '\\') noise.back() = 'x';
  }
  records[5].value = fmt::format("{{\"N\":5,\"TEXT\":\"{}\"}}", noise);
  ASSERT_TRUE(kafka_->Produce(in, records).ok());
  const std::string error = WaitForError(*engine, "CSAS_SMALL_OUT");
  fmt::print("{}\n", error);
  EXPECT_NE(error.find(small), std::string::npos) << error;
  EXPECT_NE(error.find("large"), std::string::npos) << error;
  EXPECT_TRUE(WaitUntil(kDeadline, [&] { return HasFailure() || NumbersIn(other).size() == 10; }));
  EXPECT_EQ(MetricsOf(*engine, "CSAS_OTHER_OUT").state, "RUNNING");
}

TEST_F(KafkaWorldTest, NamesAnOffsetThatIsNoLongerKept) {
  const std::string in = MakeTopic("trimmed", 1);
  const std::string out = kafka_->NewName("trimmed-out");
  ASSERT_TRUE(kafka_->Produce(in, Numbers(0, 50)).ok());
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  ASSERT_TRUE(kafka_->Produce(in, Numbers(50, 50)).ok());
  ASSERT_TRUE(kafka_->DeleteRecordsBefore(in, 0, 80).ok());

  engine = Open();
  ASSERT_NE(engine, nullptr);
  const auto again = engine->Execute(CopySql(in, out));
  const std::string error =
      again.ok() ? WaitForError(*engine, "CSAS_S_OUT") : again.status().ToString();
  fmt::print("{}\n", error);
  EXPECT_NE(error.find(in), std::string::npos) << error;
  EXPECT_NE(error.find("50"), std::string::npos) << error;  // Where it wanted to go on.
  EXPECT_EQ(NumbersIn(out).size(), 50u);                    // Nothing was passed over in silence.
}

TEST_F(KafkaWorldTest, SpeaksSasl) {
  const char* sasl = std::getenv("WEIR_TEST_SASL_BROKERS");
  if (sasl == nullptr) GTEST_SKIP() << "needs a listener with SASL: scripts/kafka-broker start";
  const std::string in = MakeTopic("sasl", 1);
  ASSERT_TRUE(kafka_->Produce(in, Numbers(0, 20)).ok());
  const std::map<std::string, std::map<std::string, std::string>> mechanisms = {
      {"PLAIN", {{"sasl.username", "weir"}, {"sasl.password", "secret"}}},
      {"SCRAM-SHA-256", {{"sasl.username", "weir"}, {"sasl.password", "secret"}}},
      {"OAUTHBEARER",
       {{"enable.sasl.oauthbearer.unsecure.jwt", "true"},
        {"sasl.oauthbearer.config", "principal=weir"}}}};
  for (const auto& [mechanism, more] : mechanisms) {
    application_id_.clear();
    std::map<std::string, std::string> kafka = more;
    kafka["security.protocol"] = "SASL_PLAINTEXT";
    kafka["sasl.mechanism"] = mechanism;
    auto engine = Open(kafka, sasl);
    ASSERT_NE(engine, nullptr) << mechanism;
    const std::string out = kafka_->NewName("sasl-out");
    ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
    ASSERT_TRUE(engine->RunUntilEnd(false).ok()) << mechanism;
    EXPECT_EQ(NumbersIn(out).size(), 20u) << mechanism;
  }
  const Status refused = TryOpen({{"security.protocol", "SASL_PLAINTEXT"},
                                  {"sasl.mechanism", "PLAIN"},
                                  {"sasl.username", "weir"},
                                  {"sasl.password", "wrong"}},
                                 sasl)
                             .status();
  EXPECT_EQ(refused.code(), ErrorCode::kKafkaUnavailable) << refused.ToString();
  EXPECT_EQ(refused.ToString().find("wrong"), std::string::npos) << "a secret is told";
}

TEST_F(KafkaWorldTest, SpeaksTls) {
  const char* tls = std::getenv("WEIR_TEST_TLS_BROKERS");
  const char* certificate = std::getenv("WEIR_TEST_TLS_CERTIFICATE");
  if (tls == nullptr || certificate == nullptr) {
    GTEST_SKIP() << "needs a listener with TLS: scripts/kafka-broker start";
  }
  const std::string in = MakeTopic("tls", 1);
  const std::string out = kafka_->NewName("tls-out");
  ASSERT_TRUE(kafka_->Produce(in, Numbers(0, 20)).ok());
  auto engine = Open({{"security.protocol", "SSL"}, {"ssl.ca.location", certificate}}, tls);
  ASSERT_NE(engine, nullptr);
  ASSERT_TRUE(Executes(*engine, CopySql(in, out)));
  ASSERT_TRUE(engine->RunUntilEnd(false).ok());
  EXPECT_EQ(NumbersIn(out).size(), 20u);
  const Status refused = TryOpen({{"security.protocol", "SSL"}}, tls).status();
  EXPECT_EQ(refused.code(), ErrorCode::kKafkaUnavailable) << refused.ToString();
}

// Last, as the broker is busy for a while with the deletion.
TEST_F(KafkaWorldTest, ListsATopicOfThousandsOfPartitions) {
  const std::string wide = MakeTopic("wide", 2000);
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  const auto start = Clock::now();
  const auto listed = engine->Execute("SHOW TOPICS;");
  const std::chrono::duration<double> taken = Clock::now() - start;
  ASSERT_TRUE(listed.ok()) << listed.status().ToString();
  ASSERT_EQ(listed->size(), 1u);
  const Batch& rows = *listed->front().rows;
  std::string partitions;
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    if (rows.column(0).ToText(row) == wide) partitions = rows.column(1).ToText(row);
  }
  EXPECT_EQ(partitions, "2000");
  fmt::print("2000 partitions listed in {:.3f} s\n", taken.count());
  EXPECT_TRUE(kafka_->DeleteTopic(wide).ok());
}

}  // namespace
}  // namespace weir::testing
