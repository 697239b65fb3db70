// CREATE OR REPLACE TABLE … AS SELECT where the new query cannot go on from the state of the old
// one. It is built from the beginning of its sources under an id of its own, and writes to a topic
// of its own, while the old query runs and answers. Once it has caught up, one commit gives the
// table's topic what differs, the catalog the new statement, and takes the old state away. A crash
// leaves the old query with the new one still being built, or the new one.

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/fault_points.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"
#include "exec/runtime/guarded.h"
#include "parser/parser.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_signature.h"

namespace weir {
namespace {

constexpr int64_t kLookAgainMs = 20;
constexpr std::string_view kBesidePrefix = "weir-rebuild-";

// Looks again and again whether a query has caught up.
class RebuildWatch final : public Scheduler::Job {
 public:
  explicit RebuildWatch(std::function<int64_t()> look) : look_(std::move(look)) {}
  int64_t Run() override { return look_(); }

 private:
  const std::function<int64_t()> look_;
};

// The plan, but writing to another topic.
physical::NodePtr WritingTo(const physical::NodePtr& root, const std::string& topic) {
  auto sink = std::make_shared<physical::TopicSink>(static_cast<const physical::TopicSink&>(*root));
  sink->topic = topic;
  return sink;
}

// A record as it lies in a topic.
struct LastRecord {
  std::optional<std::string> value;
  std::string headers;
  int64_t timestamp_ms = 0;
};
using LastRecords = std::map<std::string, LastRecord>;

// The last record of each key of a partition.
Result<LastRecords> ReadLastRecords(Broker& broker, const std::string& topic, int32_t partition,
                                    int64_t end) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ReadSession> session, broker.OpenReadSession("rebuild"));
  WEIR_ASSIGN_OR_RETURN(auto reader, session->Open(topic, partition, {}));
  LastRecords last;
  RecordBatch batch;
  while (reader->position() < end) {
    WEIR_RETURN_IF_ERROR(reader->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch));
    for (int32_t i = 0; i < batch.size() && batch.offsets[i] < end; ++i) {
      LastRecord& record = last[std::string(batch.View(batch.keys[i]))];
      record.value.reset();
      if (!batch.values[i].is_null()) record.value = batch.View(batch.values[i]);
      record.headers = batch.headers.empty() ? "" : std::string(batch.View(batch.headers[i]));
      record.timestamp_ms = batch.timestamps[i];
    }
  }
  return last;
}

// What makes the table of `topic` that of `made`.
Status AppendDifference(Broker& broker, const std::string& topic, const std::string& made,
                        int64_t now_ms, CommitUnit& unit) {
  WEIR_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, broker.EndOffsets(topic));
  WEIR_ASSIGN_OR_RETURN(const std::vector<int64_t> made_ends, broker.EndOffsets(made));
  for (size_t i = 0; i < ends.size(); ++i) {
    const auto partition = static_cast<int32_t>(i);
    WEIR_ASSIGN_OR_RETURN(const LastRecords before,
                          ReadLastRecords(broker, topic, partition, ends[i]));
    WEIR_ASSIGN_OR_RETURN(const LastRecords after,
                          ReadLastRecords(broker, made, partition, made_ends[i]));
    RecordBatchBuilder records;
    const auto add = [&](std::string_view key, const LastRecord& record, int64_t time) {
      const std::string_view value = record.value ? *record.value : std::string_view();
      records.AddCopy(&key, record.value ? &value : nullptr, record.headers, time);
    };
    for (const auto& [key, record] : before) {
      const auto found = after.find(key);
      const bool stays = found != after.end() && found->second.value;
      if (record.value && !stays) {
        add(key, {}, found == after.end() ? now_ms : found->second.timestamp_ms);
      }
    }
    for (const auto& [key, record] : after) {
      const auto found = before.find(key);
      const bool same = found != before.end() && found->second.value == record.value;
      if (record.value && !same) add(key, record, record.timestamp_ms);
    }
    if (records.size() > 0) WEIR_RETURN_IF_ERROR(unit.Append(topic, partition, records));
  }
  return OkStatus();
}

}  // namespace

