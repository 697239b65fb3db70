// The life of queries as a program sees it: errors, pausing, limits.

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "weir/engine.h"

namespace weir {
namespace {

class QueryLife : public testing::Test {
 protected:
  void Open(std::map<std::string, std::string> settings = {}) {
    EngineOptions options;
    options.threads = 2;
    options.settings = std::move(settings);
    auto opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    engine_ = std::move(*opened);
  }
  void Run(std::string_view sql) {
    auto done = engine_->Execute(sql);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
  }
  void Put(std::string_view topic, const std::string& value) {
    Record record;
    record.value = value;
    record.timestamp_ms = 1;
    ASSERT_TRUE(engine_->Append(topic, std::span(&record, 1)).ok());
  }
  std::vector<std::string> Values(std::string_view topic) {
    std::vector<std::string> values;
    auto records = engine_->ReadTopic(topic);
    EXPECT_TRUE(records.ok());
    for (const TopicRecord& record : *records) values.push_back(record.value.value_or("null"));
    return values;
  }
  QueryMetrics MetricsOf(std::string_view id) {
    for (QueryMetrics& query : engine_->Metrics().queries) {
      if (query.query_id == id) return query;
    }
    ADD_FAILURE() << "no query " << id;
    return {};
  }
  std::unique_ptr<Engine> engine_;
};

using Texts = std::vector<std::string>;

TEST_F(QueryLife, ASumThatOverflowsKeepsItsValueAndIsCounted) {
  Open();
  Run("CREATE STREAM s (k INT, d DECIMAL(38, 0)) WITH (kafka_topic='s', value_format='JSON', "
      "partitions=1);"
      "CREATE TABLE t AS SELECT k, SUM(d) AS total FROM s GROUP BY k;");
  const std::string most = "9" + std::string(37, '0');
  Put("s", R"({"K":1,"D":)" + most + "}");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  Put("s", R"({"K":1,"D":)" + most + "}");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(Values("T").back(), R"({"TOTAL":)" + most + "}");
  EXPECT_EQ(MetricsOf("CTAS_T").dropped["expression_error"], 1);
}

TEST_F(QueryLife, MetricsTellTheTasksOfALocalStoreAndRates) {
  Open();
  Run("CREATE STREAM s (k INT KEY, x INT) WITH (kafka_topic='s', value_format='JSON', "
      "partitions=3);"
      "CREATE STREAM t AS SELECT k, x FROM s;");
  for (int i = 0; i < 10; ++i) Put("s", R"({"X":1})");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  const QueryMetrics metrics = MetricsOf("CSAS_T");
  ASSERT_EQ(metrics.tasks.size(), 3U);
  int64_t read = 0;
  for (const TaskMetrics& task : metrics.tasks) {
    EXPECT_EQ(task.state, "RUNNING");
    EXPECT_EQ(task.lag_records, 0);
    read += task.records_in;
  }
  EXPECT_EQ(read, 10);
  EXPECT_GT(metrics.records_in_per_second, 0);
  EXPECT_GT(metrics.records_out_per_second, 0);
}

TEST_F(QueryLife, ARecordThatFailsThreeTimesStopsItsQueryAlone) {
  Open();
  Run("CREATE STREAM s (x INT) WITH (kafka_topic='s', value_format='JSON', partitions=1, "
      "on_error='FAIL');"
      "CREATE STREAM t (x INT) WITH (kafka_topic='t', value_format='JSON', partitions=1);"
      "CREATE STREAM os AS SELECT x FROM s; CREATE STREAM ot AS SELECT x FROM t;");
  Put("s", R"({"X":1})");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  Put("s", R"({"X":"no number"})");
  Put("s", R"({"X":2})");
  Put("t", R"({"X":7})");
  EXPECT_EQ(engine_->RunUntilEnd(false).status().code(), ErrorCode::kQueryFailed);
  const QueryMetrics failed = MetricsOf("CSAS_OS");
  EXPECT_EQ(failed.state, "ERROR");
  EXPECT_NE(failed.error.find("X"), std::string::npos) << failed.error;
  EXPECT_EQ(Values("OS"), Texts{R"({"X":1})"});
  Run("TERMINATE CSAS_OS;");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(MetricsOf("CSAS_OT").state, "RUNNING");
  EXPECT_EQ(Values("OT"), Texts{R"({"X":7})"});
}

TEST_F(QueryLife, APausedQueryTakesNothingAndGoesOnWhereItStood) {
  Open();
  Run("CREATE STREAM s (x INT) WITH (kafka_topic='s', value_format='JSON', partitions=1);"
      "CREATE STREAM o AS SELECT x FROM s; CREATE STREAM p AS SELECT x FROM s;");
  Put("s", R"({"X":1})");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  Run("PAUSE CSAS_O;");
  EXPECT_EQ(MetricsOf("CSAS_O").state, "PAUSED");
  Put("s", R"({"X":2})");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok()) << "a paused query is not waited for";
  EXPECT_EQ(Values("O"), Texts{R"({"X":1})"});
  EXPECT_EQ(Values("P"), (Texts{R"({"X":1})", R"({"X":2})"}));
  Run("RESUME CSAS_O;");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(Values("O"), (Texts{R"({"X":1})", R"({"X":2})"}));
}

// 10^13 steps for one record: only giving up the round ends it.
TEST_F(QueryLife, ARoundWithoutEndHoldsUpNobody) {
  Open();
  Run("CREATE STREAM s (n INT) WITH (kafka_topic='s', value_format='JSON', partitions=1);");
  const std::string endless =
      "SELECT REDUCE(GENERATE_SERIES(1, n), 0, (s, x) => s + REDUCE(GENERATE_SERIES(1, n), 0, "
      "(t, y) => t + y)) AS x FROM s";
  Put("s", R"({"N":4000000})");
  const auto create = [&] {
    Run("CREATE STREAM o AS " + endless + ";");
    while (MetricsOf("CSAS_O").records_in == 0) std::this_thread::yield();
  };
  create();
  Run("PAUSE CSAS_O;");
  EXPECT_EQ(MetricsOf("CSAS_O").state, "PAUSED");
  Run("RESUME CSAS_O;");
  EXPECT_EQ(MetricsOf("CSAS_O").state, "RUNNING");
  Run("DROP STREAM o DELETE TOPIC;");
  EXPECT_EQ(Values("s").size(), 1u);
  {
    auto cursor = engine_->Query(endless + " EMIT CHANGES;");
    ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
    EXPECT_TRUE((*cursor)->Next(std::chrono::milliseconds(1)).ok());
    (*cursor)->Cancel();
  }
  create();
  ASSERT_TRUE(engine_->Close().ok());
}

TEST_F(QueryLife, ASelectWithoutEndIsCancelled) {
  Open();
  Run("CREATE STREAM s (n INT) WITH (kafka_topic='s', value_format='JSON', partitions=1);");
  Put("s", R"({"N":4000000})");
  auto cursor = engine_->Query(
      "SELECT REDUCE(GENERATE_SERIES(1, n), 0, (s, x) => s + REDUCE(GENERATE_SERIES(1, n), 0, "
      "(t, y) => t + y)) AS x FROM s;");
  ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
  std::promise<Status> done;
  std::future<Status> result = done.get_future();
  std::thread reading([&] {
    Status status;
    while (status.ok()) status = (*cursor)->Next(std::chrono::milliseconds(100)).status();
    done.set_value(status);
  });
  result.wait_for(std::chrono::milliseconds(20));  // Most likely it is at work then.
  (*cursor)->Cancel();
  reading.join();
  EXPECT_EQ(result.get().code(), ErrorCode::kCancelled);
}

TEST_F(QueryLife, AStatementWithoutEndIsCancelled) {
  Open();
  std::promise<Status> done;
  std::thread waiting([&] {
    done.set_value(
        engine_
            ->Execute("CREATE STREAM s (x INT) WITH (kafka_topic='s', value_format='JSON', "
                      "partitions=1); INSERT INTO s (x) VALUES (REDUCE("
                      "GENERATE_SERIES(1, 4000000), 0, (s, x) => s + REDUCE(GENERATE_SERIES(1, "
                      "4000000), 0, (t, y) => t + y)));")
            .status());
  });
  std::future<Status> result = done.get_future();
  while (result.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    engine_->CancelWaits();
  }
  waiting.join();
  EXPECT_EQ(result.get().code(), ErrorCode::kCancelled);
}

TEST_F(QueryLife, TheMemoryLimitStopsTheQueryThatPassesIt) {
  Open({{"memory.limit", "300000"}});
  Run("CREATE STREAM s (k STRING, x INT) WITH (kafka_topic='s', value_format='JSON', "
      "partitions=1);"
      "CREATE TABLE big AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"
      "CREATE STREAM o AS SELECT x FROM s;");
  std::vector<Record> records(20'000);
  for (size_t i = 0; i < records.size(); ++i) {
    records[i].value = "{\"K\":\"key number " + std::to_string(i) + "\",\"X\":1}";
    records[i].timestamp_ms = 1;
  }
  ASSERT_TRUE(engine_->Append("s", records).ok());
  EXPECT_EQ(engine_->RunUntilEnd(false).status().code(), ErrorCode::kQueryFailed);
  const QueryMetrics big = MetricsOf("CTAS_BIG");
  EXPECT_EQ(big.state, "ERROR");
  EXPECT_NE(big.error.find("memory.limit"), std::string::npos) << big.error;
  Run("TERMINATE CTAS_BIG;");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(Values("O").size(), records.size());
  EXPECT_LT(engine_->Metrics().memory_bytes, 300'000) << "what it held was given back";
}

TEST_F(QueryLife, ClosingWhileQueriesWorkIsClean) {
  Open({{"commit.interval.ms", "1"}});
  Run("CREATE STREAM s (k INT, x INT) WITH (kafka_topic='s', value_format='JSON', partitions=4);"
      "CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;");
  for (int i = 0; i < 200; ++i) {
    Put("s", "{\"K\":" + std::to_string(i % 7) + ",\"X\":1}");
  }
  EXPECT_TRUE(engine_->Close().ok());
  EXPECT_EQ(engine_->Execute("SHOW STREAMS;").status().code(), ErrorCode::kClosed);
}

}  // namespace
}  // namespace weir
