// A join buffer in its store: what is written at a commit, and how a query starts on it again.

#include <algorithm>
#include <functional>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/state/chunk_codec.h"
#include "exec/state/join_buffer/join_buffer.h"
#include "exec/state/join_buffer/join_buffer_keys.h"

namespace weir {
namespace {

/// What is read back at once for one row of it.
constexpr size_t kEntryRowsMax = 256;
constexpr size_t kEntryBytesMax = 256u << 10;
/// Of an entry of a row that waits, with what a store needs to keep it.
constexpr size_t kWaitingBytes = 200;
/// A block that came in more pieces is written anew when it is full.
constexpr size_t kEntriesMax = 64;

Status MalformedStore() {
  return Status(ErrorCode::kStoreCorrupt, "a join's state in a store is malformed");
}

}  // namespace

void JoinBuffer::Save(StateStore& store) {
  if (saved_begin_ < first_ordinal_) {
    if (saved_begin_ < saved_end_) {
      store.DeleteRange(join_keys::First(join_keys::kRows),
                        join_keys::Of(join_keys::kRows, first_ordinal_));
    }
    if (has_headers_) {
      store.DeleteRange(join_keys::First(join_keys::kHeaders),
                        join_keys::Of(join_keys::kHeaders, first_ordinal_));
    }
    saved_begin_ = first_ordinal_;
  }
  const std::string first_header = join_keys::Of(join_keys::kHeaders, first_ordinal_);
  for (const auto& [key, header] : headers_) {
    if (key < first_header) continue;
    store.Put(key, header);
    has_headers_ = true;
  }
  headers_.clear();
  header_bytes_ = 0;
  SaveRows(store);
  SaveWaiting(store);
}

size_t JoinBuffer::UnsavedBytes() const {
  size_t bytes = (waiting_changed_.size() + waiting_deleted_.size()) * kWaitingBytes;
  if (blocks_.empty() || saved_end_ >= next_ordinal_) return bytes;
  const Block& last = *blocks_.back();
  const auto rows = static_cast<size_t>(next_ordinal_ - std::max(saved_end_, hot_ordinal_));
  return bytes + rows * (last.bytes / static_cast<size_t>(last.rows));
}

void JoinBuffer::SaveRows(StateStore& store) {
  for (int64_t from = std::max(saved_end_, hot_ordinal_); from < next_ordinal_;) {
    Block& block = BlockOf(from);
    const int64_t begin = from & ~kRowMask;
    const bool full = begin + kBlockRows <= next_ordinal_;
    if (full && block.entries.size() > kEntriesMax) {
      store.DeleteRange(join_keys::Of(join_keys::kRows, begin),
                        join_keys::Of(join_keys::kRows, begin + kBlockRows));
      block.entries.clear();
      from = begin;
    }
    SaveEntries(store, from, begin + block.rows);
    from = begin + kBlockRows;
  }
  saved_end_ = std::max(saved_end_, next_ordinal_);
}

// Rows [from, end) of one block.
void JoinBuffer::SaveEntries(StateStore& store, int64_t from, int64_t end) {
  Block& block = BlockOf(from);
  const size_t row_bytes = block.bytes / static_cast<size_t>(block.rows) + 1;
  int64_t next = from;
  Status never_fails = InParts(
      static_cast<size_t>(end - from), nullptr,
      [&](size_t begin, size_t count) {
        return RowsFrom(from + static_cast<int64_t>(begin), count);
      },
      [&](Chunk rows) {
        std::string value;
        AppendColumns(rows.columns, value);
        store.Put(join_keys::Of(join_keys::kRows, next), value);
        block.entries.push_back(static_cast<int32_t>(next & kRowMask));
        next += rows.rows;
        return OkStatus();
      },
      std::clamp<size_t>(kEntryBytesMax / row_bytes, 1, kEntryRowsMax));
  WEIR_CHECK(never_fails.ok(), never_fails.message());
}

// So many rows from an ordinal on, the times behind the kept columns.
Chunk JoinBuffer::RowsFrom(int64_t ordinal, size_t count) {
  std::vector<RowRef> refs;
  std::vector<int64_t> times;
  refs.reserve(count);
  times.reserve(count);
  for (const int64_t end = ordinal + static_cast<int64_t>(count); ordinal < end; ++ordinal) {
    refs.push_back(Locate(ordinal));
    times.push_back(Time(ordinal));
  }
  Chunk rows;
  rows.rows = static_cast<int32_t>(count);
  for (size_t i = 0; i < types_.size(); ++i) {
    rows.columns.push_back(Gather(static_cast<int>(i), refs, nullptr));
  }
  rows.columns.push_back(MakeInt64Column(DataType::Bigint(), times));
  return rows;
}

void JoinBuffer::SaveWaiting(StateStore& store) {
  for (const std::string& key : waiting_deleted_) store.Delete(key);
  waiting_deleted_.clear();
  for (int64_t ordinal : waiting_changed_) {
    if (ordinal < hot_ordinal_) continue;  // Expired: what is hot now was so since the commit.
    Block& block = BlockOf(ordinal);
    uint8_t& flags = block.waiting[ordinal & kRowMask];
    if (flags != kWaiting) continue;
    flags |= kWaitingSaved;
    store.Put(join_keys::Waiting(block.times[ordinal & kRowMask], ordinal), "");
  }
  waiting_changed_.clear();
}

Status JoinBuffer::Load(const StateStore& store, const std::function<void()>& on_block) {
  store_ = &store;
  WEIR_RETURN_IF_ERROR(LoadHeaders(store));
  Status status;
  WEIR_RETURN_IF_ERROR(store.Scan(cold_.empty() ? join_keys::First(join_keys::kRows)
                                                : join_keys::Of(join_keys::kRows, hot_ordinal_),
                                  join_keys::End(join_keys::kRows),
                                  [&](std::string_view key, std::string_view value) {
                                    CheckInterrupt();
                                    status = LoadEntry(key, value, on_block);
                                    return status.ok();
                                  }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  on_block();
  return LoadWaiting(store);
}

Status JoinBuffer::LoadHeaders(const StateStore& store) {
  bool ok = true;
  WEIR_RETURN_IF_ERROR(
      store.Scan(join_keys::First(join_keys::kHeaders), join_keys::End(join_keys::kHeaders),
                 [&](std::string_view key, std::string_view value) {
                   CheckInterrupt();
                   int64_t ordinal = 0;
                   key.remove_prefix(1);
                   ok = ReadOrdered64(key, ordinal) && cold_.AddHeader(ordinal, value);
                   return ok;
                 }));
  if (!ok) return MalformedStore();
  if (cold_.empty()) return OkStatus();
  has_headers_ = true;
  first_ordinal_ = saved_begin_ = cold_.first_ordinal();
  hot_ordinal_ = next_ordinal_ = saved_end_ = cold_.end_ordinal();
  return OkStatus();
}

Status JoinBuffer::LoadEntry(std::string_view key, std::string_view value,
                             const std::function<void()>& on_block) {
  int64_t ordinal = 0;
  key.remove_prefix(1);
  if (!ReadOrdered64(key, ordinal)) return MalformedStore();
  WEIR_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, ReadEntry(value));
  if ((ordinal & kRowMask) == 0) {
    if (blocks_.empty() && cold_.empty()) {
      first_ordinal_ = hot_ordinal_ = next_ordinal_ = saved_begin_ = ordinal;
    } else if (ordinal > next_ordinal_ && ordinal - next_ordinal_ < kBlockRows) {
      next_ordinal_ = ordinal;  // The block before was full because of its bytes.
    }
    saved_end_ = next_ordinal_;
    on_block();
  }
  // Only the rest of a block may be missing between two entries, and none goes on in the next one.
  const int64_t end = ordinal + columns.back()->length();
  if (ordinal != next_ordinal_ || (end - 1) >> kRowBits != ordinal >> kRowBits) {
    return MalformedStore();
  }
  Chunk chunk;
  chunk.rows = columns.back()->length();
  chunk.sys(SystemColumn::kRowTime) = columns.back();
  columns.pop_back();
  chunk.columns = std::move(columns);
  AppendToBlock(chunk, 0, chunk.rows);
  blocks_.back()->entries.push_back(static_cast<int32_t>(ordinal & kRowMask));
  saved_end_ = next_ordinal_;
  return OkStatus();
}

Status JoinBuffer::LoadWaiting(const StateStore& store) {
  bool ok = true;
  WEIR_RETURN_IF_ERROR(
      store.Scan(join_keys::First(join_keys::kWaiting), join_keys::End(join_keys::kWaiting),
                 [&](std::string_view key, std::string_view) {
                   std::pair<int64_t, int64_t> row;
                   key.remove_prefix(1);
                   ok = ReadOrdered64(key, row.first) && ReadOrdered64(key, row.second);
                   if (!ok) return false;
                   if (row.second < first_ordinal_ || row.second >= next_ordinal_) return true;
                   if (IsCold(row.second)) {
                     cold_.SetWaiting(row.second);
                     cold_waiting_from_ = std::min(cold_waiting_from_, row);
                     return true;
                   }
                   BlockOf(row.second).waiting[row.second & kRowMask] = kWaiting | kWaitingSaved;
                   heap_.push_back(row);
                   std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
                   return true;
                 }));
  return ok ? OkStatus() : MalformedStore();
}

}  // namespace weir