bool EngineImpl::CanRebuild(const PersistentQueryPlan& plan) const {
  return scheduler_ != nullptr && !broker_->shares_work() && broker_->kind() != "kafka" &&
         plan.sink && plan.sink->is_table && plan.sink->connector.empty();
}

bool EngineImpl::IsRebuilding(const PersistentQueryPlan& plan) const {
  const auto found = rebuilds_.find(plan.query_id);
  return found != rebuilds_.end() && found->second.statement.sql == plan.sql &&
         found->second.failed.ok() && found->second.runtime->error().ok();
}

Status EngineImpl::StartRebuild(const PersistentQueryPlan& plan,
                                const std::vector<std::string>& differs, StatementResult& result) {
  const SourceEntry* sink = catalog_.FindSource(plan.sink_name);
  Rebuild rebuild;
  StoredStatement& statement = rebuild.statement;
  statement.number = next_number_++;
  statement.kind = "rebuild";
  statement.name = plan.query_id;
  statement.sql = plan.sql;
  statement.known_columns = plan.known_columns;
  statement.plans[plan.query_id] = WritePlan(*plan.root);
  statement.state_id = fmt::format("{}-{}", plan.query_id, statement.number);
  statement.settings = settings_.given();
  rebuild.plan = plan;
  TopicInfo beside;
  beside.name = fmt::format("{}{}", kBesidePrefix, statement.state_id);
  beside.partitions = sink->partitions;
  beside.compacted = true;
  WEIR_RETURN_IF_ERROR(broker_->CreateTopic(beside));
  Status started = PersistCatalog(&statement, -1);
  if (started.ok()) started = RunRebuild(std::move(rebuild));
  if (!started.ok()) {
    WEIR_RETURN_IF_ERROR(PersistCatalog(nullptr, next_number_ - 1));
    WEIR_RETURN_IF_ERROR(broker_->DeleteTopic(beside.name));
    return started;
  }
  result.message = fmt::format(
      "Table {} is made anew beside query {}, which runs on until the new one has caught up",
      plan.sink_name, plan.query_id);
  for (const std::string& what : differs) {
    result.notices.push_back(fmt::format("made anew from the sources, as {}", what));
  }
  return OkStatus();
}

Status EngineImpl::RunRebuild(Rebuild rebuild) {
  const StoredStatement& statement = rebuild.statement;
  PersistentQueryPlan beside = rebuild.plan;
  beside.query_id = statement.state_id;
  beside.root =
      WritingTo(rebuild.plan.root, fmt::format("{}{}", kBesidePrefix, statement.state_id));
  QueryRuntimeOptions options = OptionsOf(statement.state_id, {beside});
  options.bound_by_catalog = true;
  WEIR_ASSIGN_OR_RETURN(rebuild.runtime, QueryRuntime::Make(std::move(options)));
  WEIR_RETURN_IF_ERROR(rebuild.runtime->Open());
  scheduler_->Add(rebuild.runtime);
  rebuild.watch = std::make_shared<RebuildWatch>(
      [this, id = statement.name, number = statement.number] { return LookAtRebuild(id, number); });
  const std::shared_ptr<Scheduler::Job> watch = rebuild.watch;
  rebuilds_[statement.name] = std::move(rebuild);
  scheduler_->Add(watch);
  scheduler_->Wake(*watch);
  return OkStatus();
}

