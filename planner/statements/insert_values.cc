// INSERT INTO … VALUES: one record's columns, each brought to its column's type.

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/constant_folder.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/planner.h"
#include "planner/queries/source_builder.h"
#include "planner/statements/statement_checks.h"

namespace weir {
namespace {

Status CheckTarget(const SourceEntry& target, SourcePosition position) {
  if (target.read_only) {
    return Status(ErrorCode::kInvalidStatement,
                  "a SOURCE stream or table is read only: " + target.name)
        .At(position);
  }
  if (target.windowed_key != physical::WindowKind::kNone) {
    return Status(ErrorCode::kInvalidStatement,
                  "a windowed stream or table takes no VALUES: " + target.name)
        .At(position);
  }
  if (!target.connector.empty()) {
    return Status(ErrorCode::kInvalidStatement,
                  "a connector's stream takes no VALUES: " + target.name)
        .At(position);
  }
  return OkStatus();
}

/// Place of a named column, or -1 for ROWTIME.
using ColumnPlaces = std::unordered_map<std::string_view, int>;

Result<int> FindColumn(const SourceEntry& target, const ColumnPlaces& places,
                       const ast::Identifier& name) {
  if (name.name == "ROWTIME") return -1;
  if (IsSystemColumnName(name.name)) {
    return Status(ErrorCode::kInvalidStatement, "a system column cannot be written: " + name.name)
        .At(name.position);
  }
  if (const auto found = places.find(name.name); found != places.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& column : target.columns) names.push_back(column.name);
  std::string hint = DidYouMean(name.name, names);
  if (!hint.empty()) hint += " ";
  return Status(ErrorCode::kUnknownColumn, "unknown column: " + name.name)
      .At(name.position)
      .WithHint(hint + target.name + " has " + ListNames(names));
}

Result<std::vector<int>> TargetColumns(const SourceEntry& target, const ast::InsertValues& insert) {
  std::vector<int> places;
  if (insert.columns.empty()) {
    for (size_t i = 0; i < target.columns.size(); ++i) places.push_back(static_cast<int>(i));
  }
  ColumnPlaces place_of;
  for (size_t i = 0; i < target.columns.size(); ++i) {
    place_of.emplace(target.columns[i].name, static_cast<int>(i));
  }
  std::unordered_set<int> named;
  for (const ast::Identifier& column : insert.columns) {
    WEIR_ASSIGN_OR_RETURN(int place, FindColumn(target, place_of, column));
    if (!named.insert(place).second) {
      return Status(ErrorCode::kDuplicateName, "a column is named twice: " + column.name)
          .At(column.position);
    }
    places.push_back(place);
  }
  for (int place : places) {
    if (place < 0 || !target.columns[place].is_headers) continue;
    return Status(ErrorCode::kInvalidStatement,
                  "a header column cannot be written: " + target.columns[place].name)
        .At(insert.target.position);
  }
  return places;
}

Result<Value> ValueOf(const ast::Expr& expr, const DataType& type, const std::string& column,
                      const PlannerContext& context) {
  const Scope nothing;
  ExprBinder binder(nothing, *context.catalog, *context.functions, "VALUES");
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(expr));
  Result<BoundExprPtr> coerced = CoerceTo(bound, type);
  // Unasked conversions only: a number is no text, and 1.5 is no integer.
  const bool literal = bound->kind == BoundKind::kLiteral;
  if (!coerced.ok() ||
      (!literal && !bound->type.is_nested() && !ConvertsImplicitly(bound->type, type))) {
    return Status(ErrorCode::kTypeMismatch, "column " + column + " is " + type.ToString() +
                                                ", and the value is " + bound->type.ToString() +
                                                ": " + bound->text)
        .At(expr.position);
  }
  Result<Value> value = EvaluateConstantExpr(**coerced);
  if (!value.ok()) return std::move(value).status().At(expr.position);
  return value;
}

Status CheckKeys(const SourceEntry& target, const InsertValuesPlan& plan, SourcePosition position) {
  if (!target.is_table) return OkStatus();
  for (size_t i = 0; i < target.columns.size(); ++i) {
    if (!target.columns[i].is_key || !plan.values[i].is_null()) continue;
    return Status(ErrorCode::kInvalidKey,
                  "a table's row needs its primary key: " + target.columns[i].name)
        .At(position);
  }
  return OkStatus();
}

}  // namespace

Result<InsertValuesPlan> PlanInsertValues(const ast::Statement& statement,
                                          const PlannerContext& context) {
  const auto& insert = statement.As<ast::InsertValues>();
  InsertValuesPlan plan;
  WEIR_ASSIGN_OR_RETURN(plan.source, FindSourceOrError(*context.catalog, insert.target));
  const SourceEntry& target = *plan.source;
  WEIR_RETURN_IF_ERROR(CheckTarget(target, insert.target.position));
  if (insert.rows.size() != 1) {
    return ExtensionError(context, "INSERT of several rows in one statement is",
                          insert.target.position);
  }
  const std::vector<ast::ExprPtr>& row = insert.rows[0];
  WEIR_ASSIGN_OR_RETURN(std::vector<int> places, TargetColumns(target, insert));
  if (row.size() != places.size()) {
    return Status(ErrorCode::kInvalidStatement, "there are " + std::to_string(places.size()) +
                                                    " columns and " + std::to_string(row.size()) +
                                                    " values")
        .WithHint(insert.columns.empty() ? "name those that you give: INSERT INTO " + target.name +
                                               " (" + target.columns[0].name + ", …) VALUES (…)"
                                         : "")
        .At(row.empty() ? insert.target.position : row[0]->position);
  }
  plan.values.resize(target.columns.size());
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) {
      WEIR_ASSIGN_OR_RETURN(Value time, ValueOf(*row[i], DataType::Bigint(), "ROWTIME", context));
      if (!time.is_null()) plan.row_time_ms = time.as<int64_t>();
      continue;
    }
    const auto& column = target.columns[places[i]];
    WEIR_ASSIGN_OR_RETURN(plan.values[places[i]],
                          ValueOf(*row[i], column.type, column.name, context));
  }
  if (plan.row_time_ms && *plan.row_time_ms < 0) {
    return Status(ErrorCode::kInvalidStatement, "ROWTIME is not negative")
        .At(insert.target.position);
  }
  if (plan.row_time_ms && *plan.row_time_ms > limits::kRowTimeMax) {
    return Status(ErrorCode::kInvalidStatement,
                  "ROWTIME is at most " + std::to_string(limits::kRowTimeMax) +
                      " milliseconds since 1970, not " + std::to_string(*plan.row_time_ms))
        .At(insert.target.position);
  }
  WEIR_RETURN_IF_ERROR(CheckKeys(target, plan, insert.target.position));
  return plan;
}

}  // namespace weir
