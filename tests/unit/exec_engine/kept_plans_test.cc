// Queries and the plans that the catalog keeps with them, over openings.

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exec/engine/catalog_store.h"
#include "tests/unit/exec_engine/reopened_store.h"

namespace weir {
namespace {

using test::ReopenedStore;
using Rows = std::vector<std::string>;

constexpr std::string_view kZoneRides =
    "CREATE STREAM rides (id STRING KEY, zone STRING, price INT) WITH (KAFKA_TOPIC='rides', "
    "VALUE_FORMAT='JSON', PARTITIONS=2);";
constexpr std::string_view kZoneTotals =
    "CREATE TABLE totals AS SELECT zone, SUM(price) AS price FROM rides GROUP BY zone;";

// Changes what the catalog keeps while the store is closed: as another version would have written
// it.
void ChangeKept(ReopenedStore& store, const std::function<void(StoredStatement&)>& change) {
  store.Close();
  const auto broker = store.OpenBroker();
  auto statements = LoadStatements(broker->state());
  ASSERT_TRUE(statements.ok()) << statements.status().ToString();
  auto unit = broker->NewCommitUnit("test");
  for (StoredStatement& statement : *statements) {
    change(statement);
    unit->Put(StatementKey(statement.number), EncodeStatement(statement));
  }
  ASSERT_TRUE(unit->Commit().ok());
}

void ChangePlans(ReopenedStore& store, const std::function<void(std::string&)>& change) {
  ChangeKept(store, [&](StoredStatement& statement) {
    for (auto& [query, plan] : statement.plans) change(plan);
  });
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Its plan takes the least price: other state than this version's plan would have.
TEST(KeptPlans, AQueryWhoseStateWouldBeOtherRunsOnByItsOwnPlan) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(
      "CREATE TABLE totals AS SELECT zone, MAX(price) AS price FROM rides GROUP BY zone;");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  ChangePlans(store, [](std::string& plan) { ReplaceAll(plan, "\"MAX\"", "\"MIN\""); });
  for (int opening = 0; opening < 2; ++opening) {
    store.Reopen();
    EXPECT_EQ(store.errors(), Rows());
    store.Append("rides", "a", fmt::format(R"({{"ZONE":"n","PRICE":{}}})", 4 + 5 * opening));
    EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 4"}));
  }
  EXPECT_EQ(store.StateOf("CTAS_TOTALS"), "RUNNING");
  const auto plan = store.engine().Execute("EXPLAIN CTAS_TOTALS;");
  ASSERT_TRUE(plan.ok());
  EXPECT_NE((*plan)[0].message.find("MIN("), std::string::npos) << (*plan)[0].message;
  ASSERT_EQ((*plan)[0].notices.size(), 1u);
  EXPECT_TRUE(
      (*plan)[0].notices[0].starts_with("query CTAS_TOTALS runs by the plan of an earlier version"))
      << (*plan)[0].notices[0];
  EXPECT_EQ((*store.engine().Execute("SHOW QUERIES;"))[0].notices, (*plan)[0].notices);
}

TEST(KeptPlans, APlanThatCannotRunPutsItsQueryInErrorAndLeavesTheRest) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  store.Execute("CREATE TABLE counts AS SELECT zone, COUNT(*) AS n FROM rides GROUP BY zone;");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  ChangePlans(store, [](std::string& plan) { ReplaceAll(plan, "\"SUM\"", "\"TALLY\""); });
  store.Reopen();
  ASSERT_EQ(store.errors().size(), 1u);
  EXPECT_NE(store.errors()[0].find("query CTAS_TOTALS cannot go on from its state: this version "
                                   "has no function TALLY(INTEGER) that gives INTEGER"),
            std::string::npos)
      << store.errors()[0];
  EXPECT_EQ(store.StateOf("CTAS_TOTALS"), "ERROR");
  // The way on: the same again, from the sources.
  store.Execute(
      "CREATE OR REPLACE TABLE totals AS SELECT zone, SUM(price) AS price FROM rides "
      "GROUP BY zone;");
  EXPECT_EQ(store.Settled("SELECT * FROM counts;"), Rows({"n | 1"}));
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
}

TEST(KeptPlans, AStoreInALayoutOfALaterVersionIsLeftAlone) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  ChangePlans(store, [](std::string& plan) { ReplaceAll(plan, "\"layout\":", "\"layout\":9"); });
  for (int opening = 0; opening < 2; ++opening) {
    store.Reopen();
    ASSERT_EQ(store.errors().size(), 1u);
    EXPECT_NE(store.errors()[0].find("query CTAS_TOTALS cannot go on from its state: its store"),
              std::string::npos)
        << store.errors()[0];
    EXPECT_EQ(store.Try("RESUME CTAS_TOTALS;").code(), ErrorCode::kPlanChanged);
    EXPECT_EQ(store.StateOf("CTAS_TOTALS"), "ERROR");
  }
}

TEST(KeptPlans, AStatementThatIsNotPlannedAnyMoreRunsOnByItsPlan) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  ChangeKept(store, [](StoredStatement& statement) {
    if (statement.kind == "query") ReplaceAll(statement.sql, "SUM(", "TALLY(");
  });
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":6})");
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 11"}));
  const auto shown = store.engine().Execute("SHOW QUERIES;");
  ASSERT_EQ((*shown)[0].notices.size(), 1u);
  EXPECT_EQ((*shown)[0].notices[0],
            "query CTAS_TOTALS runs by the plan of an earlier version, as this one does not plan "
            "its statement any more: unknown function: TALLY");
}

