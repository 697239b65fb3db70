#include "exec/runtime/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

namespace weir {
namespace {

// A job that runs what it is told and can be waited for.
class TestJob : public Scheduler::Job {
 public:
  explicit TestJob(std::function<int64_t(int)> body) : body_(std::move(body)) {}
  int64_t Run() override {
    EXPECT_FALSE(inside_.exchange(true)) << "run by two threads at once";
    const int64_t again = body_(runs_ + 1);
    inside_ = false;
    {
      std::lock_guard lock(mutex_);
      ++runs_;
    }
    ran_.notify_all();
    return again;
  }
  void WaitForRuns(int count) {
    std::unique_lock lock(mutex_);
    ran_.wait(lock, [&] { return runs_ >= count; });
  }
  int runs() {
    std::lock_guard lock(mutex_);
    return runs_;
  }

 private:
  std::function<int64_t(int)> body_;
  std::atomic<bool> inside_{false};
  std::mutex mutex_;
  std::condition_variable ran_;
  int runs_ = 0;
};

TEST(Scheduler, TooManyThreadsAreAnError) {
  const auto many = Scheduler::Start(100'000);
  EXPECT_EQ(many.status().code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(many.status().message(), "threads is at most 1024, not 100000");
  const auto few = Scheduler::Start(3);
  ASSERT_TRUE(few.ok());
  EXPECT_EQ((*few)->threads(), 3);
}

TEST(Scheduler, RunsAgainAtOnceUntilTheJobHasEnough) {
  Scheduler scheduler(2);
  auto job = std::make_shared<TestJob>([](int run) { return run < 50 ? 0 : -1; });
  scheduler.Add(job);
  job->WaitForRuns(50);
  scheduler.Remove(job);
  EXPECT_EQ(job->runs(), 50);
}

TEST(Scheduler, AWakeDuringARunIsNotLost) {
  Scheduler scheduler(2);
  std::promise<void> inside, woken;
  auto job = std::make_shared<TestJob>([&](int run) {
    if (run == 1) {
      inside.set_value();
      woken.get_future().wait();
    }
    return -1;
  });
  scheduler.Add(job);
  inside.get_future().wait();
  scheduler.Wake(*job);
  woken.set_value();
  job->WaitForRuns(2);
  scheduler.Wake(*job);
  job->WaitForRuns(3);
  scheduler.Remove(job);
}

TEST(Scheduler, ADueTimeRunsTheJobByItself) {
  Scheduler scheduler(1);
  auto job = std::make_shared<TestJob>([](int run) { return run < 3 ? 1 : -1; });
  scheduler.Add(job);
  job->WaitForRuns(3);
  scheduler.Remove(job);
  EXPECT_EQ(job->runs(), 3);
}

TEST(Scheduler, ABusyJobDoesNotStarveTheOthers) {
  Scheduler scheduler(1);
  std::atomic<bool> stop{false};
  auto busy = std::make_shared<TestJob>([&](int) { return stop ? -1 : 0; });
  auto timed = std::make_shared<TestJob>([](int run) { return run < 5 ? 1 : -1; });
  scheduler.Add(busy);
  scheduler.Add(timed);
  timed->WaitForRuns(5);
  stop = true;
  scheduler.Remove(busy);
  scheduler.Remove(timed);
}

TEST(Scheduler, RemoveWaitsForTheRunUnderWayAndNoOtherFollows) {
  Scheduler scheduler(2);
  std::promise<void> inside, go_on;
  auto job = std::make_shared<TestJob>([&](int run) {
    if (run == 1) {
      inside.set_value();
      go_on.get_future().wait();
    }
    return 0;
  });
  scheduler.Add(job);
  inside.get_future().wait();
  std::atomic<bool> removed{false};
  std::thread remover([&] {
    scheduler.Remove(job);
    removed = true;
  });
  EXPECT_FALSE(removed);
  go_on.set_value();
  remover.join();
  const int runs = job->runs();
  scheduler.Wake(*job);  // Has no effect, but is allowed.
  auto other = std::make_shared<TestJob>([](int) { return -1; });
  scheduler.Add(other);
  other->WaitForRuns(1);
  scheduler.Remove(other);
  EXPECT_EQ(job->runs(), runs);
}

TEST(Scheduler, ParallelForCallsEachNumberOnce) {
  for (int threads : {1, 3}) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<std::atomic<int>> calls(17);
      scheduler.ParallelFor(17, [&](int i) { ++calls[i]; });
      for (const std::atomic<int>& count : calls) ASSERT_EQ(count, 1);
    }
    scheduler.ParallelFor(0, [](int) { FAIL(); });
  }
}

TEST(Scheduler, JobsSpreadTheirWorkWithoutWaitingForEachOther) {
  Scheduler scheduler(3);
  std::atomic<int> calls{0};
  std::vector<std::shared_ptr<TestJob>> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(std::make_shared<TestJob>([&](int run) {
      scheduler.ParallelFor(8, [&](int) { ++calls; });
      return run < 20 ? 0 : -1;
    }));
    scheduler.Add(jobs.back());
  }
  for (auto& job : jobs) job->WaitForRuns(20);
  for (auto& job : jobs) scheduler.Remove(job);
  EXPECT_EQ(calls, 4 * 20 * 8);
}

TEST(Scheduler, WhatDoesNotEndIsGivenUpWhenItIsRemoved) {
  class Endless : public Scheduler::Job {
   public:
    int64_t Run() override {
      running.set_value();
      while (!gave_up_) std::this_thread::yield();
      return -1;
    }
    void FinishSoon() override { asked = true; }
    void GiveUp() override {
      EXPECT_TRUE(asked);
      gave_up_ = true;
    }
    std::promise<void> running;
    std::atomic<bool> asked{false};

   private:
    std::atomic<bool> gave_up_{false};
  };
  Scheduler scheduler(2);
  const std::shared_ptr<Scheduler::Job> jobs[] = {std::make_shared<Endless>(),
                                                  std::make_shared<Endless>()};
  for (const auto& job : jobs) scheduler.Add(job);
  for (const auto& job : jobs) static_cast<Endless&>(*job).running.get_future().wait();
  scheduler.RemoveAll(jobs);
}

}  // namespace
}  // namespace weir
