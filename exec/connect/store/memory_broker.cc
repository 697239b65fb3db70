// Topics and state in memory, gone with the engine: for tests, `weir test`, and the prompt without
// a directory.

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/record_merge.h"
#include "exec/connect/topic.h"
#include "exec/connect/versioned_state.h"

namespace weir {
namespace {

struct MemoryBlock {
  int64_t base_offset = 0;
  int64_t timestamp_max = 0;
  std::shared_ptr<const RecordBatch> records;
};

struct MemoryPartition {
  std::vector<MemoryBlock> blocks;
  int64_t end_offset = 0;
  int64_t timestamp_max = INT64_MIN;

  int64_t first_offset() const { return blocks.empty() ? end_offset : blocks.front().base_offset; }
};

struct MemoryTopic {
  TopicInfo info;
  mutable std::shared_mutex mutex;
  std::vector<MemoryPartition> partitions;
};

/// All that readers and commit units share; outlives the broker while one of them lives.
struct MemoryStore {
  std::shared_mutex mutex;  ///< Guards `topics`; held while a commit is carried out.
  std::map<std::string, std::shared_ptr<MemoryTopic>, std::less<>> topics;
  const std::shared_ptr<VersionedState> state = std::make_shared<VersionedState>();
  WakeList wake_list;
  BrokerOptions options;

  Result<std::shared_ptr<MemoryTopic>> Find(std::string_view name) {
    std::shared_lock lock(mutex);
    const auto found = topics.find(name);
    if (found == topics.end()) return UnknownTopic(name);
    return found->second;
  }
};

class MemoryReader final : public PartitionReader {
 public:
  MemoryReader(std::shared_ptr<MemoryTopic> topic, int32_t partition, int64_t position)
      : topic_(std::move(topic)), partition_(partition), position_(position) {}

  Status Fetch(int32_t rows_max, size_t bytes_max, RecordBatch& out) override {
    out.Clear();
    out.partition = partition_;
    std::shared_lock lock(topic_->mutex);
    const MemoryPartition& from = topic_->partitions[static_cast<size_t>(partition_)];
    if (position_ < from.first_offset()) {
      return Status(ErrorCode::kOffsetOutOfRange, "topic " + topic_->info.name +
                                                      " no longer keeps the offset " +
                                                      std::to_string(position_));
    }
    auto block = std::upper_bound(
        from.blocks.begin(), from.blocks.end(), position_,
        [](int64_t offset, const MemoryBlock& each) { return offset < each.base_offset; });
    if (block == from.blocks.begin() || position_ >= from.end_offset) return OkStatus();
    RecordMerge merge(rows_max, bytes_max, out);
    for (--block; block != from.blocks.end(); ++block) {
      const auto first = static_cast<int32_t>(std::max<int64_t>(position_ - block->base_offset, 0));
      if (!merge.Add(*block->records, first, block->base_offset)) break;
    }
    merge.Finish();
    if (out.size() > 0) position_ = out.offsets.back() + 1;
    return OkStatus();
  }

  int64_t position() const override { return position_; }
  int64_t end_offset() const override {
    std::shared_lock lock(topic_->mutex);
    return topic_->partitions[static_cast<size_t>(partition_)].end_offset;
  }

 private:
  std::shared_ptr<MemoryTopic> topic_;
  int32_t partition_;
  int64_t position_;
};

int64_t FirstPosition(const MemoryPartition& partition, StartPosition start) {
  switch (start.kind) {
    case StartPosition::Kind::kEarliest: return partition.first_offset();
    case StartPosition::Kind::kLatest: return partition.end_offset;
    case StartPosition::Kind::kOffset: return start.value;
    case StartPosition::Kind::kTimestamp:
      for (const MemoryBlock& block : partition.blocks) {
        if (block.timestamp_max < start.value) continue;
        const auto& times = block.records->timestamps;
        const auto found = std::find_if(times.begin(), times.end(),
                                        [&](int64_t time) { return time >= start.value; });
        return block.base_offset + (found - times.begin());
      }
      return partition.end_offset;
  }
  return 0;
}

class MemoryReadSession final : public ReadSession {
 public:
  explicit MemoryReadSession(std::shared_ptr<MemoryStore> store)
      : store_(std::move(store)), wake_(store_->wake_list.Add()) {}

  Result<std::unique_ptr<PartitionReader>> Open(std::string_view topic, int32_t partition,
                                                StartPosition start) override {
    auto found = store_->Find(topic);
    if (!found.ok()) return found.status();
    std::shared_ptr<MemoryTopic> memory_topic = *found;
    std::shared_lock lock(memory_topic->mutex);
    const auto count = static_cast<int32_t>(memory_topic->partitions.size());
    if (partition < 0 || partition >= count) return UnknownPartition(topic, partition, count);
    const int64_t position =
        FirstPosition(memory_topic->partitions[static_cast<size_t>(partition)], start);
    return std::unique_ptr<PartitionReader>(
        std::make_unique<MemoryReader>(memory_topic, partition, position));
  }

  void SetListener(std::function<void()> listener) override {
    std::lock_guard lock(wake_->mutex);
    wake_->listener = std::move(listener);
  }

  ~MemoryReadSession() override { SetListener({}); }

