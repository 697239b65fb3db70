#include "exec/runtime/query/query_runtime.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/file_sinks.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

Result<int32_t> PartitionsOf(Broker& broker, const physical::TopicSource& node) {
  if (node.origin != physical::TopicSource::Origin::kTopic) return 1;
  if (!node.connector.empty()) {
    auto partitions = node.connector.find("PARTITIONS");
    return partitions == node.connector.end() ? 1 : std::atoi(partitions->second.c_str());
  }
  if (broker.shares_work()) return broker.CountPartitions(node.topic);
  WEIR_ASSIGN_OR_RETURN(TopicInfo info, broker.DescribeTopic(node.topic));
  return info.partitions;
}

void CollectStores(const physical::Node& node, std::set<std::string, std::less<>>& names) {
  for (const physical::StoreSpec& store : node.stores) {
    WEIR_CHECK(names.insert(store.name).second, store.name);
  }
  for (const physical::NodePtr& input : node.inputs) CollectStores(*input, names);
}

void CollectSinks(const physical::Node& node, std::vector<const physical::TopicSink*>& sinks) {
  if (node.kind == physical::NodeKind::kTopicSink) {
    sinks.push_back(static_cast<const physical::TopicSink*>(&node));
  }
}

}  // namespace

bool QueryRuntime::SharesWork(const Broker& broker, const QueryStages& stages) {
  return broker.shares_work() &&
         std::all_of(stages.sources.begin(), stages.sources.end(),
                     [](const SourcePlan& source) { return source.node->connector.empty(); });
}

std::string QueryRuntime::StatePrefix(std::string_view id) {
  std::string prefix = "q/";
  prefix.append(id);
  prefix.push_back('\0');
  return prefix;
}

QueryRuntime::QueryRuntime(QueryRuntimeOptions options) : options_(std::move(options)) {}

QueryRuntime::~QueryRuntime() {
  TearDown();
  EndCommit();
}

Result<std::shared_ptr<QueryRuntime>> QueryRuntime::Make(QueryRuntimeOptions options) {
  std::shared_ptr<QueryRuntime> query(new QueryRuntime(std::move(options)));
  QueryEnvironment& env = query->env_;
  const QueryRuntimeOptions& given = query->options_;
  env.id = given.id;
  env.state_prefix = StatePrefix(given.state_id.empty() ? given.id : given.state_id);
  env.broker = given.broker;
  env.has_disk = given.broker->kind() != "memory" && !given.transient;
  env.clock = given.clock;
  env.settings = given.settings;
  env.root_ids = given.root_ids;
  env.state_ids = given.root_ids;
  if (!given.state_id.empty()) env.state_ids = {given.state_id};
  env.receiver = given.receiver;
  env.has_room = given.has_room;
  env.schemas = given.schemas;
  env.memory_used = given.memory_used;
  env.fingerprint = given.fingerprint;
  env.legacy_fingerprint = given.legacy_fingerprint;
  env.bounded = given.bounded;
  env.memory_of_others = given.memory_of_others;
  WEIR_ASSIGN_OR_RETURN(env.stages,
                        CutIntoStages(given.roots, [&](const physical::TopicSource& node) {
                          return PartitionsOf(*given.broker, node);
                        }));
  env.shared = !given.transient && SharesWork(*given.broker, env.stages);
  if (Status fits = query->FitPartitions(); !fits.ok()) {
    if (fits.code() != ErrorCode::kPartitionsChanged) return fits;
    if (query->options_.refused.ok()) query->options_.refused = std::move(fits);
  }
  for (const StagePlan& stage : env.stages.stages) {
    for (const StageRoot& root : stage.roots) {
      const std::optional<MaterializedViewOptions> view = ViewOf(*root.node);
      if (!view) continue;
      KeptView& kept = query->views_[root.query_root];
      kept = {stage.id, *view, {}};
      for (int32_t partition = 0; partition < stage.partitions; ++partition) {
        const auto prefix = [&](std::string_view store) {
          return StorePrefix(env, stage, partition, env.state_ids[root.query_root], store);
        };
        kept.prefixes.emplace_back(prefix(view->store_name), prefix(view->layout_name));
      }
    }
  }
  for (size_t i = 0; i < given.roots.size(); ++i) {
    env.counters.push_back(std::make_shared<QueryCounterSet>());
    CollectStores(*given.roots[i], env.declared_stores.emplace_back());
    if (given.log) {
      env.counters.back()->SetLog(
          [log = given.log](std::string_view line) { log(LogLevel::kWarning, line); });
    }
    std::vector<const physical::TopicSink*> sinks;
    CollectSinks(*given.roots[i], sinks);
    for (const physical::TopicSink* sink : sinks) {
      if (!sink->connector.empty()) {
        env.sink_partitions[sink->topic] = 1;
        continue;
      }
      WEIR_ASSIGN_OR_RETURN(TopicInfo info, given.broker->DescribeTopic(sink->topic));
      env.sink_partitions[sink->topic] = info.partitions;
    }
  }
  for (SourcePlan& source : env.stages.sources) {
    const std::string& dead_letters = source.node->dead_letter_topic;
    if (!dead_letters.empty()) {
      WEIR_ASSIGN_OR_RETURN(TopicInfo info, given.broker->DescribeTopic(dead_letters));
      env.sink_partitions[dead_letters] = info.partitions;
    }
    // Positions inside a batch need the rows' offsets wherever rows wait for other inputs.
    auto node = std::make_shared<physical::TopicSource>(*source.node);
    node->needs_offset = true;
    source.node = std::move(node);
  }
  return query;
}

