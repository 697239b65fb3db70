// What is kept of a store means, when it is opened again, what it meant when it was made; and what
// cannot be made again keeps nothing else from working.

#include <gtest/gtest.h>

#include "exec/engine/catalog_store.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_shape.h"
#include "tests/unit/exec_engine/reopened_store.h"

namespace weir::test {
namespace {

using Rows = std::vector<std::string>;

constexpr const char* kOrders =
    "CREATE STREAM o (id INT KEY, amt INT) WITH (KAFKA_TOPIC='o', KEY_FORMAT='JSON', "
    "VALUE_FORMAT='JSON', PARTITIONS=1);";

TEST(CatalogReopen, AlteredSourcesKeepTheirQueries) {
  ReopenedStore store;
  store.Execute(kOrders);
  store.Execute(
      "CREATE TABLE names (id INT PRIMARY KEY, name VARCHAR) WITH (KAFKA_TOPIC='names', "
      "KEY_FORMAT='JSON', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE tot AS SELECT id, SUM(amt) AS total FROM o GROUP BY id;"
      "CREATE STREAM joined AS SELECT o.id, amt, name FROM o LEFT JOIN names n ON o.id = n.id;"
      "CREATE STREAM p (id INT KEY, x INT) WITH (KAFKA_TOPIC='p', KEY_FORMAT='JSON', "
      "VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE STREAM pairs AS SELECT * FROM o JOIN p WITHIN 1 HOUR ON o.id = p.id;"
      "CREATE TABLE v AS SELECT * FROM names;"
      "CREATE STREAM copy AS SELECT * FROM o;"
      "CREATE STREAM all_of (id INT KEY, amt INT) WITH (KAFKA_TOPIC='all_of', KEY_FORMAT='JSON', "
      "VALUE_FORMAT='JSON', PARTITIONS=1);"
      "INSERT INTO all_of SELECT * FROM o;");
  store.Append("names", "1", R"({"NAME":"one"})");
  EXPECT_EQ(store.Settled("SELECT * FROM v;"), Rows({"1 | one"}));
  store.Append("o", "1", R"({"AMT":5})");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 5"}));
  store.Execute(
      "ALTER STREAM o ADD COLUMN note STRING, ADD COLUMN name STRING;"
      "ALTER TABLE names ADD COLUMN amt INT;"
      "ALTER STREAM all_of ADD COLUMN extra INT;");
  for (int opening = 0; opening < 2; ++opening) {
    store.Reopen();
    EXPECT_EQ(store.errors(), Rows());
    store.Append("o", "1", R"({"AMT":7,"NOTE":"n","NAME":"m"})");
  }
  store.Append("names", "2", R"({"NAME":"two","AMT":1})");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 19"}));
  EXPECT_EQ(store.Rows("SELECT * FROM v;"), Rows({"1 | one", "2 | two"}));
  EXPECT_EQ(store.Rows("SELECT * FROM joined;"),
            Rows({"1 | 5 | one", "1 | 7 | one", "1 | 7 | one"}));
  EXPECT_EQ(store.Rows("SELECT * FROM copy;"), Rows({"1 | 5", "1 | 7", "1 | 7"}));
  EXPECT_EQ(store.Rows("SELECT * FROM all_of;"),
            Rows({"1 | 5 | null", "1 | 7 | null", "1 | 7 | null"}));
  EXPECT_EQ(store.Rows("SELECT COUNT(*) FROM o;").size(), 1u);
  // Whoever asks again for `*` gets what there is now.
  store.Execute("CREATE OR REPLACE STREAM copy AS SELECT * FROM o;");
  store.Append("o", "2", R"({"AMT":1,"NOTE":"x","NAME":"y"})");
  EXPECT_EQ(store.Settled("SELECT * FROM copy WHERE id = 2;"), Rows({"2 | 1 | x | y"}));
}

// Fields are told by their place there, so the query must learn of the new one at once.
TEST(CatalogReopen, AlteringDelimitedValuesLosesNoRows) {
  ReopenedStore store;
  store.Execute(
      "CREATE STREAM d (id STRING KEY, amt INT) WITH (KAFKA_TOPIC='d', VALUE_FORMAT='DELIMITED', "
      "PARTITIONS=1);"
      "CREATE TABLE tot AS SELECT id, SUM(amt) AS total FROM d GROUP BY id;"
      "CREATE STREAM copy AS SELECT * FROM d; PAUSE CSAS_COPY;");
  store.Append("d", "a", "1");
  ASSERT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"a | 1"}));
  store.Execute("ALTER STREAM d ADD COLUMN note STRING;");
  store.Append("d", "a", "2,x");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"a | 3"}));
  EXPECT_EQ(store.StateOf("CSAS_COPY"), "PAUSED");
}

