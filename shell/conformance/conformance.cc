#include "shell/conformance/conformance.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/engine/engine_impl.h"
#include "exec/formats/format.h"
#include "shell/conformance/conformance_judge.h"
#include "shell/conformance/conformance_records.h"

namespace weir::testing {
namespace {

// The wall clock of a case stands still, at the same time in every run.
class StoppedClock : public Clock {
 public:
  int64_t NowMs() const override { return 1'700'000'000'000; }
};

// Raw records, as a batch that queries can be fed with.
RecordBatch ToBatch(RecordBatchBuilder& builder, int64_t first_offset) {
  RecordBatch batch;
  batch.keys = builder.keys();
  batch.values = builder.values();
  batch.headers = builder.headers();
  batch.timestamps = builder.timestamps();
  for (int32_t i = 0; i < builder.size(); ++i) batch.offsets.push_back(first_offset + i);
  batch.bytes = builder.bytes().Finish();
  builder.Clear();
  return batch;
}

// Records [begin, end) of a batch.
RecordBatch Rows(const RecordBatch& all, int32_t begin, int32_t end) {
  RecordBatch part;
  part.bytes = all.bytes;
  part.keys.assign(all.keys.begin() + begin, all.keys.begin() + end);
  part.values.assign(all.values.begin() + begin, all.values.begin() + end);
  if (!all.headers.empty()) {
    part.headers.assign(all.headers.begin() + begin, all.headers.begin() + end);
  }
  part.timestamps.assign(all.timestamps.begin() + begin, all.timestamps.begin() + end);
  part.offsets.assign(all.offsets.begin() + begin, all.offsets.begin() + end);
  return part;
}

Result<RecordBatch> ReadWholeTopic(Broker& broker, std::string_view topic) {
  RecordBatch batch;
  Result<std::vector<int64_t>> ends = broker.EndOffsets(topic);
  if (!ends.ok() || ends->empty() || ends->front() == 0) return batch;
  WEIR_ASSIGN_OR_RETURN(auto session, broker.OpenReadSession("test"));
  WEIR_ASSIGN_OR_RETURN(auto reader, session->Open(topic, 0, {}));
  RecordBatchBuilder all;
  RecordBatch part;
  while (reader->position() < ends->front()) {
    WEIR_RETURN_IF_ERROR(reader->Fetch(1 << 20, size_t{1} << 30, part));
    if (part.size() == 0) break;
    for (int32_t i = 0; i < part.size(); ++i) {
      const std::string_view key = part.View(part.keys[i]);
      const std::string_view value = part.View(part.values[i]);
      all.AddCopy(part.keys[i].is_null() ? nullptr : &key,
                  part.values[i].is_null() ? nullptr : &value,
                  part.headers.empty() ? std::string_view() : part.View(part.headers[i]),
                  part.timestamps[i]);
    }
  }
  return ToBatch(all, 0);
}

// One case on one engine.
class CaseRunner {
 public:
  CaseRunner(const RawJson& test, int batch_rows)
      : case_(test), batch_rows_(std::max(batch_rows, 1)) {}

  /// The case's line, without its id.
  CaseOutcome Run();

 private:
  Status OpenEngine();
  Status RunStatements();
  Status Feed();
  Status FeedQuery(QueryRuntime& query);
  Status FeedInputs(QueryRuntime& query, const std::set<std::string>& topics);
  Status AppendInputs();
  Status RunSelect(int index);
  Status FeedTransient(QueryRuntime& query, std::map<std::string, int64_t>& positions);
  std::string FormatRows(Cursor& cursor, const std::vector<Batch>& batches) const;
  Status CollectOutputs();
  bool IsRest() const { return Text("kind") == "rest"; }
  std::string Text(std::string_view name) const {
    const RawJson* value = case_.Find(name);
    return value == nullptr ? "" : value->text;
  }
  std::vector<const RawJson*> Inputs() const;

