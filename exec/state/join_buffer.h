#pragma once

// One side of a stream-stream join: its rows in the order they came, as columnar blocks, with an
// index from the key to its latest row and from each row to the one before it with the same key.
//
//   key ─▶ id ─▶ head ─▶ row 9 ─▶ row 4 ─▶ row 1      rows are numbered through: their ordinals
//   blocks of 4096 ordinals: [0…4095] [4096…8191] …   expired from the front
//
// Rows may wait to be matched (outer joins with grace): those are remembered by time.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/state/group_table.h"
#include "exec/state/row_gather.h"

namespace weir {

/// One thread at a time. Refs from Locate hold until the next Append or Expire.
class JoinBuffer {
 public:
  /// `types` are those of all columns kept; the first `key_columns` are the key.
  JoinBuffer(std::vector<DataType> types, int key_columns);

  /// Appends all rows of a flat chunk (its keys are not null); returns the ordinal of the first.
  int64_t Append(const Chunk& chunk);
  /// Ids of keys to start from with Head; GroupTable::kNone where there are no rows.
  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::vector<uint32_t>& ids) {
    keys_.Find(keys, rows, {}, ids);
  }
  /// The latest row of a key, and the one before a row with the same key; -1: none.
  int64_t Head(uint32_t id) const { return heads_[id]; }
  int64_t Previous(int64_t ordinal) const {
    const int64_t previous = BlockOf(ordinal).previous[ordinal & kRowMask];
    return previous >= first_ordinal_ ? previous : -1;
  }
  int64_t Time(int64_t ordinal) const { return BlockOf(ordinal).times[ordinal & kRowMask]; }
  RowRef Locate(int64_t ordinal) const;
  /// `extra`, if not null, is the block numbered extra_block().
  ColumnPtr Gather(int column, std::span<const RowRef> refs, const Column* extra);
  uint32_t extra_block() const { return static_cast<uint32_t>(pieces_.size()); }

  /// Drops blocks all of whose rows have times below `limit`.
  void Expire(int64_t limit);
  int64_t row_count() const { return next_ordinal_ - first_ordinal_; }
  /// That of the next row, or less.
  int64_t next_ordinal() const { return next_ordinal_; }

  /// Rows that wait for a match, earliest first.
  void SetWaiting(int64_t ordinal);
  /// No longer; nothing happens if the row did not wait.
  void ClearWaiting(int64_t ordinal);
  /// The earliest waiting row, as (time, ordinal); false if none waits.
  bool EarliestWaiting(std::pair<int64_t, int64_t>& row);
  /// All rows that wait, as (time, ordinal), in any order.
  void Waiting(std::vector<std::pair<int64_t, int64_t>>& rows) const;

  Status Load(const StateStore& store);
  void Save(StateStore& store);
  size_t ByteSize() const;

 private:
  static constexpr int kRowBits = 12;
  static constexpr int64_t kBlockRows = int64_t{1} << kRowBits;
  static constexpr int64_t kRowMask = kBlockRows - 1;

  // Consecutive rows of a block, from `begin` on.
  struct Piece {
    std::vector<ColumnPtr> columns;
    int32_t begin = 0;
    int32_t rows = 0;
    size_t bytes = 0;
  };
  struct Block {
    std::vector<int64_t> times, previous;   // By row within the block.
    std::vector<uint32_t> key_ids;
    std::vector<uint8_t> waiting;           // kWaiting, kWaitingSaved.
    std::vector<uint32_t> pieces;           // Numbers, in order of rows.
    int64_t time_max = INT64_MIN;
  };
  static constexpr uint8_t kWaiting = 1;
  static constexpr uint8_t kWaitingSaved = 2;

  const Block& BlockOf(int64_t ordinal) const {
    return *blocks_[static_cast<size_t>((ordinal >> kRowBits) - (first_ordinal_ >> kRowBits))];
  }
  Block& BlockOf(int64_t ordinal) {
    return const_cast<Block&>(static_cast<const JoinBuffer*>(this)->BlockOf(ordinal));
  }
  void AppendToBlock(const Chunk& chunk, int32_t from, int32_t count);
  void Index(const Chunk& chunk, int32_t from, int32_t count);
  uint32_t PlacePiece(Piece piece);
  void FreePiece(uint32_t number);
  void MergePieces(Block& block, size_t count);
  size_t BytesOfLast(const Block& block, size_t count) const;
  Chunk RowsFrom(int64_t ordinal, size_t count);
  void DropFirstBlock();
  void SaveRows(StateStore& store);
  void SaveWaiting(StateStore& store);
  Status LoadEntry(std::string_view key, std::string_view value, bool& ok);

  std::vector<DataType> types_;
  int key_columns_;
  GroupTable keys_;
  std::vector<int64_t> heads_;                         // By key id.
  std::deque<std::unique_ptr<Block>> blocks_;
  int64_t first_ordinal_ = 0;                          // Rows before it are gone.
  int64_t next_ordinal_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::vector<const Column*>> pointers_;   // By column, by piece.
  std::vector<uint32_t> free_pieces_;
  std::vector<std::pair<int64_t, int64_t>> heap_;      // Waiting rows and stale entries.
  std::vector<int64_t> waiting_changed_;
  std::vector<std::string> waiting_deleted_;
  struct Saved {
    int64_t first;
    int64_t end;
  };
  std::deque<Saved> saved_;                            // Blocks of rows in the store.
  int64_t saved_end_ = 0;
  std::vector<uint32_t> ids_, key_scratch_;
  std::vector<int32_t> rows_;
  size_t piece_bytes_ = 0;
};

}  // namespace weir
