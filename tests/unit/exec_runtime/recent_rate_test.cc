// Rates of counters, on a clock that the test sets.

#include "exec/runtime/query/recent_rate.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::milliseconds;

TEST(RecentRate, IsThatOfTheLastTenSeconds) {
  const RecentRate::Time start{};
  RecentRate rate(start);
  EXPECT_EQ(rate.PerSecond(start, 0), 0);
  // 100 a second for a minute, then 10 a second.
  int64_t count = 0;
  RecentRate::Time now = start;
  for (int tenth = 0; tenth < 600; ++tenth) {
    now += milliseconds(100);
    rate.Note(now, count += 10);
  }
  EXPECT_DOUBLE_EQ(rate.PerSecond(now, count), 100);
  for (int tenth = 0; tenth < 200; ++tenth) {
    now += milliseconds(100);
    rate.Note(now, count += 1);
  }
  EXPECT_DOUBLE_EQ(rate.PerSecond(now, count), 10);
}

TEST(RecentRate, BeginsWithTheFirstSecondAndFallsToNothing) {
  const RecentRate::Time start{};
  RecentRate rate(start);
  EXPECT_DOUBLE_EQ(rate.PerSecond(start + milliseconds(5), 50), 50);
  rate.Note(start + milliseconds(1000), 100);
  EXPECT_DOUBLE_EQ(rate.PerSecond(start + milliseconds(2000), 200), 100);
  // Nobody notes anything while nothing is read.
  EXPECT_DOUBLE_EQ(rate.PerSecond(start + milliseconds(3'600'000), 100), 0);
}

}  // namespace
}  // namespace weir
