// The SQL files of examples/taxi on a real Kafka, run as a user runs them over generated rides, and
// what they write held against what is counted here in the same rides. Windowed keys are read back
// by Kafka's own Java client. taxi_local does the same on a local store.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <tuple>

#include "bench/rides/rides.h"
#include "tests/broker/support/test_broker.h"
#include "tests/consumer/java_reader.h"
#include "tests/fault/child_process.h"
#include "tests/fault/temporary_directory.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

constexpr int kRides = 5000;
constexpr int kPartitions = 4;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDearCents = 4000;
constexpr std::chrono::seconds kFileDeadline(180);

/// A value inside a JSON text that ReadTopic.java printed, with its quotes undone.
std::string InnerValue(const std::string& row) {
  const size_t at = row.find("\"value\":\"");
  if (at == std::string::npos) return "";
  std::string value;
  for (size_t i = at + 9; i < row.size() && row[i] != '"'; ++i) {
    if (row[i] == '\\') ++i;
    value += row[i];
  }
  return value;
}
/// The number in an INT key, as Java prints its four bytes read as text. Zones need two of them,
/// and bytes over 127 come as U+FFFD: such keys are not told apart, -1 stands for them.
int VendorOrZone(const std::string& row) {
  const size_t at = row.find("\"key\":\"") + 7;
  std::vector<int> bytes;
  for (size_t i = at; i < row.size() && row[i] != '"';) {
    if (row[i] != '\\') {
      if (static_cast<unsigned char>(row[i]) > 127) return -1;
      bytes.push_back(row[i++]);
    } else if (row[i + 1] == 'u') {
      bytes.push_back(static_cast<int>(std::strtol(row.substr(i + 2, 4).c_str(), nullptr, 16)));
      i += 6;
    } else {
      static const std::map<char, int> kEscapes = {{'b', 8},  {'t', 9},   {'n', 10},   {'f', 12},
                                                   {'r', 13}, {'"', '"'}, {'\\', '\\'}};
      bytes.push_back(kEscapes.at(row[i + 1]));
      i += 2;
    }
  }
  if (bytes.size() != 4) return -1;
  return bytes[2] * 256 + bytes[3];
}

class TaxiKafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    for (int i = 0; i < kRides; ++i) {
      rides_.push_back(bench::MakeRide(bench::kDefaultSeed, static_cast<uint64_t>(i)));
    }
    for (const auto& entry : std::filesystem::directory_iterator(WEIR_EXAMPLES_DIR)) {
      if (entry.path().extension() == ".sql") files_.push_back(entry.path());
    }
    std::sort(files_.begin(), files_.end());
    ASSERT_GE(files_.size(), 8u);
    RemoveTopics();
  }
  void TearDown() override {
    if (kafka_ != nullptr) RemoveTopics();
  }

  // The files name their topics; an earlier run may have left them.
  void RemoveTopics() {
    const std::regex pattern("KAFKA_TOPIC='([^']*)'");
    std::set<std::string> names;
    for (const auto& file : files_) {
      std::stringstream text;
      text << std::ifstream(file).rdbuf();
      const std::string sql = text.str();
      for (std::sregex_iterator it(sql.begin(), sql.end(), pattern), end; it != end; ++it) {
        names.insert((*it)[1]);
      }
    }
    for (const std::string& name : names) {
      auto count = kafka_->PartitionCount(name);
      if (!count.ok() || *count == 0) continue;
      const Status deleted = kafka_->DeleteTopic(name);
      EXPECT_TRUE(deleted.ok()) << deleted.ToString();
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (count.ok() && *count > 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
        count = kafka_->PartitionCount(name);
      }
    }
  }

  fault::ChildResult Run(const std::vector<std::string>& arguments) {
    fault::ChildOptions options;
    options.arguments = {WEIR_PROGRAM, "-q", "-b", kafka_->address()};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.timeout = kFileDeadline;
    return fault::RunChild(options);
  }

  void LoadInputs() {
    const std::string rides_path = directory_.At("rides.csv");
    const std::string zones_path = directory_.At("zones.csv");
    std::string text(bench::kRideCsvHeader);
    text += '\n';
    for (const bench::Ride& ride : rides_) {
      bench::AppendRideCsv(ride, text);
      text += '\n';
    }
    std::ofstream(rides_path) << text;
    text = std::string(bench::kZoneCsvHeader) + '\n';
    for (int zone = 1; zone <= bench::kZoneCount; ++zone) {
      bench::AppendZoneCsv(zone, text);
      text += '\n';
    }
    std::ofstream(zones_path) << text;
    ASSERT_TRUE(kafka_->CreateTopic("datatalkclub.yellow_taxi_ride.json", kPartitions).ok());
    ASSERT_TRUE(kafka_->CreateTopic("datatalkclub.taxi_zones.json", kPartitions).ok());
    fault::ChildResult loaded =
        Run({"load", "datatalkclub.yellow_taxi_ride.json", rides_path, "--key", "VendorID=vendorId",
             "--key-format", "json", "--timestamp", "tpep_pickup_datetime", "--columns",
             "VendorID=vendorId,passenger_count,trip_distance,PULocationID,"
             "DOLocationID,payment_type,total_amount"});
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
    loaded = Run({"load", "datatalkclub.taxi_zones.json", zones_path, "--key", "locationid",
                  "--key-format", "kafka:int"});
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  }

  // Each file is an application of its own, and ends by itself.
  void RunFiles() {
    for (const auto& file : files_) {
      const auto start = std::chrono::steady_clock::now();
      const fault::ChildResult result =
          Run({"run", file.string(), "--until-end", "--state-dir", directory_.At("state"),
               "--application-id", fmt::format("taxi-{}-{}", getpid(), file.stem().string())});
      EXPECT_EQ(result.exit_code, 0) << file << (result.timed_out ? " took too long" : "") << '\n'
                                     << result.err;
      EXPECT_FALSE(result.out.empty()) << file << " gave no rows\n" << result.err;
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      fmt::print("{}: {:.1f} s\n", file.filename().string(), taken.count());
    }
  }

  std::vector<KafkaRecord> Read(const std::string& topic) {
    auto records = kafka_->ReadAll(topic);
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    return records.ok() ? std::move(*records) : std::vector<KafkaRecord>();
  }
  /// The last value of each key that was not deleted.
  std::map<std::string, std::string> Table(const std::string& topic) {
    std::map<std::string, std::string> table;
    for (const KafkaRecord& record : Read(topic)) {
      if (record.value) {
        table[record.key.value_or("")] = *record.value;
      } else {
        table.erase(record.key.value_or(""));
      }
    }
    return table;
  }
  /// The same as Java sees it: by key, window start and window end.
  std::map<std::tuple<int, int64_t, int64_t>, std::string> JavaTable(const std::string& topic,
                                                                     const std::string& keys) {
    std::map<std::tuple<int, int64_t, int64_t>, std::string> table;
    const auto rows = ReadWithJava(kafka_->address(), topic, keys);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    if (!rows.ok()) return table;
    for (const std::string& row : *rows) {
      if (VendorOrZone(row) >= 0) {
        EXPECT_EQ(JsonInteger(row, "partition"), JsonInteger(row, "javaPartition")) << row;
      }
      const auto key = std::tuple(VendorOrZone(row), JsonInteger(row, "windowStart"),
                                  JsonInteger(row, "windowEnd"));
      if (JsonField(row, "value") == "null") {
        table.erase(key);
      } else {
        table[key] = InnerValue(row);
      }
    }
    return table;
  }

  void CheckCounts() {
    const auto per_vendor = Table("datatalks.rides_per_vendor");
    EXPECT_EQ(per_vendor.size(), 2u);
    for (int vendor : {1, 2}) {
      int64_t count = 0, cents = 0;
      for (const bench::Ride& ride : rides_) {
        if (ride.vendor_id != vendor) continue;
        ++count;
        cents += ride.total_amount;
      }
      const auto found = per_vendor.find(IntKey(vendor));
      ASSERT_NE(found, per_vendor.end()) << vendor;
      EXPECT_EQ(JsonInteger(found->second, "RIDES"), count);
      EXPECT_NEAR(std::strtod(JsonField(found->second, "AMOUNT").c_str(), nullptr),
                  static_cast<double>(cents) / 100, 0.001);
    }
    const auto dear = static_cast<size_t>(
        std::count_if(rides_.begin(), rides_.end(),
                      [](const bench::Ride& ride) { return ride.total_amount >= kDearCents; }));
    EXPECT_GT(dear, 0u);
    EXPECT_EQ(Read("datatalks.yellow_taxi_rides.high_amount").size(), dear);
    EXPECT_EQ(Read("datatalks.yellow_taxi_rides.low_amount").size(), rides_.size() - dear);
  }

  void CheckWindows() {
    std::map<std::tuple<int, int64_t, int64_t>, int64_t> expected;
    for (const bench::Ride& ride : rides_) {
      const int64_t start = ride.pickup_ms / kMinuteMs * kMinuteMs;
      ++expected[{ride.vendor_id, start, start + kMinuteMs}];
    }
    for (const char* topic : {"datatalks.rides_per_minute", "datatalks.rides_per_minute_of_day"}) {
      std::map<std::tuple<int, int64_t, int64_t>, int64_t> counted;
      for (const auto& [key, value] : JavaTable(topic, "time:60000")) {
        counted[key] = JsonInteger(value, "RIDES");
      }
      EXPECT_EQ(counted, expected) << topic;
    }
    int64_t hopping = 0;
    for (const auto& [key, value] : Table("datatalks.amount_per_ten_minutes")) {
      hopping += JsonInteger(value, "RIDES");
    }
    EXPECT_EQ(hopping, 2 * kRides);  // Each ride lies in two of them.
  }

  void CheckSessions() {
    std::map<int, std::vector<int64_t>> times;
    for (const bench::Ride& ride : rides_) times[ride.pickup_zone].push_back(ride.pickup_ms);
    std::map<std::tuple<int, int64_t, int64_t>, int64_t> expected, counted;
    for (auto& [zone, of_zone] : times) {
      std::sort(of_zone.begin(), of_zone.end());
      for (size_t i = 0, first = 0; i < of_zone.size(); ++i) {
        if (i + 1 < of_zone.size() && of_zone[i + 1] - of_zone[i] <= 5 * kMinuteMs) continue;
        if (zone < 128)
          expected[{zone, of_zone[first], of_zone[i]}] = static_cast<int64_t>(i - first + 1);
        first = i + 1;
      }
    }
    for (const auto& [key, value] : JavaTable("datatalks.busy_times", "session")) {
      const int zone = std::get<0>(key);
      if (zone >= 0 && zone < 128) counted[key] = JsonInteger(value, "RIDES");
    }
    EXPECT_EQ(counted, expected);
    int64_t rides = 0;
    for (const auto& [key, value] : Table("datatalks.busy_times"))
      rides += JsonInteger(value, "RIDES");
    EXPECT_EQ(rides, kRides);
  }

  void CheckJoins() {
    std::map<int, std::vector<int64_t>> departures, dear_arrivals;
    for (const bench::Ride& ride : rides_) {
      departures[ride.pickup_zone].push_back(ride.pickup_ms);
      if (ride.total_amount >= kDearCents)
        dear_arrivals[ride.dropoff_zone].push_back(ride.pickup_ms);
    }
    size_t pairs = 0, both = 0;
    for (const auto& [zone, arrivals] : dear_arrivals) {
      both += departures.contains(zone);
      for (int64_t arrives : arrivals) {
        for (int64_t leaves : departures[zone]) pairs += std::abs(leaves - arrives) <= kMinuteMs;
      }
    }
    EXPECT_GT(pairs, 0u);
    EXPECT_EQ(Read("datatalks.join_stream_stream_inner").size(), pairs);
    for (const char* kind : {"left", "right", "full"}) {
      // Some rows without a partner come out too: those that are older than their window when read.
      size_t joined = 0;
      for (const KafkaRecord& row : Read(fmt::format("datatalks.join_stream_stream_{}", kind))) {
        joined +=
            JsonField(*row.value, "LEAVES") != "null" && JsonField(*row.value, "ARRIVES") != "null";
      }
      EXPECT_EQ(joined, pairs) << kind;
    }
    EXPECT_EQ(Read("datatalks.join_stream_table_inner").size(), rides_.size());
    EXPECT_EQ(Read("datatalks.join_stream_table_left").size(), rides_.size());
    EXPECT_EQ(Table("datatalks.join_table_table_inner").size(), both);
    EXPECT_EQ(Table("datatalks.join_table_table_left").size(), departures.size());
    EXPECT_EQ(Table("datatalks.join_table_table_right").size(), dear_arrivals.size());
    EXPECT_EQ(Table("datatalks.join_table_table_full").size(),
              departures.size() + dear_arrivals.size() - both);
    for (const auto& [key, value] : Table("datatalks.join_table_table_inner")) {
      const int zone = static_cast<int>(FromBigEndian(key, 4));
      EXPECT_EQ(JsonInteger(value, "LEAVING"), static_cast<int64_t>(departures[zone].size()))
          << zone;
      EXPECT_EQ(JsonInteger(value, "DEAR_ARRIVING"),
                static_cast<int64_t>(dear_arrivals[zone].size()))
          << zone;
    }
  }

  std::unique_ptr<TestBroker> kafka_;
  fault::TemporaryDirectory directory_;
  std::vector<bench::Ride> rides_;
  std::vector<std::filesystem::path> files_;
};

TEST_F(TaxiKafkaTest, RunsEveryExample) {
  LoadInputs();
  if (HasFatalFailure()) return;
  RunFiles();
  CheckCounts();
  CheckWindows();
  CheckSessions();
  CheckJoins();
}

}  // namespace
}  // namespace weir::testing
