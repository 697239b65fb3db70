#include "exec/runtime/task/task.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/exchange_input.h"
#include "exec/runtime/task/operator_tree.h"
#include "exec/runtime/exchange/repartition_input.h"
#include "exec/runtime/exchange/repartition_output.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {

// A source partition: its reader, and the decoded rows that wait for their turn.
struct Task::Port {
  int source = 0;
  std::unique_ptr<PartitionReader> reader;
  std::unique_ptr<SourceDecoder> decoder;
  Chunk pending;
  int32_t next = 0;                // First row of `pending` that has not been processed.
  bool is_table = false;           // Table side of a stream-table join.
  int64_t noted_end = -1;          // Of a table: where it ended when the query first started.
  int64_t table_end = -1;          // Read up to here before any stream row; -1: done.
  RowSupply supply;                // Of a bounded query: rows that are not read; empty: no more.
  int64_t bounded_end = -1;        // Of a bounded query: where the topic ends for it.
  int64_t time = INT64_MIN;        // Highest event time of the rows that have been processed.
  int64_t round_end = INT64_MAX;   // Read up to here in this round.
  bool is_at_end() const { return bounded_end >= 0 && reader->position() >= bounded_end; }
  bool has_rows() const { return next < pending.rows; }
  // Nothing is left to read in this round.
  bool caught_up() const {
    return is_at_end() || reader->position() >= round_end || reader->caught_up();
  }
  int32_t RowsMax() const {
    const int64_t from = std::max<int64_t>(reader->position(), 0);
    return static_cast<int32_t>(
        std::clamp<int64_t>(round_end - from, 0, limits::kBatchRowsMax));
  }
  Chunk Take(int32_t end);
  int64_t head_time() const { return pending.row_time()->values<int64_t>()[next]; }
};

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

Task::Task(QueryEnvironment& environment, const StagePlan& stage, int32_t partition)
    : env_(environment),
      stage_(stage),
      partition_(partition),
      journal_(MakeTaskJournal(environment, stage, partition)) {}

Task::~Task() = default;

Status Task::Open(const std::vector<ReadSession*>& sessions, bool* worked) {
  PassFaultPoint("recovery");
  bool restored = false;
  WEIR_RETURN_IF_ERROR(journal_->Restore(worked, &restored));
  if (!restored) return OkStatus();
  WEIR_RETURN_IF_ERROR(OpenOperators());
  if (!sessions.empty()) WEIR_RETURN_IF_ERROR(OpenReaders(sessions));
  ready_ = true;
  return OkStatus();
}

std::pair<int64_t, int64_t> Task::restore_progress() const {
  const TaskJournal::Progress progress = journal_->progress();
  return {progress.restored, progress.to_restore};
}

Status Task::OpenOperators() {
  tree_ = std::make_unique<OperatorTree>();
  WEIR_RETURN_IF_ERROR(tree_->Build(env_, stage_, partition_, *journal_, contexts_));
  takes_slices_ = tree_->takes_slices() && !env_.settings.emit_every_change;
  // Each change shows what both sides were when it came.
  row_by_row_ = tree_->has_source_twice() && env_.settings.emit_every_change;
  if (row_by_row_) rows_at_once_ = 1;
  WEIR_RETURN_IF_ERROR(OpenExchanges());
  for (int source : stage_.sources) {
    auto port = std::make_unique<Port>();
    port->source = source;
    const physical::TopicSource& node = *env_.stages.sources[source].node;
    if (node.origin == physical::TopicSource::Origin::kTopic) {
      WEIR_ASSIGN_OR_RETURN(port->decoder, MakeSourceDecoder(node));
    }
    for (const EntryPoint& entry : tree_->source_entries(source)) {
      port->is_table |= entry.is_join_table;
    }
    ports_.push_back(std::move(port));
  }
  return OkStatus();
}

Status Task::OpenExchanges() {
  for (int exchange : stage_.exchange_inputs) {
    ExchangeBuffer* buffer = env_.exchanges[exchange].get();
    if (env_.shared) {
      repartition_inputs_.push_back(
          std::make_unique<RepartitionInput>(env_, exchange, partition_));
      WEIR_RETURN_IF_ERROR(repartition_inputs_.back()->Open(*contexts_.front(), *journal_));
      buffer = &repartition_inputs_.back()->inbox();
    }
    exchange_inputs_.push_back(std::make_unique<ExchangeInput>(*buffer, exchange, partition_));
    WEIR_RETURN_IF_ERROR(exchange_inputs_.back()->Open(*contexts_.front()));
  }
  if (!env_.shared) return OkStatus();
  for (size_t i = 0; i < env_.stages.exchanges.size(); ++i) {
    if (env_.stages.exchanges[i].from_stage != stage_.id) continue;
    repartition_outputs_.push_back(std::make_unique<RepartitionOutput>(
        env_, *env_.exchanges[i], static_cast<int>(i), partition_));
  }
  return OkStatus();
}

