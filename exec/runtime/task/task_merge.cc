// How a task takes rows across its inputs: in the order of their times, in pieces that leave room
// for what is made of them.

#include <algorithm>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/exchange_input.h"
#include "exec/runtime/exchange/repartition_input.h"
#include "exec/runtime/task/operator_tree.h"
#include "exec/runtime/task/task.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_port.h"

namespace weir {
namespace {

// A round ends before its time when this many times commit.bytes.max wait for the commit: what
// sources hold can wait as it is, rows on their way between tasks would have to be stored.
constexpr int64_t kCommitsOfSources = 4;
constexpr int64_t kCommitsOfExchanges = 16;

// How many rows a join takes at once while nothing shows how much it makes of one.
constexpr int32_t kRowsUntried = 256;

// Rows [from, to) of a flat chunk; many of them without copying.
Chunk Rows(const Chunk& chunk, int32_t from, int32_t to) {
  Chunk part = chunk;
  if (from == 0 && to == chunk.rows) return part;
  // What runs over whole columns should not do so for a few rows, again and again.
  if ((to - from) * 8 < chunk.rows) {
    return RowRange(chunk, static_cast<size_t>(from), static_cast<size_t>(to - from));
  }
  auto selection = std::make_shared<Selection>(to - from);
  for (int32_t row = from; row < to; ++row) (*selection)[row - from] = row;
  part.selection = std::move(selection);
  return part;
}

}  // namespace

// The rows up to `end`, which counts them as processed.
Chunk Task::Port::Take(int32_t end) {
  const int64_t* times = pending.row_time()->values<int64_t>().data();
  time = std::max(time, *std::max_element(times + next, times + end));
  Chunk rows = Rows(pending, next, end);
  next = end;
  return rows;
}

// The rows of a port up to `end`.
Status Task::DispatchNext(Port& port, int32_t end) {
  CheckInterrupt();
  const int32_t count = end - port.next;
  const size_t made_before = MadeBytes();
  // The time reached is asked for beside exchanges only.
  Chunk rows = exchange_inputs_.empty() ? Rows(port.pending, port.next, end) : port.Take(end);
  port.next = end;
  if (!port.has_rows()) {
    port.next = 0;
    port.pending = Chunk();
  }
  WEIR_RETURN_IF_ERROR(Dispatch(port.source, std::move(rows)));
  WEIR_RETURN_IF_ERROR(tree_->EndSlice());
  LearnRowsAtOnce(count, MadeBytes() - made_before);
  return OkStatus();
}

// Whether enough was made for one round, or somebody waits for its end.
bool Task::RoundIsFull(int64_t commits) const {
  if (env_.finish_soon || (env_.has_room && !env_.has_room())) return true;
  const auto bytes = env_.commit == nullptr ? 0 : static_cast<int64_t>(env_.commit->byte_size());
  const auto made = static_cast<int64_t>(MadeBytes() - made_before_round_);
  if (std::max(bytes, made) >= commits * env_.CommitBytesMax()) return true;
  return env_.commit_asked || env_.ShouldMeasureMemory(bytes);
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

Status Task::Run(int batches_max, bool* worked) {
  *worked = false;
  made_before_round_ = MadeBytes();
  for (std::unique_ptr<Port>& port : ports_) {
    if (env_.round_ends.empty() || env_.round_ends[port->source].empty()) continue;
    port->round_end = env_.round_ends[port->source][partition_];
  }
  for (std::unique_ptr<RepartitionInput>& input : repartition_inputs_) {
    WEIR_RETURN_IF_ERROR(input->Poll(worked));
  }
  for (std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
    WEIR_RETURN_IF_ERROR(input->Collect(env_.clock->NowMs(), env_.settings.max_task_idle_ms));
  }
  if (tables_first_) {
    bool done = false;
    WEIR_RETURN_IF_ERROR(RunTablesFirst(worked, &done));
    if (!done) return OkStatus();
    tables_first_ = false;
  }
  if (ports_.size() == 1 && exchange_inputs_.empty()) {
    WEIR_RETURN_IF_ERROR(RunSingle(*ports_.front(), batches_max, worked));
  } else if (ports_.empty() && exchange_inputs_.size() == 1) {
    WEIR_RETURN_IF_ERROR(DrainExchange(*exchange_inputs_.front(), worked));
  } else if (takes_slices_) {
    WEIR_RETURN_IF_ERROR(RunSlices(batches_max, worked));
  } else {
    WEIR_RETURN_IF_ERROR(RunMerged(batches_max, worked));
  }
  WEIR_RETURN_IF_ERROR(AdvanceExchanges());
  MarkDrained();
  return OkStatus();
}

Status Task::RunSingle(Port& port, int batches_max, bool* worked) {
  for (int batch = 0; batch < batches_max; ++batch) {
    bool fetched = false;
    WEIR_RETURN_IF_ERROR(Fill(port, &fetched));
    if (!fetched && !port.has_rows()) break;
    *worked = true;
    while (port.has_rows()) {
      WEIR_RETURN_IF_ERROR(
          DispatchNext(port, std::min(port.pending.rows, port.next + rows_at_once_)));
      if (RoundIsFull(kCommitsOfSources)) return OkStatus();
    }
  }
  return OkStatus();
}

Status Task::RunTablesFirst(bool* worked, bool* done) {
  *done = true;
  for (std::unique_ptr<Port>& port : ports_) {
    if (port->table_end < 0) continue;
    bool fetched = false;
    WEIR_RETURN_IF_ERROR(Fill(*port, &fetched));
    *worked |= fetched;
    if (port->has_rows()) WEIR_RETURN_IF_ERROR(DispatchNext(*port, port->pending.rows));
    // The end of a stream of bytes is known once it has been reached.
    const bool read = port->table_end == INT64_MAX ? port->reader->caught_up()
                                                   : port->reader->position() >= port->table_end;
    if (read) port->table_end = -1;
    *done &= port->table_end < 0;
  }
  return OkStatus();
}

// The input whose first row is the earliest, and the time up to which its rows come first.
struct Task::Pick {
  Port* port = nullptr;
  ExchangeInput* exchange = nullptr;
  int64_t time = INT64_MAX;
  int64_t next_time = INT64_MAX;  // Of the earliest row of the other inputs.
  bool must_wait = false;         // An input has unread records that have not arrived.
  bool found() const { return !must_wait && (port != nullptr || exchange != nullptr); }

  void Consider(int64_t head, Port* from_port, ExchangeInput* from_exchange) {
    if (head < time || (port == nullptr && exchange == nullptr)) {
      next_time = time;
      time = head;
      port = from_port;
      exchange = from_exchange;
    } else {
      next_time = std::min(next_time, head);
    }
  }
};

Status Task::PickFirst(Pick& pick, bool* worked) {
  for (std::unique_ptr<Port>& port : ports_) {
    if (port->reader == nullptr) continue;
    bool fetched = false;
    WEIR_RETURN_IF_ERROR(Fill(*port, &fetched));
    *worked |= fetched;
    if (port->has_rows()) {
      pick.Consider(port->head_time(), port.get(), nullptr);
    } else {
      pick.must_wait |= !port->caught_up();
    }
  }
  for (std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
    if (input->has_rows()) {
      pick.Consider(input->head_time(), nullptr, input.get());
    } else {
      pick.must_wait |= !input->upstream_drained();
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
  for (int64_t step = 0; step < steps_max; ++step) {
    Pick pick;
    WEIR_RETURN_IF_ERROR(PickFirst(pick, worked));
    if (!pick.found()) return OkStatus();
    const int64_t until = pick.next_time;
    if (pick.exchange != nullptr) {
      WEIR_RETURN_IF_ERROR(EmitExchange(*pick.exchange, until));
      if (RoundIsFull(kCommitsOfExchanges)) return OkStatus();
      continue;
    }
    Port& port = *pick.port;
    const auto times = port.pending.row_time()->values<int64_t>();
    const int32_t rows_end = std::min(port.pending.rows, port.next + rows_at_once_);
    int32_t end = port.next + 1;
    while (end < rows_end && times[end] <= until) ++end;
    step += end - port.next - 1;
    WEIR_RETURN_IF_ERROR(DispatchNext(port, end));
    if (RoundIsFull(kCommitsOfSources)) return OkStatus();
  }
  return OkStatus();
}

// An input's place in the merge that makes a slice: the rows that lie together at its head.
struct Task::Cursor {
  Port* port = nullptr;
  ExchangeInput* exchange = nullptr;
  const int64_t* times = nullptr;  // Of the port's rows.
  int32_t next = 0;
  int32_t end = 0;
  int64_t head_time() const { return times != nullptr ? times[next] : exchange->run_time(next); }
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
    for (std::unique_ptr<Port>& port : ports_) {
      if (port->reader == nullptr || !port->has_rows()) continue;
      cursors.push_back({.port = port.get(),
                         .times = port->pending.row_time()->values<int64_t>().data(),
                         .next = port->next,
                         .end = std::min(port->pending.rows, port->next + rows_at_once_)});
    }
    for (std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
      if (!input->has_rows()) continue;
      cursors.push_back(
          {.exchange = input.get(), .end = std::min(input->run_length(), rows_at_once_)});
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
      if (cursor.port != nullptr && cursor.next > cursor.port->next) {
        count += cursor.next - cursor.port->next;
        WEIR_RETURN_IF_ERROR(Dispatch(cursor.port->source, cursor.port->Take(cursor.next)));
      } else if (cursor.exchange != nullptr && cursor.next > 0) {
        count += cursor.next;
        WEIR_RETURN_IF_ERROR(PushExchange(*cursor.exchange, cursor.exchange->Take(cursor.next)));
      }
    }
    WEIR_RETURN_IF_ERROR(tree_->EndSlice());
    const size_t made = MadeBytes() - made_before;
    LearnRowsAtOnce(count, made);
    // One side may have come whole before the first row of the other meets all of it.
    if (made == 0) rows_at_once_ = std::min(rows_at_once_, kRowsUntried);
    if (RoundIsFull(kCommitsOfSources)) return OkStatus();
  }
  return OkStatus();
}

Status Task::DrainExchange(ExchangeInput& input, bool* worked) {
  while (input.has_rows()) {
    *worked = true;
    WEIR_RETURN_IF_ERROR(EmitExchange(input, INT64_MAX));
    if (RoundIsFull(kCommitsOfExchanges)) break;
  }
  return OkStatus();
}

// The next rows of an exchange, up to a time.
Status Task::EmitExchange(ExchangeInput& input, int64_t until) {
  CheckInterrupt();
  const size_t made_before = MadeBytes();
  Chunk chunk = input.TakeUntil(until, rows_at_once_);
  const int32_t count = chunk.active_rows();
  WEIR_RETURN_IF_ERROR(PushExchange(input, std::move(chunk)));
  WEIR_RETURN_IF_ERROR(tree_->EndSlice());
  LearnRowsAtOnce(count, MadeBytes() - made_before);
  return OkStatus();
}

Status Task::PushExchange(ExchangeInput& input, Chunk chunk) {
  std::vector<EntryPoint>& entries = tree_->exchange_entries(input.exchange());
  for (size_t i = 0; i + 1 < entries.size(); ++i) {
    WEIR_RETURN_IF_ERROR(entries[i].target->OnBatch(entries[i].input, chunk));
  }
  return entries.back().target->OnBatch(entries.back().input, std::move(chunk));
}

// Time behind an exchange stops at rows that another input of the task has not given yet: they may
// still meet what it would expire.
Status Task::AdvanceExchanges() {
  const int64_t now_ms = env_.clock->NowMs();
  std::vector<int64_t> times;
  for (const std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
    times.push_back(input->StreamTime(now_ms, env_.settings.max_task_idle_ms));
  }
  int64_t ports_time = INT64_MAX;
  for (const std::unique_ptr<Port>& port : ports_) {
    const bool waits = port->has_rows() || port->supply != nullptr ||
                       (port->reader != nullptr && !port->caught_up());
    if (waits) ports_time = std::min(ports_time, port->time);
  }
  for (size_t i = 0; i < exchange_inputs_.size(); ++i) {
    int64_t stream_time = std::min(times[i], ports_time);
    for (size_t other = 0; other < exchange_inputs_.size(); ++other) {
      if (other == i || exchange_inputs_[other]->upstream_drained()) continue;
      stream_time = std::min(stream_time, times[other]);
    }
    if (!exchange_inputs_[i]->Advances(stream_time)) continue;
    for (const EntryPoint& entry : tree_->exchange_entries(exchange_inputs_[i]->exchange())) {
      WEIR_RETURN_IF_ERROR(entry.target->OnStreamTime(entry.input, stream_time));
    }
  }
  return tree_->EndSlice();
}

}  // namespace weir
