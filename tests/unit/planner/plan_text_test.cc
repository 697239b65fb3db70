// The written form of plans: what is read back writes the same text again, and what this version
// does not know is told.

#include "planner/physical/plan_text.h"
#include "planner/physical/state_signature.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

class PlanTextTest : public testing::Test {
 protected:
  void SetUp() override {
    session_.MustRun(
        "CREATE STREAM s (k INT KEY, v INT, w STRING, d DECIMAL(10, 2), b BYTES, day DATE,"
        "  a ARRAY<INT>, m MAP<STRING, DOUBLE>, x STRUCT<`f` INT, `g h` ARRAY<STRING>>)"
        "  WITH (kafka_topic = 's', key_format = 'JSON', value_format = 'JSON');"
        "CREATE STREAM r (k INT KEY, v INT, ts BIGINT, h BYTES HEADER('h'))"
        "  WITH (kafka_topic = 'r', key_format = 'JSON', value_format = 'JSON', timestamp = 'ts');"
        "CREATE TABLE t (k INT PRIMARY KEY, v INT, f STRING)"
        "  WITH (kafka_topic = 't', key_format = 'JSON', value_format = 'JSON');"
        "CREATE TABLE t2 (k INT PRIMARY KEY, v INT)"
        "  WITH (kafka_topic = 't2', key_format = 'JSON', value_format = 'JSON');"
        "CREATE TABLE u (f STRING PRIMARY KEY, z BIGINT)"
        "  WITH (kafka_topic = 'u', key_format = 'JSON', value_format = 'JSON');");
  }

  physical::NodePtr PlanOf(const std::string& sql) {
    const Result<ast::Statement> statement = ParseStatement(sql);
    EXPECT_TRUE(statement.ok()) << sql;
    if (!statement.ok()) return nullptr;
    if (statement->Is<ast::Select>()) {
      if (sql.find("EMIT") != std::string::npos) {
        const auto plan = PlanPushQuery(*statement, session_.context);
        EXPECT_TRUE(plan.ok()) << sql << ": " << plan.status().ToString();
        return plan.ok() ? plan->root : nullptr;
      }
      const auto plan = PlanPullQuery(*statement, session_.context);
      EXPECT_TRUE(plan.ok()) << sql << ": " << plan.status().ToString();
      return plan.ok() ? plan->root : nullptr;
    }
    const auto plan = PlanPersistentQuery(*statement, session_.context);
    EXPECT_TRUE(plan.ok()) << sql << ": " << plan.status().ToString();
    return plan.ok() ? plan->root : nullptr;
  }
  std::string TextOf(const std::string& sql) {
    const physical::NodePtr plan = PlanOf(sql);
    return plan == nullptr ? "" : WritePlan(*plan);
  }
  StateMatch Match(const std::string& kept, const std::string& made) {
    return CompareSignatures(SignatureOf(*PlanOf(kept)), SignatureOf(*PlanOf(made)));
  }

