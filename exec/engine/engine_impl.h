#pragma once

// The engine behind the public header: one catalog, one broker, one scheduler, the running queries.
// Statements are executed one at a time under `statement_mutex_`; each kind has a file of its own.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exec/connect/topic.h"
#include "exec/engine/key_lookup.h"
#include "exec/engine/settings/settings.h"
#include "exec/formats/registry/memory_registry.h"
#include "exec/runtime/query/query_runtime.h"
#include "exec/runtime/scheduler.h"
#include "parser/ast/statement.h"
#include "parser/statement_splitter.h"
#include "planner/planner.h"
#include "planner/properties/with_properties.h"
#include "weir/engine.h"

namespace weir {

/// A query that runs, with what pull queries and dependants need to know of it.
struct RunningQuery {
  std::string id;  ///< Of the query, or of the pipeline.
  std::shared_ptr<QueryRuntime> runtime;
  bool paused = false;
};

/// Written plans by query id.
using KeptPlans = std::map<std::string, std::string, std::less<>>;

/// An object of the catalog as it is kept: the statement that makes it, in order of creation.
struct StoredStatement {
  int64_t number = 0;  ///< Position in the order of creation.
  std::string kind;    ///< "source", "query", "type", "pipeline".
  std::string name;    ///< Source, query id, type or pipeline.
  std::string sql;
  /// A source's statement as it was given, where `sql` says more; else empty.
  std::string written;
  /// Columns that the sources of a query had when it was made; empty if an earlier version made it.
  KnownColumns known_columns;
  /// The plans by which the query, or those of the pipeline, run, in their written form, by query;
  /// empty if a version before plans were kept made it, and for what is no query.
  KeptPlans plans;
  std::string state_id;  ///< What a query's state lies under; empty: its id.
  std::map<std::string, std::string, std::less<>> settings;  ///< In force when it was made.
  bool paused = false;
  /// Why it could not be made again, or OK. It is kept, and what depends on it is in ERROR too.
  Status broken;
};

/// What SaveStatement keeps beside the SQL.
struct StatementExtras {
  std::string written;
  KnownColumns known_columns;
  KeptPlans plans;
};

/// A table's query that is made anew beside the one it will replace (engine_rebuild.cc).
struct Rebuild {
  StoredStatement statement;              ///< Of kind "rebuild", under the name of the query.
  PersistentQueryPlan plan;               ///< As it will run.
  std::shared_ptr<QueryRuntime> runtime;  ///< Writes to a topic beside.
  std::shared_ptr<Scheduler::Job> watch;  ///< Sees when it has caught up.
  Status failed;                          ///< Why it did not take the other's place.
};

class PlanLog;
struct StateSignature;

class EngineImpl : public Engine {
 public:
  /// `manual` engines run no query by themselves: records are injected (conformance tests).
  static Result<std::unique_ptr<EngineImpl>> Make(EngineOptions options, bool manual);
  ~EngineImpl() override;

  Result<std::vector<StatementResult>> Execute(std::string_view sql, const CursorHandler& on_cursor,
                                               const ResultHandler& on_result) override;
  Result<std::unique_ptr<Cursor>> Query(std::string_view sql) override;
  Status Append(std::string_view topic, std::span<const Record> records) override;
  Status CreateTopic(std::string_view topic, int32_t partitions, bool if_not_exists) override;
  Result<TopicDescription> DescribeTopic(std::string_view topic) const override;
  Result<std::vector<TopicRecord>> ReadTopic(std::string_view topic) override;
  Result<std::string> Explain(std::string_view sql) override;
  Result<int64_t> RunUntilEnd(bool close_windows) override;
  void CancelWaits() override;
  EngineMetrics Metrics() const override;
  std::vector<SourceInfo> Sources() const override;
  Result<std::string> DumpCatalog() const override;
  std::vector<std::string> CompletionNames() const override;
  Status Close() override;

  /// For who encodes records outside of statements. kUnsupported where there is no registry.
  Result<std::shared_ptr<SchemaRegistry>> RegistryFor(const std::string& format);

