// The physical plan as text and as a drawing, for people: nothing depends on the words.

#include <algorithm>
#include <string>

#include "planner/binder/make_expr.h"
#include "planner/explain_text.h"
#include "planner/physical/stores.h"
#include "planner/planner.h"

namespace weir {
namespace {

template <typename T>
const T& As(const physical::Node& node) {
  return static_cast<const T&>(node);
}

std::string_view ModeText(physical::ChangeMode mode) {
  switch (mode) {
    case physical::ChangeMode::kAppend: return "append";
    case physical::ChangeMode::kUpsert: return "upsert";
    case physical::ChangeMode::kRetract: return "retract";
  }
  return {};
}

std::string LookupsText(const physical::TopicSource& source) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < source.lookups.size() && i < kShown; ++i) {
    std::string key;
    for (size_t part = 0; part < source.lookups[i].size(); ++part) {
      if (part > 0) key += ", ";
      key +=
          ToText(*MakeLiteral(source.lookups[i][part], source.columns[part].type), *source.schema);
    }
    text += " (" + key + ")";
  }
  const size_t more = source.lookups.size() - std::min(source.lookups.size(), kShown);
  return more == 0 ? text : text + " and " + std::to_string(more) + " more";
}

std::string SourceText(const physical::TopicSource& source) {
  using Origin = physical::TopicSource::Origin;
  if (source.origin == Origin::kOneRow) return "OneRow";
  if (source.origin == Origin::kKeptTable) {
    const std::string of = source.source_name + " kept by " + source.kept_by;
    return source.lookups.empty() ? "TableScan " + of : "KeyLookup " + of + LookupsText(source);
  }
  std::string text = source.connector.empty() ? "TopicSource " : "ConnectorSource ";
  text += source.source_name;
  if (source.connector.empty()) text += " topic " + source.topic;
  text += " key " + FormatText(source.key_format) + " value " + FormatText(source.value_format);
  std::string unread;
  for (const auto& column : source.columns) {
    if (column.output_index < 0) unread += (unread.empty() ? "" : ", ") + column.name;
  }
  if (!unread.empty()) text += " unread (" + unread + ")";
  if (source.time_column >= 0) text += " time " + source.columns[source.time_column].name;
  if (source.needs_partition) text += " +partition";
  if (source.needs_offset) text += " +offset";
  if (source.needs_headers) text += " +headers";
  return text;
}

template <typename T>
std::string JoinText(std::string_view name, const T& join) {
  std::string text = std::string(name) + " " + std::string(JoinKindText(join.join));
  text += " left (" + PickedText(join.left_columns, LeftSchema(join)) + ")";
  text += " right (" + PickedText(join.right_columns, *join.inputs[1]->schema) + ")";
  return text + PairText(join.condition, LeftSchema(join), *join.inputs[1]->schema);
}

std::string StreamJoinText(const physical::StreamStreamJoin& join) {
  std::string text = JoinText("StreamStreamJoin", join);
  text += " within (" + std::to_string(join.before_ms) + " ms, " + std::to_string(join.after_ms) +
          " ms) grace " + std::to_string(join.grace_ms) + " ms";
  return text + (join.has_grace ? "" : " unmatched at once");
}

std::string PartialText(const physical::PartialAggregate& node) {
  std::string text = "PartialAggregate by the first " + std::to_string(node.key_columns) + ": " +
                     CallsText(node.calls, *node.inputs[0]->schema);
  if (node.window.kind != physical::WindowKind::kNone) {
    text += " window " + WindowText(node.window);
  }
  return text;
}

std::string AggregateText(const physical::StreamAggregate& node) {
  std::string text = "StreamAggregate by the first " + std::to_string(node.key_columns) +
                     (node.merges_partials ? " merging partials: " : ": ") +
                     CallsText(node.calls, *node.inputs[0]->schema);
  if (node.window.kind != physical::WindowKind::kNone) {
    text += " window " + WindowText(node.window);
  }
  return text + (node.emit_final ? " final" : "");
}

std::string BoundedAggregateText(const physical::BoundedAggregate& node) {
  std::string text = node.global
                         ? "BoundedAggregate of all rows"
                         : "BoundedAggregate by the first " + std::to_string(node.key_columns);
  if (node.merges_partials) text += " merging partials";
  if (!node.calls.empty()) text += ": " + CallsText(node.calls, *node.inputs[0]->schema);
  if (node.window.kind != physical::WindowKind::kNone) {
    text += " window " + WindowText(node.window);
  }
  return text;
}

std::string ExchangeText(const physical::Exchange& exchange) {
  if (exchange.key_columns == 0 && exchange.partitions == 1) {
    return "Gather (" + exchange.name + ")";
  }
  std::string text = "Exchange by the first " + std::to_string(exchange.key_columns);
  if (exchange.partitions > 0) text += " into " + std::to_string(exchange.partitions);
  if (exchange.placement) text += " placed as " + FormatText(*exchange.placement);
  if (exchange.ordered) text += " in order";
  return text + " (" + exchange.name + ")";
}

std::string SinkText(const physical::TopicSink& sink) {
  std::string text = sink.connector.empty() ? "TopicSink " : "ConnectorSink ";
  text += sink.sink_name + " topic " + sink.topic;
  text += " key " + FormatText(sink.key_format) + " value " + FormatText(sink.value_format);
  if (sink.time_column >= 0) text += " time " + sink.schema->columns[sink.time_column].name;
  return text;
}

