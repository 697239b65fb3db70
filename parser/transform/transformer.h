#pragma once

// The parse tree to the AST, one clause a file. Internal to the parser: knows ANTLR.
//
// A transform cannot fail in the middle: it notes the first error with Fail() and goes on with a
// stand-in node, and the caller asks status() at the end. No tree it returns is higher than
// limits::kNestingDepthMax, errors or not.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "WeirParser.h"
#include "parser/ast/expression.h"
#include "parser/ast/query.h"
#include "parser/ast/statement.h"
#include "parser/ast/type_name.h"
#include "weir/status.h"

namespace weir::transform {

using Grammar = generated::WeirParser;
using CodePoints = std::u32string;

/// The place of the text from `first` to `last`, up to the end of its first line's last token.
SourcePosition PlaceOf(antlr4::Token* first, antlr4::Token* last, SourcePosition origin);

/// Transforms the tree of one text. `text` and `points` are that text and must outlive it.
class Transformer {
 public:
  Transformer(std::string_view text, const CodePoints& points, SourcePosition origin)
      : text_(text), points_(points), origin_(origin) {}

  /// The first error, or OK.
  const Status& status() const { return status_; }

  ast::Statement TransformStatement(Grammar::StatementContext* tree);
  ast::ExprPtr TransformExpression(Grammar::ExpressionContext* tree);
  ast::TypeName TransformType(Grammar::TypeContext* tree);

 private:
  // transform_statement.cc
  ast::Statement TransformPlain(Grammar::PlainStatementContext* tree);
  std::optional<ast::StatementBody> TransformQueryStatement(Grammar::PlainStatementContext* tree);
  ast::StatementBody TransformPipeline(Grammar::PipelineContext* tree);
  ast::Statement Finish(antlr4::ParserRuleContext* tree, ast::StatementBody body);

  // transform_source.cc
  std::optional<ast::StatementBody> TransformDefinition(Grammar::PlainStatementContext* tree);
  std::optional<ast::StatementBody> TransformRemoval(Grammar::PlainStatementContext* tree);
  ast::StatementBody TransformCreate(Grammar::CreateSourceContext* tree);
  ast::StatementBody TransformInsertValues(Grammar::InsertValuesContext* tree);
  std::vector<ast::ColumnDefinition> TransformColumns(Grammar::ColumnDefinitionsContext* tree);
  ast::ColumnDefinition TransformColumn(Grammar::ColumnDefinitionContext* tree);
  ast::Properties TransformProperties(Grammar::WithPropertiesContext* tree);
  ast::SourceKind TransformSourceKind(Grammar::SourceKindContext* tree);

  // transform_show.cc, transform_session.cc, transform_assert.cc
  std::optional<ast::StatementBody> TransformInspection(Grammar::PlainStatementContext* tree);
  ast::Show TransformShow(Grammar::ShowableContext* tree);
  ast::ExplainMode TransformExplainMode(Grammar::ExplainModeContext* tree);
  std::optional<ast::StatementBody> TransformSession(Grammar::PlainStatementContext* tree);
  std::optional<ast::StatementBody> TransformAssert(Grammar::PlainStatementContext* tree);

  // transform_query.cc
  ast::QueryPtr TransformQuery(Grammar::QueryContext* tree);
  ast::QueryPtr TransformInner(Grammar::InnerQueryContext* tree);
  ast::QueryPtr TransformSetPart(Grammar::SetPartContext* tree);
  ast::QueryPtr FinishQuery(antlr4::ParserRuleContext* tree, Grammar::CommonTablesContext* common,
                            std::vector<ast::QueryPtr> parts,
                            const std::vector<Grammar::SetOperatorContext*>& operators,
                            Grammar::QueryTailContext* tail);
  /// The parts with the operators between them, as one query; each SELECT alone as it is.
  ast::QueryPtr Combine(std::vector<ast::QueryPtr> parts,
                        const std::vector<Grammar::SetOperatorContext*>& operators,
                        SourcePosition place);
  /// `left` op `right`; one more part of `left` where that `goes_on` with the same operator.
  ast::QueryPtr Append(ast::QueryPtr left, Grammar::SetOperatorContext* op, ast::QueryPtr right,
                       SourcePosition place, bool goes_on, size_t& nested);
  /// SELECT * FROM (inner), SELECT * FROM relation.
  ast::QueryPtr StarOf(ast::QueryPtr inner, SourcePosition place);
  ast::QueryPtr StarFrom(ast::RelationPtr relation);
  ast::QueryPtr TransformSelectPart(Grammar::SelectPartContext* tree);
  ast::SelectItem TransformSelectItem(Grammar::SelectItemContext* tree);
  ast::OrderItem TransformOrderItem(Grammar::OrderItemContext* tree);
  std::vector<ast::ExprPtr> TransformList(Grammar::ExpressionListContext* tree);
  std::vector<ast::ExprPtr> TransformRow(Grammar::ValueRowContext* tree);