// Its entries say nothing of columns and plans, and its state bears the hash of its shape.
TEST(CatalogReopen, AStoreOfTheFirstFormatGoesOn) {
  ReopenedStore store;
  const std::string create = "CREATE TABLE tot AS SELECT amt, COUNT(*) AS n FROM o GROUP BY amt;";
  store.Execute(kOrders);
  store.Execute(create);
  store.Append("o", "1", R"({"AMT":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"5 | 1"}));
  store.Close();
  {
    const auto broker = store.OpenBroker();
    auto unit = broker->NewCommitUnit("test");
    const auto kept = LoadStatements(broker->state());
    ASSERT_TRUE(kept.ok()) << kept.status().ToString();
    uint64_t fingerprint = 0;
    for (const StoredStatement& stored : *kept) {
      for (const auto& [query, text] : stored.plans) {
        const auto plan = ReadPlan(text, BuiltinFunctions());
        ASSERT_TRUE(plan.ok()) << plan.status().ToString();
        fingerprint = StableHash(StateShape(**plan));
      }
      std::string bytes = "\1R";
      for (const std::string& text : {stored.kind, stored.name, stored.sql}) {
        bytes += std::to_string(text.size()) + ":" + text;
      }
      unit->Put(StatementKey(stored.number), bytes);
    }
    ASSERT_NE(fingerprint, 0u);
    const std::string key = QueryRuntime::StatePrefix("CTAS_TOT") + "fingerprint";
    unit->Put(key, std::string(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint));
    ASSERT_TRUE(unit->Commit().ok());
  }
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  store.Execute("ALTER STREAM o ADD COLUMN note STRING;");
  for (int opening = 0; opening < 2; ++opening) {
    store.Reopen();
    EXPECT_EQ(store.errors(), Rows());
    store.Append("o", "1", R"({"AMT":5})");
  }
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"5 | 3"}));
}

TEST(CatalogReopen, ATableThatIsReplacedKeepsItsRows) {
  ReopenedStore store;
  store.Execute(
      "CREATE TABLE t (id INT PRIMARY KEY, a INT, b STRING) WITH (KAFKA_TOPIC='t', "
      "KEY_FORMAT='JSON', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE v AS SELECT id, a FROM t;");
  store.Append("t", "1", R"({"A":1,"B":"x"})");
  EXPECT_EQ(store.Settled("SELECT * FROM v;"), Rows({"1 | 1"}));
  store.Execute("CREATE OR REPLACE TABLE v AS SELECT id, a, b FROM t;");
  EXPECT_EQ(store.Settled("SELECT * FROM v;"), Rows({"1 | 1 | null"}));
  store.Append("t", "2", R"({"A":2,"B":"y"})");
  EXPECT_EQ(store.Settled("SELECT * FROM v;"), Rows({"1 | 1 | null", "2 | 2 | y"}));
  store.Reopen();
  EXPECT_EQ(store.Settled("SELECT * FROM v;"), Rows({"1 | 1 | null", "2 | 2 | y"}));
}

TEST(CatalogReopen, WhatWasMadeWithATypeStays) {
  ReopenedStore store;
  store.Execute(
      "CREATE TYPE address AS STRUCT<city STRING, zip INT>;"
      "CREATE STREAM s (id INT, a address, l ARRAY<address>) WITH (KAFKA_TOPIC='s', "
      "VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE STREAM c AS SELECT id, CAST(a AS address) AS a FROM s;"
      "DROP TYPE address;");
  const Rows made = store.Rows("DESCRIBE s;");
  const Rows derived = store.Rows("DESCRIBE c;");
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  EXPECT_EQ(store.Rows("DESCRIBE s;"), made);
  store.Execute("CREATE TYPE address AS STRUCT<other INT>;");
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  EXPECT_EQ(store.Rows("DESCRIBE s;"), made);
  EXPECT_EQ(store.Rows("DESCRIBE c;"), derived);
}

TEST(CatalogReopen, ATopicThatOthersReadIsNotDeleted) {
  ReopenedStore store;
  store.Execute(
      "CREATE STREAM a (x INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE STREAM b (x INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');");
  const Status refused = store.Try("DROP STREAM a DELETE TOPIC;");
  EXPECT_EQ(refused.code(), ErrorCode::kHasDependants);
  EXPECT_NE(refused.message().find("B"), std::string::npos) << refused.ToString();
  store.Execute("DROP STREAM a; DROP STREAM b DELETE TOPIC;");
}

