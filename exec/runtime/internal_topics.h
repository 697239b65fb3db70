#pragma once

// Names of what a query keeps on Kafka beside its outputs: a consumer group a sub-topology, a
// repartition topic an exchange, a changelog topic a sub-topology with state. All begin with the
// application id and end as those of Kafka Streams do.

#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"
#include "exec/runtime/query/query_environment.h"

namespace weir {

/// "<application id>-<query id>-": of all groups and internal topics of a query.
std::string InternalPrefix(std::string_view application_id, std::string_view query_id);
std::string GroupName(const QueryEnvironment& environment, int stage);
std::string RepartitionTopic(const QueryEnvironment& environment, int exchange);
std::string ChangelogTopic(const QueryEnvironment& environment, int stage);

/// Ending of the topic that keeps the plans by which a query's copies run.
inline constexpr std::string_view kPlanTopicEnding = "-plan-changelog";
std::string PlanTopic(std::string_view application_id, std::string_view query_id);

/// True if tasks of the stage keep more than a few bytes: those are written to a changelog. What
/// the others keep (stream times) travels in the metadata of their committed offsets.
bool NeedsChangelog(const StagePlan& stage);

/// The partitions that the stages had when their internal topics were made; 0: there is none yet.
Result<std::vector<int32_t>> PartitionsBefore(const QueryEnvironment& environment);

/// Makes the internal topics that are missing. kPartitionsChanged if one is there with another
/// number of partitions than the plan needs.
Status MakeInternalTopics(const QueryEnvironment& environment);

}  // namespace weir
