// State written in bulk: sorted entries become a table file beside the database, which takes it in
// whole.

#include <filesystem>

#include <rocksdb/sst_file_writer.h>

#include "exec/connect/store/rocks_store.h"

namespace weir {
namespace {

/// Below that a file of its own is not worth its while.
constexpr size_t kLoadedFileBytesMin = 2u << 20;

size_t BytesOf(const std::vector<StateEntry>& entries) {
  size_t bytes = 0;
  for (const StateEntry& entry : entries) {
    bytes += entry.key.size() + (entry.value ? entry.value->size() : 0);
  }
  return bytes;
}

void SetStateKey(std::string_view key, std::string& full) {
  full.assign(1, kStatePrefix);
  full += key;
}

}  // namespace

Status RocksStore::Load(const std::vector<StateEntry>& sorted) {
  if (sorted.empty()) return OkStatus();
  if (BytesOf(sorted) < kLoadedFileBytesMin) {
    rocksdb::WriteBatch batch;
    std::string key;
    for (const StateEntry& entry : sorted) {
      SetStateKey(entry.key, key);
      const rocksdb::Status added =
          entry.value ? batch.Put(main_, key, ToSlice(*entry.value)) : batch.Delete(main_, key);
      added.PermitUncheckedError();
    }
    return Write(batch, false);
  }
  const std::string file =
      directory_->path() + "/loading-" + std::to_string(next_load_.fetch_add(1)) + ".sst";
  // What a killed process left there may be a second name of a table that the database has taken
  // in: it is unlinked, never written over.
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  Status loaded = Ingest(sorted, file);
  std::filesystem::remove(file, ignored);
  return loaded;
}

Status RocksStore::Ingest(const std::vector<StateEntry>& sorted, const std::string& file) {
  const std::string doing = "the store " + path() + " cannot take in restored state";
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), db_->GetOptions(main_), main_);
  rocksdb::Status status = writer.Open(file);
  std::string key;
  for (const StateEntry& entry : sorted) {
    if (!status.ok()) break;
    SetStateKey(entry.key, key);
    status = entry.value ? writer.Put(key, ToSlice(*entry.value)) : writer.Delete(key);
  }
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return FromRocks(status, doing);
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.snapshot_consistency = true;
  return FromRocks(db_->IngestExternalFile(main_, {file}, options), doing);
}

}  // namespace weir
