#include "exec/engine/pull_query.h"

#include <algorithm>
#include <numeric>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/compare.h"
#include "exec/operators/operators.h"
#include "exec/runtime/query_environment.h"
#include "exec/runtime/task_context.h"

namespace weir {
namespace {

// Rows whose window starts and ends within the plan's bounds.
void KeepWindows(const PullQueryPlan& plan, Chunk& chunk) {
  const ColumnPtr& starts = chunk.sys(SystemColumn::kWindowStart);
  const ColumnPtr& ends = chunk.sys(SystemColumn::kWindowEnd);
  if (starts == nullptr || ends == nullptr) return;
  Selection kept;
  auto within = [](int64_t value, const std::optional<int64_t>& low,
                   const std::optional<int64_t>& high) {
    return (!low || value >= *low) && (!high || value <= *high);
  };
  auto consider = [&](int32_t row) {
    if (within(starts->values<int64_t>()[row], plan.window_start_min, plan.window_start_max) &&
        within(ends->values<int64_t>()[row], plan.window_end_min, plan.window_end_max)) {
      kept.push_back(row);
    }
  };
  if (chunk.selection) {
    for (int32_t row : *chunk.selection) consider(row);
  } else {
    for (int32_t row = 0; row < chunk.rows; ++row) consider(row);
  }
  chunk.selection = std::make_shared<const Selection>(std::move(kept));
}

// Rows that are kept, at least, before the first of them are looked for.
constexpr int64_t kCandidatesMin = 65536;

// All rows of chunks of one schema, which have no selection.
Chunk ConcatChunks(const std::vector<Chunk>& chunks) {
  if (chunks.size() == 1) return chunks[0];
  const auto concat = [&](auto column_of) {
    std::vector<ColumnPtr> parts;
    for (const Chunk& chunk : chunks) {
      if (column_of(chunk) == nullptr) return ColumnPtr();
      parts.push_back(column_of(chunk));
    }
    return Concat(parts);
  };
  Chunk all;
  for (const Chunk& chunk : chunks) all.rows += chunk.rows;
  for (size_t i = 0; i < chunks[0].columns.size(); ++i) {
    all.columns.push_back(concat([&](const Chunk& chunk) { return chunk.columns[i]; }));
  }
  for (size_t i = 0; i < all.system.size(); ++i) {
    all.system[i] = concat([&](const Chunk& chunk) { return chunk.system[i]; });
  }
  return all;
}

// By key, then by the window's start. Structs and maps have no order.
bool ComesBefore(const Chunk& chunk, int key_columns, int32_t a, int32_t b) {
  for (int i = 0; i < key_columns; ++i) {
    const Column& column = *chunk.columns[i];
    if (column.type().is(TypeKind::kStruct) || column.type().is(TypeKind::kMap)) continue;
    if (const int order = CompareAt(column, a, column, b); order != 0) return order < 0;
  }
  const ColumnPtr& starts = chunk.sys(SystemColumn::kWindowStart);
  return starts != nullptr && CompareAt(*starts, a, *starts, b) < 0;
}

}  // namespace

Status PullRows::Compile() {
  if (compiled_) return OkStatus();
  compiled_ = true;
  if (plan_.filter != nullptr) {
    WEIR_ASSIGN_OR_RETURN(filter_, CompileExprs(std::span(&plan_.filter, 1)));
  }
  WEIR_ASSIGN_OR_RETURN(exprs_, CompileExprs(plan_.exprs));
  return OkStatus();
}

Status PullRows::AddFromView(MaterializedView& view) {
  if (limit_reached_) return OkStatus();
  auto add = [&](Chunk chunk) { return Add(std::move(chunk)); };
  if (plan_.keys.empty()) return view.Scan(add);
  for (const PullQueryPlan::KeyLookup& lookup : plan_.keys) {
    WEIR_RETURN_IF_ERROR(view.Lookup(lookup.key, add));
  }
  return OkStatus();
}

Status PullRows::Add(Chunk chunk) {
  if (limit_reached_) return OkStatus();
  WEIR_RETURN_IF_ERROR(Compile());
  KeepWindows(plan_, chunk);
  EvalContext context;
  if (filter_ != nullptr) {
    Selection selected;
    WEIR_RETURN_IF_ERROR(EvaluatePredicate(*filter_, chunk, context, selected));
    chunk.selection = std::make_shared<const Selection>(std::move(selected));
  }
  chunk = Flatten(std::move(chunk));
  if (plan_.limit && plan_.is_table) {
    if (chunk.rows == 0) return OkStatus();
    candidate_rows_ += chunk.rows;
    candidates_.push_back(std::move(chunk));
    if (candidate_rows_ / 2 - kCandidatesMin > *plan_.limit) KeepFirst();
    return OkStatus();
  }
  if (plan_.limit && rows_ + chunk.rows >= *plan_.limit) {
    limit_reached_ = true;
    Selection first(static_cast<size_t>(*plan_.limit - rows_));
    for (size_t i = 0; i < first.size(); ++i) first[i] = static_cast<int32_t>(i);
    chunk = GatherChunk(chunk, first);
  }
  return AddBatch(chunk);
}

Status PullRows::AddBatch(const Chunk& chunk) {
  if (chunk.rows == 0) return OkStatus();
  rows_ += chunk.rows;
  EvalContext context;
  std::vector<ColumnPtr> columns;
  WEIR_RETURN_IF_ERROR(exprs_->Evaluate(chunk, context, columns));
  for (ColumnPtr& column : columns) column = Prefix(column, chunk.rows);
  batches_.emplace_back(plan_.schema, std::move(columns), chunk.rows);
  return OkStatus();
}

// Puts the candidates into one chunk of the first rows by key, at most as many as the limit.
void PullRows::KeepFirst() {
  if (candidates_.empty()) return;
  const Chunk all = ConcatChunks(candidates_);
  Selection rows(static_cast<size_t>(all.rows));
  std::iota(rows.begin(), rows.end(), 0);
  const auto kept = rows.begin() + std::min<int64_t>(*plan_.limit, all.rows);
  std::partial_sort(rows.begin(), kept, rows.end(), [&](int32_t a, int32_t b) {
    return ComesBefore(all, plan_.key_columns, a, b);
  });
  rows.erase(kept, rows.end());
  candidates_.assign(1, GatherChunk(all, rows));
  candidate_rows_ = static_cast<int64_t>(rows.size());
}

Result<std::vector<Batch>> PullRows::Finish() {
  KeepFirst();
  for (const Chunk& chunk : candidates_) WEIR_RETURN_IF_ERROR(AddBatch(chunk));
  if (plan_.limit && plan_.is_table) limit_reached_ = rows_ >= *plan_.limit;
  if (plan_.limit && *plan_.limit == 0) limit_reached_ = true;
  return std::move(batches_);
}

Status ReadStreamToEnd(const PullQueryPlan& plan, const std::shared_ptr<Broker>& broker,
                       const Clock& clock, PullRows& rows) {
  auto node = std::static_pointer_cast<const physical::TopicSource>(plan.stream_source);
  // A little query of one source, so that decoding, counting and time are those of any other.
  QueryEnvironment env;
  env.id = "pull";
  env.broker = broker;
  env.clock = &clock;
  env.root_ids = {"pull"};
  env.counters = {std::make_shared<QueryCounterSet>()};
  env.commit = broker->NewCommitUnit(env.id);
  env.stages.sources.push_back({node, {}, 1});
  RootContext context(env, 0, 0, nullptr);
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<SourceDecoder> decoder, MakeSourceDecoder(*node));