  // For the conformance runner, which drives a manual engine.
  Broker& broker() { return *broker_; }
  const Catalog& catalog() const { return catalog_; }
  Settings& settings() { return settings_; }
  MemoryRegistry& schemas() { return *own_schemas_; }
  std::vector<RunningQuery>& running() { return running_; }
  Result<std::unique_ptr<Cursor>> OpenCursor(const ast::Statement& statement);
  /// The query behind the push cursor opened last, while that lives.
  std::shared_ptr<QueryRuntime> last_transient() const {
    return transients_.empty() ? nullptr : transients_.back().lock();
  }
  /// The pull query opened last read a stream's topic, not a table.
  bool last_pull_read_stream() const { return last_pull_read_stream_; }

 private:
  friend class StatementRunner;
  EngineImpl(EngineOptions options, bool manual);
  Status OpenBroker();
  /// For calls that do not hold statement_mutex_: the broker, which then stays until they are done;
  /// kClosed.
  Result<std::shared_ptr<Broker>> HoldBroker() const;
  // engine_recovery.cc: the catalog's objects made anew, and those that cannot be.
  Status Recover();
  /// Makes objects from their statements; those that fail are marked broken.
  void MakeAgain(const std::vector<StoredStatement>& statements);
  Status RecoverStatement(const StoredStatement& statement, const Settings& session);
  void MarkBroken(const StoredStatement& statement, Status cause);
  void MarkMended(const StoredStatement& statement);
  void NoteBrokenQueries();
  /// A kept query, or the queries of a kept pipeline, planned with what the catalog has now.
  Result<std::vector<PersistentQueryPlan>> PlanAgain(const StoredStatement& statement);
  /// Queries that read a source that was changed, or write to it, go on from their state with what
  /// it is now, as they would when the store is opened again.
  Status RestartQueriesOf(std::string_view source);
  Status RestartQuery(const StoredStatement& statement);
  Status TakeSettingsOf(const StoredStatement& statement);
  /// Tries broken objects again; notices say which are mended.
  void RetryBroken(StatementResult& result);
  /// By the name of a source, query or pipeline that it is or makes; null: none.
  const StoredStatement* FindBroken(std::string_view name) const;
  const StoredStatement* FindBrokenType(std::string_view name) const;
  /// kAlreadyExists for a name that a broken object has, unless it is a source that `text`, the
  /// same statement, or OR REPLACE would mend.
  Status CheckNameNotBroken(std::string_view name, bool or_replace, std::string_view text,
                            SourcePosition position) const;
  /// Takes a broken object out of the catalog; kHasDependants.
  Status DropBroken(const StoredStatement& broken, bool delete_topic, StatementResult& result);
  /// kInvalidStatement unless what would be kept reads back as the same object.
  Status CheckReadsBack(const SourceEntry& source) const;
  Status CheckReadsBack(const PersistentQueryPlan& plan) const;
  Status CheckReadsBack(std::string_view kind, std::string_view name, const std::string& sql) const;
  Result<ast::Statement> ParseOne(const StatementText& text) const;
  /// The handlers of an Execute, and how deep its script is called by others.
  struct Execution {
    const CursorHandler& on_cursor;
    const ResultHandler& on_result;
    int script_depth = 0;
  };
  Result<std::vector<StatementResult>> ExecuteAll(std::string_view sql, const Execution& execution);
  /// Takes statement_mutex_, but not while a handler runs. `*gave_rows`: a cursor was handed over.
  Status ExecuteText(const StatementText& text, const Execution& execution, bool* gave_rows,
                     StatementResult& result);
  Status ExecuteStatement(const ast::Statement& statement, StatementResult& result);
  Status ExecuteDefinition(const ast::Statement& statement, StatementResult& result);
  PlannerContext MakePlannerContext() const;

  // engine_definitions.cc: CREATE, INSERT, DROP, ALTER.
  Status CreateSource(const ast::Statement& statement, StatementResult& result);
  Status CreateQuery(const ast::Statement& statement, StatementResult& result);
  Status CreatePipeline(const ast::Statement& statement, StatementResult& result);
  Status InsertValues(const ast::Statement& statement, StatementResult& result);
  Status DropSource(const ast::Statement& statement, StatementResult& result);
  Status DropPipeline(const ast::Statement& statement, StatementResult& result);
  Status AlterSource(const ast::Statement& statement, StatementResult& result);
  Status CreateType(const ast::Statement& statement, StatementResult& result);
  Status DropType(const ast::Statement& statement, StatementResult& result);
  Status RegisterPlan(const PersistentQueryPlan& plan, const std::string& pipeline);
  void Unregister(const PersistentQueryPlan& plan);
  /// The query whose state goes with a statement that failed; empty: none does.
  std::string StateOfFailed(const std::string& query_id) const;
  Status CheckPartitionsKept(const SourceEntry& before, const SourceEntry& after) const;
  Status CheckReplacement(const PersistentQueryPlan& plan) const;

