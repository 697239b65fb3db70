#pragma once
// Copies of one application as engines of this process, opened and closed by a test.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/broker/support/test_broker.h"
#include "tests/broker/support/wait_until.h"
#include "weir/weir.h"

namespace weir::testing {

class EngineCopiesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    application_ = kafka_->NewName("copies");
    in_ = kafka_->NewName("in");
    state_dir_ = std::filesystem::temp_directory_path() / application_;
    std::filesystem::remove_all(state_dir_);
  }
  void TearDown() override { std::filesystem::remove_all(state_dir_); }

  EngineOptions Options() const {
    EngineOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_;
    options.state_dir = state_dir_.string();
    options.settings = {{"persistence.default.format.value", "JSON"}};
    options.kafka = {{"topic.metadata.refresh.interval.ms", "300"}};
    return options;
  }
  std::unique_ptr<Engine> Open(const std::map<std::string, std::string>& settings = {}) const {
    EngineOptions options = Options();
    for (const auto& [name, value] : settings) options.settings[name] = value;
    auto engine = Engine::Open(std::move(options));
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    return engine.ok() ? std::move(*engine) : nullptr;
  }
  /// The notices of all statements.
  static std::vector<std::string> Execute(Engine& engine, const std::string& sql) {
    auto results = engine.Execute(sql);
    EXPECT_TRUE(results.ok()) << sql << "\n" << results.status().ToString();
    std::vector<std::string> notices;
    if (!results.ok()) return notices;
    for (const StatementResult& result : *results) {
      notices.insert(notices.end(), result.notices.begin(), result.notices.end());
    }
    return notices;
  }
  static void RunUntilEnd(Engine& engine) {
    const auto done = engine.RunUntilEnd(false);
    EXPECT_TRUE(done.ok()) << done.status().ToString();
  }
  static bool WaitFor(const std::function<bool()>& condition) {
    return WaitUntil(std::chrono::seconds(60), condition);
  }
  static QueryMetrics MetricsOf(Engine& engine) {
    const EngineMetrics metrics = engine.Metrics();
    return metrics.queries.empty() ? QueryMetrics() : metrics.queries[0];
  }
  static bool WaitForError(Engine& engine) {
    return WaitFor([&] { return MetricsOf(engine).state == "ERROR"; });
  }
  /// The first row of a statement, its values joined by " | "; or its error.
  static std::string Row(Engine& engine, const std::string& sql) {
    auto cursor = engine.Query(sql);
    if (!cursor.ok()) return cursor.status().message();
    const auto batch = (*cursor)->Next(std::chrono::milliseconds(0));
    if (!batch.ok()) return batch.status().message();
    if (!batch->has_value() || (**batch).row_count() == 0) return "nothing";
    std::string row;
    for (int i = 0; i < (**batch).schema().size(); ++i) {
      if (i > 0) row += " | ";
      row += (**batch).column(i).ToText(0);
    }
    return row;
  }

  void MakeInput(int partitions) { ASSERT_TRUE(kafka_->CreateTopic(in_, partitions).ok()); }
  /// Records {"V": i % 10, "W": i} with key k<i % 10> for each i in [first, last).
  void Produce(int first, int last) {
    std::vector<KafkaRecord> records;
    for (int i = first; i < last; ++i) {
      KafkaRecord& record = records.emplace_back();
      record.key = "k" + std::to_string(i % 10);
      record.value = "{\"V\": " + std::to_string(i % 10) + ", \"W\": " + std::to_string(i) + "}";
      record.timestamp_ms = 1'000'000 + i;
    }
    ASSERT_TRUE(kafka_->Produce(in_, records).ok());
  }
  std::string SourceSql() const {
    return "CREATE STREAM s (k VARCHAR KEY, v INT, w INT) WITH (KAFKA_TOPIC='" + in_ + "');";
  }
  /// CREATE TABLE t AS what is said.
  std::string TableSql(const std::string& select) const {
    return "CREATE TABLE t WITH (KAFKA_TOPIC='" + application_ + ".t') AS " + select + ";";
  }

  std::unique_ptr<TestBroker> kafka_;
  std::filesystem::path state_dir_;
  std::string application_;
  std::string in_;
};

}  // namespace weir::testing
