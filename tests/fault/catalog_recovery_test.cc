// What a store is opened with again: the catalog as the last statement left it, in an order that
// works, with paused queries paused and dropped ones gone with their state.

#include <gtest/gtest.h>

#include "tests/fault/temporary_directory.h"
#include "weir/engine.h"

namespace weir::fault {
namespace {

class CatalogRecoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    Execute(
        "CREATE STREAM s (k VARCHAR KEY, a INT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', "
        "VALUE_FORMAT='JSON', PARTITIONS=1);");
  }

  void Reopen() {
    engine_.reset();
    EngineOptions options;
    options.directory = directory_.At("store");
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
  }

  void Execute(std::string_view sql) {
    const auto done = engine_->Execute(sql);
    ASSERT_TRUE(done.ok()) << sql << "\n" << done.status().ToString();
  }

  void Append(int a) {
    Record record;
    record.key = "key";
    record.value = "{\"a\":" + std::to_string(a) + "}";
    ASSERT_TRUE(engine_->Append("s", std::vector<Record>{record}).ok());
  }

  std::vector<std::string> Values(const std::string& topic) {
    const auto end = engine_->RunUntilEnd(false);
    EXPECT_TRUE(end.ok()) << end.status().ToString();
    const auto records = engine_->ReadTopic(topic);
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    std::vector<std::string> values;
    if (!records.ok()) return values;
    for (const TopicRecord& record : *records) values.push_back(record.value.value_or("-"));
    return values;
  }

