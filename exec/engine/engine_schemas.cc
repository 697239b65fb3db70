// Schemas of topics: the registry of this engine, columns that are found in it, and what is
// registered for the topics that statements make.

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/letter_case.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/connect/registry/http_registry.h"
#include "exec/connect/registry/stored_registry.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/record_placement.h"
#include "exec/engine/settings/registry_settings.h"
#include "exec/engine/source_ddl.h"
#include "exec/formats/avro/avro_format.h"
#include "exec/formats/json/json_sr_format.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/registry/schema_texts.h"
#include "parser/parser.h"
#include "planner/properties/format_rules.h"
#include "planner/properties/session_settings.h"

namespace weir {
namespace {

std::vector<FormatColumn> SideOf(const SourceEntry& source, bool is_key) {
  std::vector<FormatColumn> columns;
  for (const SourceEntry::SourceColumnEntry& column : source.columns) {
    if (column.is_key == is_key && !column.is_headers) {
      columns.push_back({column.name, column.type, true});
    }
  }
  return columns;
}

Result<std::vector<ColumnSchema>> ColumnsOfSchema(SchemaRegistry& registry,
                                                  const std::string& format,
                                                  const RegisteredSchema& schema,
                                                  std::string_view full_name, bool is_key,
                                                  bool unwrapped, bool keep_case) {
  const SchemaType wanted = format == "AVRO"       ? SchemaType::kAvro
                            : format == "PROTOBUF" ? SchemaType::kProtobuf
                                                   : SchemaType::kJson;
  if (schema.type != wanted) {
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("schema id {} is of type {}, not {}", schema.id,
                              SchemaTypeName(schema.type), SchemaTypeName(wanted)));
  }
  if (wanted == SchemaType::kProtobuf) {
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr parsed,
                          ParseRegisteredProtobuf(registry, schema));
    return ColumnsOfProtobuf(*parsed, full_name, is_key, keep_case);
  }
  if (wanted == SchemaType::kJson) {
    return ColumnsOfJsonSchema(schema.text, is_key, unwrapped, keep_case);
  }
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> references,
                        TextsOfReferences(registry, schema));
  return ColumnsOfAvro(schema.text, references, is_key, unwrapped, keep_case);
}

std::string ListColumns(const std::vector<ColumnSchema>& columns) {
  std::string list;
  for (const ColumnSchema& column : columns) {
    if (!list.empty()) list += ", ";
    list += fmt::format("{} {}", QuoteIdentifier(column.name), column.type.ToString());
  }
  return list;
}

/// Definitions as a statement would have them.
Result<std::vector<ast::ColumnDefinition>> DefinitionsOf(const std::vector<ColumnSchema>& columns,
                                                         bool is_table, SourcePosition position) {
  std::string text;
  for (const ColumnSchema& column : columns) {
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", QuoteIdentifier(column.name),
                        column.type.ToString(),
                        !column.is_key ? ""
                        : is_table     ? " PRIMARY KEY"
                                       : " KEY");
  }
  WEIR_ASSIGN_OR_RETURN(ast::Statement parsed,
                        ParseStatement(fmt::format("CREATE {} s ({}) WITH (KAFKA_TOPIC='t')",
                                                   is_table ? "TABLE" : "STREAM", text)));
  std::vector<ast::ColumnDefinition> definitions =
      std::move(parsed.As<ast::CreateSource>().columns);
  for (ast::ColumnDefinition& definition : definitions) {
    definition.position = definition.name.position = position;
  }
  return definitions;
}

bool IsKeyRole(const ast::ColumnDefinition& column) {
  return column.role == ast::ColumnRole::kKey || column.role == ast::ColumnRole::kPrimaryKey;
}

}  // namespace

