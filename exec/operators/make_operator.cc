#include "exec/operators/factories.h"
#include "exec/operators/operators.h"

namespace weir {

Status Operator::Advance(int64_t stream_time) {
  if (out_.next() == nullptr) return OkStatus();
  return out_.next()->OnStreamTime(out_.input(), stream_time);
}

Result<std::unique_ptr<Operator>> MakeOperator(const physical::Node& node) {
  using physical::NodeKind;
  switch (node.kind) {
    case NodeKind::kFilter: return MakeFilter(static_cast<const physical::Filter&>(node));
    case NodeKind::kProject: return MakeProject(static_cast<const physical::Project&>(node));
    case NodeKind::kFlatMap: return MakeFlatMap(static_cast<const physical::FlatMap&>(node));
    case NodeKind::kMaterialize:
      return MakeMaterialize(static_cast<const physical::Materialize&>(node));
    case NodeKind::kPartialAggregate:
      return MakePartialAggregate(static_cast<const physical::PartialAggregate&>(node));
    case NodeKind::kStreamAggregate: {
      const auto& aggregate = static_cast<const physical::StreamAggregate&>(node);
      return aggregate.window.kind == physical::WindowKind::kSession
                 ? MakeSessionAggregate(aggregate)
                 : MakeStreamAggregate(aggregate);
    }
    case NodeKind::kTableAggregate:
      return MakeTableAggregate(static_cast<const physical::TableAggregate&>(node));
    case NodeKind::kStreamStreamJoin:
      return MakeStreamStreamJoin(static_cast<const physical::StreamStreamJoin&>(node));
    case NodeKind::kStreamTableJoin:
      return MakeStreamTableJoin(static_cast<const physical::StreamTableJoin&>(node));
    case NodeKind::kTableTableJoin:
      return MakeTableTableJoin(static_cast<const physical::TableTableJoin&>(node));
    case NodeKind::kForeignKeyJoin:
      return MakeForeignKeyJoin(static_cast<const physical::ForeignKeyJoin&>(node));
    case NodeKind::kForeignKeySubscribe:
      return MakeForeignKeySubscribe(static_cast<const physical::ForeignKeySubscribe&>(node));
    case NodeKind::kForeignKeyAnswers:
      return MakeForeignKeyAnswers(static_cast<const physical::ForeignKeyAnswers&>(node));
    case NodeKind::kLimit: return MakeLimit(static_cast<const physical::Limit&>(node));
    case NodeKind::kTopicSink: return MakeTopicSink(static_cast<const physical::TopicSink&>(node));
    case NodeKind::kClientSink:
      return MakeClientSink(static_cast<const physical::ClientSink&>(node));
    case NodeKind::kLatestRows:
      return MakeLatestRows(static_cast<const physical::LatestRows&>(node));
    case NodeKind::kUnionAll: return MakeUnionAll(static_cast<const physical::UnionAll&>(node));
    case NodeKind::kBoundedJoin:
      return MakeBoundedJoin(static_cast<const physical::BoundedJoin&>(node));
    case NodeKind::kBoundedAggregate:
      return MakeBoundedAggregate(static_cast<const physical::BoundedAggregate&>(node));
    case NodeKind::kSort: return MakeSort(static_cast<const physical::Sort&>(node));
    case NodeKind::kTopicSource:
    case NodeKind::kExchange: break;
  }
  return Status(ErrorCode::kInternal, "sources and exchanges have no operator");
}

}  // namespace weir
