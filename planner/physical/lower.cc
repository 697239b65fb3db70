#include "planner/physical/lower.h"

#include <utility>

#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "planner/logical/edge.h"
#include "planner/physical/stores.h"
#include "planner/planner.h"
#include "planner/properties/format_rules.h"

namespace weir {
namespace {

using logical::JoinSides;
using physical::ChangeMode;

class Lowering {
 public:
  explicit Lowering(std::string query_id) : query_id_(std::move(query_id)) {}

  /// `retract`: the consumer needs the old row with each change of a table.
  Result<physical::NodePtr> Lower(const logical::NodePtr& node, bool retract);
  /// Once all nodes are complete.
  void DeclareAllStores() {
    for (const std::shared_ptr<physical::Node>& node : made_) DeclareStores(*node);
  }

 private:
  /// Fills what all nodes have. Inputs come first, so that numbers ascend along the data.
  template <typename T>
  std::shared_ptr<T> Start(const logical::Node& node, std::vector<physical::NodePtr> inputs) {
    auto made = std::make_shared<T>();
    made->inputs = std::move(inputs);
    made->schema = node.schema;
    made->windowed_key = node.windowed_key;
    made->window_size_ms = node.window_size_ms;
    for (const std::string& name : node.store_names) made->stores.emplace_back().name = name;
    made->mode = !node.is_table         ? ChangeMode::kAppend
                 : made->inputs.empty() ? ChangeMode::kUpsert
                                        : made->inputs[0]->mode;
    return Number(std::move(made));
  }
  template <typename T>
  std::shared_ptr<T> Number(std::shared_ptr<T> made) {
    made->id = ++next_id_;
    made_.push_back(made);
    return made;
  }

  physical::NodePtr LowerSource(const logical::Source& source, bool retract);
  Result<physical::NodePtr> LowerFlatMap(const logical::NodePtr& node);
  Result<physical::NodePtr> LowerAggregate(const logical::NodePtr& node);
  /// `below` and the exchange that moves it.
  std::shared_ptr<physical::Exchange> Exchanged(const logical::NodePtr& node,
                                                physical::NodePtr below);
  Result<physical::NodePtr> LowerPreaggregated(const logical::Aggregate& aggregate);
  physical::NodePtr Bounded(const logical::Aggregate& aggregate, physical::NodePtr input,
                            std::vector<physical::AggregateCall> calls, bool merges_partials);
  Result<physical::NodePtr> LowerJoin(const logical::NodePtr& node, bool retract);
  physical::NodePtr Sent(physical::NodePtr messages, int key_columns, const std::string& name,
                         const logical::Partitioning& to);
  physical::NodePtr Subscribed(const logical::Join& join, physical::NodePtr left);
  physical::NodePtr Answered(const logical::Join& join, physical::NodePtr answers);
  Result<physical::NodePtr> LowerSink(const logical::NodePtr& node);
  physical::NodePtr Materialized(const physical::NodePtr& input, ChangeMode mode,
                                 std::string store);

  /// Input number `input` of a node, in the mode that it needs.
  Result<physical::NodePtr> LowerInput(const logical::Node& node, size_t input, bool retract) {
    const ChangeMode needed = retract ? ChangeMode::kRetract : ChangeMode::kUpsert;
    return Lower(node.inputs[input],
                 logical::InputMode(node, input, needed) == ChangeMode::kRetract);
  }
  /// A table's changes with the rows that were there before.
  physical::NodePtr Retracting(physical::NodePtr input, const logical::Node& node, bool retract) {
    if (!retract || !node.is_table) return input;
    return Materialized(input, ChangeMode::kRetract, "table-" + std::to_string(++tables_));
  }

