#pragma once

// How fast a counter has grown of late.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir {

/// Keeps what a counter was at each of the last seconds; the rate is that of about the last ten.
/// One thread at a time.
class RecentRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RecentRate(Time start) { samples_[0] = {start, 0}; }

  /// The counter stands at `count`. Costs nothing more than once a second.
  void Note(Time now, int64_t count) {
    if (now - samples_[newest_].time < kBetween) return;
    newest_ = (newest_ + 1) % samples_.size();
    samples_[newest_] = {now, count};
    if (kept_ < samples_.size()) ++kept_;
  }

  /// Since the newest note that is kSpan old, or else since the oldest one; over a second at least,
  /// so that what was read in the first milliseconds does not look like a rate.
  double PerSecond(Time now, int64_t count) const {
    const Sample* since = &samples_[newest_];
    for (size_t back = 1; back < kept_ && now - since->time < kSpan; ++back) {
      since = &samples_[(newest_ + samples_.size() - back) % samples_.size()];
    }
    const double seconds = std::chrono::duration<double>(now - since->time).count();
    return static_cast<double>(count - since->count) / std::max(seconds, 1.0);
  }

 private:
  static constexpr std::chrono::seconds kBetween{1};
  static constexpr std::chrono::seconds kSpan{10};
  struct Sample {
    Time time;
    int64_t count = 0;
  };
  std::array<Sample, 12> samples_;  // A ring; more than kSpan in notes kBetween apart.
  size_t newest_ = 0;
  size_t kept_ = 1;
};

}  // namespace weir
