#include "exec/runtime/commit_threads.h"

#include <system_error>
#include <utility>

namespace weir {

bool CommitThreads::Run(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (idle_ <= queue_.size() && threads_.size() < kThreadsMax) {
      try {
        threads_.emplace_back([this] { Work(); });
      } catch (const std::system_error&) {
        if (threads_.empty()) return false;  // Else one of them takes it in time.
      }
    }
    queue_.push_back(std::move(work));
  }
  work_.notify_one();
  return true;
}

void CommitThreads::Stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  work_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void CommitThreads::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
  }
}

}  // namespace weir
