// SHOW, DESCRIBE, EXPLAIN, and what tools ask of the catalog.

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/settings/registry_settings.h"
#include "exec/engine/source_ddl.h"
#include "parser/ast/printer.h"
#include "parser/parser.h"
#include "planner/catalog/near_names.h"
#include "planner/physical/plan_text.h"
#include "weir/metrics.h"

namespace weir {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string_view WindowName(physical::WindowKind kind) {
  switch (kind) {
    case physical::WindowKind::kNone: return "";
    case physical::WindowKind::kTumbling: return "TUMBLING";
    case physical::WindowKind::kHopping: return "HOPPING";
    case physical::WindowKind::kSession: return "SESSION";
  }
  return "";
}

std::string FormatDropped(const QueryMetrics& metrics) {
  std::string out;
  for (const auto& [reason, rows] : metrics.dropped) {
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", reason, rows);
  }
  return out;
}

QueryMetrics MetricsOf(const EngineMetrics& all, std::string_view id) {
  for (const QueryMetrics& metrics : all.queries) {
    if (metrics.query_id == id) return metrics;
  }
  QueryMetrics none;
  none.query_id = id;
  none.state = "TERMINATED";
  return none;
}

Rows ColumnRows(const SourceEntry& source) {
  Rows rows;
  for (const SourceEntry::SourceColumnEntry& column : source.columns) {
    std::string role = column.is_key ? (source.is_table ? "primary key" : "key") : "";
    if (column.header_key)
      role = fmt::format("header({})", *column.header_key);
    else if (column.is_headers)
      role = "headers";
    rows.push_back({column.name, column.type.ToString(), role});
  }
  return rows;
}

// "ERROR: …" of an object that could not be made again.
std::string BrokenState(const StoredStatement& stored) {
  return fmt::format("ERROR: {}", stored.broken.message());
}

// Whether a kept CREATE, which may not parse, is one of a table.
bool IsTableText(std::string_view sql) { return sql.find(" TABLE ") < sql.find(" STREAM "); }

std::string FormatName(const physical::SideFormat& format) {
  return format.format.empty() ? "NONE" : format.format;
}

// "RESTORING 12,000 of 50,000 records, 4,000/s, 10 s left" while tasks restore, else the state.
std::string FormatState(const QueryMetrics& metrics) {
  const RestoreProgress& restore = metrics.restore;
  if (restore.tasks == 0 || metrics.state != "RUNNING") return metrics.state;
  std::string out = fmt::format("RESTORING {} of {} records", restore.records_restored,
                                restore.records_to_restore);
  if (restore.records_per_second >= 1) {
    const auto left = static_cast<double>(restore.records_to_restore - restore.records_restored);
    out += fmt::format(", {:.0f}/s, {:.0f} s left", restore.records_per_second,
                       left / restore.records_per_second);
  }
  return out;
}

// SHOW METRICS: the samples of queries, without the states that SHOW QUERIES tells.
Rows MetricRows(const EngineMetrics& metrics, bool with_tasks) {
  Rows rows;
  for (const MetricSample& sample : ListMetrics(metrics)) {
    if (sample.name == "query_state") continue;
    std::string query;
    std::string task;
    std::string name(sample.name);
    for (const auto& [label, text] : sample.labels) {
      if (label == "query") query = text;
      if (label == "sub_topology") task = text;
      if (label == "partition") task += "_" + text;
      if (label == "reason") name += " " + text;
    }
    if (!task.empty() && !with_tasks) continue;
    rows.push_back(
        {std::move(query), std::move(task), std::move(name), fmt::format("{:.6f}", sample.value)});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return std::tie(a[0], a[1]) < std::tie(b[0], b[1]);
  });
  return rows;
}

/// A column of a listing. Its name has no blanks, since programs read it as a field of an object.
struct ListedColumn {
  std::string name;
  DataType type = DataType::String();
};

