#include "planner/logical/edge.h"

#include <algorithm>
#include <unordered_map>

#include "base/number_text.h"
#include "planner/binder/make_expr.h"
#include "planner/logical/logical_nodes.h"

namespace weir::logical {
namespace {

using physical::ChangeMode;

std::vector<EqualColumns> FirstColumns(int count) {
  std::vector<EqualColumns> columns;
  for (int i = 0; i < count; ++i) columns.push_back({i});
  return columns;
}

/// `columns` of the input where `exprs` put them; nothing where one of them is no longer there.
std::vector<EqualColumns> MapAll(const std::vector<BoundExprPtr>& exprs,
                                 const std::vector<EqualColumns>& columns) {
  std::unordered_map<int, EqualColumns> places;
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (exprs[i]->kind != BoundKind::kColumn) continue;
    places[exprs[i]->index].push_back(static_cast<int>(i));
  }
  std::vector<EqualColumns> all;
  for (const EqualColumns& equal : columns) {
    EqualColumns mapped;
    for (int column : equal) {
      const auto found = places.find(column);
      if (found == places.end()) continue;
      mapped.insert(mapped.end(), found->second.begin(), found->second.end());
    }
    if (mapped.empty()) return {};
    all.push_back(std::move(mapped));
  }
  return all;
}

/// The first `count` of `exprs`, each with the others that compute the same.
std::vector<EqualColumns> EqualKeys(const std::vector<BoundExprPtr>& exprs, int count) {
  std::vector<EqualColumns> keys = FirstColumns(count);
  std::unordered_multimap<size_t, int> by_hash;
  for (int key = 0; key < count; ++key) {
    if (IsDeterministic(*exprs[key])) by_hash.emplace(HashExpr(*exprs[key]), key);
  }
  for (int i = 0; i < static_cast<int>(exprs.size()) && count > 0; ++i) {
    const auto [begin, end] = by_hash.equal_range(HashExpr(*exprs[i]));
    for (auto at = begin; at != end; ++at) {
      if (at->second != i && SameExpr(*exprs[at->second], *exprs[i])) {
        keys[at->second].push_back(i);
      }
    }
  }
  return keys;
}

/// Partitions of a source; connectors say theirs in their properties.
int32_t PartitionsOf(const SourceEntry& entry) {
  int32_t partitions = std::max(entry.partitions, 1);
  const auto given = entry.connector.find("PARTITIONS");
  int32_t number = 0;
  if (given != entry.connector.end() && ParseInt32(given->second, number)) {
    partitions = std::max(partitions, number);
  }
  return partitions;
}

EdgeTraits SourceTraits(const Source& source) {
  EdgeTraits traits;
  traits.keys = FirstColumns(source.key_columns);
  traits.ends = source.ends;
  // What the engine holds itself comes in one piece.
  if (source.origin != physical::TopicSource::Origin::kTopic) return traits;
  const SourceEntry& entry = *source.entry;
  traits.partitioning = {{}, PartitionsOf(entry),       entry.key_format,
                         {}, entry.declared_partitions, entry.name};
  for (const SourceEntry::SourceColumnEntry& column : entry.columns) {
    if (column.is_key) traits.partitioning.key_names.push_back(column.name);
  }
  // A connector's rows lie where they come to lie: its KEY says what a record's key is, not that
  // equal keys are in one partition.
  if (entry.connector.empty()) traits.partitioning.columns = traits.keys;
  return traits;
}

/// Columns of the output of a join that equal its keys. Those of a side whose rows may be missing
/// are no part of it.
std::vector<EqualColumns> JoinKeys(const Join& join, const std::vector<EqualColumns>& left,
                                   const std::vector<EqualColumns>& right) {
  std::vector<EqualColumns> keys = FirstColumns(join.key_columns);
  const auto add = [&](size_t side, const std::vector<int>& picked, int first) {
    const std::vector<EqualColumns>& own = side == 0 ? left : right;
    for (size_t key = 0; key < keys.size() && key < own.size(); ++key) {
      for (size_t i = 0; i < picked.size(); ++i) {
        if (std::ranges::find(own[key], picked[i]) == own[key].end()) continue;
        keys[key].push_back(first + static_cast<int>(i));
      }
    }
  };
  const bool inner = join.join == physical::JoinKind::kInner;
  if (inner || join.join == physical::JoinKind::kLeft) {
    add(0, join.left_columns, join.key_columns);
  }
  if ((inner && join.sides != JoinSides::kForeignKey) || join.join == physical::JoinKind::kRight) {
    add(1, join.right_columns, join.key_columns + static_cast<int>(join.left_columns.size()));
  }
  return keys;
}

/// Of each set one column: the key's own place, or else the first.
void KeepKeysAlone(std::vector<EqualColumns>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const int place = static_cast<int>(i);
    const bool own = std::ranges::find(columns[i], place) != columns[i].end();
    columns[i] = {own ? place : *std::ranges::min_element(columns[i])};
  }
}

