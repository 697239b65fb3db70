// Exactly once under fire: three copies work on rides that come in bit by bit, while a seeded
// schedule kills them (at named points and at random), stops them, pauses them for longer than the
// session time-out and adds others. Under exactly_once a read_committed client then sees the very
// results of an undisturbed run; under at_least_once nothing is missing. WEIR_COPIES_SEED repeats a
// run.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/broker/copies_application.h"
#include "tests/broker/copies_broker_log.h"
#include "tests/broker/copies_follower.h"
#include "tests/broker/copies_rides.h"
#include "tests/broker/support/wait_until.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kRides = 300'000;
constexpr int64_t kRidesPerSecond = 2'600;
constexpr size_t kCopies = 3;
constexpr size_t kCopiesMax = 5;
constexpr std::string_view kSessionTimeoutMs = "6000";
constexpr std::chrono::milliseconds kPauseMin(8'000);  // Longer than the session time-out.
constexpr std::chrono::seconds kDeadline(180);
constexpr int64_t kAbortsMin = 10;
constexpr int64_t kRebalancesMin = 10;
constexpr int kFaultsMin = 4;

enum class Event { kKill, kFault, kStop, kPause, kAdd };
constexpr std::array<std::pair<Event, int>, 5> kSchedule = {{{Event::kKill, 9},
                                                             {Event::kFault, 10},
                                                             {Event::kStop, 5},
                                                             {Event::kPause, 5},
                                                             {Event::kAdd, 4}}};
constexpr std::string_view kNames[] = {"kill", "fault", "stop", "pause", "add"};

/// Points, and how often one is passed at most before it strikes.
constexpr std::array<std::pair<std::string_view, int>, 7> kPoints = {{{"recovery", 4},
                                                                      {"after_fetch", 60},
                                                                      {"before_output", 60},
                                                                      {"after_output", 60},
                                                                      {"before_commit", 20},
                                                                      {"round_beside_commit", 20},
                                                                      {"after_commit", 20}}};

class CopiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    const char* given = std::getenv("WEIR_COPIES_SEED");
    seed_ = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    std::cout << "WEIR_COPIES_SEED=" << seed_ << std::endl;
    random_.seed(seed_);
    work_ = std::make_unique<CopiesRides>(*kafka_, seed_, kRides);
    const Status made = work_->CreateTopics();
    ASSERT_TRUE(made.ok()) << made.ToString();
  }

  void Open(const std::string& guarantee) {
    application_id_ = kafka_->NewName("copies");
    application_ = std::make_unique<CopiesApplication>(
        ApplicationOptions{.brokers = kafka_->address(),
                           .application_id = application_id_,
                           .sql = work_->sql(),
                           .more = {"--threads", "2", "-S", "processing.guarantee=" + guarantee,
                                    "-S", "commit.interval.ms=100", "-X",
                                    "session.timeout.ms=" + std::string(kSessionTimeoutMs), "-X",
                                    "heartbeat.interval.ms=1000", "--log-level", "info"}});
  }

  uint64_t Below(uint64_t bound) { return random_() % bound; }

  /// Any copy that runs and is not paused; none: the number of copies.
  size_t AnyAwake() {
    const auto& copies = application_->copies();
    std::vector<size_t> awake;
    for (size_t i = 0; i < copies.size(); ++i) {
      if (!copies[i]->paused()) awake.push_back(i);
    }
    return awake.empty() ? copies.size() : awake[Below(awake.size())];
  }

  /// What is due whatever the schedule says: paused copies go on, ended ones are replaced.
  void Tend(bool all_awake = false) {
    for (auto it = pauses_.begin(); it != pauses_.end();) {
      if (!all_awake && Clock::now() < it->second) {
        ++it;
        continue;
      }
      for (const auto& copy : application_->copies()) {
        if (copy->pid() == it->first) copy->Resume();
      }
      it = pauses_.erase(it);
    }
    application_->Reap();
    while (application_->copies().size() < kCopies) application_->Start();
  }

  void Strike(Event event) {
    const size_t target = AnyAwake();
    const bool none = target == application_->copies().size();
    switch (event) {
      case Event::kKill:
        if (!none) application_->Kill(target);
        break;
      case Event::kFault: {
        if (!none) application_->Kill(target);
        const auto& [point, passes] = kPoints[Below(kPoints.size())];
        application_->Start(fmt::format("{}:{}", point, 1 + Below(static_cast<uint64_t>(passes))));
        break;
      }
      case Event::kStop:
        if (!none) application_->Stop(target);
        break;
      case Event::kPause:
        if (none) break;
        application_->copies()[target]->Pause();
        pauses_.emplace_back(application_->copies()[target]->pid(), Clock::now() + kPauseMin);
        break;
      case Event::kAdd:
        if (application_->copies().size() < kCopiesMax) application_->Start();
        break;
    }
  }

  void Fire() {
    std::vector<Event> events;
    for (const auto& [event, times] : kSchedule) events.insert(events.end(), times, event);
    std::shuffle(events.begin(), events.end(), random_);
    const auto count = static_cast<int64_t>(events.size());
    ASSERT_GE(count, 30);
    RecordFeed feed(kafka_->address(), work_->Steps(), kRidesPerSecond);
    feed.Release(kRides);
    // The instants are counted in rides: each event has its share of them, and falls anywhere in
    // it.
    for (int64_t i = 0; i < count; ++i) {
      const int64_t share = kRides / (count + 1);
      const int64_t at = i * share + static_cast<int64_t>(Below(static_cast<uint64_t>(share)));
      ASSERT_TRUE(WaitUntil(kDeadline, [&] {
        Tend();
        return feed.sent() >= at || !feed.error().empty();
      }));
      ASSERT_EQ(feed.error(), "");
      if (HasFailure()) return;
      fmt::print("at ride {} of {}: {}\n", feed.sent(), kRides,
                 kNames[static_cast<size_t>(events[static_cast<size_t>(i)])]);
      std::fflush(stdout);
      Strike(events[static_cast<size_t>(i)]);
    }
    ASSERT_TRUE(feed.WaitForAcknowledged(kDeadline)) << feed.error();
  }

  /// All copies go on undisturbed until every pair has been seen, then end; what is left is done by
  /// one that ends by itself.
  void Settle(const TopicFollower& follower) {
    const auto start = Clock::now();
    EXPECT_TRUE(WaitUntil(kDeadline,
                          [&] {
                            Tend(/*all_awake=*/true);
                            return HasFailure() || pairs_seen_ >= work_->pairs();
                          }))
        << "pairs seen: " << pairs_seen_ << " of " << work_->pairs();
    const std::chrono::duration<double> taken = Clock::now() - start;
    fmt::print("caught up {:.1f} s after the last ride; {} records followed\n", taken.count(),
               follower.records());
    application_->StopAll();
    application_->RunUntilEnd(kDeadline);
  }

  void Run(const std::string& guarantee, Expected expected) {
    Open(guarantee);
    for (size_t i = 0; i < kCopies; ++i) application_->Start();
    ASSERT_TRUE(WaitUntil(kDeadline, [&] {
      application_->Reap();
      const auto made = kafka_->PartitionCount(work_->paid());
      return HasFailure() || (made.ok() && *made > 0);
    })) << application_->copies().front()->LogTail();
    if (HasFailure()) return;
    std::vector<bool> seen(kRides);
    TopicFollower follower(
        kafka_->address(), {work_->paid()}, [&](const std::string&, const KafkaRecord& record) {
          const auto id = static_cast<size_t>(FromBigEndian(record.key.value_or(""), 8));
          if (id >= seen.size() || seen[id]) return;
          seen[id] = true;
          ++pairs_seen_;
        });
    Fire();
    if (HasFatalFailure()) return;
    Settle(follower);
    work_->Check(expected);
    CheckDisturbance(guarantee);
  }

  void CheckDisturbance(const std::string& guarantee) {
    const auto counts = CountInBrokerLog(application_id_);
    ASSERT_TRUE(counts.ok()) << counts.status().ToString();
    fmt::print(
        "copies started: {}, killed at named points: {}, rebalances: {}, transactions "
        "committed: {}, aborted: {}\n",
        application_->started(), application_->faults_struck(), counts->rebalances,
        counts->transactions_committed, counts->transactions_aborted);
    EXPECT_GE(counts->rebalances, kRebalancesMin);
    EXPECT_GE(application_->faults_struck(), kFaultsMin);
    if (guarantee != "exactly_once") return;
    EXPECT_GE(counts->transactions_aborted, kAbortsMin);
  }

  std::unique_ptr<TestBroker> kafka_;
  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<CopiesRides> work_;
  std::string application_id_;
  std::unique_ptr<CopiesApplication> application_;
  std::vector<std::pair<pid_t, Clock::time_point>> pauses_;
  std::atomic<int64_t> pairs_seen_ = 0;
};

TEST_F(CopiesTest, ExactlyOnceUnderFire) { Run("exactly_once", Expected::kExactly); }

TEST_F(CopiesTest, AtLeastOnceUnderFire) { Run("at_least_once", Expected::kAtLeast); }

}  // namespace
}  // namespace weir::testing
