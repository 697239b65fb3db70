// TERMINATE, PAUSE, RESUME, SET, DEFINE, ASSERT, RUN SCRIPT: statements about the running engine.

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "base/text_file.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "exec/engine/source_ddl.h"
#include "parser/ast/printer.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

constexpr int kScriptDepthMax = 16;

std::string_view Done(ast::ControlKind kind) {
  switch (kind) {
    case ast::ControlKind::kTerminate: return "Terminated";
    case ast::ControlKind::kPause: return "Paused";
    case ast::ControlKind::kResume: return "Resumed";
  }
  return "";
}

const ast::Property* FindProperty(const ast::Properties& properties, std::string_view name) {
  for (const ast::Property& property : properties) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

}  // namespace

Status EngineImpl::ControlQueries(const ast::Statement& statement, StatementResult& result) {
  const auto& control = statement.As<ast::ControlQuery>();
  std::vector<std::string> ids;
  {
    std::lock_guard lock(running_mutex_);
    for (const RunningQuery& query : running_) ids.push_back(query.id);
  }
  if (!control.all) {
    const RunningQuery* query = FindRunning(control.query_id.name);
    const StoredStatement* broken = query == nullptr ? FindBroken(control.query_id.name) : nullptr;
    if (broken != nullptr && broken->kind == "query") {
      return ControlBroken(control.kind, *broken, result);
    }
    if (query == nullptr) {
      std::string hint = DidYouMean(control.query_id.name, ids);
      if (hint.empty())
        hint = ids.empty() ? "no query runs" : fmt::format("running: {}", ListNames(ids));
      return Status(ErrorCode::kUnknownQuery,
                    fmt::format("unknown query: {}", control.query_id.name))
          .At(statement.position)
          .WithHint(std::move(hint));
    }
    ids = {query->id};
  }
  for (const std::string& id : ids) {
    const RunningQuery* query = FindRunning(id);
    const bool stays = query != nullptr && !query->runtime->refused().ok();
    if (control.all && control.kind == ast::ControlKind::kResume && stays) continue;
    Status status = ControlOne(control.kind, id, result);
    if (!status.ok()) return std::move(status).At(statement.position);
  }
  if (control.all && control.kind == ast::ControlKind::kResume) RetryBroken(result);
  result.message = ids.empty() ? "No query runs"
                               : fmt::format("{} {}", Done(control.kind), fmt::join(ids, ", "));
  return OkStatus();
}

// Of a query that could not be made again: RESUME tries it, as with all in ERROR.
Status EngineImpl::ControlBroken(ast::ControlKind kind, const StoredStatement& broken,
                                 StatementResult& result) {
  const std::string id = broken.name;
  if (kind == ast::ControlKind::kResume) {
    RetryBroken(result);
    const StoredStatement* still = FindBroken(id);
    if (still != nullptr) return still->broken;
    result.message = fmt::format("Resumed {}", id);
    return OkStatus();
  }
  if (kind == ast::ControlKind::kTerminate && id.starts_with("INSERT_")) {
    return DropBroken(broken, false, result);
  }
  return Status(ErrorCode::kQueryFailed,
                fmt::format("query {} is in ERROR, it could not be made again: {}", id,
                            broken.broken.message()))
      .WithHint("RESUME tries it again, DROP removes what it made");
}

