#include "exec/engine/engine_impl.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/runtime/guarded.h"
#include "parser/parser.h"
#include "parser/source_text.h"
#include "parser/variable_substitution.h"

namespace weir {
namespace {

class SystemClock : public Clock {
 public:
  int64_t NowMs() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<EngineImpl> engine,
                        EngineImpl::Make(std::move(options), false));
  return std::unique_ptr<Engine>(std::move(engine));
}

Result<std::unique_ptr<EngineImpl>> EngineImpl::Make(EngineOptions options, bool manual) {
  std::unique_ptr<EngineImpl> engine(new EngineImpl(std::move(options), manual));
  WEIR_RETURN_IF_ERROR(Guarded([&]() -> Status {
    if (!manual) WEIR_RETURN_IF_ERROR(Scheduler::CheckThreads(engine->options_.threads));
    for (const auto& [name, value] : engine->options_.settings) {
      std::string notice;
      WEIR_RETURN_IF_ERROR(engine->settings_.Set(name, value, true, &notice));
      if (!notice.empty()) engine->Log(LogLevel::kWarning, notice);
    }
    WEIR_RETURN_IF_ERROR(engine->OpenBroker());
    WEIR_RETURN_IF_ERROR(engine->OpenSchemas());
    if (!manual) {
      WEIR_ASSIGN_OR_RETURN(engine->scheduler_, Scheduler::Start(engine->options_.threads));
    }
    return engine->Recover();
  }));
  return engine;
}

EngineImpl::EngineImpl(EngineOptions options, bool manual)
    : options_(std::move(options)), manual_(manual), clock_(options_.clock) {
  if (clock_ == nullptr) clock_ = std::make_shared<SystemClock>();
  if (options_.threads <= 0) {
    options_.threads = std::max(1u, std::thread::hardware_concurrency());
  }
}

EngineImpl::~EngineImpl() {
  Status ignored = Close();
  static_cast<void>(ignored);
}

void EngineImpl::Log(LogLevel level, std::string_view line) const {
  if (!options_.logger || level < options_.log_level) return;
  std::lock_guard lock(log_mutex_);
  options_.logger(level, line);
}

Status EngineImpl::OpenBroker() {
  if (!options_.directory.empty() && !options_.brokers.empty()) {
    return Status(ErrorCode::kInvalidOption,
                  "an engine works on a directory or on Kafka brokers, not on both");
  }
  BrokerOptions broker;
  broker.directory = options_.directory;
  broker.brokers = options_.brokers;
  broker.application_id = options_.application_id;
  broker.state_dir = options_.state_dir;
  broker.kafka = options_.kafka;
  broker.application_server = settings_.Get("application.server");
  broker.sync_commits = settings_.Get("durability") == "power";
  broker.memory_limit = settings_.ForQuery().memory_limit;
  broker.log = [this](int level, std::string_view line) {
    Log(static_cast<LogLevel>(std::clamp(level, 0, 5)), line);
  };
  broker.now_ms = [clock = clock_] { return clock->NowMs(); };
  Result<std::unique_ptr<Broker>> opened = !options_.brokers.empty()    ? OpenKafkaBroker(broker)
                                           : options_.directory.empty() ? OpenMemoryBroker(broker)
                                                                        : OpenLocalBroker(broker);
  WEIR_ASSIGN_OR_RETURN(broker_, std::move(opened));
  return OkStatus();
}

Result<ast::Statement> EngineImpl::ParseOne(const StatementText& text) const {
  std::string sql = text.text;
  if (settings_.Flag("variable.substitution.enable")) {
    std::vector<std::string> names;
    for (const auto& [name, value] : variables_) names.push_back(name);
    WEIR_ASSIGN_OR_RETURN(sql, SubstituteVariables(
                                   text.text,
                                   [&](std::string_view name) -> const std::string* {
                                     auto it = variables_.find(name);
                                     return it == variables_.end() ? nullptr : &it->second;
                                   },
                                   names));
  }
  WEIR_ASSIGN_OR_RETURN(ast::Statement statement, ParseStatement(sql));
  SpellCustomTypes(statement, catalog_);
  return statement;
}

namespace {

// Errors of a statement count lines from its own begin; callers want those of the whole text.
Status Shift(Status status, const StatementText& text, int number) {
  Status placed = WithSourceLineOf(std::move(status), text.text);
  if (!placed.position()) return placed;
  SourcePosition position = *placed.position();
  const bool first_line = position.line == 1;
  position.line += text.position.line - 1;
  position.statement = number;
  std::string line = placed.source_line();
  if (first_line && text.position.column > 1) {
    // The line as shown starts with the statement; pad it so that the caret stands right.
    position.column += text.position.column - 1;
    line = std::string(text.position.column - 1, ' ') + line;
  }
  return Status(placed.code(), placed.message())
      .At(position)
      .WithSourceLine(std::move(line))
      .WithHint(placed.hint());
}

}  // namespace

Status EngineImpl::ExecuteText(const StatementText& text, const Execution& execution,
                               bool* gave_rows, StatementResult& result) {
  result.statement = text.text;
  std::unique_ptr<Cursor> cursor;
  std::optional<ast::Statement> script;
  {
    std::lock_guard lock(statement_mutex_);
    if (closed_) return Status(ErrorCode::kClosed, "the engine is closed");
    const InterruptScope interruptible(cancel_statement_);
    WEIR_RETURN_IF_ERROR(Guarded([&]() -> Status {
      WEIR_ASSIGN_OR_RETURN(ast::Statement statement, ParseOne(text));
      const bool rows = statement.Is<ast::Select>() || statement.Is<ast::Print>();
      if (rows && !execution.on_cursor) {
        return Status(ErrorCode::kUsage,
                      "this statement gives rows: run it through Query, or give "
                      "Execute a cursor handler")
            .At(statement.position);
      }
      if (rows) {
        WEIR_ASSIGN_OR_RETURN(cursor, OpenCursor(statement));
      } else if (statement.Is<ast::RunScript>()) {
        script = std::move(statement);
      } else {
        return ExecuteStatement(statement, result);
      }
      return OkStatus();
    }));
  }
  if (script) return RunScript(*script, execution, result);
  if (cursor == nullptr) return OkStatus();
  *gave_rows = true;
  return Guarded([&] { return execution.on_cursor(text.text, *cursor); });
}

Result<std::vector<StatementResult>> EngineImpl::Execute(std::string_view sql,
                                                         const CursorHandler& on_cursor,
                                                         const ResultHandler& on_result) {
  cancel_statement_ = false;
  return ExecuteAll(sql, {on_cursor, on_result});
}

Result<std::vector<StatementResult>> EngineImpl::ExecuteAll(std::string_view sql,
                                                            const Execution& execution) {
  if (closed_) return Status(ErrorCode::kClosed, "the engine is closed");
  StatementSplitter splitter;
  splitter.Add(sql);
  std::vector<StatementResult> results;
  int number = 0;
  while (true) {
    std::optional<StatementText> text = splitter.Next();
    if (!text) text = splitter.TakeRest();
    if (!text) break;
    StatementResult result;
    bool gave_rows = false;
    Status status = ExecuteText(*text, execution, &gave_rows, result);
    if (!status.ok()) return Shift(std::move(status), *text, number);
    if (execution.on_result && !gave_rows) execution.on_result(result);
    results.push_back(std::move(result));
    ++number;
  }
  return results;
}

Result<std::unique_ptr<Cursor>> EngineImpl::Query(std::string_view sql) {
  std::lock_guard lock(statement_mutex_);
  if (closed_) return Status(ErrorCode::kClosed, "the engine is closed");
  cancel_statement_ = false;
  const std::optional<StatementShape> shape = ShapeOf(sql);
  if (std::unique_ptr<Cursor> prepared = OpenPrepared(shape)) return prepared;
  prepared_ = nullptr;
  StatementSplitter splitter;
  splitter.Add(sql);
  std::optional<StatementText> text = splitter.Next();
  if (!text) text = splitter.TakeRest();
  if (!text) return Status(ErrorCode::kUsage, "Query takes one SELECT or PRINT, not an empty text");
  std::unique_ptr<Cursor> cursor;
  const InterruptScope interruptible(cancel_statement_);
  Status status = Guarded([&]() -> Status {
    WEIR_ASSIGN_OR_RETURN(ast::Statement statement, ParseOne(*text));
    WEIR_ASSIGN_OR_RETURN(cursor, OpenCursor(statement));
    return OkStatus();
  });
  if (!status.ok()) return Shift(std::move(status), *text, 0);
  KeepPrepared(shape);
  return cursor;
}

Status EngineImpl::ExecuteStatement(const ast::Statement& statement, StatementResult& result) {
  using namespace ast;
  if (!statement.Is<ast::InsertValues>()) lookups_.clear();
  if (statement.Is<ControlQuery>()) return ControlQueries(statement, result);
  if (statement.Is<ast::SetProperty>() || statement.Is<UnsetProperty>() ||
      statement.Is<DefineVariable>() || statement.Is<UndefineVariable>()) {
    return SetProperty(statement, result);
  }
  if (statement.Is<ast::Show>()) return Show(statement, result);
  if (statement.Is<ast::ShowCreate>()) return ShowCreate(statement, result);
  if (statement.Is<ast::Describe>()) return Describe(statement, result);
  if (statement.Is<ast::Explain>()) return ExplainStatement(statement, result);
  if (statement.Is<ast::AssertSchema>()) return AssertSchema(statement, result);
  if (statement.Is<ast::AssertTopic>()) return AssertTopic(statement, result);
  if (statement.Is<ast::AssertSource>()) return AssertSource(statement, result);
  WEIR_RETURN_IF_ERROR(ExecuteDefinition(statement, result));
  if (!statement.Is<ast::InsertValues>()) RetryBroken(result);
  return OkStatus();
}

Status EngineImpl::ExecuteDefinition(const ast::Statement& statement, StatementResult& result) {
  using namespace ast;
  if (statement.Is<ast::CreateSource>()) return CreateSource(statement, result);
  if (statement.Is<CreateAsSelect>() || statement.Is<InsertInto>()) {
    return CreateQuery(statement, result);
  }
  if (statement.Is<Pipeline>()) return CreatePipeline(statement, result);
  if (statement.Is<ast::InsertValues>()) return InsertValues(statement, result);
  if (statement.Is<ast::DropSource>()) return DropSource(statement, result);
  if (statement.Is<ast::DropPipeline>()) return DropPipeline(statement, result);
  if (statement.Is<ast::AlterSource>()) return AlterSource(statement, result);
  if (statement.Is<ast::CreateType>()) return CreateType(statement, result);
  if (statement.Is<ast::DropType>()) return DropType(statement, result);
  std::string_view what = "this statement";
  if (statement.Is<DeleteFrom>()) what = "DELETE FROM";
  if (statement.Is<AlterSystem>()) what = "ALTER SYSTEM";
  if (statement.Is<CreateConnector>()) what = "CREATE CONNECTOR";
  if (statement.Is<DropConnector>()) what = "DROP CONNECTOR";
  if (statement.Is<AssertValues>()) what = "ASSERT VALUES";
  if (statement.Is<AssertNullValues>()) what = "ASSERT NULL VALUES";
  return Status(ErrorCode::kUnsupported, fmt::format("{} is not built yet", what))
      .At(statement.position);
}

PlannerContext EngineImpl::MakePlannerContext() const {
  PlannerContext context;
  context.catalog = &catalog_;
  context.functions = &BuiltinFunctions();
  for (const SettingRow& row : SettingRows()) {
    context.properties[std::string(row.name)] = settings_.Get(row.name);
  }
  for (const auto& [name, value] : settings_.given()) context.properties[name] = value;
  context.topic_partitions = [this](std::string_view topic) -> std::optional<int32_t> {
    Result<TopicInfo> info = broker_->DescribeTopic(topic);
    if (info.ok()) return info->partitions;
    // Test engines make the topics that sources name.
    const auto forced = static_cast<int32_t>(settings_.Number("test.partitions.override"));
    if (forced > 0) return forced;
    return manual_ ? std::optional<int32_t>(1) : std::nullopt;
  };
  context.infer_columns = [](std::string_view source,
                             std::map<std::string, std::string>& properties) {
    ConnectorSpec spec{std::string(source), properties, {}};
    Result<std::vector<ColumnSchema>> columns = InferConnectorColumns(spec);
    properties = spec.properties;
    return columns;
  };
  context.keeper_of = [this](const SourceEntry& table) { return KeeperOf(table); };
  context.sql_extensions = settings_.Flag("sql.extensions");
  if (recovered_ != nullptr) {
    context.known_columns = recovered_->known_columns;
    context.first_placement = recovered_->plans.empty();
    if (recovered_->kind == "query") context.kept_query_id = recovered_->name;
  }
  if (!context.sql_extensions) context.functions = &DialectFunctions();
  return context;
}

EngineMetrics EngineImpl::Metrics() const {
  std::lock_guard lock(running_mutex_);
  EngineMetrics metrics;
  metrics.memory_bytes = memory_used_ + select_memory_used_;
  for (const RunningQuery& query : running_) query.runtime->FillMetrics(metrics.queries);
  metrics.queries.insert(metrics.queries.end(), broken_queries_.begin(), broken_queries_.end());
  for (QueryMetrics& query : metrics.queries) {
    if (query.state != "PAUSED" && query.state != "ERROR") continue;
    for (TaskMetrics& task : query.tasks) task.state = query.state;
  }
  return metrics;
}

void EngineImpl::CancelWaits() { cancel_waits_ = cancel_statement_ = true; }

Status EngineImpl::Close() {
  std::lock_guard lock(statement_mutex_);
  if (closed_) return OkStatus();
  closed_ = true;
  *lookups_closed_ = true;
  lookups_.clear();
  prepared_ = nullptr;
  Status first;
  if (scheduler_ != nullptr) {
    std::vector<std::shared_ptr<Scheduler::Job>> jobs;
    for (const RunningQuery& query : running_) jobs.push_back(query.runtime);
    for (const auto& [id, rebuild] : rebuilds_) {
      jobs.insert(jobs.end(), {rebuild.watch, rebuild.runtime});
    }
    for (const auto& transient : transients_) {
      if (auto query = transient.lock()) jobs.push_back(std::move(query));
    }
    scheduler_->RemoveAll(jobs);
  }
  for (RunningQuery& query : running_) {
    if (query.runtime->state() != QueryRuntime::State::kError) {
      Status status = query.runtime->Commit();
      if (first.ok()) first = std::move(status);
    }
    query.runtime->Stop();
  }
  for (auto& [id, rebuild] : rebuilds_) {
    if (rebuild.runtime->state() != QueryRuntime::State::kError) {
      Status status = rebuild.runtime->Commit();
      if (first.ok()) first = std::move(status);
    }
    rebuild.runtime->Stop();
  }
  rebuilds_.clear();
  {
    std::lock_guard running_lock(running_mutex_);
    running_.clear();
  }
  if (scheduler_ != nullptr) scheduler_->Stop();
  // Cursors may outlive the closing, and still know it.
  for (const std::weak_ptr<QueryRuntime>& transient : transients_) {
    const std::shared_ptr<QueryRuntime> query = transient.lock();
    if (query == nullptr) continue;
    query->StopWithError(Status(ErrorCode::kClosed, "the engine is closed"));
  }
  if (broker_ != nullptr) {
    Status status = broker_->Close();
    if (first.ok()) first = std::move(status);
  }
  std::lock_guard broker_lock(broker_mutex_);
  broker_.reset();
  return first;
}

Result<std::shared_ptr<Broker>> EngineImpl::HoldBroker() const {
  std::lock_guard lock(broker_mutex_);
  if (closed_ || broker_ == nullptr) return Status(ErrorCode::kClosed, "the engine is closed");
  return broker_;
}

RunningQuery* EngineImpl::FindRunning(std::string_view id) {
  for (RunningQuery& query : running_) {
    if (query.id == id) return &query;
    const auto& roots = query.runtime->root_ids();
    if (std::find(roots.begin(), roots.end(), id) != roots.end()) return &query;
  }
  return nullptr;
}

const RunningQuery* EngineImpl::FindRunning(std::string_view id) const {
  return const_cast<EngineImpl*>(this)->FindRunning(id);
}

}  // namespace weir
