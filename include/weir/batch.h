#pragma once

// Rows column by column, in Apache Arrow's memory layout. Everything here is immutable once built
// and may be shared between threads.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/types.h"

// The Arrow C data interface (declared in arrow_c_abi.h).
struct ArrowArray;
struct ArrowSchema;

namespace weir {

/// Bytes that do not change: 64-byte aligned, with at least 64 readable bytes after the end.
class Buffer {
 public:
  Buffer(const uint8_t* data, size_t size, std::shared_ptr<const void> owner)
      : data_(data), size_(size), owner_(std::move(owner)) {}
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  const uint8_t* data_;
  size_t size_;
  std::shared_ptr<const void> owner_;
};
using BufferPtr = std::shared_ptr<const Buffer>;

class Column;
using ColumnPtr = std::shared_ptr<const Column>;

/// One column: `length` values of one type, some of them null.
class Column {
 public:
  /// The parts of a column. `validity` is null when no value is null. `values` holds fixed-width
  /// values, bits, or the bytes of strings; `offsets` (length + 1 of int32_t) is for STRING, BYTES,
  /// ARRAY, MAP; `children` for ARRAY (1), MAP (2), STRUCT (one a field).
  struct Parts {
    DataType type;
    int32_t length = 0;
    BufferPtr validity;
    BufferPtr values;
    BufferPtr offsets;
    std::vector<ColumnPtr> children;
  };
  explicit Column(Parts parts);

  const DataType& type() const { return parts_.type; }
  int32_t length() const { return parts_.length; }
  bool has_nulls() const { return validity_ != nullptr; }
  bool IsNull(int32_t row) const {
    return validity_ != nullptr && ((validity_[row >> 3] >> (row & 7)) & 1) == 0;
  }
  /// Validity bits (1 = not null), least significant first, or null if all are valid.
  const uint8_t* validity() const { return validity_; }

  /// Values of a fixed-width type T: int32_t for INT, DATE, TIME; int64_t for BIGINT, TIMESTAMP;
  /// double for DOUBLE; Decimal128 for DECIMAL. The value of a null row is unspecified.
  template <typename T>
  std::span<const T> values() const {
    return {reinterpret_cast<const T*>(values_), static_cast<size_t>(parts_.length)};
  }
  /// The raw values, for kernels.
  const uint8_t* raw_values() const { return values_; }
  bool GetBool(int32_t row) const { return ((values_[row >> 3] >> (row & 7)) & 1) != 0; }
  /// Offsets of STRING, BYTES, ARRAY, MAP: length() + 1 of them.
  const int32_t* offsets() const { return offsets_; }
  /// The text of a STRING or the bytes of a BYTES value; valid as long as this column.
  std::string_view GetString(int32_t row) const {
    return {reinterpret_cast<const char*>(values_) + offsets_[row],
            static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }
  const ColumnPtr& child(int index) const { return parts_.children[index]; }
  const Parts& parts() const { return parts_; }

  /// The value at `row` as text, as the shell prints it: numbers in ksqlDB's notation, texts bare,
  /// nested values as JSON; "null" for a null.
  std::string ToText(int32_t row) const;

 private:
  Parts parts_;
  const uint8_t* validity_ = nullptr;
  const uint8_t* values_ = nullptr;
  const int32_t* offsets_ = nullptr;
};

/// What a row means in a changelog. Rows of streams are all kInsert, but for records whose value is
/// null, which are kDelete in streams and tables alike.
enum class RowOp : uint8_t { kInsert = 0, kUpdateBefore = 1, kUpdateAfter = 2, kDelete = 3 };

/// Rows handed to a program: flat (no selection), immutable, valid as long as this object lives,
/// also after its cursor is closed. Copying shares the columns.
class Batch {
 public:
  Batch(SchemaPtr schema, std::vector<ColumnPtr> columns, int32_t row_count);

  const Schema& schema() const { return *schema_; }
  int32_t row_count() const { return row_count_; }
  int column_count() const { return static_cast<int>(columns_.size()); }
  const Column& column(int index) const { return *columns_[index]; }
  /// The column named exactly `name`, or null.
  const Column* column(std::string_view name) const;
  const ColumnPtr& column_ptr(int index) const { return columns_[index]; }

  /// Event time of each row, milliseconds since the epoch. Empty for results of pull queries.
  std::span<const int64_t> row_times() const;
  /// What each row means; empty when all are kInsert.
  std::span<const RowOp> ops() const;
  /// Window bounds of rows with a windowed key, milliseconds; null for other rows' batches.
  const ColumnPtr& window_start() const { return window_start_; }
  const ColumnPtr& window_end() const { return window_end_; }

  /// Attach the optional parts while building; not for use after the batch is shared.
  void set_row_times(ColumnPtr row_times) { row_times_ = std::move(row_times); }
  void set_ops(BufferPtr ops) { ops_ = std::move(ops); }
  void set_window(ColumnPtr start, ColumnPtr end) {
    window_start_ = std::move(start);
    window_end_ = std::move(end);
  }

  /// Exports the columns as one Arrow struct array through the C data interface, without copying.
  /// The caller owns both structs and calls their release callbacks; they keep the memory alive.
  void ExportArrow(::ArrowArray* array, ::ArrowSchema* schema) const;

 private:
  SchemaPtr schema_;
  std::vector<ColumnPtr> columns_;
  int32_t row_count_;
  ColumnPtr row_times_;
  BufferPtr ops_;
  ColumnPtr window_start_;
  ColumnPtr window_end_;
};

}  // namespace weir
