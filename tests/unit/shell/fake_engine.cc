#include "tests/unit/shell/fake_engine.h"

#include <cstring>
#include <utility>

#include "exec/column/builder.h"

namespace weir::shell {

Batch TextBatch(const std::vector<std::string>& names,
                const std::vector<std::vector<std::string>>& rows, std::vector<RowOp> ops) {
  auto schema = std::make_shared<Schema>();
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    schema->columns.push_back({names[i], DataType::String(), false});
    ColumnBuilder builder(DataType::String());
    for (const std::vector<std::string>& row : rows) {
      if (row[i] == "null") {
        builder.AppendNull();
      } else {
        builder.AppendBytes(row[i]);
      }
    }
    columns.push_back(builder.Finish());
  }
  Batch batch(schema, std::move(columns), static_cast<int32_t>(rows.size()));
  if (!ops.empty()) {
    auto bytes = std::make_shared<std::vector<RowOp>>(std::move(ops));
    batch.set_ops(std::make_shared<Buffer>(reinterpret_cast<const uint8_t*>(bytes->data()),
                                           bytes->size(), bytes));
  }
  return batch;
}

Result<std::optional<Batch>> FakeCursor::Next(std::chrono::milliseconds) {
  if (cancelled) return Status(ErrorCode::kCancelled, "cancelled");
  if (batches.empty()) {
    if (on_idle) on_idle();
    return std::optional<Batch>();
  }
  Batch batch = std::move(batches.front());
  batches.pop_front();
  return std::optional<Batch>(std::move(batch));
}

Result<std::vector<StatementResult>> FakeEngine::Execute(std::string_view sql,
                                                         const CursorHandler& on_cursor,
                                                         const ResultHandler& on_result) {
  const std::string text(sql.substr(0, sql.find_last_not_of(" \n;") + 1));
  executed.push_back(text);
  if (const auto failure = failures.find(text); failure != failures.end()) return failure->second;
  if (const auto cursor = cursors.find(text); cursor != cursors.end()) {
    const Status status = on_cursor(text, *cursor->second);
    if (!status.ok()) return status;
    return std::vector<StatementResult>();
  }
  if (const auto select = selects.find(text); select != selects.end()) {
    FakeCursor cursor(std::make_shared<Schema>(select->second[0].schema()));
    for (const Batch& batch : select->second) cursor.batches.push_back(batch);
    const Status status = on_cursor(text, cursor);
    if (!status.ok()) return status;
    return std::vector<StatementResult>();
  }
  StatementResult result;
  result.statement = text;
  result.message = "done: " + text;
  if (on_result) on_result(result);
  return std::vector<StatementResult>{result};
}

Result<std::unique_ptr<Cursor>> FakeEngine::Query(std::string_view sql) {
  return Status(ErrorCode::kUnsupported, "the fake engine has no queries");
}

Status FakeEngine::Append(std::string_view topic, std::span<const Record> records) {
  const auto found = topics.find(topic);
  if (found == topics.end()) return Status(ErrorCode::kUnknownTopic, "unknown topic");
  for (const Record& record : records) {
    TopicRecord stored;
    static_cast<Record&>(stored) = record;
    stored.partition = 0;
    stored.offset = static_cast<int64_t>(found->second.size());
    found->second.push_back(std::move(stored));
  }
  append_sizes.push_back(records.size());
  return OkStatus();
}

Status FakeEngine::CreateTopic(std::string_view topic, int32_t, bool) {
  topics.emplace(topic, std::vector<TopicRecord>());
  return OkStatus();
}

Result<std::vector<TopicRecord>> FakeEngine::ReadTopic(std::string_view topic) {
  const auto found = topics.find(topic);
  if (found == topics.end()) return Status(ErrorCode::kUnknownTopic, "unknown topic");
  return found->second;
}

Result<int64_t> FakeEngine::RunUntilEnd(bool close_windows) {
  ++runs_until_end;
  return close_windows ? 0 : windows_open;
}

Status FakeEngine::Close() {
  closed = true;
  return OkStatus();
}

namespace {

class SharedEngine : public Engine {
 public:
  explicit SharedEngine(FakeEngine& engine) : engine_(engine) {}
  Result<std::vector<StatementResult>> Execute(std::string_view sql, const CursorHandler& on_cursor,
                                               const ResultHandler& on_result) override {
    return engine_.Execute(sql, on_cursor, on_result);
  }
  Result<std::unique_ptr<Cursor>> Query(std::string_view sql) override {
    return engine_.Query(sql);
  }
  Status Append(std::string_view topic, std::span<const Record> records) override {
    return engine_.Append(topic, records);
  }
  Status CreateTopic(std::string_view topic, int32_t partitions, bool if_not_exists) override {
    return engine_.CreateTopic(topic, partitions, if_not_exists);
  }
  Result<TopicDescription> DescribeTopic(std::string_view topic) const override {
    return engine_.DescribeTopic(topic);
  }
  Result<std::vector<TopicRecord>> ReadTopic(std::string_view topic) override {
    return engine_.ReadTopic(topic);
  }
  Result<std::string> Explain(std::string_view sql) override { return engine_.Explain(sql); }
  Result<int64_t> RunUntilEnd(bool close_windows) override {
    return engine_.RunUntilEnd(close_windows);
  }
  void CancelWaits() override { engine_.CancelWaits(); }
  EngineMetrics Metrics() const override { return engine_.Metrics(); }
  std::vector<std::string> CompletionNames() const override { return engine_.CompletionNames(); }
  std::vector<SourceInfo> Sources() const override { return engine_.Sources(); }
  Result<std::string> DumpCatalog() const override { return engine_.DumpCatalog(); }
  Status Close() override { return engine_.Close(); }

 private:
  FakeEngine& engine_;
};

}  // namespace

std::unique_ptr<Engine> Share(FakeEngine& engine) { return std::make_unique<SharedEngine>(engine); }

}  // namespace weir::shell
