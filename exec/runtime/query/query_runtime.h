#pragma once

// A running query (or pipeline): its tasks, its rounds, its commits, and its life: RUNNING, PAUSED,
// RESTARTING, ERROR. Everything between two commits is thrown away when a round fails and is done
// again from the last commit.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/operators/table/materialized_view.h"
#include "exec/runtime/query/commit_flow.h"
#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/query/standby_tasks.h"
#include "exec/runtime/query/task_assignment.h"
#include "exec/runtime/scheduler.h"
#include "exec/runtime/task/task.h"

namespace weir {

/// Where copies share a query's work: the topic that says by which plan, and where that ended when
/// this copy took its own from there. Once it has grown, another copy may have put another plan.
struct PlanWatch {
  std::string topic;  ///< Empty: the copies need not agree.
  int64_t end = 0;
  /// Not empty: state is there of before plans were kept. Puts the plan, once the state has proved
  /// to be its own, and gives the topic's end.
  std::function<Result<int64_t>()> keep;
  /// Reads on: the topic's end, where the plan that this copy took is in force still. Copies that
  /// start together each put theirs, and one of these records counts.
  std::function<Result<std::optional<int64_t>>()> look;
};

struct QueryRuntimeOptions {
  std::string id;
  std::vector<physical::NodePtr> roots;
  std::vector<std::string> root_ids;  ///< Query id of each root.
  uint64_t fingerprint = 0;
  uint64_t legacy_fingerprint = 0;  ///< See PersistentQueryPlan.
  PlanWatch plan_watch;
  /// Why it cannot go on from its state by this plan: it is in ERROR however often it is resumed.
  Status refused;
  /// What its state lies under, of queries with one root; empty: the ids above.
  std::string state_id;
  /// The catalog has the plan that the state belongs to: the state need not say.
  bool bound_by_catalog = false;
  QuerySettings settings;
  std::shared_ptr<Broker> broker;           ///< Stays open as long as the query is there.
  std::shared_ptr<SchemaRegistry> schemas;  ///< Of formats that need them; may be null.
  const Clock* clock = nullptr;
  Scheduler* scheduler = nullptr;  ///< Null: driven by Inject only (tests).
  RowReceiver* receiver = nullptr;
  bool transient = false;  ///< Keeps no state and no positions.
  /// Reads what there is and ends; driven by RunBounded, never scheduled. Transient, too.
  bool bounded = false;
  std::atomic<int64_t>* memory_used = nullptr;
  /// Counts against memory.limit besides, where `memory_used` is only of queries such as this.
  const std::atomic<int64_t>* memory_of_others = nullptr;
  /// Whether no other query of the engine has more state than these bytes: past memory.limit the
  /// largest one stops. Null: this one does.
  std::function<bool(int64_t state_bytes)> is_largest;
  std::function<void(LogLevel, std::string_view)> log;
  /// False while the receiver has no room: the query then stops reading.
  std::function<bool()> has_room;
  /// Of bounded queries: records have come.
  std::function<void()> on_wake;
};

class QueryRuntime : public Scheduler::Job {
 public:
  enum class State { kRunning, kPaused, kRestarting, kError };

  /// Cuts the plan into stages. Nothing is opened yet.
  static Result<std::shared_ptr<QueryRuntime>> Make(QueryRuntimeOptions options);
  ~QueryRuntime() override;

  /// Loads state and opens readers; the query then runs when scheduled. kPlanChanged if the stored
  /// state belongs to a different plan.
  Status Open();

  int64_t Run() override;
  void FinishSoon() override { env_.finish_soon = true; }
  void GiveUp() override { env_.give_up = true; }
  void Wake();

  /// Bounded queries: opens it in place of Open. `given` gives the rows of the sources that are not
  /// read (TopicSource::Origin), by source.
  Status OpenBounded(std::vector<RowSupply> given);
  enum class Step { kWorked, kWaiting, kEnded };
  /// Does a piece of work on this thread and idle ones; kWaiting: for records of a broker.
  Result<Step> RunBounded();

  /// Feeds records of a topic through the whole query, synchronously.
  Status Inject(std::string_view topic, const RecordBatch& records);
  Status Commit();
  Status CloseWindows();

