#pragma once

// What a syntax error probably came from, seen from the words around it: habits of other dialects,
// clauses in the wrong order, an operator without its right side.

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "parser/diagnostic.h"

namespace weir {

/// A token, its words in upper case.
struct AdviceToken {
  std::string text;
  FaultToken kind = FaultToken::kSymbol;
};

struct SyntaxAdvice {
  std::string hint;
  size_t token = 0;  ///< The token that the error is about.
};

/// Advice for the text that stopped being a statement at `tokens[at]`; at the text's end where `at`
/// is its size. Nothing if no rule fits.
std::optional<SyntaxAdvice> FindSyntaxAdvice(std::span<const AdviceToken> tokens, size_t at);

}  // namespace weir
