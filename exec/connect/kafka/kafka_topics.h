#pragma once

// The topics of a Kafka cluster: making, deleting, describing.

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exec/connect/kafka/kafka_client.h"

namespace weir {

/// Asks the cluster, and remembers answers for a few seconds. Safe from any thread.
class KafkaTopics {
 public:
  /// `brokers` is for error messages.
  KafkaTopics(std::shared_ptr<KafkaClient> client, std::string brokers)
      : client_(std::move(client)), brokers_(std::move(brokers)) {}

  /// kKafkaUnavailable where no broker answers within five seconds.
  Status CheckCluster();
  Status Create(const TopicInfo& info);
  Status Delete(std::string_view name);
  Result<TopicInfo> Describe(std::string_view name);
  Result<std::vector<TopicInfo>> List();
  /// Number of partitions; as Describe but without asking for the topic's settings.
  Result<int32_t> Partitions(std::string_view name);
  /// The same, asked of the cluster in any case.
  Result<int32_t> CountNow(std::string_view name);
  Result<std::vector<int64_t>> EndOffsets(std::string_view name);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    TopicInfo info;
    bool has_settings = false;
  };
  /// Asks for all topics of the cluster unless that was done lately and `name` is among them.
  Status Refresh(std::string_view name);
  Status AskForTopics();
  /// Fills in retention and clean-up of `names`.
  Status AskForSettings(const std::vector<std::string>& names);
  /// `made`: what was asked for, which the cluster need not be asked again.
  Status WaitUntilServed(std::string_view name, const std::optional<TopicInfo>& made);

  const std::shared_ptr<KafkaClient> client_;
  const std::string brokers_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
  Clock::time_point asked_{};
};

}  // namespace weir