  void Pause();
  void Resume();
  /// Ends it for good; call after removing it from the scheduler.
  void Stop();
  /// Puts a query that could not be opened into state ERROR, from which Resume tries again.
  void StopWithError(Status cause);
  /// The same, but for causes that pass by themselves: then it is opened again after a while.
  void FailToOpen(Status cause);

  State state() const;
  /// Why it is in ERROR.
  Status error() const;
  /// Why Resume is of no use (see QueryRuntimeOptions).
  const Status& refused() const { return options_.refused; }
  /// Committed past `ends[partition]` of the topic of source `source`, by whichever copy. May ask
  /// the broker.
  Result<bool> CommittedPast(int source, const std::vector<int64_t>& ends) const;
  /// Whether what its tasks sent each other by repartition topics until now has been processed and
  /// committed too. True where exchanges are not topics. May ask the broker.
  Result<bool> ExchangesDrained() const;
  /// The positions of its last commit, by topic and partition; not those of connectors. Not where
  /// shared.
  std::map<std::string, std::vector<int64_t>> CommittedByTopic() const;
  /// Returns once the round and the commit under way have ended. Where copies share the work a
  /// broker tells of a commit before its state can be read here.
  void AwaitCommit() const;
  const QueryStages& stages() const { return env_.stages; }
  /// Copies share its tasks out (see QueryEnvironment::shared).
  bool shared() const { return env_.shared; }
  /// Its tasks are open: where shared, those that its groups have given to this copy.
  bool started() const { return started_; }
  /// Where shared: partitions of the last sub-topology whose tasks run in this copy.
  std::vector<int32_t> owned_partitions() const;
  /// Reads sources that never end.
  bool endless() const;
  /// For transient queries: all that the sources held has been given out.
  bool caught_up() const { return caught_up_; }
  /// Everything its sources held when last looked at has been processed and committed.
  bool drained_since_commit() const { return drained_committed_; }
  /// Topics that had no record yet, for "waiting" messages.
  std::vector<std::string> source_topics() const;
  int64_t open_windows() const;
  int64_t state_bytes() const { return env_.state_bytes; }
  void FillMetrics(std::vector<QueryMetrics>& metrics) const;
  const std::string& id() const { return env_.id; }
  const std::vector<std::string>& root_ids() const { return env_.root_ids; }

  /// Readers of the table that root `query_root` keeps, as it is in `from`: one a task, in
  /// partition order; where copies share the work, of the tasks that run here. They need nothing of
  /// the running query, and wait for nobody. kInvalidPullQuery if the root keeps no table,
  /// kQueryFailed if the query is in ERROR.
  Result<std::vector<ViewReader>> ReadViews(int query_root,
                                            const std::shared_ptr<const StateReader>& from);
  /// kQueryFailed once it was ended for good: its state may be gone. Of what was read before it is
  /// known then that it counts; ReadViews looks itself, for a snapshot.
  Status CheckNotStopped() const;

  /// Whether copies share a query's work: where the broker lets them, unless it reads or writes
  /// what only this machine has.
  static bool SharesWork(const Broker& broker, const QueryStages& stages);

  /// Prefix of all state keys of a query.
  static std::string StatePrefix(std::string_view id);

 private:
  // The table that a root keeps, and the stage whose tasks do so.
  struct KeptView {
    int stage = 0;
    MaterializedViewOptions options;
    std::vector<std::pair<std::string, std::string>> prefixes;  // Of both stores, by partition.
  };
  explicit QueryRuntime(QueryRuntimeOptions options);
  Status OpenLocked();
  Status OpenSessions();
  bool LooksAtHeaders(std::string_view topic) const;
  Status OpenTasks();
  Status CheckFingerprint();
  Result<std::vector<int32_t>> PartitionsBefore() const;
  Status FitPartitions();
  Status RecountPartitions();
  std::string WaysOn() const;
  Status KeepPartitionCounts();
  void TearDown();
  Status NoteRoundEnds();
  Status RunRound(bool* worked);
  Status RunStage(size_t stage, bool* worked);
  Status EmitPending();

