#pragma once

// A table's rows by key: the latest row of each key, kept in columnar blocks as they came in. Under
// Materialize, table joins and the views that pull queries read.
//
// A batch goes: FindOrInsert, AddBlock with the rows that came, Set or Remove for each change, read
// old and new rows through their refs, EndBatch. Refs hold until EndBatch.

#include <cstdint>
#include <functional>
#include <utility>
#include <span>
#include <string>
#include <vector>

#include "exec/operators/operator.h"
#include "exec/state/dirty_pages.h"
#include "exec/state/group_table.h"
#include "exec/state/row_gather.h"

namespace weir {

/// One thread at a time.
class RowTable {
 public:
  struct Options {
    std::vector<DataType> types;   ///< Of all columns; the first `key_columns` are the key.
    int key_columns = 0;
    bool has_time = false;         ///< Keys have a time besides (a window's start).
  };
  explicit RowTable(Options options);

  /// As in GroupTable. A key found here has a row exactly if Has(id).
  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, std::vector<uint32_t>& ids);
  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times, std::vector<uint32_t>& ids);

  /// Keeps the columns of a flat chunk; returns the number for refs to its rows.
  uint32_t AddBlock(const Chunk& chunk);
  /// Makes `ref`, a row of a block added in this batch, the row of `id`.
  void Set(uint32_t id, RowRef ref);
  void Remove(uint32_t id);
  /// Removes all rows whose key's time is below `limit`; requires has_time. Calls `removed` with
  /// the id of each.
  void RemoveBefore(int64_t limit, const std::function<void(uint32_t id)>& removed);
  /// Drops what nobody refers to any more. Refs end here.
  void EndBatch();

  bool Has(uint32_t id) const { return !refs_[id].is_null(); }
  RowRef ref(uint32_t id) const { return refs_[id]; }
  int64_t row_time(RowRef ref) const {
    return reinterpret_cast<const int64_t*>(pointers_.back()[ref.block]->raw_values())[ref.row];
  }
  int64_t time(uint32_t id) const { return keys_.time(id); }
  uint32_t id_limit() const { return static_cast<uint32_t>(refs_.size()); }
  int64_t row_count() const { return live_rows_; }

  ColumnPtr Gather(int column, std::span<const RowRef> refs) const;
  ColumnPtr GatherRowTimes(std::span<const RowRef> refs) const;

  /// Reads all rows back; called once, while empty. They were written with the first `columns` of
  /// the columns, and have null in the others; all is then written again.
  Status Load(const StateStore& store, size_t columns);
  Status Load(const StateStore& store) { return Load(store, options_.types.size()); }
  /// Writes what changed since the last Save.
  void Save(StateStore& store);
  size_t ByteSize() const { return keys_.ByteSize() + block_bytes_ + refs_.size() * 16; }

 private:
  struct Block {
    std::vector<ColumnPtr> columns;   // The row times come last.
    std::vector<uint32_t> ids;        // By row: whose row it was made; kNone if nobody's.
    int32_t rows = 0;
    int32_t live = 0;
    size_t bytes = 0;
  };
  uint32_t PlaceBlock(Block block);
  void FreeBlock(uint32_t number);
  void Grow();
  void MarkDirty(uint32_t id);
  void Unlink(uint32_t id);
  void Compact();
  void MoveRows(std::span<const uint32_t> blocks);
  Chunk Picked(std::span<const RowRef> refs) const;
  void PlaceMoved(Chunk rows, std::span<const RowRef> refs);
  void StoreKey(uint32_t id, std::string& out) const;
  void AppendValue(uint32_t id, std::string& out) const;
  bool ReadEntry(std::string_view& key, std::string_view& value, std::span<ColumnBuilder> builders,
                 std::vector<int64_t>& times) const;
  Status LoadRows(std::span<ColumnBuilder> builders, std::vector<int64_t>& times);

  static constexpr uint8_t kErased = 2;  // In dirty_flags_.

  Options options_;
  GroupTable keys_;
  std::vector<RowRef> refs_;                              // By id.
  std::vector<uint8_t> dirty_flags_;                      // By id.
  std::vector<Block> blocks_;
  std::vector<std::vector<const Column*>> pointers_;      // By column, by block.
  std::vector<uint32_t> free_blocks_;
  std::vector<uint32_t> dead_blocks_;                     // Became empty in this batch.
  std::vector<uint32_t> touched_;                         // Ids that may have no row at EndBatch.
  std::vector<uint32_t> created_;
  // With times in the keys rows are stored one by one, ordered by time; without, by pages.
  std::vector<uint32_t> dirty_;
  std::vector<std::string> deleted_;                      // Store keys.
  DirtyPages pages_;
  // Time of the key and id, a heap with the first on top; some of them stale.
  std::vector<std::pair<int64_t, uint32_t>> by_time_;
  int64_t removed_before_ = INT64_MIN;
  bool removed_range_ = false;
  int64_t live_rows_ = 0;
  int64_t total_rows_ = 0;
  int32_t small_blocks_ = 0;
  size_t block_bytes_ = 0;
};

}  // namespace weir
