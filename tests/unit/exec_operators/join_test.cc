// Joins of streams and tables.

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "exec/operators/chunk_rows.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using physical::JoinKind;
using test::FinalRows;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

physical::StreamStreamJoin StreamJoin(JoinKind kind, int64_t before, int64_t after,
                                      int64_t grace = 86400000, bool has_grace = false) {
  physical::StreamStreamJoin node;
  node.inputs = {InputNode("K INT KEY, L STRING"), InputNode("K INT KEY, R STRING")};
  node.schema = SchemaFromText("K INT KEY, L_K INT, L STRING, R_K INT, R STRING");
  node.join = kind;
  node.before_ms = before;
  node.after_ms = after;
  node.grace_ms = grace;
  node.has_grace = has_grace;
  node.left_columns = {0, 1};
  node.right_columns = {0, 1};
  return node;
}

// The case joins/stream stream left join.
TEST(StreamStreamJoin, LeftWithoutGraceIsEager) {
  const auto node = StreamJoin(JoinKind::kLeft, 11000, 11000);
  Harness run(node);
  run.Push(0, "0 | 0, zero");
  run.Push(1, "10000 | 0, blah");
  run.Push(0, "11000 | 10, 100");
  run.Push(0, "13000 | 0, foo");
  run.Push(1, "15000 | 0, a");
  run.Push(1, "16000 | 100, newblah");
  run.Push(0, "17000 | 90, ninety");
  run.Push(0, "30000 | 0, bar");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 0 | 0, 0, zero, null, null
    + 10000 | 0, 0, zero, 0, blah
    + 11000 | 10, 10, 100, null, null
    + 13000 | 0, 0, foo, 0, blah
    + 15000 | 0, 0, foo, 0, a
    + 17000 | 90, 90, ninety, null, null
    + 30000 | 0, 0, bar, null, null)"));
}

// The case joins/stream stream right join with out of order and custom grace period.
TEST(StreamStreamJoin, RightWithGraceOutOfOrder) {
  const auto node = StreamJoin(JoinKind::kRight, 60000, 60000, 60000, true);
  Harness run(node);
  run.Push(0, "0 | 0, A");
  run.Push(1, "60000 | 0, a");
  run.Push(0, "330000 | 1, B");
  run.Push(0, "90000 | 2, C");
  run.Push(1, "90000 | 2, c");
  run.Push(1, "60000 | 3, d");
  run.Push(0, "90000 | 3, D");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 60000 | 0, 0, A, 0, a
    + 90000 | 2, null, null, 2, c
    + 60000 | 3, null, null, 3, d
    + 90000 | 3, 3, D, 3, d)"));
  EXPECT_EQ(run.context().dropped["late"], 2);
}

TEST(StreamStreamJoin, UnmatchedRowsWaitForTheirWindow) {
  const auto node = StreamJoin(JoinKind::kFull, 5, 10, 2, true);
  for (int32_t cut : {1, 100}) {
    Harness run(node);
    run.Push(0, "0 | 1, a\n1 | 2, b", cut);
    run.Push(1, "3 | 1, x\n4 | 3, y", cut);
    EXPECT_EQ(run.Take(), Lines("+ 3 | 1, 1, a, 1, x"));
    run.Restart();
    run.Push(0, "12 | 4, c\n14 | 5, d", cut);  // y closes behind 4 + 5 + 2, b behind 1 + 10 + 2.
    EXPECT_EQ(run.Take(), Lines("+ 4 | 3, null, null, 3, y\n+ 1 | 2, 2, b, null, null"));
    run.Push(1, "10 | 4, z", cut);
    EXPECT_EQ(run.Take(), Lines("+ 12 | 4, 4, c, 4, z"));
  }
}

TEST(StreamStreamJoin, RowsWithoutKeyOrValueTakeNoPart) {
  const auto node = StreamJoin(JoinKind::kLeft, 10, 10);
  Harness run(node);
  run.Push(0, "0 | null, a\n- 0 | 1");
  EXPECT_EQ(run.Take(), Lines(""));
  EXPECT_EQ(run.context().dropped["null_join_key"], 1);
  EXPECT_EQ(run.context().dropped["null_value"], 1);
}