  std::string query_id_;
  std::vector<std::shared_ptr<physical::Node>> made_;
  int next_id_ = 0;
  int tables_ = 0;
};

physical::NodePtr Lowering::Materialized(const physical::NodePtr& input, ChangeMode mode,
                                         std::string store) {
  auto made = std::make_shared<physical::Materialize>();
  made->inputs = {input};
  made->schema = input->schema;
  made->windowed_key = input->windowed_key;
  made->window_size_ms = input->window_size_ms;
  made->mode = mode;
  made->stores.emplace_back().name = std::move(store);
  return Number(std::move(made));
}

physical::NodePtr Lowering::LowerSource(const logical::Source& source, bool retract) {
  const SourceEntry& entry = *source.entry;
  auto made = Start<physical::TopicSource>(source, {});
  made->origin = source.origin;
  made->kept_by = source.kept_by;
  made->lookups = source.lookups;
  made->source_name = entry.name;
  made->topic = entry.topic;
  made->connector = entry.connector;
  made->key_format = entry.key_format;
  made->value_format = entry.value_format;
  made->is_table = entry.is_table;
  made->needs_partition = source.needs_partition;
  made->needs_offset = source.needs_offset;
  made->needs_headers = source.needs_headers;
  made->time_source = entry.time_source;
  made->time_format = entry.time_format;
  made->on_error = entry.on_error;
  made->dead_letter_topic = entry.dead_letter_topic;
  made->start = source.start;
  made->start_timestamp_ms = source.start_timestamp_ms;
  made->start_offsets = source.start_offsets;
  for (const SourceEntry::SourceColumnEntry& column : entry.columns) {
    made->columns.push_back(
        {column.name, column.type, column.is_key, column.is_headers, column.header_key, -1});
    if (entry.time_source == physical::TimeSource::kColumn && column.name == entry.time_column) {
      made->time_column = static_cast<int>(made->columns.size()) - 1;
    }
  }
  for (size_t i = 0; i < source.columns.size(); ++i) {
    made->columns[source.columns[i]].output_index = static_cast<int>(i);
  }
  return Retracting(made, source, retract);
}

Result<physical::NodePtr> Lowering::LowerFlatMap(const logical::NodePtr& node) {
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, false));
  auto made = Start<physical::FlatMap>(*node, {std::move(input)});
  made->exprs = node->As<logical::FlatMap>().exprs;
  made->calls = node->As<logical::FlatMap>().calls;
  return physical::NodePtr(made);
}

std::shared_ptr<physical::Exchange> Lowering::Exchanged(const logical::NodePtr& node,
                                                        physical::NodePtr below) {
  const auto& repartition = node->As<logical::Repartition>();
  auto made = Start<physical::Exchange>(*node, {std::move(below)});
  made->key_columns = node->key_columns;
  made->name = query_id_ + "-" + repartition.name;
  made->partitions = repartition.partitions;
  made->placement = repartition.placement;
  made->ordered = repartition.ordered;
  made->drop_null_keys = repartition.drop_null_keys;
  return made;
}

/// The keys, and behind them each call's partial state, named after the call.
SchemaPtr PartialSchema(const logical::Aggregate& aggregate) {
  auto schema = std::make_shared<Schema>();
  for (int i = 0; i < aggregate.key_columns; ++i) {
    schema->columns.push_back(aggregate.inputs[0]->schema->columns[i]);
  }
  for (size_t call = 0; call < aggregate.calls.size(); ++call) {
    ColumnSchema column = aggregate.schema->columns[aggregate.key_columns + call];
    const std::string name = column.name;
    int part = 0;
    for (const DataType& type : aggregate.calls[call].function->partial_types) {
      column.type = type;
      column.name = ++part == 1 ? name : name + " " + std::to_string(part);
      schema->columns.push_back(column);
    }
  }
  return schema;
}

Result<physical::NodePtr> Lowering::LowerPreaggregated(const logical::Aggregate& aggregate) {
  const logical::NodePtr& repartition = aggregate.inputs[0];
  const logical::NodePtr& below = repartition->inputs[0];
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, Lower(below, false));
  auto partial = Start<physical::PartialAggregate>(*below, {std::move(input)});
  partial->stores.clear();
  partial->schema = PartialSchema(aggregate);
  partial->windowed_key = aggregate.windowed_key;
  partial->window_size_ms = aggregate.window_size_ms;
  partial->key_columns = aggregate.key_columns;
  partial->calls = aggregate.calls;
  partial->window = aggregate.window;
  partial->bounded = aggregate.bounded;
  std::shared_ptr<physical::Exchange> exchange = Exchanged(repartition, partial);
  exchange->schema = partial->schema;
  exchange->windowed_key = partial->windowed_key;
  exchange->window_size_ms = partial->window_size_ms;
  std::vector<physical::AggregateCall> calls = aggregate.calls;
  int next = aggregate.key_columns;
  for (physical::AggregateCall& call : calls) {
    call.args.resize(call.function->partial_types.size());
    for (int& arg : call.args) arg = next++;
  }
  if (aggregate.bounded) return Bounded(aggregate, std::move(exchange), std::move(calls), true);
  auto made = Start<physical::StreamAggregate>(aggregate, {std::move(exchange)});
  made->mode = ChangeMode::kUpsert;
  made->key_columns = aggregate.key_columns;
  made->window = aggregate.window;
  made->emit_final = aggregate.emit_final;
  made->merges_partials = true;
  made->calls = std::move(calls);
  return physical::NodePtr(made);
}

