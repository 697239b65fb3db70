#include "exec/runtime/scheduler.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {

using SteadyClock = std::chrono::steady_clock;

// The calls of one ParallelFor: threads take numbers until none is left.
struct Scheduler::Spread {
  int count = 0;
  const std::function<void(int)>* body = nullptr;
  std::atomic<int> next{0};
  std::atomic<int> left{0};
  std::mutex mutex;
  std::condition_variable all_done;
};

Scheduler::Scheduler(int threads) {
  for (int i = 0; i < std::max(threads, 1); ++i) threads_.emplace_back([this] { Work(); });
}

Status Scheduler::CheckThreads(int threads) {
  if (threads <= kThreadsMax) return OkStatus();
  return Status(ErrorCode::kInvalidOption,
                fmt::format("threads is at most {}, not {}", kThreadsMax, threads))
      .WithHint("one a core is the default, and seldom too few");
}

Result<std::unique_ptr<Scheduler>> Scheduler::Start(int threads) {
  WEIR_RETURN_IF_ERROR(CheckThreads(threads));
  std::unique_ptr<Scheduler> scheduler(new Scheduler());
  for (int i = 0; i < std::max(threads, 1); ++i) {
    // The one place that sees how the system refuses a thread.
    try {
      scheduler->threads_.emplace_back([self = scheduler.get()] { self->Work(); });
    } catch (const std::system_error& error) {
      return Status(ErrorCode::kInvalidOption,
                    fmt::format("the system gives no more than {} of {} threads: {}", i, threads,
                                error.code().message()))
          .WithHint("give fewer with --threads, or allow more processes (ulimit -u)");
    }
  }
  return scheduler;
}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  commit_threads_.Stop();
}

void Scheduler::Add(const std::shared_ptr<Job>& job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(job);
    job->added_ = true;
    job->state_ = Job::State::kQueued;
    queue_.push_back(job.get());
  }
  work_.notify_one();
}

void Scheduler::Wake(Job& job) {
  {
    std::lock_guard lock(mutex_);
    if (!job.added_ || job.removed_) return;
    job.woken_ = true;
    if (job.state_ != Job::State::kWaiting) return;
    job.state_ = Job::State::kQueued;
    queue_.push_back(&job);
  }
  work_.notify_one();
}

void Scheduler::RemoveAll(std::span<const std::shared_ptr<Job>> jobs) {
  std::unique_lock lock(mutex_);
  for (const std::shared_ptr<Job>& job : jobs) {
    job->removed_ = true;
    job->FinishSoon();
  }
  const auto none_runs = [&] {
    return std::none_of(jobs.begin(), jobs.end(), [](const std::shared_ptr<Job>& job) {
      return job->state_ == Job::State::kRunning;
    });
  };
  if (!done_.wait_for(lock, kPatience, none_runs)) {
    for (const std::shared_ptr<Job>& job : jobs) job->GiveUp();
    done_.wait(lock, none_runs);
  }
  for (const std::shared_ptr<Job>& job : jobs) {
    std::erase(queue_, job.get());
    std::erase(jobs_, job);
  }
}

void Scheduler::Help(Spread& spread) {
  while (true) {
    const int number = spread.next.fetch_add(1);
    if (number >= spread.count) return;
    (*spread.body)(number);
    if (spread.left.fetch_sub(1) == 1) {
      std::lock_guard lock(spread.mutex);
      spread.all_done.notify_all();
    }
  }
}

void Scheduler::ParallelFor(int count, const std::function<void(int)>& body) {
  if (count <= 1 || threads() <= 1) {
    for (int i = 0; i < count; ++i) body(i);
    return;
  }
  auto spread = std::make_shared<Spread>();
  spread->count = count;
  spread->body = &body;
  spread->left = count;
  {
    std::lock_guard lock(mutex_);
    spreads_.push_back(spread);
  }
  work_.notify_all();
  Help(*spread);
  {
    std::unique_lock lock(spread->mutex);
    spread->all_done.wait(lock, [&] { return spread->left.load() == 0; });
  }
  std::lock_guard lock(mutex_);
  std::erase(spreads_, spread);
}

void Scheduler::RunJob(std::unique_lock<std::mutex>& lock, Job& job) {
  job.state_ = Job::State::kRunning;
  job.woken_ = false;
  lock.unlock();
  const int64_t again_ms = job.Run();
  lock.lock();
  job.state_ = Job::State::kWaiting;
  job.due_ = again_ms < 0 ? SteadyClock::time_point::max()
                          : SteadyClock::now() + std::chrono::milliseconds(again_ms);
  if (job.removed_) {
    done_.notify_all();
  } else if (job.woken_ || again_ms == 0) {
    job.state_ = Job::State::kQueued;
    queue_.push_back(&job);
  }
}

void Scheduler::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    auto open = std::find_if(spreads_.begin(), spreads_.end(), [](const auto& spread) {
      return spread->next.load() < spread->count;
    });
    if (open != spreads_.end()) {
      std::shared_ptr<Spread> spread = *open;
      lock.unlock();
      Help(*spread);
      lock.lock();
      continue;
    }
    if (stopping_) return;
    const auto now = SteadyClock::now();
    auto next_due = SteadyClock::time_point::max();
    for (const std::shared_ptr<Job>& job : jobs_) {
      if (job->state_ != Job::State::kWaiting || job->removed_) continue;
      if (job->due_ <= now) {
        job->state_ = Job::State::kQueued;
        queue_.push_back(job.get());
      } else {
        next_due = std::min(next_due, job->due_);
      }
    }
    if (!queue_.empty()) {
      Job* job = queue_.front();
      queue_.pop_front();
      RunJob(lock, *job);
      continue;
    }
    if (next_due == SteadyClock::time_point::max()) {
      work_.wait(lock);
    } else {
      work_.wait_until(lock, next_due);
    }
  }
}

}  // namespace weir
