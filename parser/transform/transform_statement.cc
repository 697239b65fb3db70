// Which statement a tree is, and what all statements share.

#include "base/status_macros.h"
#include "parser/transform/transformer.h"

namespace weir::transform {

ast::Statement Transformer::Finish(antlr4::ParserRuleContext* tree, ast::StatementBody body) {
  ast::Statement out{.body = std::move(body), .position = Place(tree), .text = TextOf(tree)};
  return out;
}

ast::Statement Transformer::TransformStatement(Grammar::StatementContext* tree) {
  if (auto* plain = dynamic_cast<Grammar::PlainContext*>(tree)) {
    return TransformPlain(plain->plainStatement());
  }
  if (auto* pipeline = dynamic_cast<Grammar::PipelineAloneContext*>(tree)) {
    return Finish(tree, TransformPipeline(pipeline->pipeline()));
  }
  ast::Explain out;
  if (auto* query = dynamic_cast<Grammar::ExplainQueryContext*>(tree)) {
    out.mode = TransformExplainMode(query->explainMode());
    out.query_id = TransformName(query->identifier());
    return Finish(tree, std::move(out));
  }
  auto* text = static_cast<Grammar::ExplainTextContext*>(tree);
  out.mode = TransformExplainMode(text->explainMode());
  if (text->plainStatement() != nullptr) {
    out.statement = std::make_unique<ast::Statement>(TransformPlain(text->plainStatement()));
  } else {
    out.statement = std::make_unique<ast::Statement>(
        Finish(text->pipeline(), TransformPipeline(text->pipeline())));
  }
  return Finish(tree, std::move(out));
}

ast::StatementBody Transformer::TransformPipeline(Grammar::PipelineContext* tree) {
  const std::vector<Grammar::IdentifierContext*> names = tree->identifier();
  ast::Pipeline out{.or_replace = tree->K_REPLACE() != nullptr,
                    .if_not_exists = tree->ifNotExists() != nullptr,
                    .name = TransformName(names[0])};
  for (Grammar::PlainStatementContext* statement : tree->plainStatement()) {
    out.statements.push_back(TransformPlain(statement));
  }
  if (names.size() > 1 && TransformName(names[1]).name != out.name.name) {
    Fail(Place(names[1]), ErrorCode::kSyntax,
         "END PIPELINE names another pipeline than BEGIN PIPELINE");
  }
  return out;
}

std::optional<ast::StatementBody> Transformer::TransformQueryStatement(
    Grammar::PlainStatementContext* tree) {
  if (auto* select = dynamic_cast<Grammar::SelectContext*>(tree)) {
    return ast::Select{TransformQuery(select->query())};
  }
  if (auto* insert = dynamic_cast<Grammar::InsertIntoContext*>(tree)) {
    ast::InsertInto out{.target = TransformName(insert->identifier())};
    if (insert->withProperties() != nullptr) {
      out.properties = TransformProperties(insert->withProperties());
    }
    out.query = TransformQuery(insert->query());
    return out;
  }
  return std::nullopt;
}

ast::Statement Transformer::TransformPlain(Grammar::PlainStatementContext* tree) {
  std::optional<ast::StatementBody> body = TransformQueryStatement(tree);
  if (!body) body = TransformDefinition(tree);
  if (!body) body = TransformRemoval(tree);
  if (!body) body = TransformInspection(tree);
  if (!body) body = TransformSession(tree);
  if (!body) body = TransformAssert(tree);
  WEIR_CHECK(body.has_value(), "a statement of the grammar has no transform");
  return Finish(tree, *std::move(body));
}

}  // namespace weir::transform
