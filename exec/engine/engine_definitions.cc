// CREATE, INSERT, ALTER: what changes the catalog and starts queries. DROP is in engine_drops.cc.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "exec/engine/record_placement.h"
#include "exec/engine/source_ddl.h"
#include "exec/engine/statement_notices.h"
#include "exec/expr/expr_program.h"
#include "exec/formats/format.h"
#include "parser/ast/printer.h"
#include "parser/parser.h"
#include "planner/physical/plan_text.h"

namespace weir {
namespace {

// FNV's prime: one number of those of a pipeline's queries.
constexpr uint64_t kFingerprintFactor = 1099511628211ull;

Status AlreadyExists(const SourceEntry& existing, std::string_view hint) {
  return Status(ErrorCode::kAlreadyExists, fmt::format("a {} with this name exists and differs: {}",
                                                       KindName(existing.is_table), existing.name))
      .WithHint(std::string(hint));
}

}  // namespace

Status EngineImpl::MakeTopic(std::string_view topic, int32_t partitions, int64_t retention_ms,
                             bool compacted) {
  const int64_t forced = settings_.Number("test.partitions.override");
  TopicInfo info;
  info.name = topic;
  info.partitions = forced > 0 ? static_cast<int32_t>(forced) : std::max(partitions, 1);
  info.retention_ms = retention_ms;
  info.compacted = compacted;
  Status status = broker_->CreateTopic(info);
  return status.code() == ErrorCode::kAlreadyExists ? OkStatus() : std::move(status);
}

// Where queries have got to in a connector's rows depends on how these are divided.
Status EngineImpl::CheckPartitionsKept(const SourceEntry& before, const SourceEntry& after) const {
  if (before.connector.empty() || recovering_) return OkStatus();
  const auto count = [](const SourceEntry& source) {
    const auto found = source.connector.find("PARTITIONS");
    return found == source.connector.end() ? std::string("1") : found->second;
  };
  if (count(before) == count(after)) return OkStatus();
  std::vector<std::string> readers;
  for (const auto& [id, query] : catalog_.queries()) {
    if (std::ranges::find(query.reads, before.name) != query.reads.end()) readers.push_back(id);
  }
  if (readers.empty()) return OkStatus();
  return Status(
             ErrorCode::kPartitionsChanged,
             fmt::format("{} cannot have {} partitions in place of {}: its rows would be divided "
                         "anew under queries that read it: {}",
                         before.name, count(after), count(before), fmt::join(readers, ", ")))
      .WithHint("DROP what these queries make first, or leave PARTITIONS as it is");
}

Status EngineImpl::CreateSource(const ast::Statement& statement, StatementResult& result) {
  PlannerContext context = MakePlannerContext();
  const auto& create = statement.As<ast::CreateSource>();
  const std::string text = ast::FormatStatement(statement);
  const SourceEntry* existing = catalog_.FindSource(create.name.name);
  // The same words are the same source, whatever the file holds by now that columns were found in.
  if (existing != nullptr && !create.or_replace && context.sql_extensions &&
      text == (existing->written.empty() ? existing->sql : existing->written)) {
    result.message = fmt::format("{} exists and is the same", existing->name);
    return OkStatus();
  }
  // Nor does it matter then whether the file is there still.
  const bool same_kind =
      existing != nullptr && existing->is_table == (create.kind == ast::SourceKind::kTable);
  if (same_kind && create.if_not_exists && context.sql_extensions) {
    result.message = fmt::format("{} exists", existing->name);
    return OkStatus();
  }
  WEIR_RETURN_IF_ERROR(
      CheckNameNotBroken(create.name.name, create.or_replace, text, create.name.position));
  WEIR_ASSIGN_OR_RETURN(const std::optional<ast::Statement> completed, WithFoundColumns(statement));
  WEIR_ASSIGN_OR_RETURN(CreateSourcePlan plan,
                        PlanCreateSource(completed ? *completed : statement, context));
  SourceEntry& source = plan.source;
  if (existing != nullptr) {
    if (plan.if_not_exists) {
      result.message = fmt::format("{} exists", source.name);
      return OkStatus();
    }
    if (FormatSourceDdl(*existing) == FormatSourceDdl(source) && context.sql_extensions) {
      result.message = fmt::format("{} exists and is the same", source.name);
      return OkStatus();
    }
    if (!plan.or_replace) {
      return AlreadyExists(*existing, "write CREATE OR REPLACE to change it, or DROP it first")
          .At(statement.position);
    }
    WEIR_RETURN_IF_ERROR(CheckSchemaGrows(*existing, source));
    if (Status kept = CheckPartitionsKept(*existing, source); !kept.ok()) {
      return std::move(kept).At(create.name.position);
    }
  }
  // Columns that were inferred from a file are written down: the file may be gone at the next open.
  if (!source.connector.empty()) {
    source.sql = FormatSourceDdl(source);
    source.written = recovered_ != nullptr ? recovered_->written : text;
  } else if (completed) {
    source.written = text;
  } else if (recovered_ != nullptr && recovered_->kind == "source") {
    source.sql = recovered_->sql;  // As ALTER wrote it, word for word.
    source.written = recovered_->written;
  }
  if (Status kept = CheckReadsBack(source); !kept.ok()) {
    return std::move(kept).At(create.name.position);
  }
  WEIR_RETURN_IF_ERROR(PrepareSchemas(source, false));
  if (!source.dead_letter_topic.empty()) {
    WEIR_RETURN_IF_ERROR(MakeTopic(source.dead_letter_topic, 1, -1, false));
  }
  if (source.connector.empty()) {
    if (!broker_->DescribeTopic(source.topic).ok()) {
      WEIR_RETURN_IF_ERROR(
          MakeTopic(source.topic, plan.partitions, plan.retention_ms, source.is_table));
    }
    source.partitions = context.topic_partitions(source.topic).value_or(1);
  } else {
    source.partitions = 1;
  }
  const std::string name = source.name;
  const bool is_table = source.is_table;
  const bool keep = source.is_table && source.read_only;
  if (keep) source.is_materialized = true;
  const std::string sql = source.sql;
  const std::string written = source.written;
  const bool is_new = existing == nullptr;
  catalog_.PutSource(std::move(source));
  WEIR_RETURN_IF_ERROR(SaveStatement("source", name, sql, {.written = written}));
  if (Status started = keep ? StartSourceTable(*catalog_.FindSource(name)) : OkStatus();
      !started.ok()) {
    if (is_new) catalog_.RemoveSource(name);
    if (is_new && !recovering_) WEIR_RETURN_IF_ERROR(ForgetStatement("source", name));
    return started;
  }
  if (!recovering_) {
    for (const StoredStatement& stored : stored_) {
      if (stored.kind == "source" && stored.name == name) MarkMended(stored);
    }
    if (!is_new) WEIR_RETURN_IF_ERROR(RestartQueriesOf(name));
  }
  result.message = fmt::format("Created {} {}", KindName(is_table), name);
  return OkStatus();
}

Status EngineImpl::StartSourceTable(const SourceEntry& source) {
  WEIR_ASSIGN_OR_RETURN(PersistentQueryPlan plan, PlanKeptTable(source, MakePlannerContext()));
  const std::string id = plan.query_id;
  std::vector<PersistentQueryPlan> plans = {std::move(plan)};
  return StartQueries(id, plans, false);
}

QueryRuntimeOptions EngineImpl::OptionsOf(const std::string& id,
                                          const std::vector<PersistentQueryPlan>& plans) {
  QueryRuntimeOptions options;
  options.id = id;
  for (const PersistentQueryPlan& plan : plans) {
    options.roots.push_back(plan.root);
    options.root_ids.push_back(plan.query_id);
    options.fingerprint = options.fingerprint * kFingerprintFactor ^ plan.fingerprint;
    options.legacy_fingerprint =
        options.legacy_fingerprint * kFingerprintFactor ^ plan.legacy_fingerprint;
  }
  options.settings = settings_.ForQuery();
  options.broker = broker_;
  options.schemas = schemas_;
  options.clock = clock_.get();
  options.scheduler = scheduler_.get();
  options.memory_used = &memory_used_;
  options.is_largest = [this](int64_t bytes) {
    std::lock_guard lock(running_mutex_);
    return std::none_of(running_.begin(), running_.end(), [bytes](const RunningQuery& query) {
      return query.runtime->state_bytes() > bytes;
    });
  };
  options.log = [this](LogLevel level, std::string_view line) { Log(level, line); };
  return options;
}

Status EngineImpl::StartQueries(const std::string& id, std::vector<PersistentQueryPlan>& plans,
                                bool paused) {
  // Where the catalog stays with the state, it says whose that is; else the state itself does.
  bool bound = broker_->kind() != "kafka";
  std::optional<AgreedPlans> agreed;
  if (broker_->shares_work()) {
    WEIR_ASSIGN_OR_RETURN(agreed, AgreeOnPlans(id, plans));
  }
  Status fits;
  for (PersistentQueryPlan& plan : plans) {
    const std::string kept = KeptPlan(plan.query_id);
    bound &= !kept.empty();
    if (fits.ok() && !agreed) fits = FitToState(kept, plan);
  }
  if (!fits.ok() && !recovering_) return fits;
  QueryRuntimeOptions options = OptionsOf(id, plans);
  if (agreed) {
    options.fingerprint = agreed->fingerprint;
    options.plan_watch = std::move(agreed->watch);
  }
  options.refused = fits;
  options.bound_by_catalog = bound;
  for (const StoredStatement& stored : stored_) {
    if (stored.kind == "query" && stored.name == id) options.state_id = stored.state_id;
  }
  WEIR_ASSIGN_OR_RETURN(std::shared_ptr<QueryRuntime> runtime,
                        QueryRuntime::Make(std::move(options)));
  if (recovering_ && options_.paused && FindRunning(id) == nullptr && fits.ok()) {
    paused = true;  // For this opening only; RESUME opens it.
    if (bound) WEIR_RETURN_IF_ERROR(KeepPlans(id, plans));
  } else if (Status opened = runtime->Open(); !opened.ok()) {
    if (!recovering_) return opened;
    runtime->FailToOpen(std::move(opened));
  } else if (recovering_ || id.starts_with("CST_") || agreed) {
    WEIR_RETURN_IF_ERROR(KeepPlans(id, plans));
  }
  if (paused) runtime->Pause();
  lookups_.clear();
  {
    std::lock_guard lock(running_mutex_);
    RunningQuery* replaced = nullptr;
    for (RunningQuery& query : running_) {
      if (query.id == id) replaced = &query;
    }
    if (replaced != nullptr) {
      replaced->runtime = runtime;
      replaced->paused = paused;
    } else {
      running_.push_back({id, runtime, paused});
    }
  }
  if (scheduler_ != nullptr) scheduler_->Add(runtime);
  return OkStatus();
}

Status EngineImpl::StopQuery(std::string_view id, bool remove) {
  if (remove) WEIR_RETURN_IF_ERROR(StopRebuild(std::string(id)));
  lookups_.clear();
  std::shared_ptr<QueryRuntime> runtime;
  {
    std::lock_guard lock(running_mutex_);
    auto it = std::find_if(running_.begin(), running_.end(),
                           [&](const RunningQuery& query) { return query.id == id; });
    if (it == running_.end()) return OkStatus();
    runtime = it->runtime;
    if (remove) running_.erase(it);
  }
  if (scheduler_ != nullptr) scheduler_->Remove(runtime);
  Status committed =
      runtime->state() == QueryRuntime::State::kError ? OkStatus() : runtime->Commit();
  if (!committed.ok()) Log(LogLevel::kWarning, committed.ToString());
  runtime->Stop();
  return OkStatus();
}

Status EngineImpl::CheckReplacement(const PersistentQueryPlan& plan) const {
  const SourceEntry* existing = catalog_.FindSource(plan.sink_name);
  const QueryEntry* query = catalog_.FindQuery(plan.query_id);
  if (existing == nullptr) return OkStatus();
  if (existing->is_table != plan.sink->is_table) {
    return AlreadyExists(*existing, "a table cannot replace a stream, nor a stream a table");
  }
  WEIR_RETURN_IF_ERROR(CheckSchemaGrows(*existing, *plan.sink));
  if (query == nullptr) {
    return Status(
        ErrorCode::kIncompatibleChange,
        fmt::format("{} was not made by a query, so no query can replace it", existing->name));
  }
  return OkStatus();
}

// Puts a planned query and its sink into the catalog and makes the sink's topic.
Status EngineImpl::RegisterPlan(const PersistentQueryPlan& plan, const std::string& pipeline) {
  QueryEntry query{plan.query_id, plan.sql, plan.sink_name, plan.reads, pipeline};
  if (plan.sink) {
    SourceEntry sink = *plan.sink;
    if (sink.connector.empty() && !broker_->DescribeTopic(sink.topic).ok()) {
      WEIR_RETURN_IF_ERROR(
          MakeTopic(sink.topic, plan.partitions, plan.retention_ms, plan.compacted));
    }
    sink.partitions = MakePlannerContext().topic_partitions(sink.topic).value_or(1);
    sink.created_by_query = plan.query_id;
    sink.is_materialized = sink.is_table;
    catalog_.PutSource(std::move(sink));
  }
  catalog_.PutQuery(std::move(query));
  return OkStatus();
}

Status EngineImpl::CreateQuery(const ast::Statement& statement, StatementResult& result) {
  PlannerContext context = MakePlannerContext();
  Result<PersistentQueryPlan> planned = PlanPersistentQuery(statement, context);
  const Status refused = planned.status();
  if (!planned.ok()) planned = PlanOfKept(refused);
  WEIR_ASSIGN_OR_RETURN(PersistentQueryPlan plan, std::move(planned));
  result.query_id = plan.query_id;
  const QueryEntry* same = catalog_.FindQuery(plan.query_id);
  const SourceEntry* existing = plan.sink ? catalog_.FindSource(plan.sink_name) : nullptr;
  if (existing != nullptr && plan.if_not_exists) {
    result.message = fmt::format("{} exists", plan.sink_name);
    return OkStatus();
  }
  WEIR_RETURN_IF_ERROR(CheckNameNotBroken(plan.sink ? plan.sink_name : plan.query_id, false, {},
                                          statement.position));
  if (same == nullptr || same->sql != plan.sql) {
    if (Status kept = CheckReadsBack(plan); !kept.ok()) {
      return std::move(kept).At(statement.position);
    }
  }
  // OR REPLACE takes in columns that the sources have got since.
  const bool grown =
      plan.or_replace && existing != nullptr && existing->ToSchema() != plan.sink->ToSchema();
  // Or makes a query anew that cannot go on.
  const RunningQuery* running = plan.or_replace ? FindRunning(plan.query_id) : nullptr;
  const bool stuck =
      running != nullptr && running->runtime->error().code() == ErrorCode::kPlanChanged;
  const bool identical = same != nullptr && same->sql == plan.sql && !grown && !stuck;
  if (identical && context.sql_extensions) {
    // What was to replace it is not wanted any more.
    if (plan.or_replace) WEIR_RETURN_IF_ERROR(StopRebuild(plan.query_id));
    result.message = fmt::format("Query {} exists and is the same", plan.query_id);
    return OkStatus();
  }
  bool replaces = false;
  if (existing != nullptr) {
    if (!plan.or_replace) {
      return AlreadyExists(*existing, "write CREATE OR REPLACE to change it, or DROP it first")
          .At(statement.position);
    }
    WEIR_RETURN_IF_ERROR(CheckReplacement(plan));
    replaces = same != nullptr;
    if (replaces && IsRebuilding(plan)) {
      result.message = fmt::format("Table {} is being made anew already", plan.sink_name);
      return OkStatus();
    }
    if (replaces) {
      WEIR_RETURN_IF_ERROR(StopRebuild(plan.query_id));
      const std::string kept = KeptPlan(plan.query_id);
      WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> differs, StateDifferences(kept, plan));
      if (!differs.empty() && CanRebuild(plan)) return StartRebuild(plan, differs, result);
      WEIR_RETURN_IF_ERROR(CheckGoesOn(kept, plan));
    }
  } else if (same != nullptr) {
    // INSERT INTO: the id is made from the text, so ksqlDB's two identical ones need two names.
    if (context.sql_extensions) {
      return Status(ErrorCode::kAlreadyExists,
                    fmt::format("a query with this id exists and differs: {}", plan.query_id))
          .At(statement.position)
          .WithHint("choose another WITH (QUERY_ID='…')");
    }
    for (int n = 2; catalog_.FindQuery(plan.query_id) != nullptr; ++n) {
      plan.query_id = fmt::format("{}_{}", plan.query_id, n);
    }
  }
  if (plan.sink) WEIR_RETURN_IF_ERROR(PrepareSchemas(*plan.sink, true));
  const Catalog before = catalog_;
  if (replaces) WEIR_RETURN_IF_ERROR(StopQuery(plan.query_id, false));
  WEIR_RETURN_IF_ERROR(RegisterPlan(plan, ""));
  // Known to the catalog before it commits anything: a crash may not leave state that nobody owns.
  if (!replaces) WEIR_RETURN_IF_ERROR(SaveQuery(plan));
  std::vector<PersistentQueryPlan> plans = {plan};
  Status started = StartQueries(plan.query_id, plans, IsStoredPaused(plan.query_id));
  plan.root = plans[0].root;
  if (!started.ok()) {
    if (replaces) {
      catalog_ = before;
      WEIR_RETURN_IF_ERROR(StartAgain(plan.query_id));
      return started;
    }
    Unregister(plan);
    if (!recovering_) {
      WEIR_RETURN_IF_ERROR(ForgetStatement("query", plan.query_id, StateOfFailed(plan.query_id)));
    }
    return started;
  }
  if (replaces) WEIR_RETURN_IF_ERROR(SaveQuery(plan));
  if (!refused.ok()) {
    NotePlan(plan.query_id,
             fmt::format("this one does not plan its statement any more: {}", refused.message()));
  }
  result.message = plan.sink
                       ? fmt::format("Created {} {} with query {}", KindName(plan.sink->is_table),
                                     plan.sink_name, plan.query_id)
                       : fmt::format("Created query {}", plan.query_id);
  for (std::string& notice : NoticesOf(*plan.root)) result.notices.push_back(std::move(notice));
  if (const auto note = plan_notes_.find(plan.query_id); note != plan_notes_.end()) {
    result.notices.push_back(note->second);
  }
  return OkStatus();
}