Status Task::OpenReaders(const std::vector<ReadSession*>& sessions) {
  for (std::unique_ptr<Port>& port : ports_) {
    if (sessions[port->source] == nullptr) {
      port->supply = std::move(env_.given_rows[port->source]);
      continue;
    }
    WEIR_RETURN_IF_ERROR(OpenPort(*port, *sessions[port->source]));
    tables_first_ |= port->table_end >= 0;
  }
  return OkStatus();
}

Status Task::OpenPort(Port& port, ReadSession& session) {
  const physical::TopicSource& node = *env_.stages.sources[port.source].node;
  const InputPosition* noted = journal_->Find(env_.stages.sources[port.source].input_name);
  const bool committed = noted != nullptr && noted->next >= 0;
  StartPosition start;
  using Start = physical::TopicSource::Start;
  if (committed) {
    start = {StartPosition::Kind::kOffset, noted->next};
    port.decoder->ReportBadFrom(noted->decoded >= 0 ? noted->decoded : noted->next);
  } else if (node.start == Start::kTimestamp) {
    start = {StartPosition::Kind::kTimestamp, node.start_timestamp_ms};
  } else if (node.start == Start::kOffsets &&
             partition_ < static_cast<int32_t>(node.start_offsets.size()) &&
             node.start_offsets[partition_] >= 0) {
    start = {StartPosition::Kind::kOffset, node.start_offsets[partition_]};
  } else if (node.start == Start::kLatest ||
             (node.start == Start::kDefault && env_.settings.start_latest && !node.is_table)) {
    start.kind = StartPosition::Kind::kLatest;
  }
  WEIR_ASSIGN_OR_RETURN(port.reader, session.Open(node.topic, partition_, start));
  if (env_.bounded) {
    const std::vector<int64_t>& ends = env_.source_ends[port.source];
    if (partition_ < static_cast<int32_t>(ends.size())) port.bounded_end = ends[partition_];
    return OkStatus();
  }
  if (!port.is_table) return OkStatus();

  // A stream-table join reads its table first, to the end that it had when the query first started.
  if (noted != nullptr && noted->table_end >= 0) {
    port.noted_end = noted->table_end;
    if (port.reader->position() < port.noted_end) port.table_end = port.noted_end;
    return OkStatus();
  }
  port.table_end = port.reader->endless() ? -1 : port.reader->end_offset();
  port.noted_end = std::max<int64_t>(port.table_end, 0);
  return OkStatus();
}

Status Task::Fill(Port& port, bool* fetched) {
  *fetched = false;
  if (port.supply) return TakeGiven(port, fetched);
  if (port.reader == nullptr) return OkStatus();   // Records are injected.
  while (!port.has_rows() && !port.is_at_end() && port.RowsMax() > 0) {
    WEIR_RETURN_IF_ERROR(
        port.reader->Fetch(port.RowsMax(), limits::kBatchBytesMax, fetch_scratch_));
    if (fetch_scratch_.size() == 0) return OkStatus();
    PassFaultPoint("after_fetch");
    *fetched = true;
    port.next = 0;
    WEIR_RETURN_IF_ERROR(Decode(port, fetch_scratch_, port.pending));
    if (env_.bounded) KeepBounded(port);
    // A batch of bad records leaves no rows; return so that others get their turn.
    if (!port.has_rows()) return OkStatus();
  }
  return OkStatus();
}

Status Task::TakeGiven(Port& port, bool* fetched) {
  WEIR_ASSIGN_OR_RETURN(std::optional<Chunk> rows, port.supply());
  if (!rows) {
    port.supply = nullptr;
    return OkStatus();
  }
  port.pending = std::move(*rows);
  port.pending.source = port.source;
  port.pending.source_partition = partition_;
  port.next = 0;
  *fetched = true;
  return OkStatus();
}

// A bounded query sees the records there were when it began, and of a stream only those with a
// value.
void Task::KeepBounded(Port& port) {
  Chunk& rows = port.pending;
  const bool is_table = env_.stages.sources[port.source].node->is_table;
  const bool drops_deletes = rows.ops != nullptr && !is_table;
  const bool cut = port.bounded_end >= 0 && port.reader->position() > port.bounded_end;
  if (rows.rows == 0 || (!drops_deletes && !cut)) return;
  const ColumnPtr offsets = rows.sys(SystemColumn::kOffset);
  auto kept = std::make_shared<Selection>();
  for (int32_t row = 0; row < rows.rows; ++row) {
    if (cut && offsets->values<int64_t>()[row] >= port.bounded_end) continue;
    if (drops_deletes && rows.op(row) == RowOp::kDelete) continue;
    kept->push_back(row);
  }
  rows.selection = std::move(kept);
  rows = Flatten(std::move(rows));
  if (drops_deletes) rows.ops = nullptr;
}

