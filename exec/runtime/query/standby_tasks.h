#pragma once

// The tasks of other copies whose state this copy keeps warm (num.standby.replicas): it follows
// their changelogs into its local state, so that it has only the rest to restore when one of them
// comes to it. Which copies follow a task is computed by each of them alike from who is in the
// group: those whose id and the partition give the lowest hashes, its owner left out.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/scheduler.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {

/// One thread at a time.
class StandbyTasks {
 public:
  explicit StandbyTasks(QueryEnvironment& environment) : env_(environment) {}

  /// Looks who is in the groups, now and then, and begins or ends to follow tasks. `owned` says
  /// whether this copy runs a task itself.
  Status Choose(const std::function<bool(int stage, int32_t partition)>& owned);
  /// The group has changed: the next Choose looks.
  void ChooseSoon() { chosen_at_ = {}; }
  /// Does a bounded piece for each; sets `*worked` if it is to be called again at once. A task that
  /// cannot be followed is let go.
  Status Follow(Scheduler* scheduler, bool* worked);
  /// What has followed the state of a task that is this copy's now; null: nothing has.
  std::unique_ptr<TaskJournal> Take(int stage, int32_t partition);
  void AddMetrics(std::vector<TaskMetrics>& tasks) const;

 private:
  using Key = std::pair<int, int32_t>;  // Stage, partition.
  QueryEnvironment& env_;
  std::map<Key, std::unique_ptr<TaskJournal>> followed_;
  std::chrono::steady_clock::time_point chosen_at_{};
};

/// Of the copies with `ids` in a group, whether `self` is one of the `replicas` that follow the
/// task of a partition that `owner` has. The same answer in all copies.
bool FollowsTask(const std::vector<std::string>& ids, const std::string& self,
                 const std::string& owner, int32_t partition, int64_t replicas);

}  // namespace weir
