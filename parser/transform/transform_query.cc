// SELECT and its clauses, CTEs, UNION and the like.

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.h"
#include "parser/ast/query_height.h"
#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

/// Whether an expression is a lone primary, which is what may stand before ->*.
bool IsPrimary(Grammar::ExpressionContext* tree) {
  auto* predicate = dynamic_cast<Grammar::PredicateAloneContext*>(tree);
  return predicate != nullptr && predicate->predicate()->predicateTail() == nullptr &&
         dynamic_cast<Grammar::PrimaryAloneContext*>(predicate->predicate()->value()) != nullptr;
}

ast::SetOperator OperatorOf(Grammar::SetOperatorContext& tree) {
  if (tree.K_UNION() != nullptr) return ast::SetOperator::kUnion;
  return tree.K_INTERSECT() != nullptr ? ast::SetOperator::kIntersect : ast::SetOperator::kExcept;
}

bool SameOperator(Grammar::SetOperatorContext& a, Grammar::SetOperatorContext& b) {
  return OperatorOf(a) == OperatorOf(b) && (a.K_ALL() != nullptr) == (b.K_ALL() != nullptr);
}

}  // namespace

ast::QueryPtr Transformer::TransformQuery(Grammar::QueryContext* tree) {
  std::vector<ast::QueryPtr> parts;
  for (Grammar::SetPartContext* part : tree->setPart()) parts.push_back(TransformSetPart(part));
  return FinishQuery(tree, tree->commonTables(), std::move(parts), tree->setOperator(),
                     tree->queryTail());
}

ast::QueryPtr Transformer::TransformInner(Grammar::InnerQueryContext* tree) {
  std::vector<ast::QueryPtr> parts;
  parts.push_back(TransformSelectPart(tree->selectPart()));
  for (Grammar::SetPartContext* part : tree->setPart()) parts.push_back(TransformSetPart(part));
  return FinishQuery(tree, tree->commonTables(), std::move(parts), tree->setOperator(),
                     tree->queryTail());
}

ast::QueryPtr Transformer::TransformSetPart(Grammar::SetPartContext* tree) {
  return tree->selectPart() != nullptr ? TransformSelectPart(tree->selectPart())
                                       : TransformQuery(tree->query());
}

ast::QueryPtr Transformer::FinishQuery(antlr4::ParserRuleContext* tree,
                                       Grammar::CommonTablesContext* common,
                                       std::vector<ast::QueryPtr> parts,
                                       const std::vector<Grammar::SetOperatorContext*>& operators,
                                       Grammar::QueryTailContext* tail) {
  const bool has_tail = !tail->children.empty();
  ast::QueryPtr out = Combine(std::move(parts), operators, Place(tree));
  // Brackets around the whole: what is inside has clauses of its own.
  const bool has_clauses = !out->ctes.empty() || !out->order_by.empty() || out->limit ||
                           out->offset || out->emit != ast::EmitMode::kNone;
  if (has_clauses && (has_tail || common != nullptr)) out = StarOf(std::move(out), Place(tree));
  if (!has_clauses) out->position = Place(tree);
  if (common != nullptr) {
    for (Grammar::CommonTableContext* table : common->commonTable()) {
      out->ctes.push_back({TransformName(table->identifier()), TransformQuery(table->query())});
    }
  }
  for (Grammar::OrderItemContext* item : tail->orderItem()) {
    out->order_by.push_back(TransformOrderItem(item));
  }
  if (tail->emit() != nullptr) {
    out->emit =
        tail->emit()->K_FINAL() != nullptr ? ast::EmitMode::kFinal : ast::EmitMode::kChanges;
    out->emit_position = Place(tail->emit());
  }
  if (tail->limit != nullptr) out->limit = TransformInteger(tail->limit);
  if (tail->offset != nullptr) {
    out->offset = TransformInteger(tail->offset);
    out->offset_position = Place(tail->offset);
  }
  out->height = ast::HeightWithin(*out);
  return out;
}

ast::QueryPtr Transformer::StarOf(ast::QueryPtr inner, SourcePosition place) {
  auto from = std::make_unique<ast::Subquery>();
  from->position = place;
  from->query = std::move(inner);
  return StarFrom(std::move(from));
}

ast::QueryPtr Transformer::StarFrom(ast::RelationPtr relation) {
  auto out = std::make_unique<ast::Query>();
  out->position = relation->position;
  ast::SelectItem star;
  star.kind = ast::SelectItemKind::kStar;
  star.position = relation->position;
  out->items.push_back(std::move(star));
  out->from = std::move(relation);
  out->height = ast::HeightWithin(*out);
  return out;
}

ast::QueryPtr Transformer::Combine(std::vector<ast::QueryPtr> parts,
                                   const std::vector<Grammar::SetOperatorContext*>& operators,
                                   SourcePosition place) {
  // Runs of INTERSECT first, then the others from left to right.
  std::vector<ast::QueryPtr> terms;
  std::vector<Grammar::SetOperatorContext*> between;
  terms.push_back(std::move(parts[0]));
  size_t nested = 0;
  for (size_t i = 0; i < operators.size(); ++i) {
    if (operators[i]->K_INTERSECT() == nullptr) {
      between.push_back(operators[i]);
      terms.push_back(std::move(parts[i + 1]));
    } else {
      terms.back() = Append(std::move(terms.back()), operators[i], std::move(parts[i + 1]), place,
                            i > 0 && SameOperator(*operators[i - 1], *operators[i]), nested);
    }
  }
  ast::QueryPtr out = std::move(terms[0]);
  for (size_t i = 0; i < between.size(); ++i) {
    out = Append(std::move(out), between[i], std::move(terms[i + 1]), place,
                 i > 0 && SameOperator(*between[i - 1], *between[i]), nested);
  }
  if (nested > static_cast<size_t>(limits::kNestingDepthMax)) {
    Fail(
        place, ErrorCode::kNestingTooDeep,
        fmt::format("UNION, INTERSECT and EXCEPT change {} times in one query, and the limit is {}",
                    nested, limits::kNestingDepthMax));
    return StarFrom(std::make_unique<ast::Nothing>());
  }
  return out;
}