Status Task::Decode(Port& port, const RecordBatch& records, Chunk& out) {
  out = Chunk();
  int64_t bytes = 0;
  for (int32_t i = 0; i < records.size(); ++i) {
    bytes += std::max(records.keys[i].length, 0) + std::max(records.values[i].length, 0);
  }
  records_in_ += records.size();
  env_.read_since_commit += bytes;
  // Pipelines read once; the reading is counted for each of their queries that reads the source.
  for (const std::unique_ptr<RootContext>& context : contexts_) {
    env_.counters[context->query_root()]->RecordsIn(records.size(), bytes);
  }
  WEIR_RETURN_IF_ERROR(port.decoder->Decode(records, port.source, *contexts_.front(), out));
  if (out.selection) out = Flatten(std::move(out));
  out.source_partition = partition_;
  return OkStatus();
}

Status Task::Dispatch(int source, Chunk chunk) {
  std::vector<EntryPoint>& entries = tree_->source_entries(source);
  for (size_t i = 0; i < entries.size(); ++i) {
    EntryPoint& entry = entries[i];
    if (entry.identity && i + 1 == entries.size()) {
      WEIR_RETURN_IF_ERROR(entry.target->OnBatch(entry.input, std::move(chunk)));
      break;
    }
    Chunk part = chunk;
    if (!entry.identity) {
      part.columns.clear();
      for (int column : entry.columns) part.columns.push_back(chunk.columns[column]);
    }
    WEIR_RETURN_IF_ERROR(entry.target->OnBatch(entry.input, std::move(part)));
  }
  return OkStatus();
}

