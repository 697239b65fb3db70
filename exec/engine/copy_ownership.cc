#include "exec/engine/copy_ownership.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/engine/internal_objects.h"
#include "exec/formats/format.h"
#include "exec/formats/record_batch.h"
#include "exec/operators/operators.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/task_context.h"

namespace weir {
namespace {

// The stage that ends in the query's sink, which keeps the table.
const StagePlan* StageOfRoot(const QueryStages& stages, int query_root) {
  for (const StagePlan& stage : stages.stages) {
    for (const StageRoot& root : stage.roots) {
      if (root.query_root == query_root && root.node->kind != physical::NodeKind::kExchange) {
        return &stage;
      }
    }
  }
  return nullptr;
}

// Where the exchange in front of the stage puts such a row: asked of the very router it has.
Result<std::optional<int32_t>> PlaceByExchange(const ExchangePlan& exchange,
                                               const std::vector<Value>& key) {
  const physical::Exchange& node = *exchange.node;
  if (static_cast<size_t>(node.key_columns) != key.size()) return std::optional<int32_t>();
  QueryEnvironment env;
  env.counters = {std::make_shared<QueryCounterSet>()};
  RootContext context(env, 0, -1, nullptr);
  Chunk row;
  row.rows = 1;
  for (size_t i = 0; i < node.schema->columns.size(); ++i) {
    row.columns.push_back(
        MakeConstantColumn(node.schema->columns[i].type, i < key.size() ? key[i] : Value(), 1));
  }
  const int64_t time = 0;
  row.sys(SystemColumn::kRowTime) = MakeInt64Column(DataType::Bigint(), std::span(&time, 1));
  WEIR_ASSIGN_OR_RETURN(auto router, MakeExchangeRouter(node, exchange.partitions));
  std::vector<Chunk> parts(static_cast<size_t>(exchange.partitions));
  WEIR_RETURN_IF_ERROR(router->Route(std::move(row), context, parts));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].active_rows() > 0) return std::optional<int32_t>(static_cast<int32_t>(i));
  }
  return std::optional<int32_t>();
}

// Where whoever writes the source's topic puts such a key: as Kafka's Java client does.
Result<std::optional<int32_t>> PlaceBySource(const SourcePlan& source,
                                             const std::vector<Value>& key) {
  const physical::TopicSource& node = *source.node;
  // Whose bytes begin with a schema's id can have several: it may be in any partition.
  if (NeedsRegistry(node.key_format.format)) return std::optional<int32_t>();
  std::vector<FormatColumn> columns;
  std::vector<ColumnPtr> values;
  for (const auto& column : node.columns) {
    if (!column.is_key) continue;
    if (values.size() == key.size()) return std::optional<int32_t>();
    FormatColumn& format = columns.emplace_back();
    format.name = column.name;
    format.type = column.type;
    values.push_back(MakeConstantColumn(column.type, key[values.size()], 1));
  }
  if (values.size() != key.size()) return std::optional<int32_t>();
  const FormatSpec spec{node.key_format.format, true, node.key_format.unwrapped,
                        node.key_format.properties};
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<SideEncoder> encoder, MakeEncoder(spec, columns));
  BufferBuilder bytes;
  const int32_t row = 0;
  std::vector<Slice> slices(1);
  WEIR_RETURN_IF_ERROR(encoder->Encode(values, std::span(&row, 1), bytes, slices));
  if (slices[0].is_null()) return std::optional<int32_t>();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + slices[0].begin,
                              static_cast<size_t>(slices[0].length));
  return std::optional<int32_t>(JavaPartition(text, source.partitions));
}

// What this copy has of a stage's partitions.
struct Here {
  std::set<int32_t> running;
  std::set<int32_t> restoring;
  RestoreProgress progress;  // Of all that is restored here.
};

Here PartitionsHere(const QueryRuntime& runtime, int stage) {
  std::vector<QueryMetrics> metrics;
  runtime.FillMetrics(metrics);
  Here here;
  if (metrics.empty()) return here;
  here.progress = metrics[0].restore;
  for (const TaskMetrics& task : metrics[0].tasks) {
    if (task.sub_topology != stage || task.state == "STANDBY") continue;
    (task.state == "RESTORING" ? here.restoring : here.running).insert(task.partition);
  }
  return here;
}

