// The catalog's objects made anew from their statements, when a store is opened and later: what
// cannot be made is kept, in ERROR, and so is what depends on it; all else works. And the check,
// before a statement is kept, that it will read back.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "exec/engine/source_ddl.h"
#include "exec/runtime/guarded.h"
#include "parser/ast/printer.h"
#include "parser/parser.h"
#include "planner/physical/plan_text.h"

namespace weir {
namespace {

// While it lives, a query that cannot start is in ERROR, and the statement goes on.
class RecoveryScope {
 public:
  explicit RecoveryScope(bool& recovering) : recovering_(recovering) { recovering_ = true; }
  ~RecoveryScope() { recovering_ = false; }
  RecoveryScope(const RecoveryScope&) = delete;
  RecoveryScope& operator=(const RecoveryScope&) = delete;

 private:
  bool& recovering_;
};

Status ReadsBackOtherwise(std::string_view kind, std::string_view name, std::string_view how) {
  return Status(ErrorCode::kInvalidStatement,
                fmt::format("{} {} cannot be kept, as its statement would not read back: {}", kind,
                            name, how))
      .WithHint("plain names, and columns listed in the statement, can always be kept");
}

bool SameColumns(const SourceEntry& a, const SourceEntry& b) {
  return std::ranges::equal(a.columns, b.columns, [](const auto& x, const auto& y) {
    return x.name == y.name && x.type == y.type && x.is_key == y.is_key &&
           x.is_headers == y.is_headers && x.header_key == y.header_key;
  });
}

// What differs between a source and the one that its kept statement makes, or nothing. The
// statement of a connector says some more properties than were given.
std::string_view FindDifference(const SourceEntry& kept, const SourceEntry& made) {
  if (kept.name != made.name) return "its name";
  if (kept.is_table != made.is_table || kept.read_only != made.read_only) return "its kind";
  if (kept.topic != made.topic) return "its topic";
  if (!SameColumns(kept, made)) return "its columns";
  if (kept.key_format != made.key_format) return "its key format";
  if (kept.value_format != made.value_format) return "its value format";
  if (kept.windowed_key != made.windowed_key || kept.window_size_ms != made.window_size_ms) {
    return "its window";
  }
  if (kept.time_source != made.time_source || kept.time_column != made.time_column ||
      kept.time_format != made.time_format) {
    return "its timestamp";
  }
  if (kept.on_error != made.on_error || kept.dead_letter_topic != made.dead_letter_topic) {
    return "ON_ERROR";
  }
  const bool same = std::ranges::all_of(kept.connector, [&](const auto& property) {
    const auto found = made.connector.find(property.first);
    return found != made.connector.end() && found->second == property.second;
  });
  return same ? "" : "its properties";
}

std::string BrokenText(std::string_view name, const Status& cause) {
  return fmt::format("{} is in ERROR, it could not be made again: {}", name, cause.message());
}

}  // namespace

Status EngineImpl::Recover() {
  if (broker_->kind() == "memory" || broker_->kind() == "kafka") return OkStatus();
  WEIR_ASSIGN_OR_RETURN(std::vector<StoredStatement> loaded, LoadStatements(broker_->state()));
  std::vector<StoredStatement> rebuilds;
  for (StoredStatement& statement : loaded) {
    next_number_ = std::max(next_number_, statement.number + 1);
    (statement.kind == "rebuild" ? rebuilds : stored_).push_back(std::move(statement));
  }
  MakeAgain(stored_);
  for (const StoredStatement& statement : stored_) {
    if (statement.broken.ok()) continue;
    Log(LogLevel::kError,
        BrokenText(fmt::format("{} {}", statement.kind, statement.name), statement.broken));
  }
  return ResumeRebuilds(std::move(rebuilds));
}

// A statement that was replaced may read what was made after it, so those that fail are tried again
// behind the others.
void EngineImpl::MakeAgain(const std::vector<StoredStatement>& statements) {
  const std::vector<StoredStatement> all = statements;
  const Settings session = settings_;
  const RecoveryScope scope(recovering_);
  std::vector<const StoredStatement*> left;
  for (const StoredStatement& statement : all) left.push_back(&statement);
  std::vector<Status> causes;
  for (size_t before = left.size() + 1; !left.empty() && left.size() < before;) {
    before = left.size();
    std::vector<const StoredStatement*> failed;
    causes.clear();
    for (const StoredStatement* statement : left) {
      Status status = RecoverStatement(*statement, session);
      if (status.ok()) continue;
      failed.push_back(statement);
      causes.push_back(std::move(status));
    }
    left = std::move(failed);
  }
  // Once all of them are known, those that read others say so.
  for (size_t i = 0; i < left.size(); ++i) MarkBroken(*left[i], std::move(causes[i]));
  for (const StoredStatement* statement : left) {
    Status status = RecoverStatement(*statement, session);
    if (!status.ok()) MarkBroken(*statement, std::move(status));
  }
  NoteBrokenQueries();
  settings_ = session;
}

Status EngineImpl::RecoverStatement(const StoredStatement& statement, const Settings& session) {
  Status status = Guarded([&]() -> Status {
    settings_ = session;
    for (const auto& [name, value] : statement.settings) {
      WEIR_RETURN_IF_ERROR(settings_.Set(name, value, true, nullptr));
    }
    WEIR_ASSIGN_OR_RETURN(ast::Statement parsed, ParseStatement(statement.sql));
    SpellCustomTypes(parsed, catalog_);
    recovered_ = &statement;
    StatementResult result;
    return ExecuteDefinition(parsed, result);
  });
  recovered_ = nullptr;
  if (status.ok()) MarkMended(statement);
  return status;
}

Result<std::vector<PersistentQueryPlan>> EngineImpl::PlanAgain(const StoredStatement& statement) {
  WEIR_ASSIGN_OR_RETURN(const ast::Statement parsed, ParseStatement(statement.sql));
  recovered_ = &statement;
  std::vector<PersistentQueryPlan> plans;
  const auto plan = [&](const ast::Statement& one) -> Status {
    if (one.Is<ast::CreateSource>()) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(PersistentQueryPlan made, PlanPersistentQuery(one, MakePlannerContext()));
    plans.push_back(std::move(made));
    return OkStatus();
  };
  Status status = Guarded([&]() -> Status {
    if (!parsed.Is<ast::Pipeline>()) return plan(parsed);
    for (const ast::Statement& inner : parsed.As<ast::Pipeline>().statements) {
      WEIR_RETURN_IF_ERROR(plan(inner));
    }
    return OkStatus();
  });
  recovered_ = nullptr;
  if (!status.ok()) return status;
  return plans;
}

// Those of its creation, without what was SET since.
Status EngineImpl::TakeSettingsOf(const StoredStatement& statement) {
  settings_ = Settings();
  for (const auto& [name, value] : options_.settings) {
    WEIR_RETURN_IF_ERROR(settings_.Set(name, value, true, nullptr));
  }
  for (const auto& [name, value] : statement.settings) {
    WEIR_RETURN_IF_ERROR(settings_.Set(name, value, true, nullptr));
  }
  return OkStatus();
}

Status EngineImpl::RestartQuery(const StoredStatement& statement) {
  const std::string unit =
      statement.kind == "pipeline" ? PipelineUnit(statement.name) : statement.name;
  const RunningQuery* running = FindRunning(unit);
  if (running == nullptr) return OkStatus();
  const bool paused = running->paused;
  WEIR_RETURN_IF_ERROR(TakeSettingsOf(statement));
  WEIR_ASSIGN_OR_RETURN(std::vector<PersistentQueryPlan> plans, PlanAgain(statement));
  WEIR_RETURN_IF_ERROR(StopQuery(unit, false));
  const RecoveryScope scope(recovering_);
  return StartQueries(unit, plans, paused);
}

Status EngineImpl::RestartQueriesOf(std::string_view source) {
  std::vector<StoredStatement> users;
  for (const StoredStatement& stored : stored_) {
    if (stored.broken.ok() && stored.known_columns.contains(source)) users.push_back(stored);
  }
  const Settings session = settings_;
  Status status;
  for (const StoredStatement& user : users) {
    Status restarted = Guarded([&] { return RestartQuery(user); });
    if (status.ok()) status = std::move(restarted);
  }
  settings_ = session;
  return status;
}

void EngineImpl::MarkBroken(const StoredStatement& statement, Status cause) {
  // The place is one in the kept text, which nobody sees here.
  Status plain = Status(cause.code(), cause.message()).WithHint(cause.hint());
  for (const std::string& name : SourcesMadeBy(statement)) {
    if (catalog_.FindSource(name) == nullptr) catalog_.PutBroken(name, plain);
  }
  for (StoredStatement& stored : stored_) {
    if (stored.number == statement.number) stored.broken = plain;
  }
}

void EngineImpl::MarkMended(const StoredStatement& statement) {
  for (const std::string& name : SourcesMadeBy(statement)) catalog_.RemoveBroken(name);
  for (StoredStatement& stored : stored_) {
    if (stored.number == statement.number) stored.broken = OkStatus();
  }
}

void EngineImpl::NoteBrokenQueries() {
  std::vector<QueryMetrics> queries;
  for (const StoredStatement& stored : stored_) {
    if (stored.broken.ok() || (stored.kind != "query" && stored.kind != "pipeline")) continue;
    QueryMetrics& metrics = queries.emplace_back();
    metrics.query_id = stored.name;
    metrics.state = "ERROR";
    metrics.error = stored.broken.message();
  }
  std::lock_guard lock(running_mutex_);
  broken_queries_ = std::move(queries);
}

void EngineImpl::RetryBroken(StatementResult& result) {
  std::vector<StoredStatement> broken;
  for (const StoredStatement& stored : stored_) {
    if (!stored.broken.ok()) broken.push_back(stored);
  }
  if (broken.empty()) return;
  MakeAgain(broken);
  for (const StoredStatement& before : broken) {
    for (const StoredStatement& stored : stored_) {
      if (stored.number != before.number || !stored.broken.ok()) continue;
      result.notices.push_back(fmt::format("{} works again", before.name));
    }
  }
}

const StoredStatement* EngineImpl::FindBroken(std::string_view name) const {
  for (const StoredStatement& stored : stored_) {
    if (stored.broken.ok() || stored.kind == "type") continue;
    const std::vector<std::string> made = SourcesMadeBy(stored);
    if (stored.name == name || std::ranges::find(made, name) != made.end()) return &stored;
  }
  return nullptr;
}

const StoredStatement* EngineImpl::FindBrokenType(std::string_view name) const {
  for (const StoredStatement& stored : stored_) {
    if (!stored.broken.ok() && stored.kind == "type" && stored.name == name) return &stored;
  }
  return nullptr;
}

Status EngineImpl::CheckNameNotBroken(std::string_view name, bool or_replace, std::string_view text,
                                      SourcePosition position) const {
  const StoredStatement* broken = FindBroken(name);
  if (recovering_ || broken == nullptr) return OkStatus();
  const bool mends = broken->kind == "source" && !text.empty() &&
                     (or_replace || broken->sql == text || broken->written == text);
  if (mends) return OkStatus();
  return Status(ErrorCode::kAlreadyExists, BrokenText(name, broken->broken))
      .At(position)
      .WithHint("DROP it first");
}

Status EngineImpl::DropBroken(const StoredStatement& broken, bool delete_topic,
                              StatementResult& result) {
  const StoredStatement dropped = broken;
  if (delete_topic) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("the topic of {} is not known while it is in ERROR", dropped.name))
        .WithHint("DROP it without DELETE TOPIC");
  }
  const std::vector<std::string> made = SourcesMadeBy(dropped);
  std::vector<std::string> dependants;
  for (const StoredStatement& stored : stored_) {
    if (stored.broken.ok() || stored.number == dropped.number) continue;
    const bool reads = std::ranges::any_of(
        made, [&](const std::string& name) { return stored.known_columns.contains(name); });
    if (reads) dependants.push_back(stored.name);
  }
  if (!dependants.empty()) {
    return Status(ErrorCode::kHasDependants,
                  fmt::format("{} cannot be dropped while queries use it: {}", dropped.name,
                              fmt::join(dependants, ", ")))
        .WithHint("DROP what these queries make, or TERMINATE them, first");
  }
  std::string state_of = dropped.name;
  if (dropped.kind == "source") state_of = fmt::format("CST_{}", dropped.name);
  if (dropped.kind == "pipeline") state_of = PipelineUnit(dropped.name);
  if (dropped.kind == "type") state_of.clear();
  WEIR_RETURN_IF_ERROR(ForgetStatement(dropped.kind, dropped.name, state_of));
  for (const std::string& name : made) catalog_.RemoveBroken(name);
  NoteBrokenQueries();
  result.message = fmt::format("Dropped {} {}", dropped.kind, dropped.name);
  return OkStatus();
}

