#pragma once

// Which rows of one table point to a key of another: pairs of the key pointed to and the key of the
// row that points there, in that order. Under foreign-key joins.
//
// The pairs lie in a store. Memory holds all of them while there is room, else those that changed
// since the last commit.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>

#include "exec/state/state_store.h"

namespace weir {

/// One thread at a time.
class PointerIndex {
 public:
  /// Called once, while empty. `is_new`: what is stored does not count, and goes with the next
  /// Save.
  Status Open(StateStore& store, bool is_new);

  /// `pointer` and `key` as row_key.h writes them.
  void Add(std::string_view pointer, std::string_view key) { Change(pointer, key, true); }
  void Remove(std::string_view pointer, std::string_view key) { Change(pointer, key, false); }
  /// The keys of the rows that point to `pointer`, in their order.
  Status Find(std::string_view pointer,
              const std::function<void(std::string_view key)>& visit) const;

  void Save();
  /// What was saved is committed: those pairs leave memory if there are more than `share` bytes.
  Status OnCommitted(int64_t share);
  size_t ByteSize() const { return bytes_; }

 private:
  struct PairChange {
    bool is_there = false;
    bool is_saved = false;  // By the commit under way.
  };
  void Change(std::string_view pointer, std::string_view key, bool is_added);
  Status ReadMore();

  absl::btree_set<std::string> pairs_;                // As of the last commit.
  absl::btree_map<std::string, PairChange> changes_;  // Since.
  StateStore* store_ = nullptr;
  bool whole_ = false;     // pairs_ has all pairs.
  bool has_left_ = false;  // Some had to leave memory.
  bool clears_ = false;
  std::string read_to_;  // pairs_ has all pairs below.
  size_t bytes_ = 0;
  std::string scratch_;
};

}  // namespace weir
