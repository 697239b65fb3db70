#pragma once

// The factories behind MakeOperator, one for each kind of node; each is defined in the file of its
// operator.

#include <memory>

#include "exec/operators/operator.h"
#include "planner/physical/nodes.h"

namespace weir {

using OperatorResult = Result<std::unique_ptr<Operator>>;

OperatorResult MakeFilter(const physical::Filter& node);
OperatorResult MakeProject(const physical::Project& node);
OperatorResult MakeFlatMap(const physical::FlatMap& node);
OperatorResult MakeMaterialize(const physical::Materialize& node);
OperatorResult MakePartialAggregate(const physical::PartialAggregate& node);
OperatorResult MakeStreamAggregate(const physical::StreamAggregate& node);
OperatorResult MakeSessionAggregate(const physical::StreamAggregate& node);
OperatorResult MakeTableAggregate(const physical::TableAggregate& node);
OperatorResult MakeStreamStreamJoin(const physical::StreamStreamJoin& node);
OperatorResult MakeStreamTableJoin(const physical::StreamTableJoin& node);
OperatorResult MakeTableTableJoin(const physical::TableTableJoin& node);
OperatorResult MakeForeignKeyJoin(const physical::ForeignKeyJoin& node);
OperatorResult MakeForeignKeySubscribe(const physical::ForeignKeySubscribe& node);
OperatorResult MakeForeignKeyAnswers(const physical::ForeignKeyAnswers& node);
OperatorResult MakeLimit(const physical::Limit& node);
OperatorResult MakeBoundedJoin(const physical::BoundedJoin& node);
OperatorResult MakeUnionAll(const physical::UnionAll& node);
OperatorResult MakeLatestRows(const physical::LatestRows& node);
OperatorResult MakeBoundedAggregate(const physical::BoundedAggregate& node);
OperatorResult MakeSort(const physical::Sort& node);
OperatorResult MakeTopicSink(const physical::TopicSink& node);
OperatorResult MakeClientSink(const physical::ClientSink& node);

}  // namespace weir
