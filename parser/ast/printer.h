#pragma once

// The tree back to SQL: one canonical text per tree, which parses to the same tree. Used by SHOW
// CREATE, to see whether two statements are the same, and to name expressions in messages.

#include <string>
#include <string_view>

#include "parser/ast/expression.h"
#include "parser/ast/query.h"
#include "parser/ast/statement.h"

namespace weir::ast {

/// Canonical text of a tree: keywords in capitals, one blank between words, as few brackets as its
/// structure needs, identifiers quoted only where folding or a reserved word makes it necessary.
std::string FormatExpr(const Expr& expr);
std::string FormatType(const TypeName& type);
std::string FormatLiteral(const LiteralValue& value);
std::string FormatIdentifier(const Identifier& identifier);
/// A property's name, folded: bare where it reads back the same, else as text.
std::string FormatPropertyName(std::string_view name);
/// 'text', quotes inside doubled.
std::string FormatText(std::string_view text);
std::string FormatQuery(const Query& query);
/// Without a semicolon at the end.
std::string FormatStatement(const Statement& statement);

/// A deep copy.
ExprPtr CloneExpr(const Expr& expr);
QueryPtr CloneQuery(const Query& query);

}  // namespace weir::ast