void AppendListed(const std::string& text, const DataType& type, ColumnBuilder& builder) {
  int64_t whole = 0;
  double number = 0;
  if (type.is(TypeKind::kString)) {
    builder.AppendBytes(text);
  } else if (type.is(TypeKind::kBoolean) && !text.empty()) {
    builder.AppendBool(text == "true");
  } else if (type.is(TypeKind::kBigint) && ParseInt64(text, whole)) {
    builder.AppendInt64(whole);
  } else if (type.is(TypeKind::kDouble) && ParseDouble(text, number)) {
    builder.AppendDouble(number);
  } else {
    builder.AppendNull();
  }
}

/// Rows are texts; what is BIGINT, DOUBLE or BOOLEAN is read from them, and an empty text is null.
std::shared_ptr<const Batch> MakeListing(const std::vector<ListedColumn>& columns,
                                         const Rows& rows) {
  auto schema = std::make_shared<Schema>();
  std::vector<ColumnPtr> built;
  for (size_t i = 0; i < columns.size(); ++i) {
    schema->columns.push_back({columns[i].name, columns[i].type, false});
    ColumnBuilder builder(columns[i].type);
    for (const std::vector<std::string>& row : rows) AppendListed(row[i], columns[i].type, builder);
    built.push_back(builder.Finish());
  }
  return std::make_shared<const Batch>(std::move(schema), std::move(built),
                                       static_cast<int32_t>(rows.size()));
}

}  // namespace

std::shared_ptr<const Batch> MakeTextRows(const std::vector<std::string>& columns,
                                          const Rows& rows) {
  std::vector<ListedColumn> listed;
  for (const std::string& name : columns) listed.push_back({name});
  return MakeListing(listed, rows);
}

