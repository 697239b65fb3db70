#include "tests/fault/workload.h"

#include <algorithm>

#include "bench/rides/rides.h"
#include "exec/formats/record_batch.h"

namespace weir::fault {
namespace {

constexpr std::string_view kSources = R"sql(
CREATE STREAM rides (ride_id BIGINT, lane INT, VendorID INT, passenger_count INT,
    PULocationID INT, total_amount DOUBLE)
  WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE STREAM payments (ride_id BIGINT, method VARCHAR, amount DOUBLE)
  WITH (KAFKA_TOPIC='payments', VALUE_FORMAT='JSON', PARTITIONS=2, ON_ERROR='bad_payments');
CREATE TABLE zones (locationid INT PRIMARY KEY, borough VARCHAR, zone VARCHAR)
  WITH (KAFKA_TOPIC='zones', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=2);
)sql";

constexpr std::string_view kQueries = R"sql(
CREATE TABLE per_vendor WITH (KAFKA_TOPIC='per_vendor') AS
  SELECT VendorID, COUNT(*) AS n, SUM(passenger_count) AS passengers
  FROM rides GROUP BY VendorID EMIT CHANGES;
CREATE TABLE per_minute WITH (KAFKA_TOPIC='per_minute') AS
  SELECT VendorID, COUNT(*) AS n, MAX(total_amount) AS dearest
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 HOUR)
  GROUP BY VendorID EMIT CHANGES;
CREATE TABLE final_minutes WITH (KAFKA_TOPIC='final_minutes') AS
  SELECT VendorID, COUNT(*) AS n
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 4 MINUTES)
  GROUP BY VendorID EMIT FINAL;
CREATE TABLE sessions WITH (KAFKA_TOPIC='sessions') AS
  SELECT PULocationID, COUNT(*) AS n, SUM(passenger_count) AS passengers
  FROM rides WINDOW SESSION (30 SECONDS, GRACE PERIOD 1 HOUR)
  GROUP BY PULocationID EMIT CHANGES;
CREATE TABLE latest WITH (KAFKA_TOPIC='latest') AS
  SELECT lane, LATEST_BY_OFFSET(ride_id) AS last_ride, EARLIEST_BY_OFFSET(ride_id) AS first_ride
  FROM rides GROUP BY lane EMIT CHANGES;
CREATE STREAM paid WITH (KAFKA_TOPIC='paid') AS
  SELECT r.ride_id AS ride_id, r.total_amount AS due, p.amount AS paid, p.method AS method
  FROM rides r JOIN payments p WITHIN 20 MINUTES GRACE PERIOD 1 HOUR ON r.ride_id = p.ride_id
  EMIT CHANGES;
CREATE STREAM settled WITH (KAFKA_TOPIC='settled') AS
  SELECT r.ride_id AS ride_id, r.VendorID AS vendor, p.amount AS paid
  FROM rides r LEFT JOIN payments p WITHIN (0 SECONDS, 12 MINUTES) GRACE PERIOD 1 MINUTE
  ON r.ride_id = p.ride_id EMIT CHANGES;
CREATE STREAM placed WITH (KAFKA_TOPIC='placed') AS
  SELECT r.PULocationID AS zone_id, r.ride_id AS ride_id, z.borough AS borough
  FROM rides r LEFT JOIN zones z ON r.PULocationID = z.locationid EMIT CHANGES;
CREATE TABLE vendors WITH (KAFKA_TOPIC='vendors') AS
  SELECT a.VendorID AS vendor, a.n AS n, a.passengers AS passengers, b.last_ride AS last_ride
  FROM per_vendor a LEFT JOIN latest b ON a.VendorID = b.lane EMIT CHANGES;
BEGIN PIPELINE branches;
CREATE STREAM high WITH (KAFKA_TOPIC='high') AS
  SELECT * FROM rides WHERE total_amount >= 40 EMIT CHANGES;
CREATE STREAM low WITH (KAFKA_TOPIC='low') AS
  SELECT * FROM rides WHERE total_amount < 40 EMIT CHANGES;
CREATE TABLE per_lane WITH (KAFKA_TOPIC='per_lane') AS
  SELECT lane, COUNT(*) AS n FROM rides GROUP BY lane EMIT CHANGES;
