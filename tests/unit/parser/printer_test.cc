// Canonical text: what one statement prints, and that every statement of the fuzz corpus reads
// back.

#include <gtest/gtest.h>

#include "parser/parser.h"

namespace weir {
namespace {

std::string Canonical(std::string_view sql) {
  Result<ast::Statement> parsed = ParseStatement(sql);
  if (!parsed.ok()) return parsed.status().ToString();
  const std::string text = ast::FormatStatement(*parsed);
  Result<ast::Statement> again = ParseStatement(text);
  if (!again.ok()) return text + "\n" + again.status().ToString();
  EXPECT_EQ(ast::FormatStatement(*again), text);
  return text;
}

TEST(PrinterTest, SourcesPrintCanonically) {
  EXPECT_EQ(
      Canonical("create or replace source stream if not exists s (k int key, `v` array<"
                "struct<a string>>, h bytes header('x')) with (kafka_topic='t', Partitions=3)"),
      "CREATE OR REPLACE SOURCE STREAM IF NOT EXISTS S (K INT KEY, `v` ARRAY<STRUCT<A "
      "STRING>>, H BYTES HEADER('x')) WITH (KAFKA_TOPIC = 't', PARTITIONS = 3)");
  EXPECT_EQ(Canonical("create table t with (\"tasks.max\"=-1.5, b=true, n=null)"),
            "CREATE TABLE T WITH ('TASKS.MAX' = -1.5, B = TRUE, N = NULL)");
}

TEST(PrinterTest, QueriesPrintCanonically) {
  EXPECT_EQ(
      Canonical(
          "select a x, count(*) from s t left join u within 60 seconds grace period 1500 "
          "milliseconds on t.a=u.a window hopping (size 1 day, advance by 12 hours) where not "
          "(a or b) group by (a, b) having sum(a)>1 emit changes limit 5"),
      "SELECT A AS X, COUNT(*) FROM S AS T LEFT OUTER JOIN U WITHIN 1 MINUTES GRACE PERIOD 1500 "
      "MILLISECONDS ON T.A = U.A WINDOW HOPPING (SIZE 1 DAYS, ADVANCE BY 12 HOURS) WHERE NOT (A "
      "OR B) GROUP BY A, B HAVING SUM(A) > 1 EMIT CHANGES LIMIT 5");
  EXPECT_EQ(
      Canonical("select * from a union all select b from (select * from c) d order by x desc"),
      "SELECT * FROM A UNION ALL SELECT B FROM (SELECT * FROM C) AS D ORDER BY X DESC");
  EXPECT_EQ(Canonical("SELECT ->x FROM s").substr(0, 10), "error 2001");
}

TEST(PrinterTest, PlainSqlKeepsItsShape) {
  for (const std::string same : {
           "SELECT * FROM A, B CROSS JOIN C",
           "SELECT * FROM A INNER JOIN B USING (X, Y) NATURAL LEFT OUTER JOIN C",
           "SELECT A FROM B UNION (SELECT C FROM D INTERSECT ALL SELECT E FROM F)",
           "(SELECT A UNION SELECT B UNION SELECT C) EXCEPT ALL SELECT D",
           "SELECT A EXCEPT (SELECT B EXCEPT SELECT C)",
           "(SELECT A ORDER BY A LIMIT 1) UNION ALL SELECT B LIMIT 2",
           "SELECT A FROM B WHERE X NOT IN (SELECT Y FROM C) AND NOT EXISTS (SELECT * FROM D)",
           "SELECT (SELECT MAX(A) FROM B) + 1 FROM C WHERE A > ALL (SELECT B FROM C)",
           "SELECT * EXCEPT (A, B) REPLACE (C + 1 AS C), T.* EXCEPT (D) FROM T",
           "SELECT COUNT(DISTINCT A) FILTER (WHERE B > 1) AS N FROM C",
       }) {
    EXPECT_EQ(Canonical(same), same);
  }
  EXPECT_EQ(Canonical("(SELECT a UNION SELECT b) INTERSECT SELECT c"),
            "(SELECT A UNION SELECT B) INTERSECT SELECT C");
  EXPECT_EQ(Canonical("SELECT a UNION SELECT b INTERSECT SELECT c EXCEPT SELECT d"),
            "(SELECT A UNION (SELECT B INTERSECT SELECT C)) EXCEPT SELECT D");
  EXPECT_EQ(Canonical("SELECT * EXCLUDE (a) FROM t WHERE x = SOME (SELECT y FROM u)"),
            "SELECT * EXCEPT (A) FROM T WHERE X = ANY (SELECT Y FROM U)");
}

// They were names before, and are where they can be.
TEST(PrinterTest, WordsOfPlainSqlAreNamesToo) {
  for (const std::string same : {
           "SELECT ANY, SOME, USING FROM CROSS AS NATURAL",
           "SELECT EXCEPT AS EXCLUDE FROM INTERSECT AS EXCEPT",
           "SELECT FILTER(A, X => X > 1) AS FILTER FROM FILTER AS USING",
           "SELECT * FROM A AS CROSS INNER JOIN B AS USING ON CROSS.X = USING.Y",
       }) {
    EXPECT_EQ(Canonical(same), same);
  }
  EXPECT_EQ(Canonical("SELECT a FROM b cross JOIN c ON cross.x = c.y"),
            "SELECT A FROM B AS CROSS INNER JOIN C ON CROSS.X = C.Y");
}

TEST(PrinterTest, BracketsStandOnlyWhereNeeded) {
  const auto expression = [](std::string_view text) {
    Result<ast::ExprPtr> parsed = ParseExpression(text);
    return parsed.ok() ? ast::FormatExpr(**parsed) : parsed.status().ToString();
  };
  EXPECT_EQ(expression("((a)) + (b * c)"), "A + B * C");
  EXPECT_EQ(expression("(a + b) * c"), "(A + B) * C");
  EXPECT_EQ(expression("a - (b - c)"), "A - (B - C)");
  EXPECT_EQ(expression("(a = b) = c"), "(A = B) = C");
  EXPECT_EQ(expression("(a AND b) OR c"), "A AND B OR C");
  EXPECT_EQ(expression("a AND (b OR c)"), "A AND (B OR C)");
  EXPECT_EQ(expression("- - 1"), "-(-1)");
  EXPECT_EQ(expression("-(1)"), "-(1)");
  EXPECT_EQ(expression("- - a"), "- -A");
  EXPECT_EQ(expression("(-1)[1]"), "(-1)[1]");
  EXPECT_EQ(expression("(a || b)->c"), "(A || B)->C");
  EXPECT_EQ(expression("NOT (NOT a)"), "NOT NOT A");
  EXPECT_EQ(expression("(a IS NULL) IS NULL"), "(A IS NULL) IS NULL");
  EXPECT_EQ(expression("`select` + `A` + `a` + \"x`y\" + `date`"),
            "`select` + A + `a` + `x``y` + `date`");
  EXPECT_EQ(expression("`SELECT`"), "`SELECT`");
}

TEST(PrinterTest, TheSameStatementsPrintTheSame) {
  EXPECT_EQ(Canonical("SELECT a,b FROM s -- x"), Canonical("select  A , `B`\nfrom /* y */ S;"));
}

TEST(PrinterTest, AQuerysCloneIsTheSame) {
  Result<ast::Statement> parsed = ParseStatement(
      "WITH w AS (SELECT a FROM b) SELECT DISTINCT a AS x, s->*, * EXCEPT (q) REPLACE (1 AS r) "
      "FROM w JOIN (SELECT * FROM c UNION ALL SELECT * FROM d) AS e ON w.a = e.a JOIN f USING (g) "
      "WINDOW SESSION (5 MINUTES) WHERE a IN (SELECT b) AND COUNT(a) FILTER (WHERE b) GROUP BY a "
      "PARTITION BY b HAVING c ORDER BY d NULLS FIRST EMIT FINAL LIMIT 3");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const ast::Query& query = *parsed->As<ast::Select>().query;
  EXPECT_EQ(ast::FormatQuery(*ast::CloneQuery(query)), ast::FormatQuery(query));
}

}  // namespace
}  // namespace weir
