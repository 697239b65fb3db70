#include "planner/queries/query_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/queries/aggregate_builder.h"
#include "planner/queries/projection.h"
#include "planner/queries/select_list.h"

namespace weir {
namespace {

/// What only makes sense where the input ends.
Status NeedsAnEnd(const QueryUse& use, const std::string& clause, SourcePosition position) {
  Status status = ExtensionError(*use.context, clause + " over rows that keep coming is", position);
  if (!use.context->sql_extensions) return status;
  return std::move(status).WithHint(use.persistent
                                        ? clause + " works in a SELECT on its own, without EMIT"
                                        : clause + " works without EMIT, over what is there now");
}

Status CheckFeatures(const QueryUse& use) {
  const ast::Query& query = *use.query;
  const PlannerContext& context = *use.context;
  if (!query.ctes.empty()) return ExtensionError(context, "WITH … AS is", query.position);
  if (query.distinct) return NeedsAnEnd(use, "SELECT DISTINCT", query.position);
  if (!query.order_by.empty()) {
    return NeedsAnEnd(use, "ORDER BY", query.order_by[0].expr->position);
  }
  if (query.offset) return NeedsAnEnd(use, "OFFSET", query.offset_position);
  if (query.from->kind == ast::RelationKind::kNothing) {
    return NeedsAnEnd(use, "a SELECT without FROM", query.position);
  }
  if (query.having != nullptr && query.group_by.empty() && !context.sql_extensions) {
    return Status(ErrorCode::kInvalidAggregate, "HAVING needs GROUP BY").At(query.having->position);
  }
  return OkStatus();
}

}  // namespace

Status AddWhere(QueryInput& input, const QueryUse& use) {
  const ast::Query& query = *use.query;
  if (query.where == nullptr) return OkStatus();
  ExprBinder binder(input.scope, *use.context->catalog, *use.context->functions, "WHERE");
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr predicate, binder.BindPredicate(*query.where));
  AddFilter(input, {std::move(predicate)});
  return OkStatus();
}

void AddFilter(QueryInput& input, std::vector<BoundExprPtr> conditions) {
  auto filter = std::make_shared<logical::Filter>();
  filter->predicate = conditions.size() == 1 ? std::move(conditions[0])
                                             : MakeLogical(BoundKind::kAnd, std::move(conditions));
  filter->inputs = {input.node};
  filter->schema = input.node->schema;
  filter->key_columns = input.node->key_columns;
  filter->is_table = input.node->is_table;
  filter->windowed_key = input.node->windowed_key;
  filter->window_size_ms = input.node->window_size_ms;
  input.node = std::move(filter);
}

Status AddFlatMap(QueryInput& input, const TableCalls& calls, std::vector<SelectedColumn>& columns,
                  SourcePosition position) {
  if (calls.calls.empty()) return OkStatus();
  if (input.is_table()) {
    return Status(ErrorCode::kInvalidStatement,
                  "table functions work on streams only: " + calls.calls[0].text)
        .At(position);
  }
  auto flat = std::make_shared<logical::FlatMap>();
  auto schema = std::make_shared<Schema>(*input.node->schema);
  for (int i = 0; i < schema->size(); ++i) {
    const ColumnSchema& column = schema->columns[i];
    flat->exprs.push_back(MakeColumn(i, column.type, column.name));
  }
  const int first = schema->size();
  for (const TableCalls::Call& call : calls.calls) {
    flat->calls.push_back({call.function, call.args});
    schema->columns.push_back({call.text, call.function->return_type, false});
  }
  flat->inputs = {input.node};
  flat->schema = std::move(schema);
  flat->key_columns = input.node->key_columns;
  flat->windowed_key = input.node->windowed_key;
  flat->window_size_ms = input.node->window_size_ms;
  input.node = std::move(flat);
  for (SelectedColumn& column : columns) {
    column.expr = ReplaceExpr(column.expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
      if (!IsCallColumn(*node)) return nullptr;
      return MakeColumn(first + node->index - kCallColumnBase, node->type, node->text);
    });
  }
  return OkStatus();
}