  PlanningSession session_;
};

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(PlanTextTest, WhatIsReadWritesTheSameText) {
  for (const std::string sql : {
           "CREATE STREAM o AS SELECT k, v + 1 AS v, w || 'ä\"\\' AS w, d * 1.5 AS d FROM s"
           "  WHERE w LIKE 'a%' AND v IN (1, 2, 3) OR x->`f` BETWEEN 1 AND 2;",
           "CREATE STREAM o AS SELECT k, TRANSFORM(a, e => e * v) AS a,"
           "  REDUCE(m, CAST(0 AS DOUBLE), (s, key, value) => s + value) AS r FROM s;",
           "CREATE STREAM o AS SELECT k, CASE WHEN v > 1 THEN 'x' WHEN v IS NULL THEN NULL ELSE w"
           "  END AS c, ARRAY[1, v] AS l, MAP('a' := v) AS n, STRUCT(q := w) AS st, x->`g h`[1] AS"
           "  y, DATEADD(DAYS, 2, day) AS t, GREATEST(v, 2) AS g, ROWTIME AS rt FROM s;",
           "CREATE STREAM o AS SELECT k, EXPLODE(a) AS e FROM s;",
           "CREATE STREAM o AS SELECT v, k, h FROM r PARTITION BY v;",
           "CREATE TABLE o AS SELECT v, COUNT(*) AS n, SUM(d) AS d, TOPK(v, 3) AS t,"
           "  LATEST_BY_OFFSET(w) AS l FROM s GROUP BY v HAVING COUNT(*) > 2;",
           "CREATE TABLE o WITH (key_format='JSON') AS SELECT v, w, COUNT(*) AS n FROM s"
           "  WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS) GROUP BY v, w;",
           "CREATE TABLE o AS SELECT k, COLLECT_LIST(v) AS n FROM s"
           "  WINDOW SESSION (10 SECONDS) GROUP BY k EMIT FINAL;",
           "CREATE TABLE o AS SELECT f, SUM(v) AS n FROM t WHERE v > 1 GROUP BY f;",
           "CREATE STREAM o AS SELECT s.k, s.v, r.v FROM s LEFT JOIN r WITHIN (1 SECOND, 2 SECONDS)"
           "  GRACE PERIOD 3 SECONDS ON s.k = r.k;",
           "CREATE STREAM o AS SELECT s.v AS j, s.w, t.f FROM s JOIN t ON s.v = t.k;",
           "CREATE TABLE o AS SELECT t.k AS k, t.v, u.z FROM t LEFT JOIN u ON t.f = u.f;",
           "CREATE TABLE o AS SELECT ROWKEY AS k, t.v AS a, c.v AS b FROM t"
           "  FULL OUTER JOIN t2 c ON t.k = c.k;",
           "CREATE STREAM o AS SELECT s.k, s.w, r.v FROM s JOIN r WITHIN 1 SECOND"
           "  ON s.k = r.k AND s.v > r.v;",
           "CREATE TABLE o AS SELECT t.k AS k, t.v, c.v AS w FROM t JOIN t c ON t.k = c.k;",
           "SELECT * FROM s FROM OFFSETS (1 := 7) EMIT CHANGES LIMIT 3;",
           "SELECT * FROM t EMIT CHANGES;",
           "SELECT v, COUNT(*), AVG(v) FROM s GROUP BY v ORDER BY 2 DESC LIMIT 3 OFFSET 1;",
           "SELECT 1 AS one, CAST(NULL AS INT) AS n, 1e300 AS d, TO_BYTES('ff', 'hex') AS b;",
       }) {
    const physical::NodePtr plan = PlanOf(sql);
    if (plan == nullptr) continue;
    const std::string text = WritePlan(*plan);
    const auto read = ReadPlan(text, BuiltinFunctions());
    ASSERT_TRUE(read.ok()) << read.status().ToString() << "\n" << text;
    EXPECT_EQ(WritePlan(**read), text);
    EXPECT_EQ(ExplainPhysical(**read), ExplainPhysical(*plan));
  }
}

TEST_F(PlanTextTest, ReadsAsWordsWhatItIs) {
  const std::string text = TextOf("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;");
  EXPECT_TRUE(
      text.starts_with("{\"weir_plan\":1,\"nodes\":[\n{\"id\":1,"
                       "\"node\":\"source\","))
      << text;
  EXPECT_NE(text.find(R"({"name":"aggregate-1","keys":["INTEGER"],"values":["COUNT() 1"],)"),
            std::string::npos)
      << text;
}

TEST_F(PlanTextTest, WhatIsNotKnownIsTold) {
  const std::string text = TextOf("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;");
  const auto error = [&](std::string_view from, std::string_view to) {
    const auto read = ReadPlan(Replaced(text, from, to), BuiltinFunctions());
    EXPECT_EQ(read.status().code(), ErrorCode::kPlanChanged);
    return read.status().message();
  };
  EXPECT_EQ(error("\"COUNT\"", "\"TALLY\""),
            "this version has no function TALLY() that gives BIGINT");
  EXPECT_EQ(error("\"node\":\"aggregate\"", "\"node\":\"heap\""),
            "the written plan has what this version does not know: heap");
  EXPECT_NE(error("\"node\":\"aggregate\"", "\"node\":\"aggregate\",\"speed\":3").find("speed"),
            std::string::npos);
  EXPECT_EQ(error("\"weir_plan\":1", "\"weir_plan\":2"),
            "the plan was written by a newer Weir: its version is 2, this one knows 1");
  EXPECT_EQ(error("\"nodes\":[",
                  "\"nodes\":["
                  "{"),
            "the written plan does not read");
}

