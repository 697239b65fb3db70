// Topics on a Kafka cluster, state in a local directory, positions in consumer groups. At least
// once: outputs are acknowledged before the positions behind them are committed, and state is
// written after both. Exactly once: outputs and positions are one transaction, and state is written
// after it.

#include <random>

#include "base/status_macros.h"
#include "exec/connect/application_state.h"
#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka/kafka_admin.h"
#include "exec/connect/kafka/kafka_client.h"
#include "exec/connect/kafka/kafka_commit.h"
#include "exec/connect/kafka/kafka_group.h"
#include "exec/connect/kafka/kafka_producer.h"
#include "exec/connect/kafka/kafka_reader.h"
#include "exec/connect/kafka/kafka_topics.h"
#include "exec/connect/kafka/kafka_transaction.h"
#include "exec/connect/store/rocks_store.h"
#include "exec/connect/topic.h"

namespace weir {
namespace {

/// Processes of one application on one machine that may keep state beside each other.
constexpr int kStateDirectoriesMax = 64;

/// The first directory <state_dir>/<application id>/<n> that no other process has open.
Result<std::shared_ptr<RocksStore>> OpenStateStore(const BrokerOptions& options) {
  TopicInfo name;
  name.name = options.application_id;
  name.partitions = 1;
  if (!CheckTopicInfo(name).ok()) {
    return Status(ErrorCode::kInvalidOption, "not an application id: " + options.application_id)
        .WithHint("letters, digits, '.', '_' and '-', at most 249 of them");
  }
  const std::string base = ApplicationStateFolder(options.state_dir, options.application_id) + "/";
  for (int n = 0; n + 1 < kStateDirectoriesMax; ++n) {
    auto store = RocksStore::Open(base + std::to_string(n), false, options.memory_limit);
    if (store.ok() || store.status().code() != ErrorCode::kStoreLocked) return store;
  }
  return RocksStore::Open(base + std::to_string(kStateDirectoriesMax - 1), false,
                          options.memory_limit);
}

/// What this copy is called in its transactional ids: kept in its store, so that a restarted copy
/// ends at once what its dead predecessor left open.
Result<std::string> CopyId(RocksStore& store, bool sync) {
  constexpr std::string_view kKey = "copy id";  // Beside the state, which has a prefix.
  std::string id;
  const rocksdb::Status read = store.db().Get({}, store.main(), ToSlice(kKey), &id);
  if (read.ok()) return id;
  if (!read.IsNotFound()) return FromRocks(read, "the copy's id cannot be read");
  std::random_device random;
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) id += kDigits[random() % kDigits.size()];
  rocksdb::WriteBatch batch;
  batch.Put(store.main(), ToSlice(kKey), id).PermitUncheckedError();
  WEIR_RETURN_IF_ERROR(store.Write(batch, sync));
  return id;
}

BufferedCommitUnit::Apply StateWriter(std::shared_ptr<RocksStore> store, bool sync) {
  return [store = std::move(store), sync](CommitBuffer& buffer) {
    if (!buffer.appends.empty()) {
      return Status(ErrorCode::kInternal, "a unit of state takes no records");
    }
    if (buffer.changes->list.empty() && buffer.last_changes.list.empty()) return OkStatus();
    rocksdb::WriteBatch batch;
    AddStateChanges(buffer.changes->list, *store, batch);
    AddStateChanges(buffer.last_changes.list, *store, batch);
    return store->Write(batch, sync);
  };
}

class KafkaBroker final : public Broker {
 public:
  static Result<std::unique_ptr<Broker>> Open(const BrokerOptions& options) {
    std::unique_ptr<KafkaBroker> broker(new KafkaBroker(options));
    // A producer's handle, as it subscribes to nothing; it only asks.
    WEIR_ASSIGN_OR_RETURN(auto client, KafkaClient::Make(RD_KAFKA_PRODUCER, options, "admin", {}));
    broker->admin_ = std::make_unique<KafkaAdmin>(options, client);
    broker->topics_ = std::make_shared<KafkaTopics>(std::move(client), options.brokers);
    WEIR_RETURN_IF_ERROR(broker->topics_->CheckCluster());
    WEIR_ASSIGN_OR_RETURN(broker->producer_, KafkaProducer::Make(options, broker->topics_));
    if (options.application_id.empty()) {
      WEIR_ASSIGN_OR_RETURN(broker->memory_, OpenMemoryBroker());
    } else {
      WEIR_ASSIGN_OR_RETURN(broker->store_, OpenStateStore(options));
      broker->state_ = std::make_unique<RocksState>(broker->store_);
      WEIR_ASSIGN_OR_RETURN(std::string copy, CopyId(*broker->store_, options.sync_commits));
      broker->transactions_ =
          std::make_shared<KafkaTransactions>(options, broker->topics_, std::move(copy));
    }
    return std::unique_ptr<Broker>(std::move(broker));
  }

  ~KafkaBroker() override { producer_ = nullptr; }

