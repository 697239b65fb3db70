// Stores and exchanges get names that the same SQL gives again: kind and number in plan order.

#include <utility>

#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::NodeKind;
using logical::NodePtr;

class StoreNamer {
 public:
  NodePtr Name(const NodePtr& node) {
    std::vector<NodePtr> inputs;
    for (const NodePtr& input : node->inputs) inputs.push_back(Name(input));
    std::shared_ptr<logical::Node> copy = logical::CopyNode(*node);
    copy->inputs = std::move(inputs);
    switch (node->kind) {
      case NodeKind::kAggregate: NameAggregate(static_cast<logical::Aggregate&>(*copy)); break;
      case NodeKind::kJoin: NameJoin(static_cast<logical::Join&>(*copy)); break;
      case NodeKind::kRepartition:
        static_cast<logical::Repartition&>(*copy).name = NextExchange();
        break;
      case NodeKind::kSource:
      case NodeKind::kFilter:
      case NodeKind::kProject:
      case NodeKind::kFlatMap:
      case NodeKind::kLimit:
      case NodeKind::kSink:
      case NodeKind::kLatestRows:
      case NodeKind::kUnionAll:
      case NodeKind::kSort: break;
    }
    return copy;
  }

 private:
  void NameAggregate(logical::Aggregate& node) {
    node.store_names = {"aggregate-" + std::to_string(++aggregates_)};
  }

  std::string NextExchange() { return "exchange-" + std::to_string(++exchanges_) + "-repartition"; }

  void NameJoin(logical::Join& node) {
    if (node.sides == logical::JoinSides::kBounded) return;  // It keeps nothing.
    const std::string name = "join-" + std::to_string(++joins_);
    if (node.sides == logical::JoinSides::kStreamTable) {
      node.store_names = {name + "-table"};
    } else {
      node.store_names = {name + "-left", name + "-right"};
    }
    if (!node.spread) return;
    node.store_names.push_back(name + "-subscriptions");
    node.store_names.push_back(name + "-answers");
    node.subscriptions = NextExchange();
    node.answers = NextExchange();
  }

  int aggregates_ = 0;
  int joins_ = 0;
  int exchanges_ = 0;
};

}  // namespace

Result<NodePtr> NameStateStores(const NodePtr& plan, const PlannerContext& context) {
  return StoreNamer().Name(plan);
}

}  // namespace weir