Status EngineImpl::OpenSchemas() {
  WEIR_ASSIGN_OR_RETURN(std::optional<HttpRegistryOptions> http, RegistryOptionsOf(settings_));
  // The conformance runner fills the registry itself.
  if (http && !manual_) {
    schemas_ = MakeHttpRegistry(std::move(*http));
    return OkStatus();
  }
  if (broker_->kind() == "kafka") return OkStatus();
  WEIR_ASSIGN_OR_RETURN(
      own_schemas_, OpenStoredRegistry(*broker_, [rule = compatibility_] { return rule->load(); }));
  schemas_ = own_schemas_;
  return OkStatus();
}

Status EngineImpl::CheckHasSchemas(const std::string& format) {
  if (!NeedsRegistry(format)) return OkStatus();
  if (schemas_ == nullptr) {
    return Status(ErrorCode::kUnsupported,
                  fmt::format("format {} needs a schema registry, and for topics on Kafka "
                              "ksql.schema.registry.url names none",
                              format))
        .WithHint(
            "start with -S ksql.schema.registry.url=http://HOST:PORT; weir registry serves one");
  }
  const std::optional<Compatibility> wanted =
      CompatibilityOf(ToUpper(settings_.Get("schema.registry.compatibility")));
  if (wanted) compatibility_->store(*wanted);
  return OkStatus();
}

Result<std::shared_ptr<SchemaRegistry>> EngineImpl::RegistryFor(const std::string& format) {
  std::lock_guard lock(statement_mutex_);
  if (closed_) return Status(ErrorCode::kClosed, "the engine is closed");
  WEIR_RETURN_IF_ERROR(CheckHasSchemas(format));
  return schemas_;
}

Result<std::vector<ColumnSchema>> EngineImpl::FindColumns(const std::string& topic,
                                                          const std::string& format, bool is_key,
                                                          bool unwrapped,
                                                          const WithProperties& with) {
  const std::string property = is_key ? "KEY_SCHEMA_ID" : "VALUE_SCHEMA_ID";
  const std::optional<int64_t> id = with.Integer(property);
  const std::string subject = SubjectOf(topic, is_key);
  const SourcePosition at = with.PositionOf(id ? property : "KAFKA_TOPIC");
  SchemaPointer schema;
  if (id) {
    WEIR_ASSIGN_OR_RETURN(schema, schemas_->ById(static_cast<int32_t>(*id)));
    if (schema == nullptr) {
      return InvalidProperty(fmt::format("schema id {} is not in the registry", *id), at);
    }
  } else {
    WEIR_ASSIGN_OR_RETURN(schema, schemas_->Latest(subject));
    // A stream may have no key.
    if (schema == nullptr && is_key) return std::vector<ColumnSchema>();
    if (schema == nullptr) {
      return Status(ErrorCode::kInvalidStatement,
                    fmt::format("no columns are declared, and the schema registry has no subject "
                                "{}",
                                subject))
          .WithHint("list the columns, or write records with a schema to the topic first")
          .At(at);
    }
  }
  const std::string full_name =
      with.Text(is_key ? "KEY_SCHEMA_FULL_NAME" : "VALUE_SCHEMA_FULL_NAME").value_or("");
  Result<std::vector<ColumnSchema>> columns =
      ColumnsOfSchema(*schemas_, format, *schema, full_name, is_key, unwrapped, id.has_value());
  if (!columns.ok()) return std::move(columns).status().At(at);
  if (!columns->empty()) return columns;
  return Status(ErrorCode::kFormatMismatch,
                fmt::format("the schema of id {} has no field with a type in SQL", schema->id))
      .At(at);
}

