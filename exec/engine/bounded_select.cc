// SELECT without EMIT: what there is now, of topics, files and the tables that queries keep.

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/engine/bounded_cursor.h"
#include "exec/engine/copy_ownership.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/statement_notices.h"

namespace weir {
namespace {

using Origin = physical::TopicSource::Origin;
using SteadyTime = std::chrono::steady_clock::time_point;

// A table that is read from the query that keeps it.
struct KeptTable {
  size_t source = 0;  // Of the bounded query.
  std::shared_ptr<QueryRuntime> keeper;
  int root = 0;  // Of the keeper.
};

// Looks whether a query has caught up with a short, growing pause: its commits wake nobody else.
class CatchUpPause {
 public:
  void Wait() {
    constexpr int kMicrosMax = 2000;
    std::this_thread::sleep_for(std::chrono::microseconds(micros_));
    micros_ = std::min(micros_ * 2, kMicrosMax);
  }

 private:
  int micros_ = 50;
};

bool Runs(const QueryRuntime& query) {
  const QueryRuntime::State state = query.state();
  return state != QueryRuntime::State::kError && state != QueryRuntime::State::kPaused &&
         query.CheckNotStopped().ok();
}

// Waits until `query` has committed what its sources hold now. False if that has not come about by
// `deadline`, or cannot be told: what is there can be read without a broker too. A query that does
// not run is not waited for.
bool CatchUp(QueryRuntime& query, Broker& broker, SteadyTime deadline,
             const std::atomic<bool>& cancelled) {
  const std::vector<SourcePlan>& sources = query.stages().sources;
  std::vector<std::vector<int64_t>> ends(sources.size());
  bool reads_connector = false;
  for (size_t i = 0; i < sources.size(); ++i) {
    reads_connector |= !sources[i].node->connector.empty();
    if (!sources[i].node->connector.empty()) continue;
    Result<std::vector<int64_t>> now = broker.EndOffsets(sources[i].node->topic);
    if (!now.ok()) return false;
    ends[i] = std::move(*now);
  }
  // What never ends is never read up.
  const bool drains = reads_connector && !query.endless();
  CatchUpPause pause;
  while (!cancelled && Runs(query)) {
    bool done = query.started() && (!drains || query.drained_since_commit());
    for (size_t i = 0; i < sources.size() && done; ++i) {
      if (ends[i].empty()) continue;
      const Result<bool> past = query.CommittedPast(static_cast<int>(i), ends[i]);
      if (!past.ok()) return false;
      done = *past;
    }
    if (done) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    pause.Wait();
  }
  return true;
}

// Where the columns of `node` stand in its source.
std::vector<int> ColumnsRead(const physical::TopicSource& node) {
  std::vector<int> columns(static_cast<size_t>(node.schema->size()));
  for (size_t i = 0; i < node.columns.size(); ++i) {
    if (node.columns[i].output_index >= 0) {
      columns[static_cast<size_t>(node.columns[i].output_index)] = static_cast<int>(i);
    }
  }
  return columns;
}

// Reads a kept table, a chunk at a time.
class KeptRows {
 public:
  KeptRows(const physical::TopicSource& node, std::vector<ViewReader> views)
      : lookups_(node.lookups), columns_(ColumnsRead(node)), views_(std::move(views)) {}

  Result<std::optional<Chunk>> Next() {
    while (found_.empty()) {
      if (view_ == views_.size()) return std::optional<Chunk>();
      if (lookups_.empty()) {
        WEIR_ASSIGN_OR_RETURN(std::optional<Chunk> rows, views_[view_].Next(columns_));
        if (rows) return rows;
      }
      for (const std::vector<Value>& key : lookups_) {
        WEIR_RETURN_IF_ERROR(views_[view_].Lookup(key, columns_, [this](Chunk rows) {
          found_.push_back(std::move(rows));
          return OkStatus();
        }));
      }
      ++view_;
    }
    std::optional<Chunk> rows(std::move(found_.front()));
    found_.pop_front();
    return rows;
  }

