#pragma once

// A few values for each key of a table, in memory and one entry a key in a store: what the first
// and the last part of a spread foreign-key join keep of each left row. All keys stay in memory.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/state/group_table.h"
#include "exec/state/row_codec.h"
#include "exec/state/state_store.h"

namespace weir {

/// `Entry` is made empty, and has `bool empty() const` (such ones need not be kept), `void
/// AppendTo(std::string&) const` and `bool Read(std::string_view)`. One thread at a time.
template <typename Entry>
class KeyedEntries {
 public:
  explicit KeyedEntries(std::vector<DataType> key_types)
      : key_types_(std::move(key_types)), keys_({key_types_, false, false}) {}

  /// Reads all entries, and hands that of `other`, which is no key, to `read_other` instead.
  /// kStoreCorrupt if an entry cannot be read.
  template <typename ReadOther>
  Status Load(const StateStore& store, std::string_view other, const ReadOther& read_other) {
    bool malformed = false;
    WEIR_RETURN_IF_ERROR(store.Scan("", "", [&](std::string_view key, std::string_view value) {
      if (!other.empty() && key == other) {
        malformed = !read_other(value);
        return !malformed;
      }
      Entry entry;
      std::vector<ColumnBuilder> builders;
      for (const DataType& type : key_types_) builders.emplace_back(type);
      malformed = !entry.Read(value) || !ReadRow(key, builders);
      if (malformed) return false;
      std::vector<ColumnPtr> columns;
      for (ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
      const int32_t row = 0;
      Find(columns, {&row, 1}, ids_);
      slots_[ids_[0]].entry = std::move(entry);
      return true;
    }));
    if (!malformed) return OkStatus();
    return Status(ErrorCode::kStoreCorrupt, "an entry of a foreign-key join is malformed");
  }

  /// The number of each of `rows`; keys that are not known get an empty entry.
  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::vector<uint32_t>& ids) {
    created_.clear();
    keys_.FindOrInsert(keys, rows, {}, ids, created_);
    if (slots_.size() < keys_.id_limit()) slots_.resize(keys_.id_limit());
    for (uint32_t id : created_) slots_[id] = Slot();
  }
  Entry& operator[](uint32_t id) { return slots_[id].entry; }
  void MarkDirty(uint32_t id) {
    if (std::exchange(slots_[id].dirty, true)) return;
    dirty_.push_back(id);
  }
  /// DropEmpty is to look at it.
  void Touch(uint32_t id) { touched_.push_back(id); }
  /// Forgets those touched that are empty; their numbers end here.
  void DropEmpty() {
    std::ranges::sort(touched_);
    touched_.erase(std::ranges::unique(touched_).begin(), touched_.end());
    for (uint32_t id : touched_) {
      if (!slots_[id].entry.empty()) continue;
      deleted_.emplace_back();
      keys_.AppendKeyBytes(id, deleted_.back());
      slots_[id] = Slot();
      keys_.Erase(id);
    }
    touched_.clear();
  }

  /// Writes what changed since the last Save; true if anything did.
  bool Save(StateStore& store) {
    // A key that went and came back is written behind that.
    for (const std::string& key : deleted_) store.Delete(key);
    deleted_.clear();
    std::string key, value;
    for (uint32_t id : dirty_) {
      if (!std::exchange(slots_[id].dirty, false)) continue;
      key.clear();
      keys_.AppendKeyBytes(id, key);
      value.clear();
      slots_[id].entry.AppendTo(value);
      store.Put(key, value);
    }
    const bool any = !dirty_.empty();
    dirty_.clear();
    return any;
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Slot& slot : slots_) visit(slot.entry);
  }
  /// Without what entries hold elsewhere.
  size_t ByteSize() const { return keys_.ByteSize() + slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    Entry entry;
    bool dirty = false;
  };

  const std::vector<DataType> key_types_;
  GroupTable keys_;
  std::vector<Slot> slots_;  // By number.
  std::vector<uint32_t> ids_, created_, dirty_, touched_;
  std::vector<std::string> deleted_;  // Store keys.
};

}  // namespace weir
