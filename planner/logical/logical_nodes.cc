#include "planner/logical/logical_nodes.h"

namespace weir::logical {

std::shared_ptr<Node> CopyNode(const Node& node) {
  switch (node.kind) {
    case NodeKind::kSource: return CopyAs<Source>(node);
    case NodeKind::kFilter: return CopyAs<Filter>(node);
    case NodeKind::kProject: return CopyAs<Project>(node);
    case NodeKind::kFlatMap: return CopyAs<FlatMap>(node);
    case NodeKind::kRepartition: return CopyAs<Repartition>(node);
    case NodeKind::kAggregate: return CopyAs<Aggregate>(node);
    case NodeKind::kJoin: return CopyAs<Join>(node);
    case NodeKind::kLimit: return CopyAs<Limit>(node);
    case NodeKind::kSink: return CopyAs<Sink>(node);
    case NodeKind::kLatestRows: return CopyAs<LatestRows>(node);
    case NodeKind::kSort: return CopyAs<Sort>(node);
    case NodeKind::kUnionAll: return CopyAs<UnionAll>(node);
  }
  return nullptr;
}

NodePtr WithInputs(const NodePtr& node, std::vector<NodePtr> inputs) {
  if (node->inputs == inputs) return node;
  std::shared_ptr<Node> copy = CopyNode(*node);
  copy->inputs = std::move(inputs);
  return copy;
}

}  // namespace weir::logical