 private:
  const std::vector<std::vector<Value>> lookups_;
  const std::vector<int> columns_;
  std::vector<ViewReader> views_;
  size_t view_ = 0;
  std::deque<Chunk> found_;
};

// `state`: as of one moment for all tables of a query.
Result<RowSupply> ReadKept(const physical::TopicSource& node, const KeptTable& table,
                           const std::shared_ptr<const StateReader>& state) {
  WEIR_ASSIGN_OR_RETURN(std::vector<ViewReader> views, table.keeper->ReadViews(table.root, state));
  return RowSupply(
      [rows = std::make_shared<KeptRows>(node, std::move(views))] { return rows->Next(); });
}

Chunk OneRow(int64_t now_ms) {
  Chunk row;
  row.rows = 1;
  row.sys(SystemColumn::kRowTime) = MakeInt64Column(DataType::Bigint(), std::span(&now_ms, 1));
  return row;
}

}  // namespace

// The query that keeps the rows of a table, or nothing.
std::string EngineImpl::KeeperOf(const SourceEntry& table) const {
  if (!table.is_materialized) return {};
  std::string id =
      table.created_by_query.empty() ? fmt::format("CST_{}", table.name) : table.created_by_query;
  const RunningQuery* query = FindRunning(id);
  if (query == nullptr) return {};
  // A query that was paused before it ran holds nothing: its topic has what it had made.
  const bool never_ran =
      query->runtime->state() == QueryRuntime::State::kPaused && !query->runtime->started();
  return never_ran ? std::string() : id;
}

// The queries that make what is in a source, those first that others read from.
void EngineImpl::CollectMakers(const std::string& source,
                               std::vector<std::shared_ptr<QueryRuntime>>& makers) const {
  const auto add = [&](const RunningQuery* query) {
    if (query == nullptr) return;
    if (std::ranges::find(makers, query->runtime) != makers.end()) return;
    makers.push_back(query->runtime);
  };
  for (const QueryEntry* query : catalog_.QueriesWriting(source)) {
    const RunningQuery* running = FindRunning(query->id);
    if (running == nullptr || std::ranges::find(makers, running->runtime) != makers.end()) continue;
    // Noted before what it reads, so that queries which feed each other end.
    makers.push_back(running->runtime);
    const size_t own = makers.size() - 1;
    for (const std::string& read : query->reads) CollectMakers(read, makers);
    std::rotate(makers.begin() + static_cast<ptrdiff_t>(own),
                makers.begin() + static_cast<ptrdiff_t>(own) + 1, makers.end());
  }
  const SourceEntry* entry = catalog_.FindSource(source);
  if (entry != nullptr && entry->is_table) add(FindRunning(KeeperOf(*entry)));
}

Result<std::unique_ptr<Cursor>> EngineImpl::OpenPullQuery(const ast::Statement& statement) {
  WEIR_ASSIGN_OR_RETURN(const PullQueryPlan plan, PlanPullQuery(statement, MakePlannerContext()));
  for (const std::string& notice : NoticesOf(*plan.root)) Log(LogLevel::kWarning, notice);
  last_pull_read_stream_ = !plan.is_table;
  auto cursor = std::make_unique<BoundedCursor>(plan.schema, plan.limit);
  QueryRuntimeOptions options = TransientOptions(plan.root);
  options.bounded = true;
  options.receiver = cursor.get();
  options.on_wake = [raw = cursor.get()] { raw->Wake(); };
  // A SELECT that needs too much fails itself, not the query that has the largest state.
  options.memory_used = &select_memory_used_;
  options.memory_of_others = &memory_used_;
  WEIR_ASSIGN_OR_RETURN(std::shared_ptr<QueryRuntime> runtime,
                        QueryRuntime::Make(std::move(options)));
  if (runtime->endless()) {
    return Status(ErrorCode::kEndlessSource,
                  fmt::format("this SELECT would not end: {} never ends by itself",
                              fmt::join(plan.reads, ", ")))
        .At(plan.from)
        .WithHint(
            "add EMIT CHANGES to follow it; a generator ends with ROWS, a file without "
            "FOLLOW");
  }
  std::vector<KeptTable> tables;
  for (size_t i = 0; i < runtime->stages().sources.size(); ++i) {
    const physical::TopicSource& node = *runtime->stages().sources[i].node;
    if (node.origin != Origin::kKeptTable) continue;
    const RunningQuery* query = FindRunning(node.kept_by);
    const auto& roots = query->runtime->root_ids();
    const auto root = std::ranges::find(roots, node.kept_by) - roots.begin();
    tables.push_back({i, query->runtime, static_cast<int>(root)});
  }
  const auto check_kept_here = [tables, broker = broker_, position = statement.position](
                                   const QueryRuntime& query) -> Status {
    for (const KeptTable& table : tables) {
      Status kept = CheckThisCopyKeeps(*query.stages().sources[table.source].node, *table.keeper,
                                       table.root, *broker);
      if (!kept.ok()) return std::move(kept).At(position);
    }
    return OkStatus();
  };
  WEIR_RETURN_IF_ERROR(check_kept_here(*runtime));
  std::vector<std::shared_ptr<QueryRuntime>> makers;
  const int64_t wait_ms = settings_.Number("query.pull.wait.ms");
  if (!manual_ && wait_ms > 0) {
    for (const std::string& source : plan.reads) CollectMakers(source, makers);
  }
  // Copies that share the work are not waited for: each would have to be asked.
  std::erase_if(makers, [](const auto& query) { return query->shared(); });
  const auto catch_up = [this, makers, broker = broker_,
                         wait_ms](const std::atomic<bool>& cancelled) {
    const SteadyTime deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    for (const auto& query : makers) {
      if (CatchUp(*query, *broker, deadline, cancelled)) continue;
      Log(LogLevel::kWarning,
          fmt::format("query {} is behind its sources: this SELECT does not see all of their "
                      "records yet",
                      query->id()));
    }
  };
  const auto open = [this, tables, catch_up, check_kept_here, raw = runtime.get(),
                     broker = broker_](const std::atomic<bool>& cancelled) -> Status {
    if (raw->state() == QueryRuntime::State::kError) return raw->error();
    catch_up(cancelled);
    if (cancelled) return Status(ErrorCode::kCancelled, "the query was cancelled");
    const std::vector<SourcePlan>& sources = raw->stages().sources;
    std::vector<RowSupply> given(sources.size());
    const std::shared_ptr<const StateReader> state = broker->state().Snapshot();
    for (const KeptTable& table : tables) {
      WEIR_ASSIGN_OR_RETURN(given[table.source],
                            ReadKept(*sources[table.source].node, table, state));
    }
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].node->origin != Origin::kOneRow) continue;
      given[i] = [row = std::optional<Chunk>(OneRow(clock_->NowMs()))]() mutable {
        return Result<std::optional<Chunk>>(std::exchange(row, std::nullopt));
      };
    }
    WEIR_RETURN_IF_ERROR(check_kept_here(*raw));
    return raw->OpenBounded(std::move(given));
  };
  prepared_ = nullptr;
  if (tables.size() == 1 && !plan.limit && !tables[0].keeper->shared() &&
      runtime->stages().sources.size() == 1) {
    prepared_ = AsKeyLookup(*plan.root, plan.schema);
  }
  if (prepared_ != nullptr) {
    prepared_->keeper = tables[0].keeper;
    prepared_->root = tables[0].root;
    prepared_key_ = runtime->stages().sources[0].node->lookups[0][0];
    if (!makers.empty()) prepared_->catch_up = catch_up;
    prepared_->is_closed = lookups_closed_;
  }
  NoteTransient(runtime);
  cursor->Run(std::move(runtime), open);
  return std::unique_ptr<Cursor>(std::move(cursor));
}

std::unique_ptr<Cursor> EngineImpl::OpenPrepared(const std::optional<StatementShape>& shape) {
  if (!shape) return nullptr;
  const auto found = lookups_.find(shape->text);
  if (found == lookups_.end()) return nullptr;
  std::optional<Value> key = KeyOf(*shape, found->second->key_type);
  if (!key) return nullptr;
  last_pull_read_stream_ = false;
  return OpenKeyLookup(found->second, std::move(*key), broker_);
}

void EngineImpl::KeepPrepared(const std::optional<StatementShape>& shape) {
  const std::shared_ptr<KeyLookup> lookup = std::exchange(prepared_, nullptr);
  if (!shape || lookup == nullptr) return;
  // The literal is the key, as it stands there.
  if (KeyOf(*shape, lookup->key_type) != prepared_key_) return;
  constexpr size_t kKeptMax = 256;
  if (lookups_.size() >= kKeptMax) lookups_.clear();
  lookups_[shape->text] = lookup;
}

}  // namespace weir