struct Row {
  int side;
  int64_t time;
  int key;
  std::string name;
};

// Pairs by comparing all with all, as the rows come.
std::vector<std::string> NaivePairs(const std::vector<Row>& rows, int64_t before, int64_t after,
                                    int64_t kept_for) {
  std::vector<std::string> lines;
  std::vector<Row> kept[2];
  int64_t clock[2] = {INT64_MIN / 2, INT64_MIN / 2};
  for (const Row& row : rows) {
    clock[row.side] = std::max(clock[row.side], row.time);
    if (row.time + kept_for > clock[row.side]) kept[row.side].push_back(row);
    std::vector<Row> matches;
    for (const Row& other : kept[1 - row.side]) {
      const int64_t left = row.side == 0 ? row.time : other.time;
      const int64_t right = row.side == 0 ? other.time : row.time;
      if (other.key != row.key || right < left - before || right > left + after) continue;
      if (other.time + kept_for <= clock[1 - row.side]) continue;
      matches.push_back(other);
    }
    std::stable_sort(matches.begin(), matches.end(),
                     [](const Row& a, const Row& b) { return a.time < b.time; });
    for (const Row& other : matches) {
      const Row& left = row.side == 0 ? row : other;
      const Row& right = row.side == 0 ? other : row;
      const std::string key = std::to_string(row.key);
      lines.push_back("+ " + std::to_string(std::max(row.time, other.time)) + " | " + key + ", " +
                      key + ", " + left.name + ", " + key + ", " + right.name);
    }
  }
  return lines;
}

TEST(StreamStreamJoin, AgreesWithANaiveOneHoweverCutAndRestarted) {
  std::mt19937 random(9);
  for (int round = 0; round < 8; ++round) {
    const auto node = StreamJoin(JoinKind::kInner, 20, 30, 15);
    std::vector<Row> rows;
    int64_t time = 0;
    int side = 0;
    for (int i = 0; i < 600; ++i) {
      if (random() % 9 == 0) side = 1 - side;
      time += static_cast<int64_t>(random() % 4);
      const int64_t at = std::max<int64_t>(0, time - static_cast<int64_t>(random() % 90));
      rows.push_back({side, at, static_cast<int>(random() % 5), "n" + std::to_string(i)});
    }
    const auto wanted = NaivePairs(rows, 20, 30, 65);
    for (int32_t cut : {1, 3, 1000}) {
      for (bool restarts : {false, true}) {
        Harness run(node);
        std::vector<std::string> lines;
        for (size_t from = 0; from < rows.size();) {
          size_t to = from;
          std::string text;
          while (to < rows.size() && rows[to].side == rows[from].side) {
            text += std::to_string(rows[to].time) + " | " + std::to_string(rows[to].key) + ", " +
                    rows[to].name + "\n";
            ++to;
          }
          run.Push(rows[from].side, text, cut);
          if (restarts && random() % 5 == 0) run.Restart();
          from = to;
        }
        EXPECT_EQ(run.Take(), wanted) << "cut " << cut << " restarts " << restarts;
      }
    }
  }
}

// Of an outer join every row comes out, with a partner or alone, exactly as often as it matches.
TEST(StreamStreamJoin, OuterRowsComeOutOnce) {
  std::mt19937 random(21);
  const auto node = StreamJoin(JoinKind::kFull, 10, 10, 50, true);
  std::vector<std::string> first;
  for (int32_t cut : {1, 5, 1000}) {
    std::mt19937 same = random;
    Harness run(node);
    int64_t time = 0;
    int alone_or_matched[2] = {0, 0};
    for (int batch = 0; batch < 60; ++batch) {
      std::string text;
      for (int row = 0; row < 8; ++row) {
        time += static_cast<int64_t>(same() % 3);
        text += std::to_string(std::max<int64_t>(0, time - static_cast<int64_t>(same() % 8))) +
                " | " + std::to_string(same() % 30) + ", v" + std::to_string(batch * 8 + row) +
                "\n";
      }
      const int side = static_cast<int>(same() % 2);
      run.Push(side, text, cut);
      ++alone_or_matched[side];
    }
    run.Push(0, "100000 | 99, end");
    std::vector<std::string> lines = run.Take();
    std::sort(lines.begin(), lines.end());
    if (first.empty()) first = lines;
    EXPECT_EQ(lines, first) << cut;
    std::map<std::string, int> seen;
    for (const std::string& line : lines) {
      for (size_t at = line.find('v'); at != std::string::npos; at = line.find('v', at + 1)) {
        ++seen[line.substr(at, line.find_first_of(", ", at) - at)];
      }
    }
    EXPECT_EQ(seen.size(), 480u);
  }
}

