#pragma once

// A table's rows by key: the latest row of each key, in columnar blocks as they came in. Under
// Materialize and table joins.
//
// A batch goes: FindOrInsert, AddBlock with the rows that came, Set or Remove for each change, read
// old and new rows through their refs, EndBatch. Ids and refs hold until EndBatch.
//
// The rows lie in a store (stored_rows.h), and memory holds those that were used last: what is not
// there is read back by its key. Opening reads none, or a few; while there is room, the others come
// in behind the commits. As long as all are in memory, a key that is not costs nothing.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/state/group_table.h"
#include "exec/state/rows/row_gather.h"
#include "exec/state/rows/stored_rows.h"
#include "exec/state/state_store.h"

namespace weir {

/// One thread at a time.
class RowTable {
 public:
  explicit RowTable(RowLayout layout);

  /// The rows lie in `store`; called once, while empty. Without it all stay in memory. Rows that an
  /// earlier version wrote, with the first `old_columns` of the columns, are read at once, and
  /// written anew by the next Save.
  Status Open(StateStore& store, size_t old_columns);
  Status Open(StateStore& store) { return Open(store, layout_.types.size()); }

  /// As in GroupTable. A key found here has a row exactly if Has(id).
  Status FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                      std::span<const int64_t> times, std::vector<uint32_t>& ids);
  /// As above; GroupTable::kNone for some of the keys that have no row.
  Status Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
              std::span<const int64_t> times, std::vector<uint32_t>& ids);

  /// Keeps the columns of a flat chunk; returns the number for refs to its rows.
  uint32_t AddBlock(const Chunk& chunk);
  /// Makes `ref`, a row of a block added in this batch, the row of `id`.
  void Set(uint32_t id, RowRef ref);
  void Remove(uint32_t id);
  /// Drops what nobody refers to any more. Refs end here.
  void EndBatch();

  bool Has(uint32_t id) const { return !slots_[id].ref.is_null(); }
  RowRef ref(uint32_t id) const { return slots_[id].ref; }
  int64_t row_time(RowRef ref) const {
    return reinterpret_cast<const int64_t*>(pointers_.back()[ref.block]->raw_values())[ref.row];
  }
  int64_t time(uint32_t id) const { return keys_.time(id); }
  uint32_t id_limit() const { return static_cast<uint32_t>(slots_.size()); }
  /// Rows in memory.
  int64_t row_count() const { return live_rows_; }
  /// What Open has read was written by an earlier version: all rows are in memory.
  bool has_old() const { return has_old_; }

  ColumnPtr Gather(int column, std::span<const RowRef> refs) const;
  ColumnPtr GatherRowTimes(std::span<const RowRef> refs) const;

  /// Writes what changed since the last Save.
  void Save();
  /// What was saved is committed; rows may have come since. Rows leave memory until `share` bytes
  /// are held, those first that have not been used for the longest; or, where there is room, more
  /// come in.
  Status OnCommitted(int64_t share);
  size_t ByteSize() const;

 private:
  struct Block {
    std::vector<ColumnPtr> columns;  // The row times come last.
    std::vector<uint32_t> ids;       // By row: whose row it was made; kNone if nobody's.
    int32_t rows = 0;
    int32_t live = 0;
    size_t bytes = 0;
  };
  struct Slot {
    RowRef ref;
    uint8_t flags = 0;
  };
  // Flags of a slot.
  static constexpr uint8_t kDirty = 1;    // In dirty_.
  static constexpr uint8_t kUsed = 2;     // Since the clock's hand last passed.
  static constexpr uint8_t kAbsent = 4;   // In absent_.
  static constexpr uint8_t kWanted = 8;   // Not looked up in the store yet.
  static constexpr uint8_t kErased = 16;  // Has no key any more.
  static constexpr uint8_t kStored = 32;  // The store may have a row of the key.

  void FindInMemory(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, std::vector<uint32_t>& ids);
  uint32_t PlaceBlock(Block block);
  void FreeBlock(uint32_t number);
  void MarkDirty(uint32_t id);
  void Link(uint32_t id, RowRef ref);
  void Unlink(uint32_t id);
  void Compact();
  void MoveRows(std::span<const uint32_t> blocks);
  Chunk Picked(std::span<const RowRef> refs) const;
  void PlaceMoved(Chunk rows, std::span<const RowRef> refs);
  std::span<const ColumnPtr> KeysOf(const Block& block) const {
    return std::span(block.columns).first(static_cast<size_t>(layout_.key_columns));
  }

  // row_table_store.cc
  void TakeRead(StoredRowReader& reader, bool changed);
  Status ReadWanted(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, std::span<const uint32_t> ids);
  Status ReadMore();
  std::vector<ColumnPtr> KeyColumns(std::span<const uint32_t> ids) const;
  void Evict(int64_t share);
  void RenewKeys();

  const RowLayout layout_;
  GroupTable keys_;
  std::vector<Slot> slots_;  // By id.
  std::vector<Block> blocks_;
  std::vector<std::vector<const Column*>> pointers_;  // By column, by block.
  std::vector<uint32_t> free_blocks_;
  std::vector<uint32_t> dead_blocks_;  // Became empty in this batch.
  std::vector<uint32_t> touched_;      // Ids that may have no row at EndBatch.
  std::vector<uint32_t> created_;
  std::vector<uint32_t> dirty_;  // May name an id twice, and ids that are not dirty any more.
  // Keys without a row whose ids stay until the commit: their rows are to be deleted from the
  // store, or are known not to be there.
  std::vector<uint32_t> absent_;
  StateStore* store_ = nullptr;
  bool whole_ = true;
  bool has_old_ = false;     // The store holds rows of an earlier version.
  bool tracks_use_ = false;  // Rows have left memory, and may do so again.
  std::string read_to_;      // All stored rows with keys below are in memory.
  size_t hand_ = 0;          // The block that the clock comes to next.
  int64_t live_rows_ = 0;
  int64_t total_rows_ = 0;
  int32_t small_blocks_ = 0;
  size_t block_bytes_ = 0;
};

}  // namespace weir
