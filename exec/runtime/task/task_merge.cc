// How a task takes rows across its inputs: in the order of their times, in pieces that leave room
// for what is made of them.

#include <algorithm>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/exchange_input.h"
#include "exec/runtime/task/operator_tree.h"
#include "exec/runtime/task/task.h"
#include "exec/runtime/task/task_context.h"

namespace weir {
namespace {

// How many rows a join takes at once while nothing shows how much it makes of one.
constexpr int32_t kRowsUntried = 256;

}  // namespace

// The first rows of an input.
Status Task::DispatchNext(TaskInput& input, int32_t count) {
  CheckInterrupt();
  const size_t made_before = MadeBytes();
  WEIR_RETURN_IF_ERROR(Dispatch(input, input.Take(count)));
  WEIR_RETURN_IF_ERROR(tree_->EndSlice());
  LearnRowsAtOnce(count, MadeBytes() - made_before);
  return OkStatus();
}

// Whether enough was made for one round, or somebody waits for its end.
bool Task::RoundIsFull(const TaskInput& input) const {
  if (env_.finish_soon || (env_.has_room && !env_.has_room())) return true;
  const auto made = static_cast<int64_t>(MadeBytes() - made_before_round_);
  const int64_t waiting = env_.OutputsWaiting();
  if (std::max(waiting, made) >= input.commits_max() * env_.settings.CommitBytesMax()) return true;
  return env_.commit_asked || env_.ShouldMeasureMemory(env_.BytesWaiting());
}

size_t Task::MadeBytes() const {
  size_t made = 0;
  for (const std::unique_ptr<RootContext>& context : contexts_) made += context->made_bytes();
  for (size_t i = 0; i < env_.exchanges.size(); ++i) {
    if (env_.stages.exchanges[i].from_stage != stage_.id) continue;
    made += env_.exchanges[i]->upstreams()[static_cast<size_t>(partition_)].bytes_sent;
  }
  return made;
}

// Joins and table functions make many rows of one: of those few go at once, so that the round can
// end between them.
void Task::LearnRowsAtOnce(int32_t rows, size_t made) {
  if (row_by_row_) return;
  rows_at_once_ = std::min(rows_at_once_ * 8, limits::kBatchRowsMax);
  const size_t made_of_one = made / static_cast<size_t>(std::max(rows, 1));
  if (made_of_one == 0) return;
  const size_t enough = std::max<size_t>(limits::kOutputBytesMax / made_of_one, 1);
  rows_at_once_ =
      static_cast<int32_t>(std::min<size_t>(enough, static_cast<size_t>(rows_at_once_)));
}

TaskInput::Round Task::ThisRound() const {
  return {env_.clock->NowMs(), env_.settings.max_task_idle_ms};
}

Status Task::Run(int batches_max, bool* worked) {
  *worked = false;
  made_before_round_ = MadeBytes();
  const TaskInput::Round round = ThisRound();
  for (const std::unique_ptr<TaskInput>& input : inputs_) {
    WEIR_RETURN_IF_ERROR(input->BeginRound(round, worked));
  }
  if (tables_first_) {
    bool done = false;
    WEIR_RETURN_IF_ERROR(RunTablesFirst(worked, &done));
    if (!done) return OkStatus();
    tables_first_ = false;
  }
  if (inputs_.size() == 1) {
    WEIR_RETURN_IF_ERROR(RunSingle(*inputs_.front(), batches_max, worked));
  } else if (takes_slices_) {
    WEIR_RETURN_IF_ERROR(RunSlices(batches_max, worked));
  } else {
    WEIR_RETURN_IF_ERROR(RunMerged(batches_max, worked));
  }
  WEIR_RETURN_IF_ERROR(AdvanceExchanges());
  MarkDrained();
  return OkStatus();
}

Status Task::RunSingle(TaskInput& input, int batches_max, bool* worked) {
  for (int batch = 0; batch < batches_max; ++batch) {
    bool came = false;
    WEIR_RETURN_IF_ERROR(input.Fill(&came));
    if (!came && !input.has_rows()) break;
    *worked = true;
    while (input.has_rows()) {
      WEIR_RETURN_IF_ERROR(DispatchNext(input, std::min(input.run().length, rows_at_once_)));
      if (RoundIsFull(input)) return OkStatus();
    }
  }
  return OkStatus();
}

Status Task::RunTablesFirst(bool* worked, bool* done) {
  *done = true;
  for (TopicInput* topic : topics_) {
    if (!topic->comes_first()) continue;
    WEIR_RETURN_IF_ERROR(topic->Fill(worked));
    if (topic->has_rows()) WEIR_RETURN_IF_ERROR(DispatchNext(*topic, topic->run().length));
    topic->LookForTableEnd();
    *done &= !topic->comes_first();
  }
  return OkStatus();
}

// The input whose first row is the earliest, and the time up to which its rows come first.
struct Task::Pick {
  TaskInput* input = nullptr;
  TaskInput::Run run;
  int64_t time = INT64_MAX;
  int64_t next_time = INT64_MAX;  // Of the earliest row of the other inputs.
  bool must_wait = false;         // An input has unread records that have not arrived.
  bool found() const { return !must_wait && input != nullptr; }