Status EngineImpl::ResumeRebuilds(std::vector<StoredStatement> statements) {
  if (options_.paused || broker_->kind() != "local") return OkStatus();  // At the next opening.
  const Settings session = settings_;
  std::map<std::string, int64_t> last;  // One that was asked for later takes its place.
  for (const StoredStatement& statement : statements) last[statement.name] = statement.number;
  for (StoredStatement& statement : statements) {
    const std::string name = statement.name;
    const int64_t number = statement.number;
    const std::string state_id = statement.state_id;
    Status resumed = Guarded([&]() -> Status {
      WEIR_RETURN_IF_ERROR(TakeSettingsOf(statement));
      if (FindRunning(name) == nullptr || number != last[name]) {
        return Status(ErrorCode::kUnknownQuery, "the query that it replaces is not there");
      }
      WEIR_ASSIGN_OR_RETURN(const ast::Statement parsed, ParseStatement(statement.sql));
      PlannerContext context = MakePlannerContext();
      context.known_columns = statement.known_columns;
      Rebuild rebuild;
      WEIR_ASSIGN_OR_RETURN(rebuild.plan, PlanPersistentQuery(parsed, context));
      // What it has built so far belongs to its own plan.
      WEIR_ASSIGN_OR_RETURN(rebuild.plan.root, ReadPlan(statement.plans[name], BuiltinFunctions()));
      rebuild.statement = std::move(statement);
      return RunRebuild(std::move(rebuild));
    });
    if (resumed.ok()) continue;
    Log(LogLevel::kWarning,
        fmt::format("query {} stays as it was, what was to replace it cannot go on: {}", name,
                    resumed.message()));
    rebuilds_.erase(name);
    WEIR_RETURN_IF_ERROR(PersistCatalog(nullptr, number, state_id));
  }
  settings_ = session;
  // Topics of those that are done or given up.
  WEIR_ASSIGN_OR_RETURN(const std::vector<TopicInfo> topics, broker_->ListTopics());
  for (const TopicInfo& topic : topics) {
    if (!topic.name.starts_with(kBesidePrefix)) continue;
    const bool used = std::ranges::any_of(rebuilds_, [&](const auto& rebuild) {
      return topic.name.substr(kBesidePrefix.size()) == rebuild.second.statement.state_id;
    });
    if (!used) WEIR_RETURN_IF_ERROR(broker_->DeleteTopic(topic.name));
  }
  return OkStatus();
}

// On a thread of the scheduler. Whoever has the engine may be waiting for this very thread.
int64_t EngineImpl::LookAtRebuild(const std::string& query_id, int64_t number) {
  std::unique_lock lock(statement_mutex_, std::try_to_lock);
  if (!lock) return kLookAgainMs;
  const auto found = rebuilds_.find(query_id);
  if (closed_ || found == rebuilds_.end() || found->second.statement.number != number) return -1;
  Rebuild& rebuild = found->second;
  if (rebuild.runtime->state() == QueryRuntime::State::kError) return -1;
  const RunningQuery* old = FindRunning(query_id);
  if (old == nullptr) return -1;
  if (!HasCaughtUp(*rebuild.runtime, *old->runtime)) return kLookAgainMs;
  const Settings session = settings_;
  Status swapped = Guarded([&] { return SwapIn(rebuild); });
  settings_ = session;
  if (swapped.ok()) return -1;
  Log(LogLevel::kError, fmt::format("query {} was not replaced: {}", query_id, swapped.ToString()));
  // The old one goes on, if it is it that is still there.
  if (const auto still = rebuilds_.find(query_id); still != rebuilds_.end()) {
    still->second.failed = std::move(swapped);
    if (RunningQuery* stopped = FindRunning(query_id)) stopped->runtime->Stop();
    Status again = Guarded([&] { return StartAgain(query_id); });
    if (!again.ok()) Log(LogLevel::kError, again.ToString());
  }
  return -1;
}