// Names of stores are no part of what the state depends on.
TEST(KeptPlans, ThePlanOfThisVersionFindsTheStoresByTheNamesTheyHave) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  ChangePlans(store, [](std::string& plan) { ReplaceAll(plan, "aggregate-1", "old-groups"); });
  store.Reopen();
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  store.Reopen();
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":6})");
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 11"}));
  const auto shown = store.engine().Execute("SHOW QUERIES;");
  EXPECT_EQ((*shown)[0].notices, Rows());
}

TEST(KeptPlans, AReplacementKeepsTheStateThatItCanGoOnFrom) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  store.Execute(
      "CREATE OR REPLACE TABLE totals AS SELECT zone, SUM(price) AS price, "
      "SUM(price) * 2 AS twice FROM rides WHERE price > 1 GROUP BY zone;");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":1})");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":6})");
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 11 | 22"}));
  store.Reopen();
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":9})");
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 20 | 40"}));
}

TEST(KeptPlans, AReplacementWithOtherStateIsMadeAnewBesideAndSwappedIn) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  store.Execute("CREATE TABLE again AS SELECT zone, price FROM totals;");
  for (const int price : {5, 3}) {
    store.Append("rides", "a", fmt::format(R"({{"ZONE":"n","PRICE":{}}})", price));
  }
  store.Append("rides", "a", R"({"ZONE":"gone","PRICE":1})");
  ASSERT_EQ(store.Settled("SELECT * FROM again;"), Rows({"gone | 1", "n | 8"}));
  const auto replaced = store.engine().Execute(
      "CREATE OR REPLACE TABLE totals AS SELECT zone, MAX(price) AS price FROM rides "
      "WHERE zone <> 'gone' GROUP BY zone;");
  ASSERT_TRUE(replaced.ok()) << replaced.status().ToString();
  EXPECT_EQ((*replaced)[0].message,
            "Table TOTALS is made anew beside query CTAS_TOTALS, which runs on until the new one "
            "has caught up");
  ASSERT_FALSE((*replaced)[0].notices.empty());
  EXPECT_NE((*replaced)[0].notices[0].find("MAX:INTEGER("), std::string::npos)
      << (*replaced)[0].notices[0];
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 5"}));
  // What reads the table is told what changed.
  EXPECT_EQ(store.Settled("SELECT * FROM again;"), Rows({"n | 5"}));
  for (int opening = 0; opening < 2; ++opening) {
    store.Append("rides", "a", fmt::format(R"({{"ZONE":"n","PRICE":{}}})", 6 + opening));
    EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({fmt::format("n | {}", 6 + opening)}));
    store.Reopen();
    EXPECT_EQ(store.errors(), Rows());
  }
  EXPECT_EQ((*store.engine().Execute("SHOW QUERIES;"))[0].notices, Rows());
  const auto topics = store.Rows("SHOW TOPICS;");
  EXPECT_TRUE(std::ranges::none_of(
      topics, [](const std::string& topic) { return topic.find("rebuild") != std::string::npos; }));
  store.Execute("DROP TABLE again; DROP TABLE totals;");
  store.Execute(kZoneTotals);
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"gone | 1", "n | 21"}));
}

// Or has taken the other's place by then, and is replaced in turn.
TEST(KeptPlans, WhatIsMadeAnewIsGivenUpForTheOldQueryOrWithIt) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(kZoneTotals);
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":3})");
  ASSERT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 8"}));
  const std::string as_max =
      "CREATE OR REPLACE TABLE totals AS SELECT zone, MAX(price) AS price FROM rides "
      "GROUP BY zone;";
  const std::string as_sum =
      "CREATE OR REPLACE TABLE totals AS SELECT zone, SUM(price) AS price FROM rides "
      "GROUP BY zone;";
  store.Execute(as_sum);
  store.Execute(as_max + as_max + as_sum);
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 8"}));
  store.Execute(as_max + "DROP TABLE totals;");
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  store.Execute(kZoneTotals);
  EXPECT_EQ(store.Settled("SELECT * FROM totals;"), Rows({"n | 8"}));
}

TEST(KeptPlans, AReplacementThatCannotStartLeavesTheOldQueryRunning) {
  ReopenedStore store;
  store.Execute(kZoneRides);
  store.Execute(
      "CREATE STREAM copy AS SELECT id, price FROM rides;"
      "CREATE STREAM zones (id STRING KEY, zone STRING) WITH (KAFKA_TOPIC='zones', "
      "VALUE_FORMAT='JSON', PARTITIONS=2);");
  store.Append("rides", "a", R"({"ZONE":"n","PRICE":5})");
  EXPECT_EQ(store.Settled("SELECT * FROM copy;"), Rows({"a | 5"}));
  const Status refused = store.Try(
      "CREATE OR REPLACE STREAM copy AS SELECT r.id, r.price, o.zone "
      "FROM rides r JOIN zones o WITHIN 1 SECOND ON r.id = o.id;");
  EXPECT_EQ(refused.code(), ErrorCode::kIncompatibleChange) << refused.ToString();
  EXPECT_EQ(store.StateOf("CSAS_COPY"), "RUNNING");
  store.Append("rides", "b", R"({"ZONE":"n","PRICE":6})");
  EXPECT_EQ(store.Settled("SELECT * FROM copy;"), Rows({"a | 5", "b | 6"}));
}

}  // namespace
}  // namespace weir
