// Topics and state in one directory. Commits are one write batch each: outputs, state and positions
// together, synced unless durability is left to the process.

#include "exec/connect/record_merge.h"
#include "exec/connect/store/local_store.h"
#include "exec/connect/topic.h"

namespace weir {
namespace {

class LocalReader final : public PartitionReader {
 public:
  LocalReader(std::shared_ptr<LocalStore> store, std::shared_ptr<LocalTopic> topic,
              int32_t partition, int64_t position)
      : store_(std::move(store)),
        topic_(std::move(topic)),
        partition_(partition),
        position_(position) {}

  Status Fetch(int32_t rows_max, size_t bytes_max, RecordBatch& out) override {
    out.Clear();
    out.partition = partition_;
    {
      std::shared_lock lock(topic_->mutex);
      const LocalPartition& bounds = Bounds();
      if (topic_->deleted) return UnknownTopic(topic_->info.name);
      if (position_ < bounds.first_offset) {
        return Status(ErrorCode::kOffsetOutOfRange, "topic " + topic_->info.name +
                                                        " no longer keeps the offset " +
                                                        std::to_string(position_));
      }
      if (position_ >= bounds.end_offset) return OkStatus();
    }
    RecordMerge merge(rows_max, bytes_max, out);
    bool more = true;
    while (more) {
      if (position_ < base_ || position_ >= base_ + block_.size()) {
        auto found = store_->ReadBlockAt(*topic_, partition_, position_, block_, base_);
        if (!found.ok() || !*found) block_.Clear();
        if (!found.ok()) return found.status();
        if (!*found) break;
      }
      more = merge.Add(block_, static_cast<int32_t>(position_ - base_), base_);
      if (out.size() > 0) position_ = out.offsets.back() + 1;
    }
    merge.Finish();
    return OkStatus();
  }

  int64_t position() const override { return position_; }
  int64_t end_offset() const override {
    std::shared_lock lock(topic_->mutex);
    return Bounds().end_offset;
  }

 private:
  const LocalPartition& Bounds() const {
    return topic_->partitions[static_cast<size_t>(partition_)];
  }

  std::shared_ptr<LocalStore> store_;
  std::shared_ptr<LocalTopic> topic_;
  int32_t partition_;
  int64_t position_;
  /// The block last read, part of which may still be to come.
  RecordBatch block_;
  int64_t base_ = 0;
};

class LocalReadSession final : public ReadSession {
 public:
  explicit LocalReadSession(std::shared_ptr<LocalStore> store)
      : store_(std::move(store)), wake_(store_->wake_list().Add()) {}
  ~LocalReadSession() override { SetListener({}); }

  Result<std::unique_ptr<PartitionReader>> Open(std::string_view topic, int32_t partition,
                                                StartPosition start) override {
    auto found = store_->Find(topic);
    if (!found.ok()) return found.status();
    const std::shared_ptr<LocalTopic> local = *found;
    if (partition < 0 || partition >= local->info.partitions) {
      return UnknownPartition(topic, partition, local->info.partitions);
    }
    auto position = FirstPosition(*local, partition, start);
    if (!position.ok()) return position.status();
    return std::unique_ptr<PartitionReader>(
        std::make_unique<LocalReader>(store_, local, partition, *position));
  }

  void SetListener(std::function<void()> listener) override {
    std::lock_guard lock(wake_->mutex);
    wake_->listener = std::move(listener);
  }

 private:
  Result<int64_t> FirstPosition(const LocalTopic& topic, int32_t partition, StartPosition start) {
    if (start.kind == StartPosition::Kind::kTimestamp) {
      return store_->FindTimestamp(topic, partition, start.value);
    }
    if (start.kind == StartPosition::Kind::kOffset) return start.value;
    std::shared_lock lock(topic.mutex);
    const LocalPartition& bounds = topic.partitions[static_cast<size_t>(partition)];
    return start.kind == StartPosition::Kind::kEarliest ? bounds.first_offset : bounds.end_offset;
  }

  std::shared_ptr<LocalStore> store_;
  std::shared_ptr<WakeList::Entry> wake_;
};

class LocalBroker final : public Broker {
 public:
  explicit LocalBroker(std::shared_ptr<LocalStore> store)
      : store_(std::move(store)), state_(store_->rocks()) {}
  ~LocalBroker() override { store_->Close(); }

  Status CreateTopic(const TopicInfo& info) override { return store_->CreateTopic(info); }
  Status DeleteTopic(std::string_view name) override { return store_->DeleteTopic(name); }
  Result<TopicInfo> DescribeTopic(std::string_view name) override {
    auto topic = store_->Find(name);
    if (!topic.ok()) return topic.status();
    return (*topic)->info;
  }
  Result<std::vector<TopicInfo>> ListTopics() override { return store_->ListTopics(); }
  Result<std::vector<int64_t>> EndOffsets(std::string_view name) override {
    auto topic = store_->Find(name);
    if (!topic.ok()) return topic.status();
    std::shared_lock lock((*topic)->mutex);
    std::vector<int64_t> ends;
    for (const LocalPartition& bounds : (*topic)->partitions) ends.push_back(bounds.end_offset);
    return ends;
  }
  Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view) override {
    return std::unique_ptr<ReadSession>(std::make_unique<LocalReadSession>(store_));
  }
  std::unique_ptr<CommitUnit> NewCommitUnit(std::string_view, Guarantee) override {
    return std::make_unique<BufferedCommitUnit>(
        [store = store_](CommitBuffer& buffer) { return store->Apply(buffer); });
  }
  StateBackend& state() override { return state_; }
  Status AppendDurably(std::string_view topic, int32_t partition,
                       RecordBatchBuilder& records) override {
    if (records.size() == 0) return OkStatus();
    CommitBuffer buffer;
    Status status = TakeRecords(topic, partition, records, buffer.appends.emplace_back());
    return status.ok() ? store_->Apply(buffer) : status;
  }
  std::string_view kind() const override { return "local"; }
  Status Close() override {
    store_->Close();
    return OkStatus();
  }

 private:
  std::shared_ptr<LocalStore> store_;
  RocksState state_;
};

}  // namespace

Result<std::unique_ptr<Broker>> OpenLocalBroker(const BrokerOptions& options) {
  auto store = LocalStore::Open(options);
  if (!store.ok()) return store.status();
  return std::unique_ptr<Broker>(std::make_unique<LocalBroker>(std::move(*store)));
}

}  // namespace weir
