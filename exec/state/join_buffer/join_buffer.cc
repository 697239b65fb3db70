#include "exec/state/join_buffer/join_buffer.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/state/join_buffer/join_buffer_keys.h"

namespace weir {
namespace {

/// A block of so many bytes takes no more rows: one block leaves memory, or comes, as a whole.
constexpr size_t kBlockBytesMax = 4u << 20;

std::vector<DataType> KeyTypes(const std::vector<DataType>& types, int key_columns) {
  return {types.begin(), types.begin() + key_columns};
}

}  // namespace

JoinBuffer::JoinBuffer(std::vector<DataType> types, int key_columns)
    : types_(std::move(types)),
      key_columns_(key_columns),
      keys_({KeyTypes(types_, key_columns), false, false}),
      pieces_(kExtraBlock + 1),
      pointers_(types_.size(), std::vector<const Column*>(kExtraBlock + 1, nullptr)) {}

void JoinBuffer::Append(const Chunk& chunk, std::vector<int64_t>& ordinals) {
  ordinals.resize(static_cast<size_t>(chunk.rows));
  for (int32_t from = 0; from < chunk.rows;) {
    const auto room = static_cast<int32_t>(kBlockRows - (next_ordinal_ & kRowMask));
    const int32_t count = std::min(room, chunk.rows - from);
    std::iota(ordinals.begin() + from, ordinals.begin() + from + count, next_ordinal_);
    AppendToBlock(chunk, from, count);
    from += count;
    if (blocks_.back()->bytes >= kBlockBytesMax) {
      next_ordinal_ = (next_ordinal_ + kRowMask) & ~kRowMask;
    }
  }
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
  block.rows += count;
  block.bytes += piece.bytes;
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
    const Column*& lent;
    ~Extra() { lent = nullptr; }
  };
  blocks[kExtraBlock] = extra;
  const Extra lent{blocks[kExtraBlock]};
  return GatherRefs(types_[column], blocks, refs);
}

Status JoinBuffer::Expire(int64_t limit) {
  while (!cold_.empty() && cold_.first_time_max() < limit) WEIR_RETURN_IF_ERROR(DropColdBlock());
  while (cold_.empty() && !blocks_.empty() && blocks_.front()->time_max < limit) DropHotBlock();
  return OkStatus();
}

void JoinBuffer::DropHotBlock() {
  Block& block = *blocks_.front();
  const int64_t begin = hot_ordinal_;
  for (int32_t row = 0; row < block.rows; ++row) ClearWaiting(begin + row, block.times[row]);
  ForgetKeys(block, begin);
  for (uint32_t piece : block.pieces) FreePiece(piece);
  blocks_.pop_front();
  // A block that was not full goes on being filled by nobody: the next rows start a new one.
  first_ordinal_ = hot_ordinal_ = begin + kBlockRows;
  next_ordinal_ = std::max(next_ordinal_, hot_ordinal_);
}

// Keys without a row behind those of this block, the oldest one.
void JoinBuffer::ForgetKeys(const Block& block, int64_t begin) {
  key_scratch_.clear();
  for (int32_t row = 0; row < block.rows; ++row) {
    const uint32_t id = block.key_ids[row];
    if (heads_[id] == begin + row) key_scratch_.push_back(id);
  }
  keys_.Erase(key_scratch_);
}

void JoinBuffer::SetWaiting(int64_t ordinal) {
  Block& block = BlockOf(ordinal);
  block.waiting[ordinal & kRowMask] |= kWaiting;
  heap_.emplace_back(block.times[ordinal & kRowMask], ordinal);
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  waiting_changed_.push_back(ordinal);
}

void JoinBuffer::ClearWaiting(int64_t ordinal, int64_t time) {
  if (IsCold(ordinal)) {
    if (cold_.ClearWaiting(ordinal)) {
      waiting_deleted_.push_back(join_keys::Waiting(time, ordinal));
    }
    return;
  }
  uint8_t& flags = BlockOf(ordinal).waiting[ordinal & kRowMask];
  if ((flags & kWaiting) == 0) return;
  if ((flags & kWaitingSaved) != 0) {
    waiting_deleted_.push_back(join_keys::Waiting(time, ordinal));
  }
  flags = 0;
}

bool JoinBuffer::IsWaiting(int64_t ordinal) const {
  if (IsCold(ordinal)) return cold_.IsWaiting(ordinal);
  return (BlockOf(ordinal).waiting[ordinal & kRowMask] & kWaiting) != 0;
}

Status JoinBuffer::EarliestWaiting(int64_t before, std::pair<int64_t, int64_t>& row, bool* found) {
  *found = false;
  while (true) {
    while (!heap_.empty() && !IsWaiting(heap_.front().second)) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      heap_.pop_back();
    }
    const bool cold_first =
        cold_waiting_from_.first < before && (heap_.empty() || cold_waiting_from_ <= heap_.front());
    if (!cold_first) break;
    WEIR_RETURN_IF_ERROR(ReadWaiting());
  }
  if (heap_.empty() || heap_.front().first >= before) return OkStatus();
  row = heap_.front();
  *found = true;
  return OkStatus();
}

size_t JoinBuffer::ByteSize() const {
  return keys_.ByteSize() + heads_.capacity() * sizeof(int64_t) + piece_bytes_ +
         blocks_.size() * static_cast<size_t>(kBlockRows) * 21 + heap_.capacity() * 16 +
         cold_.ByteSize() + header_bytes_;
}

}  // namespace weir
