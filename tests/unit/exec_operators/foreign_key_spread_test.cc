// The parts of a foreign-key join over several partitions.

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

// Key, a column of each side, version, kind.
physical::ForeignKeyAnswers Answers() {
  physical::ForeignKeyAnswers node;
  node.inputs = {InputNode("K INT KEY, L STRING, R STRING, VERSION BIGINT, KIND INT")};
  node.schema = SchemaFromText("K INT KEY, L STRING, R STRING");
  node.mode = ChangeMode::kUpsert;
  return node;
}

TEST(ForeignKeyAnswers, DropsWhatIsOutOfDate) {
  const auto node = Answers();
  Harness run(node);
  run.Push(0, "1 | 1, a, x, 1, 1");
  run.Push(0, "2 | 1, b, y, 4, 3");  // Moved, and another partition answers first.
  run.Push(0, "3 | 1, a, z, 1, 1");  // What the earlier one still saw.
  run.Restart();
  run.Push(0, "4 | 1, null, null, 4, 4");  // It has let go.
  run.Push(0, "5 | 1, b, w, 4, 1");
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1, a, x\nu 2 | 1, b, y\nu 5 | 1, b, w"));
}

TEST(ForeignKeyAnswers, ADeletedRowStaysDeletedWhileOldAnswersAreOnTheirWay) {
  const auto node = Answers();
  Harness run(node);
  run.Push(0, "1 | 1, a, x, 1, 1");
  run.Push(0, "2 | 1, b, y, 2, 3");
  run.Push(0, "3 | 1, null, null, 3, 0");  // Deleted, before the first partition let go.
  run.Push(0, "4 | 1, a, z, 1, 1");
  run.Restart();
  run.Push(0, "5 | 1, a, z, 1, 1");
  run.Push(0, "6 | 1, null, null, 2, 4");
  run.Push(0, "7 | 1, c, v, 9, 1");  // Made anew.
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1, a, x\nu 2 | 1, b, y\n- 3 | 1, null, null\n+ 7 | 1, c, v"));
}

TEST(ForeignKeyAnswers, ADeletedRowIsToldWithoutAResult) {
  const auto node = Answers();
  Harness run(node);
  run.Push(0, "1 | 1, a, x, 1, 1");
  run.Push(0, "2 | 1, null, null, 1, 0");  // The right row is gone,
  run.Push(0, "3 | 1, null, null, 2, 8");  // then the left one, too.
  run.Push(0, "4 | 2, null, null, 3, 0");  // A row that found nothing.
  EXPECT_EQ(run.Take(), Lines("+ 1 | 1, a, x\n- 2 | 1, null, null\n- 3 | 1, null, null"));
}

TEST(ForeignKeySubscribe, TellsBothPlacesOfARowThatMoves) {
  physical::ForeignKeySubscribe node;
  node.inputs = {InputNode("K INT KEY, F INT", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("P INT KEY, K INT, F INT, VERSION BIGINT, KIND INT");
  auto key = std::make_shared<BoundExpr>();
  key->kind = BoundKind::kColumn;
  key->index = 1;
  key->type = DataType::Int();
  node.foreign_key = {key};
  Harness run(node);
  run.Push(0, "1 | 1, 7\n2 | 1, 7");
  run.Restart();
  run.Push(0, "3 | 1, 8\n- 4 | 1\n- 5 | 2\n6 | 1, null");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 1 | 7, 1, 7, 1, 0
    + 2 | 7, 1, 7, 2, 0
    + 3 | 7, 1, null, 3, 2
    + 3 | 8, 1, 8, 3, 1
    + 4 | 8, 1, null, 4, 3
    + 6 | null, 1, null, 5, 0)"));
}

}  // namespace
}  // namespace weir