Status EngineImpl::Show(const ast::Statement& statement, StatementResult& result) {
  const auto& show = statement.As<ast::Show>();
  Rows rows;
  switch (show.kind) {
    case ast::ShowKind::kTopics:
    case ast::ShowKind::kAllTopics: {
      WEIR_ASSIGN_OR_RETURN(std::vector<TopicInfo> topics, broker_->ListTopics());
      for (const TopicInfo& topic : topics) {
        if (topic.internal && show.kind == ast::ShowKind::kTopics) continue;
        int64_t records = 0;
        if (show.extended) {
          WEIR_ASSIGN_OR_RETURN(std::vector<int64_t> ends, broker_->EndOffsets(topic.name));
          for (int64_t end : ends) records += end;
        }
        rows.push_back({topic.name, fmt::format("{}", topic.partitions),
                        topic.compacted ? "compact" : "delete",
                        fmt::format("{}", topic.retention_ms < 0 ? -1 : topic.retention_ms)});
        if (show.extended) rows.back().push_back(fmt::format("{}", records));
      }
      std::vector<ListedColumn> columns{{"topic"},
                                        {"partitions", DataType::Bigint()},
                                        {"cleanup"},
                                        {"retention_ms", DataType::Bigint()}};
      if (show.extended) columns.push_back({"end_offsets", DataType::Bigint()});
      result.rows = MakeListing(columns, rows);
      return OkStatus();
    }
    case ast::ShowKind::kStreams:
    case ast::ShowKind::kTables: {
      const bool tables = show.kind == ast::ShowKind::kTables;
      for (const auto& [name, source] : catalog_.sources()) {
        if (source.is_table != tables) continue;
        rows.push_back({name,
                        source.connector.empty() ? source.topic : source.connector.at("CONNECTOR"),
                        FormatName(source.key_format), FormatName(source.value_format),
                        source.windowed_key == physical::WindowKind::kNone ? "false" : "true"});
      }
      for (const StoredStatement& stored : stored_) {
        if (stored.broken.ok() || IsTableText(stored.sql) != tables) continue;
        if (stored.kind == "source") rows.push_back({stored.name, BrokenState(stored), "", "", ""});
        if (stored.kind != "query" || stored.name.starts_with("INSERT_")) continue;
        rows.push_back({stored.name.substr(5), BrokenState(stored), "", "", ""});
      }
      result.rows = MakeListing({{"name"},
                                 {"topic"},
                                 {"key_format"},
                                 {"value_format"},
                                 {"windowed", DataType::Boolean()}},
                                rows);
      return OkStatus();
    }
    case ast::ShowKind::kQueries: {
      const EngineMetrics all = Metrics();
      for (const auto& [id, query] : catalog_.queries()) {
        const QueryMetrics metrics = MetricsOf(all, id);
        rows.push_back({id, FormatState(metrics), query.sink, fmt::format("{}", metrics.records_in),
                        fmt::format("{}", metrics.records_out),
                        fmt::format("{}", metrics.lag_records), FormatDropped(metrics),
                        metrics.error.substr(0, metrics.error.find('\n')), query.sql});
      }
      for (const QueryMetrics& metrics : all.queries) {
        if (!metrics.query_id.starts_with("CST_")) continue;
        rows.push_back({metrics.query_id, FormatState(metrics), metrics.query_id.substr(4),
                        fmt::format("{}", metrics.records_in), "0",
                        fmt::format("{}", metrics.lag_records), FormatDropped(metrics),
                        metrics.error, "keeps a SOURCE TABLE"});
      }
      for (const StoredStatement& stored : stored_) {
        if (stored.broken.ok() || (stored.kind != "query" && stored.kind != "pipeline")) continue;
        const bool makes = stored.kind == "query" && !stored.name.starts_with("INSERT_");
        rows.push_back({stored.name, "ERROR", makes ? stored.name.substr(5) : "", "0", "0", "0", "",
                        stored.broken.message(), stored.sql});
      }
      result.rows = MakeListing({{"query"},
                                 {"state"},
                                 {"sink"},
                                 {"records_in", DataType::Bigint()},
                                 {"records_out", DataType::Bigint()},
                                 {"lag", DataType::Bigint()},
                                 {"dropped"},
                                 {"error"},
                                 {"sql"}},
                                rows);
      AddPlanNotes(result);
      return OkStatus();
    }
    case ast::ShowKind::kFunctions:
      for (const std::string& name : BuiltinFunctions().Names()) {
        Result<FunctionDescription> function = BuiltinFunctions().Describe(name);
        if (function.ok())
          rows.push_back({name, function->kind, function->category, function->text});
      }
      result.rows = MakeTextRows({"function", "kind", "category", "description"}, rows);
      return OkStatus();
    case ast::ShowKind::kTypes:
      for (const auto& [name, type] : catalog_.types()) rows.push_back({name, type.ToString()});
      for (const StoredStatement& stored : stored_) {
        if (stored.kind != "type" || stored.broken.ok()) continue;
        rows.push_back({stored.name, BrokenState(stored)});
      }
      result.rows = MakeTextRows({"type", "schema"}, rows);
      return OkStatus();
    case ast::ShowKind::kVariables:
      for (const auto& [name, value] : variables_) rows.push_back({name, value});
      result.rows = MakeTextRows({"variable", "value"}, rows);
      return OkStatus();
    case ast::ShowKind::kProperties:
      for (const SettingRow& row : SettingRows()) {
        std::string value(settings_.Get(row.name));
        if (row.kind == SettingKind::kSecret && !value.empty()) value = "(hidden)";
        if (row.name == "schema.registry.url") value = UrlsWithoutSecrets(value);
        rows.push_back({std::string(row.name), std::move(value), std::string(row.default_value),
                        row.scope == SettingScope::kEngine ? "engine" : "query",
                        std::string(row.text)});
      }
      result.rows = MakeTextRows({"setting", "value", "default", "scope", "meaning"}, rows);
      return OkStatus();
    case ast::ShowKind::kPipelines:
      for (const StoredStatement& stored : stored_) {
        if (stored.kind == "pipeline") rows.push_back({stored.name, stored.sql});
      }
      result.rows = MakeTextRows({"pipeline", "sql"}, rows);
      return OkStatus();
    case ast::ShowKind::kMetrics:
      result.rows = MakeListing({{"query"}, {"task"}, {"metric"}, {"value", DataType::Double()}},
                                MetricRows(Metrics(), show.extended));
      return OkStatus();
    case ast::ShowKind::kSchemas: return ShowSchemas(statement, result);
    case ast::ShowKind::kConnectors:
    case ast::ShowKind::kSourceConnectors:
    case ast::ShowKind::kSinkConnectors:
    case ast::ShowKind::kConnectorPlugins: break;
  }
  return Status(ErrorCode::kUnsupported, "Kafka Connect's connectors are not built")
      .At(statement.position)
      .WithHint("CREATE STREAM … WITH (CONNECTOR='file'|'datagen', …) reads files and generators");
}