Result<std::optional<ast::Statement>> EngineImpl::WithFoundColumns(
    const ast::Statement& statement) {
  const auto& create = statement.As<ast::CreateSource>();
  WEIR_ASSIGN_OR_RETURN(WithProperties with,
                        WithProperties::Read(create.properties, WithPlace::kSource));
  std::optional<ast::Statement> none;
  const std::optional<std::string> topic = with.Text("KAFKA_TOPIC");
  if (with.Has("CONNECTOR") || !topic || recovering_) return none;
  WEIR_ASSIGN_OR_RETURN(NamedFormats named, ReadFormats(with));
  const PlannerContext context = MakePlannerContext();
  const auto format_of = [&](bool is_key) {
    const std::optional<std::string>& name = is_key ? named.key : named.value;
    return name ? *name : DefaultFormat(context, is_key).value_or("");
  };
  std::vector<ast::ColumnDefinition> columns = create.columns;
  for (const bool is_key : {true, false}) {
    const std::string format = format_of(is_key);
    const std::string property = is_key ? "KEY_SCHEMA_ID" : "VALUE_SCHEMA_ID";
    WEIR_RETURN_IF_ERROR(CheckHasSchemas(format));
    if (!NeedsRegistry(format)) continue;
    const bool declared = std::ranges::any_of(create.columns, [&](const auto& column) {
      return is_key ? IsKeyRole(column) : column.role == ast::ColumnRole::kValue;
    });
    if (declared && with.Has(property)) {
      return InvalidProperty(
          fmt::format("{} columns come from the schema of {}, so none can be declared beside it",
                      is_key ? "key" : "value", property),
          with.PositionOf(property));
    }
    if (declared) continue;
    const bool unwrapped =
        !IsProtobuf(format) && (is_key || !with.Boolean("WRAP_SINGLE_VALUE").value_or(true));
    WEIR_ASSIGN_OR_RETURN(const std::vector<ColumnSchema> found,
                          FindColumns(*topic, format, is_key, unwrapped, with));
    if (found.empty()) continue;
    WEIR_ASSIGN_OR_RETURN(
        std::vector<ast::ColumnDefinition> definitions,
        DefinitionsOf(found, create.kind == ast::SourceKind::kTable, create.name.position));
    columns.insert(is_key ? columns.begin() : columns.end(), definitions.begin(),
                   definitions.end());
  }
  if (columns.size() == create.columns.size()) return none;
  ast::CreateSource whole = create;
  whole.has_column_list = true;
  whole.columns = std::move(columns);
  ast::Statement made;
  made.body = std::move(whole);
  made.position = statement.position;
  made.text = statement.text;
  return std::optional<ast::Statement>(std::move(made));
}

Status EngineImpl::CheckGivenSchema(const SourceEntry& sink, bool is_key) {
  const FormatSpec spec = SpecOfSource(sink, is_key, schemas_.get());
  WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, GivenSchema(spec));
  const std::vector<FormatColumn> columns = SideOf(sink, is_key);
  if (schema == nullptr || columns.empty()) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(const std::vector<ColumnSchema> wanted,
                        ColumnsOfSchema(*schemas_, spec.name, *schema, MessageNameOf(spec), is_key,
                                        spec.unwrapped, true));
  std::vector<ColumnSchema> differing;
  for (size_t i = 0; i < columns.size(); ++i) {
    const bool same = i < wanted.size() && wanted[i].type == columns[i].type &&
                      (spec.unwrapped || wanted[i].name == columns[i].name);
    if (!same) differing.push_back({columns[i].name, columns[i].type, is_key});
  }
  if (differing.empty()) return OkStatus();
  return Status(ErrorCode::kFormatMismatch,
                fmt::format("these {} columns are not where schema id {} has them, or of another "
                            "type: {}; it has {}",
                            is_key ? "key" : "value", schema->id, ListColumns(differing),
                            ListColumns(wanted)))
      .WithHint("the SELECT's columns are those of the schema, in its order; AS `name` renames");
}

