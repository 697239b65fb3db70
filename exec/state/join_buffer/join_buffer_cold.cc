// The rows of a join buffer that are not in memory: how they leave it, and how they are read back.

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/state/chunk_codec.h"
#include "exec/state/join_buffer/join_buffer.h"
#include "exec/state/join_buffer/join_buffer_keys.h"
#include "exec/state/key_hash.h"

namespace weir {
namespace {

/// Read from the store by one call.
constexpr size_t kEntriesReadAtOnce = 64;
/// A block that is not full leaves memory with so many rows, when no other one is left.
constexpr int32_t kOpenRowsMin = 256;
constexpr size_t kWaitingReadAtOnce = 4096;
/// Of rows that are read back for several keys at once.
constexpr size_t kFetchedBytesMax = 8u << 20;
constexpr size_t kFetchedRowsMax = 65536;
/// A table of keys is made anew when it has room for so many times what it holds.
constexpr size_t kKeysRoomMax = 4;
constexpr size_t kKeysMin = 4096;

Status MalformedJoin() {
  return Status(ErrorCode::kStoreCorrupt, "a join's state in a store is malformed");
}

}  // namespace

int64_t JoinBuffer::OldestEvictable() const {
  if (blocks_.empty() || store_ == nullptr) return INT64_MAX;
  const Block& block = *blocks_.front();
  const bool full = hot_ordinal_ + kBlockRows <= next_ordinal_;
  const bool saved = hot_ordinal_ + (full ? kBlockRows : block.rows) <= saved_end_;
  return saved && (full || block.rows >= kOpenRowsMin) ? block.time_max : INT64_MAX;
}

void JoinBuffer::EvictOldest() {
  const Block& block = *blocks_.front();
  const int64_t begin = hot_ordinal_;
  const auto rows = static_cast<size_t>(block.rows);
  std::vector<RowRef> refs;
  for (size_t row = 0; row < rows; ++row) refs.push_back(Locate(begin + static_cast<int64_t>(row)));
  std::vector<ColumnPtr> keys;
  for (int column = 0; column < key_columns_; ++column) {
    keys.push_back(Gather(column, refs, nullptr));
  }
  rows_.resize(rows);
  std::iota(rows_.begin(), rows_.end(), 0);
  HashKeys(keys, rows_, hashes_);
  std::vector<ColdEntry> entries;
  for (size_t i = 0; i < block.entries.size(); ++i) {
    const int32_t end = i + 1 < block.entries.size() ? block.entries[i + 1] : block.rows;
    ColdEntry& entry = entries.emplace_back();
    entry.first = block.entries[i];
    for (int32_t row = entry.first; row < end; ++row) {
      entry.time_min = std::min(entry.time_min, block.times[row]);
      entry.time_max = std::max(entry.time_max, block.times[row]);
    }
  }
  headers_.emplace_back(join_keys::Of(join_keys::kHeaders, begin),
                        cold_.Add(begin, std::move(entries), hashes_));
  header_bytes_ += headers_.back().second.size();
  for (size_t row = 0; row < rows; ++row) {
    if ((block.waiting[row] & kWaiting) != 0) cold_.SetWaiting(begin + static_cast<int64_t>(row));
  }
  cold_row_bytes_ = block.bytes / rows + 1;
  ForgetKeys(block, begin);
  for (uint32_t piece : block.pieces) FreePiece(piece);
  blocks_.pop_front();
  hot_ordinal_ = begin + kBlockRows;
  // One that was not full takes no more rows.
  next_ordinal_ = std::max(next_ordinal_, hot_ordinal_);
  saved_end_ = std::max(saved_end_, hot_ordinal_);
}

void JoinBuffer::Evicted() {
  // What waits of cold rows lies in the store, sorted.
  const auto cold = std::partition(heap_.begin(), heap_.end(),
                                   [&](const auto& entry) { return !IsCold(entry.second); });
  for (auto it = cold; it != heap_.end(); ++it) {
    if (cold_.IsWaiting(it->second)) cold_waiting_from_ = std::min(cold_waiting_from_, *it);
  }
  heap_.erase(cold, heap_.end());
  if (heap_.size() < heap_.capacity() / 4) heap_.shrink_to_fit();
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  if (keys_.id_limit() > kKeysMin && keys_.size() < keys_.id_limit() / kKeysRoomMax) RebuildKeys();
}

void JoinBuffer::RebuildKeys() {
  keys_ = GroupTable({{types_.begin(), types_.begin() + key_columns_}, false, false});
  std::vector<int64_t>().swap(heads_);
  int64_t begin = hot_ordinal_;
  for (const std::unique_ptr<Block>& block : blocks_) {
    std::vector<RowRef> refs;
    for (int32_t row = 0; row < block->rows; ++row) refs.push_back(Locate(begin + row));
    std::vector<ColumnPtr> keys;
    for (int column = 0; column < key_columns_; ++column) {
      keys.push_back(Gather(column, refs, nullptr));
    }
    rows_.resize(refs.size());
    std::iota(rows_.begin(), rows_.end(), 0);
    key_scratch_.clear();
    keys_.FindOrInsert(keys, rows_, {}, ids_, key_scratch_);
    heads_.resize(keys_.id_limit(), -1);
    for (int32_t row = 0; row < block->rows; ++row) {
      block->key_ids[row] = ids_[row];
      heads_[ids_[row]] = begin + row;
    }
    begin += kBlockRows;
  }
}

Status JoinBuffer::Fetch(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                         std::span<const int64_t> from, std::span<const int64_t> to,
                         FetchedRows& fetched, size_t* covered) {
  HashKeys(keys, rows, hashes_);
  const size_t rows_max =
      std::clamp<size_t>(kFetchedBytesMax / cold_row_bytes_, 1, kFetchedRowsMax);
  std::vector<int64_t> ordinals;
  // Where the last rows had many matches, the next ones have, too.
  const size_t tried =
      covered_last_ > rows.size() ? rows.size() : std::min(rows.size(), 2 * covered_last_);
  size_t count = tried;
  for (;; count /= 2) {
    probes_.clear();
    for (size_t i = 0; i < count; ++i) probes_.push_back({hashes_[i], from[i], to[i]});
    std::sort(probes_.begin(), probes_.end(),
              [](const ColdProbe& a, const ColdProbe& b) { return a.hash < b.hash; });
    size_t kept = 0;
    for (const ColdProbe& probe : probes_) {
      if (kept == 0 || probes_[kept - 1].hash != probe.hash) {
        probes_[kept++] = probe;
      } else {
        ColdProbe& same = probes_[kept - 1];
        same.from = std::min(same.from, probe.from);
        same.to = std::max(same.to, probe.to);
      }
    }
    probes_.resize(kept);
    if (cold_.Find(probes_, count == 1 ? SIZE_MAX : rows_max, ordinals)) break;
    CheckInterrupt();
  }
  *covered = count;
  covered_last_ = count == rows.size() ? SIZE_MAX : count;
  WEIR_RETURN_IF_ERROR(Fetch(std::move(ordinals), fetched));
  IndexFetched(fetched);
  return OkStatus();
}

Status JoinBuffer::Fetch(std::vector<int64_t> ordinals, FetchedRows& fetched) {
  Release(fetched);
  if (ordinals.empty()) return OkStatus();
  fetched.ordinals = std::move(ordinals);
  std::vector<std::vector<ColumnPtr>> parts(types_.size());
  for (size_t from = 0; from < fetched.ordinals.size();) {
    CheckInterrupt();
    if (Status read = ReadRows(fetched, from, parts); !read.ok()) {
      fetched = FetchedRows();
      return read;
    }
  }
  Piece piece{.rows = static_cast<int32_t>(fetched.ordinals.size())};
  for (const std::vector<ColumnPtr>& column : parts) piece.columns.push_back(Concat(column));
  fetched.piece = PlacePiece(std::move(piece));
  return OkStatus();
}

// Reads some entries and takes the rows that are wanted of them; moves `from` past those.
Status JoinBuffer::ReadRows(FetchedRows& fetched, size_t& from,
                            std::vector<std::vector<ColumnPtr>>& parts) {
  std::vector<int64_t> firsts;
  std::vector<size_t> begins;
  std::vector<std::string> keys;
  size_t to = from;
  for (; to < fetched.ordinals.size(); ++to) {
    const int64_t first = cold_.EntryOf(fetched.ordinals[to]);
    if (!firsts.empty() && firsts.back() == first) continue;
    if (firsts.size() == kEntriesReadAtOnce) break;
    firsts.push_back(first);
    begins.push_back(to);
    keys.push_back(join_keys::Of(join_keys::kRows, first));
  }
  begins.push_back(to);
  std::vector<std::optional<std::string>> values;
  WEIR_RETURN_IF_ERROR(store_->MultiGet(keys, values));
  for (size_t i = 0; i < firsts.size(); ++i) {
    if (!values[i]) return MalformedJoin();
    WEIR_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, ReadEntry(*values[i]));
    cold_row_bytes_ = values[i]->size() / static_cast<size_t>(columns.back()->length()) + 1;
    values[i].reset();
    std::vector<int32_t> rows;
    const auto times = columns.back()->values<int64_t>();
    for (size_t at = begins[i]; at < begins[i + 1]; ++at) {
      const int64_t row = fetched.ordinals[at] - firsts[i];
      if (row >= columns.back()->length()) return MalformedJoin();
      rows.push_back(static_cast<int32_t>(row));
      fetched.times.push_back(times[static_cast<size_t>(row)]);
    }
    for (size_t column = 0; column < parts.size(); ++column) {
      parts[column].push_back(weir::Gather(*columns[column], rows));
    }
  }
  from = to;
  return OkStatus();
}

