#pragma once
// The work that copies share in the tests under fire: generated rides and their payments in two
// topics, three queries over them, and what must come out, computed here from the rides alone.

#include <atomic>
#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "bench/rides/rides.h"
#include "tests/broker/copies_feed.h"
#include "tests/broker/support/test_broker.h"

namespace weir::testing {

/// Which results are right.
enum class Expected { kExactly, kAtLeast };

class CopiesRides {
 public:
  static constexpr int kPartitions = 6;

  CopiesRides(TestBroker& broker, uint64_t seed, int64_t rides);

  /// Makes the two input topics.
  Status CreateTopics();
  /// Three queries: a count per zone, one-minute windows, and the join of rides with payments.
  std::string sql() const;
  /// One ride a step, and the payments that are due by then; the last step gives all that are left.
  FeedSteps Steps();

  std::vector<std::string> outputs() const { return {per_zone_, per_minute_, paid_}; }
  const std::string& per_zone() const { return per_zone_; }
  const std::string& paid() const { return paid_; }
  int64_t rides() const { return rides_; }
  /// Rides that have a payment.
  int64_t pairs() const { return pairs_; }

  /// Reads the outputs as a read_committed client and adds a test failure for each thing that is
  /// wrong, a few of each kind.
  void Check(Expected expected);

 private:
  struct Later {
    bool operator()(const bench::Payment& a, const bench::Payment& b) const {
      return a.paid_ms > b.paid_ms;
    }
  };
  void AddPayments(int64_t until_ms, std::vector<FeedRecord>& out);
  void CheckTable(const std::string& topic, const std::map<std::string, int64_t>& expected_counts,
                  Expected expected);
  void CheckPairs(Expected expected);

  TestBroker& broker_;
  const uint64_t seed_;
  const int64_t rides_;
  int64_t pairs_ = 0;
  std::string rides_topic_, payments_topic_, per_zone_, per_minute_, paid_;
  std::map<std::string, int64_t> zone_counts_;  // By the key's bytes.
  std::map<std::string, int64_t> minute_counts_;
  std::priority_queue<bench::Payment, std::vector<bench::Payment>, Later> waiting_;
};

}  // namespace weir::testing