std::string ProgressText(const RestoreProgress& progress) {
  const int64_t total = std::max(progress.records_to_restore, progress.records_restored);
  if (total == 0) return "it has not begun";
  const int64_t percent = 100 * progress.records_restored / total;
  std::string text =
      fmt::format("{} of {} records, {} %", progress.records_restored, total, percent);
  if (progress.records_per_second >= 1) {
    const double left = static_cast<double>(total - progress.records_restored);
    text += fmt::format(", about {:.0f} s left", left / progress.records_per_second);
  }
  return text;
}

// The error for partitions that are not served here.
Status ElsewhereError(const physical::TopicSource& table, const std::vector<int32_t>& missing,
                      const StagePlan& stage, const QueryRuntime& runtime, const Here& here,
                      Broker& broker) {
  if (std::all_of(missing.begin(), missing.end(),
                  [&](int32_t partition) { return here.restoring.contains(partition); })) {
    return Status(ErrorCode::kOtherCopy,
                  fmt::format("this copy is still restoring its part of table {}: {}",
                              table.source_name, ProgressText(here.progress)))
        .WithHint("ask again when it is there; SHOW QUERIES tells how far it is, too");
  }
  const std::string group =
      InternalPrefix(broker.application_id(), runtime.id()) + std::to_string(stage.id);
  WEIR_ASSIGN_OR_RETURN(const std::vector<GroupMember> members, broker.DescribeGroup(group));
  std::set<std::string> owners;
  for (const GroupMember& member : members) {
    for (int32_t partition : member.partitions) {
      if (std::find(missing.begin(), missing.end(), partition) == missing.end()) continue;
      if (!here.restoring.contains(partition)) owners.insert(NameOfCopy(member));
    }
  }
  if (const Status cause = runtime.error(); owners.empty() && !cause.ok()) {
    return Status(ErrorCode::kQueryFailed,
                  fmt::format("query {} does not run: {}", runtime.id(), cause.message()))
        .WithHint(cause.hint());
  }
  if (owners.empty()) {
    return Status(ErrorCode::kOtherCopy,
                  fmt::format("no copy keeps this part of table {} at the moment: partitions are "
                              "being shared out",
                              table.source_name))
        .WithHint("ask again after a moment");
  }
  const std::string who = fmt::format("{}", fmt::join(owners, ", "));
  if (!table.lookups.empty()) {
    return Status(ErrorCode::kOtherCopy, fmt::format("another copy keeps this key of table {}: {}",
                                                     table.source_name, who))
        .WithHint("ask that copy");
  }
  return Status(ErrorCode::kOtherCopy,
                fmt::format("this copy keeps {} of {} partitions of table {}, the others are kept "
                            "by: {}",
                            here.running.size(), stage.partitions, table.source_name, who))
      .WithHint("ask for single keys, or read the table's topic with EMIT CHANGES");
}

}  // namespace

Result<std::optional<int32_t>> PartitionOfKey(const QueryStages& stages, int query_root,
                                              const std::vector<Value>& key) {
  const StagePlan* stage = StageOfRoot(stages, query_root);
  if (stage == nullptr) return std::optional<int32_t>();
  if (stage->partitions == 1) return std::optional<int32_t>(0);
  if (!stage->exchange_inputs.empty()) {
    return PlaceByExchange(stages.exchanges[stage->exchange_inputs[0]], key);
  }
  if (stage->sources.empty()) return std::optional<int32_t>();
  return PlaceBySource(stages.sources[stage->sources[0]], key);
}

Status CheckThisCopyKeeps(const physical::TopicSource& table, const QueryRuntime& runtime,
                          int query_root, Broker& broker) {
  if (!runtime.shared()) return OkStatus();
  const StagePlan* stage = StageOfRoot(runtime.stages(), query_root);
  if (stage == nullptr) return OkStatus();
  const Here here = PartitionsHere(runtime, stage->id);
  if (here.running.size() == static_cast<size_t>(stage->partitions)) return OkStatus();
  std::set<int32_t> needed;
  bool all = table.lookups.empty();
  for (const std::vector<Value>& key : table.lookups) {
    WEIR_ASSIGN_OR_RETURN(const std::optional<int32_t> partition,
                          PartitionOfKey(runtime.stages(), query_root, key));
    if (partition) needed.insert(*partition);
    all |= !partition;
  }
  for (int32_t i = 0; all && i < stage->partitions; ++i) needed.insert(i);
  std::vector<int32_t> missing;
  std::set_difference(needed.begin(), needed.end(), here.running.begin(), here.running.end(),
                      std::back_inserter(missing));
  if (missing.empty()) return OkStatus();
  return ElsewhereError(table, missing, *stage, runtime, here, broker);
}

}  // namespace weir