EdgeTraits ExprTraits(const Node& node, const std::vector<BoundExprPtr>& exprs, KeyColumns which) {
  EdgeTraits traits = TraitsOf(*node.inputs[0], which);
  traits.partitioning.columns = MapAll(exprs, traits.partitioning.columns);
  if (which == KeyColumns::kAlone) KeepKeysAlone(traits.partitioning.columns);
  traits.keys = EqualKeys(exprs, node.key_columns);
  return traits;
}

}  // namespace

bool Partitioning::IsByFirst(int keys) const {
  if (keys == 0 || static_cast<int>(columns.size()) != keys) return false;
  for (int i = 0; i < keys; ++i) {
    if (std::ranges::find(columns[i], i) == columns[i].end()) return false;
  }
  return true;
}

bool Partitioning::IsAlike(const Partitioning& other) const {
  if (partitions != other.partitions) return false;
  if (partitions == 1) return true;
  if (!key_format || !other.key_format) return !key_format && !other.key_format;
  if (key_names.size() > 1 && key_names != other.key_names) return false;
  return key_format->format == other.key_format->format &&
         key_format->unwrapped == other.key_format->unwrapped &&
         key_format->properties == other.key_format->properties;
}

EdgeTraits TraitsOf(const Node& node, KeyColumns which) {
  EdgeTraits traits;
  switch (node.kind) {
    case NodeKind::kSource: traits = SourceTraits(node.As<Source>()); break;
    case NodeKind::kProject: traits = ExprTraits(node, node.As<Project>().exprs, which); break;
    case NodeKind::kFlatMap: traits = ExprTraits(node, node.As<FlatMap>().exprs, which); break;
    case NodeKind::kRepartition: {
      const auto& repartition = node.As<Repartition>();
      traits = TraitsOf(*node.inputs[0], which);
      if (static_cast<int>(traits.keys.size()) != node.key_columns || which == KeyColumns::kAlone) {
        traits.keys = FirstColumns(node.key_columns);
      }
      traits.partitioning.columns = traits.keys;
      if (repartition.partitions > 0) traits.partitioning.partitions = repartition.partitions;
      traits.partitioning.key_format = repartition.placement;
      traits.partitioning.key_names.clear();
      for (int key = 0; key < node.key_columns; ++key) {
        traits.partitioning.key_names.push_back(node.schema->columns[key].name);
      }
      traits.order = repartition.ordered ? RowOrder::kTime : RowOrder::kArrival;
      break;
    }
    case NodeKind::kAggregate:
      traits = TraitsOf(*node.inputs[0], which);
      traits.keys = FirstColumns(node.key_columns);
      traits.partitioning.columns = traits.keys;
      traits.order = RowOrder::kArrival;
      break;
    case NodeKind::kJoin: {
      // Each side is asked once: twice a level would be very often in joins of joins.
      traits = TraitsOf(*node.inputs[0], which);
      const EdgeTraits right = TraitsOf(*node.inputs[1], which);
      traits.keys = which == KeyColumns::kAlone
                        ? FirstColumns(node.key_columns)
                        : JoinKeys(node.As<Join>(), traits.keys, right.keys);
      traits.partitioning.columns = traits.keys;
      traits.order = RowOrder::kArrival;
      traits.ends = traits.ends && right.ends;
      break;
    }
    case NodeKind::kUnionAll:
      traits = TraitsOf(*node.inputs[0], which);
      traits.keys.clear();
      traits.partitioning.columns.clear();
      traits.partitioning.key_format.reset();
      traits.order = RowOrder::kArrival;
      // The first has been asked: twice a level would be very often in unions of unions.
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        traits.ends &= TraitsOf(*node.inputs[i], which).ends;
      }
      break;
    case NodeKind::kSort:
      traits = TraitsOf(*node.inputs[0], which);
      traits.order = RowOrder::kSorted;
      break;
    case NodeKind::kFilter:
    case NodeKind::kLimit:
    case NodeKind::kSink:
    case NodeKind::kLatestRows: traits = TraitsOf(*node.inputs[0], which); break;
  }
  traits.mode = node.is_table ? ChangeMode::kUpsert : ChangeMode::kAppend;
  return traits;
}

ChangeMode InputMode(const Node& node, size_t input, ChangeMode needed) {
  if (!node.inputs[input]->is_table) return ChangeMode::kAppend;
  switch (node.kind) {
    case NodeKind::kAggregate: return ChangeMode::kRetract;
    case NodeKind::kFilter:
    case NodeKind::kProject:
    case NodeKind::kRepartition:
    case NodeKind::kLimit: return needed;
    case NodeKind::kSource:
    case NodeKind::kFlatMap:
    case NodeKind::kJoin:
    case NodeKind::kSink:
    case NodeKind::kLatestRows:
    case NodeKind::kUnionAll:
    case NodeKind::kSort: break;
  }
  return ChangeMode::kUpsert;
}

}  // namespace weir::logical
