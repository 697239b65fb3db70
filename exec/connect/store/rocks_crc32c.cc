#include "exec/connect/store/rocks_crc32c.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <dlfcn.h>
#include <nmmintrin.h>

namespace weir {
namespace {

/// The instruction takes three cycles but one can begin each cycle: three lanes of so many bytes
/// run side by side.
constexpr size_t kLaneBytes = 1024;
constexpr uint32_t kPolynomial = 0x82F63B78;  // Reflected.

/// Advances a register over kLaneBytes zeros: as it is linear, by its bytes.
class LaneShift {
 public:
  LaneShift() {
    std::array<uint32_t, 32> bits;
    for (size_t bit = 0; bit < 32; ++bit) bits[bit] = OverZeros(uint32_t{1} << bit);
    for (size_t byte = 0; byte < 4; ++byte) {
      for (uint32_t value = 0; value < 256; ++value) {
        uint32_t sum = 0;
        for (size_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) sum ^= bits[8 * byte + bit];
        }
        table_[byte][value] = sum;
      }
    }
  }
  uint32_t operator()(uint32_t crc) const {
    return table_[0][crc & 0xFF] ^ table_[1][crc >> 8 & 0xFF] ^ table_[2][crc >> 16 & 0xFF] ^
           table_[3][crc >> 24];
  }

 private:
  static uint32_t OverZeros(uint32_t crc) {
    for (size_t bit = 0; bit < 8 * kLaneBytes; ++bit) {
      crc = crc >> 1 ^ (kPolynomial & (0 - (crc & 1)));
    }
    return crc;
  }
  uint32_t table_[4][256];
};

uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) uint32_t ExtendFast(uint32_t init, const char* data,
                                                      size_t size) {
  static const LaneShift shift;
  uint64_t crc = ~init;
  for (; size >= 3 * kLaneBytes; size -= 3 * kLaneBytes, data += 3 * kLaneBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t at = 0; at < kLaneBytes; at += 8) {
      crc = _mm_crc32_u64(crc, LoadWord(data + at));
      second = _mm_crc32_u64(second, LoadWord(data + kLaneBytes + at));
      third = _mm_crc32_u64(third, LoadWord(data + 2 * kLaneBytes + at));
    }
    crc = shift(static_cast<uint32_t>(crc)) ^ second;
    crc = shift(static_cast<uint32_t>(crc)) ^ third;
  }
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, LoadWord(data));
  for (; size > 0; --size, ++data) {
    crc = _mm_crc32_u8(static_cast<uint32_t>(crc), static_cast<unsigned char>(*data));
  }
  return ~static_cast<uint32_t>(crc);
}

using ExtendFunction = uint32_t (*)(uint32_t, const char*, size_t);

/// RocksDB's own, for processors without the instruction.
ExtendFunction Choose() {
  if (__builtin_cpu_supports("sse4.2")) return &ExtendFast;
  void* own = dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
  return reinterpret_cast<ExtendFunction>(own);
}

}  // namespace
}  // namespace weir

namespace rocksdb::crc32c {

// Weak, so that a RocksDB that is linked statically keeps its own without a clash.
__attribute__((weak, visibility("default"))) uint32_t Extend(uint32_t init, const char* data,
                                                             size_t size);
uint32_t Extend(uint32_t init, const char* data, size_t size) {
  static const weir::ExtendFunction extend = weir::Choose();
  return extend(init, data, size);
}

}  // namespace rocksdb::crc32c

namespace weir {

bool HasFastCrc32c() {
  return __builtin_cpu_supports("sse4.2") &&
         dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c6ExtendEjPKcm") ==
             reinterpret_cast<void*>(&rocksdb::crc32c::Extend);
}

}  // namespace weir

#else

namespace weir {
bool HasFastCrc32c() { return false; }
}  // namespace weir

#endif