  Status CreateTopic(const TopicInfo& info) override { return topics_->Create(info); }
  Status DeleteTopic(std::string_view name) override { return topics_->Delete(name); }
  Result<TopicInfo> DescribeTopic(std::string_view name) override {
    return topics_->Describe(name);
  }
  Result<std::vector<TopicInfo>> ListTopics() override { return topics_->List(); }
  Result<std::vector<int64_t>> EndOffsets(std::string_view topic) override {
    return topics_->EndOffsets(topic);
  }
  Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view name) override {
    WEIR_ASSIGN_OR_RETURN(auto session, KafkaReadSession::Make(options_, topics_, name));
    return std::unique_ptr<ReadSession>(std::move(session));
  }

  std::unique_ptr<CommitUnit> NewCommitUnit(std::string_view query_id,
                                            Guarantee guarantee) override {
    if (store_ != nullptr) {
      auto write = StateWriter(store_, options_.sync_commits);
      if (guarantee == Guarantee::kExactlyOnce) {
        return std::make_unique<KafkaTransactionUnit>(transactions_, query_id, std::move(write));
      }
      return std::make_unique<KafkaCommitUnit>(producer_, std::move(write));
    }
    return std::make_unique<KafkaCommitUnit>(
        producer_, [id = std::string(query_id)](CommitBuffer& buffer) {
          // What DROP clears away was never kept.
          if (buffer.changes->list.empty() || id == "catalog") return OkStatus();
          return Status(ErrorCode::kInvalidOption,
                        "a query that writes needs an application id on Kafka, query: " + id)
              .WithHint(
                  "give --application-id, which names its state; SELECT without CREATE or "
                  "INSERT needs none");
        });
  }

  StateBackend& state() override { return store_ != nullptr ? *state_ : memory_->state(); }

  Status AppendDurably(std::string_view topic, int32_t partition,
                       RecordBatchBuilder& records) override {
    if (records.size() == 0) return OkStatus();
    const KafkaDelivery::Owned delivery = KafkaDelivery::Make();
    WEIR_RETURN_IF_ERROR(producer_->Send(topic, partition, records, *delivery));
    return delivery->Wait();
  }

  std::string_view kind() const override { return "kafka"; }
  bool shares_work() const override { return store_ != nullptr; }
  std::string_view application_id() const override { return options_.application_id; }
  Result<std::unique_ptr<PartitionGroup>> JoinGroup(const GroupOptions& options) override {
    if (store_ == nullptr) return Broker::JoinGroup(options);
    WEIR_ASSIGN_OR_RETURN(auto group, KafkaGroup::Join(options_, options));
    return std::unique_ptr<PartitionGroup>(std::move(group));
  }
  Result<std::unique_ptr<CommitUnit>> NewStateUnit() override {
    if (store_ == nullptr) return Broker::NewStateUnit();
    return std::unique_ptr<CommitUnit>(
        std::make_unique<BufferedCommitUnit>(StateWriter(store_, false)));
  }
  Status LoadState(const std::vector<StateEntry>& sorted) override {
    return store_ == nullptr ? Broker::LoadState(sorted) : store_->Load(sorted);
  }
  Result<int32_t> CountPartitions(std::string_view topic) override {
    return topics_->CountNow(topic);
  }
  Result<int64_t> WriteEnd(std::string_view topic, int32_t partition) override {
    return admin_->WriteEnd(topic, partition);
  }
  Status DeleteRecordsBefore(std::string_view topic,
                             const std::vector<std::pair<int32_t, int64_t>>& offsets) override {
    return admin_->DeleteRecordsBefore(topic, offsets);
  }
  Result<std::vector<std::optional<GroupOffset>>> CommittedOffsets(std::string_view group,
                                                                   std::string_view topic,
                                                                   int32_t partitions) override {
    return admin_->CommittedOffsets(group, topic, partitions);
  }
  Result<std::vector<GroupMember>> DescribeGroup(std::string_view group) override {
    return admin_->DescribeGroup(group);
  }
  Result<std::vector<std::string>> ListGroups(std::string_view prefix) override {
    return admin_->ListGroups(prefix);
  }
  Status DeleteGroup(std::string_view group) override { return admin_->DeleteGroup(group); }
  TransactionCounts TransactionCountsOf(std::string_view query_id) override {
    return transactions_ == nullptr ? TransactionCounts{} : transactions_->CountsOf(query_id);
  }

  Status Close() override {
    if (transactions_ != nullptr) transactions_->Close();
    producer_->Close();
    return OkStatus();
  }

 private:
  explicit KafkaBroker(const BrokerOptions& options) : options_(options) {}

  const BrokerOptions options_;
  std::shared_ptr<KafkaTopics> topics_;
  std::unique_ptr<KafkaAdmin> admin_;
  std::shared_ptr<KafkaProducer> producer_;
  std::shared_ptr<KafkaTransactions> transactions_;  ///< Of an application.
  /// State of an application; without an application id only an empty state to read from.
  std::shared_ptr<RocksStore> store_;
  std::unique_ptr<RocksState> state_;
  std::unique_ptr<Broker> memory_;
};

}  // namespace

Result<std::unique_ptr<Broker>> OpenKafkaBroker(const BrokerOptions& options) {
  return KafkaBroker::Open(options);
}

}  // namespace weir
