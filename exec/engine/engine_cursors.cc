// SELECT and PRINT: results that a program reads through a Cursor.

#include <algorithm>
#include <condition_variable>
#include <deque>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/statement_notices.h"
#include "exec/engine/topic_printer.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

// Push queries over streams do not show records whose value is null, as in ksqlDB.
Chunk WithoutNullValues(const Chunk& rows) {
  if (rows.ops == nullptr) return rows;
  auto kept = std::make_shared<Selection>();
  auto consider = [&](int32_t row) {
    if (rows.op(row) != RowOp::kDelete) kept->push_back(row);
  };
  if (rows.selection) {
    for (int32_t row : *rows.selection) consider(row);
  } else {
    for (int32_t row = 0; row < rows.rows; ++row) consider(row);
  }
  Chunk shown = rows;
  shown.selection = std::move(kept);
  return shown;
}

// A chunk of a query's last operator as a Batch of `schema`.
Batch ToBatch(Chunk chunk, const SchemaPtr& schema) {
  chunk = Flatten(std::move(chunk));
  Batch batch(schema, std::move(chunk.columns), chunk.rows);
  batch.set_row_times(chunk.row_time());
  batch.set_ops(std::move(chunk.ops));
  batch.set_window(chunk.sys(SystemColumn::kWindowStart), chunk.sys(SystemColumn::kWindowEnd));
  return batch;
}

}  // namespace

// The rows of a push query between the thread that runs it and the one that reads them: a queue
// with a bound in bytes. Past the bound the query is not scheduled; reading makes room and wakes
// it.
class PushCursor : public Cursor, public RowReceiver {
 public:
  PushCursor(SchemaPtr schema, std::optional<int64_t> limit, bool is_changelog, size_t bytes_max,
             Scheduler* scheduler)
      : schema_(std::move(schema)),
        left_(limit.value_or(-1)),
        is_changelog_(is_changelog),
        bytes_max_(bytes_max),
        scheduler_(scheduler) {
    if (left_ == 0) limit_reached_ = finished_ = true;
  }

  ~PushCursor() override { StopQuery(); }

  /// Hands over the query that fills this cursor.
  void Run(std::shared_ptr<QueryRuntime> query) {
    query_ = std::move(query);
    if (scheduler_ != nullptr && !finished_) scheduler_->Add(query_);
  }
  const std::shared_ptr<QueryRuntime>& query() const { return query_; }

  Status OnRows(const Chunk& rows) override {
    std::lock_guard lock(mutex_);
    if (finished_) return OkStatus();
    Chunk taken = Flatten(is_changelog_ ? rows : WithoutNullValues(rows));
    if (taken.rows == 0) return OkStatus();
    // Whether a chunk has them depends on its neighbours that were dropped.
    if (!is_changelog_) taken.ops = nullptr;
    if (left_ >= 0 && taken.rows > left_) {
      Selection first(static_cast<size_t>(left_));
      for (int64_t i = 0; i < left_; ++i) first[i] = static_cast<int32_t>(i);
      taken = GatherChunk(taken, first);
    }
    if (left_ >= 0) left_ -= taken.rows;
    bytes_ += ByteSize(taken);
    queue_.push_back(ToBatch(std::move(taken), schema_));
    sizes_.push_back(bytes_);
    if (left_ == 0) limit_reached_ = finished_ = true;
    arrived_.notify_all();
    return OkStatus();
  }

  bool HasRoom() const {
    std::lock_guard lock(mutex_);
    return !finished_ && bytes_ < bytes_max_;
  }

  const Schema& schema() const override { return *schema_; }
  bool is_push() const override { return true; }
  bool is_changelog() const override { return is_changelog_; }

  Result<std::optional<Batch>> Next(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [&] { return !queue_.empty() || finished_ || Failed(); });
    if (!queue_.empty()) {
      Batch batch = std::move(queue_.front());
      queue_.pop_front();
      if (queue_.empty()) bytes_ = 0;
      lock.unlock();
      if (query_ != nullptr) query_->Wake();
      return std::optional<Batch>(std::move(batch));
    }
    if (cancelled_) return Status(ErrorCode::kCancelled, "the query was cancelled");
    if (Failed()) {
      finished_ = true;
      return query_->error();
    }
    if (query_ != nullptr) query_->Wake();
    return std::optional<Batch>();
  }

  bool done() const override {
    std::lock_guard lock(mutex_);
    return finished_ && queue_.empty();
  }
  bool limit_reached() const override {
    std::lock_guard lock(mutex_);
    return limit_reached_;
  }
  bool caught_up() const override {
    if (query_ == nullptr) return true;
    const bool idle = query_->caught_up();
    std::lock_guard lock(mutex_);
    return idle && queue_.empty();
  }
  bool endless() const override {
    std::lock_guard lock(mutex_);
    return left_ < 0 && query_ != nullptr && query_->endless();
  }
  int64_t open_windows() const override { return query_ == nullptr ? 0 : query_->open_windows(); }
  Status CloseWindows() override { return query_ == nullptr ? OkStatus() : query_->CloseWindows(); }
  std::vector<std::string> waiting_for() const override {
    std::vector<QueryMetrics> metrics;
    if (query_ == nullptr) return {};
    query_->FillMetrics(metrics);
    for (const QueryMetrics& one : metrics) {
      if (one.records_in > 0) return {};
    }
    return query_->source_topics();
  }
  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = finished_ = true;
    queue_.clear();
    arrived_.notify_all();
  }

 private:
  bool Failed() const {
    return query_ != nullptr && query_->state() == QueryRuntime::State::kError;
  }
  void StopQuery() {
    if (query_ == nullptr) return;
    Cancel();
    if (scheduler_ != nullptr) scheduler_->Remove(query_);
    query_->Stop();
    query_.reset();
  }

  const SchemaPtr schema_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Batch> queue_;
  std::deque<size_t> sizes_;
  size_t bytes_ = 0;
  int64_t left_;
  const bool is_changelog_;
  const size_t bytes_max_;
  Scheduler* const scheduler_;
  bool finished_ = false;
  bool cancelled_ = false;
  bool limit_reached_ = false;
  std::shared_ptr<QueryRuntime> query_;
};

