#include "exec/runtime/task/operator_tree.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "exec/operators/edge_check.h"
#include "exec/runtime/exchange/exchange_output.h"

namespace weir {
namespace {

// Lateness is judged by stream time in front of these.
bool IsWindowed(const physical::Node& node) {
  if (node.kind == physical::NodeKind::kStreamStreamJoin) return true;
  return node.kind == physical::NodeKind::kStreamAggregate &&
         static_cast<const physical::StreamAggregate&>(node).window.kind !=
             physical::WindowKind::kNone;
}

// Of the rows that a windowed node takes.
int KeyColumns(const physical::Node& node) {
  return node.kind == physical::NodeKind::kStreamStreamJoin
             ? static_cast<const physical::StreamStreamJoin&>(node).key_columns
             : static_cast<const physical::StreamAggregate&>(node).key_columns;
}

// Stores of stream times that a node has for the inputs in front of this one.
size_t StreamTimesBefore(const physical::Node& node, int port) {
  return static_cast<size_t>(std::count_if(
      node.inputs.begin(), node.inputs.begin() + port,
      [](const auto& input) { return input->kind != physical::NodeKind::kExchange; }));
}

}  // namespace

Status OperatorTree::Build(QueryEnvironment& environment, const StagePlan& stage, int32_t partition,
                           TaskJournal& journal,
                           std::vector<std::unique_ptr<RootContext>>& contexts) {
  env_ = &environment;
  partition_ = partition;
  source_entries_.resize(environment.stages.sources.size());
  exchange_entries_.resize(environment.stages.exchanges.size());
  for (const StageRoot& root : stage.roots) {
    contexts.push_back(
        std::make_unique<RootContext>(environment, root.query_root, partition, &journal));
    context_ = contexts.back().get();
    if (root.node->kind == physical::NodeKind::kExchange) {
      const int exchange = environment.stages.ExchangeOf(root.node.get());
      WEIR_ASSIGN_OR_RETURN(auto router,
                            MakeExchangeRouter(static_cast<const physical::Exchange&>(*root.node),
                                               environment.stages.exchanges[exchange].partitions));
      Operator* output = Adopt(
          MakeExchangeOutput(*environment.exchanges[exchange], partition, std::move(router)), {});
      WEIR_RETURN_IF_ERROR(Connect(root.node->inputs[0], output, 0, -1, false, *root.node));
      continue;
    }
    WEIR_RETURN_IF_ERROR(BuildNode(*root.node, {}, false));
  }
  // Consumers open before what feeds them.
  for (size_t i = 0; i < operators_.size(); ++i) {
    WEIR_RETURN_IF_ERROR(operators_[i]->Open(*operator_contexts_[i]));
  }
  return OkStatus();
}

Operator* OperatorTree::Adopt(std::unique_ptr<Operator> op, Emitter out) {
  op->set_output(out);
  operators_.push_back(std::move(op));
  operator_contexts_.push_back(context_);
  return operators_.back().get();
}

// Tables that a query makes can be read by pull queries: their rows pass a view before the topic.
Status OperatorTree::AddView(const MaterializedViewOptions& options, Emitter* out) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Operator> view, MakeMaterializedView(options));
  *out = Emitter(Adopt(std::move(view), *out), 0);
  return OkStatus();
}

Status OperatorTree::BuildNode(const physical::Node& node, Emitter out, bool join_table) {
  const std::optional<MaterializedViewOptions> view = ViewOf(node);
  if (view && node.kind == physical::NodeKind::kClientSink) {
    WEIR_RETURN_IF_ERROR(AddView(*view, &out));
    return Connect(node.inputs[0], out.next(), 0, -1, false, node);
  }
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Operator> made, MakeOperator(node));
  Operator* op = Adopt(std::move(made), out);
  if (view) {
    Emitter into(op, 0);
    WEIR_RETURN_IF_ERROR(AddView(*view, &into));
    op = into.next();
  }
  const bool joins_streams = node.kind == physical::NodeKind::kStreamStreamJoin;
  if (joins_streams) stream_joins_.push_back(op);
  const bool has_sides = node.inputs.size() > 1;
  // What tables come to does not depend on the order in which their rows came, nor does a join or a
  // union of inputs that end.
  const bool joins_tables = node.kind == physical::NodeKind::kTableTableJoin ||
                            node.kind == physical::NodeKind::kForeignKeyJoin ||
                            node.kind == physical::NodeKind::kBoundedJoin ||
                            node.kind == physical::NodeKind::kUnionAll;
  takes_slices_ &= !has_sides || joins_tables || (joins_streams && !behind_sides_);
  const bool outer = std::exchange(behind_sides_, behind_sides_ || has_sides);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool table_side =
        join_table || (node.kind == physical::NodeKind::kStreamTableJoin && i == 1);
    const int tracked_keys = IsWindowed(node) ? KeyColumns(node) : -1;
    WEIR_RETURN_IF_ERROR(
        Connect(node.inputs[i], op, static_cast<int>(i), tracked_keys, table_side, node));
  }
  behind_sides_ = outer;
  return OkStatus();
}

Status OperatorTree::Connect(const physical::NodePtr& input, Operator* target, int port,
                             int tracked_keys, bool join_table, const physical::Node& consumer) {
  if (input->kind == physical::NodeKind::kExchange) {
    exchange_entries_[env_->stages.ExchangeOf(input.get())].push_back(
        {target, port, {}, true, join_table});
    return OkStatus();
  }
  Emitter out(target, port);
  const bool track_time = tracked_keys >= 0;
  if (track_time) {
    const std::string& store =
        consumer.StoreName(physical::StoreKind::kStreamTime, StreamTimesBefore(consumer, port));
    out = Emitter(Adopt(MakeStreamTimeTracker(store, port, tracked_keys), out), 0);
  }
  if (input->kind != physical::NodeKind::kTopicSource) {
    if (context_->setting("test.check.edges", 0) != 0) {
      out = Emitter(Adopt(MakeEdgeCheck(*input), out), 0);
    }
    return BuildNode(*input, out, join_table);
  }

  const int source = env_->stages.SourceOf(input.get());
  const SourcePlan& plan = env_->stages.sources[source];
  EntryPoint entry{out.next(), track_time ? 0 : port, {}, false, join_table};
  for (const SourcePlan::Consumer& consumer : plan.consumers) {
    if (consumer.node == input.get()) entry.columns = consumer.columns;
  }
  entry.identity = static_cast<int>(entry.columns.size()) == plan.node->schema->size();
  for (size_t i = 0; i < entry.columns.size(); ++i) {
    entry.identity &= entry.columns[i] == static_cast<int>(i);
  }
  entry.query_root = context_->query_root();
  for (const EntryPoint& other : source_entries_[source]) {
    has_source_twice_ |= other.query_root == entry.query_root;
  }
  source_entries_[source].push_back(std::move(entry));
  return OkStatus();
}

Status OperatorTree::EndSlice() {
  // Those of the stage's sources first, as what they give may go to another.
  for (size_t i = stream_joins_.size(); i-- > 0;) {
    WEIR_RETURN_IF_ERROR(stream_joins_[i]->EmitPending());
  }
  return OkStatus();
}

}  // namespace weir