// The columns, the times behind them.
Result<std::vector<ColumnPtr>> JoinBuffer::ReadEntry(std::string_view value) const {
  std::vector<DataType> types = types_;
  types.push_back(DataType::Bigint());
  WEIR_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, ReadColumns(types, value));
  if (columns.back()->length() == 0 || columns.back()->has_nulls()) return MalformedJoin();
  return columns;
}

void JoinBuffer::IndexFetched(FetchedRows& fetched) {
  if (fetched.empty()) return;
  fetched.keys = std::make_unique<GroupTable>(
      GroupTable::Options{{types_.begin(), types_.begin() + key_columns_}, false, false});
  rows_.resize(fetched.ordinals.size());
  std::iota(rows_.begin(), rows_.end(), 0);
  key_scratch_.clear();
  const std::vector<ColumnPtr>& columns = pieces_[fetched.piece].columns;
  fetched.keys->FindOrInsert(std::span(columns).first(static_cast<size_t>(key_columns_)), rows_, {},
                             ids_, key_scratch_);
  fetched.heads.assign(fetched.keys->id_limit(), -1);
  fetched.previous.resize(rows_.size());
  for (size_t row = 0; row < rows_.size(); ++row) {
    fetched.previous[row] = fetched.heads[ids_[row]];
    fetched.heads[ids_[row]] = static_cast<int32_t>(row);
  }
}

