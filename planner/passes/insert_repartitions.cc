// Rows that an aggregate or a join brings together must be in one task. Here rows that are
// elsewhere are moved: an exchange goes below every aggregate and join side that is not yet
// partitioned by the key that it needs.

#include <algorithm>
#include <optional>
#include <utility>

#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "planner/logical/edge.h"
#include "planner/passes/passes.h"
#include "planner/properties/format_rules.h"

namespace weir {
namespace {

using logical::NodeKind;
using logical::NodePtr;
using logical::Partitioning;
using logical::TraitsOf;

logical::KeyColumns KnownKeys(const PlannerContext& context) {
  return context.first_placement ? logical::KeyColumns::kAlone : logical::KeyColumns::kWithEqual;
}

/// The schema with the key's columns named as `names` says.
SchemaPtr WithKeyNames(const SchemaPtr& schema, const std::vector<std::string>& names) {
  auto renamed = std::make_shared<Schema>(*schema);
  for (size_t i = 0; i < names.size(); ++i) renamed->columns[i].name = names[i];
  return renamed;
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

NodePtr PlaceAggregate(const NodePtr& node, const PlannerContext& context) {
  const auto& aggregate = node->As<logical::Aggregate>();
  const NodePtr& input = node->inputs[0];
  const Partitioning placed = TraitsOf(*input, KnownKeys(context)).partitioning;
  // All rows of one partition are together whatever their key. Where nulls are a group, those of
  // a topic's keys may lie anywhere.
  if (placed.is_single()) return node;
  if (!aggregate.bounded && placed.IsByFirst(node->key_columns)) return node;
  const int32_t partitions = aggregate.bounded && aggregate.global ? 1 : 0;
  NodePtr exchanged = Exchanged(input, partitions, std::nullopt, IsOrderSensitive(aggregate));
  if (aggregate.bounded) {
    auto keeping = logical::CopyAs<logical::Repartition>(*exchanged);
    keeping->key_columns = node->key_columns;
    keeping->drop_null_keys = false;
    exchanged = std::move(keeping);
  }
  return logical::WithInputs(node, {std::move(exchanged)});
}

/// Rows of a bounded query that are joined, counted, put in order or handed out are in one place.
/// `key_columns`: those that stay the key there.
NodePtr InOnePlace(const NodePtr& input, int key_columns) {
  if (TraitsOf(*input).partitioning.is_single()) return input;
  auto gather = std::make_shared<logical::Repartition>();
  gather->inputs = {input};
  gather->schema = input->schema;
  gather->key_columns = key_columns;
  gather->windowed_key = input->windowed_key;
  gather->window_size_ms = input->window_size_ms;
  gather->partitions = 1;
  gather->drop_null_keys = false;
  return gather;
}

NodePtr AllInOnePlace(const NodePtr& node) {
  std::vector<NodePtr> inputs;
  for (const NodePtr& input : node->inputs) {
    inputs.push_back(InOnePlace(input, input->key_columns));
  }
  return logical::WithInputs(node, std::move(inputs));
}

/// Rows moved to where those with equal keys lie.
NodePtr MovedTo(const NodePtr& input, const Partitioning& place, bool ordered) {
  // With schema ids there is one partition to go to: see HasSchemaIds.
  const bool has_ids = place.key_format && NeedsRegistry(place.key_format->format);
  NodePtr exchange =
      Exchanged(input, place.partitions, has_ids ? std::nullopt : place.key_format, ordered);
  const bool named_keys = static_cast<int>(place.key_names.size()) == input->key_columns;
  if (!place.key_format || input->key_columns < 2 || !named_keys) return exchange;
  auto named = logical::CopyAs<logical::Repartition>(*exchange);
  named->schema = WithKeyNames(named->schema, place.key_names);
  return named;
}

Status NotCoPartitioned(const Partitioning& left, const Partitioning& right) {
  return Status(ErrorCode::kNotCoPartitioned,
                "the inputs of a join have the same number of partitions, and " + left.source +
                    " has " + std::to_string(left.partitions) + ", " + right.source + " has " +
                    std::to_string(right.partitions))
      .WithHint("CREATE STREAM copy WITH (PARTITIONS = " + std::to_string(right.partitions) +
                ") AS SELECT * FROM " + left.source);
}

/// Keys that begin with the ids of their schemas: those of another topic with the same values have
/// other ids, and lie elsewhere.
bool HasSchemaIds(const Partitioning& placed) {
  return placed.key_format && NeedsRegistry(placed.key_format->format) && !placed.is_single();
}

/// Both tables are partitioned by their own keys. Left rows then go to where they point and answers
/// come back, which is part of the join.
NodePtr PlaceForeignKeyJoin(const NodePtr& node, const PlannerContext& context) {
  std::vector<NodePtr> inputs = node->inputs;
  bool single = true;
  const bool gathers = context.first_placement;
  for (NodePtr& input : inputs) {
    const Partitioning placed = TraitsOf(*input).partitioning;
    if (placed.is_single()) continue;
    single = false;
    if (gathers || (placed.IsByFirst(input->key_columns) && !HasSchemaIds(placed))) continue;
    input = Exchanged(input, 0, std::nullopt, false);
  }
  if (single) return node;
  if (gathers) {
    for (NodePtr& input : inputs) input = Exchanged(input, 1, std::nullopt, false);
    return logical::WithInputs(node, std::move(inputs));
  }
  auto spread = logical::CopyAs<logical::Join>(*node);
  spread->inputs = std::move(inputs);
  spread->spread = true;
  return spread;
}

Result<NodePtr> PlaceJoin(const NodePtr& node, const PlannerContext& context) {
  const auto& join = node->As<logical::Join>();
  if (join.sides == logical::JoinSides::kForeignKey) return PlaceForeignKeyJoin(node, context);
  if (join.sides == logical::JoinSides::kBounded) return AllInOnePlace(node);
  NodePtr left = node->inputs[0];
  NodePtr right = node->inputs[1];
  Partitioning a = TraitsOf(*left, KnownKeys(context)).partitioning;
  Partitioning b = TraitsOf(*right, KnownKeys(context)).partitioning;
  bool move_left = !a.IsByFirst(join.key_columns) || HasSchemaIds(a);
  bool move_right = !b.IsByFirst(right->key_columns) || HasSchemaIds(b);
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
    } else if (!a.IsAlike(b) || (context.first_placement && !a.is_single() && !a.key_format)) {
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
    left = MovedTo(left, b, ordered);
  } else if (move_right) {
    right = MovedTo(right, a, ordered);
  }
  return logical::WithInputs(node, {left, right});
}

Result<NodePtr> MoveRows(const NodePtr& plan, const PlannerContext& context) {
  std::vector<NodePtr> inputs;
  for (const NodePtr& input : plan->inputs) {
    WEIR_ASSIGN_OR_RETURN(NodePtr next, MoveRows(input, context));
    inputs.push_back(std::move(next));
  }
  NodePtr node = logical::WithInputs(plan, std::move(inputs));
  if (node->kind == NodeKind::kAggregate) return PlaceAggregate(node, context);
  if (node->kind == NodeKind::kJoin) return PlaceJoin(node, context);
  if (node->kind == NodeKind::kUnionAll) return AllInOnePlace(node);
  const bool in_one_place = node->kind == NodeKind::kSort || node->kind == NodeKind::kLimit ||
                            node->kind == NodeKind::kSink;
  if (!in_one_place || !TraitsOf(*node->inputs[0]).ends) return node;
  return logical::WithInputs(node, {InOnePlace(node->inputs[0], 0)});
}

}  // namespace

Result<NodePtr> InsertRepartitions(const NodePtr& plan, const PlannerContext& context) {
  return MoveRows(plan, context);
}

}  // namespace weir
