#pragma once

// FROM: one source, or a left-deep tree of joins.

#include "parser/ast/query.h"
#include "planner/planner.h"
#include "planner/queries/query_input.h"

namespace weir {

struct BuiltQuery;

/// The common tables that a query sees: those of a WITH that have been built, and those outside.
struct CommonTables {
  const CommonTables* outer = nullptr;
  const std::vector<ast::CommonTable>* tables = nullptr;
  const std::vector<BuiltQuery>* built = nullptr;  ///< The first of them.
};

struct WherePart;

/// Equalities of a subquery's WHERE between its own rows and those around it. It is then read once
/// for all of these, and gives the compared expressions of its own behind its columns.
struct Correlation {
  const Scope* scope = nullptr;     ///< The names around it.
  bool is_value = false;            ///< It has to give one row.
  std::vector<BoundExprPtr> outer;  ///< Over `scope`.
  BoundExprPtr of_nothing;          ///< The value where it has no row: COUNT is 0.
};

/// What the planner needs to know of the statement around a query.
struct QueryUse {
  const PlannerContext* context = nullptr;
  bool persistent = false;
  std::string sink_name;  ///< For messages; empty for push queries.
  const ast::Query* query = nullptr;
  bool bounded = false;                  ///< The query ends: it reads what is there now.
  const CommonTables* common = nullptr;  ///< Of bounded queries; null: none.
  bool in_join = false;                  ///< What is built is a side of a join.
  /// Of bounded queries: the conditions of WHERE, for FROM to take some of them; null: none.
  std::vector<WherePart>* where = nullptr;
  const OuterScope* outer = nullptr;
  Correlation* correlation = nullptr;  ///< Null: WHERE reads names of its own only.
};

/// One relation of FROM that is no join: a source, a common table, a subquery.
Result<QueryInput> BuildRelation(const ast::Relation& relation, const QueryUse& use);

/// Builds FROM.
Result<QueryInput> BuildFrom(const ast::Relation& from, const QueryUse& use);

/// One source with its scope, all columns read.
Result<QueryInput> BuildSource(const ast::AliasedTable& table, const QueryUse& use);

/// Whether a query sees a column of a source (PlannerContext::known_columns).
bool SeesColumn(const PlannerContext& context, const SourceEntry& source, std::string_view column);

/// Joins; `join` is the tree's root.
Result<QueryInput> BuildJoins(const ast::Join& join, const QueryUse& use);

/// kUnsupported where extensions are on, else kInvalidStatement: `feature` is none of ksqlDB's.
Status ExtensionError(const PlannerContext& context, std::string feature, SourcePosition position);

/// Name of a column in a join: ALIAS_COLUMN.
inline std::string JoinedName(std::string_view alias, std::string_view column) {
  return std::string(alias) + "_" + std::string(column);
}

}  // namespace weir
