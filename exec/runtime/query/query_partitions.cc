// How many partitions a query's stages have: those that its state was made for.

#include <cstring>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {
namespace {

constexpr std::string_view kPartitionsKey = "partitions";  // Of stages, among a query's state.

}  // namespace

Result<std::vector<int32_t>> QueryRuntime::PartitionsBefore() const {
  if (env_.shared) return weir::PartitionsBefore(env_);
  WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        env_.broker->state().Get(env_.state_prefix + std::string(kPartitionsKey)));
  std::vector<int32_t> before;
  if (!stored) return before;
  before.resize(stored->size() / sizeof(int32_t));
  std::memcpy(before.data(), stored->data(), before.size() * sizeof(int32_t));
  return before;
}

// State lies by the partitions that there were when it was made.
Status QueryRuntime::FitPartitions() {
  if (options_.transient) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const std::vector<int32_t> before, PartitionsBefore());
  Status fits = KeepPartitions(env_.stages, before, NeedsChangelog);
  if (fits.ok()) return fits;
  return std::move(fits).WithHint(WaysOn());
}

Status QueryRuntime::KeepPartitionCounts() {
  if (options_.transient || env_.shared) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const std::vector<int32_t> before, PartitionsBefore());
  std::vector<int32_t> now;
  for (const StagePlan& stage : env_.stages.stages) now.push_back(stage.partitions);
  if (now == before) return OkStatus();
  env_.commit->Put(
      env_.state_prefix + std::string(kPartitionsKey),
      std::string_view(reinterpret_cast<const char*>(now.data()), now.size() * sizeof(int32_t)));
  return OkStatus();
}

// Old records of a key stay where they were placed.
std::string QueryRuntime::WaysOn() const {
  if (!env_.shared) {
    return "DROP what the query makes and create it again, which reads its sources from the "
           "beginning, or give the source the partitions that it had";
  }
  return fmt::format(
      "stop all copies, run `weir reset --query {}` and let the query read a copy of the topic "
      "(CREATE STREAM … AS SELECT * FROM …), where all records of a key are in one partition "
      "again; "
      "one that groups or joins by another column than the topic's key takes partitions as they "
      "come",
      env_.id);
}

// Opened again it takes what there is now.
Status QueryRuntime::RecountPartitions() {
  const auto count = [this](const physical::TopicSource& node) -> Result<int32_t> {
    Result<int32_t> partitions = env_.broker->CountPartitions(node.topic);
    if (partitions.status().code() != ErrorCode::kUnknownTopic) return partitions;
    // It was there when the query was made.
    return Status(ErrorCode::kPartitionsChanged,
                  "a topic was deleted while a query reads it: " + node.topic)
        .WithHint("make the topic again and begin anew by weir reset, or drop the query");
  };
  WEIR_RETURN_IF_ERROR(CountPartitions(env_.stages, count));
  WEIR_RETURN_IF_ERROR(FitPartitions());
  for (const auto& [root, view] : views_) {
    const StagePlan& stage = env_.stages.stages[static_cast<size_t>(view.stage)];
    if (static_cast<size_t>(stage.partitions) == view.prefixes.size()) continue;
    return Status(ErrorCode::kPartitionsChanged,
                  fmt::format("a topic got partitions while query {} was made", env_.id))
        .WithHint("create it again");
  }
  return OkStatus();
}

// Asked behind the last record of a commit and before it is made: what was read until then was
// placed by as many partitions as there were then.
Status QueryRuntime::CheckSourcePartitions() const {
  if (!env_.shared) return OkStatus();
  for (const StagePlan& stage : env_.stages.stages) {
    if (stage.sources.empty() || !NeedsChangelog(stage)) continue;
    for (const int index : stage.sources) {
      const SourcePlan& source = env_.stages.sources[index];
      const Result<int32_t> now = env_.broker->CountPartitions(source.node->topic);
      // That a topic is gone is told by others.
      if (now.status().code() == ErrorCode::kUnknownTopic) continue;
      WEIR_RETURN_IF_ERROR(now.status());
      if (*now == source.partitions) continue;
      return PartitionsChanged(source, source.partitions, *now).WithHint(WaysOn());
    }
  }
  return OkStatus();
}

}  // namespace weir