Status EngineImpl::ShowCreate(const ast::Statement& statement, StatementResult& result) {
  const auto& show = statement.As<ast::ShowCreate>();
  const std::string& name = show.name.name;
  std::string sql;
  if (const SourceEntry* source = catalog_.FindSource(name)) {
    const QueryEntry* query = catalog_.FindQuery(source->created_by_query);
    sql = query != nullptr ? query->sql : source->sql;
  } else if (const QueryEntry* query = catalog_.FindQuery(name)) {
    sql = query->sql;
  } else if (const StoredStatement* broken = FindBroken(name)) {
    sql = broken->sql;
  } else {
    for (const StoredStatement& stored : stored_) {
      if (stored.name == name) sql = stored.sql;
    }
  }
  if (sql.empty()) {
    return UnknownSource(name, CompletionNames()).At(statement.position);
  }
  result.message = sql + ";";
  result.rows = MakeTextRows({"name", "sql"}, {{name, sql + ";"}});
  return OkStatus();
}

Status EngineImpl::ShowSchemas(const ast::Statement& statement, StatementResult& result) {
  if (Status has = CheckHasSchemas("AVRO"); !has.ok()) {
    return Status(has.code(), "there is no schema registry to list the schemas of")
        .WithHint(has.hint())
        .At(statement.position);
  }
  WEIR_ASSIGN_OR_RETURN(const std::vector<SubjectVersion> subjects, schemas_->Subjects());
  Rows rows;
  for (const SubjectVersion& each : subjects) {
    rows.push_back({each.subject, fmt::format("{}", each.schema->id),
                    fmt::format("{}", each.version),
                    std::string(SchemaTypeName(each.schema->type))});
  }
  result.rows = MakeListing(
      {{"subject"}, {"id", DataType::Bigint()}, {"version", DataType::Bigint()}, {"type"}}, rows);
  return OkStatus();
}

