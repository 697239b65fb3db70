#pragma once

// The engine's threads. Jobs (running queries) are run one round at a time by whichever thread is
// free; a round may spread its tasks over idle threads.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "exec/runtime/commit_threads.h"
#include "weir/status.h"

namespace weir {

class Scheduler {
 public:
  /// Something to run again and again. Run() is never called by two threads at once.
  class Job {
   public:
    virtual ~Job() = default;
    /// Does a bounded piece of work. Returns milliseconds until it wants to run again by itself: 0
    /// at once, -1 only when woken.
    virtual int64_t Run() = 0;
    /// The job is to be removed: what runs is to come to an end soon, in good order. Any thread.
    virtual void FinishSoon() {}
    /// It has not: what runs is to be given up. Any thread.
    virtual void GiveUp() {}

   private:
    friend class Scheduler;
    enum class State { kWaiting, kQueued, kRunning } state_ = State::kWaiting;
    bool woken_ = false;
    bool added_ = false;
    bool removed_ = false;
    std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::time_point::max();
  };

  /// More threads than this are refused: each costs a stack, and a core runs one at a time.
  static constexpr int kThreadsMax = 1024;

  explicit Scheduler(int threads);
  /// A scheduler with so many threads. Fails with kInvalidOption where they are too many, or more
  /// than the system gives.
  static Result<std::unique_ptr<Scheduler>> Start(int threads);
  /// What Start says of too many, before anything else is done.
  static Status CheckThreads(int threads);
  ~Scheduler();
  /// Ends the threads; jobs run no more. The other calls stay allowed, for cursors that outlive it.
  void Stop();

  void Add(const std::shared_ptr<Job>& job);
  /// Makes a job run soon. Safe from any thread, also for jobs that were removed or are yet to be
  /// added (those run then anyway).
  void Wake(Job& job);
  /// Returns once the job is not running and will not run again. What it does then is given up if
  /// it takes long (kPatience).
  void Remove(const std::shared_ptr<Job>& job) { RemoveAll({&job, 1}); }
  void RemoveAll(std::span<const std::shared_ptr<Job>> jobs);
  /// How long work may go on that is asked to end, before it is given up.
  static constexpr std::chrono::milliseconds kPatience{400};
  /// Calls `body(0)` … `body(count - 1)`, spread over idle threads and the calling one; returns
  /// when all have returned.
  void ParallelFor(int count, const std::function<void(int)>& body);
  int threads() const { return static_cast<int>(threads_.size()); }
  /// Where commits are made meanwhile; Stop ends them too.
  CommitThreads& commit_threads() { return commit_threads_; }

 private:
  struct Spread;
  Scheduler() = default;
  void Work();
  void RunJob(std::unique_lock<std::mutex>& lock, Job& job);
  static void Help(Spread& spread);

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::vector<std::shared_ptr<Job>> jobs_;
  std::deque<Job*> queue_;
  std::deque<std::shared_ptr<Spread>> spreads_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
  CommitThreads commit_threads_;
};

}  // namespace weir
