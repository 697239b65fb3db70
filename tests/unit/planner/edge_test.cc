// What edges of the logical plan carry, and that CheckPlan holds nodes to it.

#include "planner/logical/edge.h"

#include "planner/passes/passes.h"
#include "planner/statements/query_plan.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

using logical::NodePtr;

class EdgeTest : public testing::Test {
 protected:
  void SetUp() override {
    session_.MustRun(
        "CREATE STREAM s (k INT KEY, v INT, w INT) WITH (kafka_topic = 's');"
        "CREATE STREAM r (k INT KEY, v INT) WITH (kafka_topic = 'r');"
        "CREATE TABLE t (k INT PRIMARY KEY, v INT) WITH (kafka_topic = 't');");
  }

  NodePtr Build(const std::string& sql) {
    Result<ast::Statement> statement = ParseStatement(sql);
    EXPECT_TRUE(statement.ok());
    Result<PushLogical> built = BuildPush(*statement, session_.context);
    EXPECT_TRUE(built.ok()) << built.status().ToString();
    return built.ok() ? built->root : nullptr;
  }
  NodePtr Placed(const NodePtr& plan) {
    Result<NodePtr> placed = InsertRepartitions(plan, session_.context);
    EXPECT_TRUE(placed.ok()) << placed.status().ToString();
    return placed.ok() ? *placed : nullptr;
  }
  /// The first node of a kind below `node`.
  static const logical::Node* Find(const logical::Node& node, logical::NodeKind kind) {
    if (node.kind == kind) return &node;
    for (const NodePtr& input : node.inputs) {
      if (const logical::Node* found = Find(*input, kind)) return found;
    }
    return nullptr;
  }
  static int Exchanges(const logical::Node& node) {
    int count = node.kind == logical::NodeKind::kRepartition ? 1 : 0;
    for (const NodePtr& input : node.inputs) count += Exchanges(*input);
    return count;
  }

  PlanningSession session_;
};

TEST_F(EdgeTest, ColumnsThatAJoinComparesEqualItsKey) {
  const NodePtr inner = Build("SELECT * FROM s JOIN r WITHIN 1 HOUR ON s.k = r.k EMIT CHANGES;");
  const logical::Node* join = Find(*inner, logical::NodeKind::kJoin);
  ASSERT_NE(join, nullptr);
  const logical::EdgeTraits traits = logical::TraitsOf(*join);
  EXPECT_EQ(traits.mode, physical::ChangeMode::kAppend);
  ASSERT_EQ(traits.keys.size(), 1u);
  std::vector<std::string> names;
  for (int column : traits.keys[0]) names.push_back(join->schema->columns[column].name);
  EXPECT_EQ(names, (std::vector<std::string>{"KEY", "S_K", "R_K"}));
  // The right row may be missing.
  const NodePtr left =
      Build("SELECT * FROM s LEFT JOIN r WITHIN 1 HOUR ON s.k = r.k EMIT CHANGES;");
  EXPECT_EQ(logical::TraitsOf(*Find(*left, logical::NodeKind::kJoin)).keys[0].size(), 2u);
}

TEST_F(EdgeTest, RowsOfOneGroupOrKeyMustBeInOneTask) {
  for (const char* sql : {"SELECT v, COUNT(*) FROM s GROUP BY v EMIT CHANGES;",
                          "SELECT * FROM s JOIN r WITHIN 1 HOUR ON s.v = r.v EMIT CHANGES;",
                          "SELECT * FROM s JOIN t ON s.v = t.k EMIT CHANGES;",
                          "SELECT * FROM t a JOIN t b ON a.v = b.k EMIT CHANGES;"}) {
    const NodePtr plan = Build(sql);
    EXPECT_TRUE(CheckPlan(*plan, false).ok()) << sql;
    EXPECT_EQ(CheckPlan(*plan, true).code(), ErrorCode::kInternal) << sql;
    const NodePtr placed = Placed(plan);
    EXPECT_TRUE(CheckPlan(*placed, true).ok()) << CheckPlan(*placed, true).ToString() << sql;
  }
}

TEST_F(EdgeTest, AGroupByAJoinedColumnStaysWhereTheJoinIs) {
  const std::string from = " FROM s JOIN r WITHIN 1 HOUR ON s.k = r.k GROUP BY ";
  EXPECT_EQ(Exchanges(*Placed(Build("SELECT r.k, COUNT(*)" + from + "r.k EMIT CHANGES;"))), 0);
  EXPECT_EQ(Exchanges(*Placed(Build("SELECT s.v, COUNT(*)" + from + "s.v EMIT CHANGES;"))), 1);
  // Not by a column that is null where there is no partner.
  EXPECT_EQ(Exchanges(*Placed(Build("SELECT r.k, COUNT(*) FROM s LEFT JOIN r WITHIN 1 HOUR ON "
                                    "s.k = r.k GROUP BY r.k EMIT CHANGES;"))),
            1);
}

TEST_F(EdgeTest, WhatIsKeptFromBeforePlansWereKeptIsPlacedAsThen) {
  session_.context.first_placement = true;
  const NodePtr gathered = Placed(Build("SELECT * FROM t a JOIN t b ON a.v = b.k EMIT CHANGES;"));
  const auto& join = Find(*gathered, logical::NodeKind::kJoin)->As<logical::Join>();
  EXPECT_FALSE(join.spread);
  EXPECT_EQ(Exchanges(*gathered), 2);
  EXPECT_TRUE(CheckPlan(*gathered, true).ok());
  EXPECT_EQ(Exchanges(*Placed(Build("SELECT r.k, COUNT(*) FROM s JOIN r WITHIN 1 HOUR ON s.k = r.k "
                                    "GROUP BY r.k EMIT CHANGES;"))),
            1);
}

TEST_F(EdgeTest, KeysOfTheWrongTypeOrNumberAreABrokenPlan) {
  const NodePtr plan =
      Build("SELECT * FROM s JOIN r WITHIN 1 HOUR ON s.k = r.k AND s.v = r.v EMIT CHANGES;");
  const logical::Node* join = Find(*plan, logical::NodeKind::kJoin);
  EXPECT_EQ(join->key_columns, 2);
  auto fewer = logical::CopyAs<logical::Join>(*join);
  fewer->key_columns = 1;
  EXPECT_EQ(CheckPlan(*fewer, false).code(), ErrorCode::kInternal);
  auto table = logical::CopyAs<logical::Join>(*join);
  table->sides = logical::JoinSides::kStreamTable;
  EXPECT_EQ(CheckPlan(*table, false).code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace weir
