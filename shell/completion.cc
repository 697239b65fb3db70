#include "shell/completion.h"

#include <algorithm>
#include <cctype>

namespace weir::shell {
namespace {

bool IsWordByte(char c) {
  const unsigned char byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 0x80 || c == '_' || c == '.' || c == '$' || c == '-';
}

char Upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool HasLower(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return Upper(c) != c; });
}

bool BeginsWithoutCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return Upper(a) == Upper(b); });
}

}  // namespace

std::string_view WordBeforeCursor(std::string_view line) {
  size_t start = line.size();
  while (start > 0 && IsWordByte(line[start - 1])) --start;
  return line.substr(start);
}

std::vector<std::string> Complete(std::string_view word,
                                  const std::vector<std::string>& keywords,
                                  const std::vector<std::string>& names) {
  std::vector<std::string> found;
  const bool small = HasLower(word);
  for (const std::vector<std::string>* list : {&keywords, &names}) {
    for (const std::string& candidate : *list) {
      if (!BeginsWithoutCase(candidate, word)) continue;
      found.push_back(candidate);
      // Names with small letters are quoted ones or topics: those keep their case.
      if (small && !HasLower(candidate)) {
        std::transform(candidate.begin(), candidate.end(), found.back().begin(), &Lower);
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string CommonPrefix(const std::vector<std::string>& candidates) {
  if (candidates.empty()) return {};
  std::string prefix = candidates[0];
  for (const std::string& candidate : candidates) {
    size_t length = 0;
    while (length < prefix.size() && length < candidate.size() &&
           prefix[length] == candidate[length]) {
      ++length;
    }
    prefix.resize(length);
  }
  return prefix;
}

}  // namespace weir::shell