// On Kafka a query that cannot be started may have state of an earlier run, which is not to be lost
// by trying.
std::string EngineImpl::StateOfFailed(const std::string& query_id) const {
  return broker_->kind() == "kafka" ? std::string() : query_id;
}

void EngineImpl::Unregister(const PersistentQueryPlan& plan) {
  catalog_.RemoveQuery(plan.query_id);
  plan_notes_.erase(plan.query_id);
  if (plan.sink) catalog_.RemoveSource(plan.sink_name);
}

Status EngineImpl::CreatePipeline(const ast::Statement& statement, StatementResult& result) {
  const auto& pipeline = statement.As<ast::Pipeline>();
  const std::string name = pipeline.name.name;
  const std::string sql = ast::FormatStatement(statement);
  for (const StoredStatement& stored : stored_) {
    if (stored.kind != "pipeline" || stored.name != name) continue;
    if (FindRunning(PipelineUnit(name)) == nullptr) break;  // Recovery is making it anew.
    if (stored.sql == sql || pipeline.if_not_exists) {
      result.message = fmt::format("Pipeline {} exists", name);
      return OkStatus();
    }
    return Status(ErrorCode::kAlreadyExists,
                  fmt::format("a pipeline with this name exists and differs: {}", name))
        .At(statement.position)
        .WithHint(fmt::format("DROP PIPELINE {} first", name));
  }
  WEIR_RETURN_IF_ERROR(CheckNameNotBroken(name, false, {}, statement.position));
  if (Status kept = CheckReadsBack("pipeline", name, sql); !kept.ok()) {
    return std::move(kept).At(statement.position);
  }
  const Catalog before = catalog_;
  StatementExtras extras;
  std::vector<PersistentQueryPlan> plans;
  auto plan_all = [&]() -> Status {
    for (const ast::Statement& inner : pipeline.statements) {
      if (inner.Is<ast::CreateSource>()) {
        StatementResult ignored;
        WEIR_RETURN_IF_ERROR(CreateSource(inner, ignored));
        continue;
      }
      if (!inner.Is<ast::CreateAsSelect>() && !inner.Is<ast::InsertInto>()) {
        return Status(ErrorCode::kInvalidStatement,
                      "a pipeline holds CREATE … AS SELECT and INSERT INTO … SELECT only")
            .At(inner.position);
      }
      WEIR_ASSIGN_OR_RETURN(PersistentQueryPlan plan,
                            PlanPersistentQuery(inner, MakePlannerContext()));
      if (plan.sink && catalog_.FindSource(plan.sink_name) != nullptr) {
        return AlreadyExists(*catalog_.FindSource(plan.sink_name), "DROP it first")
            .At(inner.position);
      }
      if (plan.sink) {
        WEIR_RETURN_IF_ERROR(CheckNameNotBroken(plan.sink_name, false, {}, inner.position));
      }
      if (Status kept = CheckReadsBack(plan); !kept.ok()) return std::move(kept).At(inner.position);
      if (plan.sink) WEIR_RETURN_IF_ERROR(PrepareSchemas(*plan.sink, true));
      WEIR_RETURN_IF_ERROR(RegisterPlan(plan, name));
      extras.known_columns.insert(plan.known_columns.begin(), plan.known_columns.end());
      extras.plans[plan.query_id] = WritePlan(*plan.root);
      plans.push_back(std::move(plan));
    }
    if (plans.empty()) {
      return Status(ErrorCode::kInvalidStatement, "a pipeline needs at least one query")
          .At(statement.position);
    }
    WEIR_RETURN_IF_ERROR(SaveStatement("pipeline", name, sql, extras));
    return StartQueries(PipelineUnit(name), plans, IsStoredPaused(name));
  };
  if (Status status = plan_all(); !status.ok()) {
    catalog_ = before;
    if (!recovering_) {
      WEIR_RETURN_IF_ERROR(ForgetStatement("pipeline", name, StateOfFailed(PipelineUnit(name))));
    }
    return status;
  }
  result.query_id = PipelineUnit(name);
  result.message = fmt::format("Created pipeline {} with {} queries", name, plans.size());
  for (const PersistentQueryPlan& plan : plans) {
    for (std::string& notice : NoticesOf(*plan.root)) result.notices.push_back(std::move(notice));
    if (const auto note = plan_notes_.find(plan.query_id); note != plan_notes_.end()) {
      result.notices.push_back(note->second);
    }
  }
  return OkStatus();
}