 private:
  std::shared_ptr<MemoryStore> store_;
  std::shared_ptr<WakeList::Entry> wake_;
};

void AppendBlock(MemoryTopic& topic, PendingAppend& append, int64_t now_ms) {
  std::unique_lock lock(topic.mutex);
  MemoryPartition& to = topic.partitions[static_cast<size_t>(append.partition)];
  const auto& times = append.records.timestamps;
  MemoryBlock block;
  block.base_offset = to.end_offset;
  block.timestamp_max = *std::max_element(times.begin(), times.end());
  to.end_offset += append.records.size();
  to.timestamp_max = std::max(to.timestamp_max, block.timestamp_max);
  append.records.append_times.assign(times.size(), now_ms);
  block.records = std::make_shared<const RecordBatch>(std::move(append.records));
  to.blocks.push_back(std::move(block));
  const int64_t kept_from = KeptFrom(topic.info, to.timestamp_max);
  size_t expired = 0;
  while (expired + 1 < to.blocks.size() && to.blocks[expired].timestamp_max < kept_from) {
    ++expired;
  }
  to.blocks.erase(to.blocks.begin(), to.blocks.begin() + static_cast<std::ptrdiff_t>(expired));
}

/// Carries a commit out: everything is checked before anything is changed.
Status ApplyToMemory(MemoryStore& store, CommitBuffer& buffer) {
  std::vector<std::shared_ptr<MemoryTopic>> topics;
  for (const PendingAppend& append : buffer.appends) {
    auto topic = store.Find(append.topic);
    if (!topic.ok()) return topic.status();
    const int32_t count = (*topic)->info.partitions;
    if (append.partition < 0 || append.partition >= count) {
      return UnknownPartition(append.topic, append.partition, count);
    }
    topics.push_back(*topic);
  }
  {
    std::unique_lock lock(store.mutex);
    for (size_t i = 0; i < topics.size(); ++i) {
      AppendBlock(*topics[i], buffer.appends[i], AppendTime(store.options));
    }
    store.state->Apply({buffer.changes->list, buffer.last_changes.list});
  }
  if (!buffer.appends.empty()) store.wake_list.Wake();
  return OkStatus();
}

class MemoryBroker final : public Broker {
 public:
  explicit MemoryBroker(const BrokerOptions& options) : store_(std::make_shared<MemoryStore>()) {
    store_->options = options;
  }

  Status CreateTopic(const TopicInfo& info) override {
    if (Status status = CheckTopicInfo(info); !status.ok()) return status;
    auto topic = std::make_shared<MemoryTopic>();
    topic->info = info;
    topic->partitions.resize(static_cast<size_t>(info.partitions));
    std::unique_lock lock(store_->mutex);
    if (!store_->topics.emplace(info.name, std::move(topic)).second) {
      return Status(ErrorCode::kAlreadyExists, "the topic exists: " + info.name);
    }
    return OkStatus();
  }

  Status DeleteTopic(std::string_view name) override {
    std::unique_lock lock(store_->mutex);
    const auto found = store_->topics.find(name);
    if (found == store_->topics.end()) return UnknownTopic(name);
    store_->topics.erase(found);
    return OkStatus();
  }

  Result<TopicInfo> DescribeTopic(std::string_view name) override {
    auto topic = store_->Find(name);
    if (!topic.ok()) return topic.status();
    return (*topic)->info;
  }

  Result<std::vector<TopicInfo>> ListTopics() override {
    std::shared_lock lock(store_->mutex);
    std::vector<TopicInfo> infos;
    for (const auto& [name, topic] : store_->topics) infos.push_back(topic->info);
    return infos;
  }

  Result<std::vector<int64_t>> EndOffsets(std::string_view name) override {
    // A commit holds the store while it appends: its partitions are seen together or not at all.
    std::shared_lock store_lock(store_->mutex);
    const auto topic = store_->topics.find(name);
    if (topic == store_->topics.end()) return UnknownTopic(name);
    std::shared_lock lock(topic->second->mutex);
    std::vector<int64_t> ends;
    for (const MemoryPartition& partition : topic->second->partitions) {
      ends.push_back(partition.end_offset);
    }
    return ends;
  }

  Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view) override {
    return std::unique_ptr<ReadSession>(std::make_unique<MemoryReadSession>(store_));
  }

  std::unique_ptr<CommitUnit> NewCommitUnit(std::string_view, Guarantee) override {
    return std::make_unique<BufferedCommitUnit>(
        [store = store_](CommitBuffer& buffer) { return ApplyToMemory(*store, buffer); });
  }

  StateBackend& state() override { return *store_->state; }

  Status AppendDurably(std::string_view topic, int32_t partition,
                       RecordBatchBuilder& records) override {
    if (records.size() == 0) return OkStatus();
    CommitBuffer buffer;
    Status status = TakeRecords(topic, partition, records, buffer.appends.emplace_back());
    return status.ok() ? ApplyToMemory(*store_, buffer) : status;
  }

  std::string_view kind() const override { return "memory"; }
  Status Close() override { return OkStatus(); }

 private:
  std::shared_ptr<MemoryStore> store_;
};

}  // namespace

Result<std::unique_ptr<Broker>> OpenMemoryBroker(const BrokerOptions& options) {
  return std::unique_ptr<Broker>(std::make_unique<MemoryBroker>(options));
}

}  // namespace weir
