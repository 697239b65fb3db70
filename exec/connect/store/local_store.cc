#include "exec/connect/store/local_store.h"

#include <algorithm>

#include "base/fault_points.h"
#include "base/memory_shares.h"

namespace weir {
namespace {

constexpr char kTopicPrefix = 't';
constexpr char kNotePrefix = 'i';
constexpr std::string_view kNextTopicId = "next_topic_id";
/// Trimmed bytes of a partition that are worth a compaction of their range.
constexpr uint64_t kCompactBytesMin = 64u << 20;
/// Of a change in a write batch besides its texts, roughly.
constexpr size_t kChangeBytes = 8;

std::string TopicKey(std::string_view name) { return kTopicPrefix + std::string(name); }
std::string NoteKey(const std::string& block_key) { return kNotePrefix + block_key; }

PartitionRef RefOf(const LocalTopic& topic, int32_t partition) {
  return {topic.id, static_cast<uint32_t>(partition)};
}

/// A topic's entry: fields separated by line ends.
std::string EncodeTopic(const LocalTopic& topic) {
  const TopicInfo& info = topic.info;
  return std::to_string(topic.id) + "\n" + std::to_string(info.partitions) + "\n" +
         (info.compacted ? "1" : "0") + "\n" + std::to_string(info.retention_ms) + "\n" +
         (info.internal ? "1" : "0") + "\n";
}

bool DecodeTopic(std::string_view text, LocalTopic& topic) {
  int64_t fields[5];
  for (int64_t& field : fields) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos || end == 0) return false;
    field = std::strtoll(std::string(text.substr(0, end)).c_str(), nullptr, 10);
    text.remove_prefix(end + 1);
  }
  topic.id = static_cast<uint32_t>(fields[0]);
  topic.info.partitions = static_cast<int32_t>(fields[1]);
  topic.info.compacted = fields[2] != 0;
  topic.info.retention_ms = fields[3];
  topic.info.internal = fields[4] != 0;
  return topic.info.partitions >= 1 && topic.info.partitions <= 100000;
}

Status Damaged(const LocalTopic& topic, int32_t partition, int64_t offset) {
  return Status(ErrorCode::kStoreCorrupt,
                "a block of records is damaged, topic " + topic.info.name + ", partition " +
                    std::to_string(partition) + ", offset " + std::to_string(offset));
}

}  // namespace

LocalStore::LocalStore(const BrokerOptions& options)
    : sync_(options.sync_commits),
      kept_batch_bytes_max_(static_cast<size_t>(MemoryShares::Of(options.memory_limit).commit)),
      log_(options.log),
      now_ms_([options] { return AppendTime(options); }) {}

Result<std::shared_ptr<LocalStore>> LocalStore::Open(const BrokerOptions& options) {
  auto rocks = RocksStore::Open(options.directory, true, options.memory_limit);
  if (!rocks.ok()) return rocks.status();
  std::shared_ptr<LocalStore> store(new LocalStore(options));
  store->rocks_ = std::move(*rocks);
  if (Status status = store->LoadTopics(); !status.ok()) return status;
  return store;
}

LocalStore::~LocalStore() {
  {
    std::lock_guard lock(work_mutex_);
    stopping_ = true;
  }
  work_ready_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
}

void LocalStore::Close() {
  std::lock_guard lock(append_mutex_);
  closed_ = true;
}

Status LocalStore::LoadTopics() {
  rocksdb::DB& db = rocks_->db();
  std::string next_id;
  const rocksdb::Status found = db.Get({}, rocks_->main(), ToSlice(kNextTopicId), &next_id);
  if (found.ok())
    next_topic_id_ = static_cast<uint32_t>(std::strtoul(next_id.c_str(), nullptr, 10));
  if (!found.ok() && !found.IsNotFound()) return FromRocks(found, "the store cannot be read");
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, rocks_->main()));
  for (at->Seek(TopicKey("")); at->Valid() && at->key().starts_with(TopicKey("")); at->Next()) {
    auto topic = std::make_shared<LocalTopic>();
    topic->info.name = ToView(at->key()).substr(1);
    if (!DecodeTopic(ToView(at->value()), *topic)) {
      return Status(ErrorCode::kStoreCorrupt,
                    "the store's entry of a topic is damaged: " + topic->info.name);
    }
    topic->partitions.resize(static_cast<size_t>(topic->info.partitions));
    for (int32_t i = 0; i < topic->info.partitions; ++i) {
      if (Status status = LoadPartition(*topic, i); !status.ok()) return status;
    }
    topics_.emplace(topic->info.name, std::move(topic));
  }
  return FromRocks(at->status(), "the store cannot be read");
}

