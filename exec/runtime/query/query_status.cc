// What is asked of a running query from outside: its state, how far it is, its numbers, and the
// rows of its tables.

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/query/query_runtime.h"
#include "planner/properties/connector_properties.h"

namespace weir {

QueryRuntime::State QueryRuntime::state() const {
  std::lock_guard lock(status_mutex_);
  return state_;
}

Status QueryRuntime::error() const {
  std::lock_guard lock(status_mutex_);
  return error_;
}

Result<bool> QueryRuntime::CommittedPast(int source, const std::vector<int64_t>& ends) const {
  if (env_.shared) return GroupPast(source, ends);
  std::lock_guard lock(status_mutex_);
  if (source >= static_cast<int>(committed_.size())) return false;
  const std::vector<int64_t>& positions = committed_[source];
  if (positions.empty()) return false;
  for (size_t i = 0; i < ends.size() && i < positions.size(); ++i) {
    if (positions[i] < ends[i]) return false;
  }
  return true;
}

std::map<std::string, std::vector<int64_t>> QueryRuntime::CommittedByTopic() const {
  std::map<std::string, std::vector<int64_t>> positions;
  std::lock_guard lock(status_mutex_);
  for (size_t i = 0; i < committed_.size(); ++i) {
    const physical::TopicSource& node = *env_.stages.sources[i].node;
    if (node.connector.empty()) positions[node.topic] = committed_[i];
  }
  return positions;
}

bool QueryRuntime::endless() const {
  return std::any_of(
      env_.stages.sources.begin(), env_.stages.sources.end(),
      [](const SourcePlan& source) { return IsEndlessConnector(source.node->connector); });
}

std::vector<std::string> QueryRuntime::source_topics() const {
  std::vector<std::string> topics;
  for (const SourcePlan& source : env_.stages.sources) topics.push_back(source.node->topic);
  return topics;
}

int64_t QueryRuntime::open_windows() const { return open_windows_; }

void QueryRuntime::FillMetrics(std::vector<QueryMetrics>& metrics) const {
  const State now = state();
  static constexpr const char* kNames[] = {"RUNNING", "PAUSED", "RESTARTING", "ERROR"};
  for (size_t i = 0; i < env_.root_ids.size(); ++i) {
    QueryMetrics one;
    one.query_id = env_.root_ids[i];
    one.state = kNames[static_cast<int>(now)];
    if (now == State::kError || now == State::kRestarting) one.error = error().ToString();
    env_.counters[i]->FillInto(one);
    one.lag_records = lag_;
    one.state_bytes = env_.state_bytes;
    if (env_.shared) FillSharedMetrics(one);
    {
      std::lock_guard lock(status_mutex_);
      one.tasks = task_metrics_;
      one.restore = restore_;
    }
    metrics.push_back(std::move(one));
  }
}

void QueryRuntime::AwaitCommit() const {
  CommitFlow::Handle commit;
  {
    std::lock_guard lock(mutex_);
    commit = flow_.handle();
  }
  commit.Wait();
}

Status QueryRuntime::CheckNotStopped() const {
  if (!stopped_) return OkStatus();
  return Status(ErrorCode::kQueryFailed,
                fmt::format("query {} was ended or replaced while its table was read", env_.id))
      .WithHint("ask again");
}

Result<std::vector<ViewReader>> QueryRuntime::ReadViews(
    int query_root, const std::shared_ptr<const StateReader>& from) {
  const auto view = views_.find(query_root);
  if (view == views_.end()) {
    return Status(ErrorCode::kInvalidPullQuery, fmt::format("query {} keeps no table", env_.id));
  }
  WEIR_RETURN_IF_ERROR(CheckNotStopped());
  if (state() == State::kPaused && !env_.shared) {
    // One that was paused when the engine opened has not looked yet whether the state is its own.
    std::lock_guard lock(mutex_);
    if (!open_ && !stopped_ && state() == State::kPaused) {
      WEIR_RETURN_IF_ERROR(Guarded([&] { return OpenLocked(); }));
    }
  }
  const StagePlan& stage = env_.stages.stages[view->second.stage];
  std::vector<int32_t> partitions;
  if (env_.shared) {
    std::lock_guard lock(status_mutex_);
    for (const TaskMetrics& task : task_metrics_) {
      if (task.sub_topology == stage.id && task.state == "RUNNING") {
        partitions.push_back(task.partition);
      }
    }
  } else {
    partitions.resize(static_cast<size_t>(stage.partitions));
    std::iota(partitions.begin(), partitions.end(), 0);
  }
  if (const Status cause = error();
      !cause.ok() && (state() == State::kError || partitions.empty())) {
    return Status(ErrorCode::kQueryFailed,
                  fmt::format("query {} does not run: {}", env_.id, cause.message()));
  }
  std::vector<ViewReader> readers;
  readers.reserve(partitions.size());
  for (int32_t partition : partitions) {
    const auto& [rows, layout] = view->second.prefixes[static_cast<size_t>(partition)];
    readers.emplace_back(view->second.options, from, rows, layout);
  }
  return readers;
}

}  // namespace weir
