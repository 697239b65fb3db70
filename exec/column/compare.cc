#include "exec/column/compare.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "base/decimal.h"

namespace weir {
namespace {

/// Java's Double.compare: -0.0 before 0.0 would break equality in SQL, so only NaN is special.
int CompareDoubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  return static_cast<int>(a != a) - static_cast<int>(b != b);
}

bool EqualMaps(const Column& a, int32_t i, const Column& b, int32_t j) {
  const int32_t a_begin = a.offsets()[i], a_end = a.offsets()[i + 1];
  const int32_t b_begin = b.offsets()[j], b_end = b.offsets()[j + 1];
  if (a_end - a_begin != b_end - b_begin) return false;
  for (int32_t x = a_begin; x < a_end; ++x) {
    bool found = false;
    for (int32_t y = b_begin; y < b_end && !found; ++y) {
      found = EqualAt(*a.child(0), x, *b.child(0), y) && EqualAt(*a.child(1), x, *b.child(1), y);
    }
    if (!found) return false;
  }
  return true;
}

bool EqualArrays(const Column& a, int32_t i, const Column& b, int32_t j) {
  const int32_t a_begin = a.offsets()[i], b_begin = b.offsets()[j];
  const int32_t size = a.offsets()[i + 1] - a_begin;
  if (size != b.offsets()[j + 1] - b_begin) return false;
  for (int32_t k = 0; k < size; ++k) {
    if (!EqualAt(*a.child(0), a_begin + k, *b.child(0), b_begin + k)) return false;
  }
  return true;
}

bool EqualStructs(const Column& a, int32_t i, const Column& b, int32_t j) {
  const size_t fields = a.type().fields().size();
  if (fields != b.type().fields().size()) return false;
  for (size_t f = 0; f < fields; ++f) {
    const int index = static_cast<int>(f);
    if (!EqualAt(*a.child(index), i, *b.child(index), j)) return false;
  }
  return true;
}

int CompareArrays(const Column& a, int32_t i, const Column& b, int32_t j) {
  int32_t x = a.offsets()[i], y = b.offsets()[j];
  for (; x < a.offsets()[i + 1] && y < b.offsets()[j + 1]; ++x, ++y) {
    if (const int order = CompareAt(*a.child(0), x, *b.child(0), y); order != 0) return order;
  }
  return static_cast<int>(x < a.offsets()[i + 1]) - static_cast<int>(y < b.offsets()[j + 1]);
}

template <typename T>
int Order(T a, T b) {
  return a < b ? -1 : a > b;
}

/// Position of the first byte that differs, or `size`.
size_t FirstDifference(const char* a, const char* b, size_t size) {
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + at, 8);
    std::memcpy(&y, b + at, 8);
    if (x != y) return at + static_cast<size_t>(std::countr_zero(x ^ y)) / 8;  // Little-endian.
  }
  while (at < size && a[at] == b[at]) ++at;
  return at;
}

uint64_t Mix(uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0xD6E8FEB86659FD93ULL;
  hash ^= hash >> 32;
  return hash;
}

uint64_t HashDecimal(Int128 value, int scale) {
  // Without trailing zeros, so that scales do not matter.
  while (scale > 0 && value % 10 == 0) {
    value /= 10;
    --scale;
  }
  return Mix(static_cast<uint64_t>(value) ^ Mix(static_cast<uint64_t>(value >> 64) + scale));
}

}  // namespace

int CompareUtf16(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  const size_t at = FirstDifference(a.data(), b.data(), common);
  if (at == common) return Order(a.size(), b.size());
  const auto x = static_cast<uint8_t>(a[at]), y = static_cast<uint8_t>(b[at]);
  // Code points beyond U+FFFF (lead byte F0…) are surrogates in UTF-16, which come before
  // U+E000…U+FFFF (lead bytes EE and EF).
  if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0)) return x >= 0xF0 ? -1 : 1;
  return x < y ? -1 : 1;
}

bool EqualAt(const Column& a, int32_t i, const Column& b, int32_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return a.IsNull(i) && b.IsNull(j);
  switch (a.type().kind()) {
    case TypeKind::kString:
    case TypeKind::kBytes: return a.GetString(i) == b.GetString(j);
    case TypeKind::kArray: return EqualArrays(a, i, b, j);
    case TypeKind::kMap: return EqualMaps(a, i, b, j);
    case TypeKind::kStruct: return EqualStructs(a, i, b, j);
    default: return CompareAt(a, i, b, j) == 0;
  }
}

int CompareAt(const Column& a, int32_t i, const Column& b, int32_t j) {
  if (a.IsNull(i) || b.IsNull(j)) {
    return static_cast<int>(a.IsNull(i)) - static_cast<int>(b.IsNull(j));
  }
  switch (a.type().kind()) {
    case TypeKind::kNull: return 0;
    case TypeKind::kBoolean: return Order<int>(a.GetBool(i), b.GetBool(j));
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Order(a.values<int32_t>()[i], b.values<int32_t>()[j]);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Order(a.values<int64_t>()[i], b.values<int64_t>()[j]);
    case TypeKind::kDouble: return CompareDoubles(a.values<double>()[i], b.values<double>()[j]);
    case TypeKind::kDecimal:
      return CompareDecimals(ToInt128(a.values<Decimal128>()[i]), a.type().scale(),
                             ToInt128(b.values<Decimal128>()[j]), b.type().scale());
    case TypeKind::kString: return CompareUtf16(a.GetString(i), b.GetString(j));
    case TypeKind::kBytes: {
      const int order = a.GetString(i).compare(b.GetString(j));
      return order < 0 ? -1 : order > 0;
    }
    case TypeKind::kArray: return CompareArrays(a, i, b, j);
    case TypeKind::kMap:
    case TypeKind::kStruct: return EqualAt(a, i, b, j) ? 0 : 1;
  }
  return 0;
}

uint64_t HashAt(const Column& column, int32_t row) {
  if (column.IsNull(row)) return 0x9E3779B97F4A7C15ULL;
  switch (column.type().kind()) {
    case TypeKind::kNull: return 0;
    case TypeKind::kBoolean: return Mix(column.GetBool(row) ? 2 : 1);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Mix(static_cast<uint32_t>(column.values<int32_t>()[row]) + 3ULL);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Mix(static_cast<uint64_t>(column.values<int64_t>()[row]) + 5);
    case TypeKind::kDouble: {
      const double value = column.values<double>()[row];
      return Mix(value == 0 ? 7 : std::bit_cast<uint64_t>(value));
    }
    case TypeKind::kDecimal:
      return HashDecimal(ToInt128(column.values<Decimal128>()[row]), column.type().scale());
    case TypeKind::kString:
    case TypeKind::kBytes: return std::hash<std::string_view>()(column.GetString(row));
    case TypeKind::kArray: {
      uint64_t hash = 11;
      for (int32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
        hash = Mix(hash * 31 + HashAt(*column.child(0), i));
      }
      return hash;
    }
    case TypeKind::kMap: {
      uint64_t hash = 13;  // A sum, as the order of entries does not matter.
      for (int32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
        hash += Mix(HashAt(*column.child(0), i) * 31 + HashAt(*column.child(1), i));
      }
      return hash;
    }
    case TypeKind::kStruct: {
      uint64_t hash = 17;
      for (size_t f = 0; f < column.type().fields().size(); ++f) {
        hash = Mix(hash * 31 + HashAt(*column.child(static_cast<int>(f)), row));
      }
      return hash;
    }
  }
  return 0;
}

}  // namespace weir
