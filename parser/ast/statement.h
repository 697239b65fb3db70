#pragma once

// One struct per statement, and Statement, which is any of them with its text and place.
// Plain data, movable, not copyable (queries are trees). std::visit over `body`, or Is/As.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "parser/ast/expression.h"
#include "parser/ast/query.h"
#include "parser/ast/type_name.h"

namespace weir::ast {

struct Statement;

enum class SourceKind { kStream, kTable };

enum class ColumnRole {
  kValue,
  kKey,         ///< KEY, streams.
  kPrimaryKey,  ///< PRIMARY KEY, tables.
  kHeaders,     ///< HEADERS.
  kHeader,      ///< HEADER('name').
};
struct ColumnDefinition {
  Identifier name;
  TypeName type;
  ColumnRole role = ColumnRole::kValue;
  std::string header;  ///< kHeader only.
  SourcePosition position;
};

/// CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name [(columns)] WITH (…).
struct CreateSource {
  SourceKind kind = SourceKind::kStream;
  bool or_replace = false;
  bool read_only = false;  ///< SOURCE was written.
  bool if_not_exists = false;
  Identifier name;
  bool has_column_list = false;  ///< False: columns come from a registry or by inference.
  std::vector<ColumnDefinition> columns;
  Properties properties;
};

/// CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (…)] AS query.
struct CreateAsSelect {
  SourceKind kind = SourceKind::kStream;
  bool or_replace = false;
  bool if_not_exists = false;
  Identifier name;
  Properties properties;
  QueryPtr query;
};

/// INSERT INTO target [WITH (…)] query.
struct InsertInto {
  Identifier target;
  Properties properties;
  QueryPtr query;
};

/// INSERT INTO target [(columns)] VALUES (…) [, (…)]; ksqlDB takes one row only.
struct InsertValues {
  Identifier target;
  std::vector<Identifier> columns;  ///< Empty: all, in order.
  std::vector<std::vector<ExprPtr>> rows;
};

/// A SELECT on its own: push with EMIT, pull without.
struct Select {
  QueryPtr query;
};

/// DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC].
struct DropSource {
  SourceKind kind = SourceKind::kStream;
  bool if_exists = false;
  Identifier name;
  bool delete_topic = false;
};

/// ALTER STREAM|TABLE name ADD [COLUMN] c type, ….
struct AlterSource {
  SourceKind kind = SourceKind::kStream;
  Identifier name;
  std::vector<ColumnDefinition> added;
};

/// ALTER SYSTEM 'k' = 'v'.
struct AlterSystem {
  std::string name;
  std::string value;
};

/// CREATE TYPE [IF NOT EXISTS] name AS type.
struct CreateType {
  bool if_not_exists = false;
  Identifier name;
  TypeName type;
};

/// DROP TYPE [IF EXISTS] name.
struct DropType {
  bool if_exists = false;
  Identifier name;
};

enum class ConnectorKind { kSource, kSink };
/// CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (…).
struct CreateConnector {
  ConnectorKind kind = ConnectorKind::kSource;
  bool if_not_exists = false;
  Identifier name;
  Properties properties;
};

/// DROP CONNECTOR [IF EXISTS] name.
struct DropConnector {
  bool if_exists = false;
  Identifier name;
};

enum class ShowKind {
  kTopics,
  kAllTopics,
  kStreams,
  kTables,
  kQueries,
  kFunctions,
  kTypes,
  kVariables,
  kProperties,
  kConnectors,
  kSourceConnectors,
  kSinkConnectors,
  kConnectorPlugins,
  kPipelines,
  kMetrics,
  kSchemas,
};
/// SHOW|LIST what [EXTENDED].
struct Show {
  ShowKind kind = ShowKind::kStreams;
  bool extended = false;
};

/// SHOW CREATE [STREAM|TABLE|TYPE|QUERY|PIPELINE] name.
struct ShowCreate {
  std::string object;  ///< "STREAM", "TABLE", "TYPE", "QUERY", "PIPELINE", or empty: find out.
  Identifier name;
};

enum class DescribeKind { kSource, kStreams, kTables, kFunction, kConnector, kQuery };
/// DESCRIBE name [EXTENDED], DESCRIBE STREAMS|TABLES [EXTENDED], DESCRIBE FUNCTION|CONNECTOR name.
struct Describe {
  DescribeKind kind = DescribeKind::kSource;
  Identifier name;  ///< Empty for kStreams, kTables.
  bool extended = false;
};

enum class ExplainMode { kPlain, kVerbose, kLogical, kOptimized, kPhysical, kAnalyze };
/// EXPLAIN [mode] statement | query id.
struct Explain {
  ExplainMode mode = ExplainMode::kPlain;
  std::unique_ptr<Statement> statement;  ///< Null when a query id is given.
  Identifier query_id;
};

/// PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n].
struct Print {
  std::string topic;
  SourcePosition topic_position;
  bool from_beginning = false;
  std::optional<int64_t> interval;
  std::optional<int64_t> limit;
};

enum class ControlKind { kTerminate, kPause, kResume };
/// TERMINATE|PAUSE|RESUME id|ALL.
struct ControlQuery {
  ControlKind kind = ControlKind::kTerminate;
  bool all = false;
  Identifier query_id;  ///< Upper-cased unless quoted.
};

/// SET 'name' = 'value'.
struct SetProperty {
  std::string name;
  std::string value;
  SourcePosition name_position;
  SourcePosition value_position;
};

/// UNSET 'name'.
struct UnsetProperty {
  std::string name;
  SourcePosition name_position;
};

/// DEFINE name = 'text'.
struct DefineVariable {
  Identifier name;
  std::string value;
};

/// UNDEFINE name.
struct UndefineVariable {
  Identifier name;
};

/// ASSERT [NOT EXISTS] TOPIC name [WITH (…)] [TIMEOUT n unit].
struct AssertTopic {
  bool exists = true;
  std::string topic;
  Properties properties;
  std::optional<int64_t> timeout_ms;
};

/// ASSERT [NOT EXISTS] SCHEMA [SUBJECT s] [ID n] [TIMEOUT n unit].
struct AssertSchema {
  bool exists = true;
  std::optional<std::string> subject;
  std::optional<int64_t> id;
  std::optional<int64_t> timeout_ms;
};

/// ASSERT VALUES source [(columns)] VALUES (…).
struct AssertValues {
  Identifier source;
  std::vector<Identifier> columns;
  std::vector<ExprPtr> values;
};

/// ASSERT NULL VALUES source [(columns)] KEY (…).
struct AssertNullValues {
  Identifier source;
  std::vector<Identifier> columns;
  std::vector<ExprPtr> values;
};

/// ASSERT STREAM|TABLE name [(columns)] [WITH (…)].
struct AssertSource {
  SourceKind kind = SourceKind::kStream;
  Identifier name;
  bool has_column_list = false;
  std::vector<ColumnDefinition> columns;
  Properties properties;
};

/// RUN SCRIPT 'file'.
struct RunScript {
  std::string path;
  SourcePosition path_position;
};

/// BEGIN PIPELINE name; statement; …; END PIPELINE.
struct Pipeline {
  bool or_replace = false;
  bool if_not_exists = false;
  Identifier name;
  std::vector<Statement> statements;
};

/// DROP PIPELINE [IF EXISTS] name.
struct DropPipeline {
  bool if_exists = false;
  Identifier name;
};

/// DELETE FROM table [WHERE condition].
struct DeleteFrom {
  Identifier table;
  ExprPtr where;  ///< Null: every row.
};

using StatementBody =
    std::variant<CreateSource, CreateAsSelect, InsertInto, InsertValues, Select, DropSource,
                 AlterSource, AlterSystem, CreateType, DropType, CreateConnector, DropConnector,
                 Show, ShowCreate, Describe, Explain, Print, ControlQuery, SetProperty,
                 UnsetProperty, DefineVariable, UndefineVariable, AssertTopic, AssertSchema,
                 AssertValues, AssertNullValues, AssertSource, RunScript, Pipeline, DropPipeline,
                 DeleteFrom>;

/// Any statement, with its place and its exact text (without the semicolon).
struct Statement {
  StatementBody body;
  SourcePosition position;
  std::string text;

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(body);
  }
  /// The body as `T`; requires Is<T>().
  template <typename T>
  const T& As() const {
    return std::get<T>(body);
  }
  template <typename T>
  T& As() {
    return std::get<T>(body);
  }
};

}  // namespace weir::ast
