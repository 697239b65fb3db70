#include "planner/physical/plan_fields.h"

namespace weir {

namespace plan_fields {

std::shared_ptr<physical::Node> MakeNode(physical::NodeKind kind) {
  using physical::NodeKind;
  switch (kind) {
    case NodeKind::kTopicSource: return std::make_shared<physical::TopicSource>();
    case NodeKind::kFilter: return std::make_shared<physical::Filter>();
    case NodeKind::kProject: return std::make_shared<physical::Project>();
    case NodeKind::kFlatMap: return std::make_shared<physical::FlatMap>();
    case NodeKind::kExchange: return std::make_shared<physical::Exchange>();
    case NodeKind::kMaterialize: return std::make_shared<physical::Materialize>();
    case NodeKind::kPartialAggregate: return std::make_shared<physical::PartialAggregate>();
    case NodeKind::kStreamAggregate: return std::make_shared<physical::StreamAggregate>();
    case NodeKind::kTableAggregate: return std::make_shared<physical::TableAggregate>();
    case NodeKind::kStreamStreamJoin: return std::make_shared<physical::StreamStreamJoin>();
    case NodeKind::kStreamTableJoin: return std::make_shared<physical::StreamTableJoin>();
    case NodeKind::kTableTableJoin: return std::make_shared<physical::TableTableJoin>();
    case NodeKind::kForeignKeyJoin: return std::make_shared<physical::ForeignKeyJoin>();
    case NodeKind::kLimit: return std::make_shared<physical::Limit>();
    case NodeKind::kTopicSink: return std::make_shared<physical::TopicSink>();
    case NodeKind::kClientSink: return std::make_shared<physical::ClientSink>();
    case NodeKind::kLatestRows: return std::make_shared<physical::LatestRows>();
    case NodeKind::kBoundedAggregate: return std::make_shared<physical::BoundedAggregate>();
    case NodeKind::kSort: return std::make_shared<physical::Sort>();
    case NodeKind::kForeignKeySubscribe: return std::make_shared<physical::ForeignKeySubscribe>();
    case NodeKind::kForeignKeyAnswers: return std::make_shared<physical::ForeignKeyAnswers>();
    case NodeKind::kBoundedJoin: return std::make_shared<physical::BoundedJoin>();
    case NodeKind::kUnionAll: return std::make_shared<physical::UnionAll>();
  }
  return nullptr;
}

}  // namespace plan_fields

}  // namespace weir
