// When a query commits, how, and what its state may hold in memory behind that.

#include <algorithm>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {
namespace {

// Commits of a query far behind are at most so far apart.
constexpr int64_t kCommitIntervalBehindMs = 1000;

}  // namespace

// A query far behind, whose commits take long because it has changed much state, makes fewer of
// them: they take a tenth of its time at most, within limits.
bool QueryRuntime::CommitIsDue() const {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(commit_took_).count();
  const int64_t interval = std::max<int64_t>(env_.settings.commit_interval_ms,
                                             std::min<int64_t>(10 * took, kCommitIntervalBehindMs));
  const int64_t since = env_.clock->NowMs() - last_commit_ms_;
  const auto waiting = static_cast<int64_t>(env_.commit->byte_size());
  return since >= interval || since < 0 || waiting >= env_.CommitBytesMax() || env_.commit_asked ||
         env_.ShouldMeasureMemory(waiting);
}

// What a stage lets out goes through those behind it before they let out theirs.
Status QueryRuntime::EmitPending() {
  for (size_t stage = 0; stage < tasks_.size(); ++stage) {
    for (auto& task : tasks_[stage]) {
      if (task != nullptr && task->ready()) WEIR_RETURN_IF_ERROR(task->EmitPending());
    }
    bool worked = false;
    if (env_.shared) continue;  // It goes by topics.
    for (size_t next = stage + 1; next < tasks_.size(); ++next) {
      WEIR_RETURN_IF_ERROR(RunStage(next, &worked));
    }
  }
  return OkStatus();
}

bool QueryRuntime::PositionsMoved() const {
  for (const auto& stage : tasks_) {
    for (const auto& task : stage) {
      if (task != nullptr && task->ready() && task->moved()) return true;
    }
  }
  return false;
}

void QueryRuntime::NoteCommitted() {
  std::vector<std::vector<int64_t>> committed(env_.stages.sources.size());
  for (const StagePlan& stage : env_.stages.stages) {
    for (int source : stage.sources) {
      for (const auto& task : tasks_[stage.id]) {
        const bool runs = task != nullptr && task->ready();
        committed[source].push_back(runs ? task->position(source) : -1);
      }
    }
  }
  std::lock_guard lock(status_mutex_);
  committed_ = std::move(committed);
}

Status QueryRuntime::CommitLocked() {
  const auto begin = std::chrono::steady_clock::now();
  WEIR_RETURN_IF_ERROR(CheckSourcePartitions());
  WEIR_RETURN_IF_ERROR(EmitPending());
  PassFaultPoint("before_commit");
  for (auto& stage : tasks_) {
    for (auto& task : stage) {
      if (task != nullptr && task->ready()) WEIR_RETURN_IF_ERROR(task->Barrier());
    }
  }
  WEIR_RETURN_IF_ERROR(env_.commit->Commit());
  PassFaultPoint("after_commit");
  env_.commit_asked = false;
  const int64_t share = env_.MemoryShare(env_.state_bytes);
  for (auto& stage : tasks_) {
    for (auto& task : stage) {
      if (task != nullptr && task->ready()) WEIR_RETURN_IF_ERROR(task->OnCommitted());
    }
  }
  // What could leave memory has left it. Where that is as much as was asked for, it is for other
  // queries to shrink, too, at their commits.
  const bool has_shrunk = share != INT64_MAX && env_.state_bytes <= share + share / 8;
  if (!has_shrunk) WEIR_RETURN_IF_ERROR(CheckMemory());
  commit_took_ = std::chrono::steady_clock::now() - begin;
  const int64_t micros =
      std::chrono::duration_cast<std::chrono::microseconds>(commit_took_).count();
  for (const auto& counters : env_.counters) counters->Committed(micros);
  uncommitted_ = false;
  env_.read_since_commit = 0;
  last_commit_ms_ = env_.clock->NowMs();
  NoteCommitted();
  return OkStatus();
}

Status QueryRuntime::Commit() {
  std::lock_guard lock(mutex_);
  env_.finish_soon = env_.give_up = false;
  const InterruptScope interruptible(env_.give_up);
  if (!open_ || options_.transient) return OkStatus();
  return Guarded([&] { return CommitLocked(); });
}

Status QueryRuntime::CheckMemory() const {
  if (env_.memory_used == nullptr || !env_.IsPastMemoryLimit()) return OkStatus();
  if (options_.is_largest && !options_.is_largest(env_.state_bytes)) return OkStatus();
  return MemoryError(env_.MemoryUsed());
}

Status QueryRuntime::MemoryError(int64_t used) const {
  const int64_t limit = env_.settings.memory_limit;
  if (options_.bounded) {
    return Status(ErrorCode::kMemoryLimit,
                  fmt::format("memory.limit is reached: the engine needs {} of {} bytes, this "
                              "SELECT's rows to sort and its groups {}",
                              used, limit, env_.state_bytes.load()))
        .WithHint(
            "groups and sorted rows are kept in memory, spilling to disk is not built yet: "
            "raise memory.limit, select fewer rows, or add LIMIT to the ORDER BY");
  }
  return Status(ErrorCode::kMemoryLimit,
                fmt::format("memory.limit is reached: the engine's state needs {} of {} bytes, "
                            "this query's {}, {}",
                            used, limit, env_.state_bytes.load(),
                            options_.transient ? "and no part of a push query's lies on disk"
                            : env_.has_disk    ? "which cannot be made smaller"
                                               : "and an engine without a directory has no disk"))
      .WithHint(env_.has_disk
                    ? "raise memory.limit, shorten windows and their grace, or group by fewer keys"
                    : "raise memory.limit, shorten windows and their grace, group by fewer keys, "
                      "or let a CREATE … AS SELECT in a store on disk keep the state");
}

}  // namespace weir
