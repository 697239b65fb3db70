// CREATE … AS SELECT and INSERT INTO … SELECT.

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/file_ending.h"
#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/passes/passes.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_shape.h"
#include "planner/physical/state_signature.h"
#include "planner/properties/event_time.h"
#include "planner/properties/format_rules.h"
#include "planner/properties/session_settings.h"
#include "planner/statements/query_plan.h"
#include "planner/statements/statement_checks.h"

namespace weir {
namespace {

Status CheckQueryClauses(const ast::Query& query, std::string_view what) {
  if (!query.limit) return OkStatus();
  return Status(ErrorCode::kInvalidStatement, std::string(what) + " takes no LIMIT")
      .At(query.position);
}

std::vector<ColumnSchema> SideColumns(const Schema& schema, bool keys) {
  std::vector<ColumnSchema> columns;
  for (const ColumnSchema& column : schema.columns) {
    if (column.is_key == keys) columns.push_back(column);
  }
  return columns;
}

void FillColumns(const Schema& schema, SourceEntry& entry) {
  for (const ColumnSchema& column : schema.columns) {
    SourceEntry::SourceColumnEntry made;
    made.name = column.name;
    made.type = column.type;
    made.is_key = column.is_key;
    entry.columns.push_back(std::move(made));
  }
}

/// A file as sink: each row is a line of all columns.
Status ResolveFileSink(const WithProperties& with, const BuiltQuery& built,
                       const PlannerContext& context, SourceEntry& sink) {
  sink.connector = with.ToMap();
  const std::string path = with.Text("PATH").value_or("");
  if (path.empty() || path == "-") {
    return InvalidProperty("a file to write needs a PATH", with.PositionOf("CONNECTOR"));
  }
  WEIR_ASSIGN_OR_RETURN(NamedFormats named, ReadFormats(with));
  const std::string format = named.value.value_or(ExtensionFormat(sink.connector));
  if (format != "JSON" && format != "DELIMITED") {
    return InvalidProperty("a file's lines are JSON or DELIMITED, not " + format,
                           with.PositionOf("VALUE_FORMAT"));
  }
  // A file is written as it is read.
  if (format == "DELIMITED" && !with.Has("VALUE_DELIMITER") && IsTabSeparated(path)) {
    sink.connector["VALUE_DELIMITER"] = "TAB";
  }
  std::vector<ColumnSchema> columns = built.node->schema->columns;
  for (ColumnSchema& column : columns) column.is_key = false;
  const std::optional<bool> wrap = SessionBoolean(context, "persistence.wrap.single.values");
  sink.key_format.format = "NONE";
  WEIR_ASSIGN_OR_RETURN(sink.value_format, ResolveSide(false, format, with, columns, wrap));
  if (const auto found = sink.connector.find("VALUE_DELIMITER"); found != sink.connector.end()) {
    sink.value_format.properties["DELIMITER"] = found->second;
  }
  // A stream's lines have no key when they are read again; a table's key finds its rows.
  if (!sink.is_table) {
    for (auto& column : sink.columns) column.is_key = false;
  }
  return CheckFormatColumns(false, sink.value_format, columns);
}

/// The sink's formats: those of WITH, else those of the first source.
Status ResolveSinkFormats(const WithProperties& with, const BuiltQuery& built,
                          const PlannerContext& context, SourceEntry& sink) {
  if (with.Has("CONNECTOR")) return ResolveFileSink(with, built, context, sink);
  WEIR_ASSIGN_OR_RETURN(NamedFormats named, ReadFormats(with));
  const SourceEntry& source = *built.sources[0];
  const std::vector<ColumnSchema> keys = SideColumns(*built.node->schema, true);
  const std::vector<ColumnSchema> values = SideColumns(*built.node->schema, false);
  if (keys.empty() && named.key && with.Has("KEY_FORMAT") && *named.key != "NONE") {
    return InvalidProperty("the result has no key column, so it takes no KEY_FORMAT",
                           with.PositionOf("KEY_FORMAT"));
  }
  std::string key = named.key.value_or(source.key_format.format);
  if (built.keyless && !named.key) key = "NONE";
  if (key == "NONE" && !keys.empty() && !named.key) {
    WEIR_ASSIGN_OR_RETURN(key, CheckFormatName(*DefaultFormat(context, true), {}));
  }
  const std::string value = named.value.value_or(source.value_format.format);
  const std::optional<bool> wrap = SessionBoolean(context, "persistence.wrap.single.values");
  WEIR_ASSIGN_OR_RETURN(sink.key_format, ResolveSide(true, key, with, keys, wrap));
  WEIR_ASSIGN_OR_RETURN(sink.value_format, ResolveSide(false, value, with, values, wrap));
  const auto inherit = [](const physical::SideFormat& from, physical::SideFormat& to) {
    const auto delimiter = from.properties.find("DELIMITER");
    if (from.format == to.format && delimiter != from.properties.end()) {
      to.properties.insert(*delimiter);
    }
  };
  if (!named.key) inherit(source.key_format, sink.key_format);
  if (!named.value) inherit(source.value_format, sink.value_format);
  WEIR_RETURN_IF_ERROR(CheckFormatColumns(true, sink.key_format, keys));
  return CheckFormatColumns(false, sink.value_format, values);
}

Status ResolveSinkTopic(const WithProperties& with, const BuiltQuery& built,
                        const PlannerContext& context, PersistentQueryPlan& plan) {
  SourceEntry& sink = *plan.sink;
  sink.topic =
      with.Text("KAFKA_TOPIC")
          .value_or(SessionText(context, "output.topic.name.prefix").value_or("") + sink.name);
  WEIR_RETURN_IF_ERROR(CheckTopicName(sink.topic, with.PositionOf("KAFKA_TOPIC")));
  WEIR_RETURN_IF_ERROR(CheckPartitions(with));
  const int32_t existing = sink.connector.empty() ? ExistingPartitions(context, sink.topic) : 0;
  WEIR_RETURN_IF_ERROR(CheckDeclaredPartitions(context, with, sink.topic, existing));
  plan.create_topic = existing == 0 && sink.connector.empty();
  const int32_t of_source = std::max(built.sources[0]->partitions, 1);
  plan.partitions = static_cast<int32_t>(
      with.Integer("PARTITIONS").value_or(existing > 0 ? existing : of_source));
  plan.retention_ms = with.Integer("RETENTION_MS").value_or(-1);
  sink.partitions = plan.partitions;
  sink.declared_partitions = static_cast<int32_t>(with.Integer("PARTITIONS").value_or(0));
  return OkStatus();
}

std::shared_ptr<logical::Sink> MakeSink(const logical::NodePtr& input, const SourceEntry& entry,
                                        const ast::Query& query) {
  auto sink = std::make_shared<logical::Sink>();
  sink->passes_keys = query.partition_by.empty();
  sink->inputs = {input};
  sink->schema = input->schema;
  sink->key_columns = input->key_columns;
  sink->is_table = input->is_table;
  sink->windowed_key = input->windowed_key;
  sink->window_size_ms = input->window_size_ms;
  sink->name = entry.name;
  sink->topic = entry.topic;
  sink->partitions = entry.partitions;
  sink->key_format = entry.key_format;
  sink->value_format = entry.value_format;
  sink->connector = entry.connector;
  if (entry.time_source == physical::TimeSource::kColumn) {
    sink->time_column = input->schema->Find(entry.time_column);
    sink->time_format = entry.time_format;
  }
  return sink;
}

Status CheckResultKind(bool wants_table, const BuiltQuery& built, SourcePosition position) {
  if (wants_table == built.node->is_table) return OkStatus();
  return Status(ErrorCode::kInvalidStatement, wants_table
                                                  ? "the SELECT gives a stream, not a table"
                                                  : "the SELECT gives a table, not a stream")
      .WithHint(wants_table ? "write CREATE STREAM … AS SELECT" : "write CREATE TABLE … AS SELECT")
      .At(position);
}

/// Rows of one stream without GROUP BY are no table: the better thing to say where such a SELECT
/// lacks a key.
Status CheckGivesTable(const ast::Query& query, const Catalog& catalog) {
  if (!query.group_by.empty() || query.from->kind != ast::RelationKind::kTable) return OkStatus();
  const SourceEntry* source =
      catalog.FindSource(static_cast<const ast::AliasedTable&>(*query.from).name.name);
  if (source == nullptr || source->is_table) return OkStatus();
  return Status(ErrorCode::kInvalidStatement, "the SELECT gives a stream, not a table")
      .WithHint("GROUP BY makes a table of a stream; CREATE STREAM … AS SELECT makes a stream")
      .At(query.position);
}

Status CheckReplace(const ast::CreateAsSelect& create, const SourceEntry* existing) {
  if (!create.or_replace || existing == nullptr || !existing->read_only) return OkStatus();
  return Status(ErrorCode::kInvalidStatement,
                "CREATE OR REPLACE does not work on SOURCE streams and tables: " + existing->name)
      .At(create.name.position);
}

void NoteColumns(const SourceEntry& source, const PlannerContext& context, KnownColumns& known) {
  std::vector<std::string>& columns = known[source.name];
  columns.clear();
  for (const SourceEntry::SourceColumnEntry& column : source.columns) {
    if (SeesColumn(context, source, column.name)) columns.push_back(column.name);
  }
}

std::vector<std::string> ReadNames(const BuiltQuery& built) {
  std::vector<std::string> names;
  for (const auto& source : built.sources) {
    // A self join reads one source twice.
    if (std::ranges::find(names, source->name) == names.end()) names.push_back(source->name);
  }
  return names;
}

Result<PersistentLogical> BuildCreateAs(const ast::Statement& statement,
                                        const PlannerContext& context) {
  const auto& create = statement.As<ast::CreateAsSelect>();
  const bool wants_table = create.kind == ast::SourceKind::kTable;
  PersistentLogical result;
  PersistentQueryPlan& plan = result.plan;
  plan.sink_name = create.name.name;
  plan.query_id = (wants_table ? "CTAS_" : "CSAS_") + plan.sink_name;
  plan.sql = ast::FormatStatement(statement);
  plan.if_not_exists = create.if_not_exists;
  plan.or_replace = create.or_replace;
  WEIR_RETURN_IF_ERROR(CheckQueryClauses(*create.query, "CREATE … AS SELECT"));
  SourceEntry& sink = plan.sink.emplace();
  sink.name = plan.sink_name;
  sink.is_table = wants_table;
  sink.sql = plan.sql;
  sink.created_by_query = plan.query_id;
  sink.is_materialized = wants_table;
  const SourceEntry* existing = context.catalog->FindSource(sink.name);
  WEIR_RETURN_IF_ERROR(CheckReplace(create, existing));
  WEIR_RETURN_IF_ERROR(CheckFreeName(existing, sink, plan.if_not_exists || plan.or_replace));
  WEIR_ASSIGN_OR_RETURN(WithProperties with,
                        WithProperties::Read(create.properties, WithPlace::kSink));
  Result<BuiltQuery> result_of_query = BuildQuery({&context, true, sink.name, create.query.get()});
  if (wants_table && result_of_query.status().code() == ErrorCode::kInvalidKey) {
    WEIR_RETURN_IF_ERROR(CheckGivesTable(*create.query, *context.catalog));
  }
  WEIR_ASSIGN_OR_RETURN(BuiltQuery built, std::move(result_of_query));
  WEIR_RETURN_IF_ERROR(CheckResultKind(wants_table, built, create.query->position));
  FillColumns(*built.node->schema, sink);
  sink.windowed_key = built.node->windowed_key;
  sink.window_size_ms = built.node->window_size_ms;
  WEIR_RETURN_IF_ERROR(ResolveSinkFormats(with, built, context, sink));
  WEIR_ASSIGN_OR_RETURN(std::optional<int> time, ReadTimeColumn(with, *built.node->schema));
  if (time) {
    sink.time_source = physical::TimeSource::kColumn;
    sink.time_column = built.node->schema->columns[*time].name;
    sink.time_format = with.Text("TIMESTAMP_FORMAT").value_or("");
  }
  WEIR_RETURN_IF_ERROR(ResolveSinkTopic(with, built, context, plan));
  plan.reads = ReadNames(built);
  for (const auto& source : built.sources) NoteColumns(*source, context, plan.known_columns);
  plan.compacted = wants_table && sink.windowed_key == physical::WindowKind::kNone;
  result.root = MakeSink(built.node, sink, *create.query);
  return result;
}

Status CheckInsertTarget(const SourceEntry& target, SourcePosition position) {
  if (target.is_table) {
    return Status(ErrorCode::kInvalidStatement,
                  "INSERT INTO … SELECT writes to streams, and this is a table: " + target.name)
        .At(position);
  }
  if (target.read_only) {
    return Status(ErrorCode::kInvalidStatement, "a SOURCE stream is read only: " + target.name)
        .At(position);
  }
  if (!target.connector.empty()) {
    return Status(ErrorCode::kUnsupported,
                  "INSERT INTO … SELECT does not write to connectors: " + target.name)
        .WithHint(
            "one query writes a file: CREATE STREAM … WITH (CONNECTOR='file', PATH=…) AS "
            "SELECT")
        .At(position);
  }
  for (const auto& column : target.columns) {
    if (!column.is_headers) continue;
    return Status(ErrorCode::kInvalidStatement, "header columns cannot be written, and " +
                                                    target.name + " has one: " + column.name)
        .At(position);
  }
  return OkStatus();
}

/// "column 2 is `B` INT, and …": the first place where the two differ.
std::string FirstDifference(const Schema& result, const Schema& target) {
  const auto text = [](const Schema& schema, int i) {
    const ColumnSchema& column = schema.columns[i];
    return column.name + " " + column.type.ToString() + (column.is_key ? " KEY" : "");
  };
  for (int i = 0; i < std::min(result.size(), target.size()); ++i) {
    const ColumnSchema& from = result.columns[i];
    const ColumnSchema& to = target.columns[i];
    if (from.name == to.name && from.is_key == to.is_key &&
        ConvertsImplicitly(from.type, to.type)) {
      continue;
    }
    return "column " + std::to_string(i + 1) + " is " + text(result, i) + ", and the target has " +
           text(target, i);
  }
  std::vector<std::string> names;
  for (const ColumnSchema& column : target.columns) names.push_back(column.name);
  return "there are " + std::to_string(result.size()) + " columns, and the target has " +
         std::to_string(target.size()) + ": " + ListNames(names);
}

Status SchemasDiffer(const Schema& result, const Schema& target, SourcePosition position) {
  return Status(ErrorCode::kTypeMismatch,
                "the SELECT's columns are not the target's: " + FirstDifference(result, target))
      .WithHint("same names in the same order, types that convert; AS renames, CAST converts")
      .At(position);
}

/// The projection with casts to the target's types. Columns that a kept query does not know of are
/// null.
Result<logical::NodePtr> FitToTarget(const logical::NodePtr& node, const SourceEntry& target,
                                     const PlannerContext& context, SourcePosition position) {
  const Schema all = target.ToSchema();
  Schema wanted;
  for (const ColumnSchema& column : all.columns) {
    if (SeesColumn(context, target, column.name)) wanted.columns.push_back(column);
  }
  const Schema& have = *node->schema;
  if (have.size() != wanted.size()) return SchemasDiffer(have, wanted, position);
  auto project = logical::CopyAs<logical::Project>(*node);
  for (int i = 0; i < have.size(); ++i) {
    const ColumnSchema& from = have.columns[i];
    const ColumnSchema& to = wanted.columns[i];
    if (from.name != to.name || from.is_key != to.is_key ||
        !ConvertsImplicitly(from.type, to.type)) {
      return SchemasDiffer(have, wanted, position);
    }
    project->exprs[i] = MakeCast(project->exprs[i], to.type);
  }
  for (int i = 0; i < all.size(); ++i) {
    if (SeesColumn(context, target, all.columns[i].name)) continue;
    project->exprs.insert(project->exprs.begin() + i,
                          MakeLiteral(Value(), all.columns[i].type, "NULL"));
  }
  project->schema = std::make_shared<Schema>(all);
  return logical::NodePtr(project);
}

Result<PersistentLogical> BuildInsertInto(const ast::Statement& statement,
                                          const PlannerContext& context) {
  const auto& insert = statement.As<ast::InsertInto>();
  PersistentLogical result;
  PersistentQueryPlan& plan = result.plan;
  plan.sink_name = insert.target.name;
  plan.sql = ast::FormatStatement(statement);
  WEIR_ASSIGN_OR_RETURN(const SourceEntry* target,
                        FindSourceOrError(*context.catalog, insert.target));
  WEIR_RETURN_IF_ERROR(CheckInsertTarget(*target, insert.target.position));
  WEIR_RETURN_IF_ERROR(CheckQueryClauses(*insert.query, "INSERT INTO … SELECT"));
  WEIR_ASSIGN_OR_RETURN(WithProperties with,
                        WithProperties::Read(insert.properties, WithPlace::kInsert));
  char hash[9];
  std::snprintf(hash, sizeof hash, "%08x", static_cast<unsigned>(StableHash(plan.sql)));
  plan.query_id = with.Has("QUERY_ID") ? FoldPropertyName(*with.Text("QUERY_ID"))
                                       : "INSERT_" + plan.sink_name + "_" + hash;
  if (!context.kept_query_id.empty()) plan.query_id = context.kept_query_id;
  WEIR_ASSIGN_OR_RETURN(BuiltQuery built,
                        BuildQuery({&context, true, target->name, insert.query.get()}));
  WEIR_RETURN_IF_ERROR(CheckResultKind(false, built, insert.query->position));
  if (built.node->windowed_key != target->windowed_key) {
    return Status(ErrorCode::kInvalidKey,
                  "the SELECT's key and that of " + target->name + " differ in their windows")
        .At(insert.query->position);
  }
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr fitted,
                        FitToTarget(built.node, *target, context, insert.query->position));
  plan.reads = ReadNames(built);
  for (const auto& source : built.sources) NoteColumns(*source, context, plan.known_columns);
  NoteColumns(*target, context, plan.known_columns);
  plan.partitions = target->partitions;
  result.root = MakeSink(fitted, *target, *insert.query);
  return result;
}

}  // namespace

Result<PersistentLogical> BuildPersistent(const ast::Statement& statement,
                                          const PlannerContext& context) {
  if (statement.Is<ast::CreateAsSelect>()) return BuildCreateAs(statement, context);
  if (statement.Is<ast::InsertInto>()) return BuildInsertInto(statement, context);
  return Status(ErrorCode::kInvalidStatement,
                "only CREATE … AS SELECT and INSERT INTO … SELECT make persistent queries")
      .At(statement.position);
}

Result<PersistentQueryPlan> PlanPersistentQuery(const ast::Statement& statement,
                                                const PlannerContext& context) {
  WEIR_ASSIGN_OR_RETURN(PersistentLogical built, BuildPersistent(statement, context));
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr optimized, RunPasses(built.root, context));
  WEIR_ASSIGN_OR_RETURN(const physical::NodePtr root, LowerPlan(optimized, built.plan.query_id));
  WEIR_ASSIGN_OR_RETURN(built.plan.root, WrittenAndRead(root, *context.functions));
  built.plan.fingerprint = SignatureHash(SignatureOf(*built.plan.root));
  built.plan.legacy_fingerprint = StableHash(StateShape(*built.plan.root));
  return std::move(built.plan);
}

}  // namespace weir
