#pragma once

// Single values inside aggregate states and collections: how a value of each column type is read,
// compared, hashed, appended and written as bytes. Cell<T> is a T that may be null; T is bool,
// int32_t, int64_t, double, Int128, std::string (STRING, BYTES) or Value (nested types).

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/fixed_bytes.h"
#include "base/value.h"
#include "exec/column/builder.h"
#include "exec/column/compare.h"
#include "weir/batch.h"

namespace weir {

/// Equality as SQL sees it: NaN equals NaN, maps are equal whatever the order of their entries.
bool ValuesEqual(const Value& a, const Value& b);
/// Equal values have equal hashes; stable between processes, so it may be stored.
uint64_t HashValue(const Value& value);
uint64_t HashBytes(std::string_view bytes);
inline uint64_t HashWord(uint64_t word) {
  word ^= word >> 33;
  word *= 0xff51afd7ed558ccdULL;
  word ^= word >> 33;
  word *= 0xc4ceb9fe1a85ec53ULL;
  return word ^ (word >> 33);
}

/// Values as bytes, and back; false when `bytes` are damaged.
void PutBytes(std::string_view value, std::string& out);
bool TakeBytes(std::string_view& bytes, std::string& value);
void PutValue(const Value& value, std::string& out);
bool TakeValue(std::string_view& bytes, Value& value);

/// A T that may be null.
template <typename T>
struct Cell {
  T value{};
  bool null = true;
};

template <typename T>
inline constexpr bool kIsText = std::is_same_v<T, std::string>;
template <typename T>
inline constexpr bool kIsNested = std::is_same_v<T, Value>;

/// What reading a T from a column gives: a view for texts, so that nothing is copied.
template <typename T>
using CellView = std::conditional_t<kIsText<T>, std::string_view, T>;

/// The non-null value at `row`.
template <typename T>
CellView<T> ReadCell(const Column& column, int32_t row) {
  if constexpr (kIsText<T>) {
    return column.GetString(row);
  } else if constexpr (kIsNested<T>) {
    return GetValue(column, row);
  } else if constexpr (std::is_same_v<T, bool>) {
    return column.GetBool(row);
  } else if constexpr (std::is_same_v<T, Int128>) {
    Int128 value;
    std::memcpy(&value, column.raw_values() + size_t{16} * static_cast<size_t>(row), 16);
    return value;
  } else {
    return reinterpret_cast<const T*>(column.raw_values())[row];
  }
}

template <typename T>
void AppendCell(const CellView<T>& value, ColumnBuilder& out) {
  if constexpr (kIsText<T>) {
    out.AppendBytes(value);
  } else if constexpr (kIsNested<T>) {
    out.AppendValue(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out.AppendBool(value);
  } else if constexpr (std::is_same_v<T, Int128>) {
    out.AppendDecimal(value);
  } else if constexpr (std::is_same_v<T, int32_t>) {
    out.AppendInt32(value);
  } else if constexpr (std::is_same_v<T, int64_t>) {
    out.AppendInt64(value);
  } else {
    out.AppendDouble(value);
  }
}

template <typename T>
void AppendCell(const Cell<T>& cell, ColumnBuilder& out) {
  if (cell.null) {
    out.AppendNull();
  } else {
    AppendCell<T>(cell.value, out);
  }
}

template <typename T>
bool CellsEqual(const CellView<T>& a, const CellView<T>& b) {
  if constexpr (kIsNested<T>) {
    return ValuesEqual(a, b);
  } else if constexpr (std::is_same_v<T, double>) {
    return a == b || (std::isnan(a) && std::isnan(b));
  } else {
    return a == b;
  }
}

/// Whether a sorts before b: NaN after all numbers, `text` by UTF-16 unit, else bytes by value.
/// Nested values have no order.
template <typename T>
bool CellLess(const CellView<T>& a, const CellView<T>& b, bool text) {
  if constexpr (kIsText<T>) {
    return text ? CompareUtf16(a, b) < 0 : a < b;
  } else if constexpr (std::is_same_v<T, double>) {
    return a < b || (std::isnan(b) && !std::isnan(a));
  } else if constexpr (kIsNested<T>) {
    return false;
  } else {
    return a < b;
  }
}

template <typename T>
uint64_t HashCell(const CellView<T>& value) {
  if constexpr (kIsText<T>) {
    return HashBytes(value);
  } else if constexpr (kIsNested<T>) {
    return HashValue(value);
  } else if constexpr (std::is_same_v<T, double>) {
    const double normal = value == 0 ? 0.0 : (std::isnan(value) ? std::nan("") : value);
    uint64_t bits;
    std::memcpy(&bits, &normal, sizeof(bits));
    return HashWord(bits);
  } else if constexpr (std::is_same_v<T, Int128>) {
    return HashWord(static_cast<uint64_t>(value) ^ HashWord(static_cast<uint64_t>(value >> 64)));
  } else {
    return HashWord(static_cast<uint64_t>(value) + 1);
  }
}

template <typename T>
void PutCell(const Cell<T>& cell, std::string& out) {
  out.push_back(cell.null ? 0 : 1);
  if (cell.null) return;
  if constexpr (kIsText<T>) {
    PutBytes(cell.value, out);
  } else if constexpr (kIsNested<T>) {
    PutValue(cell.value, out);
  } else {
    PutFixed(cell.value, out);
  }
}

template <typename T>
bool TakeCell(std::string_view& bytes, Cell<T>& cell) {
  uint8_t present;
  if (!TakeFixed(bytes, present) || present > 1) return false;
  cell.null = present == 0;
  if (cell.null) return true;
  if constexpr (kIsText<T>) {
    return TakeBytes(bytes, cell.value);
  } else if constexpr (kIsNested<T>) {
    return TakeValue(bytes, cell.value);
  } else {
    return TakeFixed(bytes, cell.value);
  }
}

/// Bytes that a value holds beside itself, roughly.
template <typename T>
size_t CellHeapBytes(const T& value) {
  if constexpr (kIsText<T>) {
    return value.capacity() > 15 ? value.capacity() + 16 : 0;  // With the allocator's own.
  } else if constexpr (kIsNested<T>) {
    return 128;
  } else {
    return 0;
  }
}

/// Assigns what was read to an owned value; texts keep their memory.
template <typename T>
void AssignCell(T& target, CellView<T> view) {
  if constexpr (kIsText<T>) {
    target.assign(view.data(), view.size());
  } else {
    target = std::move(view);
  }
}

/// Calls `visit` with a T{} for the values of `type` (see the head of the file).
template <typename Visit>
auto VisitCellType(const DataType& type, Visit&& visit) {
  switch (type.kind()) {
    case TypeKind::kBoolean: return visit(bool{});
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return visit(int32_t{});
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return visit(int64_t{});
    case TypeKind::kDouble: return visit(double{});
    case TypeKind::kDecimal: return visit(Int128{});
    case TypeKind::kString:
    case TypeKind::kBytes: return visit(std::string{});
    case TypeKind::kNull:
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct: break;
  }
  return visit(Value{});
}

/// Finds equal values in a list fast: an open-addressing table of positions, in use only once the
/// list is long enough to be worth it. The list itself stays with the owner.
class DistinctIndex {
 public:
  /// Position of an element with `hash` for which `equals(position)` is true, or -1. `size` is the
  /// length of the list; `hash_at(position)` is called while the table is (re)built.
  template <typename Equals, typename HashAt>
  int32_t Find(uint64_t hash, int32_t size, Equals&& equals, HashAt&& hash_at) {
    if (size < kSmall) {
      for (int32_t i = 0; i < size; ++i) {
        if (equals(i)) return i;
      }
      return -1;
    }
    if (indexed_ != size || slots_.size() < static_cast<size_t>(size) * 2) Rebuild(size, hash_at);
    const size_t mask = slots_.size() - 1;
    for (size_t slot = hash & mask; slots_[slot] >= 0; slot = (slot + 1) & mask) {
      if (equals(slots_[slot])) return slots_[slot];
    }
    return -1;
  }
  /// The list got one more element at its end, with this hash.
  void Added(uint64_t hash, int32_t position) {
    if (slots_.empty() || indexed_ != position ||
        slots_.size() < (static_cast<size_t>(position) + 1) * 2) {
      return;  // The next Find rebuilds.
    }
    Insert(hash, position);
    indexed_ = position + 1;
  }
  /// Elements were removed or moved.
  void Clear() {
    slots_.clear();
    indexed_ = -1;
  }
  size_t ByteSize() const { return slots_.capacity() * sizeof(int32_t); }

 private:
  static constexpr int32_t kSmall = 12;

  template <typename HashAt>
  void Rebuild(int32_t size, HashAt&& hash_at) {
    size_t slots = 64;
    while (slots < static_cast<size_t>(size) * 4) slots *= 2;
    slots_.assign(slots, -1);
    for (int32_t i = 0; i < size; ++i) Insert(hash_at(i), i);
    indexed_ = size;
  }
  void Insert(uint64_t hash, int32_t position) {
    const size_t mask = slots_.size() - 1;
    size_t slot = hash & mask;
    while (slots_[slot] >= 0) slot = (slot + 1) & mask;
    slots_[slot] = position;
  }

  std::vector<int32_t> slots_;
  int32_t indexed_ = -1;
};

}  // namespace weir
