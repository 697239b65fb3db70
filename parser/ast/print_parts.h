#pragma once

// Pieces that the three printers share. Internal to parser/ast.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parser/ast/expression.h"
#include "parser/ast/query.h"

namespace weir::ast {

/// Milliseconds in the largest unit that divides them: 60000 is `1 MINUTES`.
std::string FormatDuration(int64_t ms);
/// ` WITH (…)`, or nothing when there are none.
std::string FormatProperties(const Properties& properties);
std::string FormatExprList(const std::vector<ExprPtr>& exprs);
std::string FormatOrderItems(const std::vector<OrderItem>& items);

/// Joins `parts`, each formatted by `format`, with `, `.
template <typename Parts, typename Format>
std::string JoinFormatted(const Parts& parts, Format format) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += ", ";
    out += format(part);
  }
  return out;
}

}  // namespace weir::ast
