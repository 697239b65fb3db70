// Rows that an aggregate or a join brings together must be in one task. Here rows that are
// elsewhere are moved: an exchange goes below every aggregate and join side that is not yet
// partitioned by the key that it needs.

#include <algorithm>
#include <optional>
#include <utility>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::NodeKind;
using logical::NodePtr;

/// Where the rows of a node are.
struct Placement {
  /// Columns by which rows are partitioned, in order; empty: by nothing that the schema shows.
  std::vector<int> columns;
  int32_t partitions = 1;
  /// Format of the keys in the topic they lie in; nothing behind an exchange with any hash.
  std::optional<physical::SideFormat> key_format;
  int32_t declared = 0;                      ///< PARTITIONS as the source's statement said.
  std::string source;                        ///< For messages.
};

/// The column of `project` that is column `column` of its input, or -1.
int PlaceOf(const std::vector<BoundExprPtr>& exprs, int column) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (exprs[i]->kind == BoundKind::kColumn && exprs[i]->index == column) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

void MapPlacement(const std::vector<BoundExprPtr>& exprs, Placement& placement) {
  for (int& column : placement.columns) {
    column = PlaceOf(exprs, column);
    if (column < 0) {
      placement.columns.clear();
      return;
    }
  }
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

Placement PlacementOf(const logical::Node& node) {
  switch (node.kind) {
    case NodeKind::kSource: {
      // What the engine holds itself comes in one piece.
      if (node.As<logical::Source>().origin != physical::TopicSource::Origin::kTopic) return {};
      const SourceEntry& entry = *node.As<logical::Source>().entry;
      Placement placement{{}, PartitionsOf(entry), entry.key_format,
                          entry.declared_partitions, entry.name};
      // A connector's rows lie where they come to lie: its KEY says what a record's key is, not
      // that equal keys are in one partition.
      if (entry.connector.empty()) {
        for (int i = 0; i < node.key_columns; ++i) placement.columns.push_back(i);
      }
      return placement;
    }
    case NodeKind::kProject: {
      Placement placement = PlacementOf(*node.inputs[0]);
      const std::vector<BoundExprPtr>& exprs = node.As<logical::Project>().exprs;
      // A key kept as the key stays in place even where other columns repeat it.
      bool same = static_cast<int>(placement.columns.size()) <= static_cast<int>(exprs.size());
      for (size_t i = 0; same && i < placement.columns.size(); ++i) {
        same = exprs[i]->kind == BoundKind::kColumn && exprs[i]->index == placement.columns[i];
      }
      if (same) {
        for (size_t i = 0; i < placement.columns.size(); ++i) {
          placement.columns[i] = static_cast<int>(i);
        }
      } else {
        MapPlacement(exprs, placement);
      }
      return placement;
    }
    case NodeKind::kFlatMap: {
      Placement placement = PlacementOf(*node.inputs[0]);
      MapPlacement(node.As<logical::FlatMap>().exprs, placement);
      return placement;
    }
    case NodeKind::kRepartition: {
      const auto& repartition = node.As<logical::Repartition>();
      Placement placement = PlacementOf(*node.inputs[0]);
      placement.columns.clear();
      for (int i = 0; i < node.key_columns; ++i) placement.columns.push_back(i);
      if (repartition.partitions > 0) placement.partitions = repartition.partitions;
      placement.key_format = repartition.placement;
      return placement;
    }
    case NodeKind::kAggregate:
    case NodeKind::kJoin: {
      Placement placement = PlacementOf(*node.inputs[0]);
      placement.columns.clear();
      for (int i = 0; i < node.key_columns; ++i) placement.columns.push_back(i);
      return placement;
    }
    case NodeKind::kFilter:
    case NodeKind::kLimit:
    case NodeKind::kSink:
    case NodeKind::kLatestRows:
    case NodeKind::kSort:
      return PlacementOf(*node.inputs[0]);
  }
  return {};
}

bool IsPlacedByKey(const Placement& placement, int keys) {
  if (keys == 0 || static_cast<int>(placement.columns.size()) != keys) return false;
  for (int i = 0; i < keys; ++i) {
    if (placement.columns[i] != i) return false;
  }
  return true;
}

NodePtr Exchanged(const NodePtr& input, int32_t partitions,
                  std::optional<physical::SideFormat> format, bool ordered) {
  auto exchange = std::make_shared<logical::Repartition>();
  exchange->inputs = {input};
  exchange->schema = input->schema;
  exchange->is_table = input->is_table;
  exchange->key_columns = input->key_columns;
  exchange->windowed_key = input->windowed_key;
  exchange->window_size_ms = input->window_size_ms;
  exchange->partitions = partitions;
  exchange->placement = std::move(format);
  exchange->ordered = ordered;
  return exchange;
}

bool IsOrderSensitive(const logical::Aggregate& aggregate) {
  return aggregate.window.kind == physical::WindowKind::kSession ||
         std::ranges::any_of(aggregate.calls, [](const physical::AggregateCall& call) {
           return call.function->order_sensitive;
         });
}

NodePtr PlaceAggregate(const NodePtr& node) {
  const auto& aggregate = node->As<logical::Aggregate>();
  const NodePtr& input = node->inputs[0];
  const Placement placement = PlacementOf(*input);
  // All rows of one partition are together whatever their key. Where nulls are a group, those of
  // a topic's keys may lie anywhere.
  if (placement.partitions == 1) return node;
  if (!aggregate.bounded && IsPlacedByKey(placement, node->key_columns)) return node;
  const int32_t partitions = aggregate.bounded && aggregate.global ? 1 : 0;
  NodePtr exchanged =
      Exchanged(input, partitions, std::nullopt, IsOrderSensitive(aggregate));
  if (aggregate.bounded) {
    auto keeping = logical::CopyAs<logical::Repartition>(*exchanged);
    keeping->drop_null_keys = false;
    exchanged = std::move(keeping);
  }
  return logical::WithInputs(node, {std::move(exchanged)});
}

/// Rows of a bounded query that are counted, put in order or handed out are in one place.
NodePtr Gathered(const NodePtr& node) {
  const NodePtr& input = node->inputs[0];
  if (PlacementOf(*input).partitions == 1) return node;
  auto gather = std::make_shared<logical::Repartition>();
  gather->inputs = {input};
  gather->schema = input->schema;
  gather->windowed_key = input->windowed_key;
  gather->window_size_ms = input->window_size_ms;
  gather->partitions = 1;
  gather->drop_null_keys = false;
  return logical::WithInputs(node, {std::move(gather)});
}

bool SameFormat(const Placement& a, const Placement& b) {
  return a.key_format && b.key_format && a.key_format->format == b.key_format->format &&
         a.key_format->unwrapped == b.key_format->unwrapped &&
         a.key_format->properties == b.key_format->properties;
}

Status NotCoPartitioned(const Placement& left, const Placement& right) {
  return Status(ErrorCode::kNotCoPartitioned,
                "the inputs of a join have the same number of partitions, and " + left.source +
                    " has " + std::to_string(left.partitions) + ", " + right.source + " has " +
                    std::to_string(right.partitions))
      .WithHint("CREATE STREAM copy WITH (PARTITIONS = " + std::to_string(right.partitions) +
                ") AS SELECT * FROM " + left.source);
}

Result<NodePtr> PlaceForeignKeyJoin(const NodePtr& node) {
  std::vector<NodePtr> inputs = node->inputs;
  bool single = true;
  for (const NodePtr& input : inputs) single &= PlacementOf(*input).partitions == 1;
  if (single) return node;
  // Rows meet by a key that changes with the left row; one task holds both tables.
  for (NodePtr& input : inputs) input = Exchanged(input, 1, std::nullopt, false);
  return logical::WithInputs(node, std::move(inputs));
}

Result<NodePtr> PlaceJoin(const NodePtr& node, const PlannerContext& context) {
  const auto& join = node->As<logical::Join>();
  if (join.sides == logical::JoinSides::kForeignKey) return PlaceForeignKeyJoin(node);
  NodePtr left = node->inputs[0];
  NodePtr right = node->inputs[1];
  Placement a = PlacementOf(*left);
  Placement b = PlacementOf(*right);
  bool move_left = !IsPlacedByKey(a, join.key_columns);
  bool move_right = !IsPlacedByKey(b, right->key_columns);
  if (!move_left && !move_right) {
    // ksqlDB compares what the statements say, even where topics have other counts.
    if (!context.sql_extensions && a.declared > 0 && b.declared > 0 && a.declared != b.declared) {
      a.partitions = a.declared;
      b.partitions = b.declared;
    }
    if (a.partitions != b.partitions) {
      if (!context.sql_extensions || (left->is_table && right->is_table)) {
        return NotCoPartitioned(a, b);
      }
      (left->is_table ? move_right : move_left) = true;
    } else if (a.partitions > 1 && !SameFormat(a, b)) {
      // Equal keys have other bytes, so they lie in other partitions.
      (left->is_table ? move_right : move_left) = true;
    }
  }
  const int32_t widest = std::max(a.partitions, b.partitions);
  if (widest == 1) return node;
  // What rows of a stream meet depends on how far the other side is.
  const bool ordered = join.sides == logical::JoinSides::kStreamStream;
  if (move_left && move_right) {
    left = Exchanged(left, widest, std::nullopt, ordered);
    right = Exchanged(right, widest, std::nullopt, ordered);
  } else if (move_left) {
    left = Exchanged(left, b.partitions, b.key_format, ordered);
  } else if (move_right) {
    right = Exchanged(right, a.partitions, a.key_format, ordered);
  }
  return logical::WithInputs(node, {left, right});
}

}  // namespace

namespace {

Result<NodePtr> MoveRows(const NodePtr& plan, const PlannerContext& context, bool bounded) {
  std::vector<NodePtr> inputs;
  for (const NodePtr& input : plan->inputs) {
    WEIR_ASSIGN_OR_RETURN(NodePtr next, MoveRows(input, context, bounded));
    inputs.push_back(std::move(next));
  }
  NodePtr node = logical::WithInputs(plan, std::move(inputs));
  if (node->kind == NodeKind::kAggregate) return PlaceAggregate(node);
  if (node->kind == NodeKind::kJoin) return PlaceJoin(node, context);
  const bool in_one_place = node->kind == NodeKind::kSort || node->kind == NodeKind::kLimit ||
                            node->kind == NodeKind::kSink;
  return bounded && in_one_place ? Gathered(node) : node;
}

}  // namespace

Result<NodePtr> InsertRepartitions(const NodePtr& plan, const PlannerContext& context) {
  const bool bounded = plan->kind == NodeKind::kSink && plan->As<logical::Sink>().bounded;
  return MoveRows(plan, context, bounded);
}

}  // namespace weir
