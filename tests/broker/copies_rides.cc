#include "tests/broker/copies_rides.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <algorithm>

#include "base/status_macros.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int kToldMax = 5;

}  // namespace

CopiesRides::CopiesRides(TestBroker& broker, uint64_t seed, int64_t rides)
    : broker_(broker),
      seed_(seed),
      rides_(rides),
      rides_topic_(broker.NewName("rides")),
      payments_topic_(broker.NewName("payments")),
      per_zone_(broker.NewName("per-zone")),
      per_minute_(broker.NewName("per-minute")),
      paid_(broker.NewName("paid")) {
  for (int64_t i = 0; i < rides_; ++i) {
    const bench::Ride ride = bench::MakeRide(seed_, static_cast<uint64_t>(i));
    ++zone_counts_[IntKey(ride.pickup_zone)];
    ++minute_counts_[IntKey(ride.passenger_count) +
                     BigintKey(ride.pickup_ms / kMinuteMs * kMinuteMs)];
    pairs_ += bench::MakePayment(seed_, ride).has_value();
  }
}

Status CopiesRides::CreateTopics() {
  WEIR_RETURN_IF_ERROR(broker_.CreateTopic(rides_topic_, kPartitions));
  return broker_.CreateTopic(payments_topic_, kPartitions);
}

std::string CopiesRides::sql() const {
  return fmt::format(R"sql(
CREATE STREAM rides (ride_id BIGINT KEY, passenger_count INT, PULocationID INT)
  WITH (KAFKA_TOPIC='{}', VALUE_FORMAT='JSON');
CREATE STREAM payments (ride_id BIGINT, amount DOUBLE)
  WITH (KAFKA_TOPIC='{}', VALUE_FORMAT='JSON');
CREATE TABLE per_zone WITH (KAFKA_TOPIC='{}') AS
  SELECT PULocationID, COUNT(*) AS rides FROM rides GROUP BY PULocationID EMIT CHANGES;
CREATE TABLE per_minute WITH (KAFKA_TOPIC='{}') AS
  SELECT passenger_count, COUNT(*) AS rides FROM rides WINDOW TUMBLING (SIZE 1 MINUTE)
  GROUP BY passenger_count EMIT CHANGES;
CREATE STREAM paid WITH (KAFKA_TOPIC='{}') AS
  SELECT r.ride_id AS ride_id, r.PULocationID AS zone, p.amount AS amount
  FROM rides r JOIN payments p WITHIN 10 MINUTES ON r.ride_id = p.ride_id EMIT CHANGES;
)sql",
                     rides_topic_, payments_topic_, per_zone_, per_minute_, paid_);
}

// Payments have no key, so their join moves them through a repartition topic.
void CopiesRides::AddPayments(int64_t until_ms, std::vector<FeedRecord>& out) {
  for (; !waiting_.empty() && waiting_.top().paid_ms < until_ms; waiting_.pop()) {
    const bench::Payment& payment = waiting_.top();
    std::string value;
    bench::AppendPaymentJson(payment, value);
    out.push_back({&payments_topic_,
                   {.key = std::nullopt,
                    .value = std::move(value),
                    .timestamp_ms = payment.paid_ms,
                    .partition = static_cast<int32_t>(payment.ride_id % kPartitions),
                    .headers = {}}});
  }
}

FeedSteps CopiesRides::Steps() {
  return [this](int64_t step, std::vector<FeedRecord>& out) {
    const bench::Ride ride = bench::MakeRide(seed_, static_cast<uint64_t>(step));
    std::string value;
    bench::AppendRideJson(ride, /*with_id=*/false, value);
    out.push_back({&rides_topic_,
                   {.key = BigintKey(step),
                    .value = std::move(value),
                    .timestamp_ms = ride.pickup_ms,
                    .headers = {}}});
    if (auto payment = bench::MakePayment(seed_, ride)) waiting_.push(*payment);
    AddPayments(step + 1 == rides_ ? INT64_MAX : ride.pickup_ms - bench::kDisorderMs, out);
  };
}

