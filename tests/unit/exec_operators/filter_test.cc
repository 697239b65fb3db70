// Filters on streams and tables, projections, limits.

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

BoundExprPtr Column(int index, DataType type) {
  auto expr = std::make_shared<BoundExpr>();
  expr->kind = BoundKind::kColumn;
  expr->index = index;
  expr->type = std::move(type);
  return expr;
}

physical::Filter FilterOn(ChangeMode mode, std::string_view schema = "K INT KEY, OK BOOLEAN") {
  physical::Filter node;
  node.inputs = {InputNode(schema, mode)};
  node.schema = node.inputs[0]->schema;
  node.mode = mode;
  node.predicate = Column(1, DataType::Boolean());
  return node;
}

TEST(Filter, StreamKeepsRowsThatPass) {
  const auto node = FilterOn(ChangeMode::kAppend);
  Harness run(node);
  run.Push(0, "1 | 1, true\n2 | 2, false\n3 | 3, null\n- 4 | 4\n5 | 5, true");
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1, true\n+ 5 | 5, true"));
}

// The cases having/table having and group-by/with having expression.
TEST(Filter, TableDeletesOnlyWhatWasThere) {
  const auto node = FilterOn(ChangeMode::kUpsert);
  Harness run(node);
  run.Push(0, "1 | 1, false\n2 | 1, true\n3 | 1, true\n4 | 1, false\n5 | 1, false\n- 6 | 1");
  run.Push(0, "7 | 2, true");
  run.Restart();
  run.Push(0, "- 8 | 2\n9 | 3, true");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 2 | 1, true
    u 3 | 1, true
    - 4 | 1, null
    + 7 | 2, true
    - 8 | 2, null
    + 9 | 3, true)"));
}

TEST(Filter, WindowedTableKnowsItsWindows) {
  auto node = FilterOn(ChangeMode::kUpsert);
  node.windowed_key = physical::WindowKind::kTumbling;
  Harness run(node);
  run.Push(0, "1 @0-10 | 1, true\n2 @10-20 | 1, false\n3 @0-10 | 1, false");
  EXPECT_EQ(run.Take(), Lines("+ 1 @0-10 | 1, true\n- 3 @0-10 | 1, null"));
}

TEST(Filter, RetractKeepsPairsConsistent) {
  const auto node = FilterOn(ChangeMode::kRetract);
  Harness run(node);
  run.Push(0, R"(
    + 1 | 1, false
    b 2 | 1, false
    u 2 | 1, true
    b 3 | 1, true
    u 3 | 1, true
    b 4 | 1, true
    u 4 | 1, false
    - 5 | 1, false
    - 6 | 2, true)");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 2 | 1, true
    b 3 | 1, true
    u 3 | 1, true
    - 4 | 1, true
    - 6 | 2, true)"));
}

TEST(Project, DeletedRowsKeepTheirKeyOnly) {
  physical::Project node;
  node.inputs = {InputNode("K INT KEY, V INT", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, K2 INT, V INT");
  node.mode = ChangeMode::kUpsert;
  node.exprs = {Column(0, DataType::Int()), Column(0, DataType::Int()), Column(1, DataType::Int())};
  Harness run(node);
  run.Push(0, "1 | 1, 5\n- 2 | 1");
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1, 1, 5\n- 2 | 1, null, null"));
}

TEST(Limit, GivesTheFirstRows) {
  physical::Limit node;
  node.inputs = {InputNode("K INT KEY")};
  node.schema = node.inputs[0]->schema;
  node.rows = 3;
  Harness run(node);
  run.Push(0, "1 | 1\n2 | 2");
  run.Push(0, "3 | 3\n4 | 4");
  run.Push(0, "5 | 5");
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1\n+ 2 | 2\n+ 3 | 3"));
}

}  // namespace
}  // namespace weir
