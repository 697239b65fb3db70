// Operators that keep rows of tables: whatever leaves memory between batches, and however often
// they are started anew, what they give is the same.

#include <random>

#include <gtest/gtest.h>

#include "exec/state/row_codec.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using physical::JoinKind;
using test::ChunkFromText;
using test::Harness;
using test::InputNode;
using test::SchemaFromText;

/// Makes the rows of an input's next batch.
using MakeRows = std::function<std::string(int input, std::mt19937& random, int64_t time)>;

/// Runs `node` over random batches with all in memory, and with little or nothing.
void CheckAllShares(const physical::Node& node, const MakeRows& rows) {
  const int inputs = static_cast<int>(node.inputs.size());
  for (int64_t share : {int64_t{0}, int64_t{4000}, int64_t{20'000}}) {
    SCOPED_TRACE(share);
    Harness whole(node), small(node);
    small.context().memory_share = share;
    std::mt19937 random(static_cast<uint32_t>(share) + 7);
    size_t lines = 0;
    for (int64_t batch = 0; batch < 400; ++batch) {
      const int input = static_cast<int>(random() % static_cast<uint32_t>(inputs));
      const std::string text = rows(input, random, batch * 10);
      const bool meanwhile = random() % 4 == 0;  // The rows come while a commit is under way.
      if (meanwhile) small.BeginCommit();
      whole.Push(input, text);
      small.Push(input, text);
      if (meanwhile) small.EndCommit();
      const uint32_t then = random() % 12;
      if (then < 4) small.Barrier();
      if (then == 4) small.Restart();
      if (then == 5) whole.Barrier();
      if (::testing::Test::HasFatalFailure()) return;
      const std::vector<std::string> wanted = whole.Take();
      lines += wanted.size();
      ASSERT_EQ(small.Take(), wanted) << "batch " << batch;
    }
    EXPECT_GT(lines, 400u);
    // In the end both have stored the same.
    whole.Barrier();
    small.Barrier();
    for (auto& [name, store] : whole.context().stores_) {
      EXPECT_EQ(small.context().stores_[name].entries(), store.entries()) << name;
    }
  }
}

std::string Time(int64_t time, std::mt19937& random) {
  return std::to_string(time + static_cast<int64_t>(random() % 10));
}

/// Upserts and deletes of keys below `keys`, with `value` behind the key.
std::string TableRows(std::mt19937& random, int64_t time, uint32_t keys,
                      const std::function<std::string()>& value) {
  std::string text;
  for (uint32_t row = 0, rows = 1 + random() % 12; row < rows; ++row) {
    const std::string key = std::to_string(random() % keys);
    if (random() % 5 == 0) {
      text += "- " + Time(time, random) + " | " + key + "\n";
    } else {
      text += "+ " + Time(time, random) + " | " + key + ", " + value() + "\n";
    }
  }
  return text;
}

TEST(RowTier, Materialize) {
  physical::Materialize node;
  node.inputs = {InputNode("K INT KEY, V STRING", ChangeMode::kUpsert)};
  node.schema = node.inputs[0]->schema;
  node.mode = ChangeMode::kRetract;
  CheckAllShares(node, [](int, std::mt19937& random, int64_t time) {
    return TableRows(random, time, 80, [&] { return "v" + std::to_string(random() % 1000); });
  });
}

TEST(RowTier, MaterializeOfWindows) {
  physical::Materialize node;
  node.inputs = {InputNode("K STRING KEY, V INT", ChangeMode::kUpsert)};
  node.schema = node.inputs[0]->schema;
  node.mode = ChangeMode::kRetract;
  node.windowed_key = physical::WindowKind::kTumbling;
  CheckAllShares(node, [](int, std::mt19937& random, int64_t time) {
    std::string text;
    for (uint32_t row = 0, rows = 1 + random() % 12; row < rows; ++row) {
      const uint32_t start = random() % 10 * 100;
      const std::string window =
          Time(time, random) + " @" + std::to_string(start) + "-" + std::to_string(start + 100);
      const std::string key = " | k" + std::to_string(random() % 8);
      text += random() % 5 == 0 ? "- " + window + key + ", null\n"
                                : "+ " + window + key + ", " + std::to_string(random() % 9) + "\n";
    }
    return text;
  });
}

TEST(RowTier, TableTableJoin) {
  for (JoinKind kind : {JoinKind::kInner, JoinKind::kLeft, JoinKind::kRight, JoinKind::kFull}) {
    for (ChangeMode mode : {ChangeMode::kUpsert, ChangeMode::kRetract}) {
      physical::TableTableJoin node;
      node.inputs = {InputNode("K STRING KEY, L INT", ChangeMode::kUpsert),
                     InputNode("K STRING KEY, R STRING", ChangeMode::kUpsert)};
      node.schema = SchemaFromText("K STRING KEY, L INT, R STRING");
      node.mode = mode;
      node.join = kind;
      node.left_columns = {1};
      node.right_columns = {1};
      CheckAllShares(node, [](int, std::mt19937& random, int64_t time) {
        return TableRows(random, time, 60, [&] { return std::to_string(random() % 1000); });
      });
    }
  }
}

TEST(RowTier, StreamTableJoin) {
  for (JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    physical::StreamTableJoin node;
    node.inputs = {InputNode("K INT KEY, V STRING"),
                   InputNode("K INT KEY, T STRING", ChangeMode::kUpsert)};
    node.schema = SchemaFromText("K INT KEY, V STRING, T STRING");
    node.join = kind;
    node.left_columns = {1};
    node.right_columns = {1};
    CheckAllShares(node, [](int input, std::mt19937& random, int64_t time) {
      if (input == 1) {
        return TableRows(random, time, 100, [&] { return "t" + std::to_string(random() % 99); });
      }
      std::string text;
      for (uint32_t row = 0, rows = 1 + random() % 20; row < rows; ++row) {
        text += Time(time, random) + " | " + std::to_string(random() % 120) + ", s\n";
      }
      return text;
    });
  }
}

TEST(RowTier, ForeignKeyJoin) {
  for (JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    for (ChangeMode mode : {ChangeMode::kUpsert, ChangeMode::kRetract}) {
      physical::ForeignKeyJoin node;
      node.inputs = {InputNode("K INT KEY, F STRING", ChangeMode::kUpsert),
                     InputNode("P STRING KEY, R STRING", ChangeMode::kUpsert)};
      node.schema = SchemaFromText("K INT KEY, F STRING, R STRING");
      node.mode = mode;
      node.join = kind;
      node.left_columns = {1};
      node.right_columns = {1};
      auto key = std::make_shared<BoundExpr>();
      key->kind = BoundKind::kColumn;
      key->index = 1;
      key->type = DataType::String();
      node.foreign_key = {key};
      CheckAllShares(node, [](int input, std::mt19937& random, int64_t time) {
        return TableRows(random, time, input == 0 ? 60 : 12, [&]() -> std::string {
          if (input == 1) return "r" + std::to_string(random() % 1000);
          const uint32_t pointer = random() % 15;
          return pointer == 14 ? "null" : std::to_string(pointer);
        });
      });
    }
  }
}

// A page of rows as earlier versions wrote it; they stored no pointers.
std::string OldPage(const Chunk& rows) {
  std::string page;
  for (int32_t row = 0; row < rows.rows; ++row) {
    AppendRow(std::span(rows.columns).first(1), row, page);
    AppendOrdered64(rows.row_time()->values<int64_t>()[row], page);
    AppendRow(std::span(rows.columns).subspan(1), row, page);
  }
  return page;
}

TEST(RowTier, ForeignKeyJoinOfAnEarlierVersion) {
  physical::ForeignKeyJoin node;
  node.inputs = {InputNode("K INT KEY, F INT", ChangeMode::kUpsert),
                 InputNode("P INT KEY, R STRING", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, F INT, R STRING");
  node.mode = ChangeMode::kUpsert;
  node.left_columns = {1};
  node.right_columns = {1};
  node.stores = {{"left"}, {"right"}};
  auto key = std::make_shared<BoundExpr>();
  key->kind = BoundKind::kColumn;
  key->index = 1;
  key->type = DataType::Int();
  node.foreign_key = {key};
  std::string first;
  AppendOrdered64(0, first);
  Harness run(node);
  test::FakeContext& context = run.context();
  context.memory_share = 0;
  // The pointer stands behind the columns of a left row.
  context.Store("left").Put(first,
                            OldPage(ChunkFromText(*SchemaFromText("K INT KEY, F INT, POINTER INT"),
                                                  "1 | 1, 7, 7\n1 | 2, 7, 7\n1 | 3, 8, 8")));
  context.Store("right").Put(first,
                             OldPage(ChunkFromText(*node.inputs[1]->schema, "1 | 7, x\n1 | 9, z")));
  for (int opening = 0; opening < 2; ++opening) {
    run.OpenAgain();
    run.Push(1, "5 | 7, y");
    run.Push(0, "6 | 3, 9");
    EXPECT_EQ(run.Take(),
              test::Lines(opening == 0 ? "u 5 | 1, 7, y\nu 5 | 2, 7, y\n+ 6 | 3, 9, z"
                                       : "u 5 | 1, 7, y\nu 5 | 2, 7, y\nu 6 | 3, 9, z"));
    run.Barrier();
    EXPECT_EQ(context.stores_["left"].entries().size(), 3u);
    EXPECT_EQ(context.stores_["left-pointers"].entries().size(), 3u);
  }
}

}  // namespace
}  // namespace weir
