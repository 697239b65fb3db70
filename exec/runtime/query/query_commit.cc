// When a query commits, how, and what its state may hold in memory behind that. A barrier goes
// through the tasks; what they gathered is sealed, and committed on another thread while they go
// on. The next barrier waits for that, so that one commit is under way at most, and all are in
// order.

#include <algorithm>
#include <utility>

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

// Whether no more may be done before the next commit.
bool QueryRuntime::IsFull() const {
  const int64_t outputs_max = env_.settings.CommitBytesMax() * (flow_.is_under_way() ? 2 : 1);
  return env_.OutputsWaiting() >= outputs_max || env_.commit_asked ||
         env_.ShouldMeasureMemory(env_.BytesWaiting());
}

// A query far behind, whose commits take long because it has changed much state, makes fewer of
// them: they take a tenth of its time at most, within limits.
bool QueryRuntime::CommitIsDue() const {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(commit_took_).count();
  const int64_t interval = std::max<int64_t>(env_.settings.commit_interval_ms,
                                             std::min<int64_t>(10 * took, kCommitIntervalBehindMs));
  const int64_t since = env_.clock->NowMs() - last_commit_ms_;
  return since >= interval || since < 0 || IsFull();
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

std::vector<std::vector<int64_t>> QueryRuntime::Positions() const {
  std::vector<std::vector<int64_t>> positions(env_.stages.sources.size());
  for (const StagePlan& stage : env_.stages.stages) {
    for (int source : stage.sources) {
      for (const auto& task : tasks_[stage.id]) {
        const bool runs = task != nullptr && task->ready();
        positions[source].push_back(runs ? task->position(source) : -1);
      }
    }
  }
  return positions;
}

// Sends a barrier through the tasks, and has what they gathered committed: on another thread, while
// the next round fills the next unit, or at once. None may be under way.
Status QueryRuntime::BeginCommit(CommitMode mode) {
  const auto begin = std::chrono::steady_clock::now();
  WEIR_RETURN_IF_ERROR(EmitPending());
  PassFaultPoint("before_commit");
  env_.sealed_outputs = env_.commit->byte_size();
  for (auto& stage : tasks_) {
    for (auto& task : stage) {
      if (task != nullptr && task->ready()) WEIR_RETURN_IF_ERROR(task->Barrier());
    }
  }
  env_.sealed_bytes = env_.commit->byte_size();
  env_.state = env_.commit->Over(env_.broker->state());
  sealed_positions_ = Positions();
  std::shared_ptr<CommitUnit> sealed = std::exchange(env_.commit, env_.NewCommitUnit());
  uncommitted_ = false;
  env_.commit_asked = false;
  const int64_t read = env_.read_since_commit.exchange(0);
  const bool has_read = read > 0;
  env_.NoteCommitSize(read, static_cast<int64_t>(env_.sealed_bytes));
  last_commit_ms_ = env_.clock->NowMs();
  barrier_took_ = std::chrono::steady_clock::now() - begin;
  // What waits for nothing is done faster than handed over.
  const bool beside = mode == CommitMode::kBeside && options_.scheduler != nullptr &&
                      env_.broker->kind() != "memory";
  flow_.Start(
      beside ? &options_.scheduler->commit_threads() : nullptr,
      // The groups that the unit names stay until it is committed.
      [sealed = std::move(sealed), purge = ExchangesToPurge(), groups = assignment_, has_read,
       this] {
        if (has_read) WEIR_RETURN_IF_ERROR(CheckSourcePartitions());
        WEIR_RETURN_IF_ERROR(sealed->Commit());
        PassFaultPoint("after_commit");
        Purge(purge);
        return OkStatus();
      },
      [this] { Wake(); });
  if (flow_.has_ended()) WEIR_RETURN_IF_ERROR(TakeCommit());
  const auto begun = std::chrono::steady_clock::now();
  WEIR_RETURN_IF_ERROR(LetStateGo());
  (flow_.is_under_way() ? barrier_took_ : commit_took_) += std::chrono::steady_clock::now() - begun;
  return OkStatus();
}

// What is written can be read back, so it may leave memory.
Status QueryRuntime::LetStateGo() {
  const int64_t share = env_.MemoryShare(env_.state_bytes);
  for (auto& stage : tasks_) {
    for (auto& task : stage) {
      if (task != nullptr && task->ready()) WEIR_RETURN_IF_ERROR(task->OnCommitted());
    }
  }
  // What could leave memory has left it. Where that is as much as was asked for, it is for other
  // queries to shrink, too, at their commits.
  const bool has_shrunk = share != INT64_MAX && env_.state_bytes <= share + share / 8;
  return has_shrunk ? OkStatus() : CheckMemory();
}

// Takes note of what came of the commit under way, which is waited for.
Status QueryRuntime::TakeCommit() {
  const CommitFlow::Outcome outcome = flow_.Take();
  env_.ReadCommitted();
  env_.sealed_outputs = env_.sealed_bytes = 0;
  WEIR_RETURN_IF_ERROR(outcome.status);
  commit_took_ = barrier_took_ + outcome.took;
  const int64_t micros =
      std::chrono::duration_cast<std::chrono::microseconds>(commit_took_).count();
  for (const auto& counters : env_.counters) counters->Committed(micros);
  std::lock_guard lock(status_mutex_);
  committed_ = std::move(sealed_positions_);
  return OkStatus();
}

// Commits all there is, and waits for it.
Status QueryRuntime::CommitAll() {
  if (flow_.is_under_way()) WEIR_RETURN_IF_ERROR(TakeCommit());
  return BeginCommit(CommitMode::kAtOnce);
}

// Waits for the commit under way, if there is one; what comes of it is for the next opening to see.
void QueryRuntime::EndCommit() {
  if (flow_.is_under_way()) static_cast<void>(flow_.Take());
  env_.sealed_outputs = env_.sealed_bytes = 0;
}

// As EndCommit, but does not wait: false while it is under way.
bool QueryRuntime::DropEndedCommit() {
  if (flow_.is_under_way() && !flow_.has_ended()) return false;
  EndCommit();
  return true;
}

Status QueryRuntime::Commit() {
  std::lock_guard lock(mutex_);
  env_.finish_soon = env_.give_up = false;
  const InterruptScope interruptible(env_.give_up);
  if (!open_ || options_.transient) return OkStatus();
  Status status = Guarded([&] { return CommitAll(); });
  // What it was to make durable is gone.
  if (!status.ok()) TearDown();
  return status;
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
                  fmt::format("memory.limit is reached: the engine needs {} of {} bytes, what "
                              "this SELECT sorts, groups and joins {}",
                              used, limit, env_.state_bytes.load()))
        .WithHint(
            "rows that are sorted, grouped or joined are kept in memory, spilling to disk is not "
            "built yet: "
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
