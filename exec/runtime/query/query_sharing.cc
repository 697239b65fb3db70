// The part of a running query that shares its tasks with other copies of the application: it takes
// partitions in and gives them up as its groups ask, between rounds, never inside librdkafka's
// callbacks.

#include <algorithm>

#include <fmt/format.h>

#include "base/free_memory.h"
#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kPurgeEvery = std::chrono::seconds(30);

}  // namespace

Status QueryRuntime::JoinGroups() {
  WEIR_RETURN_IF_ERROR(MakeInternalTopics(env_));
  for (const StagePlan& stage : env_.stages.stages) {
    tasks_.emplace_back(static_cast<size_t>(stage.partitions));
  }
  if (env_.internal_session == nullptr) {  // No stage reads a source's topic.
    return Status(ErrorCode::kInternal, "a query that copies share reads no topic");
  }
  if (assignment_ == nullptr) {
    WEIR_ASSIGN_OR_RETURN(assignment_, TaskAssignment::Join(env_, [this] { Wake(); }));
  }
  env_.groups.clear();
  for (int stage = 0; stage < assignment_->stages(); ++stage) {
    env_.groups.push_back(&assignment_->group(stage));
  }
  env_.commit->SetGroups(env_.groups);
  if (env_.settings.standby_replicas > 0) standbys_ = std::make_unique<StandbyTasks>(env_);
  return OpenAssigned();
}

void QueryRuntime::LeaveGroups() {
  env_.groups.clear();
  assignment_.reset();
}

// A task for each partition that this copy owns and has none for yet; it restores in the next
// rounds.
Status QueryRuntime::OpenAssigned() {
  env_.generations.assign(env_.stages.stages.size(), {});
  for (const StagePlan& stage : env_.stages.stages) {
    env_.generations[stage.id] = assignment_->owned(stage.id);
    for (const auto& [partition, generation] : env_.generations[stage.id]) {
      if (partition >= stage.partitions) {
        // It is opened again, with those that there are now if it can be.
        return Status(ErrorCode::kTaskMigrated,
                      fmt::format("a source of query {} now has more than its {} partitions",
                                  env_.id, stage.partitions));
      }
      std::unique_ptr<Task>& task = tasks_[stage.id][partition];
      if (task != nullptr) continue;
      // Where its state is warm here, only the rest is restored.
      auto journal = standbys_ == nullptr ? nullptr : standbys_->Take(stage.id, partition);
      task = std::make_unique<Task>(env_, stage, partition, std::move(journal));
    }
  }
  return OkStatus();
}

// Takes in what the groups change. Partitions go to another copy only when all that their tasks
// have done is committed: until then the change is held, and no round is made. Nothing is waited
// for, as a commit may need an answer to another group.
Status QueryRuntime::ServeAssignment() {
  // A commit is judged by what its groups have given: what was lost must not come back under it.
  if (!open_ && flow_.is_under_way() && !flow_.has_ended()) return OkStatus();
  bool start_over = false;
  bool changed = false;
  bool asked = false;
  const auto take = [&](const TaskAssignment::Change& change) {
    changed = true;
    CloseTasks(change, &start_over);
    return TakeChange(change);
  };
  while (true) {
    WEIR_ASSIGN_OR_RETURN(auto change, assignment_->Poll());
    if (!change) break;
    // Before anything is given up: what another copy takes over it may run by another plan.
    if (!asked) WEIR_RETURN_IF_ERROR(CheckPlanInForce());
    asked = true;
    const bool has_work = flow_.is_under_way() || (open_ && uncommitted_);
    if (!change->change.revoked.empty() && !change->change.lost && has_work) {
      assignment_->Hold(std::move(*change));
    } else {
      WEIR_RETURN_IF_ERROR(take(*change));
      if (start_over && flow_.is_under_way()) break;
    }
  }
  if (!assignment_->held().empty()) {
    if (flow_.is_under_way() && !flow_.has_ended()) {
      if (start_over) TearDown();  // Else it would be forgotten by the next call.
      return OkStatus();
    }
    Status committed;
    if (open_ && !start_over) {
      committed = Guarded([&]() -> Status {
        if (flow_.is_under_way()) WEIR_RETURN_IF_ERROR(TakeCommit());
        return uncommitted_ ? BeginCommit(CommitMode::kBeside) : OkStatus();
      });
      if (committed.ok() && flow_.is_under_way()) return OkStatus();
    }
    // The groups are answered in any case: they must not wait for a query that has failed.
    const std::vector<TaskAssignment::Change> held = assignment_->held();
    for (const TaskAssignment::Change& change : held) {
      Status taken = take(change);
      if (committed.ok()) committed = std::move(taken);
    }
    WEIR_RETURN_IF_ERROR(std::move(committed));
  }
  if (!open_ || !changed) return OkStatus();
  if (start_over) {
    TearDown();  // It is opened again once the commit under way has ended.
    return OkStatus();
  }
  if (standbys_ != nullptr) standbys_->ChooseSoon();
  return OpenAssigned();
}