Status EngineImpl::CheckReadsBack(const SourceEntry& source) const {
  if (recovering_) return OkStatus();
  const std::string_view kind = source.is_table ? "table" : "stream";
  const Result<ast::Statement> parsed = ParseStatement(source.sql);
  if (!parsed.ok()) return ReadsBackOtherwise(kind, source.name, parsed.status().message());
  const Catalog nothing;
  PlannerContext context = MakePlannerContext();
  context.catalog = &nothing;
  const Result<CreateSourcePlan> plan = PlanCreateSource(*parsed, context);
  if (!plan.ok()) return ReadsBackOtherwise(kind, source.name, plan.status().message());
  const std::string_view differs = FindDifference(source, plan->source);
  if (differs.empty()) return OkStatus();
  return ReadsBackOtherwise(kind, source.name, fmt::format("{} would be other", differs));
}

// The same text is the same plan, so that another plan is only made where the text differs.
Status EngineImpl::CheckReadsBack(const PersistentQueryPlan& plan) const {
  if (recovering_) return OkStatus();
  const Result<ast::Statement> parsed = ParseStatement(plan.sql);
  if (!parsed.ok()) return ReadsBackOtherwise("query", plan.query_id, parsed.status().message());
  if (ast::FormatStatement(*parsed) == plan.sql) return OkStatus();
  PlannerContext context = MakePlannerContext();
  context.known_columns = plan.known_columns;
  const Result<PersistentQueryPlan> again = PlanPersistentQuery(*parsed, context);
  if (!again.ok()) {
    return ReadsBackOtherwise("query", plan.query_id, again.status().message());
  }
  const bool same = WritePlan(*again->root) == WritePlan(*plan.root) &&
                    (!plan.sink || FindDifference(*plan.sink, *again->sink).empty());
  if (same) return OkStatus();
  return ReadsBackOtherwise("query", plan.query_id, "its plan would be other");
}

Status EngineImpl::CheckReadsBack(std::string_view kind, std::string_view name,
                                  const std::string& sql) const {
  if (recovering_) return OkStatus();
  const Result<ast::Statement> parsed = ParseStatement(sql);
  return parsed.ok() ? OkStatus() : ReadsBackOtherwise(kind, name, parsed.status().message());
}

}  // namespace weir