Status LocalStore::LoadPartition(LocalTopic& topic, int32_t partition) {
  LocalPartition& to = topic.partitions[static_cast<size_t>(partition)];
  const std::string begin = NoteKey(BlockKey(RefOf(topic, partition), 0));
  const std::string end = NoteKey(PartitionEndKey(RefOf(topic, partition)));
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(rocks_->db().NewIterator(options, rocks_->main()));
  at->Seek(begin);
  BlockNote note;
  if (!at->Valid()) return FromRocks(at->status(), "the store cannot be read");
  if (!DecodeNote(ToView(at->value()), note)) return Damaged(topic, partition, 0);
  to.first_offset = BaseOffsetOf(ToView(at->key()));
  to.first_block_timestamp_max = note.timestamp_max;
  at->SeekToLast();
  if (!at->Valid() || !DecodeNote(ToView(at->value()), note)) return Damaged(topic, partition, 0);
  to.end_offset = BaseOffsetOf(ToView(at->key())) + note.rows;
  to.timestamp_max = note.timestamp_max_so_far;
  return OkStatus();
}

Status LocalStore::CreateTopic(const TopicInfo& info) {
  if (Status status = CheckTopicInfo(info); !status.ok()) return status;
  std::unique_lock lock(topics_mutex_);
  if (topics_.contains(info.name)) {
    return Status(ErrorCode::kAlreadyExists, "the topic exists: " + info.name);
  }
  auto topic = std::make_shared<LocalTopic>();
  topic->info = info;
  topic->id = next_topic_id_;
  topic->partitions.resize(static_cast<size_t>(info.partitions));
  rocksdb::WriteBatch batch;
  batch.Put(rocks_->main(), TopicKey(info.name), EncodeTopic(*topic)).PermitUncheckedError();
  batch.Put(rocks_->main(), ToSlice(kNextTopicId), std::to_string(next_topic_id_ + 1))
      .PermitUncheckedError();
  if (Status status = rocks_->Write(batch, sync_); !status.ok()) return status;
  ++next_topic_id_;
  topics_.emplace(info.name, std::move(topic));
  return OkStatus();
}

Status LocalStore::DeleteTopic(std::string_view name) {
  auto found = Find(name);
  if (!found.ok()) return found.status();
  const std::shared_ptr<LocalTopic> topic = *found;
  const std::string begin = BlockKey({topic->id, 0}, 0);
  const std::string end = BlockKey({topic->id + 1, 0}, 0);
  {
    std::lock_guard appends(append_mutex_);
    rocksdb::WriteBatch batch;
    batch.Delete(rocks_->main(), TopicKey(name)).PermitUncheckedError();
    batch.DeleteRange(rocks_->main(), NoteKey(begin), NoteKey(end)).PermitUncheckedError();
    batch.DeleteRange(rocks_->records(), begin, end).PermitUncheckedError();
    if (Status status = rocks_->Write(batch, sync_); !status.ok()) return status;
    std::unique_lock topics(topics_mutex_);
    topics_.erase(topics_.find(name));
    std::unique_lock lock(topic->mutex);
    topic->deleted = true;
  }
  CompactInBackground(begin, end);
  return OkStatus();
}

