#pragma once

// Keys to dense numbers: the hash table under aggregates, joins and tables. It is asked a batch of
// rows at a time, and picks a layout by the types of the key: small whole numbers, up to 32 packed
// bytes, a bare text, or the bytes of row_codec.h.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/column/builder.h"

namespace weir {

/// One thread at a time. Ids start at 0 and are reused after Erase.
class GroupTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Options {
    std::vector<DataType> key_types;
    bool has_time = false;        ///< Keys have a time besides their columns (a window's start).
    bool nulls_possible = false;  ///< Key columns may be null; else rows with nulls must not come.
  };
  explicit GroupTable(Options options);
  ~GroupTable();
  GroupTable(GroupTable&&) noexcept;
  GroupTable& operator=(GroupTable&&) noexcept;

  /// The id of each of `rows` (numbers of rows in `keys`), new ones where there was none; the new
  /// ids are appended to `created`. `times` has one entry a row, or is empty without has_time.
  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, std::vector<uint32_t>& ids,
                    std::vector<uint32_t>& created);
  /// As above, with kNone for unknown keys.
  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times, std::vector<uint32_t>& ids);
  /// Forgets keys; their ids may come back for others.
  void Erase(uint32_t id) { Erase(std::span(&id, 1)); }
  void Erase(std::span<const uint32_t> ids);
  /// Forgets all but `ids`, which ascend: the first of them becomes 0, the next one 1. Memory that
  /// is not needed any more goes back.
  void Keep(std::span<const uint32_t> ids);

  size_t size() const;
  /// All ids are below.
  uint32_t id_limit() const;
  /// The time of an id's key; requires has_time.
  int64_t time(uint32_t id) const;
  /// Appends the key columns of `ids`, one builder a column.
  void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const;
  /// Appends the key columns (without the time) as row_codec.h writes them.
  void AppendKeyBytes(uint32_t id, std::string& out) const;
  /// Bytes held, roughly.
  size_t ByteSize() const;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