Status EngineImpl::Describe(const ast::Statement& statement, StatementResult& result) {
  const auto& describe = statement.As<ast::Describe>();
  const std::string& name = describe.name.name;
  Rows rows;
  if (describe.kind == ast::DescribeKind::kFunction) {
    Result<FunctionDescription> function = BuiltinFunctions().Describe(name);
    if (!function.ok()) return std::move(function).status().At(statement.position);
    // Overloads often share their example.
    std::vector<std::string>& examples = function->examples;
    examples.erase(std::unique(examples.begin(), examples.end()), examples.end());
    for (const std::string& signature : function->signatures) {
      rows.push_back({function->name, signature, function->text,
                      fmt::format("{}", fmt::join(function->examples, "; "))});
    }
    result.rows = MakeTextRows({"function", "signature", "description", "example"}, rows);
    return OkStatus();
  }
  if (describe.kind == ast::DescribeKind::kStreams || describe.kind == ast::DescribeKind::kTables) {
    const bool tables = describe.kind == ast::DescribeKind::kTables;
    for (const auto& [each, source] : catalog_.sources()) {
      if (source.is_table != tables) continue;
      for (std::vector<std::string>& row : ColumnRows(source)) {
        row.insert(row.begin(), each);
        rows.push_back(std::move(row));
      }
    }
    result.rows = MakeTextRows({"name", "field", "type", "role"}, rows);
    return OkStatus();
  }
  if (describe.kind == ast::DescribeKind::kConnector) {
    return Status(ErrorCode::kUnsupported, "Kafka Connect's connectors are not built")
        .At(statement.position);
  }
  if (describe.kind == ast::DescribeKind::kQuery) {
    return Status(ErrorCode::kUnsupported, "DESCRIBE QUERY is not built yet")
        .At(statement.position)
        .WithHint("SHOW QUERIES tells its state and counts, EXPLAIN and its id the plan");
  }
  const SourceEntry* source = catalog_.FindSource(name);
  if (const StoredStatement* broken = source == nullptr ? FindBroken(name) : nullptr) {
    rows = {{"-- state", "ERROR", ""},
            {"-- error", broken->broken.message(), ""},
            {"-- statement", broken->sql, ""}};
    result.rows = MakeTextRows({"field", "type", "role"}, rows);
    return OkStatus();
  }
  if (source == nullptr) {
    std::vector<std::string> names;
    for (const auto& [each, entry] : catalog_.sources()) names.push_back(each);
    return UnknownSource(name, names).At(statement.position);
  }
  rows = ColumnRows(*source);
  if (!describe.extended) {
    result.rows = MakeTextRows({"field", "type", "role"}, rows);
    return OkStatus();
  }
  auto fact = [&](std::string what, std::string value) {
    if (!value.empty()) rows.push_back({std::move(what), std::move(value), ""});
  };
  fact("-- topic", source->topic);
  fact("-- partitions", fmt::format("{}", source->partitions));
  fact("-- key format", FormatName(source->key_format));
  fact("-- value format", FormatName(source->value_format));
  fact("-- key schema", DescribeSchema(*source, true));
  fact("-- value schema", DescribeSchema(*source, false));
  fact("-- window", std::string(WindowName(source->windowed_key)));
  fact("-- timestamp", source->time_column);
  const EngineMetrics all = Metrics();
  std::vector<const QueryEntry*> queries = catalog_.QueriesWriting(name);
  for (const QueryEntry* query : catalog_.QueriesReading(name)) queries.push_back(query);
  for (const QueryEntry* query : queries) {
    const QueryMetrics metrics = MetricsOf(all, query->id);
    fact(fmt::format("-- {} by", query->sink == name ? "written" : "read"),
         fmt::format("{} ({}): {} in, {} out, lag {}", query->id, FormatState(metrics),
                     metrics.records_in, metrics.records_out, metrics.lag_records));
    if (const auto note = plan_notes_.find(query->id); note != plan_notes_.end()) {
      fact("   plan", note->second);
    }
    fact("   dropped", FormatDropped(metrics));
    for (const std::string& error : metrics.last_errors) fact("   last errors", error);
  }
  fact("-- statement", source->sql);
  result.rows = MakeTextRows({"field", "type", "role"}, rows);
  return OkStatus();
}

