// The nodes of a SELECT without EMIT: aggregate and HAVING with the joins of their subqueries, the
// projection, sort or limit, and the shown columns alone.

#include <memory>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/queries/bounded_select.h"

namespace weir {
namespace {

template <typename T>
std::shared_ptr<T> Above(const logical::NodePtr& input) {
  auto node = std::make_shared<T>();
  node->inputs = {input};
  node->schema = input->schema;
  node->key_columns = input->key_columns;
  node->windowed_key = input->windowed_key;
  node->window_size_ms = input->window_size_ms;
  return node;
}

}  // namespace

/// The aggregate, with all columns placed over it.
Result<logical::NodePtr> BoundedBuilder::Aggregated() {
  if (!table_calls_.calls.empty()) {
    return Status(ErrorCode::kInvalidAggregate,
                  "a table function has no place beside GROUP BY and aggregates: " +
                      table_calls_.calls[0].text)
        .At(query_.position);
  }
  for (const BoundExprPtr& key : grouping_.keys) {
    bool has_subquery = false;
    VisitExpr(*key, [&](const BoundExpr& node) { has_subquery |= IsSubqueryColumn(node); });
    if (!has_subquery) continue;
    return Status(ErrorCode::kUnsupported, "a subquery in GROUP BY is not supported")
        .WithHint("compute it in a SELECT inside FROM, and group by its name")
        .At(query_.group_by_position);
  }
  if (grouping_.keys.empty()) GroupAll(grouping_);
  for (BoundExprPtr* operand : subqueries_.Operands()) {
    WEIR_ASSIGN_OR_RETURN(*operand, PlaceInGroups(*operand, grouping_, query_.position));
  }
  for (SelectedColumn& column : columns_) {
    WEIR_ASSIGN_OR_RETURN(column.expr, PlaceInGroups(column.expr, grouping_, column.position));
  }
  logical::NodePtr node = MakeAggregate(input_, grouping_, context_);
  BoundExprPtr having;
  if (having_ != nullptr) {
    WEIR_ASSIGN_OR_RETURN(having, PlaceInGroups(having_, grouping_, query_.having->position));
  }
  if (!subqueries_.empty()) {
    WEIR_ASSIGN_OR_RETURN(node, JoinToGroups(std::move(node), having));
  }
  return having == nullptr ? node : AddHaving(node, std::move(having));
}

/// The groups with their subqueries beside them; `having` and all columns read the result.
Result<logical::NodePtr> BoundedBuilder::JoinToGroups(logical::NodePtr groups,
                                                      BoundExprPtr& having) {
  QueryInput input;
  input.sources = std::move(input_.sources);
  input.relations = input_.relations;
  for (int i = 0; i < groups->schema->size(); ++i) {
    const ColumnSchema& column = groups->schema->columns[i];
    input.scope.Add(
        {.source = "", .name = column.name, .expr = MakeColumn(i, column.type, column.name)});
  }
  input.is_join = true;  // No source has a name.
  if (grouping_.has_window()) AddWindowBounds(input, input.scope);
  input.node = std::move(groups);
  std::vector<BoundExprPtr*> exprs = {&having};
  for (SelectedColumn& column : columns_) exprs.push_back(&column.expr);
  WEIR_ASSIGN_OR_RETURN(QueryInput joined, subqueries_.JoinTo(std::move(input), std::move(exprs)));
  input_.sources = std::move(joined.sources);
  input_.relations = joined.relations;
  return joined.node;
}

/// Those of a query that does not group.
Status BoundedBuilder::JoinSubqueries() {
  if (subqueries_.empty()) return OkStatus();
  DropRecordColumns();
  std::vector<BoundExprPtr*> exprs;
  for (SelectedColumn& column : columns_) exprs.push_back(&column.expr);
  for (TableCalls::Call& call : table_calls_.calls) {
    for (BoundExprPtr& arg : call.args) exprs.push_back(&arg);
  }
  WEIR_ASSIGN_OR_RETURN(input_, subqueries_.JoinTo(std::move(input_), std::move(exprs)));
  return OkStatus();
}

logical::NodePtr BoundedBuilder::Projected(const logical::NodePtr& input) const {
  auto project = Above<logical::Project>(input);
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < columns_.size(); ++i) {
    project->exprs.push_back(columns_[i].expr);
    schema->columns.push_back({columns_[i].name, columns_[i].expr->type, i < shown_ && is_key_[i]});
  }
  project->schema = std::move(schema);
  project->key_columns = 0;
  return project;
}

logical::NodePtr BoundedBuilder::Ordered(logical::NodePtr input) const {
  const int64_t limit = query_.limit.value_or(-1);
  const int64_t offset = query_.offset.value_or(0);
  if (!order_.empty()) {
    auto sort = Above<logical::Sort>(input);
    for (const Order& order : order_) {
      sort->keys.push_back({static_cast<int>(order.column), order.descending, order.nulls_first});
    }
    sort->limit = limit;
    sort->offset = offset;
    return sort;
  }
  if (limit < 0 && offset == 0) return input;
  auto first = Above<logical::Limit>(input);
  first->rows = limit;
  first->offset = offset;
  return first;
}

/// The shown columns alone.
logical::NodePtr BoundedBuilder::Shown(const logical::NodePtr& input) const {
  if (columns_.size() == shown_) return input;
  auto project = Above<logical::Project>(input);
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < shown_; ++i) {
    const ColumnSchema& column = input->schema->columns[i];
    project->exprs.push_back(MakeColumn(static_cast<int>(i), column.type, column.name));
    schema->columns.push_back(column);
  }
  project->schema = std::move(schema);
  project->key_columns = 0;
  return project;
}

}  // namespace weir
