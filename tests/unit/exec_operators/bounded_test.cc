// What hands on its rows when the input has ended: sorting, SQL's GROUP BY, the latest rows of a
// table.

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::WindowKind;
using test::Aggregate;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

std::vector<std::string> TakeRest(Harness& run) {
  bool more = true;
  while (more) {
    more = false;
    EXPECT_TRUE(run.op().EmitRest(&more).ok());
  }
  return run.Take();
}

physical::Sort SortBy(std::vector<physical::SortKey> keys, std::string_view schema) {
  physical::Sort node;
  node.inputs = {InputNode(schema)};
  node.schema = SchemaFromText(schema);
  node.keys = std::move(keys);
  return node;
}

TEST(Sort, NullsStandWhereTheyAreToldAndEqualRowsAsTheyCame) {
  constexpr std::string_view kRows = R"(
    1 | 2, b
    2 | null, x
    3 | 1, c
    4 | 2, a)";
  const auto plain = SortBy({{0, false, false}}, "A INT, T STRING");
  Harness ascending(plain);
  ascending.Push(0, kRows, 1);
  EXPECT_EQ(TakeRest(ascending), Lines("+ 3 | 1, c\n+ 1 | 2, b\n+ 4 | 2, a\n+ 2 | null, x"));
  const auto turned = SortBy({{0, true, true}, {1, false, false}}, "A INT, T STRING");
  Harness descending(turned);
  descending.Push(0, kRows);
  EXPECT_EQ(TakeRest(descending), Lines("+ 2 | null, x\n+ 4 | 2, a\n+ 1 | 2, b\n+ 3 | 1, c"));
}

TEST(Sort, KeepsTheFirstRowsBehindAnOffset) {
  auto node = SortBy({{0, true, false}}, "A BIGINT");
  node.limit = 2;
  node.offset = 1;
  Harness run(node);
  run.Push(0, "1 | 5\n2 | 9\n3 | 7\n4 | 8", 1);
  EXPECT_EQ(TakeRest(run), Lines("+ 4 | 8\n+ 3 | 7"));
}

TEST(Sort, MergesRunsOfEveryKindOfKey) {
  const auto node = SortBy({{0, false, false}, {1, true, true}}, "T STRING, D DOUBLE");
  Harness run(node);
  std::mt19937 random(7);
  const std::vector<std::string> texts = {"a", "ab",         "prefix1 a", "prefix1 b",
                                          "é", "\U0001F600", "\uE000",    "null"};
  size_t rows = 0;
  for (int batch = 0; batch < 20; ++batch) {
    std::string text;
    for (int row = 0; row < 4000; ++row, ++rows) {
      text += "0 | " + texts[random() % texts.size()] + ", ";
      text += random() % 9 == 0 ? "null\n" : std::to_string(int(random() % 2000) - 1000) + ".5\n";
    }
    run.Push(0, text);
  }
  const std::vector<std::string> out = TakeRest(run);
  ASSERT_EQ(out.size(), rows);
  // Code points beyond U+FFFF come before U+E000, as in UTF-16.
  const std::vector<std::string> order = {"a", "ab",         "prefix1 a", "prefix1 b",
                                          "é", "\U0001F600", "\uE000",    "null"};
  size_t place = 0;
  double last = 0;
  bool first = true;
  for (const std::string& line : out) {
    const std::string rest = line.substr(line.find("| ") + 2);
    const size_t comma = rest.rfind(", ");
    const std::string text = rest.substr(0, comma);
    const std::string number = rest.substr(comma + 2);
    const size_t now = std::find(order.begin(), order.end(), text) - order.begin();
    ASSERT_GE(now, place) << line;
    if (now != place) first = true;
    place = now;
    if (number == "null") {
      ASSERT_TRUE(first) << line;
      continue;
    }
    if (!first) {
      ASSERT_LE(std::stod(number), last) << line;
    }
    first = false;
    last = std::stod(number);
  }
}

physical::BoundedAggregate SumOfAll() {
  physical::BoundedAggregate node;
  node.inputs = {InputNode("K INT KEY, V BIGINT")};
  node.schema = SchemaFromText("K INT KEY, N BIGINT, S BIGINT");
  node.key_columns = 1;
  node.calls = {Aggregate("COUNT", {}, {}), Aggregate("SUM", {DataType::Bigint()}, {1})};
  return node;
}

TEST(BoundedAggregate, NullIsAGroupAndEachComesOnce) {
  const auto node = SumOfAll();
  Harness run(node);
  run.Push(0, "1 | 1, 5\n2 | null, 7\n3 | 1, 1\n4 | null, null", 1);
  EXPECT_TRUE(run.Take().empty());
  EXPECT_EQ(TakeRest(run), Lines("+ 0 | 1, 2, 6\n+ 0 | null, 2, 7"));
}

TEST(BoundedAggregate, WithoutGroupByThereIsARowWithoutRows) {
  auto node = SumOfAll();
  Harness grouped(node);
  EXPECT_TRUE(TakeRest(grouped).empty());
  node.global = true;
  Harness global(node);
  EXPECT_EQ(TakeRest(global).size(), 1u);
  EXPECT_TRUE(TakeRest(global).empty());
}

TEST(BoundedAggregate, NoRowIsLate) {
  auto node = SumOfAll();
  node.window = {WindowKind::kTumbling, 10, 10, 0, 10};
  node.windowed_key = WindowKind::kTumbling;
  Harness run(node);
  run.Push(0, "1 | 1, 5\n900 | 1, 7\n3 | 1, 1", 1);
  EXPECT_EQ(TakeRest(run), Lines("+ 0 @0-10 | 1, 2, 6\n+ 900 @900-910 | 1, 1, 7"));
}

TEST(BoundedAggregate, SessionsGoOnWithinTheGapAcrossBatches) {
  auto node = SumOfAll();
  node.window = {WindowKind::kSession, 5, 5, 0, 10};
  node.windowed_key = WindowKind::kSession;
  Harness run(node);
  run.Push(0, "1 | 1, 1\n6 | 1, 1\n12 | 1, 1\n3 | 2, 1\n4 | 2, 1", 1);
  EXPECT_EQ(TakeRest(run), Lines("+ 1 @1-6 | 1, 2, 2\n+ 12 @12-12 | 1, 1, 1\n+ 3 @3-4 | 2, 2, 2"));
}

TEST(LatestRows, GivesTheRowsThatAreLeft) {
  physical::LatestRows node;
  node.inputs = {InputNode("K INT KEY, V STRING", physical::ChangeMode::kUpsert)};
  node.schema = node.inputs[0]->schema;
  Harness run(node);
  run.Push(0, "1 | 1, a\n2 | 2, b\n3 | 1, c\n- 4 | 2\n5 | 3, d", 2);
  EXPECT_TRUE(run.Take().empty());
  EXPECT_EQ(TakeRest(run), Lines("+ 3 | 1, c\n+ 5 | 3, d"));
}

}  // namespace
}  // namespace weir
