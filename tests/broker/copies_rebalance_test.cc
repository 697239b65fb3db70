// Rebalances in which nothing fails, under the usual guarantee (at least once): copies are added
// and stopped in order while rides come in. What a copy gives up it has committed, what comes to
// one goes on from there: no ride is lost, and none is counted twice.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "bench/rides/rides.h"
#include "tests/broker/copies_application.h"
#include "tests/broker/copies_feed.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

constexpr int kPartitions = 6;
constexpr int kVendors = 7;
constexpr int64_t kRidesAnEvent = 15'000;
constexpr int64_t kRidesASecond = 10'000;
constexpr int kEvents = 10;
constexpr std::chrono::seconds kDeadline(180);

class CopiesRebalanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    topic_ = kafka_->NewName("rebalance");
    counts_ = kafka_->NewName("rebalance-counts");
    ASSERT_TRUE(kafka_->CreateTopic(topic_, kPartitions).ok());
  }

  FeedSteps Steps() {
    return [this](int64_t step, std::vector<FeedRecord>& out) {
      out.push_back({&topic_,
                     {.key = std::nullopt,
                      .value = fmt::format("{{\"vendor\":{}}}", step % kVendors),
                      .timestamp_ms = bench::kFirstPickupMs + step,
                      .partition = static_cast<int>(step % kPartitions),
                      .headers = {}}});
    };
  }

  std::string Sql() const {
    return fmt::format(R"sql(
CREATE STREAM rides (vendor INT) WITH (KAFKA_TOPIC='{}', VALUE_FORMAT='JSON');
CREATE TABLE counts WITH (KAFKA_TOPIC='{}') AS
  SELECT vendor, COUNT(*) AS rides FROM rides GROUP BY vendor EMIT CHANGES;
)sql",
                       topic_, counts_);
  }

  std::unique_ptr<TestBroker> kafka_;
  std::string topic_, counts_;
};

TEST_F(CopiesRebalanceTest, CountsEachRideOnceWhereNoCopyDied) {
  CopiesApplication application({.brokers = kafka_->address(),
                                 .application_id = kafka_->NewName("rebalance-app"),
                                 .sql = Sql(),
                                 .more = {"--threads", "2", "--log-level", "info"}});
  application.Start();
  RecordFeed feed(kafka_->address(), Steps(), kRidesASecond);
  for (int event = 0; event < kEvents; ++event) {
    feed.Release((event + 1) * kRidesAnEvent);
    // The next change comes in the middle of what these rides bring.
    ASSERT_TRUE(feed.WaitForSent((event + 1) * kRidesAnEvent, kDeadline)) << feed.error();
    application.Reap();
    if (application.copies().size() < 3) {
      application.Start();
    } else {
      application.Stop(static_cast<size_t>(event) % application.copies().size());
    }
  }
  constexpr int64_t kRides = (kEvents + 1) * kRidesAnEvent;
  feed.Release(kRides);
  ASSERT_TRUE(feed.WaitForAcknowledged(kDeadline)) << feed.error();
  application.StopAll();
  ASSERT_TRUE(application.RunUntilEnd(kDeadline));

  const auto records = kafka_->ReadAll(counts_);
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  std::map<std::string, int64_t> table;
  for (const KafkaRecord& record : *records) {
    ASSERT_TRUE(record.key && record.value);
    table[*record.key] = JsonInteger(*record.value, "RIDES");
  }
  int64_t counted = 0;
  for (const auto& [vendor, count] : table) counted += count;
  EXPECT_EQ(counted, kRides);
  EXPECT_EQ(table.size(), static_cast<size_t>(kVendors));
  if (HasFailure()) {
    for (const std::string& line : application.LogLines("CTAS_COUNTS")) {
      fmt::print("{}\n", line);
    }
  }
}

}  // namespace
}  // namespace weir::testing