/// The aggregate over all rows of `input`; sessions are found in rows that are in order.
physical::NodePtr Lowering::Bounded(const logical::Aggregate& aggregate, physical::NodePtr input,
                                    std::vector<physical::AggregateCall> calls,
                                    bool merges_partials) {
  if (aggregate.window.kind == physical::WindowKind::kSession) {
    auto sort = std::make_shared<physical::Sort>();
    sort->inputs = {input};
    sort->schema = input->schema;
    sort->windowed_key = input->windowed_key;
    sort->window_size_ms = input->window_size_ms;
    for (int i = 0; i < aggregate.key_columns; ++i) sort->keys.push_back({i, false, false});
    sort->keys.push_back({physical::SortKey::kTime, false, false});
    input = Number(std::move(sort));
  }
  auto made = Start<physical::BoundedAggregate>(aggregate, {std::move(input)});
  made->stores.clear();
  made->key_columns = aggregate.key_columns;
  made->calls = std::move(calls);
  made->window = aggregate.window;
  made->merges_partials = merges_partials;
  made->global = aggregate.global;
  return made;
}

Result<physical::NodePtr> Lowering::LowerAggregate(const logical::NodePtr& node) {
  const auto& aggregate = node->As<logical::Aggregate>();
  if (aggregate.preaggregated) return LowerPreaggregated(aggregate);
  const bool over_table = node->inputs[0]->is_table;
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, false));
  if (aggregate.bounded) return Bounded(aggregate, std::move(input), aggregate.calls, false);
  if (over_table) {
    auto made = Start<physical::TableAggregate>(*node, {std::move(input)});
    made->mode = ChangeMode::kUpsert;
    made->key_columns = aggregate.key_columns;
    made->calls = aggregate.calls;
    return physical::NodePtr(made);
  }
  auto made = Start<physical::StreamAggregate>(*node, {std::move(input)});
  made->mode = ChangeMode::kUpsert;
  made->key_columns = aggregate.key_columns;
  made->calls = aggregate.calls;
  made->window = aggregate.window;
  made->emit_final = aggregate.emit_final;
  return physical::NodePtr(made);
}

/// Rows of a foreign-key join on their way: version and kind behind the columns.
SchemaPtr MessageSchema(const Schema& columns) {
  auto schema = std::make_shared<Schema>(columns);
  schema->columns.push_back({"VERSION", DataType::Bigint(), false});
  schema->columns.push_back({"KIND", DataType::Int(), false});
  return schema;
}

/// An exchange of messages, placed where a table's rows with this key lie.
physical::NodePtr Lowering::Sent(physical::NodePtr messages, int key_columns,
                                 const std::string& name, const logical::Partitioning& to) {
  auto made = std::make_shared<physical::Exchange>();
  auto schema = std::make_shared<Schema>(*messages->schema);
  // Some formats write the names of a key's columns.
  const bool named = to.key_format && static_cast<int>(to.key_names.size()) == key_columns;
  for (int i = 0; named && i < key_columns && key_columns > 1; ++i) {
    schema->columns[i].name = to.key_names[i];
  }
  made->schema = std::move(schema);
  made->inputs = {std::move(messages)};
  made->key_columns = key_columns;
  made->name = query_id_ + "-" + name;
  made->partitions = to.partitions;
  // Keys with schema ids stay in one partition here: see HasSchemaIds in insert_repartitions.cc.
  const bool has_ids = to.key_format && NeedsRegistry(to.key_format->format);
  if (!has_ids) made->placement = to.key_format;
  made->drop_null_keys = false;
  return Number(std::move(made));
}

