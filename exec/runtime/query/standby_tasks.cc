#include "exec/runtime/query/standby_tasks.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/internal_topics.h"
#include "planner/physical/lower.h"

namespace weir {
namespace {

constexpr auto kChooseEvery = std::chrono::seconds(5);

}  // namespace

bool FollowsTask(const std::vector<std::string>& ids, const std::string& self,
                 const std::string& owner, int32_t partition, int64_t replicas) {
  std::vector<std::pair<uint64_t, std::string>> ranked;
  for (const std::string& id : ids) {
    if (id != owner) ranked.emplace_back(StableHash(fmt::format("{} {}", partition, id)), id);
  }
  std::sort(ranked.begin(), ranked.end());
  const auto taken = std::min<size_t>(static_cast<size_t>(replicas), ranked.size());
  return std::any_of(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(taken),
                     [&](const auto& one) { return one.second == self; });
}

Status StandbyTasks::Choose(const std::function<bool(int stage, int32_t partition)>& owned) {
  const auto now = std::chrono::steady_clock::now();
  if (now - chosen_at_ < kChooseEvery) return OkStatus();
  chosen_at_ = now;
  for (const StagePlan& stage : env_.stages.stages) {
    if (!NeedsChangelog(stage)) continue;
    const PartitionGroup& group = *env_.groups[static_cast<size_t>(stage.id)];
    WEIR_ASSIGN_OR_RETURN(const std::vector<GroupMember> members,
                          env_.broker->DescribeGroup(group.name()));
    std::vector<std::string> ids;
    std::map<int32_t, std::string> owners;
    for (const GroupMember& member : members) {
      ids.push_back(member.id);
      for (const int32_t partition : member.partitions) owners[partition] = member.id;
    }
    for (int32_t partition = 0; partition < stage.partitions; ++partition) {
      const Key key{stage.id, partition};
      const bool follows =
          !owned(stage.id, partition) && FollowsTask(ids, group.member_id(), owners[partition],
                                                     partition, env_.settings.standby_replicas);
      if (!follows) {
        followed_.erase(key);
      } else if (!followed_.contains(key)) {
        followed_[key] = MakeTaskJournal(env_, stage, partition);
      }
    }
  }
  return OkStatus();
}

Status StandbyTasks::Follow(Scheduler* scheduler, bool* worked) {
  std::vector<Key> keys;
  std::vector<TaskJournal*> journals;
  for (const auto& [key, journal] : followed_) {
    keys.push_back(key);
    journals.push_back(journal.get());
  }
  std::vector<Status> statuses(journals.size());
  std::vector<char> more(journals.size(), 0);
  const auto follow = [&](int i) {
    bool any = false;
    const auto at = static_cast<size_t>(i);
    statuses[at] = Guarded([&] { return journals[at]->Follow(&any); });
    more[at] = any;
  };
  if (scheduler != nullptr) {
    scheduler->ParallelFor(static_cast<int>(journals.size()), follow);
  } else {
    for (size_t i = 0; i < journals.size(); ++i) follow(static_cast<int>(i));
  }
  Status first;
  for (size_t i = 0; i < journals.size(); ++i) {
    *worked |= more[i] != 0;
    if (statuses[i].ok()) continue;
    followed_.erase(keys[i]);
    if (first.ok()) first = std::move(statuses[i]);
  }
  return first;
}

std::unique_ptr<TaskJournal> StandbyTasks::Take(int stage, int32_t partition) {
  const auto found = followed_.find({stage, partition});
  if (found == followed_.end()) return nullptr;
  std::unique_ptr<TaskJournal> journal = std::move(found->second);
  followed_.erase(found);
  return journal;
}

void StandbyTasks::AddMetrics(std::vector<TaskMetrics>& tasks) const {
  for (const auto& [key, journal] : followed_) {
    if (journal->behind() < 0) continue;
    TaskMetrics& one = tasks.emplace_back();
    one.sub_topology = key.first;
    one.partition = key.second;
    one.state = "STANDBY";
    one.lag_records = journal->behind();
  }
}

}  // namespace weir