TEST(CatalogReopen, TheSameScriptOverAFileRunsTwice) {
  ReopenedStore store;
  store.WriteFile("n.csv", "id,v\n1,NA\n2,x\n");
  const std::string create =
      "CREATE STREAM n WITH (CONNECTOR='file', PATH='" + store.At("n.csv") + "', NULL='NA');";
  store.Execute(create);
  store.Execute(create);
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  // Another line may make other columns; what there is stays as it is.
  store.WriteFile("n.csv", "id,v\n1,NA\nmore,x\n");
  store.Execute(create);
  EXPECT_EQ(store.Rows("DESCRIBE n;"), Rows({"ID | BIGINT | ", "V | STRING | "}));
  store.Execute("CREATE STREAM IF NOT EXISTS n WITH (CONNECTOR='file', PATH='gone.csv');");
  EXPECT_EQ(store.Try("CREATE STREAM n WITH (CONNECTOR='file', PATH='elsewhere.csv');").code(),
            ErrorCode::kAlreadyExists);
}

TEST(CatalogReopen, PropertiesOfAnyNameReadBack) {
  ReopenedStore store;
  store.WriteFile("n.csv", "id,v\n1,NA\n");
  const std::string path = "PATH='" + store.At("n.csv") + "'";
  store.Execute("CREATE STREAM a WITH (CONNECTOR='file', " + path + ", 'NULL'='NA');" +
                "CREATE STREAM b WITH (connector='file', " + path + ", null='NA');" +
                "CREATE STREAM c (id INT) WITH (CONNECTOR='datagen', ROWS=2, "
                "'COLUMN.id'='sequence(1, 1)');");
  std::map<std::string, Rows> before;
  for (const char* name : {"a", "b", "c"}) {
    before[name] = store.Rows(std::string("SHOW CREATE ") + name + ";");
  }
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  for (const auto& [name, shown] : before) {
    EXPECT_EQ(store.Rows("SHOW CREATE " + name + ";"), shown);
  }
}

TEST(CatalogReopen, AnObjectInErrorKeepsNothingElseFromWorking) {
  ReopenedStore store;
  store.Execute(kOrders);
  store.Execute(
      "CREATE STREAM keeper (x INT) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE STREAM lost (x INT) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON');"
      "DROP STREAM keeper;"
      "CREATE STREAM reader AS SELECT x + 1 AS y FROM lost;"
      "CREATE TABLE counts AS SELECT y, COUNT(*) AS n FROM reader GROUP BY y;"
      "CREATE TABLE tot AS SELECT id, SUM(amt) AS total FROM o GROUP BY id;"
      "CREATE TYPE t AS INT;");
  store.Append("o", "1", R"({"AMT":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 5"}));
  store.Close();
  {
    const auto broker = store.OpenBroker();
    ASSERT_TRUE(broker->DeleteTopic("gone").ok());
    auto unit = broker->NewCommitUnit("test");
    StoredStatement garbage;
    garbage.kind = "type";
    garbage.name = "T";
    garbage.sql = "CREATE TYPE t IS INT";
    garbage.number = 6;
    unit->Put(StatementKey(garbage.number), EncodeStatement(garbage));
    ASSERT_TRUE(unit->Commit().ok());
  }
  store.Reopen();
  EXPECT_EQ(store.errors().size(), 4u);
  EXPECT_EQ(store.Rows("SELECT * FROM tot;"), Rows({"1 | 5"}));
  EXPECT_EQ(store.StateOf("CSAS_READER"), "ERROR");
  EXPECT_EQ(store.StateOf("CTAS_COUNTS"), "ERROR");
  const std::string cause = "no topic has this name: gone";
  for (const char* sql : {"SHOW STREAMS;", "SHOW TABLES;", "SHOW QUERIES;", "DESCRIBE lost;",
                          "DESCRIBE counts;", "SELECT * FROM reader EMIT CHANGES;"}) {
    std::string all;
    for (const std::string& row : store.Rows(sql)) all += row + "\n";
    EXPECT_NE(all.find(cause), std::string::npos) << sql << "\n" << all;
  }
  EXPECT_NE(store.Rows("SHOW TYPES;").at(0).find("ERROR"), std::string::npos);
  // Names are taken; what others depend on stays.
  EXPECT_EQ(store.Try("CREATE STREAM reader (y INT) WITH (KAFKA_TOPIC='r', PARTITIONS=1);").code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(store.Try("DROP STREAM lost;").code(), ErrorCode::kHasDependants);
  EXPECT_EQ(store.Try("DROP STREAM reader;").code(), ErrorCode::kHasDependants);
  // Mended, with all that depends on it.
  store.Execute(
      "CREATE OR REPLACE STREAM lost (x INT) WITH (KAFKA_TOPIC='gone', "
      "VALUE_FORMAT='JSON', PARTITIONS=1);");
  EXPECT_EQ(store.StateOf("CTAS_COUNTS"), "RUNNING");
  store.Append("gone", "", R"({"X":1})");
  EXPECT_EQ(store.Settled("SELECT * FROM counts;"), Rows({"2 | 1"}));
  store.Execute("DROP TYPE t;");
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  EXPECT_EQ(store.Settled("SELECT * FROM counts;"), Rows({"2 | 1"}));
}

