// A copy that has followed the state of another one restores only the rest of it when that one is
// killed. The surviving copy is an engine of this process, so that its metrics and messages can be
// read.

#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "tests/broker/copies_application.h"
#include "tests/broker/support/engine_copies.h"

namespace weir::testing {
namespace {

constexpr int kPartitions = 4;
constexpr int kKeys = 20'000;

class StandbyTest : public EngineCopiesTest {
 protected:
  std::string Sql() const {
    return SourceSql() + TableSql("SELECT k, COUNT(*) AS n FROM s GROUP BY k");
  }
  void ProduceKeys() {
    std::vector<KafkaRecord> records;
    for (int i = 0; i < kKeys; ++i) {
      KafkaRecord& record = records.emplace_back();
      record.key = "k" + std::to_string(i);
      record.value = R"({"V": 1, "W": 1})";
      record.timestamp_ms = 1'000'000 + i;
    }
    ASSERT_TRUE(kafka_->Produce(in_, records).ok());
  }
  std::unique_ptr<Engine> OpenSurvivor(const std::string& state_dir) {
    EngineOptions options = Options();
    options.state_dir = state_dir;
    options.settings["num.standby.replicas"] = "1";
    options.log_level = LogLevel::kInfo;
    options.kafka["session.timeout.ms"] = "6000";
    options.kafka["heartbeat.interval.ms"] = "1000";
    options.logger = [this](LogLevel, std::string_view line) {
      std::lock_guard lock(mutex_);
      TakeLine(line);
    };
    auto engine = Engine::Open(std::move(options));
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    return engine.ok() ? std::move(*engine) : nullptr;
  }
  static std::set<int32_t> TasksIn(Engine& engine, std::string_view state) {
    std::set<int32_t> partitions;
    for (const TaskMetrics& task : MetricsOf(engine).tasks) {
      if (task.state == state) partitions.insert(task.partition);
    }
    return partitions;
  }
  static bool CaughtUp(Engine& engine) {
    for (const TaskMetrics& task : MetricsOf(engine).tasks) {
      if (task.lag_records != 0) return false;
    }
    return true;
  }
  /// Of each partition, how many records the survivor restored when it came to it last.
  std::map<int32_t, int64_t> restored() {
    std::lock_guard lock(mutex_);
    return restored_;
  }

 private:
  void TakeLine(std::string_view line) {
    constexpr std::string_view kBefore = "partition ", kBetween = " restored, records: ";
    const size_t between = line.find(kBetween);
    const size_t before = line.rfind(kBefore, between);
    if (between == std::string_view::npos || before == std::string_view::npos) return;
    int32_t partition = 0;
    int64_t records = 0;
    std::from_chars(line.data() + before + kBefore.size(), line.data() + between, partition);
    std::from_chars(line.data() + between + kBetween.size(), line.data() + line.size(), records);
    restored_[partition] = records;
  }

  std::mutex mutex_;
  std::map<int32_t, int64_t> restored_;
};

TEST_F(StandbyTest, ACopyThatFollowedRestoresTheRestOnly) {
  MakeInput(kPartitions);
  CopiesApplication victims(
      {.brokers = kafka_->address(),
       .application_id = application_,
       .sql = Sql(),
       .more = {"-S", "num.standby.replicas=1", "-X", "session.timeout.ms=6000", "-X",
                "heartbeat.interval.ms=1000", "--log-level", "info"}});
  CopyProcess& victim = victims.Start();
  ASSERT_TRUE(WaitFor([&] { return *kafka_->PartitionCount(application_ + ".t") > 0; }))
      << victim.LogTail();
  auto survivor = OpenSurvivor(victims.directory() + "/state");
  Engine& engine = *survivor;
  Execute(engine, Sql());
  ProduceKeys();
  const std::string table = application_ + ".t";
  ASSERT_TRUE(WaitFor([&] { return kafka_->ReadAll(table)->size() >= kKeys; })) << victim.LogTail();
  ASSERT_TRUE(WaitFor([&] {
    return TasksIn(engine, "RUNNING").size() == kPartitions / 2 &&
           TasksIn(engine, "STANDBY").size() == kPartitions / 2 && CaughtUp(engine);
  })) << ::testing::PrintToString(TasksIn(engine, "RUNNING"))
      << ::testing::PrintToString(TasksIn(engine, "STANDBY"));
  const std::set<int32_t> followed = TasksIn(engine, "STANDBY");
  std::map<int32_t, int64_t> held;
  for (const KafkaRecord& record : *kafka_->ReadAll(application_ + "-CTAS_T-0-changelog")) {
    ++held[record.partition];
  }
  victims.Kill(0);
  ASSERT_TRUE(WaitFor([&] { return TasksIn(engine, "RUNNING").size() == kPartitions; }));
  EXPECT_TRUE(TasksIn(engine, "STANDBY").empty());
  auto restored_records = restored();
  for (const int32_t partition : followed) {
    ASSERT_TRUE(restored_records.contains(partition)) << partition;
    EXPECT_LT(restored_records[partition], held[partition] / 10) << partition;
    fmt::print("partition {}: restored {} of {} records\n", partition, restored_records[partition],
               held[partition]);
  }
  RunUntilEnd(engine);
  ProduceKeys();
  RunUntilEnd(engine);
  for (const int i : {0, 1, 2, 3, 4, 5, 6, 7, kKeys - 1}) {
    EXPECT_EQ(Row(engine, fmt::format("SELECT n FROM t WHERE k = 'k{}';", i)), "2") << i;
  }
  EXPECT_EQ(Row(engine, "SELECT COUNT(*) AS c FROM t;"), std::to_string(kKeys));
}

}  // namespace
}  // namespace weir::testing
