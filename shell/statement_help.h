#pragma once

// Short texts about each statement, for `help` at the prompt.

#include <span>
#include <string_view>

namespace weir::shell {

struct StatementHelp {
  std::string_view name;    ///< "CREATE STREAM".
  std::string_view syntax;
  std::string_view text;    ///< One sentence.
};

std::span<const StatementHelp> StatementHelps();

}  // namespace weir::shell
