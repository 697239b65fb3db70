#include "planner/queries/projection.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

/// Positions in `columns` of those that are `expr`.
std::vector<size_t> Places(const std::vector<SelectedColumn>& columns, const BoundExpr& expr) {
  std::vector<size_t> places;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (SameExpr(*columns[i].expr, expr)) places.push_back(i);
  }
  return places;
}

Status MissingKey(const std::vector<KeyColumn>& keys, const KeyMessages& messages,
                  const QueryUse& use) {
  std::vector<std::string> labels;
  for (const KeyColumn& key : keys) {
    labels.insert(labels.end(), key.labels.begin(), key.labels.end());
  }
  const std::string separator = keys.size() > 1 ? " and " : " or ";
  std::string list;
  for (size_t i = 0; i < labels.size(); ++i) list += (i > 0 ? separator : "") + labels[i];
  std::string hint = "add it: SELECT " + (keys.size() > 1 ? ListNames(labels) : labels[0]) + ", …";
  if (keys[0].synthetic) {
    hint += "; it is the key that the join makes as no source column equals it";
  }
  return Status(ErrorCode::kInvalidKey,
                "the SELECT for " + use.sink_name + " lacks the " + messages.what + " " + list)
      .WithHint(std::move(hint))
      .At(use.query->position);
}

/// The selected column that is the key, or an error.
Result<size_t> PickKey(const KeyColumn& key, const std::vector<KeyColumn>& keys,
                       const std::vector<SelectedColumn>& columns, const KeyMessages& messages,
                       const QueryUse& use) {
  for (const BoundExprPtr& viable : key.viable) {
    const std::vector<size_t> places = Places(columns, *viable);
    if (places.empty()) continue;
    if (places.size() > 1) {
      return Status(ErrorCode::kInvalidKey, "the key is selected more than once: as " +
                                                columns[places[0]].name + " and " +
                                                columns[places[1]].name)
          .At(columns[places[1]].position)
          .WithHint("AS_VALUE(" + columns[places[0]].name + ") makes a copy in the value");
    }
    return places[0];
  }
  return MissingKey(keys, messages, use);
}

std::shared_ptr<logical::Project> NewProject(const logical::NodePtr& input) {
  auto project = std::make_shared<logical::Project>();
  project->inputs = {input};
  project->is_table = input->is_table;
  project->windowed_key = input->windowed_key;
  project->window_size_ms = input->window_size_ms;
  return project;
}

void AddColumn(logical::Project& project, Schema& schema, const SelectedColumn& column,
               BoundExprPtr expr, bool is_key) {
  schema.columns.push_back({column.name, expr->type, is_key});
  project.exprs.push_back(std::move(expr));
}

}  // namespace

Result<logical::NodePtr> BuildProjection(logical::NodePtr input, const std::vector<KeyColumn>& keys,
                                         std::vector<SelectedColumn> columns,
                                         const KeyMessages& messages, const QueryUse& use) {
  auto project = NewProject(input);
  auto schema = std::make_shared<Schema>();
  std::vector<int> key_of(columns.size(), -1);
  if (use.persistent) {
    for (size_t k = 0; k < keys.size(); ++k) {
      WEIR_ASSIGN_OR_RETURN(size_t place, PickKey(keys[k], keys, columns, messages, use));
      key_of[place] = static_cast<int>(k);
      AddColumn(*project, *schema, columns[place], keys[k].expr, true);
    }
    project->key_columns = static_cast<int>(keys.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      if (key_of[i] < 0) AddColumn(*project, *schema, columns[i], columns[i].expr, false);
    }
    if (schema->size() == project->key_columns) {
      return Status(ErrorCode::kInvalidStatement,
                    "the SELECT for " + use.sink_name + " has key columns only")
          .WithHint("add a value column; AS_VALUE(key) copies a key into the value")
          .At(use.query->position);
    }
  } else {
    for (size_t k = 0; k < keys.size(); ++k) {
      for (const BoundExprPtr& viable : keys[k].viable) {
        const std::vector<size_t> places = Places(columns, *viable);
        if (places.empty()) continue;
        key_of[places[0]] = static_cast<int>(k);
        break;
      }
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      AddColumn(*project, *schema, columns[i],
                key_of[i] >= 0 ? keys[key_of[i]].expr : columns[i].expr, key_of[i] >= 0);
    }
  }
  project->schema = std::move(schema);
  return logical::NodePtr(project);
}

}  // namespace weir
