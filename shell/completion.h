#pragma once

// What the Tab key offers: words of the language and names of the catalog.

#include <string>
#include <string_view>
#include <vector>

namespace weir::shell {

/// The start of the word that ends where `line` ends: letters, digits and "_.$-" behind it.
std::string_view WordBeforeCursor(std::string_view line);

/// All of `keywords` and `names` that begin with `word`, without regard to case, sorted, each once.
/// What is all capitals is offered in small letters where `word` is typed in small letters.
std::vector<std::string> Complete(std::string_view word,
                                  const std::vector<std::string>& keywords,
                                  const std::vector<std::string>& names);

/// What all of `candidates` begin with.
std::string CommonPrefix(const std::vector<std::string>& candidates);

}  // namespace weir::shell
