#pragma once

// The one boundary to ANTLR: text in, tree or error out. What ANTLR throws ends here.

#include <string_view>

#include "parser/ast/expression.h"
#include "parser/ast/statement.h"
#include "parser/ast/type_name.h"
#include "weir/status.h"

namespace weir {

/// Each parses exactly one thing. `origin` is where `text` begins in the text the user gave; errors
/// and nodes count from there. Errors come without their source line.
Result<ast::Statement> ParseStatementText(std::string_view text, SourcePosition origin);
Result<ast::ExprPtr> ParseExpressionText(std::string_view text, SourcePosition origin);
Result<ast::TypeName> ParseTypeText(std::string_view text, SourcePosition origin);

}  // namespace weir
