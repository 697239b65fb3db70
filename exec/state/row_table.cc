#include "exec/state/row_table.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// Blocks below this are put together, once there are many of them.
constexpr int32_t kSmallBlockRows = 1024;
constexpr int32_t kSmallBlocksMax = 64;
// Rows that nobody refers to are dropped when they outnumber the others by this many.
constexpr int64_t kGarbageRowsMax = 8192;
constexpr size_t kMovedBlockRowsMax = 1 << 16;
constexpr size_t kLoadRowsMax = 4096;

std::vector<DataType> KeyTypes(const RowTable::Options& options) {
  return {options.types.begin(), options.types.begin() + options.key_columns};
}

}  // namespace

RowTable::RowTable(Options options)
    : options_(std::move(options)),
      // Keys of one column are never null; of several, some may be.
      keys_({KeyTypes(options_), options_.has_time, options_.key_columns > 1}),
      pointers_(options_.types.size() + 1) {}

void RowTable::FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                            std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  created_.clear();
  keys_.FindOrInsert(keys, rows, times, ids, created_);
  Grow();
  for (uint32_t id : created_) {
    refs_[id] = RowRef();
    dirty_flags_[id] = 0;
    touched_.push_back(id);
    if (!options_.has_time) continue;
    by_time_.emplace_back(keys_.time(id), id);
    std::push_heap(by_time_.begin(), by_time_.end(), std::greater<>());
  }
}

void RowTable::Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  keys_.Find(keys, rows, times, ids);
}

void RowTable::Grow() {
  if (keys_.id_limit() <= refs_.size()) return;
  refs_.resize(keys_.id_limit());
  dirty_flags_.resize(keys_.id_limit(), 0);
}

