#include "exec/runtime/stage_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

bool SameReading(const physical::TopicSource& a, const physical::TopicSource& b) {
  // Those that look keys up read other rows each.
  return a.origin == b.origin && a.kept_by == b.kept_by && a.lookups.empty() && b.lookups.empty() &&
         a.topic == b.topic && a.source_name == b.source_name && a.connector == b.connector &&
         a.start == b.start && a.start_timestamp_ms == b.start_timestamp_ms &&
         a.start_offsets == b.start_offsets && a.columns.size() == b.columns.size();
}

// Adds to `merged` every column and system column that `other` reads.
void MergeInto(physical::TopicSource& merged, const physical::TopicSource& other) {
  Schema schema = *merged.schema;
  for (size_t i = 0; i < merged.columns.size(); ++i) {
    if (merged.columns[i].output_index >= 0 || other.columns[i].output_index < 0) continue;
    merged.columns[i].output_index = schema.size();
    schema.columns.push_back(other.schema->columns[other.columns[i].output_index]);
  }
  merged.schema = std::make_shared<const Schema>(std::move(schema));
  merged.needs_partition |= other.needs_partition;
  merged.needs_offset |= other.needs_offset;
  merged.needs_headers |= other.needs_headers;
}

std::vector<int> MapColumns(const physical::TopicSource& merged,
                            const physical::TopicSource& node) {
  std::vector<int> map(node.schema->size());
  for (size_t i = 0; i < node.columns.size(); ++i) {
    if (node.columns[i].output_index < 0) continue;
    map[node.columns[i].output_index] = merged.columns[i].output_index;
  }
  return map;
}

// Walks plans and groups what must run in one task: a union-find over provisional stages.
class Cutter {
 public:
  explicit Cutter(QueryStages& out) : out_(out) {}

  void VisitRoot(const physical::NodePtr& root, int query_root) {
    const int stage = Visit(root, query_root);
    roots_.push_back({stage, {root, query_root}});
  }

  // Numbers stages upstream first and fills `out_`.
  Status Finish(const CountOfPartitions& partitions_of);

 private:
  int NewStage() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int Find(int stage) {
    while (parent_[stage] != stage) stage = parent_[stage] = parent_[parent_[stage]];
    return stage;
  }
  int Join(int a, int b) {
    a = Find(a);
    b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return std::min(a, b);
  }
  int Visit(const physical::NodePtr& node, int query_root);
  int VisitSource(const std::shared_ptr<const physical::TopicSource>& node);
  void MergeSources();
  void NameInputs();
  bool Feeds(int from, int to);

  QueryStages& out_;
  std::vector<int> parent_;
  std::vector<int> source_stage_;
  std::vector<std::pair<int, StageRoot>> roots_;
};

int Cutter::VisitSource(const std::shared_ptr<const physical::TopicSource>& node) {
  out_.sources.push_back({node, {{node.get(), {}}}, 0, node->source_name});
  source_stage_.push_back(NewStage());
  return source_stage_.back();
}

// What reads the same is read once, unless rows go from the one to the other: a source that is
// joined with itself behind an exchange. A task must not feed itself.
void Cutter::MergeSources() {
  for (size_t i = 0; i < out_.sources.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!SameReading(*out_.sources[j].node, *out_.sources[i].node)) continue;
      const int a = source_stage_[j];
      const int b = source_stage_[i];
      if (Find(a) != Find(b) && (Feeds(a, b) || Feeds(b, a))) continue;
      Join(a, b);
      auto merged = std::make_shared<physical::TopicSource>(*out_.sources[j].node);
      MergeInto(*merged, *out_.sources[i].node);
      out_.sources[j].node = std::move(merged);
      out_.sources[j].consumers.push_back(out_.sources[i].consumers.front());
      out_.sources.erase(out_.sources.begin() + static_cast<std::ptrdiff_t>(i));
      source_stage_.erase(source_stage_.begin() + static_cast<std::ptrdiff_t>(i));
      i = 0;  // What could not be merged before may be in one stage now.
      break;
    }
  }
}

// Sources that stay apart are read from positions of their own.
void Cutter::NameInputs() {
  std::map<std::string, int> readings;
  for (SourcePlan& source : out_.sources) {
    const int number = ++readings[source.node->source_name];
    if (number > 1) source.input_name += '\x01' + std::to_string(number);
  }
}

// Whether rows of one stage come to another through exchanges.
bool Cutter::Feeds(int from, int to) {
  std::vector<int> reached = {Find(from)};
  for (size_t i = 0; i < reached.size(); ++i) {
    for (const ExchangePlan& exchange : out_.exchanges) {
      if (Find(exchange.from_stage) != reached[i]) continue;
      const int next = Find(exchange.to_stage);
      if (next == Find(to)) return true;
      if (std::ranges::find(reached, next) == reached.end()) reached.push_back(next);
    }
  }
  return false;
}

int Cutter::Visit(const physical::NodePtr& node, int query_root) {
  if (node->kind == physical::NodeKind::kTopicSource) {
    return VisitSource(std::static_pointer_cast<const physical::TopicSource>(node));
  }
  int stage = -1;
  for (const physical::NodePtr& input : node->inputs) {
    const int below = Visit(input, query_root);
    stage = stage < 0 ? below : Join(stage, below);
  }
  if (node->kind != physical::NodeKind::kExchange) return stage;
  const int downstream = NewStage();
  roots_.push_back({stage, {node, query_root}});
  out_.exchanges.push_back(
      {std::static_pointer_cast<const physical::Exchange>(node), stage, downstream, 0});
  return downstream;
}

