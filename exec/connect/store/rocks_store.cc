#include "exec/connect/store/rocks_store.h"

#include <cstdarg>
#include <filesystem>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/transaction_log.h>

#include "base/memory_shares.h"
#include "exec/connect/store/hinted_skip_list.h"
#include "exec/connect/store/rocks_crc32c.h"

namespace weir {
namespace {

constexpr const char* kRecordsFamily = "records";
constexpr uint64_t kLogBytesMax = 64u << 20;
/// Blocks from this size on go to blob files, which are written once and not moved by compactions.
constexpr uint64_t kBlobBytesMin = 2048;

// The database keeps no log file of its own: what matters comes back as a status, opening is
// quicker, and RocksDB 7 ends the process when it writes to a log file after a write to it has
// failed, as one does on a full disk.
class NoLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

/// Each family has two buffers at most: one that is filled and one that is being written out.
/// Records are flushed as they are: more of them in memory would only touch more of it.
size_t MainBufferBytes(const MemoryShares& memory) {
  return static_cast<size_t>(memory.store_buffers / 3);
}
size_t RecordsBufferBytes(const MemoryShares& memory) {
  return static_cast<size_t>(memory.store_buffers / 6);
}

rocksdb::DBOptions DatabaseOptions(const MemoryShares& memory) {
  rocksdb::DBOptions options;
  options.info_log = std::make_shared<NoLog>();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // A torn last write is dropped; damage before it is an error, as it would lose what was
  // acknowledged.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = kLogBytesMax;
  options.db_write_buffer_size = static_cast<size_t>(memory.store_buffers);
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  // Opening must be quick: nothing is measured or checked that is not needed.
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions MainOptions(const MemoryShares& memory) {
  rocksdb::ColumnFamilyOptions options;
  options.memtable_factory = std::make_shared<HintedSkipList>();
  options.write_buffer_size = MainBufferBytes(memory);
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(static_cast<size_t>(memory.store_cache));
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // What is known of the tables grows with them: it lies in the cache, too, in pieces.
  table.cache_index_and_filter_blocks = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions RecordsOptions(const MemoryShares& memory) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = RecordsBufferBytes(memory);
  options.compression = rocksdb::kNoCompression;
  options.enable_blob_files = true;
  options.min_blob_size = kBlobBytesMin;
  options.blob_compression_type = rocksdb::kNoCompression;
  // Records leave by whole ranges, and trimming compacts these itself (see LocalStore).
  options.enable_blob_garbage_collection = false;
  rocksdb::BlockBasedTableOptions table;
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::string StateKey(std::string_view key) {
  std::string full(1, kStatePrefix);
  full += key;
  return full;
}

/// The end of a range of state keys: "" is the end of all.
std::string StateEnd(std::string_view to) {
  return to.empty() ? std::string(1, kStatePrefix + 1) : StateKey(to);
}

Status CheckWritten(const WriteMark& mark, uint64_t reached, const std::string& path) {
  if (reached >= mark.required_sequence()) return OkStatus();
  return Status(ErrorCode::kStoreCorrupt,
                fmt::format("the store {} cannot be opened, its log is lost or cut short: it ends "
                            "at write {}, and {} were acknowledged",
                            path, reached, mark.required_sequence()))
      .WithHint(fmt::format("restore the directory, or its db/*.log, from a copy; to go on with "
                            "what is left, remove {}",
                            mark.path()));
}

// Opening writes what the logs hold into tables and drops them, so a log that looks shorter than it
// was is first read with nothing changed.
Status CheckLogs(const WriteMark& mark, const StoreDirectory& directory, rocksdb::DBOptions options,
                 const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  if (!mark.found()) return OkStatus();
  const std::string log =
      fmt::format("{}/{:06}.log", directory.database_path(), mark.found()->log_number);
  std::error_code missing;
  const uintmax_t bytes = std::filesystem::file_size(log, missing);
  if (!missing && bytes >= mark.found()->log_bytes) return OkStatus();
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(options, directory.database_path(), families, &handles, &opened);
  if (!status.ok()) return FromRocks(status, "the store " + directory.path() + " cannot be opened");
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  return CheckWritten(mark, db->GetLatestSequenceNumber(), directory.path());
}

}  // namespace

Status FromRocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return OkStatus();
  const std::string cause = status.ToString();
  if (status.IsNoSpace()) {
    return Status(ErrorCode::kStoreIo, std::string(doing) + ", the disk is full: " + cause)
        .WithHint("nothing was overwritten; make room and try again");
  }
  // A file that the database counts on and that is gone is damage too.
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported() ||
      cause.find("No such file") != std::string::npos) {
    return Status(ErrorCode::kStoreCorrupt, std::string(doing) + ", it is damaged: " + cause)
        .WithHint("restore the directory from a copy; nothing was changed in it");
  }
  return Status(ErrorCode::kStoreIo, std::string(doing) + ": " + cause);
}

Result<std::shared_ptr<RocksStore>> RocksStore::Open(const std::string& path, bool with_records,
                                                     int64_t memory_limit) {
  const MemoryShares memory = MemoryShares::Of(memory_limit);
  auto directory = StoreDirectory::Open(path);
  if (!directory.ok()) return directory.status();
  std::shared_ptr<RocksStore> store(new RocksStore());
  store->directory_ = std::move(*directory);
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, MainOptions(memory)}};
  if (with_records) families.emplace_back(kRecordsFamily, RecordsOptions(memory));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions options = DatabaseOptions(memory);
  if (with_records) {
    auto mark = WriteMark::Open(store->directory_->write_mark_path());
    if (!mark.ok()) return mark.status();
    store->mark_ = std::move(*mark);
    if (!store->directory_->is_new()) {
      Status there = CheckLogs(*store->mark_, *store->directory_, options, families);
      if (!there.ok()) return there;
    }
  }
  // A store that held a database before must still hold one.
  options.create_if_missing = store->directory_->is_new();
  const rocksdb::Status status =
      rocksdb::DB::Open(options, store->directory_->database_path(), families, &handles, &db);
  if (!status.ok()) return FromRocks(status, "the store " + path + " cannot be opened");
  store->db_.reset(db);
  store->main_ = handles[0];
  // Without it all works, only slower.
  store->fast_checksums_ = HasFastCrc32c();
  store->records_ = with_records ? handles[1] : nullptr;
  if (store->mark_ != nullptr && !store->directory_->is_new()) {
    Status there = CheckWritten(*store->mark_, db->GetLatestSequenceNumber(), path);
    if (!there.ok()) return there;
  }
  if (store->directory_->is_new()) {
    if (Status finished = store->directory_->Finish(); !finished.ok()) return finished;
  }
  return store;
}

