#include "planner/physical/state_signature.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "planner/binder/literals.h"
#include "planner/explain_text.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_fields.h"
#include "planner/physical/stores.h"

namespace weir {
namespace {

using physical::NodeKind;
using physical::StoreKind;

/// What flows out of a node.
struct Flow {
  std::vector<std::string> columns;  ///< How each comes from the columns of the sources.
  std::string path;                  ///< Sources, exchanges, joins and aggregates on the way.
};

template <class E>
std::string_view Word(E value) {
  return plan_fields::Words<E>::kAll[static_cast<size_t>(value)];
}

/// What is long is shown by its begin, and told apart by its hash.
std::string Shortened(std::string text) {
  constexpr size_t kShown = 60, kWhole = 300;
  if (text.size() <= kWhole) return text;
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{}…#{:016x}", text.substr(0, end), StableHash(text));
}

std::string ExprSource(const BoundExpr& expr, const std::vector<std::string>& columns) {
  switch (expr.kind) {
    case BoundKind::kColumn: return columns[static_cast<size_t>(expr.index)];
    case BoundKind::kSystem: return std::string(SystemColumnName(expr.system));
    case BoundKind::kLiteral: return ValueText(expr.value, expr.type) + ":" + expr.type.ToString();
    default: break;
  }
  std::string text =
      expr.kind == BoundKind::kCall ? expr.function->name : std::string(Word(expr.kind));
  if (expr.index != 0) text += fmt::format("#{}", expr.index);
  text += ":" + expr.type.ToString() + "(";
  for (const BoundExprPtr& child : expr.children) {
    if (text.back() != '(') text += ", ";
    text += ExprSource(*child, columns);
  }
  return Shortened(text + ")");
}

std::string WindowPart(const physical::WindowSpec& window) {
  if (window.kind == physical::WindowKind::kNone) return "";
  std::string text = fmt::format(" {} {}", Word(window.kind), window.size_ms);
  if (window.kind == physical::WindowKind::kHopping) {
    text += fmt::format(" by {}", window.advance_ms);
  }
  return text;
}

class Signer {
 public:
  Flow Visit(const physical::Node& node);
  StateSignature Take() {
    signature_.reads.assign(reads_.begin(), reads_.end());
    return std::move(signature_);
  }

 private:
  Flow VisitOfKind(const physical::Node& node);
  /// Signs the `nth` store of a kind, if the node has it.
  void Sign(const physical::Node& node, StoreKind kind, std::string text,
            std::vector<std::string> values = {}, size_t nth = 0) {
    for (const physical::StoreSpec& store : node.stores) {
      if (store.kind != kind || nth-- != 0) continue;
      std::string keys;
      for (const DataType& type : store.keys) keys += " " + type.ToString();
      signature_.stores.push_back({store.name, kind,
                                   fmt::format("{}{} {}", StoreKindText(kind), keys, text),
                                   std::move(values), store.layout});
      return;
    }
  }
  static std::string KeysPart(const Flow& flow, int keys) {
    return fmt::format("by ({})",
                       fmt::join(flow.columns.begin(), flow.columns.begin() + keys, ", "));
  }
  static int KeyColumnsOf(const Schema& schema) {
    return static_cast<int>(std::ranges::count_if(
        schema.columns, [](const ColumnSchema& column) { return column.is_key; }));
  }
  static std::string KeyWindowPart(const physical::Node& node) {
    if (node.windowed_key == physical::WindowKind::kNone) return "";
    return fmt::format(" windowed {} {}", Word(node.windowed_key), node.window_size_ms);
  }
  /// Columns from `first` on, with their types.
  static std::vector<std::string> ValuesOf(const Flow& flow, const Schema& schema, int first) {
    std::vector<std::string> values;
    for (int i = first; i < schema.size(); ++i) {
      values.push_back(flow.columns[i] + " " + schema.columns[i].type.ToString());
    }
    return values;
  }
  void SignRows(const physical::Node& node, const Flow& flow, const physical::Node& rows, int keys,
                StoreKind kind, size_t nth, std::string_view more = "") {
    Sign(node, kind,
         fmt::format("{}{}{} of {}", KeysPart(flow, keys), KeyWindowPart(rows), more, flow.path),
         ValuesOf(flow, *rows.schema, keys), nth);
  }
  void SignView(const physical::Node& node, const Flow& flow) {
    SignRows(node, flow, node, KeyColumnsOf(*node.schema), StoreKind::kView, 0);
    Sign(node, StoreKind::kViewLayout, "of the view");
  }
  void SignStreamTimes(const physical::Node& node, const std::vector<Flow>& inputs) {
    size_t nth = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (node.inputs[i]->kind == NodeKind::kExchange) continue;
      Sign(node, StoreKind::kStreamTime, fmt::format("{} of {}", i, inputs[i].path), {}, nth++);
    }
  }