Status EngineImpl::ControlOne(ast::ControlKind kind, const std::string& id,
                              StatementResult& result) {
  RunningQuery* query = FindRunning(id);
  const bool pipeline = id.starts_with(kPipelinePrefix);
  const std::string name = pipeline ? id.substr(9) : id;
  switch (kind) {
    case ast::ControlKind::kPause:
      query->runtime->Pause();
      query->paused = true;
      return SavePaused(name, true);
    case ast::ControlKind::kResume:
      if (!query->runtime->refused().ok()) return query->runtime->refused();
      query->paused = false;
      query->runtime->Resume();
      return SavePaused(name, false);
    case ast::ControlKind::kTerminate: break;
  }
  if (pipeline || id.starts_with("CST_")) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("{} cannot be terminated by itself", id))
        .WithHint(pipeline ? fmt::format("DROP PIPELINE {}", name) : "DROP the SOURCE TABLE");
  }
  const QueryEntry* entry = catalog_.FindQuery(id);
  const SourceEntry* sink = entry == nullptr ? nullptr : catalog_.FindSource(entry->sink);
  const bool keeps_sink = sink != nullptr && sink->created_by_query == id;
  // What it made stays, as a source of its own.
  SourceEntry kept;
  if (keeps_sink) {
    kept = *sink;
    kept.created_by_query.clear();
    kept.is_materialized = false;
    kept.sql = FormatSourceDdl(kept);
    if (Status keeps = CheckReadsBack(kept); !keeps.ok()) {
      return std::move(keeps).WithHint("DROP removes the query with what it makes");
    }
  }
  WEIR_RETURN_IF_ERROR(StopQuery(id, true));
  WEIR_RETURN_IF_ERROR(DropInternals(id, result));
  if (!keeps_sink) {
    catalog_.RemoveQuery(id);
    return ForgetStatement("query", id, id);
  }
  result.notices.push_back(
      fmt::format("{} stays and gets no more rows; DROP removes it", kept.name));
  WEIR_RETURN_IF_ERROR(KeepSinkOf(id, kept.name, kept.sql));
  catalog_.PutSource(std::move(kept));
  catalog_.RemoveQuery(id);
  plan_notes_.erase(id);
  return OkStatus();
}

Status EngineImpl::SetProperty(const ast::Statement& statement, StatementResult& result) {
  if (statement.Is<ast::SetProperty>()) {
    const auto& set = statement.As<ast::SetProperty>();
    std::string notice;
    Status status = settings_.Set(set.name, set.value, false, &notice);
    if (!status.ok()) return std::move(status).At(set.name_position);
    if (!notice.empty()) result.notices.push_back(notice);
    result.message = fmt::format("{} = {}", set.name, set.value);
  } else if (statement.Is<ast::UnsetProperty>()) {
    const auto& unset = statement.As<ast::UnsetProperty>();
    WEIR_RETURN_IF_ERROR(settings_.Unset(unset.name));
    result.message = fmt::format("{} is back to its default", unset.name);
  } else if (statement.Is<ast::DefineVariable>()) {
    const auto& define = statement.As<ast::DefineVariable>();
    variables_[define.name.name] = define.value;
    result.message = fmt::format("{} = {}", define.name.name, define.value);
  } else {
    const auto& undefine = statement.As<ast::UndefineVariable>();
    variables_.erase(undefine.name.name);
    result.message = fmt::format("{} is not defined any more", undefine.name.name);
  }
  return OkStatus();
}

