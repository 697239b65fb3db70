#pragma once

// Which columns the keys of JSON objects mean. A key is looked at closely once per spelling,
// together with what stands around it (`,"id":`); objects that repeat it cost a comparison of
// bytes. So every key of every object is checked, and what an object means never depends on the
// ones before it: those are guesses of what comes, and of where the bytes are to be compared with.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace weir {

/// One thread at a time.
class JsonKeys {
 public:
  /// A column that a key means.
  struct Target {
    int32_t column = 0;  ///< As the columns were given.
    bool exact = false;  ///< The name itself, not another spelling of it.
  };

  /// A key as objects write it: from the bracket or comma before it to its colon.
  struct Spelling {
    static constexpr size_t kHeadBytes = 32;
    alignas(16) char head[kHeadBytes] = {};  ///< The first bytes of `text`.
    uint32_t head_bits = 0;                  ///< One for each byte of `head` that counts.
    uint32_t length = 0;
    bool ends = false;  ///< No key but the object's closing bracket.
    std::string text;
    std::vector<Target> targets;
    Spelling* next = nullptr;  ///< What came behind it the last time.

    void SetText(std::string_view bytes);
    /// Whether it stands at `at`; 32 bytes from there on are readable, those before `end` count.
    bool StandsAt(const char* at, const char* end) const;
  };

  /// A column's name, and whether other spellings of it count too.
  struct Name {
    std::string name;
    bool folds = false;
  };

  explicit JsonKeys(std::vector<Name> names);

  /// What came first in the last object: a guess, null at the start.
  Spelling*& first() { return first_; }
  /// The spelling that begins at structural position *at with a bracket or comma, or the closing
  /// bracket there if `first` is false. `stop` is behind the last structural position. Null if
  /// there is neither: error() says what is wrong. To be called where a guess was wrong.
  Spelling* Find(const char* base, const uint32_t* at, const uint32_t* stop, bool first);
  /// To be called after an object without brackets inside whose keys were all guessed right.
  void Repeated() {
    if (!flat_is_last_) RememberFlat();
  }

  /// For objects without brackets inside: how many structural positions one has with the keys that
  /// have come twice in a row; 0 if there is none such.
  size_t flat_positions() const { return flat_keys_.empty() ? 0 : flat_keys_.size() * 4 + 1; }
  /// Whether the object at `at`, which has as many positions, has just these keys.
  bool RepeatsFlat(const char* text, const uint32_t* at) const;
  /// By column: where its value is in such an object, counted from the first position; 0: nowhere.
  const std::vector<uint32_t>& flat_values() const { return flat_values_; }

  const char* error() const { return error_; }

 private:
  /// The first bytes of a key's text, and ones where they count.
  struct FlatKey {
    alignas(32) char bytes[Spelling::kHeadBytes];
    alignas(32) char counts[Spelling::kHeadBytes];
  };
  void RememberFlat();
  Spelling* Refuse(const char* why) {
    error_ = why;
    return nullptr;
  }
  std::vector<Target> TargetsOf(std::string_view name) const;

  std::vector<Name> names_;
  std::unordered_map<std::string_view, std::unique_ptr<Spelling>> known_;  // By Spelling::text.
  Spelling end_;
  Spelling spare_;  // The last one that was not kept.
  Spelling* first_ = nullptr;
  bool flat_is_last_ = false;  // flat_keys_ are what following first_ gives.
  std::vector<FlatKey> flat_keys_;
  std::vector<uint32_t> flat_values_;
  const char* error_ = "";
  std::string unescaped_;
};

inline bool JsonKeys::Spelling::StandsAt(const char* at, const char* end) const {
#if defined(__x86_64__)
  const auto equal_bits = [&](size_t offset) {
    const __m128i seen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + offset));
    const __m128i wanted = _mm_load_si128(reinterpret_cast<const __m128i*>(head + offset));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(seen, wanted)));
  };
  if (length <= 16) return (equal_bits(0) & head_bits) == head_bits;
  const uint32_t equal = equal_bits(0) | equal_bits(16) << 16;
  if ((equal & head_bits) != head_bits) return false;
  if (length <= kHeadBytes) return true;
#endif
  return static_cast<size_t>(end - at) >= length && std::memcmp(at, text.data(), length) == 0;
}

}  // namespace weir
