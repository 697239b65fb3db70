#include "planner/passes/map_exprs.h"

namespace weir {
namespace {

using logical::NodeKind;

/// Pointers to all expressions of a node that may be changed.
std::vector<BoundExprPtr*> ExprsOf(logical::Node& node) {
  std::vector<BoundExprPtr*> exprs;
  switch (node.kind) {
    case NodeKind::kFilter: exprs.push_back(&static_cast<logical::Filter&>(node).predicate); break;
    case NodeKind::kProject:
      for (BoundExprPtr& expr : static_cast<logical::Project&>(node).exprs) exprs.push_back(&expr);
      break;
    case NodeKind::kFlatMap: {
      auto& flat = static_cast<logical::FlatMap&>(node);
      for (BoundExprPtr& expr : flat.exprs) exprs.push_back(&expr);
      for (auto& call : flat.calls) {
        for (BoundExprPtr& arg : call.args) exprs.push_back(&arg);
      }
      break;
    }
    case NodeKind::kJoin: {
      auto& join = static_cast<logical::Join&>(node);
      for (BoundExprPtr& key : join.foreign_key) exprs.push_back(&key);
      if (join.condition != nullptr) exprs.push_back(&join.condition);
      break;
    }
    case NodeKind::kSource:
    case NodeKind::kRepartition:
    case NodeKind::kAggregate:
    case NodeKind::kLimit:
    case NodeKind::kSink:
    case NodeKind::kLatestRows:
    case NodeKind::kUnionAll:
    case NodeKind::kSort: break;
  }
  return exprs;
}

}  // namespace

void VisitNodeExprs(const logical::Node& node, const std::function<void(const BoundExpr&)>& visit) {
  std::shared_ptr<logical::Node> copy = logical::CopyNode(node);
  for (BoundExprPtr* expr : ExprsOf(*copy)) visit(**expr);
}

logical::NodePtr MapNodeExprs(const logical::NodePtr& node,
                              const std::function<BoundExprPtr(const BoundExprPtr&)>& map) {
  std::shared_ptr<logical::Node> copy = logical::CopyNode(*node);
  bool changed = false;
  for (BoundExprPtr* expr : ExprsOf(*copy)) {
    BoundExprPtr next = map(*expr);
    changed |= next != *expr;
    *expr = std::move(next);
  }
  if (!changed) return node;
  return copy;
}

}  // namespace weir
