#include "exec/state/join_buffer.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/state/chunk_codec.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// Keys in the store: 'r' and the first ordinal: a block of rows; 'w', time, ordinal: a row waits.
constexpr char kRowsPrefix = 'r';
constexpr char kWaitingPrefix = 'w';

std::vector<DataType> KeyTypes(const std::vector<DataType>& types, int key_columns) {
  return {types.begin(), types.begin() + key_columns};
}

std::string RowsKey(int64_t ordinal) {
  std::string key(1, kRowsPrefix);
  AppendOrdered64(ordinal, key);
  return key;
}

std::string WaitingKey(int64_t time, int64_t ordinal) {
  std::string key(1, kWaitingPrefix);
  AppendOrdered64(time, key);
  AppendOrdered64(ordinal, key);
  return key;
}

}  // namespace

JoinBuffer::JoinBuffer(std::vector<DataType> types, int key_columns)
    : types_(std::move(types)),
      key_columns_(key_columns),
      keys_({KeyTypes(types_, key_columns), false, false}),
      pointers_(types_.size()) {}

int64_t JoinBuffer::Append(const Chunk& chunk) {
  const int64_t first = next_ordinal_;
  for (int32_t from = 0; from < chunk.rows;) {
    const auto room = static_cast<int32_t>(kBlockRows - (next_ordinal_ & kRowMask));
    const int32_t count = std::min(room, chunk.rows - from);
    AppendToBlock(chunk, from, count);
    from += count;
  }
  return first;
}

void JoinBuffer::AppendToBlock(const Chunk& chunk, int32_t from, int32_t count) {
  const auto begin = static_cast<int32_t>(next_ordinal_ & kRowMask);
  if (begin == 0 || blocks_.empty()) {
    blocks_.push_back(std::make_unique<Block>());
    Block& block = *blocks_.back();
    block.times.resize(kBlockRows);
    block.previous.resize(kBlockRows);
    block.key_ids.resize(kBlockRows);
    block.waiting.resize(kBlockRows, 0);
  }
  Block& block = *blocks_.back();
  Piece piece{.begin = begin, .rows = count};
  rows_.resize(count);
  std::iota(rows_.begin(), rows_.end(), from);
  const bool whole = from == 0 && count == chunk.rows;
  for (size_t i = 0; i < types_.size(); ++i) {
    const ColumnPtr& column = chunk.columns[i];
    if (column == nullptr) {
      piece.columns.push_back(MakeNullColumn(types_[i], count));
    } else {
      piece.columns.push_back(whole ? column : weir::Gather(*column, rows_));
    }
  }
  Chunk measured;
  measured.rows = count;
  measured.columns = piece.columns;
  piece.bytes = weir::ByteSize(measured);
  block.pieces.push_back(PlacePiece(std::move(piece)));
  Index(chunk, from, count);
  next_ordinal_ += count;
  // Few pieces: neighbours of about one size become one; a full block becomes one piece. But what
  // is large already stays as it is.
  while (block.pieces.size() >= 2 && BytesOfLast(block, 2) <= limits::kMadeColumnBytesMax &&
         pieces_[block.pieces[block.pieces.size() - 2]].rows <=
             2 * pieces_[block.pieces.back()].rows) {
    MergePieces(block, 2);
  }
  if ((next_ordinal_ & kRowMask) == 0 && block.pieces.size() > 1 &&
      BytesOfLast(block, block.pieces.size()) <= limits::kMadeColumnBytesMax) {
    MergePieces(block, block.pieces.size());
  }
}

size_t JoinBuffer::BytesOfLast(const Block& block, size_t count) const {
  size_t bytes = 0;
  for (size_t i = block.pieces.size() - count; i < block.pieces.size(); ++i) {
    bytes += pieces_[block.pieces[i]].bytes;
  }
  return bytes;
}

// Chains rows [from, from + count) of the chunk to the rows of the same key before them.
void JoinBuffer::Index(const Chunk& chunk, int32_t from, int32_t count) {
  Block& block = *blocks_.back();
  key_scratch_.clear();
  keys_.FindOrInsert(std::span(chunk.columns).first(key_columns_), rows_, {}, ids_, key_scratch_);
  if (heads_.size() < keys_.id_limit()) heads_.resize(keys_.id_limit());
  for (uint32_t id : key_scratch_) heads_[id] = -1;
  const auto times = chunk.row_time()->values<int64_t>();
  const auto begin = static_cast<int32_t>(next_ordinal_ & kRowMask);
  for (int32_t i = 0; i < count; ++i) {
    const uint32_t id = ids_[i];
    const int64_t time = times[from + i];
    block.times[begin + i] = time;
    block.previous[begin + i] = heads_[id];
    block.key_ids[begin + i] = id;
    heads_[id] = next_ordinal_ + i;
    block.time_max = std::max(block.time_max, time);
  }
}