/// The left rows of a foreign-key join where the right rows are that they point to.
physical::NodePtr Lowering::Subscribed(const logical::Join& join, physical::NodePtr left) {
  auto made = std::make_shared<physical::ForeignKeySubscribe>();
  Schema schema;
  for (const BoundExprPtr& key : join.foreign_key) {
    schema.columns.push_back({"FOREIGN_KEY" + std::to_string(schema.size() + 1), key->type, true});
  }
  for (ColumnSchema column : left->schema->columns) {
    column.is_key = false;
    schema.columns.push_back(std::move(column));
  }
  made->schema = MessageSchema(schema);
  made->inputs = {std::move(left)};
  made->foreign_key = join.foreign_key;
  made->key_columns = join.key_columns;
  made->stores.emplace_back().name = join.store_names[2];
  return Sent(Number(std::move(made)), static_cast<int>(join.foreign_key.size()),
              join.subscriptions, logical::TraitsOf(*join.inputs[1]).partitioning);
}

/// Their answers where the left rows' keys are, as a table.
physical::NodePtr Lowering::Answered(const logical::Join& join, physical::NodePtr answers) {
  auto made = std::make_shared<physical::ForeignKeyAnswers>();
  made->inputs = {Sent(std::move(answers), join.key_columns, join.answers,
                       logical::TraitsOf(*join.inputs[0]).partitioning)};
  made->schema = join.schema;
  made->mode = ChangeMode::kUpsert;
  made->key_columns = join.key_columns;
  made->stores.emplace_back().name = join.store_names[3];
  return Number(std::move(made));
}

Result<physical::NodePtr> Lowering::LowerJoin(const logical::NodePtr& node, bool retract) {
  const auto& join = node->As<logical::Join>();
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr left, LowerInput(*node, 0, false));
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr right, LowerInput(*node, 1, false));
  std::vector<physical::NodePtr> inputs = {std::move(left), std::move(right)};
  const auto fill = [&](auto& made) {
    made.join = join.join;
    made.left_columns = join.left_columns;
    made.right_columns = join.right_columns;
    made.condition = join.condition;
    made.mode = join.is_table ? ChangeMode::kUpsert : ChangeMode::kAppend;
  };
  physical::NodePtr result;
  switch (join.sides) {
    case JoinSides::kStreamStream: {
      auto made = Start<physical::StreamStreamJoin>(*node, std::move(inputs));
      fill(*made);
      made->key_columns = join.key_columns;
      made->before_ms = join.before_ms;
      made->after_ms = join.after_ms;
      made->grace_ms = join.grace_ms;
      made->has_grace = join.has_grace;
      result = made;
      break;
    }
    case JoinSides::kStreamTable: {
      auto made = Start<physical::StreamTableJoin>(*node, std::move(inputs));
      fill(*made);
      made->key_columns = join.key_columns;
      result = made;
      break;
    }
    case JoinSides::kTableTable: {
      auto made = Start<physical::TableTableJoin>(*node, std::move(inputs));
      fill(*made);
      made->key_columns = join.key_columns;
      result = made;
      break;
    }
    case JoinSides::kBounded: {
      auto made = Start<physical::BoundedJoin>(*node, std::move(inputs));
      fill(*made);
      made->key_columns = join.key_columns;
      result = made;
      break;
    }
    case JoinSides::kForeignKey: {
      if (join.spread) inputs[0] = Subscribed(join, std::move(inputs[0]));
      auto made = Start<physical::ForeignKeyJoin>(*node, std::move(inputs));
      fill(*made);
      made->left_key_columns = join.key_columns;
      made->foreign_key = join.foreign_key;
      made->spread = join.spread;
      if (!join.spread) {
        result = made;
        break;
      }
      made->mode = ChangeMode::kAppend;
      made->stores.resize(2);
      made->schema = MessageSchema(*join.schema);
      result = Answered(join, std::move(made));
      break;
    }
  }
  return Retracting(std::move(result), join, retract);
}