Status QueryRuntime::Open() {
  std::lock_guard lock(mutex_);
  const InterruptScope interruptible(env_.give_up);
  return Guarded([&] { return OpenLocked(); });
}

Status QueryRuntime::CheckFingerprint() {
  if (options_.transient || env_.shared) return OkStatus();  // Shared: each task's checkpoint says.
  const std::string key = env_.state_prefix + "fingerprint";
  WEIR_ASSIGN_OR_RETURN(std::optional<std::string> stored, env_.broker->state().Get(key));
  if (options_.bound_by_catalog) {
    if (stored) env_.commit->Delete(key);  // Of a version that kept no plans.
    return OkStatus();
  }
  const auto bytes = [](const uint64_t& fingerprint) {
    return std::string(reinterpret_cast<const char*>(&fingerprint), sizeof(fingerprint));
  };
  const std::string now = bytes(options_.fingerprint);
  if (stored && *stored != now && *stored != bytes(options_.legacy_fingerprint)) {
    return Status(ErrorCode::kPlanChanged,
                  fmt::format("stored state belongs to a different plan of query {}", env_.id))
        .WithHint(
            "DROP what the query makes and create it again, which reads its sources from the "
            "beginning; or run the version of Weir that wrote the state");
  }
  if (!stored || *stored != now) env_.commit->Put(key, now);
  return OkStatus();
}

// Headers are read by expressions and columns, handed on by sinks, and go with dead letters.
bool QueryRuntime::LooksAtHeaders(std::string_view topic) const {
  for (const SourcePlan& source : env_.stages.sources) {
    const physical::TopicSource& node = *source.node;
    if (node.topic != topic) continue;
    if (node.needs_headers || !node.dead_letter_topic.empty()) return true;
    for (const auto& column : node.columns) {
      if (column.is_headers) return true;
    }
  }
  return false;
}

// Topics are read by one session, connectors by one each.
Status QueryRuntime::OpenSessions() {
  ReadSession* topics = nullptr;
  auto open_topics = [&]() -> Status {
    WEIR_ASSIGN_OR_RETURN(auto session, env_.broker->OpenReadSession(env_.id));
    sessions_.push_back(std::move(session));
    topics = sessions_.back().get();
    topics->SetListener([this] { Wake(); });
    return OkStatus();
  };
  for (const SourcePlan& source : env_.stages.sources) {
    if (source.node->origin != physical::TopicSource::Origin::kTopic) {
      source_sessions_.push_back(nullptr);
      continue;
    }
    if (source.node->connector.empty()) {
      if (topics == nullptr) WEIR_RETURN_IF_ERROR(open_topics());
      if (!LooksAtHeaders(source.node->topic)) topics->SkipHeaders(source.node->topic);
      source_sessions_.push_back(topics);
      continue;
    }
    ConnectorSpec spec{source.node->source_name, source.node->connector, {}};
    for (const auto& column : source.node->columns) {
      spec.columns.push_back({column.name, column.type, column.is_key});
    }
    WEIR_ASSIGN_OR_RETURN(ConnectorSource connector, OpenConnectorSource(spec));
    sessions_.push_back(std::move(connector.session));
    sessions_.back()->SetListener([this] { Wake(); });
    source_sessions_.push_back(sessions_.back().get());
  }
  env_.internal_session = topics;
  compares_inputs_ = env_.broker->kind() != "kafka" &&
                     (env_.stages.sources.size() > 1 || !env_.stages.exchanges.empty());
  return OkStatus();
}

