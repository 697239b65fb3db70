#pragma once

// Reading partitions of Kafka topics: a queue of librdkafka for each, drained by the reader itself.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka/kafka_client.h"
#include "exec/connect/kafka/kafka_topics.h"

namespace weir {

/// A consumer and the partitions it reads. Positions are ours: it is in no group, commits nothing
/// and starts where it is told. Lives until its session and the last of its readers are gone.
class KafkaConsumer {
 public:
  static Result<std::shared_ptr<KafkaConsumer>> Make(const BrokerOptions& options,
                                                     std::string_view name);
  KafkaClient& client() { return *client_; }
  const std::shared_ptr<WakeList::Entry>& wake() const { return wake_; }
  /// What is fetched ahead of the reader of one partition, at most.
  int64_t ahead_bytes() const { return ahead_bytes_; }

  ~KafkaConsumer();

  /// Has the fetching from a partition's leader looked at again, soon. Any thread.
  void Nudge(const std::string& topic, int32_t partition);

  /// A partition has at most one reader at a time here: false if it has one.
  bool Take(std::string_view topic, int32_t partition);
  void Release(std::string_view topic, int32_t partition);

 private:
  friend class KafkaReadSession;
  void ServeNudges();

  std::shared_ptr<KafkaClient> client_;
  int64_t ahead_bytes_ = 0;
  std::shared_ptr<WakeList::Entry> wake_;
  std::mutex mutex_;
  std::set<std::pair<std::string, int32_t>> taken_;
  std::mutex nudge_mutex_;
  std::condition_variable nudged_;
  std::optional<std::pair<std::string, int32_t>> nudge_;  ///< The latest that waits.
  bool stopping_ = false;
  std::thread nudger_;  ///< Started by the first nudge.
};

class KafkaReadSession final : public ReadSession {
 public:
  static Result<std::unique_ptr<KafkaReadSession>> Make(const BrokerOptions& options,
                                                        std::shared_ptr<KafkaTopics> topics,
                                                        std::string_view name);
  ~KafkaReadSession() override;

  /// Blocks for the broker's answer: where the partition begins and ends. kOffsetOutOfRange names
  /// both if `start` lies outside.
  Result<std::unique_ptr<PartitionReader>> Open(std::string_view topic, int32_t partition,
                                                StartPosition start) override;
  void SetListener(std::function<void()> listener) override;
  void SkipHeaders(std::string_view topic) override;

 private:
  KafkaReadSession(const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics,
                   std::string_view name);
  Result<std::shared_ptr<KafkaConsumer>> TakeConsumer(std::string_view topic, int32_t partition);

  const BrokerOptions options_;
  const std::shared_ptr<KafkaTopics> topics_;
  const std::string name_;
  const std::shared_ptr<WakeList::Entry> wake_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<KafkaConsumer>> consumers_;
  std::set<std::string, std::less<>> headerless_;  ///< Topics of SkipHeaders.
};

}  // namespace weir
