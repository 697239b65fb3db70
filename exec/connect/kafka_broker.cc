// Topics on a Kafka cluster, state in a local directory. At least once: outputs are acknowledged
// before the positions behind them are written.

#include <cstdlib>
#include <filesystem>

#include "base/status_macros.h"
#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka_client.h"
#include "exec/connect/kafka_commit.h"
#include "exec/connect/kafka_reader.h"
#include "exec/connect/kafka_topics.h"
#include "exec/connect/rocks_store.h"
#include "exec/connect/topic.h"

namespace weir {
namespace {

/// Processes of one application on one machine that may keep state beside each other.
constexpr int kStateDirectoriesMax = 64;

std::string DefaultStateDirectory() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/weir";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') home = ".";
  return std::string(home) + "/.local/state/weir";
}

/// The first directory <state_dir>/<application id>/<n> that no other process has open.
Result<std::shared_ptr<RocksStore>> OpenStateStore(const BrokerOptions& options) {
  TopicInfo name;
  name.name = options.application_id;
  name.partitions = 1;
  if (!CheckTopicInfo(name).ok()) {
    return Status(ErrorCode::kInvalidOption, "not an application id: " + options.application_id)
        .WithHint("letters, digits, '.', '_' and '-', at most 249 of them");
  }
  const std::string base =
      (options.state_dir.empty() ? DefaultStateDirectory() : options.state_dir) + "/" +
      options.application_id + "/";
  for (int n = 0; n + 1 < kStateDirectoriesMax; ++n) {
    auto store = RocksStore::Open(base + std::to_string(n), false);
    if (store.ok() || store.status().code() != ErrorCode::kStoreLocked) return store;
  }
  return RocksStore::Open(base + std::to_string(kStateDirectoriesMax - 1), false);
}

class KafkaBroker final : public Broker {
 public:
  static Result<std::unique_ptr<Broker>> Open(const BrokerOptions& options) {
    std::unique_ptr<KafkaBroker> broker(new KafkaBroker(options));
    // A producer's handle, as it subscribes to nothing; it only asks.
    WEIR_ASSIGN_OR_RETURN(auto client, KafkaClient::Make(RD_KAFKA_PRODUCER, options, "admin", {}));
    broker->topics_ = std::make_shared<KafkaTopics>(std::move(client), options.brokers);
    WEIR_RETURN_IF_ERROR(broker->topics_->CheckCluster());
    WEIR_ASSIGN_OR_RETURN(broker->producer_, KafkaProducer::Make(options, broker->topics_));
    if (options.application_id.empty()) {
      WEIR_ASSIGN_OR_RETURN(broker->memory_, OpenMemoryBroker());
    } else {
      WEIR_ASSIGN_OR_RETURN(broker->store_, OpenStateStore(options));
      broker->state_ = std::make_unique<RocksState>(broker->store_);
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
                                            Guarantee) override {
    if (store_ != nullptr) {
      return std::make_unique<KafkaCommitUnit>(
          producer_, [store = store_, sync = options_.sync_commits](CommitBuffer& buffer) {
            if (buffer.changes.empty()) return OkStatus();
            rocksdb::WriteBatch batch;
            AddStateChanges(buffer.changes, *store, batch);
            return store->Write(batch, sync);
          });
    }
    return std::make_unique<KafkaCommitUnit>(
        producer_, [id = std::string(query_id)](CommitBuffer& buffer) {
          // What DROP clears away was never kept.
          if (buffer.changes.empty() || id == "catalog") return OkStatus();
          return Status(ErrorCode::kInvalidOption,
                        "a query that writes needs an application id on Kafka, query: " + id)
              .WithHint("give --application-id, which names its state; SELECT without CREATE or "
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
  Status Close() override {
    producer_->Close();
    return OkStatus();
  }

 private:
  explicit KafkaBroker(const BrokerOptions& options) : options_(options) {}

  const BrokerOptions options_;
  std::shared_ptr<KafkaTopics> topics_;
  std::shared_ptr<KafkaProducer> producer_;
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
