#pragma once

// Bits in rows of bytes, least significant first, as validity and BOOLEAN columns keep them.
// Buffers have 64 bytes of padding, so whole words may be read behind the last row.

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir {

/// 64-bit words that hold `rows` bits.
inline int32_t WordCount(int32_t rows) { return (rows + 63) >> 6; }

inline uint64_t LoadWord(const uint8_t* bits, int32_t word) {
  uint64_t value;
  std::memcpy(&value, bits + static_cast<size_t>(word) * 8, 8);
  return value;
}
inline bool GetBit(const uint8_t* bits, int32_t row) {
  return ((bits[row >> 3] >> (row & 7)) & 1) != 0;
}
inline void SetBit(uint8_t* bits, int32_t row, bool value) {
  const uint8_t bit = static_cast<uint8_t>(1u << (row & 7));
  bits[row >> 3] = value ? bits[row >> 3] | bit : bits[row >> 3] & static_cast<uint8_t>(~bit);
}

/// Bits of the last word that belong to rows.
inline uint64_t TailMask(int32_t rows) {
  return (rows & 63) == 0 ? ~uint64_t{0} : (uint64_t{1} << (rows & 63)) - 1;
}

inline int32_t CountBits(const uint8_t* bits, int32_t rows) {
  const int32_t words = WordCount(rows);
  int32_t count = 0;
  for (int32_t w = 0; w + 1 < words; ++w) count += std::popcount(LoadWord(bits, w));
  if (words > 0) count += std::popcount(LoadWord(bits, words - 1) & TailMask(rows));
  return count;
}

inline bool AllBitsSet(const uint8_t* bits, int32_t rows) {
  const int32_t words = WordCount(rows);
  for (int32_t w = 0; w + 1 < words; ++w) {
    if (LoadWord(bits, w) != ~uint64_t{0}) return false;
  }
  return words == 0 || (LoadWord(bits, words - 1) | ~TailMask(rows)) == ~uint64_t{0};
}

/// Calls visit(row) for each set bit, ascending.
template <typename Visit>
inline void ForEachSetBit(const uint8_t* bits, int32_t rows, Visit&& visit) {
  const int32_t words = WordCount(rows);
  for (int32_t w = 0; w < words; ++w) {
    uint64_t word = LoadWord(bits, w);
    if (w == words - 1) word &= TailMask(rows);
    while (word != 0) {
      visit((w << 6) + std::countr_zero(word));
      word &= word - 1;
    }
  }
}

/// 64 bytes of 0 or 1 as a word of bits.
inline uint64_t PackBytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) {
    uint64_t eight;
    std::memcpy(&eight, bytes + i * 8, 8);
    // Moves bit 0 of byte k to bit k of the top byte.
    word |= ((eight * 0x0102040810204080ULL) >> 56) << (i * 8);
  }
  return word;
}

}  // namespace weir
