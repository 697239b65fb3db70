#pragma once

// From a parsed statement to what the engine has to do: a catalog entry, a physical plan, or both.
// Pure: reads the catalog and the topics' shapes, changes nothing.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast/statement.h"
#include "planner/catalog/catalog.h"
#include "planner/catalog/function_catalog.h"
#include "planner/physical/nodes.h"
#include "weir/status.h"

namespace weir {

/// Columns that sources had when a query was made, by source.
using KnownColumns = std::map<std::string, std::vector<std::string>, std::less<>>;

/// What the planner may ask of the world.
struct PlannerContext {
  const Catalog* catalog = nullptr;
  const FunctionCatalog* functions = nullptr;
  /// Session properties in force (SET), names in lower case, `ksql.`/`ksql.streams.` as written.
  std::map<std::string, std::string> properties;
  /// Partitions of a topic that exists, else nothing.
  std::function<std::optional<int32_t>(std::string_view topic)> topic_partitions;
  /// Columns of a connector source declared without a column list (files); fills `properties` too.
  std::function<Result<std::vector<ColumnSchema>>(std::string_view source,
                                                  std::map<std::string, std::string>& properties)>
      infer_columns;
  /// Of a kept query that is planned again: columns that its sources got later are out of its
  /// reach, so that `*` and every name mean what they meant. Sources that are not listed show all.
  KnownColumns known_columns;
  /// Of a kept INSERT INTO … SELECT that is planned again: the id it has.
  std::string kept_query_id;
  /// Id of the query that runs and keeps the rows of a table, or nothing. Unset: the one that the
  /// table's entry names.
  std::function<std::string(const SourceEntry& table)> keeper_of;
  /// Of a kept query from before plans were kept: rows are placed as they were then, since its
  /// state lies so. Foreign-key joins are gathered in one task, and of columns that equal a key
  /// only the key itself tells where rows are.
  bool first_placement = false;
  /// False: only what ksqlDB accepts; extensions are rejected (kInvalidStatement) as ksqlDB does.
  bool sql_extensions = true;
};

/// CREATE STREAM/TABLE without AS.
struct CreateSourcePlan {
  SourceEntry source;
  bool create_topic = false;  ///< PARTITIONS was given and the topic is missing.
  int32_t partitions = 1;
  int64_t retention_ms = -1;
  bool if_not_exists = false, or_replace = false;
};

/// A query that writes to a topic: CREATE … AS SELECT, INSERT INTO … SELECT, a pipeline's part.
struct PersistentQueryPlan {
  std::string query_id;             ///< CSAS_X, CTAS_X, INSERT_X_<hash>, or QUERY_ID.
  std::string sql;                  ///< Canonical text; equal text is a no-op.
  std::optional<SourceEntry> sink;  ///< Made by CREATE … AS.
  std::string sink_name;
  std::vector<std::string> reads;
  bool create_topic = false;
  int32_t partitions = 1;  ///< Of the sink's topic.
  int64_t retention_ms = -1;
  bool compacted = false;
  bool if_not_exists = false, or_replace = false;
  physical::NodePtr root;      ///< Ends in a TopicSink.
  KnownColumns known_columns;  ///< Of what it reads, as planned.
  /// Of the signature of its state (SignatureHash).
  uint64_t fingerprint = 0;
  /// As versions computed it that kept no plans (StateShape): state that bears it is taken over.
  uint64_t legacy_fingerprint = 0;
};

/// SELECT … EMIT CHANGES|FINAL: follows its sources.
struct PushQueryPlan {
  physical::NodePtr root;  ///< Ends in a ClientSink; LIMIT is a node.
  SchemaPtr schema;        ///< Columns shown, keys where the SELECT has them.
  std::vector<std::string> reads;
  std::optional<int64_t> limit;
  bool is_table = false;
};

/// SELECT without EMIT: plain SQL over what is there now. The plan is that of any query, but its
/// sources end: tables that a query keeps are read from there, all else up to its present end.
struct PullQueryPlan {
  physical::NodePtr root;  ///< Ends in a ClientSink.
  SchemaPtr schema;        ///< Columns shown; of tables the keys are marked.
  std::vector<std::string> reads;
  SourcePosition from;    ///< For errors about what is read.
  bool is_table = false;  ///< Its first source is one.
  std::optional<int64_t> limit;
};

/// INSERT INTO … VALUES.
struct InsertValuesPlan {
  const SourceEntry* source = nullptr;  ///< In the catalog.
  /// One value a column of the source, already cast; null where not given.
  std::vector<Value> values;
  std::optional<int64_t> row_time_ms;
};

/// Each throws nothing and gives errors with positions. `Plan…` of CREATE … AS, INSERT INTO …
/// SELECT and of each statement in a pipeline goes through PlanPersistentQuery.
Result<CreateSourcePlan> PlanCreateSource(const ast::Statement& statement,
                                          const PlannerContext& context);
Result<PersistentQueryPlan> PlanPersistentQuery(const ast::Statement& statement,
                                                const PlannerContext& context);
Result<PushQueryPlan> PlanPushQuery(const ast::Statement& statement, const PlannerContext& context);
/// CREATE SOURCE TABLE: a query without a sink, which keeps the table's rows for pull queries.
Result<PersistentQueryPlan> PlanKeptTable(const SourceEntry& source, const PlannerContext& context);
/// Without sql_extensions what ksqlDB's pull queries can do, else SQL.
Result<PullQueryPlan> PlanPullQuery(const ast::Statement& statement, const PlannerContext& context);
Result<InsertValuesPlan> PlanInsertValues(const ast::Statement& statement,
                                          const PlannerContext& context);
/// CREATE TYPE's right side, or any type in SQL, with custom types looked up.
Result<DataType> ResolveType(const ast::TypeName& type, const Catalog& catalog);
/// Whether SQL knows a type of this name by itself, which CREATE TYPE cannot give another meaning.
bool IsBuiltinType(std::string_view name);
/// A type written without custom types.
ast::TypeName SpellType(const DataType& type, SourcePosition position);
/// Puts their structure in place of the custom types that a statement names: what is made with a
/// type stays as it is whatever becomes of the type. Unknown names stay, for the planner to refuse.
void SpellCustomTypes(ast::Statement& statement, const Catalog& catalog);
/// ALTER STREAM/TABLE … ADD COLUMN: the changed entry.
Result<SourceEntry> PlanAlterSource(const ast::Statement& statement, const PlannerContext& context);

/// Plans of a statement as text: `stage` is "logical", "optimized", "physical", or "verbose" for
/// the plan after each pass.
Result<std::string> ExplainStatement(const ast::Statement& statement, const PlannerContext& context,
                                     std::string_view stage);
std::string ExplainPhysical(const physical::Node& root);
std::string ExplainDot(const physical::Node& root);

}  // namespace weir