  const RawJson& case_;
  const int batch_rows_;
  std::unique_ptr<EngineImpl> engine_;
  CaseOutcome outcome_;
  int statement_ = -1;
  std::map<std::string, std::set<int64_t>> input_offsets_;  // Records that are not outputs.
  std::set<std::string> registered_;  // Topics whose schemas are in the registry.
  bool fed_ = false;
};

std::vector<const RawJson*> CaseRunner::Inputs() const {
  std::vector<const RawJson*> inputs;
  if (const RawJson* list = case_.Find("inputs")) {
    for (const RawJson& input : list->items) inputs.push_back(&input);
  }
  return inputs;
}

Status CaseRunner::OpenEngine() {
  EngineOptions options;
  options.clock = std::make_shared<StoppedClock>();
  options.threads = 1;
  options.settings = {{"cache.max.bytes.buffering", "0"},
                      // The registry that the cases were made with compares no versions.
                      {"schema.registry.compatibility", "none"},
                      {"persistence.default.format.key", "KAFKA"},
                      {"persistence.default.format.value", ""},
                      {"sql.extensions", "false"},
                      {"test.check.edges", "true"},
                      {"variable.substitution.enable", "false"}};
  WEIR_ASSIGN_OR_RETURN(engine_, EngineImpl::Make(std::move(options), true));
  if (const RawJson* properties = case_.Find("properties")) {
    for (const auto& [name, value] : properties->members) {
      // Settings that ksqlDB's test tool passes on and no product needs to know are ignored.
      Status ignored = engine_->settings().Set(name, value.text, true, nullptr);
      static_cast<void>(ignored);
    }
  }
  if (const RawJson* topics = case_.Find("topics")) {
    for (const RawJson& topic : topics->items) {
      const RawJson* name = topic.Find("name");
      if (name == nullptr) continue;
      Status made = engine_->CreateTopic(name->text, 1, true);
      if (!made.ok()) return made;
    }
  }
  return OkStatus();
}

Status CaseRunner::RunStatements() {
  const RawJson* statements = case_.Find("statements");
  if (statements == nullptr) return OkStatus();
  for (statement_ = 0; statement_ < static_cast<int>(statements->items.size()); ++statement_) {
    const std::string& sql = statements->items[statement_].text;
    bool is_select = false;
    auto on_cursor = [&](std::string_view, Cursor&) {
      is_select = true;
      return OkStatus();
    };
    WEIR_RETURN_IF_ERROR(RegisterCaseSchemas(case_, sql, registered_, engine_->schemas()));
    if (IsRest() && IsSelect(sql)) {
      WEIR_RETURN_IF_ERROR(RunSelect(statement_));
      continue;
    }
    Result<std::vector<StatementResult>> done = engine_->Execute(sql, on_cursor, {});
    if (!done.ok()) return std::move(done).status();
  }
  statement_ = -1;
  return fed_ ? OkStatus() : Feed();
}

// Each input is also in its topic, so that pull and push queries of streams find it there.
Status CaseRunner::AppendInputs() {
  for (const RawJson* input : Inputs()) {
    const std::string topic = input->Find("topic")->text;
    Result<std::vector<int64_t>> ends = engine_->broker().EndOffsets(topic);
    if (!ends.ok()) {
      WEIR_RETURN_IF_ERROR(engine_->CreateTopic(topic, 1, true));
      ends = engine_->broker().EndOffsets(topic);
    }
    input_offsets_[topic].insert(ends->front());
    RecordBatchBuilder record;
    WEIR_RETURN_IF_ERROR(
        AddInput(*input, ShapeOf(engine_->catalog(), topic, engine_->schemas()), record));
    WEIR_RETURN_IF_ERROR(engine_->broker().AppendDurably(topic, 0, record));
  }
  return OkStatus();
}

Status CaseRunner::Feed() {
  fed_ = true;
  WEIR_RETURN_IF_ERROR(RegisterCaseSchemas(case_, "", registered_, engine_->schemas()));
  WEIR_RETURN_IF_ERROR(AppendInputs());
  // Queries in order of creation, each to its end before the next.
  for (RunningQuery& query : engine_->running()) {
    WEIR_RETURN_IF_ERROR(FeedQuery(*query.runtime));
  }
  return OkStatus();
}

Status CaseRunner::FeedInputs(QueryRuntime& query, const std::set<std::string>& topics) {
  RecordBatchBuilder waiting;
  std::string waiting_topic;
  std::map<std::string, int64_t> offsets;
  const auto partitions_of = [this](const std::string& topic) {
    Result<std::vector<int64_t>> ends = engine_->broker().EndOffsets(topic);
    return ends.ok() ? static_cast<int32_t>(ends->size()) : 1;
  };
  auto flush = [&]() -> Status {
    if (waiting.size() == 0) return OkStatus();
    const int32_t rows = waiting.size();
    RecordBatch batch = ToBatch(waiting, offsets[waiting_topic]);
    offsets[waiting_topic] += rows;
    const int32_t partitions = partitions_of(waiting_topic);
    if (partitions > 1 && !batch.keys[0].is_null()) {
      batch.partition = JavaPartition(batch.View(batch.keys[0]), partitions);
    }
    return query.Inject(waiting_topic, batch);
  };
  for (const RawJson* input : Inputs()) {
    const std::string& topic = input->Find("topic")->text;
    if (!topics.contains(topic)) continue;
    if (topic != waiting_topic || waiting.size() >= batch_rows_) WEIR_RETURN_IF_ERROR(flush());
    waiting_topic = topic;
    WEIR_RETURN_IF_ERROR(
        AddInput(*input, ShapeOf(engine_->catalog(), topic, engine_->schemas()), waiting));
    // Of several partitions each record goes to its own.
    if (partitions_of(topic) > 1) WEIR_RETURN_IF_ERROR(flush());
  }
  return flush();
}

Status CaseRunner::FeedQuery(QueryRuntime& query) {
  std::set<std::string> topics;
  for (const std::string& topic : query.source_topics()) topics.insert(topic);
  WEIR_RETURN_IF_ERROR(FeedInputs(query, topics));
  std::set<std::string> named;
  for (const RawJson* input : Inputs()) named.insert(input->Find("topic")->text);
  std::set<std::string> done;
  for (const std::string& topic : query.source_topics()) {
    if (named.contains(topic) || !done.insert(topic).second) continue;
    WEIR_ASSIGN_OR_RETURN(RecordBatch all, ReadWholeTopic(engine_->broker(), topic));
    for (int32_t begin = 0; begin < all.size(); begin += batch_rows_) {
      const int32_t end = std::min(begin + batch_rows_, all.size());
      WEIR_RETURN_IF_ERROR(query.Inject(topic, Rows(all, begin, end)));
    }
  }
  return query.Commit();
}

// Feeds a push query what its topics hold from `positions` on, and moves these.
Status CaseRunner::FeedTransient(QueryRuntime& query, std::map<std::string, int64_t>& positions) {
  for (auto& [topic, position] : positions) {
    WEIR_ASSIGN_OR_RETURN(RecordBatch all, ReadWholeTopic(engine_->broker(), topic));
    const auto from = static_cast<int32_t>(position);
    position = all.size();
    if (from >= all.size()) continue;
    WEIR_RETURN_IF_ERROR(query.Inject(topic, Rows(all, from, all.size())));
  }
  return OkStatus();
}

Status CaseRunner::RunSelect(int index) {
  const bool inputs_after = Text("inputsAfterQueryStart") == "true";
  if (!fed_ && !inputs_after) WEIR_RETURN_IF_ERROR(Feed());
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor,
                        engine_->Query(case_.Find("statements")->items[index].text));
  std::shared_ptr<QueryRuntime> push = engine_->last_transient();
  if (cursor->is_push() && push != nullptr) {
    const bool latest = engine_->settings().Get("auto.offset.reset") == "latest";
    std::map<std::string, int64_t> positions;
    for (const std::string& topic : push->source_topics()) {
      WEIR_ASSIGN_OR_RETURN(RecordBatch all, ReadWholeTopic(engine_->broker(), topic));
      positions[topic] = latest ? all.size() : 0;
    }
    WEIR_RETURN_IF_ERROR(FeedTransient(*push, positions));
    if (inputs_after && !fed_) {
      WEIR_RETURN_IF_ERROR(Feed());
      WEIR_RETURN_IF_ERROR(FeedTransient(*push, positions));
    }
  }
  std::vector<Batch> batches;
  while (true) {
    WEIR_ASSIGN_OR_RETURN(std::optional<Batch> batch, cursor->Next(std::chrono::milliseconds(0)));
    if (!batch) break;
    batches.push_back(std::move(*batch));
  }
  outcome_.responses.push_back(
      fmt::format("{{\"statement\": {}, \"rows\": {}}}", index, FormatRows(*cursor, batches)));
  return OkStatus();
}

std::string CaseRunner::FormatRows(Cursor& cursor, const std::vector<Batch>& batches) const {
  Schema schema = cursor.schema();
  if (cursor.is_push()) {
    for (ColumnSchema& column : schema.columns) column.is_key = false;
  }
  std::string rows =
      fmt::format("[{{\"header\": {{\"schema\": {}}}}}", QuoteJson(schema.ToString()));
  BufferBuilder text;
  for (const Batch& batch : batches) {
    for (int32_t row = 0; row < batch.row_count(); ++row) {
      text.Clear();
      for (int column = 0; column < batch.column_count(); ++column) {
        if (column > 0) text.Append(", ", 2);
        AppendJsonValue(batch.column(column), row, text);
      }
      const bool gone =
          !batch.ops().empty() && batch.ops()[row] == RowOp::kDelete && cursor.is_changelog();
      if (!batch.ops().empty() && batch.ops()[row] == RowOp::kUpdateBefore) continue;
      rows += fmt::format(", {{\"row\": {{\"columns\": [{}]{}}}}}",
                          std::string_view(reinterpret_cast<const char*>(text.data()), text.size()),
                          gone ? ", \"tombstone\": true" : "");
    }
  }
  if (cursor.limit_reached()) {
    rows += ", {\"finalMessage\": \"Limit Reached\"}";
  } else if (!cursor.is_push() && engine_->last_pull_read_stream()) {
    rows += ", {\"finalMessage\": \"Query Completed\"}";
  }
  return rows + "]";
}

Status CaseRunner::CollectOutputs() {
  WEIR_ASSIGN_OR_RETURN(std::vector<TopicInfo> topics, engine_->broker().ListTopics());
  for (const TopicInfo& topic : topics) {
    WEIR_ASSIGN_OR_RETURN(RecordBatch all, ReadWholeTopic(engine_->broker(), topic.name));
    const TopicShape shape = ShapeOf(engine_->catalog(), topic.name, engine_->schemas());
    const std::set<int64_t>& inputs = input_offsets_[topic.name];
    for (int32_t row = 0; row < all.size(); ++row) {
      if (inputs.contains(row)) continue;
      WEIR_ASSIGN_OR_RETURN(std::string output, FormatOutput(topic.name, all, row, shape));
      outcome_.outputs.push_back(std::move(output));
    }
  }
  return OkStatus();
}

CaseOutcome CaseRunner::Run() {
  Status status = OpenEngine();
  if (status.ok()) status = RunStatements();
  if (status.ok()) status = CollectOutputs();
  if (status.ok()) return std::move(outcome_);
  outcome_.status = status.code() == ErrorCode::kUnsupported ? "unsupported"
                    : status.code() == ErrorCode::kInternal  ? "crashed"
                                                             : "rejected";
  outcome_.error = status.ToString();
  outcome_.failed_statement = statement_;
  return std::move(outcome_);
}

std::string FormatLine(const std::string& id, const CaseOutcome& outcome) {
  std::string line = fmt::format("{{\"id\": {}, \"status\": \"{}\"", QuoteJson(id), outcome.status);
  if (!outcome.error.empty()) line += fmt::format(", \"error\": {}", QuoteJson(outcome.error));
  line += fmt::format(", \"outputs\": [{}], \"responses\": [{}]", fmt::join(outcome.outputs, ", "),
                      fmt::join(outcome.responses, ", "));
  if (outcome.failed_statement >= 0) {
    line += fmt::format(", \"failed_statement\": {}", outcome.failed_statement);
  }
  return line + "}";
}

}  // namespace

int RunConformanceFile(const std::string& path, const TestOptions& options, std::ostream& out) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  Result<RawJson> document =
      file ? ParseRawJson(text.str())
           : Result<RawJson>(Status(ErrorCode::kIoError, "the file cannot be read"));
  const RawJson* cases = document.ok() ? document->Find("cases") : nullptr;
  if (cases == nullptr) {
    out << path << ": "
        << (document.ok() ? "there is no list of \"cases\"" : document.status().ToString()) << "\n";
    return 1;
  }
  int passed = 0;
  int failed = 0;
  for (const RawJson& test : cases->items) {
    const RawJson* id = test.Find("id");
    const std::string name = id == nullptr ? "?" : id->text;
    const CaseOutcome outcome = CaseRunner(test, options.batch_rows).Run();
    if (options.dump) {
      out << FormatLine(name, outcome) << "\n" << std::flush;
      continue;
    }
    const std::string difference = JudgeCase(test, outcome);
    difference.empty() ? ++passed : ++failed;
    if (!difference.empty()) out << "FAILED " << name << ": " << difference << "\n" << std::flush;
  }
  if (!options.dump) out << path << ": " << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace weir::testing