TEST(CatalogReopen, WhatIsInErrorCanBeDropped) {
  ReopenedStore store;
  store.Execute(
      "CREATE STREAM keeper (x INT) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE STREAM lost (x INT) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON');"
      "CREATE STREAM target (x INT) WITH (KAFKA_TOPIC='target', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "DROP STREAM keeper;"
      "CREATE STREAM reader AS SELECT x + 1 AS y FROM lost;"
      "INSERT INTO target WITH (QUERY_ID='insert_it') SELECT x FROM lost;"
      "BEGIN PIPELINE p; CREATE STREAM piped AS SELECT * FROM lost; END PIPELINE;");
  store.Close();
  ASSERT_TRUE(store.OpenBroker()->DeleteTopic("gone").ok());
  store.Reopen();
  EXPECT_EQ(store.errors().size(), 4u);
  EXPECT_EQ(store.Try("DROP STREAM target;").code(), ErrorCode::kHasDependants);
  EXPECT_EQ(store.Try("RESUME insert_it;").code(), ErrorCode::kQueryFailed);
  store.Execute(
      "TERMINATE insert_it; DROP STREAM target; DROP STREAM reader; DROP PIPELINE p;"
      "DROP STREAM lost;");
  EXPECT_EQ(store.Rows("SHOW STREAMS;"), Rows());
  EXPECT_EQ(store.Rows("SHOW QUERIES;"), Rows());
  store.Reopen();
  EXPECT_EQ(store.errors(), Rows());
  EXPECT_EQ(store.Rows("SHOW STREAMS;"), Rows());
}

TEST(CatalogReopen, AStoreOpensWithItsQueriesPaused) {
  ReopenedStore store;
  store.Execute(kOrders);
  store.Execute(
      "CREATE TABLE tot AS SELECT id, SUM(amt) AS total FROM o GROUP BY id;"
      "CREATE STREAM copy AS SELECT * FROM o;");
  store.Append("o", "1", R"({"AMT":5})");
  ASSERT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 5"}));
  store.Reopen(true);
  EXPECT_EQ(store.StateOf("CTAS_TOT"), "PAUSED");
  store.Append("o", "1", R"({"AMT":7})");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 5"}));
  store.Execute("RESUME CTAS_TOT;");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 12"}));
  EXPECT_EQ(store.StateOf("CSAS_COPY"), "PAUSED");
  store.Execute("DROP STREAM copy;");
  store.Reopen();
  EXPECT_EQ(store.StateOf("CTAS_TOT"), "RUNNING");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 12"}));
}

// State lies by the partitions of the topic: more of them would place its keys anew.
TEST(CatalogReopen, ATopicWithOtherPartitionsStopsTheStateMadeOfIt) {
  ReopenedStore store;
  ASSERT_TRUE(store.engine().CreateTopic("o", 1, false).ok());
  store.Execute(
      "CREATE STREAM o (id INT KEY, amt INT) WITH (KAFKA_TOPIC='o', KEY_FORMAT='JSON', "
      "VALUE_FORMAT='JSON');"
      "CREATE TABLE tot AS SELECT id, SUM(amt) AS total FROM o GROUP BY id;"
      "CREATE STREAM other (id INT KEY, x INT) WITH (KAFKA_TOPIC='other', KEY_FORMAT='JSON', "
      "VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE more AS SELECT id, SUM(x) AS total FROM other GROUP BY id;");
  store.Append("o", "1", R"({"AMT":5})");
  store.Append("other", "1", R"({"X":1})");
  EXPECT_EQ(store.Settled("SELECT * FROM tot;"), Rows({"1 | 5"}));
  store.Close();
  {
    const auto broker = store.OpenBroker();
    ASSERT_TRUE(broker->DeleteTopic("o").ok());
    TopicInfo topic;
    topic.name = "o";
    topic.partitions = 3;
    ASSERT_TRUE(broker->CreateTopic(topic).ok());
  }
  store.Reopen();
  ASSERT_FALSE(store.errors().empty());
  for (const std::string& error : store.errors()) {
    EXPECT_NE(error.find("topic o has 3 partitions now, and what the query keeps of it is for 1"),
              std::string::npos)
        << error;
  }
  EXPECT_EQ(store.StateOf("CTAS_TOT"), "ERROR");
  store.Append("other", "1", R"({"X":2})");
  EXPECT_EQ(store.Rows("SELECT * FROM more;"), Rows({"1 | 3"}));
}

}  // namespace
}  // namespace weir::test
