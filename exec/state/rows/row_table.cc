#include "exec/state/rows/row_table.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"

namespace weir {
namespace {

// Blocks below this are put together, once there are many of them.
constexpr int32_t kSmallBlockRows = 1024;
constexpr int32_t kSmallBlocksMax = 64;
// Rows that nobody refers to are dropped when they outnumber the others by this many.
constexpr int64_t kGarbageRowsMax = 8192;
constexpr size_t kMovedBlockRowsMax = 1 << 16;
constexpr size_t kStaleIdsMax = 1024;

std::vector<DataType> KeyTypes(const RowLayout& layout) {
  return {layout.types.begin(), layout.types.begin() + layout.key_columns};
}

}  // namespace

RowTable::RowTable(RowLayout layout)
    : layout_(std::move(layout)),
      // Keys of one column are never null; of several, some may be.
      keys_({KeyTypes(layout_), layout_.has_time, layout_.key_columns > 1}),
      pointers_(layout_.types.size() + 1) {}

Status RowTable::FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                              std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  FindInMemory(keys, rows, times, ids);
  if (!whole_ && !created_.empty()) WEIR_RETURN_IF_ERROR(ReadWanted(keys, rows, times, ids));
  if (tracks_use_) {
    for (uint32_t id : ids) slots_[id].flags |= kUsed;
  }
  return OkStatus();
}

Status RowTable::Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                      std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  if (!whole_) return FindOrInsert(keys, rows, times, ids);
  keys_.Find(keys, rows, times, ids);
  return OkStatus();
}

// Keys that are not known get a slot without a row.
void RowTable::FindInMemory(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                            std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  created_.clear();
  keys_.FindOrInsert(keys, rows, times, ids, created_);
  if (keys_.id_limit() > slots_.size()) slots_.resize(keys_.id_limit());
  for (uint32_t id : created_) {
    slots_[id] = Slot();
    touched_.push_back(id);
  }
}

uint32_t RowTable::AddBlock(const Chunk& chunk) {
  Block block;
  block.rows = chunk.rows;
  for (size_t i = 0; i < layout_.types.size(); ++i) {
    block.columns.push_back(chunk.columns[i] ? chunk.columns[i]
                                             : MakeNullColumn(layout_.types[i], chunk.rows));
  }
  block.columns.push_back(chunk.row_time());
  block.ids.assign(chunk.rows, GroupTable::kNone);
  block.bytes = weir::ByteSize(chunk) + block.ids.size() * sizeof(uint32_t);
  const uint32_t number = PlaceBlock(std::move(block));
  dead_blocks_.push_back(number);  // Until a row of it is used.
  return number;
}

uint32_t RowTable::PlaceBlock(Block block) {
  total_rows_ += block.rows;
  block_bytes_ += block.bytes;
  small_blocks_ += block.rows < kSmallBlockRows ? 1 : 0;
  uint32_t number;
  if (free_blocks_.empty()) {
    number = static_cast<uint32_t>(blocks_.size());
    blocks_.emplace_back();
    for (auto& column : pointers_) column.push_back(nullptr);
  } else {
    number = free_blocks_.back();
    free_blocks_.pop_back();
  }
  for (size_t i = 0; i < pointers_.size(); ++i) pointers_[i][number] = block.columns[i].get();
  blocks_[number] = std::move(block);
  return number;
}

void RowTable::FreeBlock(uint32_t number) {
  Block& block = blocks_[number];
  if (block.columns.empty()) return;
  total_rows_ -= block.rows;
  block_bytes_ -= block.bytes;
  small_blocks_ -= block.rows < kSmallBlockRows ? 1 : 0;
  for (auto& column : pointers_) column[number] = nullptr;
  block = Block();
  free_blocks_.push_back(number);
}

void RowTable::Link(uint32_t id, RowRef ref) {
  slots_[id].ref = ref;
  Block& block = blocks_[ref.block];
  block.ids[ref.row] = id;
  ++block.live;
  ++live_rows_;
}

void RowTable::Unlink(uint32_t id) {
  const RowRef old = std::exchange(slots_[id].ref, RowRef());
  if (old.is_null()) return;
  --live_rows_;
  if (--blocks_[old.block].live == 0) dead_blocks_.push_back(old.block);
}

void RowTable::Set(uint32_t id, RowRef ref) {
  Unlink(id);
  Link(id, ref);
  MarkDirty(id);
}

void RowTable::Remove(uint32_t id) {
  if (!Has(id)) return;
  Unlink(id);
  MarkDirty(id);
  touched_.push_back(id);
}

