// The logical plan as text, for EXPLAIN.

#include "planner/explain_text.h"
#include "planner/logical/logical_nodes.h"

namespace weir::logical {
namespace {

std::string SourceText(const Source& source) {
  using Origin = physical::TopicSource::Origin;
  if (source.origin == Origin::kOneRow) return "OneRow";
  std::string text = source.entry->is_table ? "Table " : "Stream ";
  if (source.origin == Origin::kKeptTable) text = source.lookups.empty() ? "Kept " : "Look up ";
  text += source.entry->name;
  if (source.alias != source.entry->name) text += " AS " + source.alias;
  return text + " [" + source.schema->ToString() + "]";
}

std::string JoinText(const Join& join) {
  std::string text(JoinKindText(join.join));
  switch (join.sides) {
    case JoinSides::kStreamStream:
      text += " stream-stream join within (" + std::to_string(join.before_ms) + " ms, " +
              std::to_string(join.after_ms) + " ms)";
      if (join.has_grace) text += " grace " + std::to_string(join.grace_ms) + " ms";
      break;
    case JoinSides::kStreamTable: text += " stream-table join"; break;
    case JoinSides::kTableTable: text += " table-table join"; break;
    case JoinSides::kBounded:
      text += join.key_columns == 0 ? " bounded join by nested loop" : " bounded join";
      break;
    case JoinSides::kForeignKey:
      text += " foreign-key join on " + ListText(join.foreign_key, *join.inputs[0]->schema);
      break;
  }
  if (join.spread) text += " spread";
  text += PairText(join.condition, *join.inputs[0]->schema, *join.inputs[1]->schema);
  return text + " [" + join.schema->ToString() + "]";
}

std::string NodeText(const Node& node) {
  switch (node.kind) {
    case NodeKind::kSource: return SourceText(node.As<Source>());
    case NodeKind::kFilter: {
      const auto& filter = node.As<Filter>();
      return std::string(filter.is_having ? "Having " : "Filter ") +
             ToText(*filter.predicate, *node.inputs[0]->schema);
    }
    case NodeKind::kProject:
      return "Project " +
             ExprsText(node.As<Project>().exprs, *node.inputs[0]->schema, *node.schema);
    case NodeKind::kFlatMap: return FlatMapText(node.As<FlatMap>().calls, *node.inputs[0]->schema);
    case NodeKind::kRepartition: {
      const auto& repartition = node.As<Repartition>();
      std::string text = "Repartition by the first " + std::to_string(node.key_columns) +
                         (node.key_columns == 1 ? " column" : " columns");
      if (repartition.partitions > 0) {
        text += " into " + std::to_string(repartition.partitions);
      }
      return text + (repartition.ordered ? " in order" : "");
    }
    case NodeKind::kAggregate: {
      const auto& aggregate = node.As<Aggregate>();
      std::string text = aggregate.bounded ? "BoundedAggregate" : "Aggregate";
      if (!aggregate.calls.empty()) {
        text += " " + CallsText(aggregate.calls, *node.inputs[0]->schema);
      }
      if (aggregate.window.kind != physical::WindowKind::kNone) {
        text += " window " + WindowText(aggregate.window);
      }
      if (aggregate.preaggregated) text += " pre-aggregated";
      return text + (aggregate.emit_final ? " final" : "");
    }
    case NodeKind::kJoin: return JoinText(node.As<Join>());
    case NodeKind::kLimit:
      if (node.As<Limit>().one_row) return "SingleRow";
      return "Limit" + LimitText(node.As<Limit>().rows, node.As<Limit>().offset);
    case NodeKind::kSink: {
      const auto& sink = node.As<Sink>();
      return sink.topic.empty() ? "Client" : "Sink " + sink.name + " to topic " + sink.topic;
    }
    case NodeKind::kLatestRows: return "LatestRows";
    case NodeKind::kUnionAll: return "UnionAll";
    case NodeKind::kSort: {
      const auto& sort = node.As<Sort>();
      return "Sort by " + SortKeysText(sort.keys, *node.schema) +
             LimitText(sort.limit, sort.offset);
    }
  }
  return {};
}

void Append(const Node& node, int depth, std::string& text) {
  text += std::string(2 * depth, ' ') + NodeText(node) + "\n";
  for (const NodePtr& input : node.inputs) Append(*input, depth + 1, text);
}

}  // namespace

std::string LogicalText(const Node& root) {
  std::string text;
  Append(root, 0, text);
  return text;
}

}  // namespace weir::logical
