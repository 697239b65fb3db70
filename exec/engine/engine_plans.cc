// The plans that queries run by: kept in the catalog in their written form, so that a query goes on
// from its state whatever this version would make of its statement.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_signature.h"
#include "planner/physical/stores.h"

namespace weir {
namespace {

constexpr std::string_view kPlanWaysOn =
    "CREATE OR REPLACE TABLE … AS SELECT makes a table anew from its sources, beside what is "
    "there; DROP and CREATE do so for a stream; or run the version of Weir that wrote the state";

Status CannotGoOn(std::string_view query_id, std::string_view why) {
  return Status(ErrorCode::kPlanChanged,
                fmt::format("query {} cannot go on from its state: {}", query_id, why))
      .WithHint(std::string(kPlanWaysOn));
}

// The name that a unit's statement has in the catalog, by kind.
bool IsOfUnit(const StoredStatement& stored, std::string_view unit) {
  if (stored.kind == "query") return stored.name == unit;
  if (stored.kind == "pipeline") return unit == PipelineUnit(stored.name);
  return stored.kind == "source" && unit == fmt::format("CST_{}", stored.name);
}

void CollectReads(const physical::Node& node, std::vector<std::string>& reads) {
  if (node.kind == physical::NodeKind::kTopicSource) {
    const std::string& name = static_cast<const physical::TopicSource&>(node).source_name;
    if (std::ranges::find(reads, name) == reads.end()) reads.push_back(name);
  }
  for (const physical::NodePtr& input : node.inputs) CollectReads(*input, reads);
}

// What a sink says of its columns, as the plan that runs writes them.
void TakeColumns(const Schema& schema, SourceEntry& sink) {
  std::vector<SourceEntry::SourceColumnEntry> columns;
  for (const ColumnSchema& column : schema.columns) {
    SourceEntry::SourceColumnEntry& made = columns.emplace_back();
    made.name = column.name;
    made.type = column.type;
    made.is_key = column.is_key;
  }
  sink.columns = std::move(columns);
}

// All that it says of the sink.
void TakeSinkOf(const physical::TopicSink& node, SourceEntry& sink) {
  sink.topic = node.topic;
  sink.key_format = node.key_format;
  sink.value_format = node.value_format;
  TakeColumns(*node.schema, sink);
  sink.windowed_key = node.windowed_key;
  sink.window_size_ms = node.window_size_ms;
  if (node.time_column < 0) return;
  sink.time_source = physical::TimeSource::kColumn;
  sink.time_column = node.schema->columns[static_cast<size_t>(node.time_column)].name;
  sink.time_format = node.time_format;
}

}  // namespace

std::string EngineImpl::UnreadableStore(const StateSignature& kept) {
  for (const StoreSignature& store : kept.stores) {
    const int oldest = OldestLayout(store.kind);
    const int newest = NewestLayout(store.kind);
    if (store.layout >= oldest && store.layout <= newest) continue;
    return fmt::format(
        "its store {} is written in layout {} of {}, and this version reads {} to {}", store.store,
        store.layout, StoreKindText(store.kind), oldest, newest);
  }
  return {};
}

std::string EngineImpl::KeptPlan(std::string_view query_id) const {
  for (const StoredStatement& stored : stored_) {
    const auto found = stored.plans.find(query_id);
    if (found != stored.plans.end()) return found->second;
  }
  return {};
}

Status EngineImpl::FitToState(const std::string& kept_text, PersistentQueryPlan& plan) {
  plan_notes_.erase(plan.query_id);
  const std::string text = WritePlan(*plan.root);
  if (kept_text.empty() || kept_text == text) return OkStatus();
  const Result<physical::NodePtr> kept = ReadPlan(kept_text, BuiltinFunctions());
  if (!kept.ok()) return CannotGoOn(plan.query_id, kept.status().message());
  const StateSignature signature = SignatureOf(**kept);
  if (const std::string store = UnreadableStore(signature); !store.empty()) {
    return CannotGoOn(plan.query_id, store);
  }
  const StateMatch match = CompareSignatures(signature, SignatureOf(*plan.root));
  if (match.equal) {
    WEIR_ASSIGN_OR_RETURN(plan.root, ReadPlan(text, BuiltinFunctions(), match.names));
    plan.fingerprint = SignatureHash(SignatureOf(*plan.root));
    return OkStatus();
  }
  if (!recovering_) return CheckGoesOn(kept_text, plan);
  GoOnBy(*kept, plan);
  NotePlan(plan.query_id,
           fmt::format("its state would be other by this one: {}", fmt::join(match.differs, "; ")));
  return OkStatus();
}

void EngineImpl::GoOnBy(const physical::NodePtr& kept, PersistentQueryPlan& plan) {
  plan.root = kept;
  const SourceEntry* sink = catalog_.FindSource(plan.sink_name);
  if (sink == nullptr || sink->created_by_query != plan.query_id || !sink->connector.empty()) {
    return;
  }
  if (kept->kind != physical::NodeKind::kTopicSink) return;
  SourceEntry entry = *sink;
  TakeSinkOf(static_cast<const physical::TopicSink&>(*kept), entry);
  catalog_.PutSource(std::move(entry));
}

Result<std::vector<std::string>> EngineImpl::StateDifferences(
    const std::string& kept_text, const PersistentQueryPlan& plan) const {
  if (kept_text.empty()) return std::vector<std::string>();  // Of before: its state tells.
  const Result<physical::NodePtr> kept = ReadPlan(kept_text, BuiltinFunctions());
  if (!kept.ok()) return std::vector{kept.status().message()};
  return CompareSignatures(SignatureOf(**kept), SignatureOf(*plan.root)).differs;
}

Status EngineImpl::CheckGoesOn(const std::string& kept_text,
                               const PersistentQueryPlan& plan) const {
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> differs, StateDifferences(kept_text, plan));
  if (differs.empty()) return OkStatus();
  return Status(ErrorCode::kIncompatibleChange,
                fmt::format("the new query cannot go on from the state of {}: {}", plan.query_id,
                            fmt::join(differs, "; ")))
      .WithHint(
          "WHERE, HAVING and what is computed of the same aggregates may change, and columns "
          "may be added; else DROP it and create it anew");
}