  std::unique_ptr<ReadSession> session;
  std::vector<int64_t> ends;
  if (node->connector.empty()) {
    WEIR_ASSIGN_OR_RETURN(session, broker->OpenReadSession("pull"));
    WEIR_ASSIGN_OR_RETURN(ends, broker->EndOffsets(node->topic));
  } else {
    ConnectorSpec spec{node->source_name, node->connector, {}};
    for (const auto& column : node->columns) {
      spec.columns.push_back({column.name, column.type, column.is_key});
    }
    WEIR_ASSIGN_OR_RETURN(ConnectorSource connector, OpenConnectorSource(spec));
    session = std::move(connector.session);
    ends.assign(connector.partitions, -1);
  }
  RecordBatch batch;
  for (size_t partition = 0; partition < ends.size() && !rows.limit_reached(); ++partition) {
    WEIR_ASSIGN_OR_RETURN(auto reader,
                          session->Open(node->topic, static_cast<int32_t>(partition), {}));
    if (reader->endless()) {
      return Status(ErrorCode::kEndlessSource, "a pull query cannot read a source that never ends")
          .WithHint("add EMIT CHANGES");
    }
    while (!rows.limit_reached() &&
           (ends[partition] >= 0 ? reader->position() < ends[partition] : !reader->caught_up())) {
      WEIR_RETURN_IF_ERROR(reader->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch));
      if (batch.size() == 0) continue;
      Chunk chunk;
      WEIR_RETURN_IF_ERROR(decoder->Decode(batch, 0, context, chunk));
      if (chunk.active_rows() > 0) WEIR_RETURN_IF_ERROR(rows.Add(std::move(chunk)));
    }
  }
  return OkStatus();
}

}  // namespace weir
