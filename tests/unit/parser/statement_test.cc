// The fields of each statement.

#include <gtest/gtest.h>

#include <algorithm>

#include "parser/parser.h"

namespace weir {
namespace {

ast::Statement Parse(std::string_view sql) {
  Result<ast::Statement> parsed = ParseStatement(sql);
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
  return parsed.ok() ? std::move(parsed).value() : ast::Statement();
}

template <typename T>
T Body(std::string_view sql) {
  ast::Statement statement = Parse(sql);
  EXPECT_TRUE(statement.Is<T>()) << sql;
  return statement.Is<T>() ? std::move(statement.As<T>()) : T();
}

TEST(StatementTest, CreateSource) {
  const auto create = Body<ast::CreateSource>(
      "CREATE SOURCE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, h ARRAY<STRUCT<KEY STRING, VALUE "
      "BYTES>> HEADERS, v BYTES HEADER('a''b')) WITH (kafka_topic='x', \"Quoted.Name\"=1, "
      "f=1.5e0);");
  EXPECT_EQ(create.kind, ast::SourceKind::kTable);
  EXPECT_TRUE(create.read_only);
  EXPECT_TRUE(create.if_not_exists);
  EXPECT_FALSE(create.or_replace);
  ASSERT_EQ(create.columns.size(), 3u);
  EXPECT_EQ(create.columns[0].role, ast::ColumnRole::kPrimaryKey);
  EXPECT_EQ(create.columns[1].role, ast::ColumnRole::kHeaders);
  EXPECT_EQ(create.columns[1].type.children[0].field_names[0].name, "KEY");
  EXPECT_EQ(create.columns[2].header, "a'b");
  ASSERT_EQ(create.properties.size(), 3u);
  EXPECT_EQ(create.properties[0].name, "KAFKA_TOPIC");
  EXPECT_EQ(create.properties[1].name, "QUOTED.NAME");
  EXPECT_EQ(create.properties[1].spelling, "Quoted.Name");
  EXPECT_EQ(create.properties[2].value.kind, ast::LiteralKind::kDouble);
  EXPECT_FALSE(Body<ast::CreateSource>("CREATE STREAM s WITH (a='b')").has_column_list);
}

TEST(StatementTest, CreateAsSelectWithEveryClause) {
  const auto create = Body<ast::CreateAsSelect>(
      "CREATE OR REPLACE TABLE t WITH (partitions=1) AS SELECT a FROM s WINDOW HOPPING (SIZE 2 "
      "MINUTES, ADVANCE BY 1 MINUTE, RETENTION 1 DAY, GRACE PERIOD 0 SECONDS) WHERE b GROUP BY a "
      "HAVING c EMIT FINAL");
  EXPECT_TRUE(create.or_replace);
  const ast::WindowClause& window = *create.query->window;
  EXPECT_EQ(window.kind, ast::WindowKind::kHopping);
  EXPECT_EQ(window.size_ms, 120'000);
  EXPECT_EQ(window.advance_ms, 60'000);
  EXPECT_EQ(window.retention_ms, 86'400'000);
  EXPECT_EQ(window.grace_ms, 0);
  EXPECT_EQ(create.query->emit, ast::EmitMode::kFinal);
  EXPECT_EQ(create.query->group_by.size(), 1u);
  EXPECT_NE(create.query->having, nullptr);
}

TEST(StatementTest, JoinsLeanLeft) {
  const auto select = Body<ast::Select>(
      "SELECT * FROM a INNER JOIN b WITHIN (1 SECOND, 2 SECONDS) GRACE PERIOD 3 SECONDS ON a.x = "
      "b.x LEFT JOIN c ON a.x = c.x;");
  const auto& outer = select.query->from->As<ast::Join>();
  EXPECT_EQ(outer.type, ast::JoinType::kLeft);
  EXPECT_EQ(outer.right->As<ast::AliasedTable>().name.name, "C");
  const auto& inner = outer.left->As<ast::Join>();
  EXPECT_EQ(inner.within->before_ms, 1000);
  EXPECT_EQ(inner.within->after_ms, 2000);
  EXPECT_EQ(inner.within->grace_ms, 3000);
  EXPECT_FALSE(inner.within->symmetric);
}

TEST(StatementTest, FreeWordsDoNotSwallowClauses) {
  const auto select =
      Body<ast::Select>("SELECT a emit FROM s partition PARTITION BY a EMIT CHANGES");
  EXPECT_EQ(select.query->items[0].alias->name, "EMIT");
  EXPECT_EQ(select.query->from->As<ast::AliasedTable>().alias->name, "PARTITION");
  EXPECT_EQ(select.query->partition_by.size(), 1u);
  EXPECT_EQ(select.query->emit, ast::EmitMode::kChanges);
}

TEST(StatementTest, ExtensionsParse) {
  const auto select = Body<ast::Select>(
      "WITH x AS (SELECT * FROM a) SELECT DISTINCT RANK() OVER (PARTITION BY p ORDER BY o DESC) r "
      "FROM (SELECT * FROM x) y UNION ALL SELECT * FROM b ORDER BY r LIMIT 3");
  EXPECT_EQ(select.query->ctes.size(), 1u);
  ASSERT_EQ(select.query->from->kind, ast::RelationKind::kSetOperation);
  const auto& parts = select.query->from->As<ast::SetOperation>().parts;
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_TRUE(parts[0]->distinct);
  EXPECT_NE(parts[0]->items[0].expr->As<ast::FunctionCall>().over, nullptr);
  EXPECT_EQ(select.query->limit, 3);
}

TEST(StatementTest, SourcesAreReadFromAPlace) {
  const auto select = Body<ast::Select>(
      "SELECT * FROM a x FROM OFFSETS (0 := 5, 2 := 7) JOIN b FROM TIMESTAMP '2024-05-01' ON c");
  const auto& join = select.query->from->As<ast::Join>();
  const ast::ReadFrom& offsets = join.left->As<ast::AliasedTable>().read_from;
  ASSERT_EQ(offsets.offsets.size(), 2u);
  EXPECT_EQ(offsets.offsets[1], (std::pair<int32_t, int64_t>(2, 7)));
  EXPECT_EQ(join.right->As<ast::AliasedTable>().read_from.timestamp.text, "2024-05-01");
}

TEST(StatementTest, PipelinesHoldStatements) {
  const auto pipeline = Body<ast::Pipeline>(
      "BEGIN PIPELINE p;\n  INSERT INTO a SELECT * FROM s WHERE x >= 40;\n  INSERT INTO b SELECT * "
      "FROM s WHERE x < 40;\nEND PIPELINE;");
  EXPECT_EQ(pipeline.name.name, "P");
  ASSERT_EQ(pipeline.statements.size(), 2u);
  EXPECT_EQ(pipeline.statements[0].text, "INSERT INTO a SELECT * FROM s WHERE x >= 40");
  EXPECT_EQ(pipeline.statements[1].position.line, 3);
  EXPECT_EQ(pipeline.statements[1].position.column, 3);
}

TEST(StatementTest, InspectionAndSession) {
  EXPECT_EQ(Body<ast::Show>("LIST ALL TOPICS EXTENDED").kind, ast::ShowKind::kAllTopics);
  EXPECT_EQ(Body<ast::Show>("SHOW METRICS").kind, ast::ShowKind::kMetrics);
  EXPECT_TRUE(Body<ast::Show>("SHOW METRICS EXTENDED").extended);
  EXPECT_EQ(Body<ast::Show>("SHOW SINK CONNECTORS").kind, ast::ShowKind::kSinkConnectors);
  EXPECT_EQ(Body<ast::ShowCreate>("SHOW CREATE TABLE t").object, "TABLE");
  EXPECT_EQ(Body<ast::ShowCreate>("SHOW CREATE t").name.name, "T");
  EXPECT_TRUE(Body<ast::Describe>("DESCRIBE s EXTENDED").extended);
  EXPECT_EQ(Body<ast::Describe>("DESCRIBE TABLES").kind, ast::DescribeKind::kTables);
  EXPECT_EQ(Body<ast::Describe>("DESCRIBE FUNCTION ucase").kind, ast::DescribeKind::kFunction);
  EXPECT_EQ(Body<ast::Explain>("EXPLAIN CTAS_T").query_id.name, "CTAS_T");
  const auto explain = Body<ast::Explain>("EXPLAIN PHYSICAL SELECT * FROM s;");
  EXPECT_EQ(explain.mode, ast::ExplainMode::kPhysical);
  EXPECT_EQ(explain.statement->text, "SELECT * FROM s");
  const auto print =
      Body<ast::Print>("PRINT datatalkclub.yellow_taxi-ride.json FROM BEGINNING LIMIT 2");
  EXPECT_EQ(print.topic, "datatalkclub.yellow_taxi-ride.json");
  EXPECT_TRUE(print.from_beginning);
  EXPECT_EQ(print.limit, 2);
  EXPECT_TRUE(Body<ast::ControlQuery>("TERMINATE ALL").all);
  EXPECT_EQ(Body<ast::ControlQuery>("PAUSE q1").kind, ast::ControlKind::kPause);
  EXPECT_EQ(Body<ast::SetProperty>("SET 'a.b'='c'").name, "a.b");
  EXPECT_EQ(Body<ast::DefineVariable>("DEFINE v = '''x'''").value, "'x'");
  EXPECT_EQ(Body<ast::AssertTopic>("ASSERT NOT EXISTS TOPIC t TIMEOUT 2 MINUTES").timeout_ms,
            120'000);
  EXPECT_EQ(Body<ast::AssertSchema>("ASSERT SCHEMA SUBJECT x ID 4").id, 4);
  EXPECT_EQ(Body<ast::AssertNullValues>("ASSERT NULL VALUES s (k) KEY (1)").values.size(), 1u);
  EXPECT_EQ(Body<ast::InsertValues>("INSERT INTO s VALUES (1, 2)").rows[0].size(), 2u);
  EXPECT_EQ(Body<ast::AlterSource>("ALTER TABLE t ADD a INT, ADD COLUMN b INT").added.size(), 2u);
}

TEST(StatementTest, SeveralStatementsKeepTextAndPlace) {
  const Result<std::vector<ast::Statement>> parsed =
      ParseStatements("SHOW TABLES;\n-- note\n  SELECT a\n FROM b; SHOW TYPES");
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  ASSERT_EQ(parsed->size(), 3u);
  EXPECT_EQ((*parsed)[1].text, "SELECT a\n FROM b");
  EXPECT_EQ((*parsed)[1].position.line, 3);
  EXPECT_EQ((*parsed)[1].position.column, 3);
  EXPECT_EQ((*parsed)[1].position.statement, 1);
  const ast::Query& query = *(*parsed)[1].As<ast::Select>().query;
  EXPECT_EQ(query.from->position.line, 4);
  EXPECT_EQ(query.from->position.column, 7);
}

TEST(StatementTest, KeywordsAreSortedAndOursAreFree) {
  const std::span<const Keyword> words = Keywords();
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end(),
                             [](const Keyword& a, const Keyword& b) { return a.word < b.word; }));
  for (const Keyword& keyword : words) {
    for (std::string_view ours :
         {"ANY", "BEGIN", "CROSS", "EXCEPT", "EXCLUDE", "FILTER", "INTERSECT", "NATURAL", "OVER",
          "PIPELINE", "SLIDING", "SOME", "UNION", "USING", "VERBOSE"}) {
      if (keyword.word == ours) {
        EXPECT_FALSE(keyword.reserved) << ours;
      }
    }
    if (keyword.word == "SELECT" || keyword.word == "AT") {
      EXPECT_TRUE(keyword.reserved);
    }
  }
}

}  // namespace
}  // namespace weir
