#include "planner/queries/source_builder.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/literals.h"
#include "planner/binder/make_expr.h"
#include "planner/queries/bounded_builder.h"
#include "planner/queries/set_operations.h"
#include "planner/statements/statement_checks.h"

namespace weir {
namespace {

using physical::TopicSource;

Status ReadStart(const ast::ReadFrom& from, logical::Source& source) {
  switch (from.kind) {
    case ast::ReadFromKind::kDefault: break;
    case ast::ReadFromKind::kBeginning: source.start = TopicSource::Start::kEarliest; break;
    case ast::ReadFromKind::kLatest: source.start = TopicSource::Start::kLatest; break;
    case ast::ReadFromKind::kTimestamp: {
      source.start = TopicSource::Start::kTimestamp;
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr literal, BindLiteral(from.timestamp, from.position));
      const DataType target =
          literal->type.is(TypeKind::kString) ? DataType::Timestamp() : DataType::Bigint();
      std::optional<Value> ms = ConvertLiteral(literal->value, literal->type, target);
      if (!ms || ms->is_null()) {
        return Status(ErrorCode::kInvalidStatement, "FROM TIMESTAMP takes ISO text or milliseconds")
            .At(from.position);
      }
      source.start_timestamp_ms = ms->as<int64_t>();
      break;
    }
    case ast::ReadFromKind::kOffsets:
      source.start = TopicSource::Start::kOffsets;
      source.start_offsets.assign(source.entry->partitions, -1);  // Not named: from the first.
      for (const auto& [partition, offset] : from.offsets) {
        if (partition < 0) {
          return Status(ErrorCode::kInvalidStatement, "a partition's number is not negative")
              .At(from.position);
        }
        if (partition >= static_cast<int32_t>(source.start_offsets.size())) {
          source.start_offsets.resize(partition + 1, -1);
        }
        source.start_offsets[partition] = offset;
      }
      break;
  }
  return OkStatus();
}

/// Not where a column of the source has the name: PARTITION BY ROWTIME has made it the key.
void AddSystemColumn(Scope& scope, const std::string& alias, SystemColumn column) {
  const bool taken = std::ranges::any_of(scope.columns(), [&](const ScopeColumn& other) {
    return other.source == alias && other.name == SystemColumnName(column);
  });
  if (taken) return;
  const bool bound = column == SystemColumn::kWindowStart || column == SystemColumn::kWindowEnd;
  scope.Add({.source = alias,
             .name = std::string(SystemColumnName(column)),
             .expr = MakeSystem(column),
             .is_key = false,
             .is_system = true,
             .is_window_bound = bound});
}

/// A bounded query reads what there is: a table from the query that keeps it, where one does.
void ReadOnce(const PlannerContext& context, logical::Source& source) {
  source.ends = true;
  if (source.start == TopicSource::Start::kDefault) source.start = TopicSource::Start::kEarliest;
  if (!source.is_table) return;
  const SourceEntry& entry = *source.entry;
  if (context.keeper_of) {
    source.kept_by = context.keeper_of(entry);
  } else if (entry.is_materialized) {
    source.kept_by = entry.created_by_query.empty() ? entry.name : entry.created_by_query;
  }
  if (source.kept_by.empty()) return;
  source.origin = TopicSource::Origin::kKeptTable;
  source.is_table = false;
}

/// Rows of a topic that nobody keeps: the latest of each key.
logical::NodePtr LatestOf(const logical::NodePtr& table) {
  auto latest = std::make_shared<logical::LatestRows>();
  latest->inputs = {table};
  latest->schema = table->schema;
  latest->key_columns = table->key_columns;
  latest->windowed_key = table->windowed_key;
  latest->window_size_ms = table->window_size_ms;
  return latest;
}

/// The rows of a SELECT inside another, under a name.
QueryInput Nested(const BuiltQuery& built, const std::string& alias) {
  QueryInput input;
  input.is_subquery = true;
  input.sources = built.sources;
  input.relations = built.relations;
  input.node = built.node;
  for (int i = 0; i < built.node->schema->size(); ++i) {
    const ColumnSchema& column = built.node->schema->columns[i];
    input.scope.Add(
        {.source = alias, .name = column.name, .expr = MakeColumn(i, column.type, column.name)});
  }
  return input;
}

/// What a name means that stands in FROM: a common table, or null. The last of a WITH that has been
/// built is the one at hand, which sees those before it.
const BuiltQuery* FindCommon(std::string_view name, const QueryUse& use) {
  for (const CommonTables* scope = use.common; scope != nullptr; scope = scope->outer) {
    for (size_t i = 0; i < scope->built->size(); ++i) {
      if ((*scope->tables)[i].name.name == name) return &(*scope->built)[i];
    }
  }
  return nullptr;
}

QueryInput BuildOneRow() {
  auto node = std::make_shared<logical::Source>();
  node->entry = std::make_shared<SourceEntry>();
  node->origin = TopicSource::Origin::kOneRow;
  node->ends = true;
  node->schema = std::make_shared<Schema>();
  QueryInput input;
  input.node = std::move(node);
  return input;
}

}  // namespace

