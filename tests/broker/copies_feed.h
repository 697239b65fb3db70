#pragma once
// Made-up rides and payments, produced to Kafka bit by bit while copies are killed and added: a
// thread with a producer of its own sends what was released so far, at a rate.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/broker/support/test_broker.h"

namespace weir::testing {

/// A record and where it goes.
struct FeedRecord {
  const std::string* topic = nullptr;  ///< Outlives the feed.
  KafkaRecord record;
};

/// Appends the records of step number `step` to `out`. Called from the feed's thread, for each step
/// once and in order.
using FeedSteps = std::function<void(int64_t step, std::vector<FeedRecord>& out)>;

class RecordFeed {
 public:
  /// `rate` is in steps a second; 0: as fast as it goes.
  RecordFeed(const std::string& brokers, FeedSteps steps, int64_t rate);
  /// Stops where it is.
  ~RecordFeed();
  RecordFeed(const RecordFeed&) = delete;
  RecordFeed& operator=(const RecordFeed&) = delete;

  /// Lets the feed go on to `steps` steps in all.
  void Release(int64_t steps);
  /// Steps whose records were given to the producer.
  int64_t sent() const { return sent_; }
  /// Waits until so many steps are sent; false when the deadline comes first or the feed failed.
  bool WaitForSent(int64_t steps, std::chrono::seconds timeout);
  /// Waits until the broker has all that was released; false as above.
  bool WaitForAcknowledged(std::chrono::seconds timeout);
  /// What went wrong; empty: nothing.
  std::string error() const;

 private:
  struct Producer;
  void Run();
  bool Send(const FeedRecord& record);
  void Fail(const std::string& what);

  const FeedSteps steps_;
  const int64_t rate_;
  std::unique_ptr<Producer> producer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t released_ = 0;
  bool stopping_ = false;
  std::string error_;
  std::atomic<int64_t> sent_ = 0;
  std::atomic<int64_t> flushed_ = 0;
  std::thread thread_;
};

}  // namespace weir::testing
