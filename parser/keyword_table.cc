#include "parser/keyword_table.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace weir {
namespace {

constexpr Keyword kKeywords[] = {
#include "keyword_table.inc"
};

constexpr size_t LongestWord() {
  size_t longest = 0;
  for (const Keyword& keyword : kKeywords) longest = std::max(longest, keyword.word.size());
  return longest;
}

}  // namespace

std::span<const Keyword> Keywords() { return kKeywords; }

std::optional<int> FindKeyword(std::string_view word) {
  std::array<char, LongestWord()> folded;
  if (word.empty() || word.size() > folded.size()) return std::nullopt;
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    folded[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const std::string_view upper(folded.data(), word.size());
  const auto* found = std::lower_bound(
      std::begin(kKeywords), std::end(kKeywords), upper,
      [](const Keyword& keyword, std::string_view text) { return keyword.word < text; });
  if (found == std::end(kKeywords) || found->word != upper) return std::nullopt;
  return static_cast<int>(found - std::begin(kKeywords));
}

}  // namespace weir
