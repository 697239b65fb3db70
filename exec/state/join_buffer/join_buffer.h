#pragma once

// One side of a stream-stream join: its rows in the order they came, as columnar blocks, with an
// index from the key to its latest row and from each row to the one before it with the same key.
//
//   key ─▶ id ─▶ head ─▶ row 9 ─▶ row 4 ─▶ row 1      rows are numbered through: their ordinals
//   blocks of 4096 ordinals: [0…4095] [4096…8191] …   expired from the front
//   └── cold: in the store ──┘└── hot: in memory ──┘  leave memory from the front
//
// All above is about hot blocks. Of cold ones an index stays (cold_blocks.h); their rows are read
// back for a batch of keys at a time.
//
// Rows may wait to be matched (outer joins with grace): those are remembered by time.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/state/group_table.h"
#include "exec/state/join_buffer/cold_blocks.h"
#include "exec/state/rows/row_gather.h"
#include "exec/state/state_store.h"

namespace weir {

/// Cold rows read back, by key where they were looked for by keys.
struct FetchedRows {
  std::vector<int64_t> ordinals;  ///< Ascending.
  std::vector<int64_t> times;
  uint32_t piece = 0;  ///< Of the buffer; row i is row i of it.
  std::unique_ptr<GroupTable> keys;
  std::vector<int32_t> heads;     ///< By id of `keys`: the latest row,
  std::vector<int32_t> previous;  ///< by row: the one before it; -1: none.
  bool empty() const { return ordinals.empty(); }
};

/// One thread at a time. Refs from Locate hold until the next Append, Expire or eviction.
class JoinBuffer {
 public:
  /// `types` are those of all columns kept; the first `key_columns` are the key.
  JoinBuffer(std::vector<DataType> types, int key_columns);

  /// Appends all rows of a flat chunk (its keys are not null); their ordinals go to `ordinals`.
  void Append(const Chunk& chunk, std::vector<int64_t>& ordinals);
  /// Ids of keys to start from with Head; GroupTable::kNone where there are no hot rows.
  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::vector<uint32_t>& ids) {
    keys_.Find(keys, rows, {}, ids);
  }
  /// The latest row of a key, and the one before a row with the same key; -1: no hot one.
  int64_t Head(uint32_t id) const { return heads_[id]; }
  int64_t Previous(int64_t ordinal) const {
    const int64_t previous = BlockOf(ordinal).previous[ordinal & kRowMask];
    return previous >= hot_ordinal_ ? previous : -1;
  }
  /// Of hot rows.
  int64_t Time(int64_t ordinal) const { return BlockOf(ordinal).times[ordinal & kRowMask]; }
  RowRef Locate(int64_t ordinal) const;
  /// `extra`, if not null, is the block numbered kExtraBlock.
  ColumnPtr Gather(int column, std::span<const RowRef> refs, const Column* extra);
  static constexpr uint32_t kExtraBlock = 0;

  bool has_cold() const { return !cold_.empty(); }
  bool IsCold(int64_t ordinal) const { return ordinal < hot_ordinal_; }
  /// The cold rows of the keys of `rows` within their times: row rows[i] wants those in
  /// [from[i], to[i]]. Others may be among them. If there are too many for the memory at hand only
  /// the first `*covered` of `rows` are looked for, at least one.
  Status Fetch(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
               std::span<const int64_t> from, std::span<const int64_t> to, FetchedRows& fetched,
               size_t* covered);
  /// These cold rows, ascending.
  Status Fetch(std::vector<int64_t> ordinals, FetchedRows& fetched);
  /// Gives up what was read back; refs to it are void.
  void Release(FetchedRows& fetched);

  /// Drops blocks all of whose rows have times below `limit`.
  Status Expire(int64_t limit);
  int64_t row_count() const { return next_ordinal_ - first_ordinal_; }
  /// That of the next row, or less.
  int64_t next_ordinal() const { return next_ordinal_; }

  /// The latest time in the oldest hot block, if that may leave memory: it is full or has some
  /// rows, and all of it is in the store, as everything is behind a commit. Else INT64_MAX.
  int64_t OldestEvictable() const;
  /// Lets the oldest hot block leave memory.
  void EvictOldest();
  /// To be called once some have.
  void Evicted();

  /// Rows that wait for a match, earliest first.
  void SetWaiting(int64_t ordinal);
  /// No longer; nothing happens if the row did not wait. `time` is the row's.
  void ClearWaiting(int64_t ordinal, int64_t time);
  /// The earliest waiting row, as (time, ordinal), if there is one with a time below `before`.
  Status EarliestWaiting(int64_t before, std::pair<int64_t, int64_t>& row, bool* found);
  /// All rows that wait, as (time, ordinal), in any order.
  Status Waiting(std::vector<std::pair<int64_t, int64_t>>& rows) const;

