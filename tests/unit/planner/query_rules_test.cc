// What persistent, push and pull queries and INSERT may say.

#include "planner/physical/state_shape.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

class QueryRulesTest : public testing::Test {
 protected:
  void SetUp() override {
    session_.MustRun(
        "CREATE STREAM s (k INT KEY, v INT, w STRING) WITH (kafka_topic = 's', key_format = "
        "'JSON');"
        "CREATE STREAM r (k INT KEY, v INT) WITH (kafka_topic = 'r', key_format = 'JSON');"
        "CREATE TABLE t (k INT PRIMARY KEY, v INT) WITH (kafka_topic = 't', key_format = 'JSON');"
        "CREATE TABLE counts AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"
        "CREATE TABLE windowed AS SELECT k, COUNT(*) AS n FROM s"
        "  WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY k;");
  }

  ErrorCode Code(const std::string& sql) {
    const Status status = session_.Run(sql);
    return status.code();
  }
  PullQueryPlan Pull(const std::string& sql) {
    Result<ast::Statement> statement = ParseStatement(sql);
    EXPECT_TRUE(statement.ok());
    Result<PullQueryPlan> plan = PlanPullQuery(*statement, session_.context);
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return plan.ok() ? std::move(*plan) : PullQueryPlan{};
  }
  /// What a pull query reads.
  physical::TopicSource Read(const std::string& sql) {
    physical::NodePtr node = Pull(sql).root;
    while (node->kind != physical::NodeKind::kTopicSource) node = node->inputs[0];
    return static_cast<const physical::TopicSource&>(*node);
  }

  PlanningSession session_;
};

TEST_F(QueryRulesTest, PartitionsWithoutAnOffsetStartAtTheirFirstRecord) {
  Result<ast::Statement> statement =
      ParseStatement("SELECT * FROM s FROM OFFSETS (1 := 7) EMIT CHANGES;");
  ASSERT_TRUE(statement.ok());
  Result<PushQueryPlan> plan = PlanPushQuery(*statement, session_.context);
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  physical::NodePtr node = plan->root;
  while (node->kind != physical::NodeKind::kTopicSource) node = node->inputs[0];
  const auto& source = static_cast<const physical::TopicSource&>(*node);
  EXPECT_EQ(source.start, physical::TopicSource::Start::kOffsets);
  ASSERT_GE(source.start_offsets.size(), 2u);
  EXPECT_EQ(source.start_offsets[0], -1);
  EXPECT_EQ(source.start_offsets[1], 7);
}

