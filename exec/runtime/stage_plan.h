#pragma once

// Cuts the physical plans of a query (one root, or several in a pipeline) into stages at their
// exchanges. A stage runs as one task a partition. Pure planning: nothing is opened here.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "planner/physical/nodes.h"
#include "weir/status.h"

namespace weir {

/// One topic read by the query. Sources that read the same topic the same way, of several roots or
/// of a self join, are merged: fetched and decoded once, with the union of their columns. They stay
/// apart only where the one's rows come to the other's stage through an exchange.
struct SourcePlan {
  std::shared_ptr<const physical::TopicSource> node;  ///< Merged.
  struct Consumer {
    const physical::TopicSource* node;  ///< As planned.
    std::vector<int> columns;           ///< For each of its columns: in the merged schema.
  };
  std::vector<Consumer> consumers;
  int32_t partitions = 0;
  std::string input_name;  ///< Its positions are noted under it: unique in the query.
};

/// A root of a stage: a sink of the query, or an exchange that feeds another stage.
struct StageRoot {
  physical::NodePtr node;
  int query_root = 0;  ///< Which of the query's roots it belongs to.
};

struct StagePlan {
  int id = 0;
  int32_t partitions = 0;
  std::vector<int> sources;          ///< Indexes into QueryStages::sources.
  std::vector<int> exchange_inputs;  ///< Indexes into QueryStages::exchanges.
  std::vector<StageRoot> roots;
};

struct ExchangePlan {
  std::shared_ptr<const physical::Exchange> node;
  int from_stage = 0;
  int to_stage = 0;
  int32_t partitions = 0;
};

struct QueryStages {
  std::vector<SourcePlan> sources;
  std::vector<ExchangePlan> exchanges;
  std::vector<StagePlan> stages;                   ///< Upstream stages first.
  int SourceOf(const physical::Node* node) const;  ///< -1: none.
  int ExchangeOf(const physical::Node* node) const;
};

/// Gives the partition count of a source node's topic.
using CountOfPartitions = std::function<Result<int32_t>(const physical::TopicSource&)>;

/// kNotCoPartitioned if the sources of one stage have different numbers of partitions.
Result<QueryStages> CutIntoStages(const std::vector<physical::NodePtr>& roots,
                                  const CountOfPartitions& partitions_of);
/// Counts the partitions of sources, exchanges and stages again; errors as above.
Status CountPartitions(QueryStages& stages, const CountOfPartitions& partitions_of);

/// Keeps to the partitions that the stages had when the query's state was made (`before`, by stage;
/// 0: not known). Stages behind exchanges keep theirs, however many feed them, and those without
/// state take what there is; of others kPartitionsChanged.
Status KeepPartitions(QueryStages& stages, const std::vector<int32_t>& before,
                      const std::function<bool(const StagePlan&)>& keeps_state);
/// The error where a source has other partitions than a query's state is for.
Status PartitionsChanged(const SourcePlan& source, int32_t had, int32_t has);

}  // namespace weir
