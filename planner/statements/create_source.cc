// CREATE STREAM and CREATE TABLE without AS.

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/scope.h"
#include "planner/planner.h"
#include "planner/properties/event_time.h"
#include "planner/properties/format_rules.h"
#include "planner/properties/session_settings.h"
#include "planner/statements/statement_checks.h"

namespace weir {
namespace {

using ast::ColumnRole;
constexpr int64_t kConnectorPartitionsMax = 1024;  // Each is a task with a reader of its own.
using Column = SourceEntry::SourceColumnEntry;

Status CheckRole(const ast::CreateSource& create, const ast::ColumnDefinition& column) {
  const bool is_table = create.kind == ast::SourceKind::kTable;
  if (column.role == ColumnRole::kPrimaryKey && !is_table) {
    return Status(ErrorCode::kInvalidKey,
                  "a stream's key column is marked KEY, not PRIMARY KEY: " + column.name.name)
        .At(column.position);
  }
  if (column.role == ColumnRole::kKey && is_table) {
    return Status(ErrorCode::kInvalidKey,
                  "a table's key column is marked PRIMARY KEY, not KEY: " + column.name.name)
        .At(column.position);
  }
  return OkStatus();
}

Status CheckHeaderType(const ast::ColumnDefinition& column, const DataType& type) {
  const DataType wanted = column.role == ColumnRole::kHeader
                              ? DataType::Bytes()
                              : SystemColumnType(SystemColumn::kHeaders);
  if (type == wanted) return OkStatus();
  return Status(ErrorCode::kTypeMismatch, "a header column has the type " + wanted.ToString() +
                                              ", not " + type.ToString() + ": " + column.name.name)
      .At(column.position);
}

Result<Column> MakeColumnEntry(const ast::CreateSource& create, const ast::ColumnDefinition& column,
                               const Catalog& catalog) {
  if (IsSystemColumnName(column.name.name)) {
    return Status(ErrorCode::kReservedName,
                  "a system column's name cannot be a column's name: " + column.name.name)
        .At(column.position);
  }
  WEIR_RETURN_IF_ERROR(CheckRole(create, column));
  Column entry;
  entry.name = column.name.name;
  WEIR_ASSIGN_OR_RETURN(entry.type, ResolveType(column.type, catalog));
  entry.is_key = column.role == ColumnRole::kKey || column.role == ColumnRole::kPrimaryKey;
  if (column.role == ColumnRole::kHeaders || column.role == ColumnRole::kHeader) {
    WEIR_RETURN_IF_ERROR(CheckHeaderType(column, entry.type));
    entry.is_headers = true;
    if (column.role == ColumnRole::kHeader) entry.header_key = column.header;
  }
  return entry;
}

Result<std::vector<Column>> MakeColumns(const ast::CreateSource& create, const Catalog& catalog) {
  std::vector<Column> columns;
  std::unordered_set<std::string> names;
  bool has_all_headers = false;
  for (const ast::ColumnDefinition& definition : create.columns) {
    WEIR_ASSIGN_OR_RETURN(Column column, MakeColumnEntry(create, definition, catalog));
    if (!names.insert(column.name).second) {
      return Status(ErrorCode::kDuplicateName, "duplicate column: " + column.name)
          .At(definition.position);
    }
    if (column.is_headers && !column.header_key) {
      if (has_all_headers) {
        return Status(ErrorCode::kInvalidStatement, "only one column can be marked HEADERS")
            .At(definition.position);
      }
      has_all_headers = true;
    }
    columns.push_back(std::move(column));
  }
  std::ranges::stable_partition(columns, [](const Column& column) { return column.is_key; });
  return columns;
}

Status ReadWindow(const WithProperties& with, bool has_key, SourceEntry& entry) {
  const std::optional<std::string> text = with.Text("WINDOW_TYPE");
  const std::optional<std::string> size = with.Text("WINDOW_SIZE");
  if (!text) {
    if (!size) return OkStatus();
    return InvalidProperty("WINDOW_SIZE needs a WINDOW_TYPE", with.PositionOf("WINDOW_SIZE"));
  }
  const std::string type = FoldPropertyName(*text);
  if (type == "TUMBLING") entry.windowed_key = physical::WindowKind::kTumbling;
  if (type == "HOPPING") entry.windowed_key = physical::WindowKind::kHopping;
  if (type == "SESSION") entry.windowed_key = physical::WindowKind::kSession;
  if (entry.windowed_key == physical::WindowKind::kNone) {
    return InvalidProperty("WINDOW_TYPE is TUMBLING, HOPPING or SESSION, not '" + *text + "'",
                           with.PositionOf("WINDOW_TYPE"));
  }
  const bool is_session = entry.windowed_key == physical::WindowKind::kSession;
  if (is_session && size) {
    return InvalidProperty("SESSION windows have no WINDOW_SIZE", with.PositionOf("WINDOW_SIZE"));
  }
  if (!is_session && !size) {
    return InvalidProperty(type + " windows need a WINDOW_SIZE", with.PositionOf("WINDOW_TYPE"));
  }
  if (size) {
    Result<int64_t> ms = ParseDurationText(*size);
    if (!ms.ok()) return std::move(ms).status().At(with.PositionOf("WINDOW_SIZE"));
    entry.window_size_ms = *ms;
  }
  if (!has_key) {
    return Status(ErrorCode::kInvalidKey, "a windowed source needs a key column: " + entry.name);
  }
  return OkStatus();
}

Status ReadTime(const WithProperties& with, SourceEntry& entry) {
  WEIR_ASSIGN_OR_RETURN(std::optional<int> column, ReadTimeColumn(with, entry.ToSchema()));
  if (const std::optional<std::string> source = with.Text("TIMESTAMP_SOURCE")) {
    const std::string name = FoldPropertyName(*source);
    if (column) {
      return InvalidProperty("TIMESTAMP names a column, so TIMESTAMP_SOURCE cannot stand beside it",
                             with.PositionOf("TIMESTAMP_SOURCE"));
    }
    if (name == "RECORD")
      entry.time_source = physical::TimeSource::kRecord;
    else if (name == "APPEND")
      entry.time_source = physical::TimeSource::kAppend;
    else if (name == "PROCESSING")
      entry.time_source = physical::TimeSource::kProcessing;
    else {
      return InvalidProperty(
          "TIMESTAMP_SOURCE is 'record', 'append' or 'processing', not '" + *source + "'",
          with.PositionOf("TIMESTAMP_SOURCE"));
    }
  }
  if (!column) return OkStatus();
  entry.time_source = physical::TimeSource::kColumn;
  entry.time_column = entry.columns[*column].name;
  entry.time_format = with.Text("TIMESTAMP_FORMAT").value_or("");
  return OkStatus();
}

Status ReadOnError(const WithProperties& with, SourceEntry& entry) {
  const std::optional<std::string> text = with.Text("ON_ERROR");
  if (!text) return OkStatus();
  const std::string policy = FoldPropertyName(*text);
  if (policy == "SKIP")
    entry.on_error = physical::OnError::kSkip;
  else if (policy == "NULL")
    entry.on_error = physical::OnError::kNull;
  else if (policy == "FAIL")
    entry.on_error = physical::OnError::kFail;
  else {
    entry.on_error = physical::OnError::kDeadLetter;
    entry.dead_letter_topic = *text;
    return CheckTopicName(*text, with.PositionOf("ON_ERROR"));
  }
  return OkStatus();
}

/// Records of connectors have no schemas in a registry, and lines are no messages.
Status CheckNoSchemas(const std::string& key, const std::string& value,
                      const WithProperties& with) {
  for (const std::string& format : {key, value}) {
    if (!NeedsRegistry(format) && !IsProtobuf(format)) continue;
    return Status(ErrorCode::kUnsupported, "a connector's records have no format " + format)
        .WithHint("topics have: KAFKA_TOPIC = '…' in the place of CONNECTOR")
        .At(with.PositionOf("FORMAT"));
  }
  return OkStatus();
}

Status ReadSourceFormats(const WithProperties& with, const PlannerContext& context,
                         SourceEntry& entry) {
  WEIR_ASSIGN_OR_RETURN(NamedFormats named, ReadFormats(with));
  std::string key = named.key.value_or("");
  std::string value = named.value.value_or("");
  if (key.empty()) {
    WEIR_ASSIGN_OR_RETURN(key, CheckFormatName(*DefaultFormat(context, true), {}));
  }
  if (value.empty() && !entry.connector.empty()) value = ExtensionFormat(entry.connector);
  if (value.empty()) {
    const std::optional<std::string> fallback = DefaultFormat(context, false);
    if (!fallback) {
      return Status(ErrorCode::kInvalidProperty, "the WITH clause lacks VALUE_FORMAT")
          .WithHint(
              "add VALUE_FORMAT = 'JSON', or SET "
              "'ksql.persistence.default.format.value' = 'JSON'");
    }
    WEIR_ASSIGN_OR_RETURN(value, CheckFormatName(*fallback, {}));
  }
  std::vector<ColumnSchema> keys;
  std::vector<ColumnSchema> values;
  for (const Column& column : entry.columns) {
    if (column.is_headers) continue;
    (column.is_key ? keys : values).push_back({column.name, column.type, column.is_key});
  }
  const std::optional<bool> wrap = SessionBoolean(context, "persistence.wrap.single.values");
  WEIR_ASSIGN_OR_RETURN(entry.key_format, ResolveSide(true, key, with, keys, wrap));
  WEIR_ASSIGN_OR_RETURN(entry.value_format, ResolveSide(false, value, with, values, wrap));
  if (!entry.connector.empty()) return CheckNoSchemas(key, value, with);
  WEIR_RETURN_IF_ERROR(CheckFormatColumns(true, entry.key_format, keys));
  return CheckFormatColumns(false, entry.value_format, values);
}

Status ReadTopic(const WithProperties& with, const PlannerContext& context,
                 CreateSourcePlan& plan) {
  SourceEntry& entry = plan.source;
  if (!entry.connector.empty()) {
    entry.topic = entry.name;
    const int64_t wanted = with.Integer("PARTITIONS").value_or(1);
    if (wanted > kConnectorPartitionsMax) {
      return InvalidProperty("a connector has at most " + std::to_string(kConnectorPartitionsMax) +
                                 " partitions, not " + std::to_string(wanted),
                             with.PositionOf("PARTITIONS"));
    }
    entry.partitions = static_cast<int32_t>(wanted);
    if (entry.is_table && entry.partitions > 1) {
      return InvalidProperty(
                 "a table's rows replace earlier ones, so a connector gives them in "
                 "one partition, not " +
                     std::to_string(entry.partitions),
                 with.PositionOf("PARTITIONS"))
          .WithHint("leave PARTITIONS out, or make a stream of it and a table by GROUP BY");
    }
    return OkStatus();
  }
  const std::optional<std::string> topic = with.Text("KAFKA_TOPIC");
  if (!topic) {
    return Status(ErrorCode::kInvalidProperty, "the WITH clause lacks KAFKA_TOPIC: " + entry.name)
        .WithHint("add KAFKA_TOPIC = 'topic', or CONNECTOR = 'file' and a PATH");
  }
  WEIR_RETURN_IF_ERROR(CheckTopicName(*topic, with.PositionOf("KAFKA_TOPIC")));
  entry.topic = *topic;
  const std::optional<int64_t> wanted = with.Integer("PARTITIONS");
  WEIR_RETURN_IF_ERROR(CheckPartitions(with));
  plan.retention_ms = with.Integer("RETENTION_MS").value_or(-1);
  const int32_t existing = ExistingPartitions(context, *topic);
  if (existing == 0 && !wanted) {
    return Status(ErrorCode::kUnknownTopic, "no topic has this name: " + *topic)
        .WithHint("create it, load records into it, or add PARTITIONS = 1 to have it made")
        .At(with.PositionOf("KAFKA_TOPIC"));
  }
  WEIR_RETURN_IF_ERROR(CheckDeclaredPartitions(context, with, *topic, existing));
  plan.create_topic = existing == 0;
  plan.partitions = static_cast<int32_t>(wanted.value_or(existing));
  entry.partitions = plan.partitions;
  entry.declared_partitions = static_cast<int32_t>(wanted.value_or(0));
  return OkStatus();
}

Status InferColumns(const ast::CreateSource& create, const PlannerContext& context,
                    SourceEntry& entry) {
  if (entry.connector.empty() || !context.infer_columns) {
    return Status(ErrorCode::kInvalidStatement, "the statement declares no columns: " + entry.name)
        .WithHint("list them: CREATE STREAM " + entry.name + " (id BIGINT KEY, name VARCHAR) …")
        .At(create.name.position);
  }
  WEIR_ASSIGN_OR_RETURN(std::vector<ColumnSchema> inferred,
                        context.infer_columns(entry.name, entry.connector));
  const auto refuse = [&](ErrorCode code, std::string what) {
    return Status(code, what + ": " + entry.name)
        .WithHint("list the columns yourself: CREATE STREAM " + entry.name + " (id BIGINT, …) …")
        .At(create.name.position);
  };
  for (const ColumnSchema& column : inferred) {
    if (column.name.empty()) {
      return refuse(ErrorCode::kInvalidStatement, "a column found has no name");
    }
    if (IsSystemColumnName(column.name)) {
      return refuse(ErrorCode::kReservedName,
                    "a column found has a system column's name, " + column.name);
    }
    if (std::ranges::find(entry.columns, column.name, &Column::name) != entry.columns.end()) {
      return refuse(ErrorCode::kDuplicateName,
                    "two columns found have the same name, " + column.name);
    }
    Column made;
    made.name = column.name;
    made.type = column.type;
    made.is_key = column.is_key;
    entry.columns.push_back(std::move(made));
  }
  return OkStatus();
}

Status CheckReplace(const ast::CreateSource& create, const SourceEntry* existing) {
  const bool onto_read_only = existing != nullptr && existing->read_only;
  if (!create.or_replace || !(create.read_only || onto_read_only)) return OkStatus();
  return Status(ErrorCode::kInvalidStatement,
                "CREATE OR REPLACE does not work on SOURCE streams and tables: " + create.name.name)
      .At(create.name.position);
}

/// Found columns are written out, so that the statement can be copied.
std::string HowToMarkTheKey(const ast::CreateSource& create, const SourceEntry& entry) {
  if (!create.columns.empty()) {
    return "mark the column that stands in the record's key: id BIGINT PRIMARY KEY";
  }
  constexpr size_t kColumnsShown = 12;
  std::string columns;
  for (size_t i = 0; i < entry.columns.size() && i < kColumnsShown; ++i) {
    columns += (i == 0 ? "" : ", ") + entry.columns[i].name + " " +
               entry.columns[i].type.ToString() + (i == 0 ? " PRIMARY KEY" : "");
  }
  if (entry.columns.size() > kColumnsShown) columns += ", …";
  return "name the columns, and which of them is the key: CREATE TABLE " + entry.name + " (" +
         columns + ") WITH (…)";
}

}  // namespace

Result<CreateSourcePlan> PlanCreateSource(const ast::Statement& statement,
                                          const PlannerContext& context) {
  const auto& create = statement.As<ast::CreateSource>();
  CreateSourcePlan plan;
  SourceEntry& entry = plan.source;
  entry.name = create.name.name;
  entry.is_table = create.kind == ast::SourceKind::kTable;
  entry.read_only = create.read_only;
  entry.is_materialized = entry.is_table && entry.read_only;
  entry.sql = ast::FormatStatement(statement);
  plan.if_not_exists = create.if_not_exists;
  plan.or_replace = create.or_replace;
  const SourceEntry* existing = context.catalog->FindSource(entry.name);
  WEIR_RETURN_IF_ERROR(CheckReplace(create, existing));
  WEIR_RETURN_IF_ERROR(CheckFreeName(existing, entry, plan.if_not_exists || plan.or_replace));
  WEIR_ASSIGN_OR_RETURN(WithProperties with,
                        WithProperties::Read(create.properties, WithPlace::kSource));
  if (with.Has("CONNECTOR")) entry.connector = with.ToMap();
  WEIR_RETURN_IF_ERROR(CheckColumnCount(create.columns.size(), create.name.position));
  WEIR_ASSIGN_OR_RETURN(entry.columns, MakeColumns(create, *context.catalog));
  if (entry.columns.empty()) {
    // A wrong format or delimiter is the clearer message, so it comes first.
    WEIR_RETURN_IF_ERROR(ReadSourceFormats(with, context, entry));
    WEIR_RETURN_IF_ERROR(InferColumns(create, context, entry));
    WEIR_RETURN_IF_ERROR(CheckColumnCount(entry.columns.size(), create.name.position));
  }
  const bool has_key = std::ranges::any_of(entry.columns, &Column::is_key);
  if (entry.is_table && !has_key) {
    return Status(ErrorCode::kInvalidKey, "a table needs a PRIMARY KEY column: " + entry.name)
        .At(create.name.position)
        .WithHint(HowToMarkTheKey(create, entry));
  }
  WEIR_RETURN_IF_ERROR(ReadSourceFormats(with, context, entry));
  WEIR_RETURN_IF_ERROR(ReadWindow(with, has_key, entry));
  WEIR_RETURN_IF_ERROR(ReadTime(with, entry));
  WEIR_RETURN_IF_ERROR(ReadOnError(with, entry));
  if (Status status = ReadTopic(with, context, plan); !status.ok()) {
    return status.position() ? status : std::move(status).At(create.name.position);
  }
  return plan;
}

Result<SourceEntry> PlanAlterSource(const ast::Statement& statement,
                                    const PlannerContext& context) {
  const auto& alter = statement.As<ast::AlterSource>();
  const bool is_table = alter.kind == ast::SourceKind::kTable;
  WEIR_ASSIGN_OR_RETURN(const SourceEntry* found, FindSourceOrError(*context.catalog, alter.name));
  if (found->is_table != is_table) {
    return Status(ErrorCode::kInvalidStatement,
                  found->name + (found->is_table ? " is a table" : " is a stream"))
        .At(alter.name.position);
  }
  if (found->read_only || !found->created_by_query.empty()) {
    return Status(ErrorCode::kInvalidStatement,
                  "ALTER does not work on SOURCE streams and tables, nor on those made by AS "
                  "SELECT: " +
                      found->name)
        .At(alter.name.position);
  }
  SourceEntry changed = *found;
  WEIR_RETURN_IF_ERROR(
      CheckColumnCount(changed.columns.size() + alter.added.size(), alter.name.position));
  std::unordered_set<std::string> names;
  for (const Column& column : changed.columns) names.insert(column.name);
  for (const ast::ColumnDefinition& definition : alter.added) {
    if (IsSystemColumnName(definition.name.name)) {
      return Status(ErrorCode::kReservedName,
                    "a system column's name cannot be a column's name: " + definition.name.name)
          .At(definition.position);
    }
    Column column;
    column.name = definition.name.name;
    WEIR_ASSIGN_OR_RETURN(column.type, ResolveType(definition.type, *context.catalog));
    if (!names.insert(column.name).second) {
      return Status(ErrorCode::kDuplicateName, "duplicate column: " + column.name)
          .At(definition.position);
    }
    changed.columns.push_back(std::move(column));
  }
  std::vector<ColumnSchema> values;
  for (const Column& column : changed.columns) {
    if (!column.is_key && !column.is_headers) values.push_back({column.name, column.type});
  }
  WEIR_RETURN_IF_ERROR(CheckFormatColumns(false, changed.value_format, values));
  if (values.size() > 1 && changed.value_format.format != "KAFKA") {
    changed.value_format.unwrapped = false;
  }
  return changed;
}

}  // namespace weir
