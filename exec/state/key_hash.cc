#include "exec/state/key_hash.h"

#include <cstring>
#include <string>
#include <string_view>

#include "exec/column/builder.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// Stored blocks are found by these: they stay as they are.
constexpr uint64_t kStart = 0x2545f4914f6cdd1dULL;
constexpr uint64_t kWordFactor = 0x9e3779b97f4a7c15ULL;
constexpr uint64_t kLengthFactor = 0xd6e8feb86659fd93ULL;

inline uint64_t MixWord(uint64_t hash, uint64_t word) {
  const auto product = static_cast<unsigned __int128>(hash ^ word) * kWordFactor;
  const uint64_t folded = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  return folded ^ (folded >> 29);
}

inline uint64_t MixBytes(uint64_t hash, const char* bytes, size_t size) {
  hash ^= size * kLengthFactor;
  for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    hash = MixWord(hash, word);
  }
  if (size == 0) return hash;
  uint64_t word = 0;
  std::memcpy(&word, bytes, size);
  return MixWord(hash, word);
}

template <typename T>
void MixFixed(const Column& column, std::span<const int32_t> rows, uint64_t* hashes) {
  const auto* values = reinterpret_cast<const T*>(column.raw_values());
  for (size_t i = 0; i < rows.size(); ++i) {
    hashes[i] = MixWord(hashes[i], static_cast<uint64_t>(values[rows[i]]));
  }
}

void MixColumn(const Column& column, std::span<const int32_t> rows, uint64_t* hashes) {
  const size_t width = ValueWidth(column.type().kind());
  if (width == sizeof(uint32_t)) return MixFixed<uint32_t>(column, rows, hashes);
  if (width == sizeof(uint64_t)) return MixFixed<uint64_t>(column, rows, hashes);
  if (column.type().is(TypeKind::kString) || column.type().is(TypeKind::kBytes)) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string_view text = column.GetString(rows[i]);
      hashes[i] = MixBytes(hashes[i], text.data(), text.size());
    }
    return;
  }
  std::string bytes;
  for (size_t i = 0; i < rows.size(); ++i) {
    bytes.clear();
    AppendRowValue(column, rows[i], bytes);
    hashes[i] = MixBytes(hashes[i], bytes.data(), bytes.size());
  }
}

}  // namespace

void HashKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
              std::vector<uint64_t>& hashes) {
  hashes.assign(rows.size(), kStart);
  for (const ColumnPtr& key : keys) MixColumn(*key, rows, hashes.data());
}

}  // namespace weir