  // transform_relation.cc
  ast::RelationPtr TransformRelation(Grammar::RelationContext* tree);
  ast::RelationPtr TransformJoined(Grammar::JoinedRelationContext* tree);
  ast::RelationPtr TransformJoin(ast::RelationPtr left, Grammar::JoinedContext* tree);
  ast::RelationPtr TransformAliased(Grammar::AliasedRelationContext* tree);
  ast::ReadFrom TransformReadFrom(Grammar::ReadFromContext* tree);
  ast::Within TransformWithin(Grammar::WithinContext* tree);

  // transform_window.cc
  ast::WindowClause TransformWindow(Grammar::WindowContext* tree);
  int64_t TransformDuration(Grammar::DurationContext* tree);
  std::optional<int64_t> TransformGrace(Grammar::GracePeriodContext* tree);

  // transform_expression.cc: operators
  ast::ExprPtr TransformBooleans(Grammar::ExpressionContext* tree, bool is_and);
  ast::ExprPtr TransformPredicate(Grammar::PredicateContext* tree);
  ast::ExprPtr TransformPredicateTail(ast::ExprPtr operand, Grammar::PredicateTailContext* tail);
  ast::ExprPtr TransformValue(Grammar::ValueContext* tree);
  ast::ExprPtr TransformChain(Grammar::ValueContext* tree);
  ast::ExprPtr TransformSign(Grammar::SignContext* tree);
  ast::ExprPtr MakeBinary(ast::BinaryOp op, SourcePosition op_position, ast::ExprPtr left,
                          ast::ExprPtr right);

  // transform_primary.cc: what stands between operators
  ast::ExprPtr TransformPrimary(Grammar::PrimaryContext* tree);
  ast::ExprPtr TransformAtom(Grammar::PrimaryContext* tree);
  ast::ExprPtr TransformConstructor(Grammar::PrimaryContext* tree);
  ast::ExprPtr TransformPostfix(Grammar::PrimaryContext* tree, ast::ExprPtr base);
  ast::ExprPtr TransformCase(Grammar::PrimaryContext* tree, Grammar::ValueContext* subject,
                             const std::vector<Grammar::WhenClauseContext*>& branches,
                             Grammar::ExpressionContext* otherwise);
  ast::ExprPtr TransformCall(Grammar::FunctionCallContext* tree);
  ast::ExprPtr TransformSubquery(antlr4::ParserRuleContext* tree, ast::SubqueryForm form,
                                 ast::ExprPtr operand, Grammar::InnerQueryContext* query);
  ast::ExprPtr TransformArgument(Grammar::ArgumentContext* tree, bool unit_may_stand_here);
  std::unique_ptr<ast::OverClause> TransformOver(Grammar::OverContext* tree, int& height);

  // transform_literal.cc
  ast::LiteralValue TransformLiteral(Grammar::LiteralContext* tree);
  ast::LiteralValue TransformNumber(Grammar::NumberContext* tree, bool negative);
  ast::ExprPtr MakeLiteral(antlr4::ParserRuleContext* tree, ast::LiteralValue value);
  int64_t TransformInteger(antlr4::Token* token);

  // transform_name.cc
  ast::Identifier TransformName(Grammar::IdentifierContext* tree);
  std::vector<ast::Identifier> TransformNames(Grammar::IdentifierListContext* tree);
  std::string TransformTopicName(Grammar::TopicNameContext* tree);
  std::string TransformString(antlr4::Token* token);
  std::string TransformString(antlr4::tree::TerminalNode* node) {
    return TransformString(node->getSymbol());
  }

  /// The text of a node as written.
  std::string TextOf(antlr4::Token* first, antlr4::Token* last) const;
  std::string TextOf(antlr4::Token* token) const { return TextOf(token, token); }
  std::string TextOf(antlr4::ParserRuleContext* tree) const {
    return TextOf(tree->getStart(), tree->getStop());
  }
  SourcePosition Place(antlr4::Token* token) const { return PlaceOf(token, token, origin_); }
  SourcePosition Place(antlr4::ParserRuleContext* tree) const {
    return PlaceOf(tree->getStart(), tree->getStop() ? tree->getStop() : tree->getStart(), origin_);
  }

  /// Notes an error; only the first one counts.
  void Fail(SourcePosition position, ErrorCode code, std::string message, std::string hint = "");
  /// `node` with its height, one more than `height_below`; a stand-in where that is too high.
  ast::ExprPtr Seal(ast::ExprPtr node, int height_below);

  std::string_view text_;
  const CodePoints& points_;
  SourcePosition origin_;
  Status status_;
};

/// The height of a node that may be absent.
inline int HeightOf(const ast::ExprPtr& expr) { return expr ? expr->height : 0; }

}  // namespace weir::transform