Status EngineImpl::ExplainStatement(const ast::Statement& statement, StatementResult& result) {
  const auto& explain = statement.As<ast::Explain>();
  std::string_view stage = "physical";
  switch (explain.mode) {
    case ast::ExplainMode::kPlain:
    case ast::ExplainMode::kPhysical: break;
    case ast::ExplainMode::kVerbose: stage = "verbose"; break;
    case ast::ExplainMode::kLogical: stage = "logical"; break;
    case ast::ExplainMode::kOptimized: stage = "optimized"; break;
    case ast::ExplainMode::kAnalyze:
      return Status(ErrorCode::kUnsupported, "EXPLAIN ANALYZE is not built yet")
          .At(statement.position)
          .WithHint("SHOW QUERIES has the counters of running queries");
  }
  std::string text;
  if (explain.statement != nullptr) {
    WEIR_ASSIGN_OR_RETURN(text,
                          weir::ExplainStatement(*explain.statement, MakePlannerContext(), stage));
  } else {
    const QueryEntry* query = catalog_.FindQuery(explain.query_id.name);
    if (query == nullptr) {
      std::vector<std::string> ids;
      for (const auto& [id, entry] : catalog_.queries()) ids.push_back(id);
      std::string hint = DidYouMean(explain.query_id.name, ids);
      if (hint.empty()) {
        hint = ids.empty() ? "EXPLAIN SELECT … shows the plan of a query that does not run"
                           : fmt::format("the queries are {}", ListNames(ids));
      }
      return Status(ErrorCode::kUnknownQuery,
                    fmt::format("unknown query: {}", explain.query_id.name))
          .At(statement.position)
          .WithHint(std::move(hint));
    }
    WEIR_ASSIGN_OR_RETURN(ast::Statement parsed, ParseStatement(query->sql));
    PlannerContext context = MakePlannerContext();
    for (const StoredStatement& stored : stored_) {
      const bool its = stored.kind == "query"
                           ? stored.name == query->id
                           : stored.kind == "pipeline" && stored.name == query->pipeline;
      if (its) context.known_columns = stored.known_columns;
    }
    // The plan that runs, whatever this version would make of the statement.
    const std::string kept = stage == "physical" ? KeptPlan(query->id) : std::string();
    if (kept.empty()) {
      WEIR_ASSIGN_OR_RETURN(text, weir::ExplainStatement(parsed, context, stage));
    } else {
      WEIR_ASSIGN_OR_RETURN(const physical::NodePtr plan, ReadPlan(kept, BuiltinFunctions()));
      text = ExplainPhysical(*plan);
    }
    if (const auto note = plan_notes_.find(query->id); note != plan_notes_.end()) {
      result.notices.push_back(note->second);
    }
  }
  Rows rows;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    rows.push_back({text.substr(begin, end - begin)});
    begin = end + 1;
  }
  result.message = std::move(text);
  result.rows = MakeTextRows({"plan"}, rows);
  return OkStatus();
}

Result<std::string> EngineImpl::Explain(std::string_view sql) {
  std::lock_guard lock(statement_mutex_);
  if (closed_) return Status(ErrorCode::kClosed, "the engine is closed");
  StatementSplitter splitter;
  splitter.Add(sql);
  std::optional<StatementText> text = splitter.Next();
  if (!text) text = splitter.TakeRest();
  if (!text) return Status(ErrorCode::kUsage, "Explain takes one statement, not an empty text");
  WEIR_ASSIGN_OR_RETURN(ast::Statement statement, ParseOne(*text));
  if (statement.Is<ast::Explain>()) {
    StatementResult result;
    WEIR_RETURN_IF_ERROR(ExplainStatement(statement, result));
    return result.message;
  }
  return weir::ExplainStatement(statement, MakePlannerContext(), "physical");
}

std::vector<SourceInfo> EngineImpl::Sources() const {
  std::lock_guard lock(statement_mutex_);
  std::vector<SourceInfo> infos;
  for (const auto& [name, source] : catalog_.sources()) {
    SourceInfo info;
    info.name = name;
    info.is_table = source.is_table;
    info.topic = source.topic;
    info.key_format = FormatName(source.key_format);
    info.value_format = FormatName(source.value_format);
    info.schema = std::make_shared<const Schema>(source.ToSchema());
    info.window_type = WindowName(source.windowed_key);
    info.window_size_ms = source.window_size_ms;
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::string> EngineImpl::DumpCatalog() const {
  std::lock_guard lock(statement_mutex_);
  std::string out;
  for (const StoredStatement* stored : InOrderOfUse(stored_)) {
    if (!stored->broken.ok()) {
      std::string cause = BrokenState(*stored);
      std::replace(cause.begin(), cause.end(), '\n', ' ');
      out += fmt::format("-- {}\n", cause);
    }
    out += stored->sql + ";\n";
  }
  return out;
}

std::vector<std::string> EngineImpl::CompletionNames() const {
  std::lock_guard lock(statement_mutex_);
  std::vector<std::string> names;
  for (const auto& [name, source] : catalog_.sources()) {
    names.push_back(name);
    names.push_back(source.topic);
    for (const auto& column : source.columns) names.push_back(column.name);
  }
  for (const auto& [id, query] : catalog_.queries()) names.push_back(id);
  for (std::string& name : BuiltinFunctions().Names()) names.push_back(std::move(name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace weir