Status EngineImpl::InsertValues(const ast::Statement& statement, StatementResult& result) {
  WEIR_ASSIGN_OR_RETURN(InsertValuesPlan plan, PlanInsertValues(statement, MakePlannerContext()));
  const SourceEntry& source = *plan.source;
  if (!source.connector.empty()) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("rows cannot be inserted into {}: it reads a {}", source.name,
                              source.connector.at("CONNECTOR")))
        .At(statement.position);
  }
  RecordBatchBuilder record;
  int32_t partition = 0;
  WEIR_ASSIGN_OR_RETURN(TopicInfo info, broker_->DescribeTopic(source.topic));
  WEIR_RETURN_IF_ERROR(EncodeInsert(source, plan, clock_->NowMs(), info.partitions, schemas_.get(),
                                    record, &partition));
  WEIR_RETURN_IF_ERROR(broker_->AppendDurably(source.topic, partition, record));
  result.message = fmt::format("Inserted 1 row into {}", source.name);
  return OkStatus();
}

Status EngineImpl::AlterSource(const ast::Statement& statement, StatementResult& result) {
  WEIR_ASSIGN_OR_RETURN(SourceEntry changed, PlanAlterSource(statement, MakePlannerContext()));
  const std::string name = changed.name;
  const std::string sql = FormatSourceDdl(changed);
  changed.sql = sql;
  changed.written.clear();
  if (Status kept = CheckReadsBack(changed); !kept.ok()) {
    return std::move(kept).At(statement.position);
  }
  catalog_.PutSource(std::move(changed));
  WEIR_RETURN_IF_ERROR(SaveStatement("source", name, sql));
  WEIR_RETURN_IF_ERROR(RestartQueriesOf(name));
  result.message = fmt::format("Altered {}", name);
  return OkStatus();
}

