#pragma once

// SIGINT and SIGTERM of the program. One thread of its own waits for them, so that what they do
// (cancel a cursor, cancel a wait) is ordinary code; nothing runs inside a signal handler.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "weir/status.h"

namespace weir::shell {

/// Why the program is asked to stop what it does.
enum class StopKind { kNone, kInterrupt, kTerminate };

/// May be used from any thread. Without Listen() it only knows what Deliver() tells it (tests).
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// Takes the two signals from now on. Call before any other thread starts: threads inherit the
  /// blocked signals. Ignores SIGPIPE, which would kill the program between two commits. Fails
  /// where the system gives no thread.
  Status Listen();
  /// What a signal does: remembers it, runs the current action, wakes waiters. A second interrupt
  /// that nobody cleared ends the process at once with status 130.
  void Deliver(StopKind kind);

  /// While held, interrupts are not taken: the program at the terminal is another one.
  void set_held(bool held);

  StopKind pending() const;
  /// Forgets a pending interrupt, but never a termination.
  void ClearInterrupt();
  /// Waits until a stop is pending or `timeout` is over; true when one is pending.
  bool WaitFor(std::chrono::milliseconds timeout);
  /// A descriptor that is readable once a termination is pending; for poll() at the prompt.
  int termination_fd() const { return pipe_[0]; }

  /// While it lives, `action` is run (on the signal thread) when a stop arrives.
  class Scope {
   public:
    Scope(Interrupts& interrupts, std::function<void()> action);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupts& interrupts_;
    std::function<void()> previous_;
  };

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StopKind pending_ = StopKind::kNone;
  bool held_ = false;
  std::function<void()> action_;
  int pipe_[2] = {-1, -1};
  std::thread listener_;
};

}  // namespace weir::shell
