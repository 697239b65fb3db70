#pragma once

// The wording of syntax errors: one sentence, place, source line, and at most one suggestion. Never
// a list of what the grammar would have taken.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

/// What kind of token the parser stumbled over.
enum class FaultToken { kEnd, kWord, kKeyword, kQuotedName, kString, kNumber, kSymbol };

/// Everything known about the first error in a text.
struct SyntaxFault {
  FaultToken kind = FaultToken::kSymbol;
  std::string text;  ///< The token as written.
  SourcePosition position;
  bool at_begin = false;  ///< It is the first token of a statement.
  /// Repairs that were tried and let the parser get further; at most one is set.
  std::string meant_word;     ///< This keyword instead of the word.
  bool meant_name = false;    ///< The reserved word was meant as a name.
  bool meant_string = false;  ///< The name, quoted name or number was meant as text.
  bool extra_comma = false;   ///< Without the comma before it.
  std::string missing_word;   ///< The one word or symbol that could stand here.
  std::string open_bracket;   ///< A bracket open before the token: "(" or "[".
  SourcePosition open_position;
  bool subquery = false;        ///< (SELECT where none may stand.
  bool doubled_equals = false;  ///< a == b.
  bool unclosed_quote = false;
  std::string advice;  ///< What FindSyntaxAdvice says.
};

/// The error for `fault`, kSyntax, without its source line.
Status DescribeSyntaxFault(const SyntaxFault& fault);

/// Number of insertions, deletions, changes and swaps of neighbours between two words.
int EditDistance(std::string_view a, std::string_view b);

/// The one of `candidates` nearest to `word`, if it is near enough to be what was meant: one edit
/// in a word of up to five letters, two in a longer one. Compares bytes.
std::optional<std::string_view> NearestWord(std::string_view word,
                                            std::span<const std::string_view> candidates);

}  // namespace weir