void CopiesRides::Check(Expected expected) {
  CheckTable(per_zone_, zone_counts_, expected);
  CheckTable(per_minute_, minute_counts_, expected);
  CheckPairs(expected);
}

void CopiesRides::CheckTable(const std::string& topic,
                             const std::map<std::string, int64_t>& expected_counts,
                             Expected expected) {
  const auto records = broker_.ReadAll(topic);
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  std::map<std::string, int64_t> counts;
  for (const KafkaRecord& record : *records) {
    ASSERT_TRUE(record.key && record.value) << topic << " has a record without key or value";
    counts[*record.key] = JsonInteger(*record.value, "RIDES");
  }
  int wrong = 0, too_few = 0, too_many = 0;
  for (const auto& [key, count] : expected_counts) {
    const auto found = counts.find(key);
    const int64_t got = found == counts.end() ? 0 : found->second;
    too_few += got < count;
    too_many += got > count;
    const bool right = expected == Expected::kExactly ? got == count : got >= count;
    if (!right && ++wrong <= kToldMax) {
      ADD_FAILURE() << topic << ": key " << FromBigEndian(key, 4) << " window "
                    << FromBigEndian(key.size() > 4 ? key.substr(4) : "", 8) << ": expected "
                    << count << ", got " << got;
    }
  }
  for (const auto& [key, count] : counts) {
    if (!expected_counts.contains(key) && ++wrong <= kToldMax) {
      ADD_FAILURE() << topic << ": an unknown key, " << FromBigEndian(key, 4);
    }
  }
  EXPECT_EQ(wrong, 0) << topic << ", of " << expected_counts.size() << " keys";
  fmt::print("{}: {} records, {} keys, {} too low, {} too high\n", topic, records->size(),
             counts.size(), too_few, too_many);
}

void CopiesRides::CheckPairs(Expected expected) {
  const auto records = broker_.ReadAll(paid_);
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  std::vector<int> times(static_cast<size_t>(rides_));
  for (const KafkaRecord& record : *records) {
    ASSERT_TRUE(record.key && record.value && record.key->size() == 8);
    const int64_t id = FromBigEndian(*record.key, 8);
    ASSERT_TRUE(id >= 0 && id < rides_) << id;
    ++times[static_cast<size_t>(id)];
    const bench::Ride ride = bench::MakeRide(seed_, static_cast<uint64_t>(id));
    ASSERT_EQ(JsonInteger(*record.value, "ZONE"), ride.pickup_zone) << *record.value;
    ASSERT_NEAR(std::strtod(JsonField(*record.value, "AMOUNT").c_str(), nullptr) * 100,
                static_cast<double>(ride.total_amount), 0.01)
        << *record.value;
  }
  int64_t missing = 0, repeated = 0, unpaid = 0;
  for (int64_t id = 0; id < rides_; ++id) {
    const int count = times[static_cast<size_t>(id)];
    const bool paid =
        bench::MakePayment(seed_, bench::MakeRide(seed_, static_cast<uint64_t>(id))).has_value();
    missing += paid && count == 0;
    repeated += paid && count > 1;
    unpaid += !paid && count > 0;
    if (paid && count == 0 && missing <= kToldMax) fmt::print("missing pair of ride {}\n", id);
    if (count > 1 && repeated <= kToldMax) fmt::print("pair of ride {} came {} times\n", id, count);
  }
  EXPECT_EQ(missing, 0) << "of " << pairs_ << " pairs";
  EXPECT_EQ(unpaid, 0);
  const int64_t repeated_max = expected == Expected::kExactly ? 0 : pairs_;
  EXPECT_LE(repeated, repeated_max) << "of " << pairs_ << " pairs";
  fmt::print("{}: {} records, {} pairs missing, {} repeated\n", paid_, records->size(), missing,
             repeated);
}

}  // namespace weir::testing
