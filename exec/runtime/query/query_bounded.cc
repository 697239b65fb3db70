// Bounded queries: they read what there is, hand on what they kept, and end. Whoever reads their
// rows drives them, a piece of work at a time, so they need neither a schedule nor a queue.

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {

Status QueryRuntime::OpenBounded(std::vector<RowSupply> given) {
  std::lock_guard lock(mutex_);
  if (state() == State::kError) return error();
  return Guarded([&]() -> Status {
    env_.given_rows = std::move(given);
    env_.now_ms = env_.clock->NowMs();
    env_.source_ends.assign(env_.stages.sources.size(), {});
    for (size_t i = 0; i < env_.stages.sources.size(); ++i) {
      const physical::TopicSource& node = *env_.stages.sources[i].node;
      if (node.origin != physical::TopicSource::Origin::kTopic || !node.connector.empty()) continue;
      WEIR_ASSIGN_OR_RETURN(env_.source_ends[i], env_.broker->EndOffsets(node.topic));
    }
    return OpenLocked();
  });
}

Result<QueryRuntime::Step> QueryRuntime::RunBounded() {
  std::lock_guard lock(mutex_);
  if (state() == State::kError) return error();
  const InterruptScope interruptible(env_.give_up);
  Step step = Step::kWorked;
  Status status = Guarded([&] { return RunBoundedLocked(&step); });
  if (status.ok()) return step;
  // What needs too much memory is given up where it is.
  if (env_.past_memory_limit) status = MemoryError(env_.MemoryUsed());
  TearDown();
  std::lock_guard status_lock(status_mutex_);
  error_ = status;
  state_ = State::kError;
  return status;
}

Status QueryRuntime::RunBoundedLocked(Step* step) {
  bool worked = false;
  env_.read_since_commit = 0;
  if (!inputs_ended_) {
    WEIR_RETURN_IF_ERROR(RunRound(&worked));
    if (worked) return OkStatus();
    inputs_ended_ = LookAtTasks();
    if (!inputs_ended_) *step = Step::kWaiting;
    return OkStatus();
  }
  if (ending_stage_ < tasks_.size()) {
    bool more = false;
    WEIR_RETURN_IF_ERROR(EmitRestOfStage(&more));
    for (size_t next = ending_stage_ + 1; next < tasks_.size(); ++next) {
      WEIR_RETURN_IF_ERROR(RunStage(next, &worked));
    }
    WEIR_RETURN_IF_ERROR(CheckMemory());
    if (!more) ++ending_stage_;
  }
  if (ending_stage_ == tasks_.size()) *step = Step::kEnded;
  return OkStatus();
}

Status QueryRuntime::EmitRestOfStage(bool* more) {
  std::vector<std::unique_ptr<Task>>& tasks = tasks_[ending_stage_];
  std::vector<Status> statuses(tasks.size());
  std::vector<char> task_more(tasks.size(), 0);
  const auto emit = [&](int i) {
    const InterruptScope interruptible(env_.give_up);
    statuses[i] = Guarded([&] {
      bool again = false;
      Status status = tasks[i]->EmitRest(&again);
      task_more[i] = again;
      return status;
    });
  };
  if (options_.scheduler != nullptr) {
    options_.scheduler->ParallelFor(static_cast<int>(tasks.size()), emit);
  } else {
    for (size_t i = 0; i < tasks.size(); ++i) emit(static_cast<int>(i));
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (!statuses[i].ok()) return std::move(statuses[i]);
    *more |= task_more[i] != 0;
  }
  return OkStatus();
}

}  // namespace weir
