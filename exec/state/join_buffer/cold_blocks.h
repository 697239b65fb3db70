#pragma once

// The oldest blocks of a join buffer, whose rows lie in its store only. What stays in memory of a
// row is its place in an index of keys (key_index.h) and a bit that says whether it waits; of some
// hundred rows that were stored together, between which times they lie.
//
//   block ─▶ entries [first row, earliest, latest time] …     what is read back is one entry
//   indexes: 15 of a block at most, 15 of 16 blocks at most, any number of 256 blocks
//
// In the store a block has a header, from which all of this is made again.

#include <bitset>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/state/join_buffer/key_index.h"

namespace weir {

/// Consecutive rows that lie in the store together.
struct ColdEntry {
  int32_t first = 0;  ///< Row within its block.
  int64_t time_min = INT64_MAX;
  int64_t time_max = INT64_MIN;
};

/// A key that rows are looked for with, and the times that they may have.
struct ColdProbe {
  uint64_t hash = 0;
  int64_t from = 0;
  int64_t to = 0;
};

class ColdBlocks {
 public:
  static constexpr int kRowBits = KeyIndex::kSmallBits;
  static constexpr int64_t kBlockRows = int64_t{1} << kRowBits;
  static constexpr int64_t kRowMask = kBlockRows - 1;

  bool empty() const { return blocks_.empty(); }
  size_t size() const { return blocks_.size(); }
  /// Of the blocks; ordinals are numbers of rows over all blocks, kBlockRows of them a block.
  int64_t first_ordinal() const { return first_block_ << kRowBits; }
  int64_t end_ordinal() const {
    return (first_block_ + static_cast<int64_t>(blocks_.size())) << kRowBits;
  }

  /// Takes in the block that begins at `ordinal`, right behind the last one if there is one; row i
  /// of it has hashes[i]. Returns its header.
  std::string Add(int64_t ordinal, std::vector<ColdEntry> entries,
                  std::span<const uint64_t> hashes);
  void DropFirst();
  int64_t first_time_max() const { return blocks_.front().time_max; }

  /// Ordinals of the rows that may match, ascending. False, and a part of them, if they are more
  /// than `rows_max`.
  bool Find(std::span<const ColdProbe> probes, size_t rows_max, std::vector<int64_t>& found) const;
  /// Where the entry begins that has this row.
  int64_t EntryOf(int64_t ordinal) const;

  /// Whether a row waits, which may be of no block here.
  bool IsWaiting(int64_t ordinal) const;
  void SetWaiting(int64_t ordinal);
  /// False if it did not wait.
  bool ClearWaiting(int64_t ordinal);
  int64_t waiting() const { return waiting_; }
  int64_t waiting_in_first() const { return blocks_.front().waiting_rows; }

  /// Takes a block in by its header; false if malformed.
  bool AddHeader(int64_t ordinal, std::string_view header);

  size_t ByteSize() const { return bytes_; }

 private:
  using Bits = std::bitset<size_t{1} << kRowBits>;
  struct Block {
    std::vector<ColdEntry> entries;
    int64_t time_max = INT64_MIN;
    int32_t waiting_rows = 0;
    std::unique_ptr<Bits> waiting;  // Null: none does.
  };
  struct Segment {
    int64_t begin;  // Ordinal of its row 0.
    int row_bits;
    int64_t time_min, time_max;
    KeyIndex index;
  };

  const Block* BlockOf(int64_t ordinal) const;
  void AddBlock(int64_t ordinal, std::vector<ColdEntry> entries, KeyIndex index);
  void AddSegment(Segment segment);
  void MergeSegments();
  bool FindIn(const Segment& segment, std::span<const ColdProbe> probes, size_t rows_max,
              std::vector<int64_t>& found) const;

  int64_t first_block_ = 0;
  std::deque<Block> blocks_;
  std::deque<Segment> segments_;  // Those of most blocks first.
  int64_t waiting_ = 0;
  size_t bytes_ = 0;
};

}  // namespace weir