  // engine_schemas.cc: the schemas of topics.
  Status OpenSchemas();
  /// kUnsupported for a format that needs a registry where there is none.
  Status CheckHasSchemas(const std::string& format);
  /// The columns of a side by its schema in the registry; of a key without one none.
  Result<std::vector<ColumnSchema>> FindColumns(const std::string& topic, const std::string& format,
                                                bool is_key, bool unwrapped,
                                                const WithProperties& with);
  /// A CREATE STREAM or TABLE with the columns that the registry has and that it does not declare;
  /// nothing if it declares all.
  Result<std::optional<ast::Statement>> WithFoundColumns(const ast::Statement& statement);
  /// kFormatMismatch unless the sink's columns are those of the schema that its statement names.
  Status CheckGivenSchema(const SourceEntry& sink, bool is_key);
  Result<bool> HasSchema(const ast::AssertSchema& assertion);
  /// Checks and registers the schemas of a new source or sink.
  Status PrepareSchemas(const SourceEntry& source, bool is_sink);

  // engine_plans.cc: which plan goes on from the state that a query has.
  /// The plan that a query of the catalog runs by; empty: none is kept.
  std::string KeptPlan(std::string_view query_id) const;
  /// A query of the catalog that this version does not plan any more, by the plan that it has; else
  /// `cause`, which says why.
  Result<PersistentQueryPlan> PlanOfKept(Status cause) const;
  /// Where the plan's state has the signature of the kept one's, the plan with the stores of that;
  /// at reopening else the kept plan itself, with a note. kPlanChanged if that cannot run either.
  Status FitToState(const std::string& kept, PersistentQueryPlan& plan);
  /// kIncompatibleChange unless the plan can go on from the state of the kept one.
  Status CheckGoesOn(const std::string& kept, const PersistentQueryPlan& plan) const;
  /// What of the kept plan's state the plan would have otherwise; empty: nothing.
  Result<std::vector<std::string>> StateDifferences(const std::string& kept,
                                                    const PersistentQueryPlan& plan) const;
  /// What the state of a query lies under.
  static std::string StateIdOf(const StoredStatement& query);
  /// Keeps the plans that a unit of queries has come to run by.
  Status KeepPlans(std::string_view unit, const std::vector<PersistentQueryPlan>& plans);
  /// A query's statement and plan, in the catalog.
  Status SaveQuery(const PersistentQueryPlan& plan);
  /// A query that was stopped for one that could not start goes on by the plan it has.
  Status StartAgain(const std::string& query_id);
  /// The query of `plan` runs by a kept plan, and its sink is as that says.
  void GoOnBy(const physical::NodePtr& kept, PersistentQueryPlan& plan);
  /// A store of a kept plan whose entries this version does not read, in words; empty: none.
  static std::string UnreadableStore(const StateSignature& kept);
  /// Notes that a query runs by the plan of an earlier version.
  void NotePlan(const std::string& query_id, const std::string& why);
  void NotePlanText(const std::string& query_id, std::string text);
  void AddPlanNotes(StatementResult& result) const;

  // engine_shared_plans.cc: the plan that all copies of an application run a unit of queries by.
  struct AgreedPlans {
    uint64_t fingerprint = 0;
    PlanWatch watch;
  };
  /// Gives `plans` the roots that all copies run: those of `plans` where they go on from the state
  /// and no other copy runs others, else those that are kept, with notes. Nothing where copies need
  /// no agreement: the unit keeps no state that travels, or does not share its work.
  Result<std::optional<AgreedPlans>> AgreeOnPlans(const std::string& unit,
                                                  std::vector<PersistentQueryPlan>& plans);
  Result<QueryStages> StagesOf(const std::vector<PersistentQueryPlan>& plans) const;
  Result<bool> CopiesRun(const std::string& unit, size_t stages) const;
  Result<bool> HasStateOnKafka(const std::string& unit, const QueryStages& stages) const;
  Status FitToCopies(const std::string& unit, PlanLog& log,
                     std::vector<PersistentQueryPlan>& plans);
  /// Gives `plans` the roots of `kept`, with a note where they had others.
  void RunByKept(const std::vector<PersistentQueryPlan>& kept,
                 std::vector<PersistentQueryPlan>& plans, const std::string& why);

