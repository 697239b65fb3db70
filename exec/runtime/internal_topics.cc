#include "exec/runtime/internal_topics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

bool IsStateless(const physical::Node& node) {
  using physical::NodeKind;
  switch (node.kind) {
    case NodeKind::kTopicSource: return true;
    case NodeKind::kTopicSink:
      if (static_cast<const physical::TopicSink&>(node).is_table) return false;
      break;
    case NodeKind::kFilter:
    case NodeKind::kProject:
    case NodeKind::kFlatMap:
    case NodeKind::kPartialAggregate:
    case NodeKind::kExchange: break;
    default: return false;
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(), [](const physical::NodePtr& input) {
    return input->kind != NodeKind::kExchange && IsStateless(*input);
  });
}

Status MakeTopic(Broker& broker, TopicInfo info) {
  info.internal = true;
  Status made = broker.CreateTopic(info);
  if (made.ok() || made.code() != ErrorCode::kAlreadyExists) return made;
  WEIR_ASSIGN_OR_RETURN(TopicInfo there, broker.DescribeTopic(info.name));
  if (there.partitions == info.partitions) return OkStatus();
  return Status(ErrorCode::kPartitionsChanged,
                fmt::format("internal topic {} has {} partitions and the query's sources ask for "
                            "{}: keys would be placed anew",
                            info.name, there.partitions, info.partitions))
      .WithHint(
          "stop all copies and run `weir reset --query` for it, which starts it from the "
          "beginning of its sources");
}

}  // namespace

std::string InternalPrefix(std::string_view application_id, std::string_view query_id) {
  return fmt::format("{}-{}-", application_id, query_id);
}

std::string GroupName(const QueryEnvironment& environment, int stage) {
  return InternalPrefix(environment.broker->application_id(), environment.id) +
         std::to_string(stage);
}

std::string RepartitionTopic(const QueryEnvironment& environment, int exchange) {
  return InternalPrefix(environment.broker->application_id(), environment.id) +
         std::to_string(exchange) + "-repartition";
}

std::string ChangelogTopic(const QueryEnvironment& environment, int stage) {
  return GroupName(environment, stage) + "-changelog";
}

std::string PlanTopic(std::string_view application_id, std::string_view query_id) {
  return fmt::format("{}-{}{}", application_id, query_id, kPlanTopicEnding);
}

bool NeedsChangelog(const StagePlan& stage) {
  if (!stage.exchange_inputs.empty()) return true;
  return !std::all_of(stage.roots.begin(), stage.roots.end(),
                      [](const StageRoot& root) { return IsStateless(*root.node); });
}

Result<std::vector<int32_t>> PartitionsBefore(const QueryEnvironment& environment) {
  std::vector<int32_t> before;
  for (const StagePlan& stage : environment.stages.stages) {
    before.push_back(0);
    if (stage.exchange_inputs.empty() && !NeedsChangelog(stage)) continue;
    const std::string topic = stage.sources.empty()
                                  ? RepartitionTopic(environment, stage.exchange_inputs.front())
                                  : ChangelogTopic(environment, stage.id);
    const Result<TopicInfo> found = environment.broker->DescribeTopic(topic);
    if (found.status().code() == ErrorCode::kUnknownTopic) continue;
    WEIR_RETURN_IF_ERROR(found.status());
    before.back() = found->partitions;
  }
  return before;
}

Status MakeInternalTopics(const QueryEnvironment& environment) {
  Broker& broker = *environment.broker;
  for (size_t i = 0; i < environment.stages.exchanges.size(); ++i) {
    TopicInfo info;
    info.name = RepartitionTopic(environment, static_cast<int>(i));
    info.partitions = environment.stages.exchanges[i].partitions;
    WEIR_RETURN_IF_ERROR(MakeTopic(broker, std::move(info)));
  }
  for (const StagePlan& stage : environment.stages.stages) {
    if (!NeedsChangelog(stage)) continue;
    TopicInfo info;
    info.name = ChangelogTopic(environment, stage.id);
    info.partitions = stage.partitions;
    info.compacted = true;
    WEIR_RETURN_IF_ERROR(MakeTopic(broker, std::move(info)));
  }
  return OkStatus();
}

}  // namespace weir
