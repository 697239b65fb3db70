#include "planner/physical/state_shape.h"

#include "planner/explain_text.h"
#include "planner/physical/stores.h"

namespace weir {
namespace {

using physical::NodeKind;

std::string ReadText(const physical::TopicSource& source) {
  return source.source_name + " topic " + source.topic;
}

// False for queries that keep more than positions.
bool AppendStatelessShape(const physical::Node& node, std::string& shape) {
  switch (node.kind) {
    case NodeKind::kTopicSource:
      shape += "stateless " + ReadText(static_cast<const physical::TopicSource&>(node));
      return true;
    case NodeKind::kFilter:
    case NodeKind::kProject:
    case NodeKind::kFlatMap:
    case NodeKind::kTopicSink:
      return node.inputs.size() == 1 && AppendStatelessShape(*node.inputs[0], shape);
    default: return false;
  }
}

template <typename T>
std::string JoinShape(std::string_view name, const T& join) {
  return std::string(name) + " " + std::string(JoinKindText(join.join)) + " keys " +
         std::to_string(join.inputs[0]->schema->size()) + " left (" +
         PickedText(join.left_columns, LeftSchema(join)) + ") right (" +
         PickedText(join.right_columns, *join.inputs[1]->schema) + ")" +
         PairText(join.condition, LeftSchema(join), *join.inputs[1]->schema);
}

template <typename T>
std::string AggregateShape(std::string_view name, const T& node) {
  return std::string(name) + " " + std::to_string(node.key_columns) + " " +
         CallsText(node.calls, *node.inputs[0]->schema);
}

std::string NodeShape(const physical::Node& node) {
  switch (node.kind) {
    case NodeKind::kTopicSource:
      return "read " + ReadText(static_cast<const physical::TopicSource&>(node));
    case NodeKind::kFilter:
      return "filter " +
             ToText(*static_cast<const physical::Filter&>(node).predicate, *node.inputs[0]->schema);
    case NodeKind::kProject:
      return "project " + ExprsText(static_cast<const physical::Project&>(node).exprs,
                                    *node.inputs[0]->schema, *node.schema);
    case NodeKind::kFlatMap:
      return FlatMapText(static_cast<const physical::FlatMap&>(node).calls,
                         *node.inputs[0]->schema);
    case NodeKind::kExchange: {
      const auto& exchange = static_cast<const physical::Exchange&>(node);
      std::string text = "exchange " + exchange.name + " " + std::to_string(exchange.key_columns) +
                         " into " + std::to_string(exchange.partitions);
      if (exchange.placement) text += " placed as " + FormatText(*exchange.placement);
      return text + (exchange.ordered ? " ordered" : "");
    }
    case NodeKind::kMaterialize: return "materialize";
    case NodeKind::kPartialAggregate: {
      const auto& partial = static_cast<const physical::PartialAggregate&>(node);
      return AggregateShape("partial", partial) + " " + WindowText(partial.window);
    }
    case NodeKind::kStreamAggregate: {
      const auto& aggregate = static_cast<const physical::StreamAggregate&>(node);
      return AggregateShape("aggregate", aggregate) + " " + WindowText(aggregate.window) +
             (aggregate.emit_final ? " final" : "") + (aggregate.merges_partials ? " merging" : "");
    }
    case NodeKind::kTableAggregate:
      return AggregateShape("table aggregate", static_cast<const physical::TableAggregate&>(node));
    case NodeKind::kStreamStreamJoin: {
      const auto& join = static_cast<const physical::StreamStreamJoin&>(node);
      return JoinShape("stream join", join) + " within " + std::to_string(join.before_ms) + " " +
             std::to_string(join.after_ms) + " grace " +
             (join.has_grace ? std::to_string(join.grace_ms) : "none");
    }
    case NodeKind::kStreamTableJoin:
      return JoinShape("look-up", static_cast<const physical::StreamTableJoin&>(node));
    case NodeKind::kTableTableJoin:
      return JoinShape("table join", static_cast<const physical::TableTableJoin&>(node));
    case NodeKind::kForeignKeyJoin: {
      const auto& join = static_cast<const physical::ForeignKeyJoin&>(node);
      return JoinShape("foreign-key join", join) + " on " +
             ListText(join.foreign_key, LeftSchema(join)) + (join.spread ? " spread" : "");
    }
    case NodeKind::kForeignKeySubscribe:
      return "subscribe on " +
             ListText(static_cast<const physical::ForeignKeySubscribe&>(node).foreign_key,
                      *node.inputs[0]->schema);
    case NodeKind::kForeignKeyAnswers: return "answers";
    case NodeKind::kLimit:
      return "limit " + std::to_string(static_cast<const physical::Limit&>(node).rows);
    case NodeKind::kTopicSink:
      return static_cast<const physical::TopicSink&>(node).is_table ? "table" : "stream";
    case NodeKind::kClientSink: return "client";
    // Queries that keep state have none of these: they are for input that ends.
    case NodeKind::kLatestRows:
    case NodeKind::kBoundedAggregate:
    case NodeKind::kBoundedJoin:
    case NodeKind::kUnionAll:
    case NodeKind::kSort: break;
  }
  return {};
}

void AppendNodes(const physical::Node& node, int depth, std::string& shape) {
  shape += std::string(depth, ' ') + NodeShape(node) + " [" + node.schema->ToString() + "]";
  if (node.windowed_key != physical::WindowKind::kNone) {
    shape += " " + std::string(WindowKindText(node.windowed_key)) + " " +
             std::to_string(node.window_size_ms);
  }
  shape += " mode " + std::to_string(static_cast<int>(node.mode));
  for (const physical::StoreSpec& store : node.stores) {
    if (HoldsRows(store.kind)) shape += " store " + store.name;
  }
  shape += "\n";
  for (const physical::NodePtr& input : node.inputs) AppendNodes(*input, depth + 1, shape);
}

}  // namespace

std::string StateShape(const physical::Node& root) {
  std::string shape;
  if (AppendStatelessShape(root, shape)) return shape;
  shape = "shape 1\n";
  AppendNodes(root, 0, shape);
  return shape;
}

}  // namespace weir
