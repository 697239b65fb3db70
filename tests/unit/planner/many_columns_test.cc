// Statements with very many columns: where the bound is, and what it says. Below it every name is
// looked up by halving or by hash, so that work grows with the number of columns and not with its
// square; the tests of Scope hold the look-up itself.

#include <functional>

#include "base/limits.h"
#include "planner/binder/make_expr.h"
#include "planner/binder/scope.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

constexpr int kMost = static_cast<int>(limits::kColumnsMax);

std::string List(int count, const std::function<std::string(int)>& item) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + item(i);
  return list;
}

std::string Column(int i) { return "c" + std::to_string(i); }

std::string CreateWide(int columns) {
  return "CREATE STREAM wide (" + List(columns, [](int i) { return Column(i) + " INT"; }) +
         ") WITH (KAFKA_TOPIC='wide', VALUE_FORMAT='JSON')";
}

void ExpectTooMany(const Status& status, ErrorCode code) {
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_NE(status.message().find("10000"), std::string::npos) << status.message();
}

TEST(ManyColumns, AreBoundedWhereTheyAreDeclared) {
  PlanningSession session;
  session.MustRun(CreateWide(kMost));
  ExpectTooMany(session.Run("ALTER STREAM wide ADD COLUMN one_more INT"),
                ErrorCode::kInvalidStatement);
  PlanningSession other;
  ExpectTooMany(other.Run(CreateWide(kMost + 1)), ErrorCode::kInvalidStatement);
  ExpectTooMany(other.Run("CREATE STREAM nested (s STRUCT<" +
                          List(kMost + 1, [](int i) { return Column(i) + " INT"; }) +
                          ">) WITH (KAFKA_TOPIC='n', VALUE_FORMAT='JSON')"),
                ErrorCode::kInvalidStatement);
}

TEST(ManyColumns, AreBoundedWhereTheyAreSelected) {
  PlanningSession session;
  session.MustRun(CreateWide(kMost));
  session.MustRun("CREATE STREAM all_of_them AS SELECT * FROM wide");
  session.MustRun("CREATE STREAM named AS SELECT " + List(kMost, Column) + " FROM wide");
  ExpectTooMany(session.Run("CREATE STREAM too_many AS SELECT *, c0 AS again FROM wide"),
                ErrorCode::kInvalidStatement);
  ExpectTooMany(session.Run("CREATE STREAM too_many AS SELECT " +
                            List(kMost + 1, [](int i) { return "c0 AS d" + std::to_string(i); }) +
                            " FROM wide"),
                ErrorCode::kInvalidStatement);
}

TEST(ManyColumns, AreBoundedWhereTheyAreGroupedAndAggregated) {
  PlanningSession session;
  session.MustRun(CreateWide(kMost));
  ExpectTooMany(session.Run("CREATE TABLE t AS SELECT COUNT(*) AS n FROM wide GROUP BY " +
                            List(kMost + 1, Column)),
                ErrorCode::kInvalidAggregate);
  const std::string sums = List(kMost / 2 + 1, [](int i) {
    const std::string n = std::to_string(i);
    return "SUM(c0 + " + n + ") + MIN(c0 + " + n + ") AS n" + n;
  });
  ExpectTooMany(session.Run("CREATE TABLE t AS SELECT c0, " + sums + " FROM wide GROUP BY c0"),
                ErrorCode::kInvalidAggregate);
}

ScopeColumn MakeScopeColumn(std::string source, std::string name, int index) {
  return {.source = std::move(source),
          .name = std::move(name),
          .expr = MakeColumn(index, DataType::Int(), "")};
}

Result<const ScopeColumn*> Resolve(const Scope& scope, std::string_view name,
                                   std::optional<std::string> qualifier = {}) {
  ast::ColumnRef ref;
  ref.column.name = name;
  if (qualifier) ref.qualifier.emplace().name = *qualifier;
  return scope.Resolve(ref, "SELECT");
}

TEST(Scope, FindsByNameWhateverWasAddedBetween) {
  Scope scope;
  for (int i = 0; i < 100; ++i) scope.Add(MakeScopeColumn("A", "C" + std::to_string(i), i));
  auto found = Resolve(scope, "C42");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->expr->index, 42);
  scope.Add(MakeScopeColumn("B", "C42", 100));
  EXPECT_EQ(Resolve(scope, "C42").status().code(), ErrorCode::kAmbiguousColumn);
  found = Resolve(scope, "C42", "B");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->expr->index, 100);
  scope.AddInFront({MakeScopeColumn("", "KEY", 101)});
  EXPECT_EQ(scope.columns()[0].name, "KEY");
  EXPECT_EQ(scope.Sources(), (std::vector<std::string>{"A", "B"}));
  const Scope copy = scope;
  ASSERT_EQ(copy.Find("C42").size(), 2U);
  EXPECT_EQ(copy.Find("C42")[0]->source, "A");
  EXPECT_EQ(copy.Find("C42")[1]->source, "B");
  EXPECT_EQ(copy.Find("KEY").size(), 1U);
  EXPECT_TRUE(copy.Find("NONE").empty());
}

}  // namespace
}  // namespace weir