  Flow OfSource(const physical::TopicSource& source);
  Flow OfProject(const std::vector<BoundExprPtr>& exprs, Flow input);
  Flow OfFlatMap(const physical::FlatMap& flat, Flow input);
  Flow OfExchange(const physical::Exchange& exchange, Flow input);
  Flow OfPartial(const physical::PartialAggregate& partial, Flow input);
  Flow OfAggregate(const physical::StreamAggregate& aggregate, Flow input);
  Flow OfTableAggregate(const physical::TableAggregate& aggregate, Flow input);
  template <class Join>
  Flow Joined(const Join& join, int keys, std::string how, const std::vector<Flow>& sides);
  Flow OfStreamJoin(const physical::StreamStreamJoin& join, std::vector<Flow> sides);
  Flow OfForeignKeyJoin(const physical::ForeignKeyJoin& join, std::vector<Flow> sides);
  Flow OfSubscribe(const physical::ForeignKeySubscribe& subscribe, Flow input);
  Flow OfAnswers(const physical::ForeignKeyAnswers& answers, Flow input);

  StateSignature signature_;
  std::set<std::string> reads_;
};

Flow Signer::OfSource(const physical::TopicSource& source) {
  Flow flow;
  flow.path = source.connector.empty() ? source.topic : "connector " + source.source_name;
  // By its name, too: positions are kept under it.
  reads_.insert(source.connector.empty() ? source.source_name + " from topic " + source.topic
                                         : flow.path);
  flow.columns.resize(source.schema->columns.size());
  for (const auto& column : source.columns) {
    if (column.output_index < 0) continue;
    flow.columns[static_cast<size_t>(column.output_index)] =
        fmt::format("{}.{}:{}", flow.path, column.name, column.type.ToString());
  }
  return flow;
}

Flow Signer::OfProject(const std::vector<BoundExprPtr>& exprs, Flow input) {
  Flow flow;
  flow.path = std::move(input.path);
  for (const BoundExprPtr& expr : exprs) flow.columns.push_back(ExprSource(*expr, input.columns));
  return flow;
}

Flow Signer::OfFlatMap(const physical::FlatMap& flat, Flow input) {
  Flow flow = OfProject(flat.exprs, input);
  for (const physical::FlatMap::Call& call : flat.calls) {
    std::string text = call.function->name + "(";
    for (const BoundExprPtr& arg : call.args) {
      if (text.back() != '(') text += ", ";
      text += ExprSource(*arg, input.columns);
    }
    text = Shortened(text + ")");
    flow.path += " flat " + text;
    flow.columns.push_back(std::move(text));
  }
  flow.path = Shortened(std::move(flow.path));
  return flow;
}

Flow Signer::OfExchange(const physical::Exchange& exchange, Flow input) {
  input.path = fmt::format(
      "exchange[{} {}{}{}{}]", input.path, KeysPart(input, exchange.key_columns),
      exchange.partitions > 0 ? fmt::format(" into {}", exchange.partitions) : std::string(),
      exchange.placement ? " placed as " + exchange.placement->format : "",
      exchange.ordered ? " in order" : "");
  Sign(exchange, StoreKind::kClocks, "in front of " + input.path);
  Sign(exchange, StoreKind::kHeldRows, "behind " + input.path,
       ValuesOf(input, *exchange.schema, 0));
  Sign(exchange, StoreKind::kUpstreams, "of " + input.path);
  signature_.sends.push_back(
      fmt::format("{}: {}", input.path, fmt::join(ValuesOf(input, *exchange.schema, 0), ", ")));
  return input;
}

std::string CallSource(const physical::AggregateCall& call, const Flow& input) {
  std::string text = call.function->name + ":" + call.function->return_type.ToString() + "(";
  for (const int arg : call.args) {
    if (text.back() != '(') text += ", ";
    text += input.columns[static_cast<size_t>(arg)];
  }
  for (size_t i = 0; i < call.constants.size(); ++i) {
    // Behind those of the call, limits that the settings say.
    const bool is_limit = i >= call.function->constant_types.size();
    text += "; " + ValueText(call.constants[i],
                             is_limit ? DataType::Bigint() : call.function->constant_types[i]);
  }
  return Shortened(text + ")");
}

Flow Signer::OfPartial(const physical::PartialAggregate& partial, Flow input) {
  Sign(partial, StoreKind::kClocks, "in front of groups of " + input.path);
  Flow flow;
  flow.path = input.path;
  flow.columns.assign(input.columns.begin(), input.columns.begin() + partial.key_columns);
  // The columns of a call's partial state stand for the call.
  for (const physical::AggregateCall& call : partial.calls) {
    flow.columns.insert(flow.columns.end(), call.function->partial_types.size(),
                        CallSource(call, input));
  }
  return flow;
}

Flow Signer::OfAggregate(const physical::StreamAggregate& aggregate, Flow input) {
  Flow flow;
  flow.columns.assign(input.columns.begin(), input.columns.begin() + aggregate.key_columns);
  std::vector<std::string> states;
  for (const physical::AggregateCall& call : aggregate.calls) {
    flow.columns.push_back(aggregate.merges_partials
                               ? input.columns[static_cast<size_t>(call.args[0])]
                               : CallSource(call, input));
    states.push_back(fmt::format("{} state {}", flow.columns.back(), call.function->state_version));
  }
  const std::string what =
      fmt::format("{}{}{} of {}", KeysPart(input, aggregate.key_columns),
                  WindowPart(aggregate.window), aggregate.emit_final ? " final" : "", input.path);
  const bool sessions = aggregate.window.kind == physical::WindowKind::kSession;
  Sign(aggregate, sessions ? StoreKind::kSessions : StoreKind::kGroups, what, std::move(states));
  Sign(aggregate, StoreKind::kWindowTimes, what);
  SignStreamTimes(aggregate, {input});
  flow.path = Shortened("groups[" + what + "]");
  return flow;
}

Flow Signer::OfTableAggregate(const physical::TableAggregate& aggregate, Flow input) {
  Flow flow;
  flow.columns.assign(input.columns.begin(), input.columns.begin() + aggregate.key_columns);
  std::vector<std::string> states;
  for (const physical::AggregateCall& call : aggregate.calls) {
    flow.columns.push_back(CallSource(call, input));
    states.push_back(fmt::format("{} state {}", flow.columns.back(), call.function->state_version));
  }
  const std::string what =
      fmt::format("{} of {}", KeysPart(input, aggregate.key_columns), input.path);
  Sign(aggregate, StoreKind::kTableGroups, what, std::move(states));
  flow.path = Shortened("table-groups[" + what + "]");
  return flow;
}

/// What a join gives: its keys, and the columns picked of both sides.
template <class Join>
Flow Signer::Joined(const Join& join, int keys, std::string how, const std::vector<Flow>& sides) {
  Flow flow;
  if (join.condition != nullptr) {
    std::vector<std::string> both = sides[0].columns;
    both.insert(both.end(), sides[1].columns.begin(), sides[1].columns.end());
    how += " if " + ExprSource(*join.condition, both);
  }
  flow.path = Shortened(
      fmt::format("join[{} {} of {} and {}]", Word(join.join), how, sides[0].path, sides[1].path));
  for (int i = 0; i < keys; ++i) {
    flow.columns.push_back(Shortened(sides[0].columns[i] + " = " + sides[1].columns[i]));
  }
  for (const int column : join.left_columns) flow.columns.push_back(sides[0].columns[column]);
  for (const int column : join.right_columns) flow.columns.push_back(sides[1].columns[column]);
  return flow;
}

Flow Signer::OfStreamJoin(const physical::StreamStreamJoin& join, std::vector<Flow> sides) {
  const std::string how = fmt::format("{} {} within {} {}{}", KeysPart(sides[0], join.key_columns),
                                      KeysPart(sides[1], join.key_columns), join.before_ms,
                                      join.after_ms, join.has_grace ? " with grace" : "");
  const Flow flow = Joined(join, join.key_columns, how, sides);
  for (int side = 0; side < 2; ++side) {
    std::vector<std::string> kept;
    for (const int column : KeptColumns(join, side)) {
      kept.push_back(sides[side].columns[column] + " " +
                     join.inputs[side]->schema->columns[column].type.ToString());
    }
    Sign(join, StoreKind::kJoinBuffer,
         fmt::format("{}{} side of {}", side == 0 ? "left" : "right", KeyWindowPart(join),
                     flow.path),
         std::move(kept), static_cast<size_t>(side));
  }
  Sign(join, StoreKind::kJoinTimes, "of " + flow.path);
  SignStreamTimes(join, sides);
  return flow;
}

Flow Signer::OfForeignKeyJoin(const physical::ForeignKeyJoin& join, std::vector<Flow> sides) {
  const auto keys = join.foreign_key.size();
  std::vector<std::string> pointers;
  Flow message;  // What else the messages of a spread join have.
  if (join.spread) {
    std::vector<std::string>& columns = sides[0].columns;
    pointers.assign(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(keys));
    columns.erase(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(keys));
    message.columns.assign(columns.end() - 2, columns.end());
    columns.resize(columns.size() - 2);
  } else {
    for (const BoundExprPtr& key : join.foreign_key) {
      pointers.push_back(ExprSource(*key, sides[0].columns));
    }
  }
  const std::string pointer = fmt::format("{}", fmt::join(pointers, ", "));
  Flow flow = Joined(join, 0, "on " + pointer, sides);
  // Output keys are those of the left table.
  flow.columns.insert(flow.columns.begin(), sides[0].columns.begin(),
                      sides[0].columns.begin() + join.left_key_columns);
  Sign(join, StoreKind::kPointers,
       fmt::format("{} to {} of {}", KeysPart(sides[0], join.left_key_columns), pointer,
                   sides[0].path),
       ValuesOf(sides[0], LeftSchema(join), join.left_key_columns));
  SignRows(join, sides[1], *join.inputs[1], static_cast<int>(keys), StoreKind::kRows, 0);
  Sign(join, StoreKind::kPointerIndex, "of " + sides[0].path + " to " + pointer);
  flow.columns.insert(flow.columns.end(), message.columns.begin(), message.columns.end());
  return flow;
}

Flow Signer::OfSubscribe(const physical::ForeignKeySubscribe& subscribe, Flow input) {
  Flow flow;
  for (const BoundExprPtr& key : subscribe.foreign_key) {
    flow.columns.push_back(ExprSource(*key, input.columns));
  }
  const std::string what = fmt::format("{} to {} of {}", KeysPart(input, subscribe.key_columns),
                                       fmt::join(flow.columns, ", "), input.path);
  Sign(subscribe, StoreKind::kSubscriptions, what);
  flow.path = Shortened("subscriptions[" + what + "]");
  flow.columns.insert(flow.columns.end(), input.columns.begin(), input.columns.end());
  flow.columns.push_back("version");
  flow.columns.push_back("kind");
  return flow;
}

Flow Signer::OfAnswers(const physical::ForeignKeyAnswers& answers, Flow input) {
  Sign(answers, StoreKind::kAnswers,
       fmt::format("{} of {}", KeysPart(input, answers.key_columns), input.path));
  input.columns.resize(input.columns.size() - 2);
  return input;
}

Flow Signer::Visit(const physical::Node& node) {
  Flow flow = VisitOfKind(node);
  WEIR_CHECK(flow.columns.size() == node.schema->columns.size(), "a column comes from nowhere");
  return flow;
}

Flow Signer::VisitOfKind(const physical::Node& node) {
  std::vector<Flow> inputs;
  for (const physical::NodePtr& input : node.inputs) inputs.push_back(Visit(*input));
  switch (node.kind) {
    case NodeKind::kTopicSource: return OfSource(static_cast<const physical::TopicSource&>(node));
    case NodeKind::kFilter: {
      const int keys = KeyColumnsOf(*node.schema);
      Sign(node, StoreKind::kResultKeys,
           fmt::format("{}{} of {}", KeysPart(inputs[0], keys), KeyWindowPart(node),
                       inputs[0].path));
      // What was taken in under one condition cannot be taken out under another.
      if (node.inputs[0]->mode == physical::ChangeMode::kRetract) {
        inputs[0].path = Shortened(
            inputs[0].path + " where " +
            ExprSource(*static_cast<const physical::Filter&>(node).predicate, inputs[0].columns));
      }
      return std::move(inputs[0]);
    }
    case NodeKind::kProject:
      return OfProject(static_cast<const physical::Project&>(node).exprs, std::move(inputs[0]));
    case NodeKind::kFlatMap:
      return OfFlatMap(static_cast<const physical::FlatMap&>(node), std::move(inputs[0]));
    case NodeKind::kExchange:
      return OfExchange(static_cast<const physical::Exchange&>(node), std::move(inputs[0]));
    case NodeKind::kMaterialize:
      SignRows(node, inputs[0], node, KeyColumnsOf(*node.schema), StoreKind::kRows, 0);
      return std::move(inputs[0]);
    case NodeKind::kPartialAggregate:
      return OfPartial(static_cast<const physical::PartialAggregate&>(node), std::move(inputs[0]));
    case NodeKind::kStreamAggregate:
      return OfAggregate(static_cast<const physical::StreamAggregate&>(node), std::move(inputs[0]));
    case NodeKind::kTableAggregate:
      return OfTableAggregate(static_cast<const physical::TableAggregate&>(node),
                              std::move(inputs[0]));
    case NodeKind::kStreamStreamJoin:
      return OfStreamJoin(static_cast<const physical::StreamStreamJoin&>(node), std::move(inputs));
    case NodeKind::kStreamTableJoin: {
      const auto& join = static_cast<const physical::StreamTableJoin&>(node);
      SignRows(node, inputs[1], *node.inputs[1], join.key_columns, StoreKind::kRows, 0);
      return Joined(join, join.key_columns, "by key", inputs);
    }
    case NodeKind::kTableTableJoin: {
      const auto& join = static_cast<const physical::TableTableJoin&>(node);
      for (size_t i = 0; i < 2; ++i) {
        SignRows(node, inputs[i], *node.inputs[i], join.key_columns, StoreKind::kRows, i);
      }
      return Joined(join, join.key_columns, "by key", inputs);
    }
    case NodeKind::kForeignKeyJoin:
      return OfForeignKeyJoin(static_cast<const physical::ForeignKeyJoin&>(node),
                              std::move(inputs));
    case NodeKind::kForeignKeySubscribe:
      return OfSubscribe(static_cast<const physical::ForeignKeySubscribe&>(node),
                         std::move(inputs[0]));
    case NodeKind::kForeignKeyAnswers:
      return OfAnswers(static_cast<const physical::ForeignKeyAnswers&>(node), std::move(inputs[0]));
    case NodeKind::kTopicSink:
    case NodeKind::kClientSink: SignView(node, inputs[0]); return std::move(inputs[0]);
    // Queries that keep state have none of these but LIMIT: they are for input that ends.
    case NodeKind::kLimit:
    case NodeKind::kLatestRows:
    case NodeKind::kBoundedAggregate:
    case NodeKind::kBoundedJoin:
    case NodeKind::kUnionAll:
    case NodeKind::kSort: break;
  }
  return inputs.empty() ? Flow() : std::move(inputs[0]);
}

}  // namespace

StateSignature SignatureOf(const physical::Node& root) {
  Signer signer;
  signer.Visit(root);
  return signer.Take();
}

}  // namespace weir
