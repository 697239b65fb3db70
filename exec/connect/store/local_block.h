#pragma once

// How the local store lays records out: blocks of many records of one partition, in columns, with
// keys together and values together so that formats read them where they lie; and the keys of the
// store's entries.
//
// A block, little-endian: magic, count (4 bytes each); checksum of all that follows it; base
// offset, lowest and highest timestamp, time of the append (8 each); bytes of all keys, of all
// values, of all headers, flags (4 each); then timestamps (8 each), key lengths, value lengths and,
// where a flag says so, header lengths (4 each; -1: null); keys; values; headers; 64 bytes of zero.
//
// The checksum is ours because RocksDB's own (CRC32c) is computed from tables in Debian's build,
// and checking it took four fifths of a scan; reads of blocks leave it out.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exec/formats/record_batch.h"
#include "weir/status.h"

namespace weir {

/// Bounds of one block: large enough that reading is one copy-free run, small enough for the cache.
inline constexpr int32_t kBlockRowsMax = 4096;
inline constexpr size_t kBlockBytesMax = 512 * 1024;

/// A block to be written. It is left in parts, as the store copies its bytes anyway: what the block
/// itself says, and runs of the records' bytes where they lie.
struct LocalBlock {
  std::string head;                     ///< All before the keys.
  std::string copied;                   ///< Short pieces that lie apart, put together.
  std::vector<std::string_view> parts;  ///< All of the block, the first is `head`.
  size_t size = 0;                      ///< Bytes of all parts.
  int32_t rows = 0;
  int64_t timestamp_max = 0;
};

/// Lays out as many rows of `records` from `first` on as one block takes; `out` is reused, and
/// views the records' bytes.
void BuildBlock(const RecordBatch& records, int32_t first, int64_t base_offset,
                int64_t append_time_ms, LocalBlock& out);

/// Reads a block in place: `out` shares `bytes`, which must have 64 readable bytes behind it or be
/// what BuildBlock made. False if the bytes are no block that starts at `base_offset`.
bool ReadBlock(const BufferPtr& bytes, int64_t base_offset, RecordBatch& out);

/// Identity of a partition in the store; ids are never used again.
struct PartitionRef {
  uint32_t topic_id = 0;
  uint32_t partition = 0;
};

/// Key of a block; keys of a partition sort by offset.
std::string BlockKey(PartitionRef partition, int64_t base_offset);
/// The key after all of the partition's (of the topic's) blocks.
std::string PartitionEndKey(PartitionRef partition);

/// What the store knows of a block without reading it.
struct BlockNote {
  uint32_t rows = 0;
  int64_t timestamp_max = 0;
  /// Highest timestamp of the partition up to and with this block.
  int64_t timestamp_max_so_far = 0;
  uint64_t bytes = 0;
};
std::string EncodeNote(const BlockNote& note);
bool DecodeNote(std::string_view bytes, BlockNote& out);
/// The base offset at the end of a block's key.
int64_t BaseOffsetOf(std::string_view key);

}  // namespace weir