namespace {

/// PARTITION BY: the keys that it makes, and what `*` stands for behind it.
struct Partitioning {
  std::vector<KeyColumn> keys;
  std::vector<SelectedColumn> star;
  bool keyless = false;
};

std::string PartitionLabel(const BoundExpr& expr, const Scope& scope) {
  for (const ScopeColumn& column : scope.columns()) {
    if (SameExpr(*column.expr, expr)) return column.source + "." + column.name;
  }
  return expr.text;
}

Status CheckPartitionBy(const QueryInput& input, const ast::Query& query) {
  if (input.is_table()) {
    return Status(ErrorCode::kInvalidStatement, "PARTITION BY works on streams only")
        .At(query.partition_by_position);
  }
  if (input.node->windowed_key != physical::WindowKind::kNone) {
    return Status(ErrorCode::kInvalidStatement, "PARTITION BY does not work on windowed sources")
        .At(query.partition_by_position);
  }
  return OkStatus();
}

Result<std::string> PartitionName(const ast::Expr& ast, const BoundExpr& bound,
                                  const QueryInput& input, NameGenerator& names) {
  for (const ScopeColumn& column : input.scope.columns()) {
    if (!SameExpr(*column.expr, bound)) continue;
    return input.is_join ? JoinedName(column.source, column.name) : column.name;
  }
  return names.ForExpr(ast);
}

Result<Partitioning> BindPartitionBy(const QueryInput& input, const QueryUse& use,
                                     NameGenerator& names) {
  const ast::Query& query = *use.query;
  Partitioning result;
  WEIR_RETURN_IF_ERROR(CheckPartitionBy(input, query));
  ExprBinder binder(input.scope, *use.context->catalog, *use.context->functions, "PARTITION BY");
  for (const ast::ExprPtr& expr : query.partition_by) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(*expr));
    if (bound->type.is(TypeKind::kNull)) {
      if (query.partition_by.size() > 1) {
        return Status(ErrorCode::kInvalidKey, "PARTITION BY NULL stands alone").At(expr->position);
      }
      result.keyless = true;
      break;
    }
    for (const KeyColumn& other : result.keys) {
      if (SameExpr(*other.expr, *bound)) {
        return Status(ErrorCode::kInvalidKey,
                      "PARTITION BY names an expression twice: " + bound->text)
            .At(expr->position);
      }
    }
    const std::string label = PartitionLabel(*bound, input.scope);
    // ksqlDB names key expressions when it meets `*`; a selected one has its name from SELECT.
    const bool selected = std::ranges::none_of(query.items, [](const ast::SelectItem& item) {
      return item.kind == ast::SelectItemKind::kStar;
    });
    std::string name;
    if (!selected) {
      WEIR_ASSIGN_OR_RETURN(name, PartitionName(*expr, *bound, input, names));
    }
    result.keys.push_back({bound, {bound}, {label}, std::move(name), false});
  }
  const auto is_new_key = [&](const BoundExpr& expr) {
    return std::ranges::any_of(result.keys,
                               [&](const KeyColumn& key) { return SameExpr(*key.expr, expr); });
  };
  const auto is_old_key = [&](const BoundExpr& expr) {
    return std::ranges::any_of(input.scope.columns(), [&](const ScopeColumn& column) {
      return column.is_key && SameExpr(*column.expr, expr);
    });
  };
  // New keys, then each source's columns, what was its key behind the others.
  for (const KeyColumn& key : result.keys) {
    result.star.push_back({key.name, key.expr, query.position, false, true});
  }
  std::vector<SelectedColumn> made;  // A join's own key belongs to no source.
  for (SelectedColumn& column : StarColumns(input, use, std::nullopt)) {
    const bool of_source = std::ranges::any_of(input.scope.columns(), [&](const ScopeColumn& own) {
      return !own.source.empty() && SameExpr(*own.expr, *column.expr);
    });
    if (!of_source && !is_new_key(*column.expr)) made.push_back(std::move(column));
  }
  for (const std::string& source : input.scope.Sources()) {
    for (bool old : {false, true}) {
      for (SelectedColumn& column : StarColumns(input, use, source)) {
        if (is_new_key(*column.expr) || is_old_key(*column.expr) != old) continue;
        result.star.push_back(std::move(column));
      }
    }
  }
  std::ranges::move(made, std::back_inserter(result.star));
  return result;
}

Status RefuseAggregates(const CollectedAggregates& calls,
                        const std::vector<SelectedColumn>& columns, const QueryUse& use) {
  return Status(ErrorCode::kInvalidAggregate,
                "an aggregate function needs GROUP BY: " + calls.calls[0].text)
      .WithHint("GROUP BY tells whose rows are put together: … GROUP BY column")
      .At(columns.empty() ? use.query->position : columns[0].position);
}