  /// Takes in what `store` holds, which must live as long as this buffer: headers of cold blocks,
  /// the other rows. `on_block` is called behind each block and may let some leave memory.
  Status Load(const StateStore& store, const std::function<void()>& on_block);
  void Save(StateStore& store);
  /// What the next Save will write, about.
  size_t UnsavedBytes() const;
  size_t ByteSize() const;

 private:
  static constexpr int kRowBits = ColdBlocks::kRowBits;
  static constexpr int64_t kBlockRows = ColdBlocks::kBlockRows;
  static constexpr int64_t kRowMask = ColdBlocks::kRowMask;

  // Consecutive rows of a block, from `begin` on.
  struct Piece {
    std::vector<ColumnPtr> columns;
    int32_t begin = 0;
    int32_t rows = 0;
    size_t bytes = 0;
  };
  struct Block {
    std::vector<int64_t> times, previous;  // By row within the block.
    std::vector<uint32_t> key_ids;
    std::vector<uint8_t> waiting;  // kWaiting, kWaitingSaved.
    std::vector<uint32_t> pieces;  // Numbers, in order of rows.
    std::vector<int32_t> entries;  // Rows that begin an entry in the store.
    int32_t rows = 0;
    size_t bytes = 0;
    int64_t time_max = INT64_MIN;
  };
  static constexpr uint8_t kWaiting = 1;
  static constexpr uint8_t kWaitingSaved = 2;

  const Block& BlockOf(int64_t ordinal) const {
    return *blocks_[static_cast<size_t>((ordinal >> kRowBits) - (hot_ordinal_ >> kRowBits))];
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
  void ForgetKeys(const Block& block, int64_t begin);
  void DropHotBlock();
  Status DropColdBlock();
  bool IsWaiting(int64_t ordinal) const;

  // join_buffer_cold.cc
  Status ReadRows(FetchedRows& fetched, size_t& from, std::vector<std::vector<ColumnPtr>>& parts);
  Result<std::vector<ColumnPtr>> ReadEntry(std::string_view value) const;
  void IndexFetched(FetchedRows& fetched);
  void RebuildKeys();
  Status ReadWaiting();

  // join_buffer_store.cc
  Chunk RowsFrom(int64_t ordinal, size_t count);
  void SaveRows(StateStore& store);
  void SaveEntries(StateStore& store, int64_t from, int64_t end);
  void SaveWaiting(StateStore& store);
  Status LoadHeaders(const StateStore& store);
  Status LoadEntry(std::string_view key, std::string_view value,
                   const std::function<void()>& on_block);
  Status LoadWaiting(const StateStore& store);

  std::vector<DataType> types_;
  int key_columns_;
  GroupTable keys_;             // Of hot rows.
  std::vector<int64_t> heads_;  // By key id.
  std::deque<std::unique_ptr<Block>> blocks_;
  int64_t first_ordinal_ = 0;  // Rows before it are gone,
  int64_t hot_ordinal_ = 0;    // those before it are cold.
  int64_t next_ordinal_ = 0;
  ColdBlocks cold_;
  const StateStore* store_ = nullptr;
  std::vector<std::pair<std::string, std::string>> headers_;  // To be saved.
  size_t header_bytes_ = 0;
  bool has_headers_ = false;        // The store has some.
  size_t cold_row_bytes_ = 64;      // Of one, about.
  size_t covered_last_ = SIZE_MAX;  // Rows that the last Fetch looked for.
  std::vector<Piece> pieces_;
  std::vector<std::vector<const Column*>> pointers_;  // By column, by piece.
  std::vector<uint32_t> free_pieces_;
  // Waiting rows and stale entries, earliest first; of cold rows those before cold_waiting_from_.
  std::vector<std::pair<int64_t, int64_t>> heap_;
  std::pair<int64_t, int64_t> cold_waiting_from_{INT64_MAX, INT64_MAX};
  std::vector<int64_t> waiting_changed_;
  std::vector<std::string> waiting_deleted_;
  int64_t saved_begin_ = 0;  // Rows before it are not in the store,
  int64_t saved_end_ = 0;    // nor those from here on.
  std::vector<uint32_t> ids_, key_scratch_;
  std::vector<int32_t> rows_;
  std::vector<uint64_t> hashes_;
  std::vector<ColdProbe> probes_;
  size_t piece_bytes_ = 0;
};

}  // namespace weir