bool EngineImpl::HasCaughtUp(const QueryRuntime& made, const QueryRuntime& old) {
  if (made.drained_since_commit()) return true;
  const auto reached = old.CommittedByTopic();
  for (size_t i = 0; i < made.stages().sources.size(); ++i) {
    const auto of_old = reached.find(made.stages().sources[i].node->topic);
    if (of_old == reached.end()) return false;
    const Result<bool> past = made.CommittedPast(static_cast<int>(i), of_old->second);
    if (!past.ok() || !*past) return false;
  }
  return true;
}

Status EngineImpl::SwapIn(Rebuild& rebuild) {
  const std::string id = rebuild.statement.name;
  const std::string beside = fmt::format("{}{}", kBesidePrefix, rebuild.statement.state_id);
  StoredStatement* stored = nullptr;
  for (StoredStatement& each : stored_) {
    if (each.kind == "query" && each.name == id) stored = &each;
  }
  RunningQuery* running = FindRunning(id);
  WEIR_CHECK(stored != nullptr && running != nullptr, "a query is replaced that is not there");
  const std::shared_ptr<QueryRuntime> old = running->runtime;
  scheduler_->Remove(old);
  if (old->state() != QueryRuntime::State::kError) WEIR_RETURN_IF_ERROR(old->Commit());
  // The last steps up to where the old one has stopped.
  scheduler_->Remove(rebuild.runtime);
  WEIR_RETURN_IF_ERROR(rebuild.runtime->Commit());
  while (!HasCaughtUp(*rebuild.runtime, *old)) {
    rebuild.runtime->Run();
    rebuild.runtime->AwaitCommit();
    if (rebuild.runtime->state() == QueryRuntime::State::kError) return rebuild.runtime->error();
  }
  WEIR_RETURN_IF_ERROR(rebuild.runtime->Commit());
  rebuild.runtime->Stop();

  StoredStatement kept = rebuild.statement;
  kept.number = stored->number;
  kept.kind = "query";
  kept.paused = stored->paused;
  const auto unit = broker_->NewCommitUnit("catalog");
  const SourceEntry* sink = catalog_.FindSource(rebuild.plan.sink_name);
  WEIR_RETURN_IF_ERROR(AppendDifference(*broker_, sink->topic, beside, clock_->NowMs(), *unit));
  const std::string from = QueryRuntime::StatePrefix(StateIdOf(*stored));
  std::string to = from;
  to.back() = '\1';
  unit->DeleteRange(from, to);
  if (broker_->kind() == "local") {
    unit->Put(StatementKey(kept.number), EncodeStatement(kept));
    unit->Delete(StatementKey(rebuild.statement.number));
  }
  PassFaultPoint("before_swap");
  // Whoever reads its table sees that it has ended before its state is gone.
  old->Stop();
  WEIR_RETURN_IF_ERROR(unit->Commit());
  PassFaultPoint("after_swap");
  *stored = kept;
  std::vector<PersistentQueryPlan> plans = {rebuild.plan};
  rebuilds_.erase(id);
  WEIR_RETURN_IF_ERROR(broker_->DeleteTopic(beside));
  Status started = TakeSettingsOf(kept);
  if (started.ok()) started = RegisterPlan(plans[0], "");
  if (started.ok()) started = StartQueries(id, plans, kept.paused);
  if (started.ok()) Log(LogLevel::kInfo, fmt::format("query {} was replaced", id));
  return started;
}

Status EngineImpl::StopRebuild(const std::string& query_id) {
  const auto found = rebuilds_.find(query_id);
  if (found == rebuilds_.end()) return OkStatus();
  const Rebuild rebuild = std::move(found->second);
  rebuilds_.erase(found);
  scheduler_->Remove(rebuild.watch);
  scheduler_->Remove(rebuild.runtime);
  rebuild.runtime->Stop();
  WEIR_RETURN_IF_ERROR(
      PersistCatalog(nullptr, rebuild.statement.number, rebuild.statement.state_id));
  return broker_->DeleteTopic(fmt::format("{}{}", kBesidePrefix, rebuild.statement.state_id));
}

}  // namespace weir
