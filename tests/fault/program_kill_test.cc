// Kills the program itself: `weir load` while it loads and `weir run` while it works through what
// was loaded.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bench/rides/rides.h"
#include "tests/fault/child_process.h"
#include "tests/fault/temporary_directory.h"
#include "weir/engine.h"

namespace weir::fault {
namespace {

constexpr int kRides = 12000;
constexpr int kRandomKills = 8;
constexpr const char* kRate = "40000";

constexpr std::string_view kQueries = R"sql(
CREATE STREAM rides (ride_id BIGINT, VendorID INT, total_amount DOUBLE,
    tpep_pickup_datetime VARCHAR)
  WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', TIMESTAMP='tpep_pickup_datetime',
        TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss');
CREATE TABLE per_vendor AS SELECT VendorID, COUNT(*) AS n FROM rides GROUP BY VendorID EMIT CHANGES;
CREATE TABLE per_minute AS SELECT VendorID, COUNT(*) AS n
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY VendorID EMIT CHANGES;
CREATE STREAM high AS SELECT * FROM rides WHERE total_amount >= 40 EMIT CHANGES;
)sql";

std::vector<std::string> RideLines(uint64_t seed) {
  std::vector<std::string> lines(kRides);
  for (int i = 0; i < kRides; ++i) {
    bench::AppendRideJson(bench::MakeRide(seed, static_cast<uint64_t>(i)), true, lines[i]);
  }
  return lines;
}

std::vector<TopicRecord> ReadTopic(const std::string& directory, const std::string& topic) {
  EngineOptions options;
  options.directory = directory;
  auto engine = Engine::Open(options);
  EXPECT_TRUE(engine.ok()) << engine.status().ToString();
  if (!engine.ok()) return {};
  auto records = (*engine)->ReadTopic(topic);
  return records.ok() ? std::move(*records) : std::vector<TopicRecord>();
}

// Values by key for a table, all values for a stream; sorted.
std::vector<std::string> ResultOf(const std::string& directory, const std::string& topic,
                                  bool is_table) {
  std::vector<std::string> result;
  std::map<std::string, std::string> table;
  for (const TopicRecord& record : ReadTopic(directory, topic)) {
    const std::string value =
        fmt::format("{}@{}", record.value.value_or("-"), record.timestamp_ms.value_or(-1));
    if (is_table) {
      table[record.key.value_or("-")] = value;
    } else {
      result.push_back(value);
    }
  }
  for (const auto& [key, value] : table) result.push_back(key + value);
  std::sort(result.begin(), result.end());
  return result;
}

class ProgramKillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("WEIR_FAULT_SEED");
    seed_ = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cout << "WEIR_FAULT_SEED=" << seed_ << std::endl;
    random_.seed(seed_);
    lines_ = RideLines(seed_);
  }

  // Loads what is not there yet; returns false once all is.
  bool LoadRest(const std::string& directory, const std::string& fault,
                std::optional<std::chrono::microseconds> kill_after) {
    ChildOptions options;
    options.arguments = {WEIR_PROGRAM,     "load", "rides", "-",
                         "--input-format", "json", "-d",    directory};
    if (!fault.empty() || kill_after) {
      options.arguments.insert(options.arguments.end(), {"--rate", kRate});
    }
    options.fault = fault;
    options.kill_after = kill_after;
    for (size_t i = stored_; i < lines_.size(); ++i) options.input += lines_[i] + "\n";
    const ChildResult result = RunChild(options);
    kills_ += result.killed;
    EXPECT_TRUE(result.killed || result.exit_code == 0) << result.err;
    size_t told = 0;
    for (size_t at = 0; (at = result.err.find("acknowledged ", at)) != std::string::npos;) {
      at += 13;
      if (result.err.find('\n', at) != std::string::npos) told = std::stoul(result.err.substr(at));
    }
    ExpectStored(directory, stored_ + told);
    return stored_ < lines_.size();
  }

  void ExpectStored(const std::string& directory, size_t acknowledged) {
    const std::vector<TopicRecord> records = ReadTopic(directory, "rides");
    EXPECT_GE(records.size(), acknowledged);
    ASSERT_LE(records.size(), lines_.size());
    for (size_t i = 0; i < records.size(); ++i) {
      ASSERT_EQ(records[i].value, lines_[i]) << "record " << i;
    }
    stored_ = records.size();
  }

  ChildResult Run(const std::string& directory, const std::string& script, const std::string& fault,
                  std::optional<std::chrono::microseconds> kill_after = {}) {
    ChildOptions options;
    options.arguments = {WEIR_PROGRAM, "run",     script, "--until-end",
                         "-d",         directory, "-S",   "commit.interval.ms=1"};
    options.fault = fault;
    options.kill_after = kill_after;
    ChildResult result = RunChild(options);
    kills_ += result.killed;
    EXPECT_TRUE(result.killed || result.exit_code == 0) << fault << "\n" << result.err;
    return result;
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::vector<std::string> lines_;
  size_t stored_ = 0;
  int kills_ = 0;
};

TEST_F(ProgramKillTest, LoadAndRun) {
  TemporaryDirectory directory;
  const std::string killed = directory.At("killed");
  for (const char* fault : {"load_before_append:1", "load_after_append:1", "load_before_append:2",
                            "load_after_append:2", "in_commit:1", "in_commit_written:1"}) {
    LoadRest(killed, fault, {});
    if (HasFailure()) return;
  }
  for (int i = 0; i < kRandomKills; ++i) {
    LoadRest(killed, "", std::chrono::microseconds(random_() % 250'000));
    if (HasFailure()) return;
  }
  EXPECT_FALSE(LoadRest(killed, "", {}));

  const std::string script = directory.At("queries.sql");
  std::ofstream(script) << kQueries;
  for (const char* point : {"recovery", "after_fetch", "before_output", "after_output",
                            "before_commit", "in_commit", "in_commit_written", "after_commit"}) {
    for (int i = 0; i < 2; ++i) {
      Run(killed, script, fmt::format("{}:{}", point, 1 + random_() % 4));
    }
    if (HasFailure()) return;
  }
  for (int i = 0; i < kRandomKills; ++i) {
    Run(killed, script, "", std::chrono::microseconds(random_() % 150'000));
  }
  EXPECT_EQ(Run(killed, script, "").exit_code, 0);

  stored_ = 0;
  const std::string calm = directory.At("calm");
  EXPECT_FALSE(LoadRest(calm, "", {}));
  EXPECT_EQ(Run(calm, script, "").exit_code, 0);
  for (const char* table : {"PER_VENDOR", "PER_MINUTE"}) {
    EXPECT_EQ(ResultOf(killed, table, true), ResultOf(calm, table, true)) << table;
  }
  EXPECT_EQ(ResultOf(killed, "HIGH", false), ResultOf(calm, "HIGH", false));
  EXPECT_FALSE(ResultOf(killed, "HIGH", false).empty());
  std::cout << "kills of the program: " << kills_ << std::endl;
  EXPECT_GE(kills_, 12);
}

}  // namespace
}  // namespace weir::fault
