#pragma once

// From SQL text to statements. Stateless; every function may be called by any thread at any time.
// Errors are kSyntax, kStatementTooLong, kNestingTooDeep or kInvalidLiteral, each with its place,
// source line and, where one can be guessed, a hint.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast/expression.h"
#include "parser/ast/printer.h"
#include "parser/ast/query.h"
#include "parser/ast/statement.h"
#include "parser/ast/type_name.h"
#include "weir/status.h"

namespace weir {

/// All statements of `sql`, separated by semicolons; the last one may go without. Empty text gives
/// no statements. Lines and columns count from the begin of `sql`.
Result<std::vector<ast::Statement>> ParseStatements(std::string_view sql);
/// The one statement of `sql`; an error when there is none or more than one.
Result<ast::Statement> ParseStatement(std::string_view sql);
Result<ast::ExprPtr> ParseExpression(std::string_view text);
Result<ast::TypeName> ParseType(std::string_view text);

/// A word of the language.
struct Keyword {
  std::string_view word;  ///< In capitals.
  bool reserved = false;  ///< Cannot be an identifier without quotes.
};
/// All words, sorted; from grammar/keywords.txt. Lives as long as the program.
std::span<const Keyword> Keywords();

}  // namespace weir
