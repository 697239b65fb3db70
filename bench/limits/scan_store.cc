// The limit of a query over a local-store topic: scanning the topic's blocks from RocksDB where
// they lie, and reading just the columns it needs. Prints records read and checksum.
//
//   scan_store STORE TOPIC WORK
//
// The layout is that of exec/connect/store/local_block.h, known here by its description only.

#include <rocksdb/db.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/limits/column_reading.h"

namespace weir::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "scan_store: %s\n", what.c_str());
  std::exit(1);
}

struct BlockHead {
  uint32_t magic, count;
  uint64_t checksum;
  int64_t base_offset, timestamp_min, timestamp_max, append_time;
  uint32_t key_bytes, value_bytes, header_bytes, flags;
};
static_assert(sizeof(BlockHead) == 64);
constexpr uint32_t kMagic = 0x32424557;

void AppendBigEndian(uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

/// Gives the values of all of a topic's records, partition after partition.
class BlockScan {
 public:
  BlockScan(const std::string& directory, const std::string& topic) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, {}}, {"records", {}}};
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    rocksdb::Status status = rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions(), directory + "/db",
                                                          families, &handles, &opened);
    if (!status.ok()) Fail(status.ToString());
    store_.reset(opened);
    for (rocksdb::ColumnFamilyHandle* handle : handles) handles_.emplace_back(handle);
    std::string entry;
    status = store_->Get({}, handles[0], "t" + topic, &entry);
    if (!status.ok()) Fail("no topic " + topic + ": " + status.ToString());
    const auto id = static_cast<uint32_t>(std::strtoul(entry.c_str(), nullptr, 10));
    std::string begin;
    AppendBigEndian(id, begin);
    AppendBigEndian(id + 1, end_);
    end_slice_ = end_;
    rocksdb::ReadOptions options;
    options.verify_checksums = false;
    options.iterate_upper_bound = &end_slice_;
    at_.reset(store_->NewIterator(options, handles[1]));
    at_->Seek(begin);
    if (at_->Valid()) OpenBlock();
  }

  bool Next(std::string_view& value) {
    while (row_ == rows_) {
      if (!at_->Valid()) return false;
      at_->Next();
      if (!at_->Valid()) {
        if (!at_->status().ok()) Fail(at_->status().ToString());
        return false;
      }
      OpenBlock();
    }
    int32_t length;
    std::memcpy(&length, lengths_ + 4 * size_t{row_++}, sizeof length);
    value = {bytes_, static_cast<size_t>(length < 0 ? 0 : length)};
    bytes_ += value.size();
    return true;
  }

  /// Behind the last value of a block stand 64 bytes of zero.
  simdjson::padded_string_view Padded(std::string_view value) const {
    return simdjson::padded_string_view(value.data(), value.size(),
                                        static_cast<size_t>(stop_ - value.data()));
  }

 private:
  void OpenBlock() {
    const rocksdb::Slice block = at_->value();
    BlockHead head;
    if (block.size() < sizeof head) Fail("a block is too short");
    std::memcpy(&head, block.data(), sizeof head);
    if (head.magic != kMagic) Fail("the store is of another version");
    rows_ = head.count;
    row_ = 0;
    lengths_ = block.data() + sizeof head + size_t{head.count} * (8 + 4);
    bytes_ = lengths_ + size_t{head.count} * ((head.flags & 1) != 0 ? 8 : 4) + head.key_bytes;
    stop_ = block.data() + block.size();
  }

  std::unique_ptr<rocksdb::DB> store_;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> handles_;  // Go before the store.
  std::string end_;
  rocksdb::Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> at_;
  uint32_t rows_ = 0;
  uint32_t row_ = 0;
  const char* lengths_ = nullptr;
  const char* bytes_ = nullptr;
  const char* stop_ = nullptr;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: scan_store STORE TOPIC WORK\n", stderr);
    return 2;
  }
  weir::bench::BlockScan scan(argv[1], argv[2]);
  weir::bench::Checksum checksum;
  const uint64_t records = weir::bench::RunWork(argv[3], scan, checksum);
  std::printf("%lu %016lx\n", records, checksum.sum());
  return 0;
}