void RowTable::MarkDirty(uint32_t id) {
  if (store_ == nullptr || (slots_[id].flags & kDirty) != 0) return;
  slots_[id].flags |= kDirty;
  dirty_.push_back(id);
  if (dirty_.size() <= 2 * slots_.size() + kStaleIdsMax) return;
  // A query that never saves: keys come and go.
  dirty_.clear();
  for (uint32_t each = 0; each < slots_.size(); ++each) {
    if ((slots_[each].flags & kDirty) != 0) dirty_.push_back(each);
  }
}

void RowTable::EndBatch() {
  for (uint32_t id : touched_) {
    Slot& slot = slots_[id];
    if (!slot.ref.is_null() || (slot.flags & (kAbsent | kErased)) != 0) continue;
    const bool is_deleted = (slot.flags & kDirty) != 0 && (slot.flags & kStored) != 0;
    if (is_deleted || !whole_) {
      slot.flags |= kAbsent;
      absent_.push_back(id);
    } else {
      slot.flags = kErased;
      keys_.Erase(id);
    }
  }
  touched_.clear();
  for (uint32_t number : dead_blocks_) {
    if (blocks_[number].live == 0) FreeBlock(number);
  }
  dead_blocks_.clear();
  if (small_blocks_ > kSmallBlocksMax || total_rows_ > 2 * live_rows_ + kGarbageRowsMax) Compact();
}

void RowTable::Compact() {
  std::vector<uint32_t> chosen;
  for (uint32_t number = 0; number < blocks_.size(); ++number) {
    const Block& block = blocks_[number];
    if (block.columns.empty()) continue;
    if (block.rows < kSmallBlockRows || block.live * 4 < block.rows * 3) chosen.push_back(number);
  }
  MoveRows(chosen);
}

// Copies the rows in use of some blocks into new ones.
void RowTable::MoveRows(std::span<const uint32_t> blocks) {
  std::vector<RowRef> from;
  auto flush = [&] {
    size_t moved = 0;
    Status never_fails = InParts(
        from.size(), nullptr,
        [&](size_t begin, size_t count) { return Picked(std::span(from).subspan(begin, count)); },
        [&](Chunk picked) {
          const auto count = static_cast<size_t>(picked.rows);
          PlaceMoved(std::move(picked), std::span(from).subspan(moved, count));
          moved += count;
          return OkStatus();
        },
        kMovedBlockRowsMax);
    WEIR_CHECK(never_fails.ok(), never_fails.message());
    from.clear();
  };
  size_t emptied = 0;  // Of `blocks`: all of their rows have been moved.
  for (size_t i = 0; i < blocks.size(); ++i) {
    const uint32_t number = blocks[i];
    for (int32_t row = 0; row < blocks_[number].rows; ++row) {
      const uint32_t id = blocks_[number].ids[row];
      if (id == GroupTable::kNone || slots_[id].ref != RowRef{number, row}) continue;
      from.push_back({number, row});
    }
    if (from.size() < kMovedBlockRowsMax && i + 1 < blocks.size()) continue;
    flush();
    for (; emptied <= i; ++emptied) FreeBlock(blocks[emptied]);
  }
}

Chunk RowTable::Picked(std::span<const RowRef> refs) const {
  Chunk picked;
  picked.rows = static_cast<int32_t>(refs.size());
  for (size_t i = 0; i < layout_.types.size(); ++i) {
    picked.columns.push_back(Gather(static_cast<int>(i), refs));
  }
  picked.sys(SystemColumn::kRowTime) = GatherRowTimes(refs);
  return picked;
}

// Makes a block of rows that were picked from `refs`.
void RowTable::PlaceMoved(Chunk rows, std::span<const RowRef> refs) {
  Block block;
  block.rows = block.live = rows.rows;
  block.bytes = weir::ByteSize(rows) + refs.size() * sizeof(uint32_t);
  block.columns = std::move(rows.columns);
  block.columns.push_back(rows.row_time());
  for (const RowRef& ref : refs) block.ids.push_back(blocks_[ref.block].ids[ref.row]);
  const std::vector<uint32_t> ids = block.ids;
  const uint32_t number = PlaceBlock(std::move(block));
  for (size_t row = 0; row < ids.size(); ++row) {
    slots_[ids[row]].ref = {number, static_cast<int32_t>(row)};
  }
}

ColumnPtr RowTable::Gather(int column, std::span<const RowRef> refs) const {
  return GatherRefs(layout_.types[column], pointers_[column], refs);
}

ColumnPtr RowTable::GatherRowTimes(std::span<const RowRef> refs) const {
  return GatherRefs(DataType::Bigint(), pointers_.back(), refs);
}

size_t RowTable::ByteSize() const {
  return keys_.ByteSize() + block_bytes_ + slots_.capacity() * sizeof(Slot) +
         (dirty_.capacity() + absent_.capacity()) * sizeof(uint32_t) +
         blocks_.capacity() * (sizeof(Block) + pointers_.size() * sizeof(const Column*));
}

}  // namespace weir
