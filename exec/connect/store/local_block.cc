#include "exec/connect/store/local_block.h"

#include <algorithm>
#include <cstring>

#include "exec/connect/store/block_checksum.h"

namespace weir {
namespace {

constexpr uint32_t kMagic = 0x32424557;  // "WEB2"
constexpr uint32_t kHasHeaders = 1;
constexpr size_t kPartBytesMin = 1024;
constexpr size_t kTailBytes = 64;
constexpr char kTail[kTailBytes] = {};
/// What the checksum covers begins behind it.
constexpr size_t kCheckedFrom = 16;

struct BlockHead {
  uint32_t magic;
  uint32_t count;
  uint64_t checksum;
  int64_t base_offset;
  int64_t timestamp_min;
  int64_t timestamp_max;
  int64_t append_time;
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint32_t header_bytes;
  uint32_t flags;
};
static_assert(sizeof(BlockHead) == 64);

uint32_t Length(Slice slice) { return static_cast<uint32_t>(std::max(slice.length, 0)); }

/// Rows from `first` on that fit one block, at least one; `bytes`: enough for their keys and
/// values.
int32_t RowsThatFit(const RecordBatch& records, int32_t first, size_t& bytes) {
  bytes = 0;
  int32_t row = first;
  for (; row < records.size() && row - first < kBlockRowsMax; ++row) {
    const auto at = static_cast<size_t>(row);
    bytes += Length(records.keys[at]) + Length(records.values[at]) + 16;
    if (bytes > kBlockBytesMax && row > first) break;
  }
  return row - first;
}

void AppendLengths(const std::vector<Slice>& slices, size_t first, size_t count,
                   std::string& head) {
  const size_t before = head.size();
  head.resize(before + count * sizeof(int32_t));
  char* to = head.data() + before;
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(to + i * sizeof(int32_t), &slices[first + i].length, sizeof(int32_t));
  }
}

/// Adds a piece of the records as a part. Copying is cheaper than many short parts.
void AddPart(std::string_view piece, LocalBlock& out) {
  if (piece.size() >= kPartBytesMin) {
    out.parts.push_back(piece);
    return;
  }
  const char* const copy = out.copied.data() + out.copied.size();
  out.copied += piece;
  std::string_view& last = out.parts.back();
  if (last.data() + last.size() == copy) {
    last = {last.data(), last.size() + piece.size()};
  } else {
    out.parts.emplace_back(copy, piece.size());
  }
}

/// Adds these slices' bytes, one after the other, as parts; returns how many bytes.
uint32_t AddParts(const RecordBatch& records, const std::vector<Slice>& slices, size_t first,
                  size_t count, LocalBlock& out) {
  uint32_t bytes = 0;
  // Mostly they lie side by side already.
  Slice run{0, 0};
  const auto end_run = [&] {
    if (run.length == 0) return;
    AddPart(records.View(run), out);
    bytes += Length(run);
  };
  for (size_t i = first; i < first + count; ++i) {
    const Slice slice = slices[i];
    if (slice.length <= 0) continue;
    if (slice.begin == run.begin + static_cast<uint32_t>(run.length)) {
      run.length += slice.length;
      continue;
    }
    end_run();
    run = slice;
  }
  end_run();
  return bytes;
}

/// Slices of `lengths`, one after the other from `begin` on; false if they do not end at `end`.
bool ReadSlices(const char* lengths, uint32_t count, uint32_t begin, uint32_t end,
                std::vector<Slice>& out) {
  out.resize(count);
  uint64_t at = begin;
  for (uint32_t i = 0; i < count; ++i) {
    int32_t length = 0;
    std::memcpy(&length, lengths + i * sizeof length, sizeof length);
    if (length < -1) return false;
    out[i] = {static_cast<uint32_t>(at), length};
    at += static_cast<uint64_t>(std::max(length, 0));
    if (at > end) return false;
  }
  return at == end;
}

void AppendBigEndian(uint64_t value, int width, std::string& out) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

}  // namespace

