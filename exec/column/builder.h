#pragma once

// Makes columns. Builders are reused: Finish() hands out an immutable column and leaves the builder
// empty, ready for the next batch. One thread at a time.
//
// Buffers have a limit (column_limit.h): what would make a larger one throws ColumnTooLarge.

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "exec/column/chunk.h"
#include "weir/batch.h"

namespace weir {

/// Growable bytes, 64-byte aligned, that become a Buffer without a copy.
class BufferBuilder {
 public:
  BufferBuilder() = default;
  BufferBuilder(BufferBuilder&&) noexcept;
  BufferBuilder& operator=(BufferBuilder&&) noexcept;
  ~BufferBuilder();
  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  /// Makes room for `extra` more bytes (and 64 of padding behind them).
  void Reserve(size_t extra) {
    if (size_ + extra > capacity_) Grow(size_ + extra);
  }
  /// Sets the size; new bytes are not initialized.
  void Resize(size_t size) {
    if (size > capacity_) Grow(size);
    size_ = size;
  }
  void Append(const void* bytes, size_t count) {
    Reserve(count);
    if (count != 0) std::memcpy(data_ + size_, bytes, count);
    size_ += count;
  }
  template <typename T>
  void AppendValue(T value) {
    Append(&value, sizeof(T));
  }
  void Clear() { size_ = 0; }
  /// Hands the bytes out as an immutable buffer; the builder is empty afterwards.
  BufferPtr Finish();

 private:
  void Grow(size_t needed);
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t last_size_ = 0;  // Of the buffer handed out last; the next one starts with as much room.
};

/// Validity bits that cost nothing until the first null.
class ValidityBuilder {
 public:
  void Append(bool valid) {
    if (!valid && !has_nulls_) Materialize();
    if (has_nulls_) Set(length_, valid);
    ++length_;
  }
  void AppendValid(int32_t count);
  void AppendNulls(int32_t count);
  /// `count` bits from the start of `bits`; null stands for all valid.
  void AppendBits(const uint8_t* bits, int32_t count);
  void Truncate(int32_t length);
  bool has_nulls() const { return has_nulls_; }
  int32_t length() const { return length_; }
  BufferPtr Finish();
  void Clear();

 private:
  void Materialize();
  void Set(int32_t row, bool valid) {
    if ((row & 7) == 0) bits_.AppendValue<uint8_t>(0);
    bits_.data()[row >> 3] |= static_cast<uint8_t>(valid) << (row & 7);
  }
  BufferBuilder bits_;
  int32_t length_ = 0;
  bool has_nulls_ = false;
};

/// Builds one column of any type, value by value. Nested types have child builders.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(DataType type);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;

  const DataType& type() const { return type_; }
  int32_t length() const { return validity_.length(); }
  void Reserve(int32_t rows);

  void AppendNull();
  void AppendBool(bool value);
  void AppendInt32(int32_t value) {  ///< INT, DATE, TIME.
    validity_.Append(true);
    values_.AppendValue(value);
  }
  void AppendInt64(int64_t value) {  ///< BIGINT, TIMESTAMP.
    validity_.Append(true);
    values_.AppendValue(value);
  }
  void AppendDouble(double value) {
    validity_.Append(true);
    values_.AppendValue(value);
  }
  void AppendDecimal(Int128 unscaled);
  /// STRING, BYTES.
  void AppendBytes(std::string_view value) {
    validity_.Append(true);
    values_.Append(value.data(), value.size());
    offsets_.AppendValue(static_cast<int32_t>(values_.size()));
  }
  /// ARRAY, MAP, STRUCT: append the children's values first (child(i).Append…), then close the row.
  /// For ARRAY and MAP everything appended to the children since the last row belongs to it.
  void AppendNested();
  ColumnBuilder& child(int index) { return *children_[index]; }
  /// Row `row` of a column of the same type.
  void AppendFrom(const Column& column, int32_t row);
  /// Must fit the type.
  void AppendValue(const Value& value);
  /// Removes rows from the end until `length` are left; used to undo a half-read value.
  void Truncate(int32_t length);

  ColumnPtr Finish();

  /// For kernels that fill whole buffers of an empty builder: values (fixed-width values, bits, or
  /// bytes), offsets (one 0 is there already), and validity, which also counts the rows.
  BufferBuilder& raw_values() { return values_; }
  BufferBuilder& raw_offsets() { return offsets_; }
  ValidityBuilder& validity() { return validity_; }
  /// Makes room for `count` values of fixed width T, valid where the bits of `valid` say (null:
  /// all); returns where to write them. The builder must be empty.
  template <typename T>
  T* FillFixed(int32_t count, const uint8_t* valid) {
    values_.Resize(static_cast<size_t>(count) * sizeof(T));
    validity_.AppendBits(valid, count);
    return values_.as<T>();
  }
  /// As FillFixed for BOOLEAN: whole 64-bit words to write, (count + 63) / 64 of them.
  uint64_t* FillBits(int32_t count, const uint8_t* valid) {
    values_.Resize((static_cast<size_t>(count) + 63) / 64 * 8);
    validity_.AppendBits(valid, count);
    return values_.as<uint64_t>();
  }
  /// Makes Finish() give out `column`, which has this builder's type. The builder must be empty.
  void Adopt(ColumnPtr column) { adopted_ = std::move(column); }

 private:
  void Reset();
  DataType type_;
  ValidityBuilder validity_;
  BufferBuilder values_;  // Booleans are kept as bits.
  BufferBuilder offsets_;
  std::vector<std::unique_ptr<ColumnBuilder>> children_;
  ColumnPtr adopted_;
};

/// A column of its parts, in memory that batches use again.
ColumnPtr MakeColumn(Column::Parts parts);
/// A buffer of `size` bytes to fill in place: `*data` may be written until the buffer is shared.
BufferPtr MakeBuffer(size_t size, uint8_t** data);
/// Bytes of one of a column's values; 0 for BOOLEAN, which has bits, and types without fixed width.
size_t ValueWidth(TypeKind kind);
/// A column of `length` nulls, or of `length` times `value`.
ColumnPtr MakeNullColumn(const DataType& type, int32_t length);
ColumnPtr MakeConstantColumn(const DataType& type, const Value& value, int32_t length);
/// A BIGINT, non-null column over int64 values (copied).
ColumnPtr MakeInt64Column(const DataType& type, std::span<const int64_t> values);
/// Rows `rows` of `column`, in that order; a row number of -1 gives null.
ColumnPtr Gather(const Column& column, std::span<const int32_t> rows);
/// The first `length` rows; shares memory.
ColumnPtr Prefix(const ColumnPtr& column, int32_t length);
/// Concatenates columns of one type.
ColumnPtr Concat(std::span<const ColumnPtr> columns);
/// The value at `row`.
Value GetValue(const Column& column, int32_t row);

/// The same rows without a selection: gathers columns where needed.
Chunk Flatten(Chunk chunk);
/// Rows `rows` of a flat chunk, all columns, system columns and operations.
Chunk GatherChunk(const Chunk& chunk, std::span<const int32_t> rows);
/// Rows [from, from + count) of a flat chunk, as GatherChunk gives them.
Chunk RowRange(const Chunk& chunk, size_t from, size_t count);
/// Approximate bytes of memory of a column, or of a chunk's columns.
size_t ByteSize(const Column& column);
size_t ByteSize(const Chunk& chunk);

}  // namespace weir