// True: there is more to follow at once.
bool QueryRuntime::FollowStandbys() {
  if (standbys_ == nullptr || !started_) return false;
  const auto owned = [this](int stage, int32_t partition) {
    return tasks_[static_cast<size_t>(stage)][static_cast<size_t>(partition)] != nullptr;
  };
  bool worked = false;
  Status status = Guarded([&] {
    WEIR_RETURN_IF_ERROR(standbys_->Choose(owned));
    return standbys_->Follow(options_.scheduler, &worked);
  });
  // The copy's own tasks are not concerned; it is tried again.
  if (!status.ok() && options_.log) {
    options_.log(LogLevel::kInfo, fmt::format("query {}: following the state of other copies: {}",
                                              env_.id, status.ToString()));
  }
  return worked && status.ok();
}

void QueryRuntime::LogRestored(const Task& task, size_t stage) const {
  if (!env_.shared || !options_.log || !NeedsChangelog(env_.stages.stages[stage])) return;
  options_.log(LogLevel::kInfo,
               fmt::format("query {}: sub-topology {}, partition {} restored, records: {}", env_.id,
                           stage, task.partition(), task.restore_progress().first));
}

// Two plans must never write to one changelog. Whoever puts a plan does so before it joins; so each
// copy that was not to be seen then comes to know of it at its next change.
Status QueryRuntime::CheckPlanInForce() {
  PlanWatch& watch = options_.plan_watch;
  if (watch.topic.empty() || watch.keep) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const int64_t end, env_.broker->WriteEnd(watch.topic, 0));
  if (end == watch.end) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const std::optional<int64_t> still, watch.look());
  if (still) {
    watch.end = *still;
    return OkStatus();
  }
  return Status(
             ErrorCode::kPlanChanged,
             fmt::format("another copy that started at the same time may run query {} by another "
                         "plan",
                         env_.id))
      .WithHint("start this copy again: it then runs the plan that the others run");
}

// A task that is ready has found that its state is of this plan.
Status QueryRuntime::KeepProvenPlan() {
  for (const StagePlan& stage : env_.stages.stages) {
    if (!NeedsChangelog(stage)) continue;
    for (const auto& task : tasks_[stage.id]) {
      if (task == nullptr || !task->ready()) continue;
      WEIR_ASSIGN_OR_RETURN(options_.plan_watch.end, options_.plan_watch.keep());
      options_.plan_watch.keep = nullptr;
      return OkStatus();
    }
  }
  return OkStatus();
}

Status QueryRuntime::TakeChange(const TaskAssignment::Change& change) {
  WEIR_RETURN_IF_ERROR(assignment_->Accept(change));
  // A copy that stood in for others held, and restored, a multiple of what it has from now on: half
  // of a soaked copy's memory was free.
  if (!change.change.revoked.empty()) ReturnFreeMemory();
  ++rebalances_;
  if (options_.log) {
    options_.log(LogLevel::kInfo, fmt::format("query {}: sub-topology {} got {} partitions, {} {}",
                                              env_.id, change.stage, change.change.assigned.size(),
                                              change.change.lost ? "lost" : "gave up",
                                              change.change.revoked.size()));
  }
  return OkStatus();
}

// What tasks have done since the last commit is forgotten where they are another copy's already,
// and with it all that the same commit would have held.
void QueryRuntime::CloseTasks(const TaskAssignment::Change& change, bool* start_over) {
  if (!open_ || change.change.revoked.empty()) return;
  *start_over |= change.change.lost;
  for (int32_t partition : change.change.revoked) {
    if (partition < static_cast<int32_t>(tasks_[change.stage].size())) {
      tasks_[change.stage][partition].reset();
    }
  }
}

// Rows that downstream tasks have processed are of no use to anybody once that is committed.
QueryRuntime::ExchangeOffsets QueryRuntime::ExchangesToPurge() {
  ExchangeOffsets offsets;
  if (!env_.shared || SteadyClock::now() - purged_at_ < kPurgeEvery) return offsets;
  purged_at_ = SteadyClock::now();
  for (const auto& stage : tasks_) {
    for (const auto& task : stage) {
      if (task == nullptr || !task->ready()) continue;
      for (const auto& [exchange, position] : task->exchange_positions()) {
        if (position > 0) offsets[exchange].emplace_back(task->partition(), position);
      }
    }
  }
  return offsets;
}

