#pragma once

// Writing to Kafka: an idempotent or transactional producer, and what becomes of the records given
// to it.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "exec/connect/kafka/kafka_client.h"
#include "exec/connect/kafka/kafka_stall_watch.h"
#include "exec/connect/kafka/kafka_topics.h"

namespace weir {

/// Counts records on their way to the brokers, and remembers where they were written. Records hold
/// a share of it, so it lives as long as one of them is under way, whatever becomes of its owner.
class KafkaDelivery {
 public:
  /// The records for one partition.
  struct Lane {
    KafkaDelivery* delivery;
    std::string topic;
    int32_t partition;
    int64_t next = -1;  ///< After the last record written; -1: none yet.
  };
  /// Lets go of the owner's share.
  struct Abandon {
    void operator()(KafkaDelivery* delivery) const { delivery->Release(); }
  };
  using Owned = std::unique_ptr<KafkaDelivery, Abandon>;
  static Owned Make() { return Owned(new KafkaDelivery()); }

  /// Lives as long as this object.
  Lane& LaneOf(std::string_view topic, int32_t partition);
  void Sent();
  /// Ends one record's share. A record counts as written when its offset is known.
  void Done(rd_kafka_resp_err_t error, Lane& lane, int64_t offset);
  /// Waits until nothing is under way; the first error since the last call.
  Status Wait();
  /// The offset after the last record written to a partition; nothing if none was.
  std::optional<int64_t> WrittenOffset(std::string_view topic, int32_t partition);

 private:
  KafkaDelivery() = default;
  ~KafkaDelivery() = default;
  void Release();

  std::mutex mutex_;
  std::condition_variable all_done_;
  std::map<std::pair<std::string, int32_t>, Lane> lanes_;
  int64_t under_way_ = 0;
  bool owned_ = true;
  Status error_;
};

/// The producer. Safe from any thread. A thread of its own serves librdkafka's reports. After a
/// fatal error the next record gets a new connection, unless there is a transactional id: what is
/// left of a transaction must not go on under another epoch.
class KafkaProducer {
 public:
  /// `transactional_id` empty: none, and every record stands for itself.
  static Result<std::shared_ptr<KafkaProducer>> Make(const BrokerOptions& options,
                                                     std::shared_ptr<KafkaTopics> topics,
                                                     std::string_view transactional_id = {});
  ~KafkaProducer();

  /// Hands the records over for sending and leaves the builder empty. Waits while librdkafka's
  /// queue is full, or holds records that have been there for a quarter of the session's time-out:
  /// so they are not given up, after the whole of it, where brokers are only slow.
  Status Send(std::string_view topic, int32_t partition, RecordBatchBuilder& records,
              KafkaDelivery& delivery);
  /// Looked at all the time.
  const KafkaStallWatch& stalls() const { return *stalls_; }
  /// For the transaction's own calls; null once closed.
  std::shared_ptr<KafkaClient> client();
  /// Waits up to `wait_ms` for what is under way, then gives the rest up.
  void Close(int wait_ms = 5000);

 private:
  struct Session;
  KafkaProducer(const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics,
                std::string_view transactional_id);
  Result<std::shared_ptr<Session>> Current();
  /// Waits until the records under way are young enough.
  Status AwaitRoom(Session& session);
  Status SendOne(Session& session, rd_kafka_topic_t* topic, const RecordBatchBuilder& records,
                 size_t row, KafkaDelivery::Lane& lane);
  int64_t WritableTimestamp(int64_t timestamp_ms);

  const BrokerOptions options_;
  const std::shared_ptr<KafkaTopics> topics_;
  const std::string transactional_id_;
  const std::shared_ptr<KafkaStallWatch> stalls_;
  std::mutex mutex_;
  std::shared_ptr<Session> session_;
  bool closed_ = false;
  std::atomic<int64_t> moved_timestamps_{0};
};

}  // namespace weir
