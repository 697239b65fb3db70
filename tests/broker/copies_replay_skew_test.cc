// Replay skew: five days of rides on four partitions, of which one is held back until the others
// are read days ahead of it. One-minute windows count every ride that is not late in its own
// partition, with a grace of a minute and with the default, by one copy and by three; the tables
// are identical.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>

#include "bench/rides/rides.h"
#include "tests/broker/copies_application.h"
#include "tests/broker/copies_feed.h"
#include "tests/broker/copies_follower.h"
#include "tests/broker/support/wait_until.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

constexpr int64_t kRides = 60'000;
constexpr int kPartitions = 4;
constexpr int kHeldBack = 3;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 24 * 60 * kMinuteMs;
constexpr int64_t kStepMs = 5 * kDayMs / kRides;
constexpr int64_t kDisorderMs = 4 * kMinuteMs;
constexpr int64_t kHeldBackAfterMs = kDayMs / 60;  // Its first rides come with the others.
constexpr std::chrono::seconds kDeadline(120);

struct Ride {
  int64_t time_ms = 0;
  int vendor = 0;
  int partition = 0;
};

using Table = std::map<std::string, int64_t>;  // Count by the key's bytes.

/// The tables of one application.
struct Outputs {
  std::string close;  ///< Grace of a minute.
  std::string usual;  ///< The default grace.
};

class ReplaySkewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    std::mt19937_64 random(bench::kDefaultSeed);
    for (int64_t i = 0; i < kRides; ++i) {
      const auto back = static_cast<int64_t>(random() % kDisorderMs);
      rides_.push_back({.time_ms = bench::kFirstPickupMs + std::max<int64_t>(0, i * kStepMs - back),
                        .vendor = 1 + static_cast<int>(random() % 3),
                        .partition = static_cast<int>(i % kPartitions)});
    }
    std::stable_partition(rides_.begin(), rides_.end(),
                          [](const Ride& ride) { return !IsHeldBack(ride); });
    topic_ = kafka_->NewName("skew");
    ASSERT_TRUE(kafka_->CreateTopic(topic_, kPartitions).ok());
  }

  static bool IsHeldBack(const Ride& ride) {
    return ride.partition == kHeldBack && ride.time_ms > bench::kFirstPickupMs + kHeldBackAfterMs;
  }
  Outputs Names(const std::string& prefix) {
    return {.close = kafka_->NewName(prefix + "-close"),
            .usual = kafka_->NewName(prefix + "-usual")};
  }
  std::string Sql(const Outputs& outputs) const {
    return fmt::format(R"sql(
CREATE STREAM rides (vendor INT) WITH (KAFKA_TOPIC='{}', VALUE_FORMAT='JSON');
CREATE TABLE close WITH (KAFKA_TOPIC='{}') AS
  SELECT vendor, COUNT(*) AS rides
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 MINUTE)
  GROUP BY vendor EMIT CHANGES;
CREATE TABLE usual WITH (KAFKA_TOPIC='{}') AS
  SELECT vendor, COUNT(*) AS rides FROM rides WINDOW TUMBLING (SIZE 1 MINUTE)
  GROUP BY vendor EMIT CHANGES;
)sql",
                       topic_, outputs.close, outputs.usual);
  }
  // An input without records would otherwise stop holding windows open at once.
  std::unique_ptr<CopiesApplication> Start(const Outputs& outputs, int copies) {
    auto application = std::make_unique<CopiesApplication>(
        ApplicationOptions{.brokers = kafka_->address(),
                           .application_id = kafka_->NewName("skew-app"),
                           .sql = Sql(outputs),
                           .more = {"--threads", "2", "-S", "max.task.idle.ms=600000", "-S",
                                    "commit.interval.ms=200", "--log-level", "info"}});
    for (int i = 0; i < copies; ++i) application->Start();
    return application;
  }

  FeedSteps Steps() {
    return [this](int64_t step, std::vector<FeedRecord>& out) {
      const Ride& ride = rides_[static_cast<size_t>(step)];
      out.push_back({&topic_,
                     {.key = std::nullopt,
                      .value = fmt::format("{{\"vendor\":{}}}", ride.vendor),
                      .timestamp_ms = ride.time_ms,
                      .partition = ride.partition,
                      .headers = {}}});
    };
  }

  /// What must come out, and how many rides are late in their own partition.
  Table Expect(int64_t grace_ms, int64_t* late) const {
    Table table;
    std::array<int64_t, kPartitions> stream_time{};
    *late = 0;
    for (const Ride& ride : rides_) {
      int64_t& time = stream_time[static_cast<size_t>(ride.partition)];
      time = std::max(time, ride.time_ms);
      const int64_t start = ride.time_ms / kMinuteMs * kMinuteMs;
      if (start + kMinuteMs + grace_ms <= time) {
        ++*late;
      } else {
        ++table[IntKey(ride.vendor) + BigintKey(start)];
      }
    }
    return table;
  }

  static int64_t Sum(const Table& table) {
    int64_t sum = 0;
    for (const auto& [key, count] : table) sum += count;
    return sum;
  }
  static void ExpectSame(const Table& expected, const Table& got, const std::string& what) {
    int told = 0;
    for (const auto& [key, count] : expected) {
      const auto found = got.find(key);
      const int64_t there = found == got.end() ? 0 : found->second;
      if (there == count || ++told > 5) continue;
      ADD_FAILURE() << what << ": vendor " << FromBigEndian(key, 4) << ", window "
                    << FromBigEndian(key.substr(4), 8) << ": expected " << count << ", got "
                    << there;
    }
    EXPECT_EQ(expected.size(), got.size()) << what;
    EXPECT_EQ(Sum(expected), Sum(got)) << what;
  }

  std::unique_ptr<TestBroker> kafka_;
  std::vector<Ride> rides_;  // In the order in which they are produced.
  std::string topic_;
};