Result<std::shared_ptr<LocalTopic>> LocalStore::Find(std::string_view name) {
  std::shared_lock lock(topics_mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return UnknownTopic(name);
  return found->second;
}

std::vector<TopicInfo> LocalStore::ListTopics() {
  std::shared_lock lock(topics_mutex_);
  std::vector<TopicInfo> infos;
  for (const auto& [name, topic] : topics_) infos.push_back(topic->info);
  return infos;
}

/// Adds the blocks of one append to the batch, and moves `to` past them.
Status LocalStore::AddAppend(const PendingAppend& append, LocalTopic& topic, LocalPartition& to,
                             rocksdb::WriteBatch& batch) {
  const PartitionRef ref = RefOf(topic, append.partition);
  LocalBlock& block = block_;
  for (int32_t row = 0; row < append.records.size(); row += block.rows) {
    BuildBlock(append.records, row, to.end_offset, now_ms_(), block);
    const std::string key = BlockKey(ref, to.end_offset);
    const rocksdb::Slice key_part(key);
    block_parts_.clear();
    for (std::string_view part : block.parts) block_parts_.push_back(ToSlice(part));
    rocksdb::Status status =
        batch.Put(rocks_->records(), rocksdb::SliceParts(&key_part, 1),
                  rocksdb::SliceParts(block_parts_.data(), static_cast<int>(block_parts_.size())));
    if (to.end_offset == to.first_offset) to.first_block_timestamp_max = block.timestamp_max;
    to.timestamp_max = std::max(to.timestamp_max, block.timestamp_max);
    const BlockNote note{static_cast<uint32_t>(block.rows), block.timestamp_max, to.timestamp_max,
                         block.size};
    if (status.ok()) status = batch.Put(rocks_->main(), NoteKey(key), EncodeNote(note));
    if (!status.ok()) return FromRocks(status, "a commit is too large");
    to.end_offset += block.rows;
  }
  return OkStatus();
}

Status LocalStore::Apply(CommitBuffer& buffer) {
  std::vector<std::shared_ptr<LocalTopic>> topics;
  {
    std::lock_guard appends(append_mutex_);
    if (closed_) return Status(ErrorCode::kClosed, "the store is closed");
    // Work on copies of the ends: they count once the batch is written.
    std::map<std::pair<LocalTopic*, int32_t>, LocalPartition> ends;
    batch_.Clear();
    // Growing by and by would copy it often; each change has a few bytes more than its texts.
    const size_t changes = buffer.changes->list.size() + buffer.last_changes.list.size();
    const size_t bytes = buffer.bytes + changes * kChangeBytes;
    if (batch_.Data().capacity() < bytes) batch_ = rocksdb::WriteBatch(bytes);
    for (const PendingAppend& append : buffer.appends) {
      auto topic = Find(append.topic);
      if (!topic.ok()) return topic.status();
      if (append.partition < 0 || append.partition >= (*topic)->info.partitions) {
        return UnknownPartition(append.topic, append.partition, (*topic)->info.partitions);
      }
      auto [end, fresh] = ends.try_emplace({topic->get(), append.partition});
      if (fresh) {
        topics.push_back(*topic);
        end->second = (*topic)->partitions[static_cast<size_t>(append.partition)];
      }
      if (Status status = AddAppend(append, **topic, end->second, batch_); !status.ok()) {
        return status;
      }
    }
    AddStateChanges(buffer.changes->list, *rocks_, batch_);
    AddStateChanges(buffer.last_changes.list, *rocks_, batch_);
    PassFaultPoint("in_commit");
    if (Status status = rocks_->Write(batch_, sync_); !status.ok()) return status;
    PassFaultPoint("in_commit_written");
    if (batch_.GetDataSize() > kept_batch_bytes_max_) batch_ = rocksdb::WriteBatch();
    // All partitions of a topic at once: who reads them side by side takes one that has nothing new
    // for one that has ended.
    for (auto at = ends.begin(); at != ends.end();) {
      LocalTopic& topic = *at->first.first;
      std::unique_lock lock(topic.mutex);
      for (; at != ends.end() && at->first.first == &topic; ++at) {
        topic.partitions[static_cast<size_t>(at->first.second)] = at->second;
      }
    }
    for (const auto& topic : topics) {
      // What is kept too long does no harm: the commit stands, and the next one trims again.
      if (Status status = Trim(*topic); !status.ok() && log_) log_(3, status.message());
    }
  }
  if (!topics.empty()) wake_list_.Wake();
  return OkStatus();
}

/// Drops blocks whose records are all older than the topic keeps them, but never a partition's
/// last.
Status LocalStore::Trim(LocalTopic& topic) {
  if (topic.info.retention_ms < 0) return OkStatus();
  for (int32_t i = 0; i < topic.info.partitions; ++i) {
    LocalPartition end = topic.partitions[static_cast<size_t>(i)];
    const int64_t keep_from = KeptFrom(topic.info, end.timestamp_max);
    if (end.first_block_timestamp_max >= keep_from) continue;
    const PartitionRef ref = RefOf(topic, i);
    const std::string first = BlockKey(ref, end.first_offset);
    const std::string stop = NoteKey(PartitionEndKey(ref));
    const rocksdb::Slice upper(stop);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at(rocks_->db().NewIterator(options, rocks_->main()));
    BlockNote note;
    for (at->Seek(NoteKey(first)); at->Valid(); at->Next()) {
      if (!DecodeNote(ToView(at->value()), note)) return Damaged(topic, i, end.first_offset);
      end.first_offset = BaseOffsetOf(ToView(at->key()));
      end.first_block_timestamp_max = note.timestamp_max;
      if (note.timestamp_max >= keep_from || end.first_offset + note.rows >= end.end_offset) break;
      end.trimmed_bytes += note.bytes;
    }
    const std::string last = BlockKey(ref, end.first_offset);
    if (first == last) continue;
    rocksdb::WriteBatch batch;
    batch.DeleteRange(rocks_->main(), NoteKey(first), NoteKey(last)).PermitUncheckedError();
    batch.DeleteRange(rocks_->records(), first, last).PermitUncheckedError();
    if (Status status = rocks_->Write(batch, false); !status.ok()) return status;
    if (end.trimmed_bytes >= kCompactBytesMin) {
      end.trimmed_bytes = 0;
      CompactInBackground(BlockKey(ref, 0), last);
    }
    std::unique_lock lock(topic.mutex);
    topic.partitions[static_cast<size_t>(i)] = end;
  }
  return OkStatus();
}

Result<bool> LocalStore::ReadBlockAt(const LocalTopic& topic, int32_t partition, int64_t offset,
                                     RecordBatch& out, int64_t& base) {
  const PartitionRef ref = RefOf(topic, partition);
  auto value = std::make_shared<rocksdb::PinnableSlice>();
  base = offset;
  rocksdb::ReadOptions block_options;
  block_options.verify_checksums = false;  // Blocks have their own, see local_block.h.
  rocksdb::Status status =
      rocks_->db().Get(block_options, rocks_->records(), BlockKey(ref, base), value.get());
  if (status.IsNotFound()) {
    // The offset lies inside a block: the notes say where that begins.
    const std::string begin = NoteKey(BlockKey(ref, 0));
    const rocksdb::Slice lower(begin);
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    const std::unique_ptr<rocksdb::Iterator> at(rocks_->db().NewIterator(options, rocks_->main()));
    at->SeekForPrev(NoteKey(BlockKey(ref, offset)));
    if (!at->Valid()) {
      if (!at->status().ok()) return FromRocks(at->status(), "the store cannot be read");
      return false;
    }
    BlockNote note;
    if (!DecodeNote(ToView(at->value()), note)) return Damaged(topic, partition, offset);
    base = BaseOffsetOf(ToView(at->key()));
    if (base + note.rows <= offset) return false;
    status = rocks_->db().Get(block_options, rocks_->records(), BlockKey(ref, base), value.get());
    if (status.IsNotFound()) return Damaged(topic, partition, base);
  }
  if (!status.ok()) {
    return FromRocks(status, "records of topic " + topic.info.name + " cannot be read");
  }
  const auto* data = reinterpret_cast<const uint8_t*>(value->data());
  const size_t size = value->size();
  const auto bytes = std::make_shared<const Buffer>(data, size, std::move(value));
  if (!ReadBlock(bytes, base, out)) return Damaged(topic, partition, base);
  return true;
}

Result<int64_t> LocalStore::FindTimestamp(const LocalTopic& topic, int32_t partition,
                                          int64_t timestamp_ms) {
  const PartitionRef ref = RefOf(topic, partition);
  const std::string stop = NoteKey(PartitionEndKey(ref));
  const rocksdb::Slice upper(stop);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(rocks_->db().NewIterator(options, rocks_->main()));
  BlockNote note;
  for (at->Seek(NoteKey(BlockKey(ref, 0))); at->Valid(); at->Next()) {
    if (!DecodeNote(ToView(at->value()), note)) return Damaged(topic, partition, 0);
    if (note.timestamp_max < timestamp_ms) continue;
    RecordBatch block;
    int64_t base = 0;
    auto found = ReadBlockAt(topic, partition, BaseOffsetOf(ToView(at->key())), block, base);
    if (!found.ok()) return found.status();
    if (!*found) break;
    const auto first = std::find_if(block.timestamps.begin(), block.timestamps.end(),
                                    [&](int64_t time) { return time >= timestamp_ms; });
    return base + (first - block.timestamps.begin());
  }
  if (!at->status().ok()) return FromRocks(at->status(), "the store cannot be read");
  std::shared_lock lock(topic.mutex);
  return topic.partitions[static_cast<size_t>(partition)].end_offset;
}

void LocalStore::CompactInBackground(std::string from, std::string to) {
  std::lock_guard lock(work_mutex_);
  if (stopping_) return;
  compactions_.emplace_back(std::move(from), std::move(to));
  if (!housekeeper_.joinable()) housekeeper_ = std::thread([this] { Housekeep(); });
  work_ready_.notify_one();
}

/// A range delete alone frees no blob file: compacting the range drops its keys, and rewriting what
/// shares files with it lets the files go.
void LocalStore::Housekeep() {
  std::unique_lock lock(work_mutex_);
  while (true) {
    work_ready_.wait(lock, [this] { return stopping_ || !compactions_.empty(); });
    if (stopping_) return;
    const auto [from, to] = std::move(compactions_.front());
    compactions_.pop_front();
    lock.unlock();
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
    options.blob_garbage_collection_age_cutoff = 1.0;
    const rocksdb::Slice begin(from), end(to);
    const rocksdb::Status status =
        rocks_->db().CompactRange(options, rocks_->records(), &begin, &end);
    if (!status.ok() && log_) log_(3, "a trimmed range was not compacted: " + status.ToString());
    lock.lock();
  }
}

}  // namespace weir
