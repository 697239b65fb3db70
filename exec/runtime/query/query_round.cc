// A round of a query: every task reads and processes a piece, stage by stage, and a commit is begun
// where it is time for one.

#include <algorithm>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {
namespace {

// Batches a task processes in one round before others get their turn and the commit is looked at.
constexpr int kBatchesPerRound = 16;
constexpr int64_t kGroupPollMs = 1000;

}  // namespace

Status QueryRuntime::RunStage(size_t stage, bool* worked) {
  std::vector<std::unique_ptr<Task>>& tasks = tasks_[stage];
  std::vector<Status> statuses(tasks.size());
  std::vector<char> task_worked(tasks.size(), 0);
  auto run = [&](int i) {
    if (tasks[i] == nullptr) return;
    const InterruptScope interruptible(env_.give_up);
    statuses[i] = Guarded([&] {
      bool any = false;
      if (!tasks[i]->ready()) {
        Status opened = tasks[i]->Open(source_sessions_, &any);
        task_worked[i] = any || tasks[i]->ready();
        if (tasks[i]->ready()) LogRestored(*tasks[i], stage);
        return opened;
      }
      WEIR_RETURN_IF_ERROR(tasks[i]->Run(kBatchesPerRound, &any));
      task_worked[i] = any;
      return tasks[i]->FlushOutputs();
    });
  };
  if (options_.scheduler != nullptr) {
    options_.scheduler->ParallelFor(static_cast<int>(tasks.size()), run);
  } else {
    for (size_t i = 0; i < tasks.size(); ++i) run(static_cast<int>(i));
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (!statuses[i].ok()) return std::move(statuses[i]);
    *worked |= task_worked[i] != 0;
  }
  return OkStatus();
}

// Tasks that feed an exchange, and inputs of one task, are compared by how far they are: all of
// them read up to one moment. Kafka tells no such moment; there partitions end by themselves. What
// a bounded query reads has its end already.
Status QueryRuntime::NoteRoundEnds() {
  if (!compares_inputs_ || env_.bounded) return OkStatus();
  env_.round_ends.resize(env_.stages.sources.size());
  for (size_t i = 0; i < env_.stages.sources.size(); ++i) {
    const physical::TopicSource& node = *env_.stages.sources[i].node;
    if (!node.connector.empty()) continue;
    WEIR_ASSIGN_OR_RETURN(env_.round_ends[i], env_.broker->EndOffsets(node.topic));
  }
  return OkStatus();
}

Status QueryRuntime::RunRound(bool* worked) {
  WEIR_RETURN_IF_ERROR(NoteRoundEnds());
  for (size_t stage = 0; stage < tasks_.size(); ++stage) {
    WEIR_RETURN_IF_ERROR(RunStage(stage, worked));
  }
  // Others shrink at their commits first.
  return options_.transient ? CheckMemory() : OkStatus();
}

int64_t QueryRuntime::Run() {
  if (env_.finish_soon) return 1;  // Somebody waits to hold the query.
  std::lock_guard lock(mutex_);
  const InterruptScope interruptible(env_.give_up);
  const int64_t next = RunLocked();
  // Groups want to hear from their members, whatever the query does.
  if (assignment_ == nullptr || next == 0) return next;
  return next < 0 ? kGroupPollMs : std::min(next, kGroupPollMs);
}

int64_t QueryRuntime::RunLocked() {
  if (state() == State::kPaused || state() == State::kError) {
    Status served = assignment_ == nullptr ? OkStatus() : ServeAssignment();
    return served.ok() ? -1 : Fail(std::move(served));
  }
  if (options_.has_room && !options_.has_room()) return -1;
  if (!open_) {
    // Groups are answered while it waits, too; only what is still this copy's is opened again.
    Status served = assignment_ == nullptr ? OkStatus() : ServeAssignment();
    if (!served.ok()) return Fail(std::move(served));
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
        retry_at_ - std::chrono::steady_clock::now());
    if (wait.count() > 0) return wait.count();
    // What is being committed decides where it begins anew; its end wakes.
    if (!DropEndedCommit()) return -1;
    if (Status status = Guarded([&] { return OpenLocked(); }); !status.ok()) {
      return Fail(std::move(status));
    }
    std::lock_guard status_lock(status_mutex_);
    state_ = State::kRunning;
  }
  Status status = OkStatus();
  if (flow_.has_ended()) {
    status = TakeCommit();
    if (!status.ok()) return Fail(std::move(status));
    failures_ = 0;
  }
  if (assignment_ != nullptr) {
    status = Guarded([&] { return ServeAssignment(); });
    if (!status.ok()) return Fail(std::move(status));
    if (!open_) return 0;
    if (!assignment_->held().empty()) return -1;  // Until they are committed; that wakes.
  }
  // As much is done as may wait beside a commit; its end wakes.
  if (flow_.is_under_way() && IsFull()) return -1;
  bool worked = false;
  status = RunRound(&worked);
  if (!status.ok()) return Fail(std::move(status));
  if (worked && flow_.is_under_way()) PassFaultPoint("round_beside_commit");
  // Time alone may have closed windows and let out rows, and positions move past records that are
  // never given out (Kafka's transaction markers).
  uncommitted_ |=
      worked || env_.commit->byte_size() > 0 || (!options_.transient && PositionsMoved());

  const bool drained = LookAtTasks();
  if (options_.plan_watch.keep) {
    status = Guarded([&] { return KeepProvenPlan(); });
    if (!status.ok()) return Fail(std::move(status));
  }
  // Clients see rows as they come.
  if (options_.transient) {
    env_.read_since_commit = 0;
    status = Guarded([&] { return EmitPending(); });
    if (!status.ok()) return Fail(std::move(status));
  }
  if (drained && !worked) caught_up_ = true;
  if (options_.transient) return worked ? 0 : -1;

  if (uncommitted_ && (!worked || CommitIsDue())) {
    // One commit at a time: what has come meanwhile goes into the next. Holding back never delays
    // what is there.
    status = Guarded([&]() -> Status {
      if (!flow_.is_under_way()) return BeginCommit(CommitMode::kBeside);
      return worked ? OkStatus() : EmitPending();
    });
    if (!status.ok()) return Fail(std::move(status));
    if (!uncommitted_ && !flow_.is_under_way()) failures_ = 0;
  }
  drained_committed_ = drained && !worked && !uncommitted_ && !flow_.is_under_way();
  worked |= FollowStandbys();
  return worked ? 0 : -1;
}

// Sums up what is said of the query from outside; true if nothing is left to do now.
bool QueryRuntime::LookAtTasks() {
  int64_t lag = 0;
  int64_t open_windows = 0;
  bool started = assignment_ == nullptr || assignment_->joined();
  bool drained = true;
  for (const auto& stage : tasks_) {
    for (const auto& task : stage) {
      if (task == nullptr) continue;
      started &= task->ready();
      if (!task->ready()) continue;
      lag += task->lag();
      open_windows += task->open_windows();
      drained &= task->drained();
    }
  }
  lag_ = lag;
  open_windows_ = open_windows;
  started_ = started;
  NoteTaskMetrics();
  for (const auto& counters : env_.counters) counters->NoteRates();
  return drained && started;
}

}  // namespace weir