std::string NodeText(const physical::Node& node) {
  switch (node.kind) {
    case physical::NodeKind::kTopicSource: return SourceText(As<physical::TopicSource>(node));
    case physical::NodeKind::kFilter: {
      const auto& filter = As<physical::Filter>(node);
      return std::string(filter.is_having ? "Having " : "Filter ") +
             ToText(*filter.predicate, *node.inputs[0]->schema);
    }
    case physical::NodeKind::kProject:
      return "Project " +
             ExprsText(As<physical::Project>(node).exprs, *node.inputs[0]->schema, *node.schema);
    case physical::NodeKind::kFlatMap:
      return FlatMapText(As<physical::FlatMap>(node).calls, *node.inputs[0]->schema);
    case physical::NodeKind::kExchange: return ExchangeText(As<physical::Exchange>(node));
    case physical::NodeKind::kMaterialize: return "Materialize";
    case physical::NodeKind::kPartialAggregate:
      return PartialText(As<physical::PartialAggregate>(node));
    case physical::NodeKind::kStreamAggregate:
      return AggregateText(As<physical::StreamAggregate>(node));
    case physical::NodeKind::kTableAggregate: {
      const auto& aggregate = As<physical::TableAggregate>(node);
      return "TableAggregate by the first " + std::to_string(aggregate.key_columns) + ": " +
             CallsText(aggregate.calls, *node.inputs[0]->schema);
    }
    case physical::NodeKind::kStreamStreamJoin:
      return StreamJoinText(As<physical::StreamStreamJoin>(node));
    case physical::NodeKind::kStreamTableJoin:
      return JoinText("StreamTableJoin", As<physical::StreamTableJoin>(node));
    case physical::NodeKind::kTableTableJoin:
      return JoinText("TableTableJoin", As<physical::TableTableJoin>(node));
    case physical::NodeKind::kForeignKeyJoin: {
      const auto& join = As<physical::ForeignKeyJoin>(node);
      const std::string text = JoinText("ForeignKeyJoin", join);
      return join.spread ? text : text + " on " + ListText(join.foreign_key, LeftSchema(join));
    }
    case physical::NodeKind::kForeignKeySubscribe:
      return "ForeignKeySubscribe on " +
             ListText(As<physical::ForeignKeySubscribe>(node).foreign_key, *node.inputs[0]->schema);
    case physical::NodeKind::kForeignKeyAnswers: return "ForeignKeyAnswers";
    case physical::NodeKind::kLimit:
      if (As<physical::Limit>(node).one_row) return "SingleRow";
      return "Limit" + LimitText(As<physical::Limit>(node).rows, As<physical::Limit>(node).offset);
    case physical::NodeKind::kTopicSink: return SinkText(As<physical::TopicSink>(node));
    case physical::NodeKind::kClientSink: return "ClientSink";
    case physical::NodeKind::kLatestRows: return "LatestRows";
    case physical::NodeKind::kUnionAll: return "UnionAll";
    case physical::NodeKind::kBoundedJoin:
      return JoinText(As<physical::BoundedJoin>(node).key_columns == 0
                          ? "BoundedJoin by nested loop"
                          : "BoundedJoin",
                      As<physical::BoundedJoin>(node));
    case physical::NodeKind::kBoundedAggregate:
      return BoundedAggregateText(As<physical::BoundedAggregate>(node));
    case physical::NodeKind::kSort: {
      const auto& sort = As<physical::Sort>(node);
      return "Sort by " + SortKeysText(sort.keys, *node.schema) +
             LimitText(sort.limit, sort.offset);
    }
  }
  return {};
}

std::string PropertiesText(const physical::Node& node) {
  std::string text = std::string(ModeText(node.mode)) + " [" + node.schema->ToString() + "]";
  if (node.windowed_key != physical::WindowKind::kNone) {
    text += " windowed " + std::string(WindowKindText(node.windowed_key));
    if (node.window_size_ms > 0) text += " " + std::to_string(node.window_size_ms) + " ms";
  }
  for (const physical::StoreSpec& store : node.stores) {
    if (HoldsRows(store.kind)) text += " store " + store.name;
  }
  return text;
}

void AppendTree(const physical::Node& node, int depth, std::string& text) {
  const std::string indent(2 * depth, ' ');
  text += indent + "#" + std::to_string(node.id) + " " + NodeText(node) + "\n";
  text += indent + "     " + PropertiesText(node) + "\n";
  for (const physical::NodePtr& input : node.inputs) AppendTree(*input, depth + 1, text);
}

std::string DotEscaped(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void AppendDot(const physical::Node& node, std::string& text) {
  const std::string name = "n" + std::to_string(node.id);
  text += "  " + name + " [shape=box, label=\"" + DotEscaped(NodeText(node)) + "\"];\n";
  for (const physical::NodePtr& input : node.inputs) {
    AppendDot(*input, text);
    const bool cut = input->kind == physical::NodeKind::kExchange;
    text +=
        "  n" + std::to_string(input->id) + " -> " + name + (cut ? " [style=dashed];\n" : ";\n");
  }
}

}  // namespace

std::string ExplainPhysical(const physical::Node& root) {
  std::string text;
  AppendTree(root, 0, text);
  return text;
}

std::string ExplainDot(const physical::Node& root) {
  std::string text = "digraph plan {\n  rankdir=BT;\n";
  AppendDot(root, text);
  return text + "}\n";
}

}  // namespace weir