/// Retention of the windows that a result keeps, or -1.
int64_t WindowRetention(const logical::Node& node) {
  if (node.kind == logical::NodeKind::kAggregate) {
    const physical::WindowSpec& window = node.As<logical::Aggregate>().window;
    return window.kind == physical::WindowKind::kNone ? -1 : window.retention_ms;
  }
  if (node.kind != logical::NodeKind::kProject && node.kind != logical::NodeKind::kFilter) {
    return -1;
  }
  return WindowRetention(*node.inputs[0]);
}

Result<physical::NodePtr> Lowering::LowerSink(const logical::NodePtr& node) {
  const auto& sink = node->As<logical::Sink>();
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, false));
  if (sink.topic.empty()) {
    return physical::NodePtr(Start<physical::ClientSink>(*node, {std::move(input)}));
  }
  auto made = Start<physical::TopicSink>(*node, {std::move(input)});
  made->sink_name = sink.name;
  made->topic = sink.topic;
  made->partitions = sink.partitions;
  made->key_format = sink.key_format;
  made->value_format = sink.value_format;
  made->passes_keys = sink.passes_keys;
  made->time_column = sink.time_column;
  made->time_format = sink.time_format;
  made->is_table = sink.is_table;
  made->view_retention_ms = WindowRetention(*node->inputs[0]);
  made->connector = sink.connector;
  return physical::NodePtr(made);
}

Result<physical::NodePtr> Lowering::Lower(const logical::NodePtr& node, bool retract) {
  switch (node->kind) {
    case logical::NodeKind::kSource: return LowerSource(node->As<logical::Source>(), retract);
    case logical::NodeKind::kFilter: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, retract));
      auto made = Start<physical::Filter>(*node, {std::move(input)});
      made->predicate = node->As<logical::Filter>().predicate;
      made->is_having = node->As<logical::Filter>().is_having;
      return physical::NodePtr(made);
    }
    case logical::NodeKind::kProject: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, retract));
      auto made = Start<physical::Project>(*node, {std::move(input)});
      made->exprs = node->As<logical::Project>().exprs;
      return physical::NodePtr(made);
    }
    case logical::NodeKind::kFlatMap: return LowerFlatMap(node);
    case logical::NodeKind::kRepartition: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, retract));
      return physical::NodePtr(Exchanged(node, std::move(input)));
    }
    case logical::NodeKind::kAggregate: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr made, LowerAggregate(node));
      return Retracting(std::move(made), *node, retract);
    }
    case logical::NodeKind::kJoin: return LowerJoin(node, retract);
    case logical::NodeKind::kLimit: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, retract));
      auto made = Start<physical::Limit>(*node, {std::move(input)});
      made->rows = node->As<logical::Limit>().rows;
      made->offset = node->As<logical::Limit>().offset;
      made->one_row = node->As<logical::Limit>().one_row;
      return physical::NodePtr(made);
    }
    case logical::NodeKind::kUnionAll: {
      std::vector<physical::NodePtr> inputs;
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, i, false));
        inputs.push_back(std::move(input));
      }
      return physical::NodePtr(Start<physical::UnionAll>(*node, std::move(inputs)));
    }
    case logical::NodeKind::kLatestRows: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, false));
      return physical::NodePtr(Start<physical::LatestRows>(*node, {std::move(input)}));
    }
    case logical::NodeKind::kSort: {
      WEIR_ASSIGN_OR_RETURN(physical::NodePtr input, LowerInput(*node, 0, false));
      auto made = Start<physical::Sort>(*node, {std::move(input)});
      made->keys = node->As<logical::Sort>().keys;
      made->limit = node->As<logical::Sort>().limit;
      made->offset = node->As<logical::Sort>().offset;
      return physical::NodePtr(made);
    }
    case logical::NodeKind::kSink: return LowerSink(node);
  }
  return Status(ErrorCode::kInternal, "logical node of an unknown kind");
}

}  // namespace

Result<physical::NodePtr> LowerPlan(const logical::NodePtr& plan, const std::string& query_id) {
  Lowering lowering(query_id);
  WEIR_ASSIGN_OR_RETURN(physical::NodePtr root, lowering.Lower(plan, false));
  lowering.DeclareAllStores();
  return root;
}

uint64_t StableHash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return hash;
}

}  // namespace weir
