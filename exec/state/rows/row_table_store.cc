// Rows of a table between memory and their store.

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/state/rows/row_table.h"

namespace weir {
namespace {

// Rows looked up at once: what they bring is in memory twice for a moment.
constexpr size_t kRowsWantedMax = 512;
// Behind a commit so many bytes of rows come in, where there is room.
constexpr size_t kReadMoreBytes = 512u << 10;
// Where rows leave memory, room is made for a while: of the share so much stays in use.
constexpr double kKeptPart = 0.75;

// Texts one behind another, and their order.
class SortedTexts {
 public:
  std::string& Next() {
    begins_.push_back(bytes_.size());
    return bytes_;
  }
  std::string_view Text(size_t i) const {
    const size_t end = i + 1 < begins_.size() ? begins_[i + 1] : bytes_.size();
    return std::string_view(bytes_).substr(begins_[i], end - begins_[i]);
  }
  std::vector<uint32_t> Order() const {
    std::vector<uint32_t> order(begins_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto before = [this](uint32_t a, uint32_t b) { return Text(a) < Text(b); };
    if (!std::is_sorted(order.begin(), order.end(), before)) {
      std::sort(order.begin(), order.end(), before);
    }
    return order;
  }

 private:
  std::string bytes_;
  std::vector<size_t> begins_;
};

std::vector<int32_t> AllRows(const Chunk& chunk) {
  std::vector<int32_t> rows(static_cast<size_t>(chunk.rows));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

Status RowTable::Open(StateStore& store, size_t old_columns) {
  store_ = &store;
  WEIR_ASSIGN_OR_RETURN(has_old_,
                        ReadOldRows(store, layout_, old_columns,
                                    [this](StoredRowReader& rows) { TakeRead(rows, true); }));
  if (has_old_) return OkStatus();
  whole_ = false;
  return ReadMore();
}

// Takes rows that were read in, unless memory has newer ones. `changed`: they are to be written.
void RowTable::TakeRead(StoredRowReader& reader, bool changed) {
  if (reader.rows() == 0) return;
  CheckInterrupt();
  const std::vector<int64_t> times(reader.times().begin(), reader.times().end());
  const Chunk chunk = reader.Finish();
  const std::vector<int32_t> rows = AllRows(chunk);
  std::vector<uint32_t> ids;
  FindInMemory(std::span(chunk.columns).first(static_cast<size_t>(layout_.key_columns)), rows,
               layout_.has_time ? std::span(times) : std::span<const int64_t>(), ids);
  const uint32_t block = AddBlock(chunk);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (Has(ids[i]) || (slots_[ids[i]].flags & (kDirty | kAbsent)) != 0) continue;
    Link(ids[i], {block, rows[i]});
    if (changed) {
      MarkDirty(ids[i]);
    } else {
      slots_[ids[i]].flags |= kStored;
    }
  }
  EndBatch();
}

// Looks up the keys that FindInMemory has just created.
Status RowTable::ReadWanted(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                            std::span<const int64_t> times, std::span<const uint32_t> ids) {
  for (uint32_t id : created_) slots_[id].flags |= kWanted;
  std::vector<std::pair<std::string, uint32_t>> wanted;
  const auto table_keys = keys.first(static_cast<size_t>(layout_.key_columns));
  for (size_t i = 0; i < rows.size(); ++i) {
    Slot& slot = slots_[ids[i]];
    if ((slot.flags & kWanted) == 0) continue;
    slot.flags &= static_cast<uint8_t>(~kWanted);
    std::string key;
    AppendStoredKey(layout_, table_keys, rows[i], layout_.has_time ? times[i] : 0, key);
    if (key >= read_to_) wanted.emplace_back(std::move(key), ids[i]);
  }
  std::sort(wanted.begin(), wanted.end());
  StoredRowReader reader(layout_);
  std::vector<std::string> batch;
  std::vector<std::optional<std::string>> values;
  std::vector<uint32_t> found;
  const auto take = [&] {
    if (found.empty()) return;
    const uint32_t block = AddBlock(reader.Finish());
    for (size_t row = 0; row < found.size(); ++row) {
      Link(found[row], {block, static_cast<int32_t>(row)});
      slots_[found[row]].flags |= kStored;
    }
    found.clear();
  };
  for (size_t from = 0; from < wanted.size(); from += kRowsWantedMax) {
    CheckInterrupt();
    const size_t to = std::min(from + kRowsWantedMax, wanted.size());
    batch.clear();
    for (size_t i = from; i < to; ++i) batch.push_back(std::move(wanted[i].first));
    WEIR_RETURN_IF_ERROR(store_->MultiGet(batch, values));
    for (size_t i = from; i < to; ++i) {
      const std::optional<std::string>& value = values[i - from];
      if (!value) continue;
      if (!reader.Add(batch[i - from], *value)) return MalformedRow();
      found.push_back(wanted[i].second);
      if (reader.is_full()) take();
    }
  }
  take();
  return OkStatus();
}

// Takes a piece of the stored rows in, in the order of their keys.
Status RowTable::ReadMore() {
  StoredRowReader reader(layout_);
  bool malformed = false;
  bool ended = true;
  size_t bytes = 0;
  WEIR_RETURN_IF_ERROR(store_->Scan(read_to_.empty() ? kStoredRowsBegin : read_to_, kStoredRowsEnd,
                                    [&](std::string_view key, std::string_view value) {
                                      if (reader.is_full() || bytes >= kReadMoreBytes) {
                                        ended = false;
                                        read_to_.assign(key);
                                        return false;
                                      }
                                      bytes += key.size() + value.size();
                                      malformed = !reader.Add(key, value);
                                      return !malformed;
                                    }));
  if (malformed) return MalformedRow();
  TakeRead(reader, false);
  whole_ = ended;
  return OkStatus();
}

std::vector<ColumnPtr> RowTable::KeyColumns(std::span<const uint32_t> ids) const {
  std::vector<ColumnBuilder> builders;
  for (int i = 0; i < layout_.key_columns; ++i) builders.emplace_back(layout_.types[i]);
  keys_.AppendKeys(ids, builders);
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  return columns;
}

void RowTable::Save() {
  if (store_ == nullptr) return;
  if (has_old_) store_->DeleteRange(kStoredRowsEnd, "");
  has_old_ = false;
  std::vector<uint32_t> removed;
  std::erase_if(dirty_, [&](uint32_t id) {
    Slot& slot = slots_[id];
    if ((slot.flags & kDirty) == 0) return true;
    slot.flags &= static_cast<uint8_t>(~kDirty);
    if (!Has(id)) removed.push_back(id);
    return false;
  });
  const std::vector<ColumnPtr> removed_keys = KeyColumns(removed);
  int32_t next_removed = 0;
  SortedTexts keys;
  for (uint32_t id : dirty_) {
    Slot& slot = slots_[id];
    const int64_t time = layout_.has_time ? keys_.time(id) : 0;
    if (Has(id)) {
      slot.flags |= kStored;
      AppendStoredKey(layout_, KeysOf(blocks_[slot.ref.block]), slot.ref.row, time, keys.Next());
    } else {
      AppendStoredKey(layout_, removed_keys, next_removed++, time, keys.Next());
    }
  }
  std::string value;
  // The store takes keys in their order with less searching.
  for (uint32_t i : keys.Order()) {
    const RowRef ref = slots_[dirty_[i]].ref;
    if (ref.is_null()) {
      store_->Delete(keys.Text(i));
      continue;
    }
    value.clear();
    AppendStoredRow(layout_, blocks_[ref.block].columns, ref.row, row_time(ref), value);
    store_->Put(keys.Text(i), value);
  }
  dirty_.clear();
}

Status RowTable::OnCommitted(int64_t share) {
  // What was removed since Save is in the store yet.
  std::erase_if(absent_, [this](uint32_t id) {
    Slot& slot = slots_[id];
    if ((slot.flags & kDirty) != 0) return false;
    slot.flags &= static_cast<uint8_t>(~kAbsent);
    if (!slot.ref.is_null()) return true;
    slot.flags = kErased;
    keys_.Erase(id);
    return true;
  });
  if (store_ == nullptr) return OkStatus();
  if (share < static_cast<int64_t>(ByteSize())) {
    Evict(share);
    return OkStatus();
  }
  const bool has_room = share == INT64_MAX;
  return whole_ || tracks_use_ || !has_room ? OkStatus() : ReadMore();
}

void RowTable::Evict(int64_t share) {
  if (live_rows_ == 0) return;
  whole_ = false;
  tracks_use_ = true;
  read_to_.clear();
  const auto keep =
      static_cast<int64_t>(static_cast<double>(live_rows_) * kKeptPart *
                           (static_cast<double>(share) / static_cast<double>(ByteSize())));
  std::vector<uint32_t> gone, thinned;
  // The first time round rows only lose their mark.
  for (size_t steps = 2 * blocks_.size(); steps > 0 && live_rows_ > keep; --steps) {
    hand_ = hand_ + 1 < blocks_.size() ? hand_ + 1 : 0;
    Block& block = blocks_[hand_];
    const int32_t before = block.live;
    for (int32_t row = 0; row < block.rows && live_rows_ > keep; ++row) {
      const uint32_t id = block.ids[row];
      if (id == GroupTable::kNone) continue;
      Slot& slot = slots_[id];
      if (slot.ref != RowRef{static_cast<uint32_t>(hand_), row}) continue;
      if ((slot.flags & kDirty) != 0) continue;
      if ((slot.flags & kUsed) != 0) {
        slot.flags &= static_cast<uint8_t>(~kUsed);
        continue;
      }
      slot.ref = RowRef();
      slot.flags = kErased;
      --block.live;
      --live_rows_;
      gone.push_back(id);
    }
    if (block.live < before) thinned.push_back(static_cast<uint32_t>(hand_));
  }
  std::sort(thinned.begin(), thinned.end());
  thinned.erase(std::unique(thinned.begin(), thinned.end()), thinned.end());
  MoveRows(thinned);
  if (live_rows_ * 2 < static_cast<int64_t>(keys_.id_limit())) {
    RenewKeys();
  } else {
    keys_.Erase(gone);
  }
}

// A hash table keeps the size it once had; what it needs now is much less.
void RowTable::RenewKeys() {
  // Those without a row whose ids stay, too.
  const std::vector<ColumnPtr> absent_keys = KeyColumns(absent_);
  std::vector<int64_t> absent_times, old_times;
  for (uint32_t id : absent_) {
    if (layout_.has_time) absent_times.push_back(keys_.time(id));
  }
  for (uint32_t id = 0; layout_.has_time && id < id_limit(); ++id) {
    old_times.push_back(Has(id) ? keys_.time(id) : 0);
  }
  const std::vector<Slot> old = std::exchange(slots_, {});
  keys_ = GroupTable({{layout_.types.begin(), layout_.types.begin() + layout_.key_columns},
                      layout_.has_time,
                      layout_.key_columns > 1});
  std::vector<int32_t> rows;
  std::vector<int64_t> times;
  std::vector<uint32_t> ids, old_ids, places(old.size(), GroupTable::kNone);
  for (uint32_t number = 0; number < blocks_.size(); ++number) {
    Block& block = blocks_[number];
    rows.clear();
    times.clear();
    old_ids.clear();
    for (int32_t row = 0; row < block.rows; ++row) {
      const uint32_t id = std::exchange(block.ids[row], GroupTable::kNone);
      if (id == GroupTable::kNone || old[id].ref != RowRef{number, row}) continue;
      rows.push_back(row);
      old_ids.push_back(id);
      if (layout_.has_time) times.push_back(old_times[id]);
    }
    if (rows.empty()) continue;
    FindInMemory(KeysOf(block), rows, times, ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      slots_[ids[i]] = {{number, rows[i]}, old[old_ids[i]].flags};
      block.ids[rows[i]] = ids[i];
      places[old_ids[i]] = ids[i];
    }
  }
  rows.resize(absent_.size());
  std::iota(rows.begin(), rows.end(), 0);
  FindInMemory(absent_keys, rows, absent_times, ids);
  for (size_t i = 0; i < ids.size(); ++i) {
    slots_[ids[i]].flags = old[absent_[i]].flags;
    places[absent_[i]] = ids[i];
  }
  absent_ = ids;
  for (uint32_t& id : dirty_) id = places[id];
  std::erase(dirty_, GroupTable::kNone);
  touched_.clear();
}

}  // namespace weir
