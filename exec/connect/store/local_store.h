#pragma once

// Topics in a RocksDB directory: what the local broker's readers and commits share.

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/store/local_block.h"
#include "exec/connect/store/rocks_store.h"

namespace weir {

/// Where a partition begins and ends. Guarded by its topic's mutex.
struct LocalPartition {
  int64_t first_offset = 0;
  int64_t end_offset = 0;
  int64_t timestamp_max = INT64_MIN;
  int64_t first_block_timestamp_max = INT64_MAX;
  uint64_t trimmed_bytes = 0;  ///< Trimmed since the range was last compacted.
};

struct LocalTopic {
  TopicInfo info;
  uint32_t id = 0;
  mutable std::shared_mutex mutex;
  bool deleted = false;
  std::vector<LocalPartition> partitions;
};

/// Safe from any thread. Shared by the broker, its sessions and its commit units; the database
/// closes with the last of them.
class LocalStore {
 public:
  static Result<std::shared_ptr<LocalStore>> Open(const BrokerOptions& options);
  ~LocalStore();

  Status CreateTopic(const TopicInfo& info);
  Status DeleteTopic(std::string_view name);
  Result<std::shared_ptr<LocalTopic>> Find(std::string_view name);
  std::vector<TopicInfo> ListTopics();
  /// Carries a commit out in one write batch, then wakes readers.
  Status Apply(CommitBuffer& buffer);
  /// Refuses further commits.
  void Close();

  /// The block that holds `offset`, in place; its base offset in `base`. False: there is none.
  Result<bool> ReadBlockAt(const LocalTopic& topic, int32_t partition, int64_t offset,
                           RecordBatch& out, int64_t& base);
  /// Offset of the first record at or after `timestamp_ms`, or the end.
  Result<int64_t> FindTimestamp(const LocalTopic& topic, int32_t partition, int64_t timestamp_ms);

  const std::shared_ptr<RocksStore>& rocks() { return rocks_; }
  WakeList& wake_list() { return wake_list_; }

 private:
  explicit LocalStore(const BrokerOptions& options);
  Status LoadTopics();
  Status LoadPartition(LocalTopic& topic, int32_t partition);
  Status AddAppend(const PendingAppend& append, LocalTopic& topic, LocalPartition& to,
                   rocksdb::WriteBatch& batch);
  Status Trim(LocalTopic& topic);
  void CompactInBackground(std::string from, std::string to);
  void Housekeep();

  bool sync_;
  const size_t kept_batch_bytes_max_;
  std::function<void(int, std::string_view)> log_;
  std::function<int64_t()> now_ms_;  ///< The time of an append.
  std::shared_ptr<RocksStore> rocks_;
  WakeList wake_list_;
  std::mutex append_mutex_;  ///< One commit at a time hands out offsets.
  std::shared_mutex topics_mutex_;
  std::map<std::string, std::shared_ptr<LocalTopic>, std::less<>> topics_;
  uint32_t next_topic_id_ = 1;
  // Of the commit under way; they keep their memory for the next.
  rocksdb::WriteBatch batch_;
  LocalBlock block_;
  std::vector<rocksdb::Slice> block_parts_;
  bool closed_ = false;

  std::mutex work_mutex_;
  std::condition_variable work_ready_;
  std::deque<std::pair<std::string, std::string>> compactions_;
  bool stopping_ = false;
  std::thread housekeeper_;  ///< Started by the first compaction.
};

}  // namespace weir
