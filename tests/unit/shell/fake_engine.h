#pragma once

// An engine that only remembers what it was asked and answers what a test has put in. It keeps
// topics, so that loading and golden tests have something to read back.

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/engine.h"

namespace weir::shell {

/// A batch of text columns; "null" is a null.
Batch TextBatch(const std::vector<std::string>& names,
                const std::vector<std::vector<std::string>>& rows, std::vector<RowOp> ops = {});

class FakeCursor : public Cursor {
 public:
  explicit FakeCursor(SchemaPtr schema) : schema_(std::move(schema)) {}
  const Schema& schema() const override { return *schema_; }
  bool is_push() const override { return endless; }
  Result<std::optional<Batch>> Next(std::chrono::milliseconds timeout) override;
  bool done() const override { return batches.empty() && !endless; }
  bool limit_reached() const override { return limit; }
  bool caught_up() const override { return batches.empty(); }
  void Cancel() override { cancelled = true; }
  int64_t open_windows() const override { return static_cast<int64_t>(windows.size()); }
  Status CloseWindows() override {
    std::move(windows.begin(), windows.end(), std::back_inserter(batches));
    windows.clear();
    return {};
  }
  std::vector<std::string> waiting_for() const override { return {"empty.topic"}; }

  std::deque<Batch> batches;
  std::deque<Batch> windows;  ///< Held back until they are closed.
  bool endless = false;       ///< Follows for ever once the batches are given out.
  bool limit = false;
  bool cancelled = false;
  std::function<void()> on_idle;  ///< Called when Next finds nothing.

 private:
  SchemaPtr schema_;
};

class FakeEngine : public Engine {
 public:
  Result<std::vector<StatementResult>> Execute(std::string_view sql, const CursorHandler& on_cursor,
                                               const ResultHandler& on_result) override;
  Result<std::unique_ptr<Cursor>> Query(std::string_view sql) override;
  Status Append(std::string_view topic, std::span<const Record> records) override;
  Status CreateTopic(std::string_view topic, int32_t partitions, bool if_not_exists) override;
  Result<std::vector<TopicRecord>> ReadTopic(std::string_view topic) override;
  Result<std::string> Explain(std::string_view sql) override {
    return "plan of " + std::string(sql);
  }
  Result<int64_t> RunUntilEnd(bool close_windows) override;
  void CancelWaits() override { ++waits_cancelled; }
  EngineMetrics Metrics() const override { return metrics; }
  std::vector<std::string> CompletionNames() const override { return {"RIDES"}; }
  std::vector<SourceInfo> Sources() const override { return sources; }
  Result<TopicDescription> DescribeTopic(std::string_view topic) const override {
    const auto found = descriptions.find(topic);
    if (found == descriptions.end()) return Status(ErrorCode::kUnknownTopic, "no such topic");
    return found->second;
  }
  Result<std::string> DumpCatalog() const override { return std::string("CREATE STREAM A;\n"); }
  Status Close() override;

  /// Answers by statement text; others are answered with "done".
  std::map<std::string, Status> failures;
  std::map<std::string, std::vector<Batch>> selects;
  std::map<std::string, std::shared_ptr<FakeCursor>> cursors;

  std::vector<std::string> executed;
  std::map<std::string, std::vector<TopicRecord>, std::less<>> topics;
  std::map<std::string, TopicDescription, std::less<>> descriptions;
  std::vector<size_t> append_sizes;
  std::vector<SourceInfo> sources;
  EngineMetrics metrics;
  int64_t windows_open = 0;
  int runs_until_end = 0;
  int waits_cancelled = 0;
  bool closed = false;
};

/// Gives `engine` away as a new engine that forwards to it, for tests that must see it afterwards.
std::unique_ptr<Engine> Share(FakeEngine& engine);

}  // namespace weir::shell