void QueryRuntime::Purge(const ExchangeOffsets& offsets) const {
  for (const auto& [exchange, before] : offsets) {
    Status purged = env_.broker->DeleteRecordsBefore(RepartitionTopic(env_, exchange), before);
    // They go another time.
    if (!purged.ok() && options_.log) options_.log(LogLevel::kInfo, purged.ToString());
  }
}

Result<bool> QueryRuntime::GroupPast(int source, const std::vector<int64_t>& ends) const {
  {
    // Its own tasks need no broker's answer.
    std::lock_guard lock(status_mutex_);
    if (source >= static_cast<int>(committed_.size())) return false;
    const std::vector<int64_t>& own = committed_[source];
    for (size_t i = 0; i < ends.size() && i < own.size(); ++i) {
      if (own[i] >= 0 && own[i] < ends[i]) return false;
    }
  }
  for (const StagePlan& stage : env_.stages.stages) {
    if (std::find(stage.sources.begin(), stage.sources.end(), source) == stage.sources.end()) {
      continue;
    }
    return GroupCommittedPast(stage.id, env_.stages.sources[source].node->topic, ends);
  }
  return false;
}

Result<bool> QueryRuntime::GroupCommittedPast(int stage, const std::string& topic,
                                              const std::vector<int64_t>& ends) const {
  WEIR_ASSIGN_OR_RETURN(const auto offsets,
                        env_.broker->CommittedOffsets(GroupName(env_, stage), topic,
                                                      static_cast<int32_t>(ends.size())));
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] > 0 && (!offsets[i] || offsets[i]->next < ends[i])) return false;
  }
  return true;
}

Result<bool> QueryRuntime::ExchangesDrained() const {
  if (!env_.shared) return true;
  // Upstream first: what is committed there lies in the next topic already.
  for (const StagePlan& stage : env_.stages.stages) {
    for (int exchange : stage.exchange_inputs) {
      const std::string topic = RepartitionTopic(env_, exchange);
      WEIR_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, env_.broker->EndOffsets(topic));
      WEIR_ASSIGN_OR_RETURN(const bool past, GroupCommittedPast(stage.id, topic, ends));
      if (!past) return false;
    }
  }
  return true;
}

std::vector<int32_t> QueryRuntime::owned_partitions() const {
  if (!env_.shared) return {};
  std::vector<int32_t> owned;
  std::lock_guard lock(status_mutex_);
  const int last = static_cast<int>(env_.stages.stages.size()) - 1;
  for (const TaskMetrics& task : task_metrics_) {
    if (task.sub_topology == last && task.state == "RUNNING") owned.push_back(task.partition);
  }
  return owned;
}

void QueryRuntime::NoteTaskMetrics() {
  std::vector<TaskMetrics> tasks;
  RestoreProgress restore;
  for (const StagePlan& stage : env_.stages.stages) {
    for (const auto& task : tasks_[stage.id]) {
      if (task == nullptr) continue;
      TaskMetrics one;
      one.sub_topology = stage.id;
      one.partition = task->partition();
      one.state = task->ready() ? "RUNNING" : "RESTORING";
      if (task->ready()) {
        one.records_in = task->records_in();
        one.lag_records = task->lag();
      } else {
        const auto [restored, to_restore] = task->restore_progress();
        ++restore.tasks;
        restore.records_restored += restored;
        restore.records_to_restore += to_restore;
      }
      tasks.push_back(std::move(one));
    }
  }
  if (standbys_ != nullptr) standbys_->AddMetrics(tasks);
  std::lock_guard lock(status_mutex_);
  if (restore.tasks > 0) {
    const auto now = SteadyClock::now();
    if (restore_.tasks == 0) restore_began_ = now;
    const double seconds = std::chrono::duration<double>(now - restore_began_).count();
    if (seconds > 0) {
      restore.records_per_second = static_cast<double>(restore.records_restored) / seconds;
    }
  }
  task_metrics_ = std::move(tasks);
  restore_ = restore;
}

void QueryRuntime::FillSharedMetrics(QueryMetrics& metrics) const {
  const TransactionCounts transactions = env_.broker->TransactionCountsOf(env_.id);
  metrics.transactions_committed = transactions.committed;
  metrics.transactions_aborted = transactions.aborted;
  metrics.rebalances = rebalances_;
}

}  // namespace weir
