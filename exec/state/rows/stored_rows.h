#pragma once

// How the rows of a table lie in a state store, one entry a row, in the order of their keys:
//
//   'r' [key columns] → [row time] [other columns]
//
// Keys are written by row_key.h, other columns by row_codec.h. Where keys have a time (a window's
// start), it stands in front of the last key column (the window's end): so all windows of a key lie
// side by side, the earliest first. Rows that were written when the table had fewer columns have
// null in the others.
//
// Earlier versions wrote pages of rows, or with times [time] [key columns] → one row, by
// row_codec.h. All their keys stand behind those of today.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/column/chunk.h"
#include "exec/state/state_store.h"
#include "weir/status.h"

namespace weir {

struct RowLayout {
  std::vector<DataType> types;  ///< Of all columns; the first `key_columns` are the key.
  int key_columns = 0;
  bool has_time = false;  ///< Keys have a time besides.
};

/// That of a table with these columns and its key in front. Where the key has a window, its start
/// is the time of the key, and its end one more key column behind the others.
RowLayout LayoutOfTable(std::vector<DataType> types, int key_columns, bool windowed);

/// Of all keys; what stands at or behind kStoredRowsEnd was written by an earlier version.
inline constexpr std::string_view kStoredRowsBegin = "r";
inline constexpr std::string_view kStoredRowsEnd = "s";

/// Appends the key of a row whose key columns are `keys`; `time` counts with has_time only.
void AppendStoredKey(const RowLayout& layout, std::span<const ColumnPtr> keys, int32_t row,
                     int64_t time, std::string& out);
/// Appends what all keys begin with whose first columns are `keys`.
void AppendStoredPrefix(std::span<const ColumnPtr> keys, int32_t row, std::string& out);
/// The time of a key with one (see RowLayout), which needs no other part of it: the column behind
/// it is a BIGINT.
int64_t TimeOfStoredKey(std::string_view key);
/// Appends what is stored of a row besides its key.
void AppendStoredRow(const RowLayout& layout, std::span<const ColumnPtr> columns, int32_t row,
                     int64_t row_time, std::string& out);

/// Puts rows read from a store together as chunks.
class StoredRowReader {
 public:
  explicit StoredRowReader(const RowLayout& layout);
  StoredRowReader(StoredRowReader&&) = default;
  StoredRowReader(const StoredRowReader&) = delete;

  /// False if the entry is malformed; the reader is then of no use.
  bool Add(std::string_view key, std::string_view value);
  /// The same of what earlier versions wrote: the entry of a row with a time, or a row of a page,
  /// where `key` and `value` are the same text. Moves them past the row, which has `columns`
  /// columns.
  bool AddOld(std::string_view& key, std::string_view& value, size_t columns);

  int32_t rows() const { return static_cast<int32_t>(times_.size()); }
  /// So many rows or bytes have come that a chunk should be made of them.
  bool is_full() const;
  /// A flat chunk of all columns, with row times; the reader is then empty.
  Chunk Finish();
  /// The keys' times of the rows; until Finish.
  std::span<const int64_t> times() const { return times_; }

 private:
  RowLayout layout_;
  std::vector<ColumnBuilder> builders_;  // The row times come last.
  std::vector<int64_t> times_;
  size_t bytes_ = 0;
};

/// Reads the rows of a store that an earlier version wrote, with the first `columns` of the
/// columns, and calls take(rows) with many of them at a time. Returns whether there were any.
Result<bool> ReadOldRows(const StateStore& store, const RowLayout& layout, size_t columns,
                         const std::function<void(StoredRowReader& rows)>& take);

/// For entries that cannot be read.
Status MalformedRow();

}  // namespace weir