// Behind an exchange the other side's time may run ahead or not, as its readers are quick: what
// comes out alone at once must not depend on it.
TEST(StreamStreamJoin, WhatComesOutAloneDoesNotDependOnTheOtherSidesReader) {
  const auto node = StreamJoin(JoinKind::kLeft, 10, 10, 1000, true);
  for (const bool other_is_ahead : {false, true}) {
    Harness run(node);
    if (other_is_ahead) {
      ASSERT_TRUE(run.op().OnStreamTime(1, 90).ok());
    }
    // One row in time in its own partition, one whose window has passed there.
    Chunk rows = test::ChunkFromText(*node.inputs[0]->schema, "50 | 1, a\n50 | 2, b");
    rows.source_partition = -1;
    rows.sys(SystemColumn::kStreamTime) = MakeTimes(std::vector<int64_t>{55, 61});
    ASSERT_TRUE(run.op().OnBatch(0, std::move(rows)).ok());
    EXPECT_EQ(run.Take(), Lines("+ 50 | 2, 2, b, null, null")) << other_is_ahead;
    run.Push(1, "60 | 1, x");
    EXPECT_EQ(run.Take(), Lines("+ 60 | 1, 1, a, 1, x")) << other_is_ahead;
  }
}

TEST(StreamStreamJoin, ForgetsExpiredRows) {
  const auto node = StreamJoin(JoinKind::kInner, 10, 10, 0);
  Harness run(node);
  for (int64_t block = 0; block < 20; ++block) {
    for (int side : {0, 1}) {
      std::string text;
      for (int64_t row = 0; row < 1000; ++row) {
        text += std::to_string(block * 1000 + row) + " | " + std::to_string(row) + ", x\n";
      }
      run.Push(side, text);
    }
    run.Barrier();
  }
  EXPECT_EQ(run.Take().size(), 400u);  // Of each left block only the last 20 are kept by then.
  EXPECT_LT(run.context().memory, 2 << 20);
}