uint32_t RowTable::AddBlock(const Chunk& chunk) {
  Block block;
  block.rows = chunk.rows;
  for (size_t i = 0; i < options_.types.size(); ++i) {
    block.columns.push_back(chunk.columns[i] ? chunk.columns[i]
                                             : MakeNullColumn(options_.types[i], chunk.rows));
  }
  block.columns.push_back(chunk.row_time());
  block.ids.assign(chunk.rows, GroupTable::kNone);
  block.bytes = weir::ByteSize(chunk);
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

void RowTable::Unlink(uint32_t id) {
  const RowRef old = refs_[id];
  if (old.is_null()) return;
  --live_rows_;
  if (--blocks_[old.block].live == 0) dead_blocks_.push_back(old.block);
}

void RowTable::Set(uint32_t id, RowRef ref) {
  Unlink(id);
  refs_[id] = ref;
  Block& block = blocks_[ref.block];
  block.ids[ref.row] = id;
  ++block.live;
  ++live_rows_;
  MarkDirty(id);
}

void RowTable::Remove(uint32_t id) {
  if (refs_[id].is_null()) return;
  Unlink(id);
  refs_[id] = RowRef();
  touched_.push_back(id);
}

void RowTable::MarkDirty(uint32_t id) {
  if (!options_.has_time) return pages_.Mark(id);
  if (dirty_flags_[id] != 0) return;
  dirty_flags_[id] = 1;
  dirty_.push_back(id);
}

void RowTable::RemoveBefore(int64_t limit, const std::function<void(uint32_t id)>& removed) {
  bool any = false;
  while (!by_time_.empty() && by_time_.front().first < limit) {
    const auto [time, id] = by_time_.front();
    std::pop_heap(by_time_.begin(), by_time_.end(), std::greater<>());
    by_time_.pop_back();
    if (refs_[id].is_null() || keys_.time(id) != time) continue;
    Unlink(id);
    refs_[id] = RowRef();
    dirty_flags_[id] = kErased;
    keys_.Erase(id);
    removed(id);
    any = true;
  }
  removed_range_ |= any;
  removed_before_ = std::max(removed_before_, limit);
}

void RowTable::EndBatch() {
  for (uint32_t id : touched_) {
    // An id may stand here twice; once erased it has no key any more, which the flag tells.
    if (!refs_[id].is_null() || dirty_flags_[id] == kErased) continue;
    if (options_.has_time) {
      deleted_.emplace_back();
      StoreKey(id, deleted_.back());
    } else {
      pages_.Mark(id);
    }
    dirty_flags_[id] = kErased;
    keys_.Erase(id);
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
  for (uint32_t number : blocks) {
    for (int32_t row = 0; row < blocks_[number].rows; ++row) {
      const uint32_t id = blocks_[number].ids[row];
      if (id == GroupTable::kNone || refs_[id] != RowRef{number, row}) continue;
      from.push_back({number, row});
      if (from.size() >= kMovedBlockRowsMax) flush();
    }
  }
  flush();
  for (uint32_t number : blocks) FreeBlock(number);
}

Chunk RowTable::Picked(std::span<const RowRef> refs) const {
  Chunk picked;
  picked.rows = static_cast<int32_t>(refs.size());
  for (size_t i = 0; i < options_.types.size(); ++i) {
    picked.columns.push_back(Gather(static_cast<int>(i), refs));
  }
  picked.sys(SystemColumn::kRowTime) = GatherRowTimes(refs);
  return picked;
}

// Makes a block of rows that were picked from `refs`.
void RowTable::PlaceMoved(Chunk rows, std::span<const RowRef> refs) {
  Block block;
  block.rows = block.live = rows.rows;
  block.bytes = weir::ByteSize(rows);
  block.columns = std::move(rows.columns);
  block.columns.push_back(rows.row_time());
  for (const RowRef& ref : refs) block.ids.push_back(blocks_[ref.block].ids[ref.row]);
  const std::vector<uint32_t> ids = block.ids;
  const uint32_t number = PlaceBlock(std::move(block));
  for (size_t row = 0; row < ids.size(); ++row) {
    refs_[ids[row]] = {number, static_cast<int32_t>(row)};
  }
}

ColumnPtr RowTable::Gather(int column, std::span<const RowRef> refs) const {
  return GatherRefs(options_.types[column], pointers_[column], refs);
}

ColumnPtr RowTable::GatherRowTimes(std::span<const RowRef> refs) const {
  return GatherRefs(DataType::Bigint(), pointers_.back(), refs);
}

void RowTable::StoreKey(uint32_t id, std::string& out) const {
  if (options_.has_time) AppendOrdered64(keys_.time(id), out);
  keys_.AppendKeyBytes(id, out);
}

void RowTable::AppendValue(uint32_t id, std::string& out) const {
  const RowRef ref = refs_[id];
  AppendOrdered64(row_time(ref), out);
  AppendRow(std::span(blocks_[ref.block].columns)
                .subspan(options_.key_columns, options_.types.size() - options_.key_columns),
            ref.row, out);
}

void RowTable::Save(StateStore& store) {
  if (!options_.has_time) {
    return pages_.Save(store, id_limit(), [this](uint32_t id, std::string& out) {
      if (!Has(id)) return;
      keys_.AppendKeyBytes(id, out);
      AppendValue(id, out);
    });
  }
  if (removed_range_) {
    std::string limit;
    AppendOrdered64(removed_before_, limit);
    store.DeleteRange("", limit);
    removed_range_ = false;
  }
  for (const std::string& key : deleted_) store.Delete(key);
  deleted_.clear();
  std::string key, value;
  for (uint32_t id : dirty_) {
    if (dirty_flags_[id] != 1) continue;
    dirty_flags_[id] = 0;
    if (refs_[id].is_null()) continue;
    key.clear();
    value.clear();
    StoreKey(id, key);
    AppendValue(id, value);
    store.Put(key, value);
  }
  dirty_.clear();
}

// Reads one row; without times `key` and `value` are the same bytes.
bool RowTable::ReadEntry(std::string_view& key, std::string_view& value,
                         std::span<ColumnBuilder> builders, std::vector<int64_t>& times) const {
  int64_t time = 0, row_time = 0;
  const auto keys = builders.first(options_.key_columns);
  const auto values =
      builders.subspan(options_.key_columns, builders.size() - 1 - options_.key_columns);
  if (options_.has_time && !ReadOrdered64(key, time)) return false;
  if (!ReadRow(key, keys) || !ReadOrdered64(value, row_time) || !ReadRow(value, values)) {
    return false;
  }
  builders.back().AppendInt64(row_time);
  times.push_back(time);
  return true;
}

Status RowTable::Load(const StateStore& store, size_t columns) {
  std::vector<ColumnBuilder> builders;
  for (size_t i = 0; i < columns; ++i) builders.emplace_back(options_.types[i]);
  builders.emplace_back(DataType::Bigint());
  std::vector<int64_t> times;
  Status status;
  bool malformed = false;
  bool moved = false;
  uint32_t rows = 0;
  size_t bytes = 0;
  auto load_full = [&](size_t read) {
    bytes += read;
    if (times.size() < kLoadRowsMax && bytes < limits::kBatchBytesMax) return;
    bytes = 0;
    status = LoadRows(builders, times);
  };
  WEIR_RETURN_IF_ERROR(store.Scan("", "", [&](std::string_view key, std::string_view value) {
    const size_t size = key.size() + value.size();
    if (options_.has_time) {
      malformed = !ReadEntry(key, value, builders, times) || !key.empty() || !value.empty();
      if (!malformed) load_full(size);
    } else {
      int64_t page = 0;
      malformed = !ReadOrdered64(key, page) || !key.empty();
      // Rows get their ids as they come.
      for (; !malformed && status.ok() && !value.empty(); ++rows) {
        const size_t before = value.size();
        malformed = !ReadEntry(value, value, builders, times);
        moved |= rows / DirtyPages::kRows != page;
        if (!malformed) load_full(before - value.size());
      }
    }
    return !malformed && status.ok();
  }));
  if (malformed) {
    return Status(ErrorCode::kStoreCorrupt, "a table's row in a state store is malformed");
  }
  WEIR_RETURN_IF_ERROR(std::move(status));
  WEIR_RETURN_IF_ERROR(LoadRows(builders, times));
  pages_ = DirtyPages();
  const bool widened = columns < options_.types.size();
  if (moved || (widened && !options_.has_time)) pages_.MarkMoved(id_limit());
  if (widened && options_.has_time) {
    for (uint32_t id = 0; id < id_limit(); ++id) MarkDirty(id);
  }
  return OkStatus();
}

Status RowTable::LoadRows(std::span<ColumnBuilder> builders, std::vector<int64_t>& times) {
  if (times.empty()) return OkStatus();
  CheckInterrupt();
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(times.size());
  const size_t columns = builders.size() - 1;
  for (size_t i = 0; i < columns; ++i) chunk.columns.push_back(builders[i].Finish());
  chunk.columns.resize(options_.types.size());   // AddBlock makes the others null.
  chunk.sys(SystemColumn::kRowTime) = builders.back().Finish();
  std::vector<int32_t> rows(times.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<uint32_t> ids;
  FindOrInsert(std::span(chunk.columns).first(options_.key_columns), rows,
               options_.has_time ? std::span<const int64_t>(times) : std::span<const int64_t>(),
               ids);
  const uint32_t block = AddBlock(chunk);
  for (size_t i = 0; i < ids.size(); ++i) Set(ids[i], {block, rows[i]});
  for (uint32_t id : dirty_) dirty_flags_[id] = 0;
  dirty_.clear();
  EndBatch();
  times.clear();
  return OkStatus();
}

}  // namespace weir