Status EngineImpl::PrepareSchemas(const SourceEntry& source, bool is_sink) {
  for (const bool is_key : {true, false}) {
    const FormatSpec spec = SpecOfSource(source, is_key, schemas_.get());
    WEIR_RETURN_IF_ERROR(CheckHasSchemas(spec.name));
    if (!NeedsRegistry(spec.name) || recovering_ || !source.connector.empty()) continue;
    const std::vector<FormatColumn> columns = SideOf(source, is_key);
    if (columns.empty()) continue;
    if (is_sink) {
      WEIR_RETURN_IF_ERROR(CheckGivenSchema(source, is_key));
    } else if (spec.properties.contains("SCHEMA_ID")) {
      continue;
    } else {
      // What is there is what others write; this statement only reads it.
      WEIR_ASSIGN_OR_RETURN(const SchemaPointer known, schemas_->Latest(spec.subject));
      if (known != nullptr) continue;
    }
    WEIR_ASSIGN_OR_RETURN(const auto encoder, MakeEncoder(spec, columns));
    WEIR_RETURN_IF_ERROR(encoder->Prepare());
  }
  return OkStatus();
}

Status EngineImpl::AssertSchema(const ast::Statement& statement, StatementResult& result) {
  const auto& assertion = statement.As<ast::AssertSchema>();
  WEIR_RETURN_IF_ERROR(CheckHasSchemas("AVRO"));
  std::string what = "schema";
  if (assertion.subject) what += fmt::format(" subject {}", *assertion.subject);
  if (assertion.id) what += fmt::format(" id {}", *assertion.id);
  constexpr int64_t kYearMs = int64_t{365} * 86'400'000;  // The clock has an end.
  const auto deadline =
      std::chrono::steady_clock::now() +
      std::chrono::milliseconds(std::min(assertion.timeout_ms.value_or(1000), kYearMs));
  while (true) {
    WEIR_ASSIGN_OR_RETURN(const bool there, HasSchema(assertion));
    if (there == assertion.exists) {
      result.message = fmt::format("{} {}", what, there ? "exists" : "does not exist");
      return OkStatus();
    }
    if (manual_ || std::chrono::steady_clock::now() >= deadline) break;
    CheckInterrupt();
    // Each look is a request where the registry is a service of its own.
    std::this_thread::sleep_for(std::chrono::milliseconds(own_schemas_ == nullptr ? 100 : 10));
  }
  return Status(
             ErrorCode::kAssertFailed,
             fmt::format("{} {}", what, assertion.exists ? "does not exist as asserted" : "exists"))
      .At(statement.position);
}

std::string EngineImpl::DescribeSchema(const SourceEntry& source, bool is_key) {
  const FormatSpec spec = SpecOfSource(source, is_key, schemas_.get());
  if (!NeedsRegistry(spec.name) || schemas_ == nullptr || SideOf(source, is_key).empty()) return "";
  Result<SchemaPointer> schema = GivenSchema(spec);
  std::string where = "named by the statement";
  if (schema.ok() && *schema == nullptr) {
    schema = schemas_->Latest(spec.subject);
    where = fmt::format("the newest of subject {}", spec.subject);
  }
  // The rest of the description does not depend on the registry.
  if (!schema.ok()) return schema.status().message();
  if (*schema == nullptr) return fmt::format("none yet, of subject {}", spec.subject);
  return fmt::format("id {}, {}, {}", (*schema)->id, SchemaTypeName((*schema)->type), where);
}

Result<bool> EngineImpl::HasSchema(const ast::AssertSchema& assertion) {
  SchemaPointer by_id;
  if (assertion.id) {
    if (const int64_t id = *assertion.id; id <= INT32_MAX) {
      WEIR_ASSIGN_OR_RETURN(by_id, schemas_->ById(static_cast<int32_t>(id)));
    }
    if (by_id == nullptr || !assertion.subject) return by_id != nullptr;
  }
  if (!assertion.subject) return true;
  WEIR_ASSIGN_OR_RETURN(const std::vector<int32_t> versions,
                        schemas_->Versions(*assertion.subject));
  if (by_id == nullptr) return !versions.empty();
  for (const int32_t version : versions) {
    WEIR_ASSIGN_OR_RETURN(const SchemaPointer each, schemas_->Version(*assertion.subject, version));
    if (each != nullptr && each->id == by_id->id) return true;
  }
  return false;
}

}  // namespace weir