TEST_F(ReplaySkewTest, CountsWhatIsNotLateInItsOwnPartition) {
  const Outputs alone = Names("one");
  const Outputs shared = Names("three");
  const std::vector<std::string> topics = {alone.close, alone.usual, shared.close, shared.usual};
  const auto one = Start(alone, 1);
  const auto three = Start(shared, 3);
  ASSERT_TRUE(WaitUntil(kDeadline,
                        [&] {
                          one->Reap();
                          three->Reap();
                          return HasFailure() || std::all_of(topics.begin(), topics.end(),
                                                             [&](const std::string& topic) {
                                                               const auto count =
                                                                   kafka_->PartitionCount(topic);
                                                               return count.ok() && *count > 0;
                                                             });
                        }))
      << one->copies().front()->LogTail() << three->copies().front()->LogTail();
  if (HasFailure()) return;

  std::mutex mutex;
  std::map<std::string, Table> tables;
  std::map<std::string, int64_t> counted;  // By topic: the sum of its table.
  std::map<std::string, int64_t> newest;   // By topic: the latest window's start.
  TopicFollower follower(
      kafka_->address(), topics, [&](const std::string& topic, const KafkaRecord& record) {
        if (!record.key || !record.value) return;
        const int64_t rides = JsonInteger(*record.value, "RIDES");
        std::lock_guard lock(mutex);
        int64_t& before = tables[topic][*record.key];
        counted[topic] += rides - before;
        before = rides;
        newest[topic] = std::max(newest[topic], FromBigEndian(record.key->substr(4), 8));
      });

  const auto first_held = std::find_if(rides_.begin(), rides_.end(), IsHeldBack);
  RecordFeed feed(kafka_->address(), Steps(), /*rate=*/0);
  feed.Release(first_held - rides_.begin());
  ASSERT_TRUE(feed.WaitForAcknowledged(kDeadline)) << feed.error();
  // The skew: every query has put out windows more than a day later than the next ride of the
  // partition that is held back.
  EXPECT_TRUE(WaitUntil(kDeadline, [&] {
    std::lock_guard lock(mutex);
    return std::all_of(topics.begin(), topics.end(), [&](const std::string& topic) {
      return newest[topic] > first_held->time_ms + 4 * kDayMs;
    });
  }));
  feed.Release(kRides);
  ASSERT_TRUE(feed.WaitForAcknowledged(kDeadline)) << feed.error();

  int64_t late_close = 0, late_usual = 0;
  const Table close = Expect(kMinuteMs, &late_close);
  const Table usual = Expect(kDayMs - kMinuteMs, &late_usual);
  EXPECT_GT(late_close, 0);
  EXPECT_LT(late_close, kRides / 2);
  EXPECT_EQ(late_usual, 0);
  EXPECT_TRUE(WaitUntil(kDeadline, [&] {
    std::lock_guard lock(mutex);
    return counted[alone.close] >= Sum(close) && counted[shared.close] >= Sum(close) &&
           counted[alone.usual] >= Sum(usual) && counted[shared.usual] >= Sum(usual);
  }));
  one->StopAll();
  three->StopAll();
  one->RunUntilEnd(kDeadline);
  three->RunUntilEnd(kDeadline);
  for (const std::string& topic : topics) {
    Table table;
    const auto records = kafka_->ReadAll(topic);
    ASSERT_TRUE(records.ok()) << records.status().ToString();
    for (const KafkaRecord& record : *records) {
      ASSERT_TRUE(record.key && record.value) << topic;
      table[*record.key] = JsonInteger(*record.value, "RIDES");
    }
    const bool is_close = topic == alone.close || topic == shared.close;
    ExpectSame(is_close ? close : usual, table, topic);
  }
  if (HasFailure()) {
    for (const std::string& line : three->LogLines("query CTAS_")) fmt::print("{}\n", line);
  }
  fmt::print("rides {}, late in their partition {}, windows {}\n", kRides, late_close,
             usual.size());
}

}  // namespace
}  // namespace weir::testing
