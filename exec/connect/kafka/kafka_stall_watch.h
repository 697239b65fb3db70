#pragma once

// Whether the process has stood still.

#include <atomic>
#include <chrono>

namespace weir {

/// Knows when the process last went on after it had stood still (was stopped, or got no processor)
/// for so long that its groups may have taken it for dead meanwhile. Safe from any thread.
class KafkaStallWatch {
 public:
  using Clock = std::chrono::steady_clock;
  explicit KafkaStallWatch(Clock::duration least) : least_(least), ticked_(Clock::now()) {}

  /// To be called every now and then, far more often than `least`.
  void Tick() {
    const Clock::time_point now = Clock::now();
    if (now - ticked_.load() > least_) last_ = now;
    ticked_ = now;
  }
  /// The clock's least value: it never stood still.
  Clock::time_point Last() const {
    const Clock::time_point ticked = ticked_.load();  // Before last_, which Tick sets first.
    const Clock::time_point last = last_.load();
    const Clock::time_point now = Clock::now();
    return now - ticked > least_ ? now : last;
  }

 private:
  const Clock::duration least_;
  std::atomic<Clock::time_point> ticked_;
  std::atomic<Clock::time_point> last_{Clock::time_point::min()};
};

}  // namespace weir