  void Consider(TaskInput& from) {
    const TaskInput::Run its = from.run();
    const int64_t head = its.time(0);
    if (head >= time && input != nullptr) {
      next_time = std::min(next_time, head);
      return;
    }
    next_time = time;
    time = head;
    input = &from;
    run = its;
  }
};

Status Task::PickFirst(Pick& pick, bool* worked) {
  for (const std::unique_ptr<TaskInput>& input : inputs_) {
    WEIR_RETURN_IF_ERROR(input->Fill(worked));
    if (input->has_rows()) {
      pick.Consider(*input);
    } else {
      pick.must_wait |= !input->caught_up();
    }
  }
  if (pick.must_wait) PassFaultPoint("input_held_back");
  *worked |= pick.found();
  return OkStatus();
}

// Takes rows across inputs in the order of their times. An input with unread records is waited for,
// one that is drained is not.
Status Task::RunMerged(int batches_max, bool* worked) {
  const int64_t steps_max = int64_t{batches_max} * limits::kBatchRowsMax;
  for (int64_t steps = 0; steps < steps_max;) {
    Pick pick;
    WEIR_RETURN_IF_ERROR(PickFirst(pick, worked));
    if (!pick.found()) return OkStatus();
    const int32_t length = std::min(pick.run.length, rows_at_once_);
    int32_t count = 1;
    while (count < length && pick.run.time(count) <= pick.next_time) ++count;
    steps += count;
    WEIR_RETURN_IF_ERROR(DispatchNext(*pick.input, count));
    if (RoundIsFull(*pick.input)) return OkStatus();
  }
  return OkStatus();
}

// An input's place in the merge that makes a slice: the rows that lie together at its head.
struct Task::Cursor {
  TaskInput* input = nullptr;
  TaskInput::Run run;
  int32_t next = 0;
  int32_t end = 0;
  int64_t head_time() const { return run.time(next); }
};

// The same order in few batches: up to the point where the first input runs out, each input's rows
// are handed on together, and those who join them put them in order again.
Status Task::RunSlices(int batches_max, bool* worked) {
  std::vector<Cursor> cursors;
  for (int slice = 0; slice < batches_max; ++slice) {
    Pick pick;
    WEIR_RETURN_IF_ERROR(PickFirst(pick, worked));
    if (!pick.found()) return OkStatus();
    CheckInterrupt();
    const size_t made_before = MadeBytes();
    int32_t count = 0;
    cursors.clear();
    for (const std::unique_ptr<TaskInput>& input : inputs_) {
      if (!input->has_rows()) continue;
      const TaskInput::Run run = input->run();
      cursors.push_back(
          {.input = input.get(), .run = run, .end = std::min(run.length, rows_at_once_)});
    }
    for (bool all = true; all;) {
      Cursor* first = &cursors.front();
      int64_t until = INT64_MAX;
      for (Cursor& cursor : std::span(cursors).subspan(1)) {
        const bool earlier = cursor.head_time() < first->head_time();
        until = std::min(until, (earlier ? *first : cursor).head_time());
        if (earlier) first = &cursor;
      }
      do {
        ++first->next;
      } while (first->next < first->end && first->head_time() <= until);
      all = first->next < first->end;
    }
    for (const Cursor& cursor : cursors) {
      if (cursor.next == 0) continue;
      count += cursor.next;
      WEIR_RETURN_IF_ERROR(Dispatch(*cursor.input, cursor.input->Take(cursor.next)));
    }
    WEIR_RETURN_IF_ERROR(tree_->EndSlice());
    const size_t made = MadeBytes() - made_before;
    LearnRowsAtOnce(count, made);
    // One side may have come whole before the first row of the other meets all of it.
    if (made == 0) rows_at_once_ = std::min(rows_at_once_, kRowsUntried);
    if (RoundIsFull(*pick.input)) return OkStatus();
  }
  return OkStatus();
}

// Time behind an exchange stops at rows that another input of the task has not given yet: they may
// still meet what it would expire.
Status Task::AdvanceExchanges() {
  if (exchanges_.empty()) return tree_->EndSlice();
  const TaskInput::Round round = ThisRound();
  std::vector<int64_t> times;
  for (const std::unique_ptr<TaskInput>& input : inputs_) {
    times.push_back(input->StreamTime(round));
  }
  const size_t first_exchange = topics_.size();
  for (size_t i = first_exchange; i < inputs_.size(); ++i) {
    int64_t stream_time = times[i];
    for (size_t other = 0; other < inputs_.size(); ++other) {
      const bool waits = inputs_[other]->has_rows() || !inputs_[other]->caught_up();
      if (other != i && waits) stream_time = std::min(stream_time, times[other]);
    }
    ExchangeInput& exchange = *exchanges_[i - first_exchange];
    if (!exchange.Advances(stream_time)) continue;
    for (const EntryPoint& entry : exchange.entries()) {
      WEIR_RETURN_IF_ERROR(entry.target->OnStreamTime(entry.input, stream_time));
    }
  }
  return tree_->EndSlice();
}

}  // namespace weir
