#pragma once

// The RocksDB database of a directory: state in one column family, blocks of records in another
// (where asked for), and RocksDB's errors in Weir's words. Known to exec/connect alone.

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/store/store_directory.h"
#include "exec/connect/store/write_mark.h"
#include "exec/connect/topic.h"

namespace weir {

/// `status` as an error of ours; `doing` says what was tried ("the store cannot be read").
Status FromRocks(const rocksdb::Status& status, std::string_view doing);

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// An open database, and the lock of its directory. Safe from any thread.
class RocksStore {
 public:
  /// `with_records` opens the column family of record blocks too; such a store is nobody's copy,
  /// and a database that ends before its last acknowledged write is kStoreCorrupt. Errors of
  /// StoreDirectory::Open and kStoreCorrupt, kStoreIo. RocksDB's buffers and caches are those that
  /// MemoryShares gives for a limit of the whole engine; 0: none.
  static Result<std::shared_ptr<RocksStore>> Open(const std::string& path, bool with_records,
                                                  int64_t memory_limit = 0);
  ~RocksStore();

  rocksdb::DB& db() { return *db_; }
  /// State and catalog.
  rocksdb::ColumnFamilyHandle* main() { return main_; }
  rocksdb::ColumnFamilyHandle* records() { return records_; }
  const std::string& path() const { return directory_->path(); }

  /// Writes all of the batch or nothing; waits for the disk if `sync`. After a failed write (full
  /// disk) the database is asked to resume before the next one.
  Status Write(rocksdb::WriteBatch& batch, bool sync);
  /// Writes entries of state that are sorted by key, no key twice, all or none of them: many as a
  /// table file that the database takes in, past its log and its memory.
  Status Load(const std::vector<StateEntry>& sorted);

 private:
  RocksStore() = default;
  std::unique_ptr<StoreDirectory> directory_;
  void Note(uint64_t synced_sequence);
  Status Ingest(const std::vector<StateEntry>& sorted, const std::string& file);
  std::unique_ptr<WriteMark> mark_;  ///< With records only.
  std::unique_ptr<rocksdb::DB> db_;
  bool fast_checksums_ = false;
  std::atomic<uint64_t> next_load_{0};
  rocksdb::ColumnFamilyHandle* main_ = nullptr;
  rocksdb::ColumnFamilyHandle* records_ = nullptr;
};

/// State keys carry this byte in front, so that catalog entries of the store lie beside them.
inline constexpr char kStatePrefix = 's';

/// State of queries in a RocksStore.
class RocksState final : public StateBackend {
 public:
  explicit RocksState(std::shared_ptr<RocksStore> store) : store_(std::move(store)) {}
  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override;
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  std::shared_ptr<const StateReader> Snapshot() const override;

 private:
  std::shared_ptr<RocksStore> store_;
};

/// Adds state changes, in order, to a batch.
void AddStateChanges(const std::vector<StateChange>& changes, RocksStore& store,
                     rocksdb::WriteBatch& batch);

}  // namespace weir
