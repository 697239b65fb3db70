#include "exec/state/join_buffer/cold_blocks.h"

#include <algorithm>

#include "base/fixed_bytes.h"

namespace weir {
namespace {

constexpr uint8_t kHeaderVersion = 1;
/// As many segments become one, of so many times their rows.
constexpr int kMergedBits = 4;
constexpr size_t kMerged = size_t{1} << kMergedBits;
/// So many probes ahead.
constexpr size_t kProbesPrefetched = 8;

}  // namespace

std::string ColdBlocks::Add(int64_t ordinal, std::vector<ColdEntry> entries,
                            std::span<const uint64_t> hashes) {
  std::vector<uint64_t> packed;
  packed.reserve(hashes.size());
  for (size_t row = 0; row < hashes.size(); ++row) {
    packed.push_back(KeyIndex::Pack(hashes[row], static_cast<uint32_t>(row)));
  }
  KeyIndex index(kRowBits, packed);
  std::string header(1, static_cast<char>(kHeaderVersion));
  PutFixed(static_cast<uint16_t>(entries.size()), header);
  for (const ColdEntry& entry : entries) {
    PutFixed(static_cast<uint16_t>(entry.first), header);
    PutFixed(entry.time_min, header);
    PutFixed(entry.time_max, header);
  }
  index.AppendTo(header);
  AddBlock(ordinal, std::move(entries), std::move(index));
  return header;
}

bool ColdBlocks::AddHeader(int64_t ordinal, std::string_view header) {
  uint8_t version = 0;
  uint16_t count = 0;
  if ((ordinal & kRowMask) != 0 || (!empty() && ordinal != end_ordinal()) ||
      !TakeFixed(header, version) || version != kHeaderVersion || !TakeFixed(header, count)) {
    return false;
  }
  std::vector<ColdEntry> entries;
  for (; count > 0; --count) {
    uint16_t first = 0;
    ColdEntry entry;
    if (!TakeFixed(header, first) || !TakeFixed(header, entry.time_min) ||
        !TakeFixed(header, entry.time_max) || first >= kBlockRows ||
        (entries.empty() ? first != 0 : first <= entries.back().first)) {
      return false;
    }
    entry.first = first;
    entries.push_back(entry);
  }
  KeyIndex index(kRowBits, {});
  if (entries.empty() || !KeyIndex::Read(header, kRowBits, index)) return false;
  AddBlock(ordinal, std::move(entries), std::move(index));
  return true;
}

void ColdBlocks::AddBlock(int64_t ordinal, std::vector<ColdEntry> entries, KeyIndex index) {
  if (blocks_.empty()) first_block_ = ordinal >> kRowBits;
  Segment segment{ordinal, kRowBits, INT64_MAX, INT64_MIN, std::move(index)};
  for (const ColdEntry& entry : entries) {
    segment.time_min = std::min(segment.time_min, entry.time_min);
    segment.time_max = std::max(segment.time_max, entry.time_max);
  }
  entries.shrink_to_fit();
  bytes_ += sizeof(Block) + entries.size() * sizeof(ColdEntry);
  blocks_.push_back({.entries = std::move(entries), .time_max = segment.time_max});
  AddSegment(std::move(segment));
  MergeSegments();
}

void ColdBlocks::AddSegment(Segment segment) {
  bytes_ += segment.index.ByteSize() + sizeof(Segment);
  segments_.push_back(std::move(segment));
}

void ColdBlocks::MergeSegments() {
  while (segments_.size() >= kMerged) {
    const int row_bits = segments_.back().row_bits;
    const auto begin = segments_.end() - static_cast<ptrdiff_t>(kMerged);
    if (row_bits == KeyIndex::kRowBitsMax || begin->row_bits != row_bits) return;
    Segment merged{begin->begin, row_bits + kMergedBits, INT64_MAX, INT64_MIN,
                   KeyIndex(KeyIndex::kSmallBits, {})};
    std::vector<uint64_t> packed;
    for (auto each = begin; each != segments_.end(); ++each) {
      // What has expired meanwhile is left out.
      if (each->begin + (int64_t{1} << each->row_bits) > first_ordinal()) {
        each->index.Unpack(static_cast<uint32_t>(each->begin - merged.begin), packed);
        merged.time_min = std::min(merged.time_min, each->time_min);
        merged.time_max = std::max(merged.time_max, each->time_max);
      }
      bytes_ -= each->index.ByteSize() + sizeof(Segment);
    }
    segments_.erase(begin, segments_.end());
    merged.index = KeyIndex(merged.row_bits, packed);
    AddSegment(std::move(merged));
  }
}

void ColdBlocks::DropFirst() {
  Block& block = blocks_.front();
  waiting_ -= block.waiting_rows;
  bytes_ -= sizeof(Block) + block.entries.size() * sizeof(ColdEntry) +
            (block.waiting == nullptr ? 0 : sizeof(Bits));
  blocks_.pop_front();
  ++first_block_;
  while (!segments_.empty() &&
         segments_.front().begin + (int64_t{1} << segments_.front().row_bits) <= first_ordinal()) {
    bytes_ -= segments_.front().index.ByteSize() + sizeof(Segment);
    segments_.pop_front();
  }
}

const ColdBlocks::Block* ColdBlocks::BlockOf(int64_t ordinal) const {
  const int64_t place = (ordinal >> kRowBits) - first_block_;
  if (place < 0 || place >= static_cast<int64_t>(blocks_.size())) return nullptr;
  return &blocks_[static_cast<size_t>(place)];
}

bool ColdBlocks::Find(std::span<const ColdProbe> probes, size_t rows_max,
                      std::vector<int64_t>& found) const {
  found.clear();
  for (const Segment& segment : segments_) {
    if (!FindIn(segment, probes, rows_max, found)) return false;
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return true;
}

bool ColdBlocks::FindIn(const Segment& segment, std::span<const ColdProbe> probes, size_t rows_max,
                        std::vector<int64_t>& found) const {
  const uint32_t last = (uint32_t{1} << segment.row_bits) - 1;
  const int64_t expired = std::max<int64_t>(0, first_ordinal() - segment.begin);
  for (size_t i = 0; i < probes.size(); ++i) {
    if (i + 2 * kProbesPrefetched < probes.size()) {
      segment.index.PrefetchBucket(probes[i + 2 * kProbesPrefetched].hash);
    }
    if (i + kProbesPrefetched < probes.size()) {
      segment.index.PrefetchRecords(probes[i + kProbesPrefetched].hash);
    }
    const ColdProbe& probe = probes[i];
    if (probe.from > segment.time_max || probe.to < segment.time_min) continue;
    const bool all =
        segment.index.Find(probe.hash, static_cast<uint32_t>(expired), last, [&](uint32_t row) {
          const int64_t ordinal = segment.begin + row;
          const Block& block = *BlockOf(ordinal);
          const auto in_block = static_cast<int32_t>(ordinal & kRowMask);
          const auto entry =
              std::upper_bound(block.entries.begin(), block.entries.end(), in_block,
                               [](int32_t at, const ColdEntry& each) { return at < each.first; }) -
              1;
          if (probe.from > entry->time_max || probe.to < entry->time_min) return true;
          found.push_back(ordinal);
          return found.size() <= rows_max;
        });
    if (!all) return false;
  }
  return true;
}

int64_t ColdBlocks::EntryOf(int64_t ordinal) const {
  const std::vector<ColdEntry>& entries = BlockOf(ordinal)->entries;
  const auto in_block = static_cast<int32_t>(ordinal & kRowMask);
  const auto behind =
      std::upper_bound(entries.begin(), entries.end(), in_block,
                       [](int32_t at, const ColdEntry& each) { return at < each.first; });
  return (ordinal & ~kRowMask) + (behind - 1)->first;
}

bool ColdBlocks::IsWaiting(int64_t ordinal) const {
  const Block* block = BlockOf(ordinal);
  return block != nullptr && block->waiting != nullptr &&
         block->waiting->test(static_cast<size_t>(ordinal & kRowMask));
}

void ColdBlocks::SetWaiting(int64_t ordinal) {
  Block& block = const_cast<Block&>(*BlockOf(ordinal));
  if (block.waiting == nullptr) {
    block.waiting = std::make_unique<Bits>();
    bytes_ += sizeof(Bits);
  }
  const auto row = static_cast<size_t>(ordinal & kRowMask);
  if (block.waiting->test(row)) return;
  block.waiting->set(row);
  ++block.waiting_rows;
  ++waiting_;
}

bool ColdBlocks::ClearWaiting(int64_t ordinal) {
  if (!IsWaiting(ordinal)) return false;
  Block& block = const_cast<Block&>(*BlockOf(ordinal));
  block.waiting->reset(static_cast<size_t>(ordinal & kRowMask));
  --waiting_;
  if (--block.waiting_rows == 0) {
    block.waiting.reset();
    bytes_ -= sizeof(Bits);
  }
  return true;
}

}  // namespace weir