Result<std::unique_ptr<Cursor>> EngineImpl::OpenCursor(const ast::Statement& statement) {
  if (statement.Is<ast::Print>()) return OpenPrint(statement);
  if (!statement.Is<ast::Select>()) {
    return Status(ErrorCode::kUsage, "this statement gives no rows: run it through Execute")
        .At(statement.position);
  }
  if (statement.As<ast::Select>().query->emit == ast::EmitMode::kNone) {
    return OpenPullQuery(statement);
  }
  return OpenPushQuery(statement);
}

// What all queries behind cursors have in common.
QueryRuntimeOptions EngineImpl::TransientOptions(const physical::NodePtr& root) {
  QueryRuntimeOptions options;
  options.id = fmt::format("transient_{}", next_transient_++);
  options.roots = {root};
  options.root_ids = {options.id};
  options.settings = settings_.ForQuery();
  options.broker = broker_;
  options.schemas = schemas_;
  options.clock = clock_.get();
  options.scheduler = scheduler_.get();
  options.transient = true;
  options.memory_used = &memory_used_;
  options.log = [this](LogLevel level, std::string_view line) { Log(level, line); };
  return options;
}

void EngineImpl::NoteTransient(const std::shared_ptr<QueryRuntime>& query) {
  std::erase_if(transients_, [](const auto& transient) { return transient.expired(); });
  transients_.push_back(query);
}

Result<std::unique_ptr<Cursor>> EngineImpl::OpenPushQuery(const ast::Statement& statement) {
  WEIR_ASSIGN_OR_RETURN(PushQueryPlan plan, PlanPushQuery(statement, MakePlannerContext()));
  for (const std::string& notice : NoticesOf(*plan.root)) Log(LogLevel::kWarning, notice);
  auto cursor = std::make_unique<PushCursor>(
      plan.schema, plan.limit, plan.is_table,
      static_cast<size_t>(settings_.Number("cursor.bytes.max")), scheduler_.get());
  QueryRuntimeOptions options = TransientOptions(plan.root);
  options.receiver = cursor.get();
  options.has_room = [raw = cursor.get()] { return raw->HasRoom(); };
  WEIR_ASSIGN_OR_RETURN(std::shared_ptr<QueryRuntime> runtime,
                        QueryRuntime::Make(std::move(options)));
  WEIR_RETURN_IF_ERROR(runtime->Open());
  NoteTransient(runtime);
  cursor->Run(std::move(runtime));
  return std::unique_ptr<Cursor>(std::move(cursor));
}

namespace {

/// For a topic that is not there.
std::string NearTopics(Broker& broker, const std::string& topic) {
  const Result<std::vector<TopicInfo>> topics = broker.ListTopics();
  if (!topics.ok()) return "";
  std::vector<std::string> names;
  for (const TopicInfo& each : *topics) {
    if (!each.internal) names.push_back(each.name);
  }
  const std::string near = DidYouMean(topic, names);
  if (!near.empty()) return near;
  return names.empty() ? "there are no topics yet" : "the topics are " + ListNames(names);
}

}  // namespace

Result<std::unique_ptr<Cursor>> EngineImpl::OpenPrint(const ast::Statement& statement) {
  const auto& print = statement.As<ast::Print>();
  TopicPrint what{print.topic, print.from_beginning, print.interval, print.limit};
  what.schemas = schemas_;
  for (const auto& [name, source] : catalog_.sources()) {
    if (source.topic != print.topic || source.windowed_key == physical::WindowKind::kNone) continue;
    what.window = source.windowed_key == physical::WindowKind::kSession ? WindowKeyKind::kSession
                                                                        : WindowKeyKind::kTime;
    what.window_size_ms = source.window_size_ms;
  }
  Result<std::unique_ptr<Cursor>> cursor = MakeTopicPrinter(*broker_, what);
  if (cursor.ok()) return cursor;
  std::string hint;
  if (cursor.status().code() == ErrorCode::kUnknownTopic) hint = NearTopics(*broker_, print.topic);
  return std::move(cursor).status().At(print.topic_position).WithHint(std::move(hint));
}

}  // namespace weir