Status EngineImpl::AssertTopic(const ast::Statement& statement, StatementResult& result) {
  const auto& assertion = statement.As<ast::AssertTopic>();
  constexpr int64_t kYearMs = int64_t{365} * 86'400'000;  // The clock has an end.
  const auto deadline =
      std::chrono::steady_clock::now() +
      std::chrono::milliseconds(std::min(assertion.timeout_ms.value_or(1000), kYearMs));
  while (true) {
    Result<TopicInfo> info = broker_->DescribeTopic(assertion.topic);
    bool holds = info.ok() == assertion.exists;
    const ast::Property* partitions = FindProperty(assertion.properties, "PARTITIONS");
    if (holds && assertion.exists && partitions != nullptr) {
      holds = info->partitions == partitions->value.integer;
    }
    if (holds) {
      result.message = fmt::format("Topic {} {}", assertion.topic,
                                   assertion.exists ? "exists" : "does not exist");
      return OkStatus();
    }
    if (manual_ || std::chrono::steady_clock::now() >= deadline) break;
    CheckInterrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Status(ErrorCode::kAssertFailed,
                fmt::format("topic {} {}", assertion.topic,
                            assertion.exists ? "does not exist as asserted" : "exists"))
      .At(statement.position);
}

Status EngineImpl::AssertSource(const ast::Statement& statement, StatementResult& result) {
  const auto& assertion = statement.As<ast::AssertSource>();
  const SourceEntry* source = catalog_.FindSource(assertion.name.name);
  const bool table = assertion.kind == ast::SourceKind::kTable;
  auto fail = [&](std::string why) {
    return Status(ErrorCode::kAssertFailed, fmt::format("{}: {}", assertion.name.name, why))
        .At(statement.position);
  };
  if (source == nullptr) return fail("does not exist");
  if (source->is_table != table) return fail(source->is_table ? "is a table" : "is a stream");
  if (assertion.has_column_list) {
    if (assertion.columns.size() != source->columns.size()) {
      return fail(
          fmt::format("has {} columns, not {}", source->columns.size(), assertion.columns.size()));
    }
    for (size_t i = 0; i < assertion.columns.size(); ++i) {
      const ast::ColumnDefinition& wanted = assertion.columns[i];
      const auto& column = source->columns[i];
      WEIR_ASSIGN_OR_RETURN(DataType type, ResolveType(wanted.type, catalog_));
      const bool key =
          wanted.role == ast::ColumnRole::kKey || wanted.role == ast::ColumnRole::kPrimaryKey;
      if (column.name != wanted.name.name || !(column.type == type) || column.is_key != key) {
        return fail(fmt::format("column {} is {} {}{}", i + 1, column.name, column.type.ToString(),
                                column.is_key ? " KEY" : ""));
      }
    }
  }
  auto matches = [&](std::string_view name, std::string_view value) {
    const ast::Property* property = FindProperty(assertion.properties, name);
    return property == nullptr || FoldsTo(property->value.text, value);
  };
  if (const ast::Property* topic = FindProperty(assertion.properties, "KAFKA_TOPIC");
      topic != nullptr && topic->value.text != source->topic) {
    return fail(fmt::format("its topic is {}", source->topic));
  }
  if (!matches("KEY_FORMAT", source->key_format.format)) {
    return fail(fmt::format("its key format is {}", source->key_format.format));
  }
  if (!matches("VALUE_FORMAT", source->value_format.format)) {
    return fail(fmt::format("its value format is {}", source->value_format.format));
  }
  result.message = fmt::format("{} is as asserted", assertion.name.name);
  return OkStatus();
}

Status EngineImpl::RunScript(const ast::Statement& statement, const Execution& execution,
                             StatementResult& result) {
  const auto& script = statement.As<ast::RunScript>();
  Result<std::string> text = std::string();
  {
    std::lock_guard lock(statement_mutex_);
    if (!settings_.Flag("sql.extensions")) {
      return Status(ErrorCode::kInvalidStatement,
                    "RUN SCRIPT is for the prompt and query files only")
          .At(statement.position);
    }
  }
  if (execution.script_depth >= kScriptDepthMax) {
    return Status(ErrorCode::kInvalidStatement,
                  fmt::format("scripts run each other deeper than {}", kScriptDepthMax))
        .At(script.path_position);
  }
  {
    const InterruptScope interruptible(cancel_statement_);
    text = ReadTextFile(script.path, kScriptBytesMax, &IsInterrupted);
  }
  if (!text.ok()) return Status(text.status()).At(script.path_position);
  const Execution inner{execution.on_cursor, {}, execution.script_depth + 1};
  Result<std::vector<StatementResult>> done = ExecuteAll(*text, inner);
  if (!done.ok()) {
    // The place is one in the script; it goes into the message, since the statement's own is here.
    return Status(done.status().code(),
                  fmt::format("in {}: {}", script.path, done.status().ToString(script.path)))
        .At(script.path_position);
  }
  result.message = fmt::format("Ran {} statements of {}", done->size(), script.path);
  for (const StatementResult& each : *done) {
    result.notices.insert(result.notices.end(), each.notices.begin(), each.notices.end());
  }
  return OkStatus();
}

}  // namespace weir
