#include "tests/unit/exec_engine/reopened_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::test {

ReopenedStore::ReopenedStore() {
  std::string pattern = (std::filesystem::temp_directory_path() / "weir-reopened-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
  Reopen();
}

ReopenedStore::~ReopenedStore() {
  engine_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void ReopenedStore::WriteFile(const std::string& name, std::string_view text) const {
  std::ofstream(At(name), std::ios::binary) << text;
}

void ReopenedStore::Close() { engine_.reset(); }

void ReopenedStore::Reopen(bool paused) {
  engine_.reset();
  errors_.clear();
  EngineOptions options;
  options.directory = At("store");
  options.threads = 1;
  options.paused = paused;
  options.settings["durability"] = "process";
  options.settings["persistence.default.format.value"] = "JSON";
  options.logger = [this](LogLevel level, std::string_view line) {
    if (level == LogLevel::kError) errors_.emplace_back(line);
  };
  auto opened = Engine::Open(std::move(options));
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  engine_ = std::move(*opened);
}

std::unique_ptr<Broker> ReopenedStore::OpenBroker() const {
  BrokerOptions options;
  options.directory = At("store");
  options.now_ms = [] { return int64_t{0}; };
  auto broker = OpenLocalBroker(options);
  EXPECT_TRUE(broker.ok()) << broker.status().ToString();
  return broker.ok() ? std::move(*broker) : nullptr;
}

Status ReopenedStore::Try(std::string_view sql) { return engine_->Execute(sql).status(); }

void ReopenedStore::Execute(std::string_view sql) {
  const Status status = Try(sql);
  ASSERT_TRUE(status.ok()) << sql << "\n" << status.ToString();
}

void ReopenedStore::Append(const std::string& topic, const std::string& key,
                           const std::string& value) {
  Record record;
  record.key = key;
  record.value = value;
  record.timestamp_ms = 1000;
  const Status status = engine_->Append(topic, {&record, 1});
  ASSERT_TRUE(status.ok()) << status.ToString();
}

std::vector<std::string> ReopenedStore::Rows(std::string_view sql) {
  std::vector<std::string> rows;
  const auto add = [&](const Batch& batch) {
    for (int32_t row = 0; row < batch.row_count(); ++row) {
      std::string text;
      for (int column = 0; column < batch.column_count(); ++column) {
        text += (column > 0 ? " | " : "") + batch.column(column).ToText(row);
      }
      rows.push_back(std::move(text));
    }
  };
  const auto read = [&](std::string_view, Cursor& cursor) -> Status {
    while (!cursor.done()) {
      auto batch = cursor.Next(std::chrono::milliseconds(100));
      if (!batch.ok()) return batch.status();
      if (*batch) add(**batch);
    }
    return OkStatus();
  };
  const auto done = engine_->Execute(sql, read);
  if (!done.ok()) return {fmt::format("error {}", done.status().message())};
  for (const StatementResult& result : *done) {
    if (result.rows != nullptr) add(*result.rows);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> ReopenedStore::Settled(std::string_view sql) {
  const auto end = engine_->RunUntilEnd(false);
  if (!end.ok()) return {fmt::format("error {}", end.status().message())};
  return Rows(sql);
}

std::string ReopenedStore::StateOf(std::string_view query_id) {
  const EngineMetrics metrics = engine_->Metrics();
  for (const QueryMetrics& query : metrics.queries) {
    if (query.query_id == query_id) return query.state;
  }
  return "";
}

}  // namespace weir::test
