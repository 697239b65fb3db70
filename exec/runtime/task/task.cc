#include "exec/runtime/task/task.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/exchange_input.h"
#include "exec/runtime/exchange/repartition_input.h"
#include "exec/runtime/exchange/repartition_output.h"
#include "exec/runtime/task/operator_tree.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"
#include "exec/runtime/task/task_port.h"

namespace weir {

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
      repartition_inputs_.push_back(std::make_unique<RepartitionInput>(env_, exchange, partition_));
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
  if (port.reader == nullptr) return OkStatus();  // Records are injected.
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