RocksStore::~RocksStore() {
  if (db_ == nullptr) return;
  db_->DestroyColumnFamilyHandle(main_);
  if (records_ != nullptr) db_->DestroyColumnFamilyHandle(records_);
  db_->Close().PermitUncheckedError();
}

Status RocksStore::Write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  // Logs are written in order: what a synced write stands behind is on the disk with it.
  const uint64_t synced = sync ? db_->GetLatestSequenceNumber() + batch.Count() : 0;
  rocksdb::Status status = db_->Write(options, &batch);
  if (!status.ok() && db_->Resume().ok()) status = db_->Write(options, &batch);
  if (status.ok()) Note(synced);
  return FromRocks(status, "the store " + path() + " cannot be written");
}

void RocksStore::Note(uint64_t synced_sequence) {
  if (mark_ == nullptr) return;
  WrittenTo to;
  to.sequence = db_->GetLatestSequenceNumber();
  to.synced_sequence = synced_sequence;
  std::unique_ptr<rocksdb::LogFile> log;
  if (db_->GetCurrentWalFile(&log).ok() && log != nullptr) {
    to.log_number = log->LogNumber();
    to.log_bytes = log->SizeFileBytes();
  }
  mark_->Note(to);
}

namespace {

Result<std::optional<std::string>> GetState(RocksStore& store, const rocksdb::ReadOptions& options,
                                            std::string_view key) {
  rocksdb::PinnableSlice value;
  const auto status = store.db().Get(options, store.main(), StateKey(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return FromRocks(status, "state cannot be read");
  return std::optional<std::string>(std::in_place, value.data(), value.size());
}

Status MultiGetState(RocksStore& store, const rocksdb::ReadOptions& options,
                     const std::vector<std::string>& keys,
                     std::vector<std::optional<std::string>>& values) {
  values.assign(keys.size(), std::nullopt);
  if (keys.empty()) return OkStatus();
  std::vector<std::string> full;
  full.reserve(keys.size());
  for (const std::string& key : keys) full.push_back(StateKey(key));
  std::vector<rocksdb::Slice> slices(full.begin(), full.end());
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  store.db().MultiGet(options, store.main(), keys.size(), slices.data(), found.data(),
                      statuses.data(), true);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return FromRocks(statuses[i], "state cannot be read");
    values[i].emplace(found[i].data(), found[i].size());
  }
  return OkStatus();
}

Status ScanState(RocksStore& store, rocksdb::ReadOptions options, std::string_view from,
                 std::string_view to,
                 const std::function<bool(std::string_view, std::string_view)>& visit) {
  const std::string end = StateEnd(to);
  const rocksdb::Slice upper(end);
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(store.db().NewIterator(options, store.main()));
  for (at->Seek(StateKey(from)); at->Valid(); at->Next()) {
    if (!visit(ToView(at->key()).substr(1), ToView(at->value()))) return OkStatus();
  }
  return FromRocks(at->status(), "state cannot be read");
}

}  // namespace

Result<std::optional<std::string>> RocksState::Get(std::string_view key) const {
  return GetState(*store_, {}, key);
}

Status RocksState::MultiGet(const std::vector<std::string>& keys,
                            std::vector<std::optional<std::string>>& values) const {
  return MultiGetState(*store_, {}, keys, values);
}

Status RocksState::Scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  return ScanState(*store_, {}, from, to, visit);
}

