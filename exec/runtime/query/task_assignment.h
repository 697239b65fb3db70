#pragma once

// Which tasks of a query this copy runs: one consumer group a sub-topology shares its partitions
// out among all copies of the application.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "exec/connect/topic.h"
#include "exec/runtime/query/query_environment.h"

namespace weir {

/// One thread at a time, but for the const calls after Join.
class TaskAssignment {
 public:
  struct Change {
    int stage = 0;
    PartitionGroup::Change change;
  };

  /// Joins the groups of all stages; `listener` is called from any thread when Poll may have
  /// something. Partitions come later, by Poll.
  static Result<std::unique_ptr<TaskAssignment>> Join(const QueryEnvironment& environment,
                                                      std::function<void()> listener);

  int stages() const { return static_cast<int>(groups_.size()); }
  /// What is to change, if anything; answer it with Accept, or Hold it. Never waits.
  Result<std::optional<Change>> Poll();
  /// Keeps a change that is to be accepted later; its group is asked for nothing more until then.
  void Hold(Change change) { held_.push_back(std::move(change)); }
  const std::vector<Change>& held() const { return held_; }
  Status Accept(const Change& change);
  /// Every group has told this copy its part.
  bool joined() const;
  PartitionGroup& group(int stage) { return *groups_[stage]; }
  /// Partitions of the stage whose tasks this copy runs, each with the generation of the group in
  /// which it came.
  const std::map<int32_t, int32_t>& owned(int stage) const { return owned_[stage]; }

 private:
  TaskAssignment() = default;
  std::vector<std::unique_ptr<PartitionGroup>> groups_;
  std::vector<std::map<int32_t, int32_t>> owned_;
  std::vector<Change> held_;
};

}  // namespace weir
