#include "parser/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "parser/source_text.h"

namespace weir {
namespace {

/// Longer tokens are cut in messages.
constexpr size_t kShownBytesMax = 60;

std::string Shown(std::string_view text) {
  if (text.size() <= kShownBytesMax) return std::string(text);
  size_t end = kShownBytesMax;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string Sentence(const SyntaxFault& fault) {
  if (fault.unclosed_quote) {
    return fault.text == "'" ? "a text is not closed by its quote"
                             : "a quoted name is not closed by its quote";
  }
  if (fault.kind == FaultToken::kEnd) return "the statement ends too early";
  if (fault.meant_name) {
    return fmt::format("a reserved word cannot be a name: {}", Shown(fault.text));
  }
  const bool word = fault.kind == FaultToken::kWord || fault.kind == FaultToken::kKeyword;
  if (fault.at_begin && word) {
    return fmt::format("no statement begins with this word: {}", Shown(fault.text));
  }
  switch (fault.kind) {
    case FaultToken::kWord:
    case FaultToken::kKeyword: return fmt::format("unexpected word: {}", Shown(fault.text));
    case FaultToken::kQuotedName:
      return fmt::format("unexpected quoted name: {}", Shown(fault.text));
    case FaultToken::kString: return fmt::format("unexpected text: {}", Shown(fault.text));
    case FaultToken::kNumber: return fmt::format("unexpected number: {}", Shown(fault.text));
    case FaultToken::kSymbol:
    case FaultToken::kEnd: break;
  }
  return fmt::format("unexpected symbol: {}", Shown(fault.text));
}

std::string Hint(const SyntaxFault& fault) {
  if (!fault.meant_word.empty()) return fmt::format("did you mean {}?", fault.meant_word);
  if (fault.meant_name) {
    return fmt::format("`{}` in backquotes is a name", FoldName(fault.text));
  }
  if (fault.meant_string) {
    const bool quoted = fault.kind == FaultToken::kQuotedName;
    return fmt::format("text stands in single quotes: '{}'",
                       quoted ? fault.text.substr(1, fault.text.size() - 2) : fault.text);
  }
  if (fault.extra_comma) return "the comma before it is one too many";
  if (fault.subquery) {
    return "a SELECT inside an expression stands in brackets of its own: (SELECT …)";
  }
  if (fault.doubled_equals) return "equality is written with one =";
  if (!fault.advice.empty()) return fault.advice;
  if (!fault.open_bracket.empty()) {
    return fmt::format("the bracket {} opened at {}:{} is not closed", fault.open_bracket,
                       fault.open_position.line, fault.open_position.column);
  }
  // Before a symbol nobody knows what is missing, even where one word alone could follow.
  if (!fault.missing_word.empty() && fault.kind != FaultToken::kSymbol) {
    // Inside of a list a comma is as likely.
    if (fault.missing_word == ")" && fault.kind != FaultToken::kEnd) {
      return "a comma or ) is missing before it";
    }
    return fault.kind == FaultToken::kEnd
               ? fmt::format("{} must follow", fault.missing_word)
               : fmt::format("{} is missing before it", fault.missing_word);
  }
  return "";
}

}  // namespace

Status DescribeSyntaxFault(const SyntaxFault& fault) {
  Status status(ErrorCode::kSyntax, Sentence(fault));
  return std::move(status).At(fault.position).WithHint(Hint(fault));
}

int EditDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment with three rows of the usual table.
  std::vector<int> before_last(b.size() + 1);
  std::vector<int> last(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string_view> NearestWord(std::string_view word,
                                            std::span<const std::string_view> candidates) {
  constexpr size_t kLongWord = 6;
  constexpr size_t kWordBytesMax = 64;
  if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
  int best_distance = (word.size() >= kLongWord ? 2 : 1) + 1;
  std::optional<std::string_view> best;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kWordBytesMax) continue;
    const int distance = EditDistance(word, candidate);
    if (distance < best_distance && static_cast<size_t>(distance) < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace weir
