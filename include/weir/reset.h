#pragma once

// Beginning anew: what an application on Kafka keeps, seen and deleted from outside.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/options.h"
#include "weir/status.h"

namespace weir {

/// What a reset deletes. Sources and outputs are never among it.
struct ResetPlan {
  std::string application_id;
  std::string query_id;  ///< Empty: all queries of the application.
  /// A copy's directory on this machine; for a single query, only that query's keys in it.
  struct State {
    std::string path;
    int64_t bytes = 0;  ///< On disk; with `query_id` 0.
    int64_t keys = 0;   ///< With `query_id`: how many.
  };
  std::vector<State> state;
  std::vector<std::string> topics;  ///< Repartition and changelog topics.
  std::vector<std::string> groups;  ///< Consumer groups, with the positions committed in them.
  /// Copies that run, a sentence's part each; while there are any, nothing can be reset.
  std::vector<std::string> running;
  bool empty() const { return state.empty() && topics.empty() && groups.empty(); }
};

/// Looks for all that `options.application_id` keeps: on the cluster of `options.brokers`, and
/// under `options.state_dir` on this machine (state on other machines is not seen; it is thrown
/// away by itself when its copy starts again, as its positions are gone). `query_id` narrows it to
/// one query or pipeline. Changes nothing. Blocks for the cluster's answers. kUsage without brokers
/// or application id.
Result<ResetPlan> PlanReset(const EngineOptions& options, std::string_view query_id = {});

/// Deletes what the plan lists: positions first, then topics, then state. kCopiesRunning, before
/// anything is deleted, while a copy runs. What is gone already does not count. After another error
/// it may be called again.
Status Reset(const EngineOptions& options, const ResetPlan& plan);

}  // namespace weir
