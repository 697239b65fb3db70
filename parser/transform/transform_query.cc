// SELECT and its clauses, CTEs, UNION ALL.

#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

/// Whether an expression is a lone primary, which is what may stand before ->*.
bool IsPrimary(Grammar::ExpressionContext* tree) {
  auto* predicate = dynamic_cast<Grammar::PredicateAloneContext*>(tree);
  return predicate != nullptr && predicate->predicate()->predicateTail() == nullptr &&
         dynamic_cast<Grammar::PrimaryAloneContext*>(predicate->predicate()->value()) != nullptr;
}

}  // namespace

ast::QueryPtr Transformer::TransformQuery(Grammar::QueryContext* tree) {
  const std::vector<Grammar::SelectPartContext*> parts = tree->selectPart();
  ast::QueryPtr out;
  if (parts.size() == 1) {
    out = TransformSelectPart(parts[0]);
  } else {
    out = std::make_unique<ast::Query>();
    auto all = std::make_unique<ast::UnionAll>();
    all->position = Place(tree);
    for (Grammar::SelectPartContext* part : parts) all->parts.push_back(TransformSelectPart(part));
    ast::SelectItem star;
    star.kind = ast::SelectItemKind::kStar;
    star.position = all->position;
    out->items.push_back(std::move(star));
    out->from = std::move(all);
  }
  out->position = Place(tree);
  for (Grammar::CommonTableContext* common : tree->commonTable()) {
    out->ctes.push_back({TransformName(common->identifier()), TransformQuery(common->query())});
  }
  for (Grammar::OrderItemContext* item : tree->orderItem()) {
    out->order_by.push_back(TransformOrderItem(item));
  }
  if (tree->emit() != nullptr) {
    out->emit =
        tree->emit()->K_FINAL() != nullptr ? ast::EmitMode::kFinal : ast::EmitMode::kChanges;
    out->emit_position = Place(tree->emit());
  }
  if (tree->limit != nullptr) out->limit = TransformInteger(tree->limit);
  if (tree->offset != nullptr) {
    out->offset = TransformInteger(tree->offset);
    out->offset_position = Place(tree->offset);
  }
  return out;
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
  return out;
}

ast::SelectItem Transformer::TransformSelectItem(Grammar::SelectItemContext* tree) {
  ast::SelectItem out;
  out.position = Place(tree);
  if (dynamic_cast<Grammar::StarContext*>(tree) != nullptr) {
    out.kind = ast::SelectItemKind::kStar;
    return out;
  }
  if (auto* qualified = dynamic_cast<Grammar::QualifiedStarContext*>(tree)) {
    out.kind = ast::SelectItemKind::kQualifiedStar;
    out.qualifier = TransformName(qualified->identifier());
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
