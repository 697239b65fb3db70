#pragma once

// A task is one stage of a query on one partition: its readers, decoders, operators and state. It
// is run by one thread at a time. Rows go depth first from a source or exchange to the stage's
// sinks.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exec/operators/operators.h"
#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/task/task_input.h"
#include "exec/runtime/task/topic_input.h"

namespace weir {

class ExchangeInput;
class RepartitionOutput;

class Task {
 public:
  /// `journal`: that has followed the task's state until now; null: none has.
  Task(QueryEnvironment& environment, const StagePlan& stage, int32_t partition,
       std::unique_ptr<TaskJournal> journal = nullptr);
  ~Task();

  /// Brings the state to the last commit, a bounded piece a call; once it is there, builds the
  /// operators, loads their state, and opens readers at the committed positions: the task is then
  /// ready(). `sessions[i]` belongs to source i; empty: records are only injected (tests). Sets
  /// `*worked` if it wants to be called again at once.
  Status Open(const std::vector<ReadSession*>& sessions, bool* worked);
  bool ready() const { return ready_; }
  /// Records of its state taken in from a changelog, and how many there are.
  std::pair<int64_t, int64_t> restore_progress() const;

  /// The following need a ready task. Takes in what upstream tasks sent in this round, and reads
  /// and processes up to about `batches_max` batches. Sets `*worked` if there was any row.
  Status Run(int batches_max, bool* worked);
  /// Processes given records of source `source` as if they had been fetched.
  Status Inject(int source, const RecordBatch& records);
  /// Lets the operators hand on what they hold back.
  Status EmitPending();
  /// Writes changed state, positions and collected outputs into the commit.
  Status Barrier();
  /// That commit is sealed, durable or on its way there: state may leave memory
  /// (Operator::OnCommitted).
  Status OnCommitted();
  /// Moves collected outputs into the commit unit, so that they are sent on soon.
  Status FlushOutputs() { return FlushOutputs(false); }
  Status CloseWindows();
  /// Of a bounded query whose input has ended: lets the operators hand on a piece of what they kept
  /// until then; sets `*more` if there is more.
  Status EmitRest(bool* more);

  /// True if there is nothing to read now and nothing is held back.
  bool drained() const;
  /// Records that its readers have not given out yet.
  int64_t lag() const;
  int64_t open_windows() const;
  int32_t partition() const { return partition_; }
  /// Records its readers have given out.
  int64_t records_in() const { return reading_.records_in; }
  /// Of each exchange that it reads as a topic: the exchange, and the position.
  std::vector<std::pair<int, int64_t>> exchange_positions() const;
  /// Positions of source `source` after what has been processed; -1 if it is not read here.
  int64_t position(int source) const;
  /// Positions have moved since the last barrier.
  bool moved() const { return AllPositions() != barrier_positions_; }

 private:
  struct Pick;
  struct Cursor;
  /// The first rows show how much is made of one.
  static constexpr int32_t kFirstRows = 16;

  TaskInput::Round ThisRound() const;
  std::vector<int64_t> AllPositions() const;
  Status OpenOperators();
  Status OpenExchanges();
  Status RunSingle(TaskInput& input, int batches_max, bool* worked);
  Status RunMerged(int batches_max, bool* worked);
  Status RunSlices(int batches_max, bool* worked);
  Status PickFirst(Pick& pick, bool* worked);
  Status RunTablesFirst(bool* worked, bool* done);
  Status Dispatch(TaskInput& input, Chunk chunk);
  Status DispatchNext(TaskInput& input, int32_t count);
  bool RoundIsFull(const TaskInput& input) const;
  size_t MadeBytes() const;
  void LearnRowsAtOnce(int32_t rows, size_t made);
  Status AdvanceExchanges();
  void MarkDrained();
  Status FlushOutputs(bool at_barrier);

  QueryEnvironment& env_;
  const StagePlan& stage_;
  const int32_t partition_;
  std::unique_ptr<TaskJournal> journal_;
  std::vector<std::unique_ptr<RootContext>> contexts_;  // One a root of the stage.
  std::unique_ptr<OperatorTree> tree_;
  TopicInput::Reading reading_;
  std::vector<std::unique_ptr<TaskInput>> inputs_;
  std::vector<TopicInput*> topics_;        // Those of the inputs that are sources,
  std::vector<ExchangeInput*> exchanges_;  // and those that are exchanges.
  std::vector<std::unique_ptr<RepartitionOutput>>
      repartition_outputs_;  // Exchanges fed, as topics.
  std::vector<int64_t> barrier_positions_;
  size_t ended_ = 0;  // Operators that have handed on all they kept.
  bool ready_ = false;
  bool takes_slices_ = false;
  bool row_by_row_ = false;
  size_t made_before_round_ = 0;
  int32_t rows_at_once_ = kFirstRows;  // How many go through the operators together.
  bool tables_first_ = false;
};

}  // namespace weir
