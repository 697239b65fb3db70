// Columns that nobody reads leave the plan, down to the decoder; and sources learn which system
// columns (partition, offset, headers) somebody reads.

#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/passes/map_exprs.h"
#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::NodeKind;
using logical::NodePtr;

/// Partition, offset and headers, as far as a node's consumers need them.
struct SystemNeeds {
  bool partition = false, offset = false, headers = false;
};

/// A pruned node, and where each column of the old schema went (-1: nowhere).
struct Pruned {
  NodePtr node;
  std::vector<int> map;
};

std::vector<int> MapOf(const std::vector<bool>& kept) {
  std::vector<int> map(kept.size(), -1);
  int next = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]) map[i] = next++;
  }
  return map;
}

SchemaPtr KeepColumns(const Schema& schema, const std::vector<bool>& kept) {
  auto result = std::make_shared<Schema>();
  for (int i = 0; i < schema.size(); ++i) {
    if (kept[i]) result->columns.push_back(schema.columns[i]);
  }
  return result;
}

/// Key columns of a node whose first `keys` columns were its key: all of them, or none if one left.
int KeysKept(int keys, const std::vector<bool>& kept) {
  for (int i = 0; i < keys; ++i) {
    if (!kept[i]) return 0;
  }
  return keys;
}

void AddSystemNeeds(const logical::Node& node, SystemNeeds& needs) {
  VisitNodeExprs(node, [&](const BoundExpr& root) {
    VisitExpr(root, [&](const BoundExpr& expr) {
      if (expr.kind != BoundKind::kSystem) return;
      needs.partition |= expr.system == SystemColumn::kPartition;
      needs.offset |= expr.system == SystemColumn::kOffset;
      needs.headers |= expr.system == SystemColumn::kHeaders;
    });
  });
}

Pruned Prune(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs);

Pruned PruneSource(const logical::Source& source, const std::vector<bool>& needed,
                   SystemNeeds needs) {
  auto copy = logical::CopyAs<logical::Source>(source);
  copy->columns.clear();
  for (size_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) copy->columns.push_back(source.columns[i]);
  }
  copy->schema = KeepColumns(*source.schema, needed);
  copy->key_columns = KeysKept(source.key_columns, needed);
  copy->needs_partition |= needs.partition;
  copy->needs_offset |= needs.offset;
  copy->needs_headers |= needs.headers;
  return {copy, MapOf(needed)};
}

Pruned PruneFilter(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  const auto& filter = node->As<logical::Filter>();
  MarkColumns(*filter.predicate, needed);
  Pruned input = Prune(node->inputs[0], std::move(needed), needs);
  auto copy = logical::CopyAs<logical::Filter>(*node);
  copy->predicate = MapColumns(filter.predicate, input.map);
  copy->schema = input.node->schema;
  copy->key_columns = input.node->key_columns;
  copy->inputs = {input.node};
  return {copy, std::move(input.map)};
}

Pruned PruneProject(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  const auto& project = node->As<logical::Project>();
  for (int i = 0; i < project.key_columns; ++i) needed[i] = true;
  std::vector<bool> below(project.inputs[0]->schema->size(), false);
  auto copy = logical::CopyAs<logical::Project>(*node);
  copy->exprs.clear();
  for (size_t i = 0; i < project.exprs.size(); ++i) {
    if (!needed[i]) continue;
    MarkColumns(*project.exprs[i], below);
    copy->exprs.push_back(project.exprs[i]);
  }
  copy->schema = KeepColumns(*project.schema, needed);
  AddSystemNeeds(*copy, needs);
  Pruned input = Prune(node->inputs[0], std::move(below), needs);
  for (BoundExprPtr& expr : copy->exprs) expr = MapColumns(expr, input.map);
  copy->inputs = {input.node};
  return {copy, MapOf(needed)};
}

Pruned PruneFlatMap(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  const auto& flat = node->As<logical::FlatMap>();
  std::vector<bool> below(flat.inputs[0]->schema->size(), false);
  auto copy = logical::CopyAs<logical::FlatMap>(*node);
  copy->exprs.clear();
  for (size_t i = 0; i < flat.exprs.size(); ++i) {
    if (!needed[i]) continue;
    MarkColumns(*flat.exprs[i], below);
    copy->exprs.push_back(flat.exprs[i]);
  }
  for (size_t i = flat.exprs.size(); i < needed.size(); ++i) needed[i] = true;
  for (const auto& call : flat.calls) {
    for (const BoundExprPtr& arg : call.args) MarkColumns(*arg, below);
  }
  Pruned input = Prune(node->inputs[0], std::move(below), needs);
  for (BoundExprPtr& expr : copy->exprs) expr = MapColumns(expr, input.map);
  for (auto& call : copy->calls) {
    for (BoundExprPtr& arg : call.args) arg = MapColumns(arg, input.map);
  }
  copy->schema = KeepColumns(*flat.schema, needed);
  copy->key_columns = KeysKept(flat.key_columns, needed);
  copy->inputs = {input.node};
  return {copy, MapOf(needed)};
}