TEST_F(PlanTextTest, StateGoesOnUnderOtherNamesFiltersAndResultsOfTheSameAggregates) {
  const std::string kept = "CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;";
  const auto keeps = [&](const std::string& made) { return Match(kept, made).equal; };
  EXPECT_TRUE(keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;"));
  EXPECT_TRUE(keeps("CREATE TABLE o AS SELECT v AS q, COUNT(*) AS m FROM s GROUP BY v;"));
  EXPECT_TRUE(keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s WHERE k > 2 GROUP BY v;"));
  EXPECT_TRUE(
      keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n, COUNT(*) * 2 AS m FROM s GROUP BY v;"));
  EXPECT_FALSE(keeps("CREATE TABLE o AS SELECT v, SUM(k) AS n FROM s GROUP BY v;"));
  EXPECT_FALSE(keeps("CREATE TABLE o AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"));
  EXPECT_FALSE(keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM r GROUP BY v;"));
  EXPECT_FALSE(
      keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s"
            "  WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY v;"));
  EXPECT_FALSE(keeps("CREATE TABLE o AS SELECT v, COUNT(*) AS n, MAX(k) AS m FROM s GROUP BY v;"));
}

TEST_F(PlanTextTest, SumsOfOtherColumnsAreOtherState) {
  const std::string kept = "CREATE TABLE o AS SELECT w, SUM(v) AS n FROM s GROUP BY w;";
  EXPECT_FALSE(Match(kept, "CREATE TABLE o AS SELECT w, SUM(k) AS n FROM s GROUP BY w;").equal);
  EXPECT_FALSE(Match(kept, "CREATE TABLE o AS SELECT w, SUM(v + 1) AS n FROM s GROUP BY w;").equal);
  const StateMatch match =
      Match(kept, "CREATE TABLE o AS SELECT w, MAX(v) AS n FROM s GROUP BY w;");
  ASSERT_FALSE(match.differs.empty());
  EXPECT_NE(match.differs[0].find("MAX:INTEGER(s.V:INTEGER)"), std::string::npos)
      << match.differs[0];
}

TEST_F(PlanTextTest, RowsOfJoinsAreBoundToTheirColumns) {
  const std::string kept =
      "CREATE STREAM o AS SELECT s.k, s.v, r.v FROM s JOIN r WITHIN 1 SECOND ON s.k = r.k;";
  EXPECT_TRUE(Match(kept,
                    "CREATE STREAM o AS SELECT s.k AS q, s.v AS x, r.v AS y FROM s"
                    "  JOIN r WITHIN 1 SECOND ON s.k = r.k;")
                  .equal);
  EXPECT_FALSE(Match(kept,
                     "CREATE STREAM o AS SELECT s.k, s.w, r.v FROM s"
                     "  JOIN r WITHIN 1 SECOND ON s.k = r.k;")
                   .equal);
  EXPECT_FALSE(Match(kept,
                     "CREATE STREAM o AS SELECT s.k, s.v, r.v FROM s"
                     "  JOIN r WITHIN 2 SECONDS ON s.k = r.k;")
                   .equal);
  // What a table's row gave under one condition is not taken back under another.
  EXPECT_FALSE(Match("CREATE TABLE o AS SELECT f, SUM(v) AS n FROM t WHERE v > 1 GROUP BY f;",
                     "CREATE TABLE o AS SELECT f, SUM(v) AS n FROM t WHERE v > 2 GROUP BY f;")
                   .equal);
}

TEST_F(PlanTextTest, StoresKeepTheNamesTheyHave) {
  const std::string sql = "CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;";
  const std::string text = Replaced(TextOf(sql), "\"name\":\"aggregate-1\"", "\"name\":\"old-7\"");
  const auto kept = ReadPlan(text, BuiltinFunctions());
  ASSERT_TRUE(kept.ok());
  const physical::NodePtr made = PlanOf(sql);
  const StateMatch match = CompareSignatures(SignatureOf(**kept), SignatureOf(*made));
  ASSERT_TRUE(match.equal);
  const auto fitted = ReadPlan(WritePlan(*made), BuiltinFunctions(), match.names);
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(WritePlan(**fitted), text);
}

}  // namespace
}  // namespace weir