  // engine_rebuild.cc: queries that are made anew beside those that they will replace.
  bool CanRebuild(const PersistentQueryPlan& plan) const;
  /// By this very statement.
  bool IsRebuilding(const PersistentQueryPlan& plan) const;
  /// `differs` says why the state of the running query is of no use, for the statement's notices.
  Status StartRebuild(const PersistentQueryPlan& plan, const std::vector<std::string>& differs,
                      StatementResult& result);
  Status RunRebuild(Rebuild rebuild);
  /// Goes on with those that a store was left with.
  Status ResumeRebuilds(std::vector<StoredStatement> statements);
  /// Swaps the query in once it has caught up; milliseconds until it is to be looked at again.
  int64_t LookAtRebuild(const std::string& query_id, int64_t number);
  static bool HasCaughtUp(const QueryRuntime& made, const QueryRuntime& old);
  Status SwapIn(Rebuild& rebuild);
  /// Gives up what was to replace a query.
  Status StopRebuild(const std::string& query_id);
  Status WaitForRebuilds();
  Status MakeTopic(std::string_view topic, int32_t partitions, int64_t retention_ms,
                   bool compacted);
  /// Starts queries `plans` as one unit with id `id`, at its old place in the order if it had one.
  /// Those whose state is there get the plan that goes on from it (FitToState).
  Status StartQueries(const std::string& id, std::vector<PersistentQueryPlan>& plans, bool paused);
  Status StartSourceTable(const SourceEntry& source);
  /// Stops a query for good (`remove`) or to be replaced. Its state stays until its statement goes.
  Status StopQuery(std::string_view id, bool remove);

  // engine_control.cc: TERMINATE, PAUSE, RESUME, SET, DEFINE, ASSERT, RUN SCRIPT.
  Status ControlQueries(const ast::Statement& statement, StatementResult& result);
  Status ControlBroken(ast::ControlKind kind, const StoredStatement& broken,
                       StatementResult& result);
  Status ControlOne(ast::ControlKind kind, const std::string& id, StatementResult& result);
  Status SetProperty(const ast::Statement& statement, StatementResult& result);
  /// "id 3, AVRO, the newest of subject t-value"; empty for formats without schemas.
  std::string DescribeSchema(const SourceEntry& source, bool is_key);
  Status AssertSchema(const ast::Statement& statement, StatementResult& result);
  Status AssertTopic(const ast::Statement& statement, StatementResult& result);
  Status AssertSource(const ast::Statement& statement, StatementResult& result);
  Status RunScript(const ast::Statement& statement, const Execution& execution,
                   StatementResult& result);

  // engine_listings.cc: SHOW, DESCRIBE, EXPLAIN.
  Status Show(const ast::Statement& statement, StatementResult& result);
  Status ShowSchemas(const ast::Statement& statement, StatementResult& result);
  Status ShowCreate(const ast::Statement& statement, StatementResult& result);
  Status Describe(const ast::Statement& statement, StatementResult& result);
  Status ExplainStatement(const ast::Statement& statement, StatementResult& result);

  // engine_cursors.cc: SELECT and PRINT.
  Result<std::unique_ptr<Cursor>> OpenPushQuery(const ast::Statement& statement);
  /// A cursor for a statement whose shape was prepared; null: it has to be planned.
  std::unique_ptr<Cursor> OpenPrepared(const std::optional<StatementShape>& shape);
  /// Keeps what OpenPullQuery has just prepared.
  void KeepPrepared(const std::optional<StatementShape>& shape);
  QueryRuntimeOptions OptionsOf(const std::string& id,
                                const std::vector<PersistentQueryPlan>& plans);
  QueryRuntimeOptions TransientOptions(const physical::NodePtr& root);
  void NoteTransient(const std::shared_ptr<QueryRuntime>& query);
  Result<std::unique_ptr<Cursor>> OpenPrint(const ast::Statement& statement);

