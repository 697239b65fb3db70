#pragma once
// Reads topics as a read_committed client does, for as long as a test runs: a thread with a
// consumer of its own hands every record to a function.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/broker/support/test_broker.h"

namespace weir::testing {

/// `record.key` and `record.value` are set as in TestBroker::ReadAll, headers are not.
using FollowedRecord = std::function<void(const std::string& topic, const KafkaRecord& record)>;

class TopicFollower {
 public:
  /// The topics must exist. `take` is called from the follower's thread.
  TopicFollower(const std::string& brokers, const std::vector<std::string>& topics,
                FollowedRecord take);
  ~TopicFollower();
  TopicFollower(const TopicFollower&) = delete;
  TopicFollower& operator=(const TopicFollower&) = delete;

  /// Records handed over so far.
  int64_t records() const { return records_; }
  /// What went wrong for good; empty: nothing. Read it after the follower stopped growing.
  bool failed() const { return failed_; }

 private:
  struct Consumer;
  void Run();

  std::unique_ptr<Consumer> consumer_;
  const FollowedRecord take_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<int64_t> records_ = 0;
  std::thread thread_;
};

}  // namespace weir::testing
