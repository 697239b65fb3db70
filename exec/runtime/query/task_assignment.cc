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
  for (int stage = 0; stage < stages(); ++stage) {
    const auto is_of_stage = [stage](const Change& change) { return change.stage == stage; };
    if (std::any_of(held_.begin(), held_.end(), is_of_stage)) continue;
    WEIR_ASSIGN_OR_RETURN(auto change, groups_[stage]->Poll());
    if (change) return std::optional<Change>(Change{stage, std::move(*change)});
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
  Status accepted = groups_[change.stage]->Accept(change.change);
  std::erase_if(held_, [stage = change.stage](const Change& each) { return each.stage == stage; });
  return accepted;
}

}  // namespace weir