/// SELECT without GROUP BY.
Result<BuiltQuery> BuildPlain(QueryInput input, const QueryUse& use) {
  const ast::Query& query = *use.query;
  if (query.window) {
    return Status(ErrorCode::kInvalidWindow, "WINDOW needs GROUP BY")
        .WithHint("GROUP BY stands behind WINDOW and WHERE")
        .At(query.window->position);
  }
  if (query.emit == ast::EmitMode::kFinal) {
    return Status(ErrorCode::kInvalidWindow, "EMIT FINAL needs a windowed GROUP BY")
        .At(query.emit_position);
  }
  BuiltQuery built;
  NameGenerator names(input.scope);
  std::vector<KeyColumn> keys = input.keys;
  std::optional<std::vector<SelectedColumn>> star;
  KeyMessages messages{input.is_join ? "join expression" : "key column"};
  if (!query.partition_by.empty()) {
    WEIR_ASSIGN_OR_RETURN(Partitioning partitioning, BindPartitionBy(input, use, names));
    keys = std::move(partitioning.keys);
    star = std::move(partitioning.star);
    built.keyless = partitioning.keyless;
    messages.what = "partitioning expression";
  }
  CollectedAggregates aggregates;
  aggregates.argument_scope = &input.scope;
  TableCalls table_calls;
  ExprBinder binder(input.scope, *use.context->catalog, *use.context->functions, "SELECT");
  binder.AllowAggregates(&aggregates);
  binder.AllowTableFunctions(&table_calls);
  WEIR_ASSIGN_OR_RETURN(std::vector<SelectedColumn> columns,
                        BindSelectList(input, use, binder, names, star));
  if (!aggregates.calls.empty()) {
    const bool groups_all = use.context->sql_extensions && query.partition_by.empty();
    if (!groups_all) return RefuseAggregates(aggregates, columns, use);
    built.sources = input.sources;
    WEIR_ASSIGN_OR_RETURN(built.node, BuildAggregation(std::move(input), use));
    return built;
  }
  WEIR_RETURN_IF_ERROR(AddFlatMap(input, table_calls, columns, query.position));
  WEIR_RETURN_IF_ERROR(CheckSelectedNames(columns, use));
  WEIR_ASSIGN_OR_RETURN(built.node,
                        BuildProjection(input.node, keys, std::move(columns), messages, use));
  built.sources = std::move(input.sources);
  return built;
}

Status CheckSources(const QueryInput& input, const QueryUse& use) {
  const bool groups = use.context->sql_extensions && !use.query->group_by.empty();
  if (use.persistent && !input.is_join && input.is_table() && !groups &&
      input.node->windowed_key != physical::WindowKind::kNone) {
    Status status =
        Status(ErrorCode::kInvalidStatement,
               "persistent queries do not read windowed tables: " + input.sources[0]->name)
            .At(use.query->from->position);
    if (!use.context->sql_extensions) return status;
    return std::move(status).WithHint("a GROUP BY reads them: … FROM " + input.sources[0]->name +
                                      " GROUP BY column");
  }
  if (!input.is_join) return OkStatus();
  std::vector<std::string> names;
  for (const auto& source : input.sources) {
    if (source->value_format.format == "KAFKA" && source->connector.empty()) {
      names.push_back(source->name);
    }
  }
  if (names.empty()) return OkStatus();
  return Status(ErrorCode::kInvalidJoin,
                "JOIN does not work on values of format KAFKA: " + ListNames(names))
      .At(use.query->from->position);
}

}  // namespace

Result<BuiltQuery> BuildQuery(const QueryUse& use) {
  WEIR_RETURN_IF_ERROR(CheckFeatures(use));
  WEIR_ASSIGN_OR_RETURN(QueryInput input, BuildFrom(*use.query->from, use));
  WEIR_RETURN_IF_ERROR(CheckSources(input, use));
  WEIR_RETURN_IF_ERROR(AddWhere(input, use));
  const ast::Query& query = *use.query;
  // HAVING and WINDOW group all rows where GROUP BY does not say how.
  const bool groups_all = use.context->sql_extensions && query.partition_by.empty() &&
                          (query.having != nullptr || query.window);
  if (query.group_by.empty() && !groups_all) return BuildPlain(std::move(input), use);
  BuiltQuery built;
  built.sources = input.sources;
  WEIR_ASSIGN_OR_RETURN(built.node, BuildAggregation(std::move(input), use));
  return built;
}

}  // namespace weir
