#include "exec/runtime/query/task_assignment.h"

#include <algorithm>

#include "base/status_macros.h"
#include "exec/runtime/internal_topics.h"

namespace weir {

Result<std::unique_ptr<TaskAssignment>> TaskAssignment::Join(const QueryEnvironment& environment,
                                                             std::function<void()> listener) {
  std::unique_ptr<TaskAssignment> assignment(new TaskAssignment());
  for (const StagePlan& stage : environment.stages.stages) {
    GroupOptions options;
    options.name = GroupName(environment, stage.id);
    options.anchor_topic = stage.sources.empty()
                               ? RepartitionTopic(environment, stage.exchange_inputs.front())
                               : environment.stages.sources[stage.sources.front()].node->topic;
    options.listener = listener;
    WEIR_ASSIGN_OR_RETURN(auto group, environment.broker->JoinGroup(options));
    assignment->groups_.push_back(std::move(group));
    assignment->owned_.emplace_back();
  }
  return assignment;
}

Result<std::optional<TaskAssignment::Change>> TaskAssignment::Poll() {
  for (size_t stage = 0; stage < groups_.size(); ++stage) {
    WEIR_ASSIGN_OR_RETURN(auto change, groups_[stage]->Poll());
    if (change) return std::optional<Change>(Change{static_cast<int>(stage), std::move(*change)});
  }
  return std::optional<Change>();
}

bool TaskAssignment::joined() const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const auto& group) { return group->joined(); });
}

Status TaskAssignment::Accept(const Change& change) {
  std::map<int32_t, int32_t>& owned = owned_[change.stage];
  const int32_t generation = groups_[change.stage]->generation();
  for (int32_t partition : change.change.revoked) owned.erase(partition);
  for (int32_t partition : change.change.assigned) owned[partition] = generation;
  ++rebalances_;
  return groups_[change.stage]->Accept(change.change);
}

}  // namespace weir