physical::StreamTableJoin TableJoin(JoinKind kind) {
  physical::StreamTableJoin node;
  node.inputs = {InputNode("K INT KEY, V STRING"),
                 InputNode("K INT KEY, T STRING", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, V STRING, T STRING");
  node.join = kind;
  node.left_columns = {1};
  node.right_columns = {1};
  return node;
}

// The case joins/stream to table wrapped single field value schema on inputs.
TEST(StreamTableJoin, LooksUpTheRowOfTheMoment) {
  for (JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    const auto node = TableJoin(kind);
    Harness run(node);
    run.Push(1, "0 | 0, b");
    run.Push(0, "10 | 0, a\n20 | 0, null\n25 | 7, x\n26 | null, x\n- 27 | 0");
    run.Restart();
    run.Push(1, "30 | 0, null");
    run.Push(0, "40 | 0, null");
    run.Push(1, "- 50 | 0");
    run.Push(0, "60 | 0, a");
    EXPECT_EQ(run.Take(), kind == JoinKind::kInner
                              ? Lines("+ 10 | 0, a, b\n+ 20 | 0, null, b\n+ 40 | 0, null, null")
                              : Lines("+ 10 | 0, a, b\n+ 20 | 0, null, b\n+ 25 | 7, x, null\n"
                                      "+ 40 | 0, null, null\n+ 60 | 0, a, null"));
  }
}

physical::TableTableJoin TwoTables(JoinKind kind, ChangeMode mode = ChangeMode::kUpsert) {
  physical::TableTableJoin node;
  node.inputs = {InputNode("K INT KEY, L STRING", ChangeMode::kUpsert),
                 InputNode("K INT KEY, R STRING", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, L STRING, R STRING");
  node.mode = mode;
  node.join = kind;
  node.left_columns = {1};
  node.right_columns = {1};
  return node;
}

// The case joins/table to table wrapped single field value schema on inputs.
TEST(TableTableJoin, InnerDeletesWhatWasThere) {
  const auto node = TwoTables(JoinKind::kInner);
  Harness run(node);
  run.Push(0, "0 | 0, a");
  run.Push(1, "10 | 0, b");
  run.Push(0, "20 | 0, null");
  run.Push(1, "30 | 0, null");
  run.Restart();
  run.Push(0, "40 | 0, null\n- 50 | 0");
  run.Push(1, "- 60 | 0");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 10 | 0, a, b
    u 20 | 0, null, b
    u 30 | 0, null, null
    u 40 | 0, null, null
    - 50 | 0, null, null)"));
}

TEST(TableTableJoin, OuterKinds) {
  std::map<JoinKind, std::string> wanted = {
      {JoinKind::kLeft, "+ 1 | 1, a, null\nu 2 | 1, a, x\nu 4 | 1, a, null\n- 5 | 1, null, null"},
      {JoinKind::kRight, "+ 2 | 1, a, x\n+ 3 | 2, null, y\n- 4 | 1, null, null"},
      {JoinKind::kFull,
       "+ 1 | 1, a, null\nu 2 | 1, a, x\n+ 3 | 2, null, y\nu 4 | 1, a, null\n- 5 | 1, null, null"}};
  for (const auto& [kind, lines] : wanted) {
    const auto node = TwoTables(kind);
    Harness run(node);
    run.Push(0, "1 | 1, a");
    run.Push(1, "2 | 1, x\n3 | 2, y\n- 4 | 1");
    run.Push(0, "- 5 | 1");
    EXPECT_EQ(run.Take(), Lines(lines));
  }
}

TEST(TableTableJoin, RetractsWhereAsked) {
  const auto node = TwoTables(JoinKind::kInner, ChangeMode::kRetract);
  Harness run(node);
  run.Push(0, "1 | 1, a");
  run.Push(1, "2 | 1, x\n3 | 1, y\n- 4 | 1");
  EXPECT_EQ(run.Take(), Lines("+ 2 | 1, a, x\nb 3 | 1, a, x\nu 3 | 1, a, y\n- 4 | 1, a, y"));
}

TEST(ForeignKeyJoin, FollowsBothSides) {
  physical::ForeignKeyJoin node;
  node.inputs = {InputNode("K INT KEY, F INT", ChangeMode::kUpsert),
                 InputNode("P INT KEY, R STRING", ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, F INT, R STRING");
  node.mode = ChangeMode::kUpsert;
  node.left_columns = {1};
  node.right_columns = {1};
  auto key = std::make_shared<BoundExpr>();
  key->kind = BoundKind::kColumn;
  key->index = 1;
  key->type = DataType::Int();
  node.foreign_key = {key};
  std::map<JoinKind, std::string> wanted = {
      {JoinKind::kInner,
       "+ 2 | 1, 7, x\n+ 3 | 2, 7, x\nu 4 | 1, 7, y\nu 4 | 2, 7, y\n- 5 | 1, null, null\n"
       "+ 6 | 1, 8, z\n- 7 | 2, null, null"},
      {JoinKind::kLeft,
       "+ 1 | 1, 7, null\nu 2 | 1, 7, x\n+ 3 | 2, 7, x\nu 4 | 1, 7, y\nu 4 | 2, 7, y\n"
       "u 5 | 1, 8, null\nu 6 | 1, 8, z\n- 7 | 2, null, null"}};
  for (const auto& [kind, lines] : wanted) {
    node.join = kind;
    Harness run(node);
    run.Push(0, "1 | 1, 7");
    run.Push(1, "2 | 7, x");
    run.Push(0, "3 | 2, 7");
    run.Restart();
    run.Push(1, "4 | 7, y");
    run.Push(0, "5 | 1, 8");
    run.Push(1, "6 | 8, z");
    run.Push(0, "- 7 | 2");
    EXPECT_EQ(run.Take(), Lines(lines));
  }
}

}  // namespace
}  // namespace weir