namespace {

/// The state at one moment.
class RocksSnapshot final : public StateReader {
 public:
  explicit RocksSnapshot(std::shared_ptr<RocksStore> store) : store_(std::move(store)) {
    options_.snapshot = store_->db().GetSnapshot();
  }
  ~RocksSnapshot() override { store_->db().ReleaseSnapshot(options_.snapshot); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  Result<std::optional<std::string>> Get(std::string_view key) const override {
    return GetState(*store_, options_, key);
  }
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    return MultiGetState(*store_, options_, keys, values);
  }
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return ScanState(*store_, options_, from, to, visit);
  }

 private:
  const std::shared_ptr<RocksStore> store_;
  rocksdb::ReadOptions options_;
};

}  // namespace

std::shared_ptr<const StateReader> RocksState::Snapshot() const {
  return std::make_shared<RocksSnapshot>(store_);
}

void AddStateChanges(const std::vector<StateChange>& changes, RocksStore& store,
                     rocksdb::WriteBatch& batch) {
  std::string key;
  for (const StateChange& change : changes) {
    key.assign(1, kStatePrefix);
    key += change.key;
    switch (change.kind) {
      case StateChange::Kind::kPut:
        batch.Put(store.main(), key, ToSlice(change.value)).PermitUncheckedError();
        break;
      case StateChange::Kind::kDelete:
        batch.Delete(store.main(), key).PermitUncheckedError();
        break;
      case StateChange::Kind::kDeleteRange: {
        const std::string end = StateEnd(change.value);
        if (key < end) batch.DeleteRange(store.main(), key, end).PermitUncheckedError();
        break;
      }
    }
  }
}

}  // namespace weir
