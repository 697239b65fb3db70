#include "exec/state/rows/row_changes.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr size_t kPieceBytesMin = 16u << 10;
constexpr size_t kPieceBytesMax = 1u << 20;
constexpr size_t kMergedChangesMin = 1u << 17;

// In front of a change's bytes.
struct ChangeSizes {
  uint32_t key = 0;
  uint32_t value = 0;
};
constexpr uint32_t kNoValue = UINT32_MAX;  // The row is deleted.

ChangeSizes SizesAt(const char* at) {
  ChangeSizes sizes;
  std::memcpy(&sizes, at, sizeof(sizes));
  return sizes;
}

std::string_view KeyAt(const char* at) { return {at + sizeof(ChangeSizes), SizesAt(at).key}; }

// Bytes from `from` on, so that they compare as the text does.
uint64_t FrontOf(std::string_view text, size_t from) {
  unsigned char bytes[sizeof(uint64_t)] = {};
  if (from < text.size()) {
    std::memcpy(bytes, text.data() + from, std::min(sizeof(bytes), text.size() - from));
  }
  uint64_t front = 0;
  for (unsigned char byte : bytes) front = front << 8 | byte;
  return front;
}

}  // namespace

Status RowChanges::Open(StateStore& store, size_t old_columns) {
  store_ = &store;
  WEIR_ASSIGN_OR_RETURN(has_old_, ReadOldRows(store, layout_, old_columns,
                                              [this](StoredRowReader& rows) { TakeOld(rows); }));
  return OkStatus();
}

void RowChanges::TakeOld(StoredRowReader& reader) {
  const std::vector<int64_t> times(reader.times().begin(), reader.times().end());
  const Chunk chunk = reader.Finish();
  std::vector<int32_t> rows(static_cast<size_t>(chunk.rows));
  std::iota(rows.begin(), rows.end(), 0);
  Add(chunk, rows, layout_.has_time ? std::span(times) : std::span<const int64_t>());
}

void RowChanges::Add(const Chunk& chunk, std::span<const int32_t> rows,
                     std::span<const int64_t> times) {
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < layout_.types.size(); ++i) {
    columns.push_back(chunk.columns[i] ? chunk.columns[i]
                                       : MakeNullColumn(layout_.types[i], chunk.rows));
  }
  const auto keys = std::span(columns).first(static_cast<size_t>(layout_.key_columns));
  const int64_t* const row_times = chunk.row_time()->values<int64_t>().data();
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    const bool is_deleted = chunk.op(row) == RowOp::kDelete;
    key_.clear();
    value_.clear();
    AppendStoredKey(layout_, keys, row, layout_.has_time ? times[i] : 0, key_);
    if (!is_deleted) AppendStoredRow(layout_, columns, row, row_times[row], value_);
    Append(is_deleted);
  }
  if (changes_.size() >= std::max(merge_at_, kMergedChangesMin)) Merge();
}

// The change that key_ and value_ say.
void RowChanges::Append(bool is_deleted) {
  const ChangeSizes sizes{static_cast<uint32_t>(key_.size()),
                          is_deleted ? kNoValue : static_cast<uint32_t>(value_.size())};
  const size_t bytes = sizeof(sizes) + key_.size() + value_.size();
  if (pieces_.empty() || pieces_.back().size - used_ < bytes) {
    const size_t size = std::clamp(piece_bytes_, kPieceBytesMin, kPieceBytesMax);
    pieces_.push_back(
        {std::make_unique_for_overwrite<char[]>(std::max(size, bytes)), std::max(size, bytes)});
    piece_bytes_ += pieces_.back().size;
    used_ = 0;
  }
  char* to = pieces_.back().bytes.get() + used_;
  changes_.push_back({0, static_cast<uint64_t>(pieces_.size() - 1) << 32 | used_});
  used_ += bytes;
  std::memcpy(to, &sizes, sizeof(sizes));
  to = std::copy(key_.begin(), key_.end(), to + sizeof(sizes));
  std::copy(value_.begin(), value_.end(), to);
}

const char* RowChanges::At(const Change& change) const {
  return pieces_[change.place >> 32].bytes.get() + static_cast<uint32_t>(change.place);
}

// By keys, those of one key as they came. Most keys differ in the first bytes behind those that all
// begin with, so that few are compared whole.
void RowChanges::Sort() {
  if (changes_.empty()) return;
  const std::string_view first = KeyAt(At(changes_.front()));
  size_t common = first.size();
  for (const Change& change : changes_) {
    const std::string_view key = KeyAt(At(change));
    common = std::min(common, key.size());
    if (std::memcmp(first.data(), key.data(), common) == 0) continue;
    common = static_cast<size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<ptrdiff_t>(common), key.begin())
            .first -
        first.begin());
  }
  for (Change& change : changes_) change.front = FrontOf(KeyAt(At(change)), common);
  const auto before = [&](const Change& a, const Change& b) {
    if (a.front != b.front) return a.front < b.front;
    const int compared = KeyAt(At(a)).substr(common).compare(KeyAt(At(b)).substr(common));
    return compared != 0 ? compared < 0 : a.place < b.place;
  };
  if (!std::is_sorted(changes_.begin(), changes_.end(), before)) {
    std::sort(changes_.begin(), changes_.end(), before);
  }
}

// Of sorted changes: whether the next one is of the same key.
bool RowChanges::IsReplaced(size_t i) const {
  if (i + 1 == changes_.size() || changes_[i].front != changes_[i + 1].front) return false;
  return KeyAt(At(changes_[i])) == KeyAt(At(changes_[i + 1]));
}

// Leaves out what has been replaced.
void RowChanges::Merge() {
  Sort();
  RowChanges merged(layout_);
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (IsReplaced(i)) continue;
    const char* const at = At(changes_[i]);
    const ChangeSizes sizes = SizesAt(at);
    const bool is_deleted = sizes.value == kNoValue;
    merged.key_.assign(at + sizeof(sizes), sizes.key);
    merged.value_.assign(at + sizeof(sizes) + sizes.key, is_deleted ? 0 : sizes.value);
    merged.Append(is_deleted);
  }
  // Where little was replaced, it is not looked for soon again.
  const bool helped = merged.changes_.size() * 4 < changes_.size() * 3;
  merge_at_ = merged.changes_.size() * (helped ? 2 : 8);
  changes_ = std::move(merged.changes_);
  pieces_ = std::move(merged.pieces_);
  used_ = merged.used_;
  piece_bytes_ = merged.piece_bytes_;
}

void RowChanges::Save() {
  if (has_old_) store_->DeleteRange(kStoredRowsEnd, "");
  has_old_ = false;
  Sort();
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (IsReplaced(i)) continue;
    const char* const at = At(changes_[i]);
    const ChangeSizes sizes = SizesAt(at);
    const std::string_view key = KeyAt(at);
    if (sizes.value == kNoValue) {
      store_->Delete(key);
    } else {
      store_->Put(key, {at + sizeof(sizes) + sizes.key, sizes.value});
    }
  }
  std::vector<Change>().swap(changes_);
  std::vector<Piece>().swap(pieces_);
  used_ = piece_bytes_ = merge_at_ = 0;
}

size_t RowChanges::ByteSize() const { return changes_.capacity() * sizeof(Change) + piece_bytes_; }

}  // namespace weir
