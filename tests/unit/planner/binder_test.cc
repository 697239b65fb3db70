// Names, types and their messages.

#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

class BinderTest : public testing::Test {
 protected:
  void SetUp() override {
    session_.MustRun(
        "CREATE STREAM orders (id INT KEY, amount DOUBLE, price DECIMAL(6, 2), day DATE,"
        " seen TIMESTAMP, tags ARRAY<STRING>, who STRUCT<name STRING, age INT>, m MAP<STRING, INT>)"
        " WITH (kafka_topic = 'orders', key_format = 'JSON');"
        "CREATE STREAM other (id INT KEY, note STRING)"
        " WITH (kafka_topic = 'other', key_format = 'JSON');");
  }

  Status Select(const std::string& items, const std::string& rest = "") {
    return session_.Run("SELECT " + items + " FROM orders " + rest + " EMIT CHANGES;");
  }
  ErrorCode Where(const std::string& condition) {
    return Select("id", "WHERE " + condition).code();
  }

  PlanningSession session_;
};

TEST_F(BinderTest, MisspeltColumnSuggestsTheNearest) {
  const Status status = Select("amont");
  EXPECT_EQ(status.code(), ErrorCode::kUnknownColumn);
  EXPECT_NE(status.hint().find("did you mean AMOUNT? ORDERS has ID, AMOUNT"), std::string::npos)
      << status.hint();
  ASSERT_TRUE(status.position().has_value());
  EXPECT_EQ(status.position()->column, 8);
}

TEST_F(BinderTest, ColumnOfTwoSourcesIsAmbiguous) {
  const Status status = session_.Run(
      "SELECT id FROM orders JOIN other WITHIN 1 HOUR ON orders.id = other.id EMIT CHANGES;");
  EXPECT_EQ(status.code(), ErrorCode::kAmbiguousColumn);
  EXPECT_NE(status.hint().find("ORDERS.ID or OTHER.ID"), std::string::npos) << status.hint();
}

TEST_F(BinderTest, QuotedNamesAreKeptAsTheyAre) {
  EXPECT_EQ(Select("`amount`").code(), ErrorCode::kUnknownColumn);
  EXPECT_TRUE(Select("\"AMOUNT\"").ok());
}

TEST_F(BinderTest, NumbersOfAllTypesCompare) {
  EXPECT_EQ(Where("id < amount AND price >= id AND amount <> price"), ErrorCode::kOk);
  EXPECT_EQ(Where("id = '5'"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Where("id IN (1, '2', 3.0)"), ErrorCode::kOk);
  EXPECT_EQ(Where("id IN (1, 'two')"), ErrorCode::kTypeMismatch);
}

TEST_F(BinderTest, TextComparesWithTimes) {
  EXPECT_EQ(Where("day > '2020-01-01' AND seen BETWEEN '2020' AND '2021-05'"), ErrorCode::kOk);
  EXPECT_EQ(Where("ROWTIME >= '2020-01-01T10:00:00+0100'"), ErrorCode::kOk);
  EXPECT_EQ(Where("ROWTIME >= 'yesterday'"), ErrorCode::kTypeMismatch);
}

TEST_F(BinderTest, NullHasNoComparisonAndNoArithmetic) {
  EXPECT_EQ(Where("amount = NULL"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Select("1 + NULL").code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Select("NULL AS x").code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Where("amount IS NULL"), ErrorCode::kOk);
}

TEST_F(BinderTest, ConditionsAreBoolean) {
  EXPECT_EQ(Where("amount"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Where("NOT id"), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Where("id > 1 OR amount"), ErrorCode::kTypeMismatch);
}

TEST_F(BinderTest, FieldsElementsAndConstructors) {
  EXPECT_TRUE(Select("who->name, tags[1], m['a'], ARRAY[1, 2.5], MAP('a' := 1)").ok());
  EXPECT_EQ(Select("who->nam").code(), ErrorCode::kUnknownColumn);
  EXPECT_EQ(Select("amount[1]").code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Select("ARRAY[]").code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Select("MAP('a' := NULL)").code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(Select("STRUCT(a := 1, a := 2)").code(), ErrorCode::kDuplicateName);
  EXPECT_EQ(Select("CAST(amount AS STRUCT<a INT>)").code(), ErrorCode::kInvalidCast);
}

TEST_F(BinderTest, LambdasSeeColumnsAndTheirParameters) {
  EXPECT_TRUE(Select("TRANSFORM(tags, t => t + who->name) AS x").ok());
  EXPECT_TRUE(Select("REDUCE(m, 0, (s, k, v) => s + v) AS x").ok());
  EXPECT_EQ(Select("TRANSFORM(tags, t => u) AS x").code(), ErrorCode::kUnknownColumn);
}

TEST_F(BinderTest, FunctionsThatDoNotExist) {
  const Status status = Select("LENN(who->name)");
  EXPECT_EQ(status.code(), ErrorCode::kUnknownFunction);
  EXPECT_EQ(status.hint(), "did you mean LEN?");
  EXPECT_EQ(Select("LEN(amount, 1)").code(), ErrorCode::kNoMatchingOverload);
}

TEST_F(BinderTest, AggregatesHaveTheirPlaces) {
  EXPECT_TRUE(Select("COUNT(*)").ok());
  EXPECT_EQ(Select("amount, COUNT(*)").code(), ErrorCode::kInvalidAggregate);
  EXPECT_EQ(Where("COUNT(*) > 1"), ErrorCode::kInvalidAggregate);
  EXPECT_EQ(Select("SUM(COUNT(*))", "GROUP BY day").code(), ErrorCode::kInvalidAggregate);
  EXPECT_EQ(Select("amount, COUNT(*)", "GROUP BY day").code(), ErrorCode::kInvalidAggregate);
  EXPECT_TRUE(Select("day, COUNT(*), SUM(amount) / COUNT(*) AS mean", "GROUP BY day").ok());
}

TEST_F(BinderTest, ExtensionsAreUnsupportedOrInvalid) {
  EXPECT_EQ(Select("DISTINCT id").code(), ErrorCode::kUnsupported);
  session_.context.sql_extensions = false;
  EXPECT_EQ(Select("DISTINCT id").code(), ErrorCode::kInvalidStatement);
  EXPECT_EQ(Select("COUNT(*)").code(), ErrorCode::kInvalidAggregate);
}

}  // namespace
}  // namespace weir