Status Cutter::Finish(const CountOfPartitions& partitions_of) {
  MergeSources();
  NameInputs();
  // Depth of a stage: one more than that of the deepest stage that feeds it.
  std::vector<int> depth(parent_.size(), 0);
  for (size_t pass = 0; pass < parent_.size(); ++pass) {
    for (const ExchangePlan& exchange : out_.exchanges) {
      int& below = depth[Find(exchange.to_stage)];
      below = std::max(below, depth[Find(exchange.from_stage)] + 1);
    }
  }
  std::vector<int> order;
  for (size_t i = 0; i < parent_.size(); ++i) {
    if (Find(static_cast<int>(i)) == static_cast<int>(i)) order.push_back(static_cast<int>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return depth[a] < depth[b]; });
  std::vector<int> number(parent_.size(), -1);
  for (size_t i = 0; i < order.size(); ++i) number[order[i]] = static_cast<int>(i);

  out_.stages.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) out_.stages[i].id = static_cast<int>(i);
  for (size_t i = 0; i < out_.sources.size(); ++i) {
    out_.stages[number[Find(source_stage_[i])]].sources.push_back(static_cast<int>(i));
    for (SourcePlan::Consumer& consumer : out_.sources[i].consumers) {
      consumer.columns = MapColumns(*out_.sources[i].node, *consumer.node);
    }
  }
  for (size_t i = 0; i < out_.exchanges.size(); ++i) {
    ExchangePlan& exchange = out_.exchanges[i];
    exchange.from_stage = number[Find(exchange.from_stage)];
    exchange.to_stage = number[Find(exchange.to_stage)];
    out_.stages[exchange.to_stage].exchange_inputs.push_back(static_cast<int>(i));
  }
  for (auto& [stage, root] : roots_) out_.stages[number[Find(stage)]].roots.push_back(root);
  return CountPartitions(out_, partitions_of);
}

}  // namespace

Status CountPartitions(QueryStages& stages, const CountOfPartitions& partitions_of) {
  for (SourcePlan& source : stages.sources) {
    WEIR_ASSIGN_OR_RETURN(source.partitions, partitions_of(*source.node));
  }
  for (StagePlan& stage : stages.stages) {
    const SourcePlan* first = nullptr;
    stage.partitions = 0;
    for (int index : stage.sources) {
      const SourcePlan& source = stages.sources[index];
      if (first != nullptr && source.partitions != first->partitions) {
        return Status(ErrorCode::kNotCoPartitioned,
                      fmt::format("{} and {} must have the same number of partitions to be read "
                                  "together: they have {} and {}",
                                  first->node->source_name, source.node->source_name,
                                  first->partitions, source.partitions))
            .WithHint(
                "repartition one side first: CREATE STREAM … WITH (PARTITIONS=n) AS SELECT … "
                "PARTITION BY the join column");
      }
      first = &source;
      stage.partitions = source.partitions;
    }
    for (int index : stage.exchange_inputs) {
      ExchangePlan& exchange = stages.exchanges[index];
      if (stage.partitions == 0) stage.partitions = exchange.node->partitions;
      if (stage.partitions == 0) stage.partitions = stages.stages[exchange.from_stage].partitions;
    }
    for (int index : stage.exchange_inputs) stages.exchanges[index].partitions = stage.partitions;
  }
  return OkStatus();
}

Status KeepPartitions(QueryStages& stages, const std::vector<int32_t>& before,
                      const std::function<bool(const StagePlan&)>& keeps_state) {
  if (before.size() != stages.stages.size()) return OkStatus();
  for (StagePlan& stage : stages.stages) {
    const int32_t had = before[static_cast<size_t>(stage.id)];
    if (stage.sources.empty()) {
      const ExchangePlan& first = stages.exchanges[stage.exchange_inputs.front()];
      stage.partitions = first.node->partitions > 0 ? first.node->partitions
                                                    : stages.stages[first.from_stage].partitions;
      if (had > 0) stage.partitions = had;
      for (int index : stage.exchange_inputs) stages.exchanges[index].partitions = stage.partitions;
      continue;
    }
    if (had == 0 || had == stage.partitions) continue;
    const SourcePlan& source = stages.sources[stage.sources.front()];
    // What a connector's positions mean depends on their number.
    if (keeps_state(stage) || !source.node->connector.empty()) {
      return PartitionsChanged(source, had, source.partitions);
    }
  }
  return OkStatus();
}

Status PartitionsChanged(const SourcePlan& source, int32_t had, int32_t has) {
  const bool is_topic = source.node->connector.empty();
  return Status(
      ErrorCode::kPartitionsChanged,
      fmt::format("{} {} has {} partitions now, and what the query keeps of it is for {}: {}",
                  is_topic ? "topic" : "source",
                  is_topic ? source.node->topic : source.node->source_name, has, had,
                  is_topic ? "its keys are placed anew, so no record that came since was processed"
                           : "its rows are divided anew"));
}

int QueryStages::SourceOf(const physical::Node* node) const {
  for (size_t i = 0; i < sources.size(); ++i) {
    for (const SourcePlan::Consumer& consumer : sources[i].consumers) {
      if (consumer.node == node) return static_cast<int>(i);
    }
  }
  return -1;
}

int QueryStages::ExchangeOf(const physical::Node* node) const {
  for (size_t i = 0; i < exchanges.size(); ++i) {
    if (exchanges[i].node.get() == node) return static_cast<int>(i);
  }
  return -1;
}

Result<QueryStages> CutIntoStages(const std::vector<physical::NodePtr>& roots,
                                  const CountOfPartitions& partitions_of) {
  QueryStages stages;
  Cutter cutter(stages);
  for (size_t i = 0; i < roots.size(); ++i) cutter.VisitRoot(roots[i], static_cast<int>(i));
  WEIR_RETURN_IF_ERROR(cutter.Finish(partitions_of));
  return stages;
}

}  // namespace weir
