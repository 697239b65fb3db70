#include <fmt/format.h>

#include "parser/ast/print_parts.h"
#include "parser/ast/printer.h"

namespace weir::ast {
namespace {

std::string_view Word(SourceKind kind) { return kind == SourceKind::kTable ? "TABLE" : "STREAM"; }
std::string_view OrReplace(bool there) { return there ? "OR REPLACE " : ""; }
std::string_view IfNotExists(bool there) { return there ? "IF NOT EXISTS " : ""; }
std::string_view IfExists(bool there) { return there ? "IF EXISTS " : ""; }

std::string FormatDefinition(const ColumnDefinition& column) {
  std::string out = FormatIdentifier(column.name) + " " + FormatType(column.type);
  switch (column.role) {
    case ColumnRole::kValue: break;
    case ColumnRole::kKey: out += " KEY"; break;
    case ColumnRole::kPrimaryKey: out += " PRIMARY KEY"; break;
    case ColumnRole::kHeaders: out += " HEADERS"; break;
    case ColumnRole::kHeader: out += " HEADER(" + FormatText(column.header) + ")"; break;
  }
  return out;
}

std::string FormatColumnList(bool there, const std::vector<ColumnDefinition>& columns) {
  return there ? " (" + JoinFormatted(columns, FormatDefinition) + ")" : "";
}

std::string FormatNames(const std::vector<Identifier>& names) {
  return names.empty() ? "" : " (" + JoinFormatted(names, FormatIdentifier) + ")";
}

std::string FormatTimeout(const std::optional<int64_t>& timeout_ms) {
  return timeout_ms ? " TIMEOUT " + FormatDuration(*timeout_ms) : "";
}

std::string_view ShowWords(ShowKind kind) {
  switch (kind) {
    case ShowKind::kTopics: return "TOPICS";
    case ShowKind::kAllTopics: return "ALL TOPICS";
    case ShowKind::kStreams: return "STREAMS";
    case ShowKind::kTables: return "TABLES";
    case ShowKind::kQueries: return "QUERIES";
    case ShowKind::kFunctions: return "FUNCTIONS";
    case ShowKind::kTypes: return "TYPES";
    case ShowKind::kVariables: return "VARIABLES";
    case ShowKind::kProperties: return "PROPERTIES";
    case ShowKind::kConnectors: return "CONNECTORS";
    case ShowKind::kSourceConnectors: return "SOURCE CONNECTORS";
    case ShowKind::kSinkConnectors: return "SINK CONNECTORS";
    case ShowKind::kConnectorPlugins: return "CONNECTOR PLUGINS";
    case ShowKind::kMetrics: return "METRICS";
    case ShowKind::kSchemas: return "SCHEMAS";
    case ShowKind::kPipelines: break;
  }
  return "PIPELINES";
}

std::string_view DescribeWords(DescribeKind kind) {
  switch (kind) {
    case DescribeKind::kSource: return "";
    case DescribeKind::kStreams: return "STREAMS";
    case DescribeKind::kTables: return "TABLES";
    case DescribeKind::kFunction: return "FUNCTION ";
    case DescribeKind::kConnector: return "CONNECTOR ";
    case DescribeKind::kQuery: break;
  }
  return "QUERY ";
}

std::string_view ExplainWords(ExplainMode mode) {
  switch (mode) {
    case ExplainMode::kPlain: return "";
    case ExplainMode::kVerbose: return "VERBOSE ";
    case ExplainMode::kLogical: return "LOGICAL ";
    case ExplainMode::kOptimized: return "OPTIMIZED ";
    case ExplainMode::kPhysical: return "PHYSICAL ";
    case ExplainMode::kAnalyze: break;
  }
  return "ANALYZE ";
}

std::string_view ControlWord(ControlKind kind) {
  switch (kind) {
    case ControlKind::kTerminate: return "TERMINATE";
    case ControlKind::kPause: return "PAUSE";
    case ControlKind::kResume: break;
  }
  return "RESUME";
}

/// One overload per statement: the compiler lists what a new one misses.
struct StatementPrinter {
  std::string operator()(const CreateSource& s) const {
    return fmt::format("CREATE {}{}{} {}{}{}{}", OrReplace(s.or_replace),
                       s.read_only ? "SOURCE " : "", Word(s.kind), IfNotExists(s.if_not_exists),
                       FormatIdentifier(s.name), FormatColumnList(s.has_column_list, s.columns),
                       FormatProperties(s.properties));
  }
  std::string operator()(const CreateAsSelect& s) const {
    return fmt::format("CREATE {}{} {}{}{} AS {}", OrReplace(s.or_replace), Word(s.kind),
                       IfNotExists(s.if_not_exists), FormatIdentifier(s.name),
                       FormatProperties(s.properties), FormatQuery(*s.query));
  }
  std::string operator()(const InsertInto& s) const {
    return fmt::format("INSERT INTO {}{} {}", FormatIdentifier(s.target),
                       FormatProperties(s.properties), FormatQuery(*s.query));
  }
  std::string operator()(const InsertValues& s) const {
    return fmt::format(
        "INSERT INTO {}{} VALUES {}", FormatIdentifier(s.target), FormatNames(s.columns),
        JoinFormatted(s.rows, [](const auto& row) { return "(" + FormatExprList(row) + ")"; }));
  }
  std::string operator()(const Select& s) const { return FormatQuery(*s.query); }
  std::string operator()(const DropSource& s) const {
    return fmt::format("DROP {} {}{}{}", Word(s.kind), IfExists(s.if_exists),
                       FormatIdentifier(s.name), s.delete_topic ? " DELETE TOPIC" : "");
  }
  std::string operator()(const AlterSource& s) const {
    return fmt::format("ALTER {} {} {}", Word(s.kind), FormatIdentifier(s.name),
                       JoinFormatted(s.added, [](const ColumnDefinition& column) {
                         return "ADD COLUMN " + FormatDefinition(column);
                       }));
  }
  std::string operator()(const AlterSystem& s) const {
    return fmt::format("ALTER SYSTEM {} = {}", FormatText(s.name), FormatText(s.value));
  }
  std::string operator()(const CreateType& s) const {
    return fmt::format("CREATE TYPE {}{} AS {}", IfNotExists(s.if_not_exists),
                       FormatIdentifier(s.name), FormatType(s.type));
  }
  std::string operator()(const DropType& s) const {
    return fmt::format("DROP TYPE {}{}", IfExists(s.if_exists), FormatIdentifier(s.name));
  }
  std::string operator()(const CreateConnector& s) const {
    const bool sink = s.kind == ConnectorKind::kSink;
    return fmt::format("CREATE {} CONNECTOR {}{}{}", sink ? "SINK" : "SOURCE",
                       IfNotExists(s.if_not_exists), FormatIdentifier(s.name),
                       s.properties.empty() ? " WITH ()" : FormatProperties(s.properties));
  }
  std::string operator()(const DropConnector& s) const {
    return fmt::format("DROP CONNECTOR {}{}", IfExists(s.if_exists), FormatIdentifier(s.name));
  }
  std::string operator()(const Show& s) const {
    return fmt::format("SHOW {}{}", ShowWords(s.kind), s.extended ? " EXTENDED" : "");
  }
  std::string operator()(const ShowCreate& s) const {
    return fmt::format("SHOW CREATE {}{}{}", s.object, s.object.empty() ? "" : " ",
                       FormatIdentifier(s.name));
  }
  std::string operator()(const Describe& s) const {
    const bool all = s.kind == DescribeKind::kStreams || s.kind == DescribeKind::kTables;
    return fmt::format("DESCRIBE {}{}{}", DescribeWords(s.kind),
                       all ? "" : FormatIdentifier(s.name), s.extended ? " EXTENDED" : "");
  }
  std::string operator()(const Explain& s) const {
    return fmt::format("EXPLAIN {}{}", ExplainWords(s.mode),
                       s.statement ? FormatStatement(*s.statement) : FormatIdentifier(s.query_id));
  }
  std::string operator()(const Print& s) const {
    std::string out = "PRINT " + FormatText(s.topic);
    if (s.from_beginning) out += " FROM BEGINNING";
    if (s.interval) out += fmt::format(" INTERVAL {}", *s.interval);
    if (s.limit) out += fmt::format(" LIMIT {}", *s.limit);
    return out;
  }
  std::string operator()(const ControlQuery& s) const {
    return fmt::format("{} {}", ControlWord(s.kind), s.all ? "ALL" : FormatIdentifier(s.query_id));
  }
  std::string operator()(const SetProperty& s) const {
    return fmt::format("SET {} = {}", FormatText(s.name), FormatText(s.value));
  }
  std::string operator()(const UnsetProperty& s) const { return "UNSET " + FormatText(s.name); }
  std::string operator()(const DefineVariable& s) const {
    return fmt::format("DEFINE {} = {}", FormatIdentifier(s.name), FormatText(s.value));
  }
  std::string operator()(const UndefineVariable& s) const {
    return "UNDEFINE " + FormatIdentifier(s.name);
  }
  std::string operator()(const AssertTopic& s) const {
    return fmt::format("ASSERT {}TOPIC {}{}{}", s.exists ? "" : "NOT EXISTS ", FormatText(s.topic),
                       FormatProperties(s.properties), FormatTimeout(s.timeout_ms));
  }
  std::string operator()(const AssertSchema& s) const {
    std::string out = s.exists ? "ASSERT SCHEMA" : "ASSERT NOT EXISTS SCHEMA";
    if (s.subject) out += " SUBJECT " + FormatText(*s.subject);
    if (s.id) out += fmt::format(" ID {}", *s.id);
    return out + FormatTimeout(s.timeout_ms);
  }
  std::string operator()(const AssertValues& s) const {
    return fmt::format("ASSERT VALUES {}{} VALUES ({})", FormatIdentifier(s.source),
                       FormatNames(s.columns), FormatExprList(s.values));
  }
  std::string operator()(const AssertNullValues& s) const {
    return fmt::format("ASSERT NULL VALUES {}{} KEY ({})", FormatIdentifier(s.source),
                       FormatNames(s.columns), FormatExprList(s.values));
  }
  std::string operator()(const AssertSource& s) const {
    return fmt::format("ASSERT {} {}{}{}", Word(s.kind), FormatIdentifier(s.name),
                       FormatColumnList(s.has_column_list, s.columns),
                       FormatProperties(s.properties));
  }
  std::string operator()(const RunScript& s) const { return "RUN SCRIPT " + FormatText(s.path); }
  std::string operator()(const Pipeline& s) const {
    std::string out = fmt::format("BEGIN {}PIPELINE {}{};\n", OrReplace(s.or_replace),
                                  IfNotExists(s.if_not_exists), FormatIdentifier(s.name));
    for (const Statement& statement : s.statements) {
      out += "  " + FormatStatement(statement) + ";\n";
    }
    return out + "END PIPELINE";
  }
  std::string operator()(const DropPipeline& s) const {
    return fmt::format("DROP PIPELINE {}{}", IfExists(s.if_exists), FormatIdentifier(s.name));
  }
  std::string operator()(const DeleteFrom& s) const {
    return fmt::format("DELETE FROM {}{}", FormatIdentifier(s.table),
                       s.where ? " WHERE " + FormatExpr(*s.where) : "");
  }
};

}  // namespace

std::string FormatPropertyName(std::string_view name) {
  if (name == "CONNECTOR" || name == "NULL") return std::string(name);
  Identifier identifier;
  identifier.name = name;
  std::string text = FormatIdentifier(identifier);
  return text.starts_with('`') ? FormatText(name) : text;
}

std::string FormatProperties(const Properties& properties) {
  if (properties.empty()) return "";
  return " WITH (" +
         JoinFormatted(properties,
                       [](const Property& property) {
                         return FormatPropertyName(property.name) + " = " +
                                FormatLiteral(property.value);
                       }) +
         ")";
}

std::string FormatStatement(const Statement& statement) {
  return std::visit(StatementPrinter{}, statement.body);
}

}  // namespace weir::ast