void JoinBuffer::Release(FetchedRows& fetched) {
  if (!fetched.empty()) FreePiece(fetched.piece);
  fetched = FetchedRows();
}

Status JoinBuffer::DropColdBlock() {
  const int64_t end = first_ordinal_ + kBlockRows;
  if (cold_.waiting_in_first() > 0) {
    // Their times are in the store only.
    WEIR_RETURN_IF_ERROR(store_->Scan(join_keys::First(join_keys::kWaiting),
                                      join_keys::Waiting(cold_.first_time_max(), INT64_MAX),
                                      [&](std::string_view key, std::string_view) {
                                        int64_t time = 0, ordinal = 0;
                                        key.remove_prefix(1);
                                        if (!ReadOrdered64(key, time) ||
                                            !ReadOrdered64(key, ordinal))
                                          return true;
                                        if (ordinal < end) ClearWaiting(ordinal, time);
                                        return true;
                                      }));
  }
  cold_.DropFirst();
  first_ordinal_ = end;
  if (cold_.waiting() == 0) cold_waiting_from_ = {INT64_MAX, INT64_MAX};
  return OkStatus();
}

// The next cold rows that wait come to the others. Hot ones lie between them, which are there.
Status JoinBuffer::ReadWaiting() {
  const auto from = cold_waiting_from_;
  cold_waiting_from_ = {INT64_MAX, INT64_MAX};
  size_t visited = 0;
  bool ok = true;
  WEIR_RETURN_IF_ERROR(
      store_->Scan(join_keys::Waiting(from.first, from.second), join_keys::End(join_keys::kWaiting),
                   [&](std::string_view key, std::string_view) {
                     std::pair<int64_t, int64_t> row;
                     key.remove_prefix(1);
                     ok = ReadOrdered64(key, row.first) && ReadOrdered64(key, row.second);
                     if (!ok) return false;
                     if (visited++ == kWaitingReadAtOnce) {
                       cold_waiting_from_ = row;
                       return false;
                     }
                     if (!IsCold(row.second) || !cold_.IsWaiting(row.second)) return true;
                     heap_.push_back(row);
                     std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
                     return true;
                   }));
  return ok ? OkStatus() : MalformedJoin();
}

Status JoinBuffer::Waiting(std::vector<std::pair<int64_t, int64_t>>& rows) const {
  rows.clear();
  for (const auto& entry : heap_) {
    if (IsWaiting(entry.second)) rows.push_back(entry);
  }
  if (cold_waiting_from_.first == INT64_MAX) return OkStatus();
  return store_->Scan(join_keys::Waiting(cold_waiting_from_.first, cold_waiting_from_.second),
                      join_keys::End(join_keys::kWaiting),
                      [&](std::string_view key, std::string_view) {
                        std::pair<int64_t, int64_t> row;
                        key.remove_prefix(1);
                        if (!ReadOrdered64(key, row.first) || !ReadOrdered64(key, row.second))
                          return true;
                        if (IsCold(row.second) && cold_.IsWaiting(row.second)) rows.push_back(row);
                        return true;
                      });
}

}  // namespace weir