uint32_t JoinBuffer::PlacePiece(Piece piece) {
  uint32_t number;
  if (free_pieces_.empty()) {
    number = static_cast<uint32_t>(pieces_.size());
    pieces_.emplace_back();
    for (auto& column : pointers_) column.push_back(nullptr);
  } else {
    number = free_pieces_.back();
    free_pieces_.pop_back();
  }
  for (size_t i = 0; i < pointers_.size(); ++i) pointers_[i][number] = piece.columns[i].get();
  piece_bytes_ += piece.bytes;
  pieces_[number] = std::move(piece);
  return number;
}

void JoinBuffer::FreePiece(uint32_t number) {
  piece_bytes_ -= pieces_[number].bytes;
  pieces_[number] = Piece();
  for (auto& column : pointers_) column[number] = nullptr;
  free_pieces_.push_back(number);
}

// Makes one piece of the last `count` ones.
void JoinBuffer::MergePieces(Block& block, size_t count) {
  const std::vector<uint32_t> numbers(block.pieces.end() - static_cast<int64_t>(count),
                                      block.pieces.end());
  Piece merged{.begin = pieces_[numbers.front()].begin};
  for (uint32_t number : numbers) merged.rows += pieces_[number].rows;
  std::vector<ColumnPtr> parts(count);
  for (size_t i = 0; i < types_.size(); ++i) {
    for (size_t part = 0; part < count; ++part) parts[part] = pieces_[numbers[part]].columns[i];
    merged.columns.push_back(Concat(parts));
  }
  Chunk measured;
  measured.rows = merged.rows;
  measured.columns = merged.columns;
  merged.bytes = weir::ByteSize(measured);
  for (uint32_t number : numbers) FreePiece(number);
  block.pieces.resize(block.pieces.size() - count);
  block.pieces.push_back(PlacePiece(std::move(merged)));
}

RowRef JoinBuffer::Locate(int64_t ordinal) const {
  const Block& block = BlockOf(ordinal);
  const auto row = static_cast<int32_t>(ordinal & kRowMask);
  size_t i = block.pieces.size() - 1;
  while (pieces_[block.pieces[i]].begin > row) --i;
  return {block.pieces[i], row - pieces_[block.pieces[i]].begin};
}

ColumnPtr JoinBuffer::Gather(int column, std::span<const RowRef> refs, const Column* extra) {
  std::vector<const Column*>& blocks = pointers_[column];
  // Taken out again also where the column would be too large, which throws.
  struct Extra {
    std::vector<const Column*>& blocks;
    ~Extra() { blocks.pop_back(); }
  };
  blocks.push_back(extra);
  const Extra lent{blocks};
  return GatherRefs(types_[column], blocks, refs);
}

void JoinBuffer::Expire(int64_t limit) {
  while (!blocks_.empty() && blocks_.front()->time_max < limit) DropFirstBlock();
}

void JoinBuffer::DropFirstBlock() {
  Block& block = *blocks_.front();
  const int64_t block_begin = first_ordinal_ & ~kRowMask;
  const int64_t end = std::min(block_begin + kBlockRows, next_ordinal_);
  key_scratch_.clear();
  for (int64_t ordinal = first_ordinal_; ordinal < end; ++ordinal) {
    ClearWaiting(ordinal);
    const uint32_t id = block.key_ids[ordinal & kRowMask];
    if (heads_[id] == ordinal) key_scratch_.push_back(id);
  }
  keys_.Erase(key_scratch_);   // Keys without another row.
  for (uint32_t piece : block.pieces) FreePiece(piece);
  blocks_.pop_front();
  // A block that was not full goes on being filled by nobody: the next rows start a new one.
  first_ordinal_ = block_begin + kBlockRows;
  next_ordinal_ = std::max(next_ordinal_, first_ordinal_);
}

void JoinBuffer::SetWaiting(int64_t ordinal) {
  Block& block = BlockOf(ordinal);
  block.waiting[ordinal & kRowMask] |= kWaiting;
  heap_.emplace_back(block.times[ordinal & kRowMask], ordinal);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  waiting_changed_.push_back(ordinal);
}

void JoinBuffer::ClearWaiting(int64_t ordinal) {
  Block& block = BlockOf(ordinal);
  uint8_t& flags = block.waiting[ordinal & kRowMask];
  if ((flags & kWaiting) == 0) return;
  if ((flags & kWaitingSaved) != 0) {
    waiting_deleted_.push_back(WaitingKey(block.times[ordinal & kRowMask], ordinal));
  }
  flags = 0;
}

bool JoinBuffer::EarliestWaiting(std::pair<int64_t, int64_t>& row) {
  while (!heap_.empty()) {
    row = heap_.front();
    if (row.second >= first_ordinal_ &&
        (BlockOf(row.second).waiting[row.second & kRowMask] & kWaiting) != 0) {
      return true;
    }
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
  }
  return false;
}