  // query_commit.cc
  enum class CommitMode { kBeside, kAtOnce };
  bool IsFull() const;
  bool CommitIsDue() const;
  Status BeginCommit(CommitMode mode);
  Status LetStateGo();
  Status TakeCommit();
  Status CommitAll();
  void EndCommit();
  bool DropEndedCommit();
  bool PositionsMoved() const;
  std::vector<std::vector<int64_t>> Positions() const;
  Status CheckMemory() const;
  Status MemoryError(int64_t used) const;
  Status RunBoundedLocked(Step* step);
  Status EmitRestOfStage(bool* more);
  int64_t RunLocked();
  bool LookAtTasks();
  std::unique_lock<std::timed_mutex> EndRound();

  // query_sharing.cc: where copies share the tasks out.
  Status JoinGroups();
  void LeaveGroups();
  Status ServeAssignment();
  Status TakeChange(const TaskAssignment::Change& change);
  void CloseTasks(const TaskAssignment::Change& change, bool* start_over);
  Status OpenAssigned();
  bool FollowStandbys();
  void LogRestored(const Task& task, size_t stage) const;
  Status CheckPlanInForce();
  Status CheckSourcePartitions() const;
  Status KeepProvenPlan();
  using ExchangeOffsets = std::map<int, std::vector<std::pair<int32_t, int64_t>>>;
  ExchangeOffsets ExchangesToPurge();
  void Purge(const ExchangeOffsets& offsets) const;
  void NoteTaskMetrics();
  void FillSharedMetrics(QueryMetrics& metrics) const;
  Result<bool> GroupCommittedPast(int stage, const std::string& topic,
                                  const std::vector<int64_t>& ends) const;
  Result<bool> GroupPast(int source, const std::vector<int64_t>& ends) const;
  int64_t Fail(Status status);

  QueryRuntimeOptions options_;
  QueryEnvironment env_;
  std::map<int, KeptView> views_;   // By root of the query.
  mutable std::timed_mutex mutex_;  // Held for a round; guards tasks and readers.
  // Where copies share the work. A commit under way keeps it, too.
  std::shared_ptr<TaskAssignment> assignment_;
  std::vector<std::unique_ptr<ReadSession>> sessions_;
  std::vector<ReadSession*> source_sessions_;              // By source.
  std::vector<std::vector<std::unique_ptr<Task>>> tasks_;  // By stage, partition; null: not here.
  std::unique_ptr<StandbyTasks> standbys_;                 // Where shared, and asked for.
  std::vector<std::vector<int64_t>> committed_;  // By source, partition; under status_mutex_.
  mutable std::mutex status_mutex_;
  State state_ = State::kRunning;
  Status error_;
  std::atomic<int64_t> lag_{0};
  std::atomic<int64_t> open_windows_{0};
  std::atomic<bool> caught_up_{false};
  std::atomic<bool> drained_committed_{false};
  std::atomic<bool> started_{false};
  std::atomic<bool> stopped_{false};  // For good.
  bool inputs_ended_ = false;         // Bounded: then stages hand on what they kept,
  size_t ending_stage_ = 0;           // one after another.
  bool open_ = false;
  bool uncommitted_ = false;
  bool compares_inputs_ = false;
  int64_t last_commit_ms_ = 0;                          // When the last one was begun.
  std::chrono::steady_clock::duration barrier_took_{};  // Of the one under way.
  std::chrono::steady_clock::duration commit_took_{};   // The last one, barrier and all.
  std::vector<std::vector<int64_t>> sealed_positions_;  // As committed_, once it is durable.
  int failures_ = 0;
  std::chrono::steady_clock::time_point retry_at_{};  // While RESTARTING.
  std::chrono::steady_clock::time_point purged_at_{};
  std::atomic<int64_t> rebalances_{0};
  std::vector<TaskMetrics> task_metrics_;  // Under status_mutex_.
  RestoreProgress restore_;                // Under status_mutex_.
  std::chrono::steady_clock::time_point restore_began_{};
  CommitFlow flow_;  // Ends before all that it may use.
};

}  // namespace weir
