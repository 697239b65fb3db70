// Takeover: of two copies one is killed in the middle of its work; the other restores the state of
// its partitions from the changelog topics and serves them, and the answers are right. The
// surviving copy is an engine of this process, so that its metrics can be read. Times and the
// restore rate, beside plain consumption of the same changelogs, are printed.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "bench/rides/rides.h"
#include "tests/broker/copies_application.h"
#include "tests/broker/copies_feed.h"
#include "tests/broker/copies_follower.h"
#include "tests/broker/support/wait_until.h"
#include "tests/support/record_text.h"
#include "weir/engine.h"

namespace weir::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kPartitions = 6;
constexpr int64_t kRidesBefore = 250'000;
constexpr int64_t kRides = 280'000;
constexpr int64_t kSlots = 150'000;         // Groups: much state, little to bring together.
constexpr int64_t kRidesPerSecond = 3'000;  // Of those that come while a copy is killed.
constexpr std::chrono::seconds kDeadline(120);

/// What the table says, as a read_committed client saw it last.
class TableView {
 public:
  void Take(const KafkaRecord& record) {
    if (!record.key || !record.value) return;
    const int64_t count = JsonInteger(*record.value, "RIDES");
    std::lock_guard lock(mutex_);
    int64_t& before = counts_[*record.key];
    total_ += count - before;
    before = count;
    const auto now = Clock::now();
    Silence& silence = silences_[record.partition];
    if (killed_ && now - std::max(silence.last, *killed_) > silence.longest) {
      silence.longest = now - std::max(silence.last, *killed_);
      silence.ended = now;
    }
    silence.last = now;
  }
  int64_t total() {
    std::lock_guard lock(mutex_);
    return total_;
  }
  /// From now on the longest silence of each partition is noted.
  void Killed(Clock::time_point now) {
    std::lock_guard lock(mutex_);
    killed_ = now;
  }
  /// When the last partition was written again.
  Clock::time_point served_again() {
    std::lock_guard lock(mutex_);
    Clock::time_point last = *killed_;
    for (const auto& [partition, silence] : silences_) last = std::max(last, silence.ended);
    return last;
  }
  size_t partitions() {
    std::lock_guard lock(mutex_);
    return silences_.size();
  }

 private:
  struct Silence {
    Clock::time_point last{};
    Clock::duration longest{};
    Clock::time_point ended{};
  };
  std::mutex mutex_;
  std::map<std::string, int64_t> counts_;
  std::map<int32_t, Silence> silences_;
  std::optional<Clock::time_point> killed_;
  int64_t total_ = 0;
};

/// What an engine tells of its restoring, looked at all the time by a thread.
class RestoreWatch {
 public:
  explicit RestoreWatch(const Engine& engine) : engine_(engine), thread_([this] { Run(); }) {}
  ~RestoreWatch() { Stop(); }
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  // After Stop.
  int64_t records() const { return records_; }
  /// From the first record restored to the last; the wait for a dead copy's transaction before it
  /// does not count.
  double seconds() const { return Seconds(last_ - first_).count(); }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      int64_t restored = 0;
      for (const QueryMetrics& query : engine_.Metrics().queries) {
        restored += query.restore.records_restored;
      }
      const auto now = Clock::now();
      if (restored > records_) {
        if (records_ == 0) first_ = before_;
        records_ = restored;
        last_ = now;
      }
      before_ = now;
      stop_.wait_for(lock, std::chrono::milliseconds(2), [&] { return stopping_; });
    }
  }

  const Engine& engine_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  int64_t records_ = 0;
  Clock::time_point before_ = Clock::now(), first_{}, last_{};
  std::thread thread_;
};

class TakeoverTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    rides_ = kafka_->NewName("rides");
    counts_ = kafka_->NewName("per-slot");
    application_id_ = kafka_->NewName("takeover");
    ASSERT_TRUE(kafka_->CreateTopic(rides_, kPartitions).ok());
  }

  std::string Sql() const {
    return fmt::format(
        "CREATE STREAM rides (ride_id BIGINT KEY, VendorID INT)"
        " WITH (KAFKA_TOPIC='{}', VALUE_FORMAT='JSON');"
        "CREATE TABLE per_slot WITH (KAFKA_TOPIC='{}') AS"
        " SELECT ride_id % {} AS slot, COUNT(*) AS rides FROM rides"
        " GROUP BY ride_id % {} EMIT CHANGES;",
        rides_, counts_, kSlots, kSlots);
  }
  FeedSteps Steps() {
    return [this](int64_t step, std::vector<FeedRecord>& out) {
      const bench::Ride ride = bench::MakeRide(bench::kDefaultSeed, static_cast<uint64_t>(step));
      std::string value;
      bench::AppendRideJson(ride, /*with_id=*/false, value);
      out.push_back({&rides_,
                     {.key = BigintKey(step),
                      .value = std::move(value),
                      .timestamp_ms = ride.pickup_ms,
                      .headers = {}}});
    };
  }
  std::unique_ptr<CopiesApplication> StartCopy() {
    auto application = std::make_unique<CopiesApplication>(
        ApplicationOptions{.brokers = kafka_->address(),
                           .application_id = application_id_,
                           .sql = Sql(),
                           .more = {"-S", "processing.guarantee=" + GetParam(), "-S",
                                    "commit.interval.ms=100", "-X", "session.timeout.ms=6000", "-X",
                                    "heartbeat.interval.ms=1000", "--log-level", "info"}});
    application->Start();
    return application;
  }
  Result<std::unique_ptr<Engine>> OpenSurvivor(const std::string& state_dir) {
    EngineOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_id_;
    options.state_dir = state_dir;
    options.settings = {{"persistence.default.format.value", "JSON"},
                        {"processing.guarantee", GetParam()},
                        {"commit.interval.ms", "100"}};
    options.kafka = {{"session.timeout.ms", "6000"}, {"heartbeat.interval.ms", "1000"}};
    return Engine::Open(options);
  }
  /// The number of this copy's tasks that run, by sub-topology.
  static std::map<int32_t, int> Tasks(const Engine& engine) {
    std::map<int32_t, int> tasks;
    for (const QueryMetrics& query : engine.Metrics().queries) {
      for (const TaskMetrics& task : query.tasks) {
        if (task.state == "RUNNING") ++tasks[task.sub_topology];
      }
    }
    return tasks;
  }
  static std::map<int32_t, int> EachOf(int tasks) { return {{0, tasks}, {1, tasks}}; }

  // Beside how fast a plain consumer takes the same topics.
  void TellRestore(const RestoreWatch& watch) {
    int64_t records = 0;
    const auto start = Clock::now();
    const auto names = kafka_->TopicNames(application_id_);
    ASSERT_TRUE(names.ok());
    for (const std::string& name : *names) {
      if (!name.ends_with("-changelog")) continue;
      const auto read = kafka_->ReadAll(name);
      ASSERT_TRUE(read.ok()) << read.status().ToString();
      records += static_cast<int64_t>(read->size());
    }
    // Looking at the progress now and then may miss a restore that took no time.
    if (watch.records() == 0) {
      fmt::print("the restore was too quick to be seen\n");
      return;
    }
    const double plain = static_cast<double>(records) / Seconds(Clock::now() - start).count();
    const double rate = static_cast<double>(watch.records()) / std::max(watch.seconds(), 1e-3);
    fmt::print(
        "restored {} records in {:.2f} s: {:.0f} a second, {:.2f} of plain consumption"
        " ({} records at {:.0f})\n",
        watch.records(), watch.seconds(), rate, rate / plain, records, plain);
  }

  void CheckAnswers() {
    std::vector<int64_t> counts(kSlots);
    const auto records = kafka_->ReadAll(counts_);
    ASSERT_TRUE(records.ok()) << records.status().ToString();
    for (const KafkaRecord& record : *records) {
      ASSERT_TRUE(record.key && record.value && record.key->size() == 8);
      const int64_t slot = FromBigEndian(*record.key, 8);
      ASSERT_TRUE(slot >= 0 && slot < kSlots) << slot;
      counts[static_cast<size_t>(slot)] = JsonInteger(*record.value, "RIDES");
    }
    int wrong = 0;
    for (int64_t slot = 0; slot < kSlots; ++slot) {
      const int64_t expected = kRides / kSlots + (slot < kRides % kSlots);
      const int64_t got = counts[static_cast<size_t>(slot)];
      const bool right = GetParam() == "exactly_once" ? got == expected : got >= expected;
      if (!right && ++wrong <= 5) {
        ADD_FAILURE() << "slot " << slot << ": expected " << expected << ", got " << got;
      }
    }
    EXPECT_EQ(wrong, 0) << "of " << kSlots;
  }

  std::unique_ptr<TestBroker> kafka_;
  std::string rides_, counts_, application_id_;
};