ast::QueryPtr Transformer::Append(ast::QueryPtr left, Grammar::SetOperatorContext* op,
                                  ast::QueryPtr right, SourcePosition place, bool goes_on,
                                  size_t& nested) {
  if (goes_on) {
    left->height = std::max(left->height, right->height);
    left->from->As<ast::SetOperation>().parts.push_back(std::move(right));
    return left;
  }
  ++nested;
  auto operation = std::make_unique<ast::SetOperation>();
  operation->position = place;
  operation->op = OperatorOf(*op);
  operation->all = op->quantifier != nullptr && op->quantifier->getType() == Grammar::K_ALL;
  operation->parts.push_back(std::move(left));
  operation->parts.push_back(std::move(right));
  return StarFrom(std::move(operation));
}

ast::QueryPtr Transformer::TransformSelectPart(Grammar::SelectPartContext* tree) {
  auto out = std::make_unique<ast::Query>();
  out->position = Place(tree);
  out->distinct = tree->K_DISTINCT() != nullptr;
  for (Grammar::SelectItemContext* item : tree->selectItem()) {
    out->items.push_back(TransformSelectItem(item));
  }
  if (tree->relation() != nullptr) {
    out->from = TransformRelation(tree->relation());
  } else {
    out->from = std::make_unique<ast::Nothing>();
    out->from->position = out->position;
  }
  if (tree->window() != nullptr) out->window = TransformWindow(tree->window());
  if (tree->where != nullptr) out->where = TransformExpression(tree->where);
  if (Grammar::GroupByContext* group = tree->groupBy()) {
    out->group_by = TransformList(group->expressionList());
    out->group_by_position =
        PlaceOf(group->K_GROUP()->getSymbol(), group->K_BY()->getSymbol(), origin_);
  }
  if (Grammar::PartitionByContext* partition = tree->partitionBy()) {
    out->partition_by = TransformList(partition->expressionList());
    out->partition_by_position =
        PlaceOf(partition->K_PARTITION()->getSymbol(), partition->K_BY()->getSymbol(), origin_);
  }
  if (tree->having != nullptr) out->having = TransformExpression(tree->having);
  out->height = ast::HeightWithin(*out);
  return out;
}

ast::SelectItem Transformer::TransformSelectItem(Grammar::SelectItemContext* tree) {
  ast::SelectItem out;
  out.position = Place(tree);
  const auto change_star = [&](Grammar::StarWithoutContext* without,
                               Grammar::StarReplaceContext* replace) {
    if (without != nullptr) out.without = TransformNames(without->identifierList());
    if (replace == nullptr) return;
    for (Grammar::ReplacementContext* each : replace->replacement()) {
      out.replaced.push_back(
          {TransformExpression(each->expression()), TransformName(each->identifier())});
    }
  };
  if (auto* star = dynamic_cast<Grammar::StarContext*>(tree)) {
    out.kind = ast::SelectItemKind::kStar;
    change_star(star->starWithout(), star->starReplace());
    return out;
  }
  if (auto* qualified = dynamic_cast<Grammar::QualifiedStarContext*>(tree)) {
    out.kind = ast::SelectItemKind::kQualifiedStar;
    out.qualifier = TransformName(qualified->identifier());
    change_star(qualified->starWithout(), qualified->starReplace());
    return out;
  }
  auto* item = static_cast<Grammar::SelectExpressionContext*>(tree);
  out.expr = TransformExpression(item->expression());
  if (item->STAR() != nullptr) {
    out.kind = ast::SelectItemKind::kStructStar;
    if (!IsPrimary(item->expression())) {
      Fail(Place(item->STAR()->getSymbol()), ErrorCode::kSyntax,
           "->* takes the fields of a struct, and an operator stands before it",
           "put the struct in brackets");
    }
  } else if (item->identifier() != nullptr) {
    out.alias = TransformName(item->identifier());
  }
  return out;
}

ast::OrderItem Transformer::TransformOrderItem(Grammar::OrderItemContext* tree) {
  ast::OrderItem out;
  out.expr = TransformExpression(tree->expression());
  out.descending = tree->direction != nullptr && tree->direction->getType() == Grammar::K_DESC;
  if (tree->nulls != nullptr) out.nulls_first = tree->nulls->getType() == Grammar::K_FIRST;
  return out;
}

std::vector<ast::ExprPtr> Transformer::TransformList(Grammar::ExpressionListContext* tree) {
  std::vector<ast::ExprPtr> out;
  for (Grammar::ExpressionContext* expression : tree->expression()) {
    out.push_back(TransformExpression(expression));
  }
  if (out.empty()) Fail(Place(tree), ErrorCode::kSyntax, "the list of expressions is empty");
  return out;
}

std::vector<ast::ExprPtr> Transformer::TransformRow(Grammar::ValueRowContext* tree) {
  std::vector<ast::ExprPtr> out;
  for (Grammar::ExpressionContext* expression : tree->expression()) {
    out.push_back(TransformExpression(expression));
  }
  return out;
}

}  // namespace weir::transform