Status QueryRuntime::OpenLocked() {
  TearDown();
  EndCommit();
  env_.ReadCommitted();
  env_.commit = env_.NewCommitUnit();
  if (!options_.refused.ok()) return options_.refused;
  WEIR_RETURN_IF_ERROR(CheckFingerprint());
  WEIR_RETURN_IF_ERROR(KeepPartitionCounts());
  if (env_.shared) WEIR_RETURN_IF_ERROR(RecountPartitions());
  WEIR_RETURN_IF_ERROR(OpenFileSinks(options_, env_));
  if (options_.scheduler != nullptr || options_.bounded) WEIR_RETURN_IF_ERROR(OpenSessions());
  for (const ExchangePlan& exchange : env_.stages.exchanges) {
    env_.exchanges.push_back(std::make_unique<ExchangeBuffer>(
        exchange, env_.stages.stages[exchange.from_stage].partitions));
  }
  WEIR_RETURN_IF_ERROR(env_.shared ? JoinGroups() : OpenTasks());
  open_ = true;
  uncommitted_ = true;
  last_commit_ms_ = env_.clock->NowMs();
  {
    std::lock_guard status_lock(status_mutex_);
    committed_.assign(env_.stages.sources.size(), {});
  }
  return options_.transient || env_.shared ? OkStatus() : CommitAll();
}

// All tasks run here.
Status QueryRuntime::OpenTasks() {
  for (const StagePlan& stage : env_.stages.stages) {
    tasks_.emplace_back();
    for (int32_t partition = 0; partition < stage.partitions; ++partition) {
      tasks_.back().push_back(std::make_unique<Task>(env_, stage, partition));
      bool worked = false;
      WEIR_RETURN_IF_ERROR(tasks_.back().back()->Open(source_sessions_, &worked));
    }
  }
  return OkStatus();
}

void QueryRuntime::TearDown() {
  open_ = false;
  started_ = false;
  tasks_.clear();
  standbys_.reset();
  env_.exchanges.clear();
  source_sessions_.clear();
  sessions_.clear();
  env_.internal_session = nullptr;
  env_.read_since_commit = 0;
  env_.commit.reset();
  env_.file_sinks = {};
  env_.state = nullptr;
}

void QueryRuntime::Wake() {
  if (options_.bounded) {
    if (options_.on_wake) options_.on_wake();
    return;
  }
  if (options_.scheduler != nullptr) options_.scheduler->Wake(*this);
}

Status QueryRuntime::Inject(std::string_view topic, const RecordBatch& records) {
  std::lock_guard lock(mutex_);
  const InterruptScope interruptible(env_.give_up);
  return Guarded([&]() -> Status {
    for (size_t source = 0; source < env_.stages.sources.size(); ++source) {
      if (env_.stages.sources[source].node->topic != topic) continue;
      for (const StagePlan& stage : env_.stages.stages) {
        if (std::find(stage.sources.begin(), stage.sources.end(), static_cast<int>(source)) ==
            stage.sources.end()) {
          continue;
        }
        const int32_t tasks = static_cast<int32_t>(tasks_[stage.id].size());
        WEIR_RETURN_IF_ERROR(
            tasks_[stage.id][records.partition % tasks]->Inject(static_cast<int>(source), records));
      }
      bool worked = false;
      WEIR_RETURN_IF_ERROR(RunRound(&worked));
    }
    uncommitted_ = true;
    return EmitPending();
  });
}

Status QueryRuntime::CloseWindows() {
  std::lock_guard lock(mutex_);
  const InterruptScope interruptible(env_.give_up);
  if (!open_) return OkStatus();
  Status status = Guarded([&]() -> Status {
    for (size_t stage = 0; stage < tasks_.size(); ++stage) {
      for (auto& task : tasks_[stage]) {
        if (task == nullptr || !task->ready()) continue;
        WEIR_RETURN_IF_ERROR(task->CloseWindows());
        WEIR_RETURN_IF_ERROR(task->FlushOutputs());
      }
      bool worked = false;
      if (env_.shared) continue;
      for (size_t next = stage + 1; next < tasks_.size(); ++next) {
        WEIR_RETURN_IF_ERROR(RunStage(next, &worked));
      }
    }
    open_windows_ = 0;
    return options_.transient ? OkStatus() : CommitAll();
  });
  if (!status.ok() && !options_.transient) Fail(Status(status));
  return status;
}

}  // namespace weir
