#pragma once

// The changes of a table that is only written, until they are saved: of each key the last one
// since. Under the views that pull queries read.
//
// A change is put into the form of the store (stored_rows.h) as it comes, behind those before it.
// Saving puts them in the order of their keys, and leaves out what a later one has replaced: so
// writing needs no table of keys in memory. Where few keys change often, that happens in between,
// too, so that memory holds about twice what is to be written, at first up to eight times.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/state/rows/stored_rows.h"
#include "exec/state/state_store.h"

namespace weir {

/// One thread at a time.
class RowChanges {
 public:
  explicit RowChanges(RowLayout layout) : layout_(std::move(layout)) {}

  /// Called once, before any change. Rows that an earlier version wrote, with the first
  /// `old_columns` of the columns, are read at once, and written anew by the next Save.
  Status Open(StateStore& store, size_t old_columns);

  /// `rows` of a chunk with the columns of the layout, and what each of them means: new, or gone.
  /// `times` has one entry a row, or is empty where keys have none.
  void Add(const Chunk& chunk, std::span<const int32_t> rows, std::span<const int64_t> times);

  /// Hands all changes to the store, and forgets them.
  void Save();
  size_t ByteSize() const;

 private:
  struct Change {
    uint64_t front = 0;  // First bytes behind those that all keys have; as of the last Sort.
    uint64_t place = 0;  // Of its bytes; later ones lie behind.
  };
  struct Piece {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  void Append(bool is_deleted);
  void Sort();
  void Merge();
  void TakeOld(StoredRowReader& reader);
  const char* At(const Change& change) const;
  bool IsReplaced(size_t i) const;

  const RowLayout layout_;
  StateStore* store_ = nullptr;
  bool has_old_ = false;  // The store holds rows of an earlier version.
  std::vector<Change> changes_;
  std::vector<Piece> pieces_;
  size_t used_ = 0;         // Of the last piece.
  size_t piece_bytes_ = 0;  // Of all.
  size_t merge_at_ = 0;     // So many changes are merged.
  std::string key_, value_;
};

}  // namespace weir
