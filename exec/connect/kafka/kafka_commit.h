#pragma once

// Commit units of a query on Kafka, which put its state behind its outputs and positions: at least
// once, and exactly once in transactions.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka/kafka_group.h"
#include "exec/connect/kafka/kafka_producer.h"
#include "exec/connect/kafka/kafka_transaction.h"

namespace weir {

/// What both kinds collect beside the records: state changes, positions of groups, and keys that
/// are to hold how far partitions were written.
class KafkaUnitContents {
 public:
  explicit KafkaUnitContents(BufferedCommitUnit::Apply apply) : changes_(std::move(apply)) {}

  BufferedCommitUnit& changes() { return changes_; }
  const BufferedCommitUnit& changes() const { return changes_; }
  Status AddOffset(PartitionGroup& group, GroupOffset offset);
  bool has_offsets();
  void AddWritten(std::string_view key, std::string_view topic, int32_t partition);
  /// Calls `commit` for each group with positions, until it fails.
  Status ForEachGroup(
      const std::function<Status(KafkaGroup&, const std::vector<GroupOffset>&)>& commit);
  /// Writes the state, with the offsets that `delivery` tells.
  Status WriteState(KafkaDelivery& delivery);

 private:
  struct Written {
    std::string key;
    std::string topic;
    int32_t partition;
  };
  BufferedCommitUnit changes_;
  std::mutex mutex_;
  std::map<KafkaGroup*, std::vector<GroupOffset>> offsets_;
  std::vector<Written> written_;
};

/// Records that are not sent yet.
struct KafkaWaiting {
  std::string topic;
  int32_t partition;
  RecordBatchBuilder records;
};

/// What both kinds of unit are beside how they send and commit.
class KafkaUnit : public CommitUnit {
 public:
  Status AddOffset(PartitionGroup& group, GroupOffset offset) override {
    return contents_.AddOffset(group, std::move(offset));
  }
  Status PutWrittenOffset(std::string_view key, std::string_view topic,
                          int32_t partition) override {
    contents_.AddWritten(key, topic, partition);
    return OkStatus();
  }
  void Put(std::string_view key, std::string_view value) override {
    contents_.changes().Put(key, value);
  }
  void Delete(std::string_view key) override { contents_.changes().Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    contents_.changes().DeleteRange(from, to);
  }
  void PutLast(std::string_view key, std::string_view value) override {
    contents_.changes().PutLast(key, value);
  }
  size_t byte_size() const override { return sent_bytes_ + contents_.changes().byte_size(); }
  std::shared_ptr<const StateReader> Over(const StateReader& below) const override {
    return contents_.changes().Over(below);
  }

 protected:
  explicit KafkaUnit(BufferedCommitUnit::Apply apply)
      : delivery_(KafkaDelivery::Make()), contents_(std::move(apply)) {}

  const KafkaDelivery::Owned delivery_;
  KafkaUnitContents contents_;
  std::atomic<size_t> sent_bytes_{0};
  std::mutex mutex_;  ///< Guards what the kinds add, and:
  Status failed_;     ///< Given by every call once something has failed.
};

/// At least once: sends outputs as they come; Commit waits for them, then has the positions
/// committed and the state written. After a failed Commit the unit is of no more use: it gives the
/// same error.
class KafkaCommitUnit final : public KafkaUnit {
 public:
  KafkaCommitUnit(std::shared_ptr<KafkaProducer> producer, BufferedCommitUnit::Apply apply)
      : KafkaUnit(std::move(apply)), producer_(std::move(producer)) {}

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override;
  Status AppendLast(std::string_view topic, int32_t partition,
                    RecordBatchBuilder& records) override;
  void SetGroups(const std::vector<PartitionGroup*>& groups) override;
  Status Commit() override;

 private:
  // Under mutex_.
  Status CommitOnce();
  /// Another copy may write what ours no longer may: nothing that was computed before the process
  /// stood still goes out until the groups have been heard of.
  Status StillOurs();

  const std::shared_ptr<KafkaProducer> producer_;
  std::vector<KafkaGroup*> groups_;
  std::vector<KafkaWaiting> last_;
};

/// Exactly once: outputs and positions are one transaction, which begins with the first of them;
/// the state is written when it is known to be committed. While the query's unit before is being
/// committed its transaction is the only one there can be: outputs wait in memory until then. After
/// a failed Commit or Append the transaction is aborted and the unit of no more use: it gives the
/// same error, and its work is to be done again.
class KafkaTransactionUnit final : public KafkaUnit {
 public:
  KafkaTransactionUnit(std::shared_ptr<KafkaTransactions> transactions, std::string_view query_id,
                       BufferedCommitUnit::Apply apply)
      : KafkaUnit(std::move(apply)), transactions_(std::move(transactions)), query_id_(query_id) {}
  ~KafkaTransactionUnit() override;

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override;
  /// All of a transaction is seen at once, so there is no later.
  Status AppendLast(std::string_view topic, int32_t partition,
                    RecordBatchBuilder& records) override {
    return Append(topic, partition, records);
  }
  Status Commit() override;

 private:
  // Under mutex_.
  /// Begins the transaction, if it has not begun and none is in its way, and sends what waits.
  Status TryBegin();
  /// What a failed sending has come to.
  Status NotSent(Status cause);
  Status CommitTransaction();
  /// Ends the transaction without a trace; the error to tell, now and after.
  Status Abandon(Status cause);

  const std::shared_ptr<KafkaTransactions> transactions_;
  const std::string query_id_;
  std::shared_ptr<KafkaTransactor> transactor_;  ///< While a transaction is open.
  std::vector<KafkaWaiting> waiting_;            ///< For it to begin.
};

}  // namespace weir
