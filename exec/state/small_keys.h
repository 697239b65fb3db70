#pragma once

// Numbers for keys whose columns are all small whole numbers: their bits side by side, few enough
// to index an array. Zones, vendors, hours and flags are such keys; finding them needs neither hash
// nor comparison, and the array of a few hundred thousand groups stays in the cache.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "exec/column/builder.h"

namespace weir {

/// One thread at a time. How many bits each column gets follows from the largest value seen.
class SmallKeys {
 public:
  static constexpr size_t kColumnsMax = 4;
  static constexpr int kBitsMax = 18;
  static constexpr uint32_t kOutside = UINT32_MAX;

  /// A column's value in a key; null is kNull.
  using Values = std::array<int64_t, kColumnsMax>;
  static constexpr int64_t kNull = -1;

  /// Whether keys of these types may be small at all.
  static bool CanHold(std::span<const DataType> types);
  SmallKeys(std::span<const DataType> types, bool nulls_possible);

  /// The number of each of `rows`, into codes(); kOutside for those that do not fit the bits. False
  /// if there are such.
  bool Encode(std::span<const ColumnPtr> keys, std::span<const int32_t> rows);
  std::span<const uint32_t> codes() const { return codes_; }
  /// Makes the bits as wide as the rows of the last Encode need; codes made before are those of the
  /// layout before. False, and nothing changed, if they are too many.
  bool Widen();

  uint32_t CodeOf(const Values& values) const;
  Values ValuesOf(uint32_t code) const;
  /// All codes are below.
  size_t code_limit() const { return size_t{1} << bits_total_; }

 private:
  struct Part {
    TypeKind kind;
    int bits = 0;
    int shift = 0;
    uint64_t seen = 0;  // Of the last Encode: all bits of all values.
  };
  void EncodePart(Part& part, const Column& column, std::span<const int32_t> rows);
  template <typename Get>
  void EncodeWith(Part& part, const Column& column, std::span<const int32_t> rows, const Get& get);
  void MarkOutside(std::span<const ColumnPtr> keys, std::span<const int32_t> rows);

  const bool nulls_possible_;
  std::vector<Part> parts_;
  int bits_total_ = 0;
  std::vector<uint32_t> codes_;
};

}  // namespace weir
