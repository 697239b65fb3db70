#pragma once

// Membership in a Kafka consumer group that shares a topic's partitions out. The group's consumer
// fetches nothing: the partitions it is given stay paused, and readers of their own read them.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka/kafka_client.h"

namespace weir {

using KafkaGroupMetadata =
    KafkaOwned<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;
using KafkaFault = KafkaOwned<rd_kafka_error_t, rd_kafka_error_destroy>;

/// A list as librdkafka takes it to commit. The offsets' metadata are copied.
KafkaPartitions ToKafkaOffsets(const std::vector<GroupOffset>& offsets);

/// Keeps a group's commits out of the way of its requests to join again, see CommitOffsets.
struct JoinGate;

/// One membership. The calls of PartitionGroup come from one thread at a time; those for commit
/// units may come from others meanwhile.
class KafkaGroup final : public PartitionGroup {
 public:
  static Result<std::unique_ptr<KafkaGroup>> Join(const BrokerOptions& options,
                                                  const GroupOptions& group);
  /// Leaves the group, which learns of it at once. Waits for at most a few seconds.
  ~KafkaGroup() override;

  Result<std::optional<Change>> Poll() override;
  Status Accept(const Change& change) override;
  Result<std::vector<std::optional<GroupOffset>>> Committed(
      std::string_view topic, const std::vector<int32_t>& partitions) override;
  std::string_view name() const override { return name_; }
  int32_t generation() const override { return generation_; }
  std::string member_id() const override;
  bool joined() const override { return told_; }

  /// Commits outside of a transaction. kTaskMigrated if one of the partitions is not ours any more.
  Status CommitOffsets(const std::vector<GroupOffset>& offsets);
  /// Waits until the group has been heard of, by a request made after `since`, to know us still.
  /// kTaskMigrated if it does not, or is not heard of in time.
  Status ConfirmSince(std::chrono::steady_clock::time_point since);
  /// Who we are to the group, for a transaction that commits `offsets`: the group's coordinator
  /// refuses it once another generation has begun. kTaskMigrated as above.
  Result<KafkaGroupMetadata> MetadataFor(const std::vector<GroupOffset>& offsets);

 private:
  KafkaGroup(const BrokerOptions& options, const GroupOptions& group);
  Status Start(const std::string& anchor_topic);
  Status TakeError(const rd_kafka_event_t& event);
  /// kPartitionsChanged if the anchor topic has been gone for some time.
  Status CheckAnchor();
  /// What a rebalance event means; nothing where there is nothing to do for it.
  std::optional<Change> TakeRebalance(rd_kafka_event_t& event);
  void Assign(const rd_kafka_topic_partition_list_t& partitions);
  Status Unassign(const rd_kafka_topic_partition_list_t& partitions);
  void Leave();
  /// Takes what the group says of partitions until `done`; false: not in time.
  bool GiveBackUntil(const std::function<bool()>& done);
  std::string MemberId() const;
  /// Hands a commit to librdkafka where no request to join can go before it, and waits for what
  /// came of it; nothing: such a request is under way. With `anyway` it is not looked for.
  Result<std::optional<rd_kafka_resp_err_t>> CommitBetweenJoins(
      const std::vector<GroupOffset>& offsets, bool anyway);
  void Log(int level, const std::string& text) const;
  Status Migrated(const std::string& why) const;

  const BrokerOptions options_;
  const std::string name_;
  const std::shared_ptr<WakeList::Entry> wake_;
  /// Keeps commits and requests to join (again) apart.
  const std::shared_ptr<JoinGate> gate_;
  std::shared_ptr<KafkaClient> client_;
  KafkaQueue queue_;
  /// What was handed out by Poll and waits for Accept.
  std::optional<Change> pending_;
  KafkaPartitions pending_partitions_;
  /// Given to us, but lost before they could be taken.
  std::vector<int32_t> missed_;
  /// In which partitions were last given to us.
  int32_t generation_ = -1;
  /// The group has told us our part at least once, even if that was nothing.
  bool told_ = false;
  std::string anchor_topic_;
  /// When to look whether that topic is still there.
  std::chrono::steady_clock::time_point next_check_;
  bool anchor_gone_ = false;

  /// Up to where ConfirmSince needs not ask again.
  std::atomic<std::chrono::steady_clock::time_point> confirmed_{
      std::chrono::steady_clock::time_point::min()};

  std::mutex mutex_;  ///< Guards what follows.
  std::set<int32_t> owned_;
  std::string member_id_;  ///< As which we were given what we own.
};

}  // namespace weir