END PIPELINE;
)sql";

}  // namespace

std::vector<Record> RidesOfStep(uint64_t seed, int step) {
  std::vector<Record> records;
  for (int i = 0; i < kRidesPerStep; ++i) {
    const auto index = static_cast<uint64_t>(step) * kRidesPerStep + i;
    const bench::Ride ride = bench::MakeRide(seed, index);
    Record record;
    std::string json;
    bench::AppendRideJson(ride, true, json);
    record.value = "{\"lane\":" + std::to_string(step % kPartitions) + "," + json.substr(1);
    record.timestamp_ms = ride.pickup_ms;
    record.partition = step % kPartitions;
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Record> PaymentsOfStep(uint64_t seed, int step) {
  std::vector<Record> records;
  for (int i = 0; i < kRidesPerStep; ++i) {
    const bench::Ride ride = bench::MakeRide(seed, static_cast<uint64_t>(step) * kRidesPerStep + i);
    const auto payment = bench::MakePayment(seed, ride);
    const bool bad = i == kRidesPerStep / 2 && step % kBadPaymentEvery == 0;
    Record record;
    record.partition = (step + 1) % kPartitions;
    record.timestamp_ms = payment ? payment->paid_ms : ride.pickup_ms;
    if (bad) {
      record.value = "{\"ride_id\":" + std::to_string(ride.ride_id) + ",\"method\":\"ca";
      records.push_back(record);
    }
    if (!payment) continue;
    record.value.emplace();
    bench::AppendPaymentJson(*payment, *record.value);
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Record> Zones(int partition) {
  std::vector<Record> records;
  for (int number = 1; number <= bench::kZoneCount; ++number) {
    Record record;
    record.key.emplace();
    for (int shift = 24; shift >= 0; shift -= 8) {
      record.key->push_back(static_cast<char>(number >> shift));
    }
    if (JavaPartition(*record.key, kPartitions) != partition) continue;
    record.value.emplace();
    bench::AppendZoneJson(number, *record.value);
    record.timestamp_ms = bench::kFirstPickupMs - bench::kDisorderMs;
    record.partition = partition;
    records.push_back(std::move(record));
  }
  return records;
}

std::string_view SourceStatements() { return kSources; }
std::string_view QueryStatements() { return kQueries; }

const std::vector<Output>& Outputs() {
  static const std::vector<Output> outputs = {
      {"per_vendor", true},   {"per_minute", true}, {"final_minutes", false}, {"sessions", true},
      {"latest", true},       {"paid", false},      {"settled", false},       {"placed", false},
      {"vendors", true},      {"high", false},      {"low", false},           {"per_lane", true},
      {"bad_payments", false}};
  return outputs;
}

// Lines are: topic, partition, key, value, time; "-" is null.
std::vector<std::string> Canonical(const Output& output, const std::vector<std::string>& lines) {
  std::vector<std::string> kept;
  std::map<std::string, std::string> table;
  for (const std::string& line : lines) {
    if (!line.starts_with(output.topic + "\t")) continue;
    if (!output.is_table) {
      kept.push_back(line);
      continue;
    }
    size_t end = 0;
    for (int field = 0; field < 3; ++field) end = line.find('\t', end) + 1;
    const std::string key = line.substr(0, end - 1);
    if (line.compare(end, 2, "-\t") == 0) {
      table.erase(key);
    } else {
      table[key] = line;
    }
  }
  for (const auto& [key, line] : table) kept.push_back(line);
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::map<int, int64_t> RidesPerVendor(uint64_t seed, int steps) {
  std::map<int, int64_t> counts;
  for (int index = 0; index < steps * kRidesPerStep; ++index) {
    ++counts[bench::MakeRide(seed, static_cast<uint64_t>(index)).vendor_id];
  }
  return counts;
}

int64_t PaidRides(uint64_t seed, int steps) {
  int64_t paid = 0;
  for (int index = 0; index < steps * kRidesPerStep; ++index) {
    paid += bench::MakePayment(seed, bench::MakeRide(seed, static_cast<uint64_t>(index))) ? 1 : 0;
  }
  return paid;
}

int64_t BadPayments(int steps) { return (steps + kBadPaymentEvery - 1) / kBadPaymentEvery; }

}  // namespace weir::fault