  // bounded_select.cc: SELECT without EMIT.
  Result<std::unique_ptr<Cursor>> OpenPullQuery(const ast::Statement& statement);
  std::string KeeperOf(const SourceEntry& table) const;
  void CollectMakers(const std::string& source,
                     std::vector<std::shared_ptr<QueryRuntime>>& makers) const;

  RunningQuery* FindRunning(std::string_view id);
  const RunningQuery* FindRunning(std::string_view id) const;
  Status SaveStatement(std::string_view kind, std::string_view name, std::string_view sql,
                       StatementExtras extras = {});
  /// Takes a statement out of the catalog and, in the same commit, the state of query `state_of`.
  Status ForgetStatement(std::string_view kind, std::string_view name,
                         std::string_view state_of = {});
  /// Puts a source's statement in the place of the query's that made it, and drops the state.
  Status KeepSinkOf(std::string_view query_id, std::string_view source, std::string_view sql);
  /// kHasDependants if other streams and tables use the topic of `source`.
  Status CheckTopicUnused(const SourceEntry& source) const;
  /// On Kafka: deletes the internal topics and groups of a query that was stopped for good, unless
  /// other copies run it still.
  Status DropInternals(const std::string& query_id, StatementResult& result);
  Status SavePaused(const std::string& name, bool paused);
  bool IsStoredPaused(std::string_view name) const;
  Status PersistCatalog(const StoredStatement* put, int64_t remove, std::string_view state_of = {});
  void Log(LogLevel level, std::string_view line) const;
  Status WaitForQuery(QueryRuntime& runtime,
                      const std::map<std::string, std::vector<int64_t>>& ends);

  EngineOptions options_;
  const bool manual_;
  std::shared_ptr<const Clock> clock_;
  mutable std::mutex log_mutex_;
  std::shared_ptr<Broker> broker_;               // Null once closed; changed under both mutexes.
  mutable std::mutex broker_mutex_;              // For calls that do not hold statement_mutex_.
  std::shared_ptr<SchemaRegistry> schemas_;      // Null on Kafka without a URL.
  std::shared_ptr<MemoryRegistry> own_schemas_;  // The same, where it is the one inside Weir.
  const std::shared_ptr<std::atomic<Compatibility>> compatibility_ =
      std::make_shared<std::atomic<Compatibility>>(Compatibility::kBackward);
  std::atomic<int64_t> memory_used_{0};  // By state; what SELECTs need besides:
  std::atomic<int64_t> select_memory_used_{0};
  Settings settings_;
  std::map<std::string, std::string, std::less<>> variables_;
  Catalog catalog_;
  std::vector<StoredStatement> stored_;
  int64_t next_number_ = 0;
  std::vector<RunningQuery> running_;  // In order of creation; under running_mutex_.
  mutable std::mutex running_mutex_;
  /// Of queries that run by the plan of an earlier version: why, by id.
  std::map<std::string, std::string, std::less<>> plan_notes_;
  std::map<std::string, Rebuild, std::less<>> rebuilds_;  // By the id of what they will replace.
  mutable std::recursive_mutex statement_mutex_;
  std::unique_ptr<Scheduler> scheduler_;  // Null for manual engines.
  std::atomic<bool> cancel_waits_{false};
  std::atomic<bool> cancel_statement_{false};  // Of the statement at hand.
  std::atomic<int64_t> next_transient_{0};
  std::vector<std::weak_ptr<QueryRuntime>> transients_;  // Behind push cursors, oldest first.
  bool last_pull_read_stream_ = false;
  // Look-ups by key that need no planning, by shape; until a statement may change what they mean.
  std::unordered_map<std::string, std::shared_ptr<const KeyLookup>> lookups_;
  const std::shared_ptr<std::atomic<bool>> lookups_closed_ =
      std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<KeyLookup> prepared_;  // By the pull query opened last; null: none.
  std::optional<Value> prepared_key_;
  std::atomic<bool> closed_{false};
  bool recovering_ = false;  // A query that cannot start is then in ERROR, and the engine opens.
  const StoredStatement* recovered_ = nullptr;  // Is being made again.
  std::vector<QueryMetrics> broken_queries_;    // Under running_mutex_.
};

/// Rows of texts as a batch, for SHOW and the like.
std::shared_ptr<const Batch> MakeTextRows(const std::vector<std::string>& columns,
                                          const std::vector<std::vector<std::string>>& rows);

}  // namespace weir
