#pragma once

// Threads on which commits are made, beside the rounds of their queries. They wait more than they
// work: for the disk, for brokers, for other copies of the application.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weir {

/// Safe from any thread.
class CommitThreads {
 public:
  CommitThreads() = default;
  ~CommitThreads() { Stop(); }
  CommitThreads(const CommitThreads&) = delete;
  CommitThreads& operator=(const CommitThreads&) = delete;

  /// Does `work` on a thread of its own; of very many, some wait their turn. False, and nothing is
  /// done, where the system gives no thread, or after Stop.
  bool Run(std::function<void()> work);
  /// Returns once all that Run has taken is done.
  void Stop();

 private:
  // No commit waits for one of another query, so fewer would do; so many may wait for brokers.
  static constexpr size_t kThreadsMax = 64;

  void Work();

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace weir