Status EngineImpl::CreateType(const ast::Statement& statement, StatementResult& result) {
  const auto& create = statement.As<ast::CreateType>();
  const std::string& name = create.name.name;
  if (const StoredStatement* broken = recovering_ ? nullptr : FindBrokenType(name)) {
    return Status(ErrorCode::kAlreadyExists,
                  fmt::format("type {} is in ERROR, it could not be made again: {}", name,
                              broken->broken.message()))
        .At(statement.position)
        .WithHint(fmt::format("DROP TYPE {} first", name));
  }
  WEIR_ASSIGN_OR_RETURN(DataType type, ResolveType(create.type, catalog_));
  if (IsBuiltinType(name)) {
    return Status(ErrorCode::kReservedName, fmt::format("{} is a built-in type", name))
        .At(create.name.position)
        .WithHint("choose another name");
  }
  const std::string sql = ast::FormatStatement(statement);
  if (Status kept = CheckReadsBack("type", name, sql); !kept.ok()) {
    return std::move(kept).At(statement.position);
  }
  if (const DataType* existing = catalog_.FindType(name)) {
    result.message = fmt::format("Type {} exists", name);
    if (create.if_not_exists || *existing == type) return OkStatus();
    return Status(ErrorCode::kAlreadyExists,
                  fmt::format("a type with this name exists and differs: {}", name))
        .At(statement.position)
        .WithHint(fmt::format("DROP TYPE {} first", name));
  }
  catalog_.PutType(name, std::move(type));
  WEIR_RETURN_IF_ERROR(SaveStatement("type", name, sql));
  result.message = fmt::format("Created type {}", name);
  return OkStatus();
}

}  // namespace weir