TEST_P(TakeoverTest, TheOtherCopyServesThePartitions) {
  const auto victim = StartCopy();
  auto survivor = OpenSurvivor(victim->directory() + "/state");
  ASSERT_TRUE(survivor.ok()) << survivor.status().ToString();
  Engine& engine = **survivor;
  ASSERT_TRUE(WaitUntil(kDeadline, [&] {  // The victim makes the topics.
    const auto made = kafka_->PartitionCount(counts_);
    return made.ok() && *made > 0;
  })) << victim->copies().front()->LogTail();
  const auto begun = engine.Execute(Sql());
  ASSERT_TRUE(begun.ok()) << begun.status().ToString();

  TableView view;
  TopicFollower follower(kafka_->address(), {counts_},
                         [&](const std::string&, const KafkaRecord& record) { view.Take(record); });
  {
    RecordFeed bulk(kafka_->address(), Steps(), /*rate=*/0);
    bulk.Release(kRidesBefore);
    ASSERT_TRUE(bulk.WaitForAcknowledged(kDeadline)) << bulk.error();
  }
  ASSERT_TRUE(WaitUntil(2 * kDeadline, [&] { return view.total() >= kRidesBefore; }))
      << view.total() << '\n'
      << victim->copies().front()->LogTail();
  EXPECT_EQ(view.partitions(), static_cast<size_t>(kPartitions));
  // Both have work: two stages of six tasks each are shared out.
  EXPECT_TRUE(WaitUntil(kDeadline, [&] { return Tasks(engine) == EachOf(kPartitions / 2); }))
      << ::testing::PrintToString(Tasks(engine)) << '\n'
      << victim->copies().front()->LogTail();

  RecordFeed more(
      kafka_->address(),
      [steps = Steps()](int64_t step, std::vector<FeedRecord>& out) {
        steps(kRidesBefore + step, out);
      },
      kRidesPerSecond);
  more.Release(kRides - kRidesBefore);
  ASSERT_TRUE(more.WaitForSent((kRides - kRidesBefore) / 4, kDeadline)) << more.error();
  RestoreWatch watch(engine);
  victim->Kill(0);
  const auto killed = Clock::now();
  view.Killed(killed);
  EXPECT_TRUE(WaitUntil(kDeadline, [&] { return Tasks(engine) == EachOf(kPartitions); }))
      << ::testing::PrintToString(Tasks(engine));
  const auto taken_over = Clock::now();
  ASSERT_TRUE(more.WaitForAcknowledged(kDeadline)) << more.error();
  ASSERT_TRUE(WaitUntil(kDeadline, [&] { return view.total() >= kRides; })) << view.total();
  fmt::print(
      "{}: all tasks with the survivor after {:.1f} s, the last partition written again after"
      " {:.1f} s\n",
      GetParam(), Seconds(taken_over - killed).count(),
      Seconds(view.served_again() - killed).count());
  const auto settled = engine.RunUntilEnd(false);
  EXPECT_TRUE(settled.ok()) << settled.status().ToString();
  watch.Stop();
  TellRestore(watch);
  CheckAnswers();
  EXPECT_TRUE(engine.Close().ok());
}

INSTANTIATE_TEST_SUITE_P(Guarantees, TakeoverTest,
                         ::testing::Values("at_least_once", "exactly_once"));

}  // namespace
}  // namespace weir::testing