TEST_F(QueryRulesTest, KeysAreSelectedExactlyOnce) {
  EXPECT_EQ(Code("CREATE STREAM x AS SELECT v FROM s;"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Code("CREATE STREAM x AS SELECT k, k AS k2, v FROM s;"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Code("CREATE STREAM x AS SELECT k, AS_VALUE(k) AS k2 FROM s;"), ErrorCode::kOk);
  EXPECT_EQ(Code("CREATE STREAM y AS SELECT k FROM s;"), ErrorCode::kInvalidStatement);
  EXPECT_EQ(Code("SELECT v FROM s EMIT CHANGES;"), ErrorCode::kOk);
}

TEST_F(QueryRulesTest, StreamsAndTablesAreNotMixedUp) {
  EXPECT_EQ(Code("CREATE TABLE x AS SELECT * FROM s;"), ErrorCode::kInvalidStatement);
  EXPECT_EQ(Code("CREATE STREAM x AS SELECT k, COUNT(*) FROM s GROUP BY k;"),
            ErrorCode::kInvalidStatement);
  EXPECT_EQ(Code("CREATE STREAM x AS SELECT * FROM s LIMIT 5;"), ErrorCode::kInvalidStatement);
}

TEST_F(QueryRulesTest, JoinsSayWhatTheyNeed) {
  const std::string select = "SELECT * FROM ";
  EXPECT_EQ(Code(select + "s JOIN r ON s.k = r.k EMIT CHANGES;"), ErrorCode::kInvalidJoin);
  EXPECT_EQ(Code(select + "s JOIN r WITHIN 1 HOUR ON s.k = r.k EMIT CHANGES;"), ErrorCode::kOk);
  EXPECT_EQ(Code(select + "s JOIN t ON s.v = t.k EMIT CHANGES;"), ErrorCode::kOk);
  EXPECT_EQ(Code(select + "s JOIN t ON s.k = t.v EMIT CHANGES;"), ErrorCode::kInvalidJoin);
  EXPECT_EQ(Code(select + "s FULL JOIN t ON s.k = t.k EMIT CHANGES;"), ErrorCode::kInvalidJoin);
  EXPECT_EQ(Code(select + "t JOIN s ON s.k = t.k EMIT CHANGES;"), ErrorCode::kInvalidJoin);
  EXPECT_EQ(Code(select + "s JOIN r WITHIN 1 HOUR ON s.w = r.k EMIT CHANGES;"),
            ErrorCode::kInvalidJoin);
  EXPECT_EQ(Code(select + "s JOIN s WITHIN 1 HOUR ON s.k = s.k EMIT CHANGES;"),
            ErrorCode::kDuplicateName);
  EXPECT_EQ(Code(select + "s a JOIN s b WITHIN 1 HOUR ON a.k = b.v EMIT CHANGES;"), ErrorCode::kOk);
}

TEST_F(QueryRulesTest, WindowsAreWholeAndPositive) {
  const auto window = [&](const std::string& clause) {
    return Code("SELECT k, COUNT(*) FROM s WINDOW " + clause + " GROUP BY k EMIT CHANGES;");
  };
  EXPECT_EQ(window("HOPPING (SIZE 5 SECONDS, ADVANCE BY 10 SECONDS)"), ErrorCode::kInvalidWindow);
  EXPECT_EQ(window("TUMBLING (SIZE 0 SECONDS)"), ErrorCode::kInvalidWindow);
  EXPECT_EQ(window("TUMBLING (SIZE 1 HOUR, RETENTION 2 HOURS)"), ErrorCode::kInvalidWindow);
  EXPECT_EQ(window("TUMBLING (SIZE 1 HOUR, RETENTION 2 HOURS, GRACE PERIOD 1 HOUR)"),
            ErrorCode::kOk);
  // Without GROUP BY and without an aggregate there is nothing to put into windows.
  EXPECT_EQ(Code("SELECT * FROM s WINDOW TUMBLING (SIZE 1 HOUR) EMIT CHANGES;"),
            ErrorCode::kInvalidWindow);
  EXPECT_EQ(Code("SELECT k, COUNT(*) FROM s GROUP BY k EMIT FINAL;"), ErrorCode::kInvalidWindow);
}

TEST_F(QueryRulesTest, InsertIntoFitsItsTarget) {
  EXPECT_EQ(Code("INSERT INTO r SELECT k, v FROM s;"), ErrorCode::kOk);
  EXPECT_EQ(Code("INSERT INTO r SELECT k, w FROM s;"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Code("INSERT INTO r SELECT k, v AS x FROM s;"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Code("INSERT INTO t SELECT k, v FROM s;"), ErrorCode::kInvalidStatement);
}

TEST_F(QueryRulesTest, InsertValuesConvertsAndChecks) {
  EXPECT_EQ(Code("INSERT INTO s (rowtime, k, v) VALUES (5, 1, 2);"), ErrorCode::kOk);
  EXPECT_EQ(Code("INSERT INTO s (k, v) VALUES (1, 'x');"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Code("INSERT INTO s (k, v) VALUES (1);"), ErrorCode::kInvalidStatement);
  EXPECT_EQ(Code("INSERT INTO s (k, z) VALUES (1, 2);"), ErrorCode::kUnknownColumn);
  EXPECT_EQ(Code("INSERT INTO s (k, rowoffset) VALUES (1, 2);"), ErrorCode::kInvalidStatement);
  EXPECT_EQ(Code("INSERT INTO t (v) VALUES (1);"), ErrorCode::kInvalidKey);
  EXPECT_EQ(Code("INSERT INTO s (k, v) VALUES (1, 2 + 3);"), ErrorCode::kOk);
}

TEST_F(QueryRulesTest, PullQueriesLookKeysUp) {
  EXPECT_EQ(Read("SELECT * FROM counts WHERE k = 5;").lookups.size(), 1u);
  EXPECT_EQ(Read("SELECT * FROM counts WHERE k IN (1, 2, 2);").lookups.size(), 2u);
  EXPECT_EQ(Read("SELECT * FROM counts WHERE k = 1 OR k = 2;").lookups.size(), 2u);
  EXPECT_EQ(Read("SELECT COUNT(*) FROM counts WHERE k = 5;").lookups.size(), 1u);
  EXPECT_TRUE(Read("SELECT * FROM counts WHERE n > 3;").lookups.empty());
  EXPECT_TRUE(Read("SELECT * FROM counts WHERE k = 1 OR n = 2;").lookups.empty());
  EXPECT_EQ(Read("SELECT * FROM counts;").kept_by, "CTAS_COUNTS");
}

TEST_F(QueryRulesTest, TablesThatNobodyKeepsAreReadFromTheirTopicWithExtensionsOnly) {
  EXPECT_EQ(Read("SELECT * FROM t;").origin, physical::TopicSource::Origin::kTopic);
  session_.context.sql_extensions = false;
  EXPECT_EQ(Code("SELECT * FROM t;"), ErrorCode::kInvalidPullQuery);
}

TEST_F(QueryRulesTest, PullQueriesOfWindowsShowTheirBoundsAsKeys) {
  EXPECT_EQ(Pull("SELECT * FROM windowed WHERE k = 1;").schema->ToString(),
            "`K` INTEGER KEY, `WINDOWSTART` BIGINT KEY, `WINDOWEND` BIGINT KEY, `N` BIGINT");
}

TEST_F(QueryRulesTest, PullQueriesOverStreamsReadWhatTheyNeed) {
  const std::string sql = "SELECT v + 1 AS x FROM s WHERE v > 2 LIMIT 3;";
  EXPECT_EQ(Read(sql).schema->ToString(), "`V` INTEGER");
  EXPECT_EQ(Pull(sql).limit, 3);
}

TEST_F(QueryRulesTest, ScansCanBeSwitchedOff) {
  session_.context.properties["ksql.query.pull.table.scan.enabled"] = "false";
  EXPECT_EQ(Code("SELECT * FROM counts;"), ErrorCode::kInvalidPullQuery);
  EXPECT_EQ(Code("SELECT * FROM counts WHERE n = 1;"), ErrorCode::kInvalidPullQuery);
  EXPECT_EQ(Code("SELECT * FROM counts WHERE k >= 1;"), ErrorCode::kOk);
}

TEST_F(QueryRulesTest, TheSamePlanHasTheSameFingerprint) {
  const auto fingerprint = [&](const std::string& sql) {
    Result<ast::Statement> statement = ParseStatement(sql);
    return PlanPersistentQuery(*statement, session_.context)->fingerprint;
  };
  const std::string a = "CREATE TABLE c AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;";
  EXPECT_EQ(fingerprint(a),
            fingerprint("create table c as select v, count(*) n from s group by v"));
  EXPECT_NE(fingerprint(a),
            fingerprint("CREATE TABLE c AS SELECT v, SUM(k) AS n FROM s GROUP BY v;"));
}

// Kept state bears the hash of this text: it may not change for the plans of today.
TEST_F(QueryRulesTest, TheShapeOfStateIsWhatItWas) {
  const auto shape = [&](const std::string& sql) {
    Result<ast::Statement> statement = ParseStatement(sql);
    return StateShape(*PlanPersistentQuery(*statement, session_.context)->root);
  };
  EXPECT_EQ(shape("CREATE STREAM c AS SELECT k, v + 1 AS n FROM s WHERE v > 1;"),
            "stateless S topic s");
  const std::string counts = shape("CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;");
  EXPECT_EQ(counts,
            "shape 1\n"
            "table [`K` INTEGER KEY, `N` BIGINT] mode 1\n"
            " project K, COUNT(*) AS N [`K` INTEGER KEY, `N` BIGINT] mode 1\n"
            "  aggregate 1 COUNT() none [`K` INTEGER KEY, `COUNT(*)` BIGINT] mode 1 store "
            "aggregate-1\n"
            "   project K [`K` INTEGER KEY] mode 0\n"
            "    read S topic s [`K` INTEGER KEY] mode 0\n");
  session_.MustRun("ALTER STREAM s ADD COLUMN later STRING;");
  EXPECT_EQ(shape("CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"), counts);
}

TEST_F(QueryRulesTest, QueryIdsAreGuessable) {
  Result<ast::Statement> insert = ParseStatement("INSERT INTO r SELECT k, v FROM s;");
  const std::string id = PlanPersistentQuery(*insert, session_.context)->query_id;
  EXPECT_TRUE(id.starts_with("INSERT_R_"));
  Result<ast::Statement> named =
      ParseStatement("INSERT INTO r WITH (query_id = 'mine') SELECT k, v FROM s;");
  EXPECT_EQ(PlanPersistentQuery(*named, session_.context)->query_id, "MINE");
}

}  // namespace
}  // namespace weir
