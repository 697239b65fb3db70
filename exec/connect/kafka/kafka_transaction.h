#pragma once

// Kafka's transactions: one producer for each query, kept as long as it is good, and the outcome of
// each call in Weir's words.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exec/connect/kafka/kafka_group.h"
#include "exec/connect/kafka/kafka_producer.h"

namespace weir {

/// A transactional producer. One thread at a time, but for producer(). Errors of its calls have
/// ended the transaction: kTransactionAborted (do the work again), kTaskMigrated (a group has given
/// partitions away), kFenced (another process has taken the transactional id over).
class KafkaTransactor {
 public:
  /// Ends what a predecessor with this id left open. Waits for the cluster.
  static Result<std::shared_ptr<KafkaTransactor>> Make(const BrokerOptions& options,
                                                       std::shared_ptr<KafkaTopics> topics,
                                                       const std::string& transactional_id);

  KafkaProducer& producer() { return *producer_; }
  Status Begin();
  Status AddOffsets(KafkaGroup& group, const std::vector<GroupOffset>& offsets);
  /// Returns only when it is known whether the transaction was committed, or when the connection is
  /// being closed (kClosed) or was taken over (kFenced).
  Status Commit();
  /// Nothing where none is open. If that fails the producer is not good any more.
  void Abort();
  /// Of no use: the next one is to be a new producer.
  bool is_dead();
  bool is_open() const { return open_; }
  void Close();

 private:
  KafkaTransactor(const BrokerOptions& options, const std::string& transactional_id)
      : options_(options), id_(transactional_id) {}
  Status Start(std::shared_ptr<KafkaTopics> topics);
  /// What `fault` has come to; ends the transaction.
  Status End(KafkaFault fault, std::string_view doing);
  void Log(int level, const std::string& text) const;

  const BrokerOptions options_;
  const std::string id_;
  std::shared_ptr<KafkaProducer> producer_;
  std::shared_ptr<KafkaClient> client_;
  bool open_ = false;
  std::atomic<bool> dead_{false};
  std::atomic<bool> closing_{false};
};

/// The transactors of a process. Safe from any thread.
class KafkaTransactions {
 public:
  /// `copy_id` tells copies of the application apart; a restarted copy has its own again.
  KafkaTransactions(const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics,
                    std::string copy_id)
      : options_(options), topics_(std::move(topics)), copy_id_(std::move(copy_id)) {}

  /// The query's, for one unit until it is given back; null while another unit has it.
  Result<std::shared_ptr<KafkaTransactor>> Take(const std::string& query_id);
  void GiveBack(const std::string& query_id, bool committed);
  TransactionCounts CountsOf(std::string_view query_id);
  void Close();

 private:
  struct Entry {
    std::shared_ptr<KafkaTransactor> transactor;
    bool taken = false;
    TransactionCounts counts;
  };
  const BrokerOptions options_;
  const std::shared_ptr<KafkaTopics> topics_;
  const std::string copy_id_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  bool closed_ = false;
};

}  // namespace weir
