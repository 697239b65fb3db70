// FROM: tables, joins, subqueries.

#include <fmt/format.h>

#include <limits>

#include "base/limits.h"
#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

ast::JoinType JoinTypeOf(Grammar::JoinTypeContext* tree) {
  if (tree == nullptr || tree->K_INNER() != nullptr) return ast::JoinType::kInner;
  if (tree->K_LEFT() != nullptr) return ast::JoinType::kLeft;
  if (tree->K_RIGHT() != nullptr) return ast::JoinType::kRight;
  return ast::JoinType::kFull;
}

}  // namespace

ast::RelationPtr Transformer::TransformRelation(Grammar::RelationContext* tree) {
  const std::vector<Grammar::JoinedRelationContext*> parts = tree->joinedRelation();
  ast::RelationPtr out = TransformJoined(parts[0]);
  size_t joins = parts.size() - 1;
  for (Grammar::JoinedRelationContext* part : parts) joins += part->joined().size();
  if (joins > static_cast<size_t>(limits::kNestingDepthMax)) {
    Fail(
        Place(tree), ErrorCode::kNestingTooDeep,
        fmt::format("a query may have {} joins; this one has {}", limits::kNestingDepthMax, joins));
    return out;
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    auto join = std::make_unique<ast::Join>();
    join->position = Place(parts[i]);
    join->form = ast::JoinForm::kComma;
    join->left = std::move(out);
    join->right = TransformJoined(parts[i]);
    out = std::move(join);
  }
  return out;
}

ast::RelationPtr Transformer::TransformJoined(Grammar::JoinedRelationContext* tree) {
  ast::RelationPtr out = TransformAliased(tree->aliasedRelation());
  const std::vector<Grammar::JoinedContext*> joins = tree->joined();
  // Too many are told by the caller; the tree stays low all the same.
  for (size_t i = 0; i < joins.size() && i <= size_t{limits::kNestingDepthMax}; ++i) {
    out = TransformJoin(std::move(out), joins[i]);
  }
  return out;
}

ast::RelationPtr Transformer::TransformJoin(ast::RelationPtr left, Grammar::JoinedContext* tree) {
  auto join = std::make_unique<ast::Join>();
  join->position = Place(tree);
  join->left = std::move(left);
  if (auto* cross = dynamic_cast<Grammar::JoinCrossContext*>(tree)) {
    join->form = ast::JoinForm::kCross;
    join->right = TransformAliased(cross->aliasedRelation());
  } else if (auto* natural = dynamic_cast<Grammar::JoinNaturalContext*>(tree)) {
    join->form = ast::JoinForm::kNatural;
    join->type = JoinTypeOf(natural->joinType());
    join->right = TransformAliased(natural->aliasedRelation());
  } else if (auto* named = dynamic_cast<Grammar::JoinUsingContext*>(tree)) {
    join->form = ast::JoinForm::kUsing;
    join->type = JoinTypeOf(named->joinType());
    join->right = TransformAliased(named->aliasedRelation());
    if (named->within() != nullptr) join->within = TransformWithin(named->within());
    join->using_names = TransformNames(named->identifierList());
  } else {
    auto* on = static_cast<Grammar::JoinOnContext*>(tree);
    join->type = JoinTypeOf(on->joinType());
    join->right = TransformAliased(on->aliasedRelation());
    if (on->within() != nullptr) join->within = TransformWithin(on->within());
    join->on = TransformExpression(on->expression());
  }
  return join;
}

ast::RelationPtr Transformer::TransformAliased(Grammar::AliasedRelationContext* tree) {
  if (auto* inner = dynamic_cast<Grammar::SubqueryRelationContext*>(tree)) {
    auto out = std::make_unique<ast::Subquery>();
    out->position = Place(tree);
    out->query = TransformQuery(inner->query());
    if (inner->alias != nullptr) out->alias = TransformName(inner->alias);
    return out;
  }
  if (auto* nested = dynamic_cast<Grammar::NestedRelationContext*>(tree)) {
    return TransformRelation(nested->relation());
  }
  auto* table = static_cast<Grammar::TableRelationContext*>(tree);
  auto out = std::make_unique<ast::AliasedTable>();
  out->position = Place(tree);
  out->name = TransformName(table->identifier()[0]);
  if (table->alias != nullptr) out->alias = TransformName(table->alias);
  if (table->readFrom() != nullptr) out->read_from = TransformReadFrom(table->readFrom());
  return out;
}

ast::ReadFrom Transformer::TransformReadFrom(Grammar::ReadFromContext* tree) {
  ast::ReadFrom out;
  out.position = Place(tree);
  if (tree->K_BEGINNING() != nullptr) {
    out.kind = ast::ReadFromKind::kBeginning;
  } else if (tree->K_LATEST() != nullptr) {
    out.kind = ast::ReadFromKind::kLatest;
  } else if (tree->K_TIMESTAMP() != nullptr) {
    out.kind = ast::ReadFromKind::kTimestamp;
    if (tree->STRING() != nullptr) {
      out.timestamp.kind = ast::LiteralKind::kString;
      out.timestamp.text = TransformString(tree->STRING());
    } else {
      out.timestamp.kind = ast::LiteralKind::kBigint;
      out.timestamp.integer = TransformInteger(tree->INTEGER_NUMBER()->getSymbol());
      out.timestamp.text = std::to_string(out.timestamp.integer);
    }
  } else {
    out.kind = ast::ReadFromKind::kOffsets;
    for (Grammar::PartitionOffsetContext* pair : tree->partitionOffset()) {
      const int64_t partition = TransformInteger(pair->partition);
      if (partition > std::numeric_limits<int32_t>::max()) {
        Fail(Place(pair), ErrorCode::kInvalidLiteral,
             fmt::format("no topic has a partition of this number: {}", partition));
      }
      out.offsets.emplace_back(static_cast<int32_t>(partition), TransformInteger(pair->offset));
    }
  }
  return out;
}

ast::Within Transformer::TransformWithin(Grammar::WithinContext* tree) {
  ast::Within out;
  out.position = Place(tree);
  out.symmetric = tree->before == nullptr;
  if (out.symmetric) {
    out.before_ms = out.after_ms = TransformDuration(tree->duration()[0]);
  } else {
    out.before_ms = TransformDuration(tree->before);
    out.after_ms = TransformDuration(tree->after);
  }
  out.grace_ms = TransformGrace(tree->gracePeriod());
  return out;
}

}  // namespace weir::transform
