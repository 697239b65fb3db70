#pragma once

// Look-up of words in the list that grammar/keywords.txt gives.

#include <optional>
#include <string_view>

#include "parser/parser.h"

namespace weir {

/// Position of `word`, in any case (ASCII), in Keywords(); the lexer's token type is one more.
std::optional<int> FindKeyword(std::string_view word);

}  // namespace weir