void BuildBlock(const RecordBatch& records, int32_t first, int64_t base_offset,
                int64_t append_time_ms, LocalBlock& out) {
  size_t bytes_max = 0;
  out.rows = RowsThatFit(records, first, bytes_max);
  const auto from = static_cast<size_t>(first);
  const auto count = static_cast<size_t>(out.rows);
  const auto times = records.timestamps.begin() + first;
  const auto [low, high] = std::minmax_element(times, times + out.rows);
  out.timestamp_max = *high;
  const bool has_headers = !records.headers.empty();
  std::string& bytes = out.head;
  bytes.assign(sizeof(BlockHead), '\0');
  bytes.append(reinterpret_cast<const char*>(&*times), count * sizeof(int64_t));
  AppendLengths(records.keys, from, count, bytes);
  AppendLengths(records.values, from, count, bytes);
  if (has_headers) AppendLengths(records.headers, from, count, bytes);
  BlockHead head{
      kMagic, static_cast<uint32_t>(count), 0, base_offset, *low, *high, append_time_ms, 0, 0,
      0,      has_headers ? kHasHeaders : 0};
  if (has_headers) {
    for (size_t i = from; i < from + count; ++i) bytes_max += Length(records.headers[i]);
  }
  out.copied.clear();
  out.copied.reserve(bytes_max);  // Parts view it: it must not move.
  out.parts.assign(1, bytes);
  head.key_bytes = AddParts(records, records.keys, from, count, out);
  head.value_bytes = AddParts(records, records.values, from, count, out);
  if (has_headers) head.header_bytes = AddParts(records, records.headers, from, count, out);
  out.parts.emplace_back(kTail, sizeof kTail);
  std::memcpy(bytes.data(), &head, sizeof head);
  out.parts.front().remove_prefix(kCheckedFrom);
  head.checksum = BlockChecksum(out.parts);
  std::memcpy(bytes.data(), &head, sizeof head);
  out.parts.front() = bytes;
  out.size = bytes.size() + head.key_bytes + head.value_bytes + head.header_bytes + kTailBytes;
}

bool ReadBlock(const BufferPtr& bytes, int64_t base_offset, RecordBatch& out) {
  BlockHead head;
  if (bytes->size() < sizeof head + kTailBytes) return false;
  const char* data = reinterpret_cast<const char*>(bytes->data());
  std::memcpy(&head, data, sizeof head);
  const bool has_headers = (head.flags & kHasHeaders) != 0;
  const uint64_t table = uint64_t{head.count} * (8 + 4 + 4 + (has_headers ? 4 : 0));
  const uint64_t body = sizeof head + table;
  if (head.magic != kMagic || head.base_offset != base_offset || head.count == 0 ||
      body + head.key_bytes + head.value_bytes + head.header_bytes + kTailBytes != bytes->size() ||
      head.checksum != BlockChecksum(data + kCheckedFrom, bytes->size() - kCheckedFrom)) {
    return false;
  }
  out.timestamps.resize(head.count);
  std::memcpy(out.timestamps.data(), data + sizeof head, head.count * sizeof(int64_t));
  out.append_times.assign(head.count, head.append_time);
  const char* lengths = data + sizeof head + head.count * sizeof(int64_t);
  const size_t width = head.count * sizeof(int32_t);
  auto at = static_cast<uint32_t>(body);
  out.bytes = bytes;
  out.headers.clear();
  if (!ReadSlices(lengths, head.count, at, at + head.key_bytes, out.keys)) return false;
  at += head.key_bytes;
  if (!ReadSlices(lengths + width, head.count, at, at + head.value_bytes, out.values)) return false;
  at += head.value_bytes;
  return !has_headers ||
         ReadSlices(lengths + 2 * width, head.count, at, at + head.header_bytes, out.headers);
}

std::string BlockKey(PartitionRef partition, int64_t base_offset) {
  std::string key;
  AppendBigEndian(partition.topic_id, 4, key);
  AppendBigEndian(partition.partition, 4, key);
  AppendBigEndian(static_cast<uint64_t>(base_offset), 8, key);
  return key;
}

std::string PartitionEndKey(PartitionRef partition) {
  return BlockKey({partition.topic_id, partition.partition + 1}, 0);
}

std::string EncodeNote(const BlockNote& note) {
  std::string bytes;
  AppendBigEndian(note.rows, 4, bytes);
  AppendBigEndian(static_cast<uint64_t>(note.timestamp_max), 8, bytes);
  AppendBigEndian(static_cast<uint64_t>(note.timestamp_max_so_far), 8, bytes);
  AppendBigEndian(note.bytes, 8, bytes);
  return bytes;
}

namespace {
uint64_t TakeBigEndian(std::string_view& bytes, size_t width) {
  uint64_t value = 0;
  for (char c : bytes.substr(0, width)) value = value << 8 | static_cast<uint8_t>(c);
  bytes.remove_prefix(width);
  return value;
}
}  // namespace

bool DecodeNote(std::string_view bytes, BlockNote& out) {
  if (bytes.size() != 28) return false;
  out.rows = static_cast<uint32_t>(TakeBigEndian(bytes, 4));
  out.timestamp_max = static_cast<int64_t>(TakeBigEndian(bytes, 8));
  out.timestamp_max_so_far = static_cast<int64_t>(TakeBigEndian(bytes, 8));
  out.bytes = TakeBigEndian(bytes, 8);
  return true;
}

int64_t BaseOffsetOf(std::string_view key) {
  std::string_view end = key.substr(key.size() - 8);
  return static_cast<int64_t>(TakeBigEndian(end, 8));
}

}  // namespace weir
