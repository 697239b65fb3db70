#include "exec/formats/json/bracket_count.h"

#include <algorithm>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weir {
namespace {

// The brackets of one kind and those of the other differ in one bit.
inline bool IsBracket(char c) {
  const char folded = static_cast<char>(c | 0x20);
  return folded == '{' || folded == '}';
}

size_t CountSlowly(const char* text, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i < length; ++i) count += IsBracket(text[i]);
  return count;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) size_t CountWide(const char* text, size_t length) {
  constexpr size_t kWidth = 32;
  const __m256i fold = _mm256_set1_epi8(0x20);
  const __m256i open = _mm256_set1_epi8('{');
  const __m256i close = _mm256_set1_epi8('}');
  size_t count = 0;
  size_t at = 0;
  while (at + kWidth <= length) {
    // Counts of one byte each hold 255 rounds.
    const size_t stop = std::min(length - kWidth + 1, at + 255 * kWidth);
    __m256i counts = _mm256_setzero_si256();
    for (; at < stop; at += kWidth) {
      const __m256i bytes =
          _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + at)), fold);
      counts = _mm256_sub_epi8(
          counts, _mm256_or_si256(_mm256_cmpeq_epi8(bytes, open), _mm256_cmpeq_epi8(bytes, close)));
    }
    const __m256i sums = _mm256_sad_epu8(counts, _mm256_setzero_si256());
    count += static_cast<size_t>(_mm256_extract_epi64(sums, 0) + _mm256_extract_epi64(sums, 1) +
                                 _mm256_extract_epi64(sums, 2) + _mm256_extract_epi64(sums, 3));
  }
  return count + CountSlowly(text + at, length - at);
}
#endif

}  // namespace

size_t CountBrackets(const char* text, size_t length) {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide) return CountWide(text, length);
#endif
  return CountSlowly(text, length);
}

}  // namespace weir