Status EngineImpl::SaveQuery(const PersistentQueryPlan& plan) {
  StatementExtras extras;
  extras.known_columns = plan.known_columns;
  extras.plans[plan.query_id] = WritePlan(*plan.root);
  return SaveStatement("query", plan.query_id, plan.sql, std::move(extras));
}

Status EngineImpl::KeepPlans(std::string_view unit, const std::vector<PersistentQueryPlan>& plans) {
  for (StoredStatement& stored : stored_) {
    if (!IsOfUnit(stored, unit)) continue;
    KeptPlans texts;
    for (const PersistentQueryPlan& plan : plans) texts[plan.query_id] = WritePlan(*plan.root);
    if (stored.plans == texts) return OkStatus();
    stored.plans = std::move(texts);
    return PersistCatalog(&stored, -1);
  }
  return OkStatus();
}

Status EngineImpl::StartAgain(const std::string& query_id) {
  const QueryEntry* query = catalog_.FindQuery(query_id);
  const std::string kept = KeptPlan(query_id);
  if (query == nullptr || kept.empty()) return OkStatus();
  std::vector<PersistentQueryPlan> plans(1);
  plans[0].query_id = query_id;
  plans[0].sink_name = query->sink;
  WEIR_ASSIGN_OR_RETURN(plans[0].root, ReadPlan(kept, BuiltinFunctions()));
  plans[0].fingerprint = SignatureHash(SignatureOf(*plans[0].root));
  return StartQueries(query_id, plans, IsStoredPaused(query_id));
}

Result<PersistentQueryPlan> EngineImpl::PlanOfKept(Status cause) const {
  if (recovered_ == nullptr || recovered_->kind != "query" || recovered_->plans.size() != 1) {
    return cause;
  }
  const Result<physical::NodePtr> root =
      ReadPlan(recovered_->plans.begin()->second, BuiltinFunctions());
  if (!root.ok() || (*root)->kind != physical::NodeKind::kTopicSink) return cause;
  const auto& node = static_cast<const physical::TopicSink&>(**root);
  PersistentQueryPlan plan;
  plan.query_id = recovered_->name;
  plan.sql = recovered_->sql;
  plan.sink_name = node.sink_name;
  plan.partitions = node.partitions;
  plan.compacted = node.is_table && node.windowed_key == physical::WindowKind::kNone;
  plan.known_columns = recovered_->known_columns;
  plan.root = *root;
  plan.fingerprint = SignatureHash(SignatureOf(**root));
  CollectReads(**root, plan.reads);
  for (const std::string& read : plan.reads) {
    if (catalog_.FindSource(read) == nullptr) return cause;
  }
  const std::vector<std::string> made = SourcesMadeBy(*recovered_);
  if (made.empty()) return plan;
  if (!node.connector.empty()) return cause;
  SourceEntry& sink = plan.sink.emplace();
  sink.name = node.sink_name;
  sink.is_table = node.is_table;
  TakeSinkOf(node, sink);
  sink.partitions = node.partitions;
  sink.sql = plan.sql;
  sink.created_by_query = plan.query_id;
  sink.is_materialized = node.is_table;
  return plan;
}

void EngineImpl::NotePlan(const std::string& query_id, const std::string& why) {
  NotePlanText(query_id, fmt::format("query {} runs by the plan of an earlier version, as {}",
                                     query_id, why));
}

void EngineImpl::NotePlanText(const std::string& query_id, std::string text) {
  Log(LogLevel::kWarning, text);
  plan_notes_[query_id] = std::move(text);
}

std::string EngineImpl::StateIdOf(const StoredStatement& query) {
  return query.state_id.empty() ? query.name : query.state_id;
}

void EngineImpl::AddPlanNotes(StatementResult& result) const {
  for (const auto& [query, note] : plan_notes_) result.notices.push_back(note);
  for (const auto& [query, rebuild] : rebuilds_) {
    const Status error = rebuild.failed.ok() ? rebuild.runtime->error() : rebuild.failed;
    std::vector<QueryMetrics> metrics;
    rebuild.runtime->FillMetrics(metrics);
    result.notices.push_back(
        error.ok() ? fmt::format("query {} is made anew beside the one that runs, records behind: "
                                 "{}",
                                 query, metrics[0].lag_records)
                   : fmt::format("query {} could not be made anew and runs as before: {}", query,
                                 error.message()));
  }
}

}  // namespace weir
