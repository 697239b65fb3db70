#pragma once

// Which pages of a table changed since the last commit. Entries whose order does not matter are
// stored by pages of neighbouring ids: of a table with many changed rows that is a thirtieth of the
// writes, and of one with few it writes a few kilobytes more.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exec/state/row_codec.h"
#include "exec/state/state_store.h"

namespace weir {

/// Key of an entry: the page's number, so that entries come back in order of ids.
inline std::string PageKey(uint32_t page) {
  std::string key;
  AppendOrdered64(page, key);
  return key;
}

/// One thread at a time.
class DirtyPages {
 public:
  static constexpr uint32_t kRows = 32;

  void Mark(uint32_t id) {
    const uint32_t page = id / kRows;
    if (page >= flags_.size()) flags_.resize(page + 1 + page / 2, 0);
    if (flags_[page] != 0) return;
    flags_[page] = 1;
    pages_.push_back(page);
  }

  /// What is stored lies in other pages than the ids now say: all is written again, and what the
  /// store has from `from` up to `to` goes before.
  void MarkMoved(uint32_t id_limit, std::string_view from = "", std::string_view to = "") {
    moved_ = true;
    moved_from_ = from;
    moved_to_ = to;
    for (uint32_t id = 0; id < id_limit; id += kRows) Mark(id);
  }

  /// Writes the changed pages. `append(id, out)` appends the entry of an id, or nothing if it has
  /// none; ids go up to `id_limit`.
  template <typename Append>
  void Save(StateStore& store, uint32_t id_limit, const Append& append) {
    if (moved_) store.DeleteRange(moved_from_, moved_to_);
    moved_ = false;
    // The store takes keys in their order with less searching.
    std::sort(pages_.begin(), pages_.end());
    for (uint32_t page : pages_) {
      flags_[page] = 0;
      value_.clear();
      const uint32_t end = std::min((page + 1) * kRows, id_limit);
      for (uint32_t id = page * kRows; id < end; ++id) append(id, value_);
      if (value_.empty()) {
        store.Delete(PageKey(page));
      } else {
        store.Put(PageKey(page), value_);
      }
    }
    pages_.clear();
  }

  bool empty() const { return pages_.empty() && !moved_; }

 private:
  std::vector<uint8_t> flags_;
  std::vector<uint32_t> pages_;
  std::string value_;
  bool moved_ = false;
  std::string moved_from_, moved_to_;
};

}  // namespace weir
