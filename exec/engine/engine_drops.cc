// DROP: what takes objects out of the catalog and stops their queries.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "exec/engine/source_ddl.h"

namespace weir {

Status EngineImpl::DropPipeline(const ast::Statement& statement, StatementResult& result) {
  const auto& drop = statement.As<ast::DropPipeline>();
  const std::string& name = drop.name.name;
  const std::string unit = PipelineUnit(name);
  if (const StoredStatement* broken = FindBroken(name);
      broken != nullptr && broken->kind == "pipeline" && broken->name == name) {
    return DropBroken(*broken, false, result);
  }
  if (FindRunning(unit) == nullptr) {
    result.message = fmt::format("There is no pipeline {}", name);
    if (drop.if_exists) return OkStatus();
    return Status(ErrorCode::kUnknownQuery, fmt::format("unknown pipeline: {}", name))
        .At(statement.position);
  }
  std::vector<QueryEntry> inside;
  for (const auto& [id, query] : catalog_.queries()) {
    if (query.pipeline == name) inside.push_back(query);
  }
  for (const QueryEntry& query : inside) {
    for (const QueryEntry* reader : catalog_.QueriesReading(query.sink)) {
      if (reader->pipeline == name) continue;
      return Status(ErrorCode::kHasDependants,
                    fmt::format("pipeline {} cannot be dropped: query {} reads its {}", name,
                                reader->id, query.sink))
          .At(statement.position);
    }
  }
  WEIR_RETURN_IF_ERROR(StopQuery(unit, true));
  WEIR_RETURN_IF_ERROR(DropInternals(unit, result));
  for (const QueryEntry& query : inside) {
    const SourceEntry* sink = catalog_.FindSource(query.sink);
    if (sink != nullptr && sink->created_by_query == query.id) catalog_.RemoveSource(query.sink);
    catalog_.RemoveQuery(query.id);
  }
  WEIR_RETURN_IF_ERROR(ForgetStatement("pipeline", name, unit));
  result.message = fmt::format("Dropped pipeline {}", name);
  return OkStatus();
}

Status EngineImpl::DropSource(const ast::Statement& statement, StatementResult& result) {
  const auto& drop = statement.As<ast::DropSource>();
  const std::string name = drop.name.name;
  const SourceEntry* found = catalog_.FindSource(name);
  const StoredStatement* broken = found == nullptr ? FindBroken(name) : nullptr;
  if (broken != nullptr && broken->kind != "pipeline") {
    Status status = DropBroken(*broken, drop.delete_topic, result);
    return status.ok() ? std::move(status) : std::move(status).At(statement.position);
  }
  if (found == nullptr) {
    result.message = fmt::format("There is no {}", name);
    if (drop.if_exists) return OkStatus();
    std::vector<std::string> names;
    for (const auto& [each, entry] : catalog_.sources()) names.push_back(each);
    return UnknownSource(name, names).At(statement.position);
  }
  const bool as_table = drop.kind == ast::SourceKind::kTable;
  if (found->is_table != as_table) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("{} is a {}, not a {}", name, KindName(found->is_table),
                              KindName(as_table)))
        .At(statement.position)
        .WithHint(fmt::format("DROP {} {}", found->is_table ? "TABLE" : "STREAM", name));
  }
  const SourceEntry source = *found;
  if (const QueryEntry* query = catalog_.FindQuery(source.created_by_query);
      query != nullptr && !query->pipeline.empty()) {
    return Status(ErrorCode::kHasDependants,
                  fmt::format("{} belongs to pipeline {}", name, query->pipeline))
        .At(statement.position)
        .WithHint(fmt::format("DROP PIPELINE {}", query->pipeline));
  }
  std::vector<std::string> dependants;
  for (const QueryEntry* query : catalog_.QueriesReading(name)) dependants.push_back(query->id);
  for (const QueryEntry* query : catalog_.QueriesWriting(name)) {
    if (query->id != source.created_by_query) dependants.push_back(query->id);
  }
  for (const StoredStatement& stored : stored_) {
    if (!stored.broken.ok() && stored.known_columns.contains(name)) {
      dependants.push_back(stored.name);
    }
  }
  for (const auto& [id, rebuild] : rebuilds_) {
    if (rebuild.statement.known_columns.contains(name)) dependants.push_back(id);
  }
  if (!dependants.empty()) {
    return Status(ErrorCode::kHasDependants,
                  fmt::format("{} cannot be dropped while queries use it: {}", name,
                              fmt::join(dependants, ", ")))
        .At(statement.position)
        .WithHint("DROP what these queries make, or TERMINATE them, first");
  }
  if (source.read_only && drop.delete_topic) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("{} is a SOURCE, so its topic is not ours to delete", name))
        .At(statement.position);
  }
  if (drop.delete_topic && source.connector.empty()) {
    Status unused = CheckTopicUnused(source);
    if (!unused.ok()) return std::move(unused).At(statement.position);
  }
  if (!source.created_by_query.empty()) {
    WEIR_RETURN_IF_ERROR(StopQuery(source.created_by_query, true));
    WEIR_RETURN_IF_ERROR(DropInternals(source.created_by_query, result));
    catalog_.RemoveQuery(source.created_by_query);
    plan_notes_.erase(source.created_by_query);
    WEIR_RETURN_IF_ERROR(
        ForgetStatement("query", source.created_by_query, source.created_by_query));
  } else {
    const std::string keeper = source.read_only ? fmt::format("CST_{}", name) : std::string();
    if (!keeper.empty()) {
      WEIR_RETURN_IF_ERROR(StopQuery(keeper, true));
      WEIR_RETURN_IF_ERROR(DropInternals(keeper, result));
    }
    WEIR_RETURN_IF_ERROR(ForgetStatement("source", name, keeper));
  }
  catalog_.RemoveSource(name);
  if (drop.delete_topic && source.connector.empty()) {
    WEIR_RETURN_IF_ERROR(broker_->DeleteTopic(source.topic));
  }
  result.message = fmt::format("Dropped {} {}", KindName(source.is_table), name);
  return OkStatus();
}

