#pragma once

// Writing to Kafka: one idempotent producer for an engine, what becomes of the records given to it,
// and commit units that put a query's state behind its outputs.

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka_client.h"
#include "exec/connect/kafka_topics.h"

namespace weir {

/// Counts records on their way to the brokers. Records hold a share of it, so it lives as long as one
/// of them is under way, whatever becomes of its owner.
class KafkaDelivery {
 public:
  /// Lets go of the owner's share.
  struct Abandon {
    void operator()(KafkaDelivery* delivery) const { delivery->Release(); }
  };
  using Owned = std::unique_ptr<KafkaDelivery, Abandon>;
  static Owned Make() { return Owned(new KafkaDelivery()); }

  void Sent();
  /// Ends one record's share.
  void Done(rd_kafka_resp_err_t error, std::string_view topic, int32_t partition);
  /// Waits until nothing is under way; the first error since the last call.
  Status Wait();

 private:
  KafkaDelivery() = default;
  ~KafkaDelivery() = default;
  void Release();

  std::mutex mutex_;
  std::condition_variable all_done_;
  int64_t under_way_ = 0;
  bool owned_ = true;
  Status error_;
};

/// The producer. Safe from any thread. A thread of its own serves librdkafka's reports.
class KafkaProducer {
 public:
  static Result<std::shared_ptr<KafkaProducer>> Make(const BrokerOptions& options,
                                                     std::shared_ptr<KafkaTopics> topics);
  ~KafkaProducer();

  /// Hands the records over for sending and leaves the builder empty. Waits while librdkafka's queue
  /// is full.
  Status Send(std::string_view topic, int32_t partition, RecordBatchBuilder& records,
              KafkaDelivery& delivery);
  /// Waits a while for what is under way, then gives the rest up.
  void Close();

 private:
  struct Session;
  KafkaProducer(const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics);
  Result<std::shared_ptr<Session>> Current();
  Status SendOne(Session& session, rd_kafka_topic_t* topic, int32_t partition,
                 const RecordBatchBuilder& records, size_t row, KafkaDelivery& delivery);
  int64_t WritableTimestamp(int64_t timestamp_ms);

  const BrokerOptions options_;
  const std::shared_ptr<KafkaTopics> topics_;
  std::mutex mutex_;
  std::shared_ptr<Session> session_;
  bool closed_ = false;
  std::atomic<int64_t> moved_timestamps_{0};
};

/// Sends outputs as they come; Commit waits for them and then has `apply` write the state.
class KafkaCommitUnit final : public CommitUnit {
 public:
  KafkaCommitUnit(std::shared_ptr<KafkaProducer> producer, BufferedCommitUnit::Apply apply)
      : producer_(std::move(producer)), delivery_(KafkaDelivery::Make()),
        changes_(std::move(apply)) {}

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override;
  void Put(std::string_view key, std::string_view value) override { changes_.Put(key, value); }
  void Delete(std::string_view key) override { changes_.Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    changes_.DeleteRange(from, to);
  }
  size_t byte_size() const override { return sent_bytes_ + changes_.byte_size(); }
  Status Commit() override;

 private:
  const std::shared_ptr<KafkaProducer> producer_;
  const KafkaDelivery::Owned delivery_;
  BufferedCommitUnit changes_;
  std::atomic<size_t> sent_bytes_{0};
};

}  // namespace weir
