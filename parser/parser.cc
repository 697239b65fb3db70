#include "parser/parser.h"

#include <utility>

#include "base/status_macros.h"
#include "parser/antlr_front.h"
#include "parser/source_text.h"
#include "parser/statement_splitter.h"

namespace weir {
namespace {

constexpr SourcePosition kBegin = {.line = 1, .column = 1};

/// The error for text that ends inside a quote or a comment, or OK.
Status CheckClosed(const StatementSplitter& splitter) {
  const char* message = nullptr;
  const char* hint = "";
  switch (splitter.open()) {
    case StatementSplitter::Open::kString:
      message = "a text is not closed by its quote";
      hint = "a quote inside a text is written twice: 'it''s'";
      break;
    case StatementSplitter::Open::kQuotedName:
      message = "a quoted name is not closed by its quote";
      break;
    case StatementSplitter::Open::kComment: message = "a comment is not closed by */"; break;
    case StatementSplitter::Open::kNothing:
    case StatementSplitter::Open::kStatement:
    case StatementSplitter::Open::kPipeline: return OkStatus();
  }
  return Status(ErrorCode::kSyntax, message).At(splitter.open_position()).WithHint(hint);
}

SourcePosition OfStatement(SourcePosition position, size_t number) {
  position.statement = static_cast<int>(number);
  return position;
}

}  // namespace

Result<std::vector<ast::Statement>> ParseStatements(std::string_view sql) {
  StatementSplitter splitter;
  splitter.Add(sql);
  const Status closed = CheckClosed(splitter);
  std::vector<ast::Statement> statements;
  while (true) {
    std::optional<StatementText> next = splitter.Next();
    if (!next) {
      if (!closed.ok()) return WithSourceLineOf(closed, sql);
      next = splitter.TakeRest();
    }
    if (!next) return statements;
    Result<ast::Statement> parsed =
        ParseStatementText(next->text, OfStatement(next->position, statements.size()));
    if (!parsed.ok()) return WithSourceLineOf(std::move(parsed).status(), sql);
    statements.push_back(std::move(parsed).value());
  }
}

Result<ast::Statement> ParseStatement(std::string_view sql) {
  WEIR_ASSIGN_OR_RETURN(std::vector<ast::Statement> statements, ParseStatements(sql));
  if (statements.empty()) {
    return Status(ErrorCode::kSyntax, "there is no statement in the text").At(kBegin);
  }
  if (statements.size() > 1) {
    return WithSourceLineOf(
        Status(ErrorCode::kSyntax, "one statement is expected, and a second one follows")
            .At(statements[1].position),
        sql);
  }
  return std::move(statements[0]);
}

Result<ast::ExprPtr> ParseExpression(std::string_view text) {
  Result<ast::ExprPtr> parsed = ParseExpressionText(text, kBegin);
  if (!parsed.ok()) return WithSourceLineOf(std::move(parsed).status(), text);
  return parsed;
}

Result<ast::TypeName> ParseType(std::string_view text) {
  Result<ast::TypeName> parsed = ParseTypeText(text, kBegin);
  if (!parsed.ok()) return WithSourceLineOf(std::move(parsed).status(), text);
  return parsed;
}

}  // namespace weir