Status EngineImpl::CheckTopicUnused(const SourceEntry& source) const {
  std::vector<std::string> users;
  for (const auto& [name, other] : catalog_.sources()) {
    if (name == source.name) continue;
    const bool uses = other.connector.empty() && other.topic == source.topic;
    if (uses || other.dead_letter_topic == source.topic) users.push_back(name);
  }
  if (users.empty()) return OkStatus();
  return Status(ErrorCode::kHasDependants,
                fmt::format("topic {} cannot be deleted while other streams and tables use it: {}",
                            source.topic, fmt::join(users, ", ")))
      .WithHint("DROP these first, or leave DELETE TOPIC out");
}

Status EngineImpl::DropType(const ast::Statement& statement, StatementResult& result) {
  const auto& drop = statement.As<ast::DropType>();
  const std::string& name = drop.name.name;
  if (const StoredStatement* broken = FindBrokenType(name)) {
    return DropBroken(*broken, false, result);
  }
  if (catalog_.FindType(name) == nullptr) {
    result.message = fmt::format("There is no type {}", name);
    if (drop.if_exists) return OkStatus();
    return Status(ErrorCode::kUnknownType, fmt::format("unknown type: {}", name))
        .At(statement.position);
  }
  catalog_.RemoveType(name);
  WEIR_RETURN_IF_ERROR(ForgetStatement("type", name));
  result.message = fmt::format("Dropped type {}", name);
  return OkStatus();
}

Status EngineImpl::DropInternals(const std::string& query_id, StatementResult& result) {
  if (!broker_->shares_work()) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const InternalObjects objects,
                        FindInternalObjects(*broker_, broker_->application_id(), query_id));
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> copies,
                        CopiesInGroups(*broker_, objects.groups));
  if (!copies.empty()) {
    result.notices.push_back(fmt::format(
        "other copies run query {} still, so its internal topics and positions stay: {}", query_id,
        fmt::join(copies, "; ")));
    return OkStatus();
  }
  return DeleteInternalObjects(*broker_, objects);
}

}  // namespace weir
