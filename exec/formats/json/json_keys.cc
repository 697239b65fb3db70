#include "exec/formats/json/json_keys.h"

#include <algorithm>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "exec/formats/json/json_value.h"

namespace weir {
namespace {

/// Objects that are maps have ever new keys; beyond these, a key is looked at each time.
constexpr size_t kSpellingsMax = 1024;
constexpr size_t kKeptBytesMax = 1024;

/// Differing bytes of two texts of 32, where `counts` has ones.
uint64_t Differences(const char* a, const char* b, const char* counts) {
  uint64_t all = 0;
  for (size_t at = 0; at < JsonKeys::Spelling::kHeadBytes; at += sizeof all) {
    uint64_t words[3];
    std::memcpy(&words[0], a + at, sizeof all);
    std::memcpy(&words[1], b + at, sizeof all);
    std::memcpy(&words[2], counts + at, sizeof all);
    all |= (words[0] ^ words[1]) & words[2];
  }
  return all;
}

/// Whether each key stands where a fourth of the positions say.
template <typename Key>
bool AllStand(const Key* keys, size_t count, const char* text, const uint32_t* at) {
  uint64_t differences = 0;
  for (size_t i = 0; i < count; ++i, at += 4) {
    differences |= Differences(text + *at, keys[i].bytes, keys[i].counts);
  }
  return differences == 0;
}

#if defined(__x86_64__)
template <typename Key>
__attribute__((target("avx2"))) bool AllStandWide(const Key* keys, size_t count, const char* text,
                                                  const uint32_t* at) {
  __m256i differences = _mm256_setzero_si256();
  for (size_t i = 0; i < count; ++i, at += 4) {
    const __m256i seen = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + *at));
    const __m256i wanted = _mm256_load_si256(reinterpret_cast<const __m256i*>(keys[i].bytes));
    const __m256i counts = _mm256_load_si256(reinterpret_cast<const __m256i*>(keys[i].counts));
    differences =
        _mm256_or_si256(differences, _mm256_and_si256(_mm256_xor_si256(seen, wanted), counts));
  }
  return _mm256_testz_si256(differences, differences) != 0;
}
#endif

}  // namespace

void JsonKeys::Spelling::SetText(std::string_view bytes) {
  text = bytes;
  length = static_cast<uint32_t>(bytes.size());
  const size_t counted = std::min(bytes.size(), kHeadBytes);
  std::memset(head, 0, kHeadBytes);
  std::memcpy(head, bytes.data(), counted);
  head_bits = counted == kHeadBytes ? ~0u : (1u << counted) - 1;
}

JsonKeys::JsonKeys(std::vector<Name> names) : names_(std::move(names)) {
  end_.SetText("}");
  end_.ends = true;
}

std::vector<JsonKeys::Target> JsonKeys::TargetsOf(std::string_view name) const {
  std::vector<Target> targets;
  for (size_t i = 0; i < names_.size(); ++i) {
    const Name& wanted = names_[i];
    const bool exact = name == wanted.name;
    if (exact || (wanted.folds && EqualsUpperCased(name, wanted.name))) {
      targets.push_back({static_cast<int32_t>(i), exact});
    }
  }
  return targets;
}

void JsonKeys::RememberFlat() {
  flat_is_last_ = true;
  flat_keys_.clear();
  flat_values_.assign(names_.size(), 0);
  std::vector<bool> exact(names_.size(), false);
  for (const Spelling* spelling = first_; !spelling->ends; spelling = spelling->next) {
    if (spelling->length > Spelling::kHeadBytes) return flat_keys_.clear();
    for (const Target& target : spelling->targets) {
      const auto column = static_cast<size_t>(target.column);
      if (exact[column] && !target.exact) continue;
      exact[column] = target.exact;
      flat_values_[column] = static_cast<uint32_t>(flat_keys_.size() * 4 + 3);
    }
    FlatKey& key = flat_keys_.emplace_back();
    std::memcpy(key.bytes, spelling->head, Spelling::kHeadBytes);
    std::memset(key.counts, 0, Spelling::kHeadBytes);
    std::memset(key.counts, 0xFF, spelling->length);
  }
}

bool JsonKeys::RepeatsFlat(const char* text, const uint32_t* at) const {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx2");
  if (wide) return AllStandWide(flat_keys_.data(), flat_keys_.size(), text, at);
#endif
  return AllStand(flat_keys_.data(), flat_keys_.size(), text, at);
}

JsonKeys::Spelling* JsonKeys::Find(const char* base, const uint32_t* at, const uint32_t* stop,
                                   bool first) {
  flat_is_last_ = false;
  if (at >= stop) return Refuse("brackets do not match or a value is missing");
  const char before = base[*at];
  if (before == '}' && !first) return &end_;
  if (before != (first ? '{' : ',')) {
    return Refuse(first ? "not an object" : "no comma stands between two values");
  }
  if (stop - at < 3) return Refuse("brackets do not match or a value is missing");
  if (base[at[1]] != '"') return Refuse("a key does not stand in double quotes");
  const JsonCursor cursor{base, stop, at[2]};
  const char* begin = base + at[1] + 1;
  const char* end = ScalarEnd(cursor, at + 1);
  if (end <= begin || end[-1] != '"') return Refuse("text follows a key");
  if (base[at[2]] != ':') return Refuse("no colon follows a key");

  const std::string_view text(base + *at, at[2] + 1 - *at);
  if (const auto found = known_.find(text); found != known_.end()) return found->second.get();
  std::string_view name(begin, static_cast<size_t>(end - 1 - begin));
  if (name.find('\\') != std::string_view::npos) {
    if (!UnescapeJson(name, unescaped_)) return Refuse("a key has a malformed escape");
    name = unescaped_;
  }
  Spelling* spelling = &spare_;
  if (known_.size() < kSpellingsMax && text.size() <= kKeptBytesMax) {
    auto kept = std::make_unique<Spelling>();
    spelling = kept.get();
    spelling->SetText(text);
    known_.emplace(spelling->text, std::move(kept));
  } else {
    spelling->SetText(text);
  }
  spelling->targets = TargetsOf(name);
  return spelling;
}

}  // namespace weir
