#include "exec/connect/store/block_checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Eight lanes of 64 bits. Each takes a word of every 64 bytes: the product of the halves of the
// word and a key that moves with the place, and its neighbour's word as it is, which a product with
// zero would lose. In the end the lanes and the rest are mixed one after the other.

namespace weir {
namespace {

constexpr size_t kStripe = 64;
constexpr uint64_t kMix1 = 0x9E3779B185EBCA87u;
constexpr uint64_t kMix2 = 0xC2B2AE3D27D4EB4Fu;

struct alignas(32) Lanes {
  uint64_t sums[8];
  uint64_t keys[8];
};

uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

uint64_t Mix(uint64_t lane, uint64_t word) { return std::rotl(lane + word * kMix2, 31) * kMix1; }

void AddStripes(const char* data, size_t stripes, Lanes& lanes) {
  for (; stripes != 0; --stripes, data += kStripe) {
    for (size_t i = 0; i < 8; ++i) {
      const uint64_t word = LoadWord(data + 8 * i);
      const uint64_t keyed = word ^ lanes.keys[i];
      lanes.sums[i] += (keyed & 0xFFFFFFFFu) * (keyed >> 32);
      lanes.sums[i ^ 1] += word;
      lanes.keys[i] += kMix1;
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void AddStripesWide(const char* data, size_t stripes,
                                                    Lanes& lanes) {
  // Only these may look at the lanes as vectors: a deduced pointer type loses the leave to alias.
  __m256i sum[2], key[2];
  for (int half = 0; half < 2; ++half) {
    sum[half] = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes.sums + 4 * half));
    key[half] = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes.keys + 4 * half));
  }
  const __m256i step = _mm256_set1_epi64x(static_cast<int64_t>(kMix1));
  for (; stripes != 0; --stripes, data += kStripe) {
    for (int half = 0; half < 2; ++half) {
      const __m256i word = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data) + half);
      const __m256i keyed = _mm256_xor_si256(word, key[half]);
      const __m256i product = _mm256_mul_epu32(keyed, _mm256_srli_epi64(keyed, 32));
      const __m256i swapped = _mm256_shuffle_epi32(word, _MM_SHUFFLE(1, 0, 3, 2));
      sum[half] = _mm256_add_epi64(sum[half], _mm256_add_epi64(product, swapped));
      key[half] = _mm256_add_epi64(key[half], step);
    }
  }
  for (int half = 0; half < 2; ++half) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.sums + 4 * half), sum[half]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.keys + 4 * half), key[half]);
  }
}
#endif

void AddAllStripes(const char* data, size_t stripes, Lanes& lanes) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide) return AddStripesWide(data, stripes, lanes);
#endif
  AddStripes(data, stripes, lanes);
}

}  // namespace

uint64_t BlockChecksum(const char* data, size_t size) {
  const std::string_view whole(data, size);
  return BlockChecksum({&whole, 1});
}

uint64_t BlockChecksum(std::span<const std::string_view> parts) {
  size_t size = 0;
  for (std::string_view part : parts) size += part.size();
  Lanes lanes;
  for (size_t i = 0; i < 8; ++i) {
    lanes.sums[i] = size + i;
    lanes.keys[i] = kMix2 * (2 * i + 1);
  }
  char rest[kStripe];  // What does not fill a stripe yet.
  size_t rest_size = 0;
  for (std::string_view part : parts) {
    if (rest_size != 0) {
      const size_t taken = std::min(kStripe - rest_size, part.size());
      std::copy_n(part.data(), taken, rest + rest_size);
      part.remove_prefix(taken);
      rest_size += taken;
      if (rest_size < kStripe) continue;
      AddAllStripes(rest, 1, lanes);
    }
    const size_t stripes = part.size() / kStripe;
    AddAllStripes(part.data(), stripes, lanes);
    part.remove_prefix(stripes * kStripe);
    std::copy_n(part.data(), part.size(), rest);
    rest_size = part.size();
  }
  uint64_t sum = kMix2;
  for (uint64_t lane : lanes.sums) sum = Mix(sum, lane ^ (lane >> 29));
  const char* data = rest;
  const char* const end = rest + rest_size;
  for (; end - data >= 8; data += 8) sum = Mix(sum, LoadWord(data));
  for (; data < end; ++data) sum = Mix(sum, static_cast<uint8_t>(*data));
  return sum ^ (sum >> 29);
}

}  // namespace weir
