#include "exec/runtime/task/task.h"

#include <algorithm>

#include "base/fault_points.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/exchange_input.h"
#include "exec/runtime/exchange/repartition_output.h"
#include "exec/runtime/task/operator_tree.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {

Task::Task(QueryEnvironment& environment, const StagePlan& stage, int32_t partition,
           std::unique_ptr<TaskJournal> journal)
    : env_(environment),
      stage_(stage),
      partition_(partition),
      journal_(journal != nullptr ? std::move(journal)
                                  : MakeTaskJournal(environment, stage, partition)),
      reading_{.env = environment, .contexts = contexts_, .partition = partition} {}

Task::~Task() = default;

Status Task::Open(const std::vector<ReadSession*>& sessions, bool* worked) {
  PassFaultPoint("recovery");
  bool restored = false;
  WEIR_RETURN_IF_ERROR(journal_->Restore(worked, &restored));
  if (!restored) return OkStatus();
  WEIR_RETURN_IF_ERROR(OpenOperators());
  for (TopicInput* topic : topics_) {
    if (sessions.empty()) break;
    WEIR_RETURN_IF_ERROR(topic->OpenReader(sessions[topic->source()], *journal_));
    tables_first_ |= topic->comes_first();
  }
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
  // Sources before exchanges: of rows with equal times theirs come first.
  for (int source : stage_.sources) {
    auto topic = std::make_unique<TopicInput>(reading_, source, tree_->source_entries(source));
    WEIR_RETURN_IF_ERROR(topic->Open());
    topics_.push_back(topic.get());
    inputs_.push_back(std::move(topic));
  }
  return OpenExchanges();
}

Status Task::OpenExchanges() {
  for (int exchange : stage_.exchange_inputs) {
    std::vector<EntryPoint>& entries = tree_->exchange_entries(exchange);
    std::unique_ptr<ExchangeInput> input;
    if (env_.shared) {
      auto topic = std::make_unique<RepartitionInput>(env_, exchange, partition_);
      WEIR_RETURN_IF_ERROR(topic->Open(*contexts_.front(), *journal_));
      input = std::make_unique<ExchangeInput>(std::move(topic), exchange, partition_, entries);
    } else {
      input =
          std::make_unique<ExchangeInput>(*env_.exchanges[exchange], exchange, partition_, entries);
    }
    WEIR_RETURN_IF_ERROR(input->Open(*contexts_.front()));
    exchanges_.push_back(input.get());
    inputs_.push_back(std::move(input));
  }
  reading_.tracks_time = !exchanges_.empty();
  if (!env_.shared) return OkStatus();
  for (size_t i = 0; i < env_.stages.exchanges.size(); ++i) {
    if (env_.stages.exchanges[i].from_stage != stage_.id) continue;
    repartition_outputs_.push_back(std::make_unique<RepartitionOutput>(
        env_, *env_.exchanges[i], static_cast<int>(i), partition_));
  }
  return OkStatus();
}

// Hands rows of an input to all places where they enter the operators.
Status Task::Dispatch(TaskInput& input, Chunk chunk) {
  std::vector<EntryPoint>& entries = input.entries();
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
  for (TopicInput* topic : topics_) {
    if (topic->source() != source) continue;
    Chunk chunk;
    WEIR_RETURN_IF_ERROR(topic->Decode(records, chunk));
    if (chunk.rows == 0) return OkStatus();
    WEIR_RETURN_IF_ERROR(Dispatch(*topic, std::move(chunk)));
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
  for (const std::unique_ptr<TaskInput>& input : inputs_) {
    WEIR_RETURN_IF_ERROR(input->OnBarrier());
  }
  WEIR_RETURN_IF_ERROR(FlushOutputs(true));
  for (const std::unique_ptr<TaskInput>& input : inputs_) input->NotePosition(*journal_);
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
  for (const ExchangeInput* input : exchanges_) {
    if (input->topic() != nullptr) positions.emplace_back(input->exchange(), input->position());
  }
  return positions;
}

std::vector<int64_t> Task::AllPositions() const {
  std::vector<int64_t> positions;
  for (const std::unique_ptr<TaskInput>& input : inputs_) positions.push_back(input->position());
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
  return std::ranges::all_of(inputs_, [](const auto& input) { return input->drained(); });
}

int64_t Task::lag() const {
  int64_t lag = 0;
  for (const TopicInput* topic : topics_) lag += topic->lag();
  return lag;
}

int64_t Task::position(int source) const {
  for (const TopicInput* topic : topics_) {
    if (topic->source() == source) return topic->position();
  }
  return -1;
}

int64_t Task::open_windows() const {
  int64_t open = 0;
  for (const std::unique_ptr<Operator>& op : tree_->operators()) open += op->open_windows();
  return open;
}

}  // namespace weir
