#pragma once

// The commit of a query that is under way beside its rounds.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "exec/runtime/commit_threads.h"
#include "weir/status.h"

namespace weir {

/// One commit at a time. Its calls come from one thread at a time, those of a Handle from any.
class CommitFlow {
 public:
  struct Outcome {
    Status status;
    std::chrono::steady_clock::duration took{};
  };

 private:
  struct Step {
    std::function<Status()> commit;
    std::function<void()> on_end;
    std::mutex mutex;  // Guards what follows.
    std::condition_variable changed;
    bool ended = false;
    Outcome outcome;

    void Run();
  };

 public:
  /// A commit as others see it.
  class Handle {
   public:
    /// Returns once the commit has ended, if there was one.
    void Wait() const;

   private:
    friend class CommitFlow;
    std::shared_ptr<Step> step_;
  };

  /// Waits for what is under way.
  ~CommitFlow() { handle_.Wait(); }

  /// Has `commit` done on another thread, and then calls `on_end` there; on this one, without
  /// `on_end`, where `threads` is null or has none. What `commit` holds is let go before it counts
  /// as ended. None may be under way.
  void Start(CommitThreads* threads, std::function<Status()> commit, std::function<void()> on_end);
  /// Started, and not yet taken.
  bool is_under_way() const { return handle_.step_ != nullptr; }
  /// Take would not wait.
  bool has_ended() const;
  /// Waits for its end, what came of it; none is under way then.
  Outcome Take();
  Handle handle() const { return handle_; }

 private:
  Handle handle_;
};

}  // namespace weir