void JoinBuffer::Waiting(std::vector<std::pair<int64_t, int64_t>>& rows) const {
  rows.clear();
  for (const auto& entry : heap_) {
    if (entry.second < first_ordinal_) continue;
    if ((BlockOf(entry.second).waiting[entry.second & kRowMask] & kWaiting) == 0) continue;
    rows.push_back(entry);
  }
}

void JoinBuffer::Save(StateStore& store) {
  SaveRows(store);
  SaveWaiting(store);
}

void JoinBuffer::SaveRows(StateStore& store) {
  if (!saved_.empty() && saved_.front().end <= first_ordinal_) {
    while (!saved_.empty() && saved_.front().end <= first_ordinal_) saved_.pop_front();
    const int64_t limit =
        saved_.empty() ? std::max(saved_end_, first_ordinal_) : saved_.front().first;
    store.DeleteRange(std::string(1, kRowsPrefix), RowsKey(limit));
  }
  int64_t from = std::max(saved_end_, first_ordinal_);
  saved_end_ = from;
  while (from < next_ordinal_) {
    // Entries never cross a block, so that what is loaded lies where it lay.
    const int64_t end = std::min((from & ~kRowMask) + kBlockRows, next_ordinal_);
    Status never_fails = InParts(
        static_cast<size_t>(end - from), nullptr,
        [&](size_t begin, size_t count) {
          return RowsFrom(from + static_cast<int64_t>(begin), count);
        },
        [&](Chunk rows) {
          std::string value;
          AppendColumns(rows.columns, value);
          const int64_t first = saved_end_;
          store.Put(RowsKey(first), value);
          saved_end_ += rows.rows;
          saved_.push_back({first, saved_end_});
          return OkStatus();
        });
    WEIR_CHECK(never_fails.ok(), never_fails.message());
    from = end;
  }
  saved_end_ = next_ordinal_;
}

// So many rows from an ordinal on, the times behind the kept columns.
Chunk JoinBuffer::RowsFrom(int64_t ordinal, size_t count) {
  std::vector<RowRef> refs;
  std::vector<int64_t> times;
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
    if (ordinal < first_ordinal_) continue;
    Block& block = BlockOf(ordinal);
    uint8_t& flags = block.waiting[ordinal & kRowMask];
    if (flags != kWaiting) continue;
    flags |= kWaitingSaved;
    store.Put(WaitingKey(block.times[ordinal & kRowMask], ordinal), "");
  }
  waiting_changed_.clear();
}

Status JoinBuffer::Load(const StateStore& store) {
  bool ok = true;
  Status status;
  WEIR_RETURN_IF_ERROR(store.Scan("", "", [&](std::string_view key, std::string_view value) {
    status = LoadEntry(key, value, ok);
    return ok && status.ok();
  }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  if (!ok) return Status(ErrorCode::kStoreCorrupt, "a join's state in a store is malformed");
  return OkStatus();
}

Status JoinBuffer::LoadEntry(std::string_view key, std::string_view value, bool& ok) {
  ok = !key.empty();
  if (!ok) return OkStatus();
  const char prefix = key.front();
  key.remove_prefix(1);
  int64_t number = 0, ordinal = 0;
  ok = ReadOrdered64(key, number);
  if (!ok) return OkStatus();
  if (prefix == kRowsPrefix) {
    CheckInterrupt();
    std::vector<DataType> types = types_;
    types.push_back(DataType::Bigint());
    WEIR_ASSIGN_OR_RETURN(std::vector<ColumnPtr> columns, ReadColumns(types, value));
    ok = number >= next_ordinal_;
    if (!ok || columns.back()->length() == 0) return OkStatus();
    if (blocks_.empty()) {
      first_ordinal_ = next_ordinal_ = number;
    } else if (number != next_ordinal_) {
      // Only whole blocks may be missing between two entries; they cannot be, so this is damage.
      ok = false;
      return OkStatus();
    }
    Chunk chunk;
    chunk.rows = columns.back()->length();
    chunk.sys(SystemColumn::kRowTime) = columns.back();
    columns.pop_back();
    chunk.columns = std::move(columns);
    Append(chunk);
    saved_.push_back({number, next_ordinal_});
    saved_end_ = next_ordinal_;
    return OkStatus();
  }
  ok = prefix == kWaitingPrefix && ReadOrdered64(key, ordinal);
  if (!ok || ordinal < first_ordinal_ || ordinal >= next_ordinal_) return OkStatus();
  BlockOf(ordinal).waiting[ordinal & kRowMask] = kWaiting | kWaitingSaved;
  heap_.emplace_back(number, ordinal);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  return OkStatus();
}

size_t JoinBuffer::ByteSize() const {
  return keys_.ByteSize() + heads_.capacity() * sizeof(int64_t) + piece_bytes_ +
         blocks_.size() * static_cast<size_t>(kBlockRows) * 21 + heap_.capacity() * 16;
}

}  // namespace weir
