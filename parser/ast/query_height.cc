#include "parser/ast/query_height.h"

#include <algorithm>

namespace weir::ast {
namespace {

int HeightOf(const ExprPtr& expr) { return expr ? expr->height : 0; }

int HeightOf(const std::vector<ExprPtr>& exprs) {
  int height = 0;
  for (const ExprPtr& expr : exprs) height = std::max(height, HeightOf(expr));
  return height;
}

int HeightWithin(const Relation& relation) {
  switch (relation.kind) {
    case RelationKind::kTable:
    case RelationKind::kNothing: return 0;
    case RelationKind::kJoin: {
      const auto& join = relation.As<Join>();
      return std::max({HeightWithin(*join.left), HeightWithin(*join.right), HeightOf(join.on)});
    }
    case RelationKind::kSubquery: return relation.As<Subquery>().query->height;
    case RelationKind::kSetOperation: break;
  }
  int height = 0;
  for (const QueryPtr& part : relation.As<SetOperation>().parts) {
    height = std::max(height, part->height);
  }
  return height;
}

}  // namespace

int HeightWithin(const Query& query) {
  int height = std::max({HeightWithin(*query.from), HeightOf(query.where), HeightOf(query.group_by),
                         HeightOf(query.partition_by), HeightOf(query.having)});
  for (const CommonTable& table : query.ctes) height = std::max(height, table.query->height);
  for (const SelectItem& item : query.items) {
    height = std::max(height, HeightOf(item.expr));
    for (const Replacement& each : item.replaced) height = std::max(height, HeightOf(each.expr));
  }
  for (const OrderItem& item : query.order_by) height = std::max(height, HeightOf(item.expr));
  return height;
}

}  // namespace weir::ast