// The rows of a port up to `end`.
Status Task::DispatchNext(Port& port, int32_t end) {
  CheckInterrupt();
  const int32_t count = end - port.next;
  const size_t made_before = MadeBytes();
  // The time reached is asked for beside exchanges only.
  Chunk rows =
      exchange_inputs_.empty() ? Rows(port.pending, port.next, end) : port.Take(end);
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

Status Task::Inject(int source, const RecordBatch& records) {
  for (std::unique_ptr<Port>& port : ports_) {
    if (port->source != source) continue;
    Chunk chunk;
    WEIR_RETURN_IF_ERROR(Decode(*port, records, chunk));
    if (chunk.rows == 0) return OkStatus();
    WEIR_RETURN_IF_ERROR(Dispatch(source, std::move(chunk)));
    return tree_->EndSlice();
  }
  return OkStatus();
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
    const bool read = port->table_end == INT64_MAX
                          ? port->reader->caught_up()
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
  int64_t next_time = INT64_MAX;   // Of the earliest row of the other inputs.
  bool must_wait = false;          // An input has unread records that have not arrived.

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
  return OkStatus();
}

// Takes rows across inputs in the order of their times. An input with unread records is waited for,
// one that is drained is not.
Status Task::RunMerged(int batches_max, bool* worked) {
  const int64_t steps_max = int64_t{batches_max} * limits::kBatchRowsMax;
  for (int64_t step = 0; step < steps_max; ++step) {
    Pick pick;
    WEIR_RETURN_IF_ERROR(PickFirst(pick, worked));
    if (pick.must_wait) {
      PassFaultPoint("input_held_back");
      return OkStatus();
    }
    if (pick.port == nullptr && pick.exchange == nullptr) return OkStatus();
    *worked = true;
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
  const int64_t* times = nullptr;   // Of the port's rows.
  int32_t next = 0;
  int32_t end = 0;
  int64_t head_time() const {
    return times != nullptr ? times[next] : exchange->run_time(next);
  }
};

// The same order in few batches: up to the point where the first input runs out, each input's rows
// are handed on together, and those who join them put them in order again.
Status Task::RunSlices(int batches_max, bool* worked) {
  std::vector<Cursor> cursors;
  for (int slice = 0; slice < batches_max; ++slice) {
    Pick pick;
    WEIR_RETURN_IF_ERROR(PickFirst(pick, worked));
    if (pick.must_wait) {
      PassFaultPoint("input_held_back");
      return OkStatus();
    }
    if (pick.port == nullptr && pick.exchange == nullptr) return OkStatus();
    *worked = true;
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
      cursors.push_back({.exchange = input.get(),
                         .end = std::min(input->run_length(), rows_at_once_)});
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

// Tells the exchanges behind this task whether more may come from it.
void Task::MarkDrained() {
  const bool now_drained = drained();
  for (size_t i = 0; i < env_.stages.exchanges.size(); ++i) {
    if (env_.stages.exchanges[i].from_stage != stage_.id) continue;
    ExchangeBuffer::Upstream& upstream = env_.exchanges[i]->upstreams()[partition_];
    if (!now_drained) {
      upstream.drained_since_ms = -1;
    } else if (upstream.drained_since_ms < 0) {
      upstream.drained_since_ms = env_.clock->NowMs();
    }
  }
}

Status Task::FlushOutputs(bool at_barrier) {
  for (std::unique_ptr<RootContext>& context : contexts_) {
    WEIR_RETURN_IF_ERROR(context->FlushOutputs());
  }
  for (std::unique_ptr<RepartitionOutput>& output : repartition_outputs_) {
    WEIR_RETURN_IF_ERROR(output->Flush(at_barrier));
  }
  return OkStatus();
}

Status Task::Barrier() {
  for (const std::unique_ptr<Operator>& op : tree_->operators()) {
    WEIR_RETURN_IF_ERROR(op->OnBarrier());
  }
  for (std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
    WEIR_RETURN_IF_ERROR(input->OnBarrier());
  }
  WEIR_RETURN_IF_ERROR(FlushOutputs(true));
  for (std::unique_ptr<RepartitionInput>& input : repartition_inputs_) {
    input->OnBarrier(*journal_);
  }
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->reader == nullptr) continue;
    const SourcePlan& plan = env_.stages.sources[port->source];
    InputPosition position;
    position.next = this->position(port->source);
    if (port->has_rows()) position.decoded = port->reader->position();
    position.table_end = port->noted_end;
    journal_->SetPosition(plan.input_name, plan.node->topic, position);
  }
  barrier_positions_ = AllPositions();
  return journal_->Barrier();
}

Status Task::OnCommitted() {
  for (const std::unique_ptr<Operator>& op : tree_->operators()) {
    WEIR_RETURN_IF_ERROR(op->OnCommitted());
  }
  return OkStatus();
}

std::vector<std::pair<int, int64_t>> Task::exchange_positions() const {
  std::vector<std::pair<int, int64_t>> positions;
  for (size_t i = 0; i < repartition_inputs_.size(); ++i) {
    positions.emplace_back(stage_.exchange_inputs[i], repartition_inputs_[i]->reader().position());
  }
  return positions;
}

std::vector<int64_t> Task::AllPositions() const {
  std::vector<int64_t> positions;
  for (const std::unique_ptr<Port>& port : ports_) positions.push_back(position(port->source));
  for (const auto& input : repartition_inputs_) positions.push_back(input->reader().position());
  return positions;
}

Status Task::EmitPending() {
  // Sources first, so that what one lets out can wait in the next and come out of it too.
  const auto& operators = tree_->operators();
  for (size_t i = operators.size(); i-- > 0;) WEIR_RETURN_IF_ERROR(operators[i]->EmitPending());
  return FlushOutputs();
}

Status Task::EmitRest(bool* more) {
  // Sources first: what they hand on is kept by those behind them, or comes out.
  const auto& operators = tree_->operators();
  while (ended_ < operators.size()) {
    bool again = false;
    WEIR_RETURN_IF_ERROR(operators[operators.size() - 1 - ended_]->EmitRest(&again));
    *more |= again;
    if (again) break;
    ++ended_;
  }
  return FlushOutputs();
}

Status Task::CloseWindows() {
  // Sources first, so that what one window lets out can enter the next.
  const auto& operators = tree_->operators();
  for (size_t i = operators.size(); i-- > 0;) WEIR_RETURN_IF_ERROR(operators[i]->CloseWindows());
  return OkStatus();
}

bool Task::drained() const {
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->has_rows() || port->supply != nullptr) return false;
    if (port->reader == nullptr || port->is_at_end()) continue;
    if (port->bounded_end >= 0 || !port->caught_up()) return false;
  }
  for (const std::unique_ptr<RepartitionInput>& input : repartition_inputs_) {
    if (!input->reader().caught_up()) return false;
  }
  for (const std::unique_ptr<ExchangeInput>& input : exchange_inputs_) {
    if (input->has_rows() || !input->upstream_drained()) return false;
  }
  return true;
}

int64_t Task::lag() const {
  int64_t lag = 0;
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->reader == nullptr) continue;
    const int64_t end = port->reader->end_offset();
    lag += (end == INT64_MAX ? (port->reader->caught_up() ? 0 : 1)
                             : std::max<int64_t>(0, end - port->reader->position())) +
           (port->has_rows() ? port->pending.rows - port->next : 0);
  }
  return lag;
}

int64_t Task::position(int source) const {
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->source != source || port->reader == nullptr) continue;
    if (!port->has_rows()) return port->reader->position();
    return port->pending.sys(SystemColumn::kOffset)->values<int64_t>()[port->next];
  }
  return -1;
}

int64_t Task::open_windows() const {
  int64_t open = 0;
  for (const std::unique_ptr<Operator>& op : tree_->operators()) open += op->open_windows();
  return open;
}

}  // namespace weir