  std::string StateOf(std::string_view id) {
    const EngineMetrics metrics = engine_->Metrics();
    for (const QueryMetrics& query : metrics.queries) {
      if (query.query_id == id) return query.state;
    }
    return "";
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
};

using Texts = std::vector<std::string>;

TEST_F(CatalogRecoveryTest, QueriesGoOnWhereTheyWere) {
  Execute("CREATE STREAM t AS SELECT k, a + 1 AS b FROM s EMIT CHANGES;");
  Append(1);
  EXPECT_EQ(Values("T"), Texts({"{\"B\":2}"}));
  Reopen();
  Append(2);
  EXPECT_EQ(Values("T"), Texts({"{\"B\":2}", "{\"B\":3}"}));
}

TEST_F(CatalogRecoveryTest, PausedStaysPaused) {
  Execute("CREATE STREAM t AS SELECT * FROM s EMIT CHANGES; PAUSE CSAS_T;");
  Reopen();
  EXPECT_EQ(StateOf("CSAS_T"), "PAUSED");
  Append(1);
  EXPECT_EQ(Values("T"), Texts());
  Execute("RESUME CSAS_T;");
  EXPECT_EQ(Values("T"), Texts({"{\"A\":1}"}));
  Reopen();
  EXPECT_EQ(StateOf("CSAS_T"), "RUNNING");
}

TEST_F(CatalogRecoveryTest, TerminatedSinksStayForWhatReadsThem) {
  Execute(
      "CREATE STREAM t AS SELECT * FROM s EMIT CHANGES;"
      "CREATE STREAM u AS SELECT * FROM t EMIT CHANGES; TERMINATE CSAS_T;");
  Reopen();
  EXPECT_EQ(StateOf("CSAS_T"), "");
  EXPECT_EQ(StateOf("CSAS_U"), "RUNNING");
  Execute("INSERT INTO t (k, a) VALUES ('x', 7);");
  EXPECT_EQ(Values("U"), Texts({"{\"A\":7}"}));
}

TEST_F(CatalogRecoveryTest, AReplacedQueryGoesOnFromItsPosition) {
  Execute("CREATE STREAM t WITH (KAFKA_TOPIC='t') AS SELECT k, a FROM s EMIT CHANGES;");
  Append(1);
  EXPECT_EQ(Values("t"), Texts({"{\"A\":1}"}));
  Execute(
      "CREATE OR REPLACE STREAM t WITH (KAFKA_TOPIC='t') AS "
      "SELECT k, a, a * 2 AS b FROM s WHERE a > 5 EMIT CHANGES;");
  Reopen();
  Append(2);
  Append(9);
  EXPECT_EQ(Values("t"), Texts({"{\"A\":1}", "{\"A\":9,\"B\":18}"}));
}

// Its number in the catalog is that of the first statement, before the source it reads now.
TEST_F(CatalogRecoveryTest, AReplacedSourceMayUseATypeMadeLater) {
  Execute(
      "CREATE STREAM r (a INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TYPE place AS STRUCT<x INT, y INT>;"
      "CREATE OR REPLACE STREAM r (a INT, p place) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', "
      "PARTITIONS=1);");
  Reopen();
  Execute("DESCRIBE r;");
}

TEST_F(CatalogRecoveryTest, WhatIsMadeAnewStartsAnew) {
  Execute(
      "CREATE TABLE c WITH (KAFKA_TOPIC='c') AS "
      "SELECT k, COUNT(*) AS n FROM s GROUP BY k EMIT CHANGES;");
  Append(1);
  Append(1);
  EXPECT_FALSE(Values("c").empty());
  Execute("DROP TABLE c DELETE TOPIC;");
  Reopen();
  Execute(
      "CREATE TABLE c WITH (KAFKA_TOPIC='c') AS "
      "SELECT k, COUNT(*) AS n FROM s WHERE a = 1 GROUP BY k EMIT CHANGES;");
  ASSERT_FALSE(Values("c").empty());
  EXPECT_EQ(Values("c").back(), "{\"N\":2}");
}

TEST_F(CatalogRecoveryTest, AlteredSinksOpenAgain) {
  Execute("CREATE STREAM t AS SELECT * FROM s EMIT CHANGES;");
  const auto altered = engine_->Execute("ALTER STREAM t ADD COLUMN extra INT;");
  Reopen();
  Append(1);
  EXPECT_EQ(Values("T").size(), 1u);
}

TEST_F(CatalogRecoveryTest, PipelinesGoOn) {
  Execute(
      "BEGIN PIPELINE p; CREATE STREAM lo AS SELECT * FROM s WHERE a < 5 EMIT CHANGES; "
      "CREATE STREAM hi AS SELECT * FROM s WHERE a >= 5 EMIT CHANGES; END PIPELINE;");
  Append(1);
  EXPECT_EQ(Values("LO").size(), 1u);
  Reopen();
  Append(9);
  EXPECT_EQ(Values("HI").size(), 1u);
  EXPECT_EQ(Values("LO").size(), 1u);
  Execute("DROP PIPELINE p;");
  Reopen();
  EXPECT_TRUE(engine_->Metrics().queries.empty());
}

TEST_F(CatalogRecoveryTest, ACursorMayOutliveClosing) {
  auto cursor = engine_->Query("SELECT * FROM s EMIT CHANGES;");
  ASSERT_TRUE(cursor.ok());
  EXPECT_TRUE(engine_->Close().ok());
  const auto next = (*cursor)->Next(std::chrono::milliseconds(0));
  EXPECT_EQ(next.status().code(), ErrorCode::kClosed) << next.status().ToString();
  EXPECT_TRUE((*cursor)->done());
  cursor->reset();
}

TEST_F(CatalogRecoveryTest, AClosedEngineLetsGoOfItsDirectory) {
  Append(1);
  EXPECT_TRUE(engine_->Close().ok());
  EngineOptions options;
  options.directory = directory_.At("store");
  {
    auto second = Engine::Open(options);
    ASSERT_TRUE(second.ok()) << second.status().ToString();
    EXPECT_EQ((*second)->ReadTopic("s")->size(), 1u);
  }
  EXPECT_EQ(engine_->ReadTopic("s").status().code(), ErrorCode::kClosed);
  EXPECT_EQ(engine_->RunUntilEnd(false).status().code(), ErrorCode::kClosed);
  EXPECT_TRUE(engine_->Close().ok()) << "once more";
}

}  // namespace
}  // namespace weir::fault