/// The columns of one side of a join that are needed: keys, and what the output keeps.
Pruned PruneJoinSide(const logical::Join& join, int side, const std::vector<bool>& needed,
                     SystemNeeds needs) {
  const logical::Node& input = *join.inputs[side];
  std::vector<bool> below(input.schema->size(), false);
  for (int i = 0; i < input.key_columns; ++i) below[i] = true;
  const std::vector<int>& picked = side == 0 ? join.left_columns : join.right_columns;
  size_t output = join.key_columns + (side == 0 ? 0 : join.left_columns.size());
  for (int column : picked) {
    if (needed[output++]) below[column] = true;
  }
  if (side == 0) {
    for (const BoundExprPtr& key : join.foreign_key) MarkColumns(*key, below);
  }
  if (join.condition != nullptr) {
    const int first = side == 0 ? 0 : join.inputs[0]->schema->size();
    VisitExpr(*join.condition, [&](const BoundExpr& node) {
      const int column = node.index - first;
      if (node.kind != BoundKind::kColumn || column < 0 || column >= input.schema->size()) return;
      below[column] = true;
    });
  }
  return Prune(join.inputs[side], std::move(below), needs);
}

Pruned PruneJoin(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  const auto& join = node->As<logical::Join>();
  for (int i = 0; i < join.key_columns; ++i) needed[i] = true;
  // Headers travel with the stream of a look-up; results of other joins have none.
  const bool lookup = join.sides == logical::JoinSides::kStreamTable;
  Pruned left = PruneJoinSide(join, 0, needed, {false, false, lookup && needs.headers});
  Pruned right = PruneJoinSide(join, 1, needed, {});
  auto copy = logical::CopyAs<logical::Join>(*node);
  copy->left_columns.clear();
  copy->right_columns.clear();
  size_t output = join.key_columns;
  for (int column : join.left_columns) {
    if (needed[output++]) copy->left_columns.push_back(left.map[column]);
  }
  for (int column : join.right_columns) {
    if (needed[output++]) copy->right_columns.push_back(right.map[column]);
  }
  for (BoundExprPtr& key : copy->foreign_key) key = MapColumns(key, left.map);
  if (copy->condition != nullptr) {
    std::vector<int> both = left.map;
    for (int place : right.map) {
      both.push_back(place < 0 ? -1 : left.node->schema->size() + place);
    }
    copy->condition = MapColumns(copy->condition, both);
  }
  copy->schema = KeepColumns(*join.schema, needed);
  copy->inputs = {left.node, right.node};
  return {copy, MapOf(needed)};
}

/// Aggregates, sinks and limits: all of the input is needed.
Pruned PruneBelow(const NodePtr& node, SystemNeeds needs) {
  std::vector<bool> all(node->inputs[0]->schema->size(), true);
  Pruned input = Prune(node->inputs[0], std::move(all), needs);
  std::vector<int> identity(node->schema->size());
  for (size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<int>(i);
  return {logical::WithInputs(node, {input.node}), std::move(identity)};
}

/// A node that hands on rows of its input as they are.
template <typename T>
Pruned PrunePassing(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  Pruned input = Prune(node->inputs[0], std::move(needed), needs);
  auto copy = logical::CopyAs<T>(*node);
  copy->schema = input.node->schema;
  copy->key_columns = input.node->key_columns;
  copy->inputs = {input.node};
  return {copy, std::move(input.map)};
}

/// All columns of all inputs are needed.
Pruned PruneUnion(const NodePtr& node, SystemNeeds needs) {
  std::vector<NodePtr> inputs;
  for (const NodePtr& input : node->inputs) {
    inputs.push_back(Prune(input, std::vector<bool>(input->schema->size(), true), needs).node);
  }
  std::vector<int> identity(node->schema->size());
  for (size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<int>(i);
  return {logical::WithInputs(node, std::move(inputs)), std::move(identity)};
}

Pruned PruneSort(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  for (const physical::SortKey& key : node->As<logical::Sort>().keys) {
    if (key.column >= 0) needed[key.column] = true;
  }
  Pruned pruned = PrunePassing<logical::Sort>(node, std::move(needed), needs);
  auto sort = logical::CopyAs<logical::Sort>(*pruned.node);
  for (physical::SortKey& key : sort->keys) {
    if (key.column >= 0) key.column = pruned.map[key.column];
  }
  return {sort, std::move(pruned.map)};
}

Pruned Prune(const NodePtr& node, std::vector<bool> needed, SystemNeeds needs) {
  if (node->is_table) {
    for (int i = 0; i < node->key_columns; ++i) needed[i] = true;
  }
  if (node->kind != NodeKind::kProject) AddSystemNeeds(*node, needs);
  switch (node->kind) {
    case NodeKind::kSource: return PruneSource(node->As<logical::Source>(), needed, needs);
    case NodeKind::kFilter: return PruneFilter(node, std::move(needed), needs);
    case NodeKind::kProject: return PruneProject(node, std::move(needed), needs);
    case NodeKind::kFlatMap: return PruneFlatMap(node, std::move(needed), needs);
    case NodeKind::kJoin: return PruneJoin(node, std::move(needed), needs);
    case NodeKind::kAggregate: return PruneBelow(node, {});
    case NodeKind::kSink:
      return PruneBelow(node, {false, false, !node->As<logical::Sink>().topic.empty()});
    case NodeKind::kRepartition:
    case NodeKind::kLimit: return PruneBelow(node, needs);
    case NodeKind::kLatestRows:
      return PrunePassing<logical::LatestRows>(node, std::move(needed), needs);
    case NodeKind::kUnionAll: return PruneUnion(node, needs);
    case NodeKind::kSort: return PruneSort(node, std::move(needed), needs);
  }
  return {node, {}};
}

}  // namespace

Result<NodePtr> PruneColumns(const NodePtr& plan, const PlannerContext& context) {
  return Prune(plan, std::vector<bool>(plan->schema->size(), true), {}).node;
}

}  // namespace weir