Status ExtensionError(const PlannerContext& context, std::string feature, SourcePosition position) {
  if (context.sql_extensions) {
    return Status(ErrorCode::kUnsupported, feature + " not supported").At(position);
  }
  return Status(ErrorCode::kInvalidStatement,
                feature + " not part of the dialect while weir.sql.extensions is false")
      .At(position);
}

bool SeesColumn(const PlannerContext& context, const SourceEntry& source, std::string_view column) {
  const auto known = context.known_columns.find(source.name);
  return known == context.known_columns.end() ||
         std::ranges::find(known->second, column) != known->second.end();
}

Result<QueryInput> BuildSource(const ast::AliasedTable& table, const QueryUse& use) {
  WEIR_ASSIGN_OR_RETURN(const SourceEntry* found,
                        FindSourceOrError(*use.context->catalog, table.name));
  auto node = std::make_shared<logical::Source>();
  node->entry = std::make_shared<SourceEntry>(*found);
  node->alias = table.alias ? table.alias->name : table.name.name;
  node->is_table = found->is_table;
  node->windowed_key = found->windowed_key;
  node->window_size_ms = found->window_size_ms;
  WEIR_RETURN_IF_ERROR(ReadStart(table.read_from, *node));
  if (use.bounded) ReadOnce(*use.context, *node);
  QueryInput input;
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < found->columns.size(); ++i) {
    const SourceEntry::SourceColumnEntry& column = found->columns[i];
    if (!SeesColumn(*use.context, *found, column.name)) continue;
    BoundExprPtr expr = MakeColumn(schema->size(), column.type, column.name);
    schema->columns.push_back({column.name, column.type, column.is_key});
    node->columns.push_back(static_cast<int>(i));
    if (column.is_key) {
      ++node->key_columns;
      input.keys.push_back({expr, {expr}, {column.name}, column.name, false});
    }
    input.scope.Add({.source = node->alias,
                     .name = column.name,
                     .expr = expr,
                     .is_key = column.is_key,
                     .is_system = false,
                     .is_window_bound = false,
                     .is_headers = column.is_headers});
  }
  node->schema = std::move(schema);
  AddSystemColumn(input.scope, node->alias, SystemColumn::kRowTime);
  // Rows of a table that is read to its end have neither.
  if (!(use.bounded && use.in_join && found->is_table)) {
    AddSystemColumn(input.scope, node->alias, SystemColumn::kPartition);
    AddSystemColumn(input.scope, node->alias, SystemColumn::kOffset);
  }
  if (node->windowed_key != physical::WindowKind::kNone) {
    AddSystemColumn(input.scope, node->alias, SystemColumn::kWindowStart);
    AddSystemColumn(input.scope, node->alias, SystemColumn::kWindowEnd);
  }
  input.sources.push_back(node->entry);
  input.node = std::move(node);
  if (use.bounded && input.is_table()) input.node = LatestOf(input.node);
  return input;
}

Result<QueryInput> BuildRelation(const ast::Relation& relation, const QueryUse& use) {
  if (relation.kind == ast::RelationKind::kTable) {
    const auto& table = relation.As<ast::AliasedTable>();
    const BuiltQuery* common = FindCommon(table.name.name, use);
    if (common == nullptr) return BuildSource(table, use);
    if (table.read_from.kind != ast::ReadFromKind::kDefault) {
      return Status(
                 ErrorCode::kInvalidStatement,
                 "this says from where a stream is read, and this is a SELECT: " + table.name.name)
          .WithHint("write it behind the stream, inside the WITH")
          .At(table.read_from.position);
    }
    return Nested(*common, table.alias ? table.alias->name : table.name.name);
  }
  const auto& subquery = relation.As<ast::Subquery>();
  if (!use.bounded || !use.context->sql_extensions) {
    return ExtensionError(*use.context,
                          use.bounded ? "a subquery in FROM is"
                                      : "a subquery in FROM over rows that keep "
                                        "coming is",
                          relation.position);
  }
  QueryUse inner = use;
  inner.query = subquery.query.get();
  inner.in_join = false;
  inner.where = nullptr;
  WEIR_ASSIGN_OR_RETURN(const BuiltQuery built, BuildBounded(inner));
  return Nested(built, subquery.alias ? subquery.alias->name : std::string());
}

Result<QueryInput> BuildFrom(const ast::Relation& from, const QueryUse& use) {
  switch (from.kind) {
    case ast::RelationKind::kTable:
    case ast::RelationKind::kSubquery: return BuildRelation(from, use);
    case ast::RelationKind::kJoin: return BuildJoins(from.As<ast::Join>(), use);
    case ast::RelationKind::kSetOperation:
      if (use.bounded && use.context->sql_extensions) {
        return BuildSetOperation(from.As<ast::SetOperation>(), use);
      }
      return ExtensionError(*use.context,
                            NameOf(from.As<ast::SetOperation>()) +
                                (use.bounded ? " is" : " of rows that keep coming is"),
                            from.position);
    case ast::RelationKind::kNothing: return BuildOneRow();
  }
  return Status(ErrorCode::kInternal, "relation of an unknown kind");
}

}  // namespace weir
