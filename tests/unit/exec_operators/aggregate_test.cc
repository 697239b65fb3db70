// GROUP BY over streams, without windows and with tumbling and hopping ones, and over tables.

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using physical::WindowKind;
using test::Aggregate;
using test::FinalRows;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

physical::StreamAggregate CountAndSum(WindowKind kind = WindowKind::kNone, int64_t size = 0,
                                      int64_t advance = 0, int64_t grace = 0) {
  physical::StreamAggregate node;
  node.inputs = {InputNode("K INT KEY, V BIGINT")};
  node.schema = SchemaFromText("K INT KEY, N BIGINT, S BIGINT");
  node.mode = ChangeMode::kUpsert;
  node.key_columns = 1;
  node.calls = {Aggregate("COUNT", {}, {}), Aggregate("SUM", {DataType::Bigint()}, {1})};
  node.window = {kind, size, advance, grace, size + grace};
  node.windowed_key = kind;
  return node;
}

TEST(StreamAggregate, ShowsEachChange) {
  const auto node = CountAndSum();
  Harness run(node);
  run.Push(0, R"(
    10 | 1, 5
    5  | 2, 7
    7  | 1, 1)");
  EXPECT_EQ(run.Take(), Lines("+ 10 | 1, 1, 5\n+ 5 | 2, 1, 7\nu 10 | 1, 2, 6"));
}

TEST(StreamAggregate, CollapsesChangesOfABatch) {
  const auto node = CountAndSum();
  Harness run(node);
  run.context().every_change = false;
  run.Push(0, R"(
    10 | 1, 5
    5  | 2, 7
    12 | 1, 1)");
  EXPECT_EQ(run.Take(), Lines("+ 12 | 1, 2, 6\n+ 5 | 2, 1, 7"));
  run.Push(0, "11 | 1, 2");
  EXPECT_EQ(run.Take(), Lines("u 12 | 1, 3, 8"));
}

TEST(StreamAggregate, RetractsOldResults) {
  auto node = CountAndSum();
  node.mode = ChangeMode::kRetract;
  for (bool every : {true, false}) {
    Harness run(node);
    run.context().every_change = every;
    run.Push(0, "1 | 1, 5\n2 | 2, 2");
    run.Push(0, "3 | 1, 1\n4 | 1, 1");
    std::string wanted = "+ 1 | 1, 1, 5\n+ 2 | 2, 1, 2\n";
    wanted += every ? "b 3 | 1, 1, 5\nu 3 | 1, 2, 6\nb 4 | 1, 2, 6\nu 4 | 1, 3, 7"
                    : "b 4 | 1, 1, 5\nu 4 | 1, 3, 7";
    EXPECT_EQ(run.Take(), Lines(wanted));
  }
}

TEST(StreamAggregate, DropsRowsWithoutKeyOrValue) {
  const auto node = CountAndSum();
  Harness run(node);
  run.Push(0, "1 | null, 5\n- 2 | 1\n3 | 1, null");
  EXPECT_EQ(run.Take(), Lines("+ 3 | 1, 1, 0"));
  EXPECT_EQ(run.context().dropped["null_group_key"], 1);
  EXPECT_EQ(run.context().dropped["null_value"], 1);
}

// The case tumbling-windows/out of order - explicit grace period.
TEST(StreamAggregate, TumblingWindowsDropLateRows) {
  const auto node = CountAndSum(WindowKind::kTumbling, 30000, 30000, 60000);
  Harness run(node);
  run.Push(0, R"(
    0 | 0, 0
    89999 | 0, 1
    10009 | 0, 5
    90000 | 0, 0
    10010 | 0, 6
    10009 | 1, 100
    30000 | 1, 101
    86412022 | 1, 200
    60000 | 1, 200)");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 0 @0-30000 | 0, 1, 0
    + 89999 @60000-90000 | 0, 1, 1
    u 10009 @0-30000 | 0, 2, 5
    + 90000 @90000-120000 | 0, 1, 0
    + 30000 @30000-60000 | 1, 1, 101
    + 86412022 @86400000-86430000 | 1, 1, 200)"));
  EXPECT_EQ(run.context().dropped["late"], 3);
}

TEST(StreamAggregate, HoppingWindowsOverlap) {
  const auto node = CountAndSum(WindowKind::kHopping, 30000, 10000, 0);
  Harness run(node);
  run.Push(0, "0 | 0, 0\n10000 | 0, 5\n30000 | 100, 100");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 0 @0-30000 | 0, 1, 0
    u 10000 @0-30000 | 0, 2, 5
    + 10000 @10000-40000 | 0, 1, 5
    + 30000 @10000-40000 | 100, 1, 100
    + 30000 @20000-50000 | 100, 1, 100
    + 30000 @30000-60000 | 100, 1, 100)"));
}

TEST(StreamAggregate, EmitFinalWaitsForTheClose) {
  auto node = CountAndSum(WindowKind::kTumbling, 10, 10, 5);
  node.emit_final = true;
  Harness run(node);
  run.Push(0, "1 | 1, 1\n2 | 2, 1\n12 | 1, 1\n9 | 1, 1\n14 | 2, 1");
  EXPECT_EQ(run.Take(), Lines(""));
  EXPECT_EQ(run.op().open_windows(), 4);
  run.Push(0, "15 | 3, 1");
  EXPECT_EQ(run.Take(), Lines("+ 9 @0-10 | 1, 2, 2\n+ 2 @0-10 | 2, 1, 1"));
  run.Push(0, "3 | 1, 1");
  EXPECT_EQ(run.context().dropped["late"], 1);
  ASSERT_TRUE(run.op().CloseWindows().ok());
  EXPECT_EQ(run.Take().size(), 3u);
  EXPECT_EQ(run.op().open_windows(), 0);
}

// The case suppress/should support final results for tumbling windows: without extensions, windows
// that have left Kafka Streams' store are lost, however the rows are cut into batches.
TEST(StreamAggregate, EmitFinalAsKafkaStreamsLosesExpiredWindows) {
  auto node = CountAndSum(WindowKind::kTumbling, 2, 2, 1);
  node.emit_final = true;
  for (int32_t cut : {1, 2, 100}) {
    Harness run(node);
    run.context().settings["sql.extensions"] = 0;
    ASSERT_TRUE(run.op().Open(run.context()).ok());
    run.Push(0, "0 | 1, 1\n1 | 1, 1\n2 | 1, 1\n1 | 1, 1\n0 | 1, 1\n5 | 1, 1", cut);
    EXPECT_EQ(run.Take(), Lines("+ 2 @2-4 | 1, 1, 1")) << cut;
  }
}

std::string RandomRows(std::mt19937& random, int rows, int keys, int64_t step, int64_t disorder) {
  std::string text;
  int64_t time = 0;
  for (int row = 0; row < rows; ++row) {
    time += static_cast<int64_t>(random() % static_cast<uint64_t>(step + 1));
    const int64_t at = std::max<int64_t>(
        0, time - static_cast<int64_t>(random() % static_cast<uint64_t>(disorder + 1)));
    text += std::to_string(at) + " | " + std::to_string(random() % static_cast<uint64_t>(keys)) +
            ", " + std::to_string(random() % 100) + "\n";
  }
  return text;
}

// Count and sum by key and window, row by row.
std::map<std::string, std::string> NaiveWindows(const Chunk& chunk,
                                                const physical::WindowSpec& window) {
  struct State {
    int64_t time = INT64_MIN, count = 0, sum = 0;
  };
  std::map<std::pair<int64_t, int32_t>, State> states;
  int64_t clock = INT64_MIN;
  for (int32_t row = 0; row < chunk.rows; ++row) {
    const int64_t time = chunk.row_time()->values<int64_t>()[row];
    clock = std::max(clock, time);
    for (int64_t start = 0; start <= time; start += window.advance_ms) {
      if (time >= start + window.size_ms) continue;
      if (start + window.size_ms + window.grace_ms <= clock) continue;
      State& state = states[{start, chunk.columns[0]->values<int32_t>()[row]}];
      state.time = std::max(state.time, time);
      state.count += 1;
      state.sum += chunk.columns[1]->values<int64_t>()[row];
    }
  }
  std::map<std::string, std::string> rows;
  for (const auto& [key, state] : states) {
    const std::string bounds =
        "@" + std::to_string(key.first) + "-" + std::to_string(key.first + window.size_ms) + " ";
    const std::string name = " " + std::to_string(key.second);
    rows[bounds + name] = std::to_string(state.time) + " " + bounds + "|" + name + ", " +
                          std::to_string(state.count) + ", " + std::to_string(state.sum);
  }
  return rows;
}

TEST(StreamAggregate, AgreesWithANaiveOneHoweverCutAndRestarted) {
  std::mt19937 random(42);
  for (int round = 0; round < 12; ++round) {
    const bool hopping = round % 2 == 1;
    const auto node = CountAndSum(hopping ? WindowKind::kHopping : WindowKind::kTumbling, 60,
                                  hopping ? 20 : 60, round % 3 * 15);
    const Chunk rows =
        test::ChunkFromText(*node.inputs[0]->schema, RandomRows(random, 400, 6, 5, 80));
    const auto wanted = NaiveWindows(rows, node.window);
    std::vector<std::string> first;
    for (int32_t cut : {1, 7, 1000}) {
      for (bool every : {true, false}) {
        Harness run(node);
        run.context().every_change = every;
        run.Push(0, rows, cut);
        const std::vector<std::string> lines = run.Take();
        EXPECT_EQ(FinalRows(lines, 1), wanted);
        if (!every) continue;
        if (first.empty()) first = lines;
        EXPECT_EQ(lines, first) << "cut " << cut;
      }
    }
    Harness run(node);
    std::vector<std::string> lines;
    for (int32_t from = 0; from < rows.rows; from += 90) {
      std::vector<int32_t> part;
      for (int32_t row = from; row < std::min(from + 90, rows.rows); ++row) part.push_back(row);
      run.Push(0, GatherChunk(rows, part), 13);
      run.Restart();
      for (std::string& line : run.Take()) lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, first) << "restarted";
  }
}

TEST(StreamAggregate, ForgetsClosedWindows) {
  const auto node = CountAndSum(WindowKind::kTumbling, 10, 10, 0);
  Harness run(node);
  for (int64_t time = 0; time < 20000; time += 5) {
    run.Push(0, std::to_string(time) + " | " + std::to_string(time % 3) + ", 1");
    run.Barrier();
  }
  EXPECT_LE(run.context().stores_["aggregate-0"].entries().size(), 4u);
}

TEST(StreamAggregate, TakesRowsBehindTheMinimumAsIdleLate) {
  const auto node = CountAndSum(WindowKind::kTumbling, 10, 10, 0);
  Harness run(node);
  ASSERT_TRUE(run.op().OnStreamTime(0, 100).ok());
  run.Push(0, "50 | 1, 1");
  EXPECT_EQ(run.Take(), Lines(""));
  EXPECT_EQ(run.context().dropped["late_after_idle"], 1);
}

physical::TableAggregate TableCount() {
  physical::TableAggregate node;
  node.inputs = {InputNode("G STRING KEY, V BIGINT", ChangeMode::kRetract)};
  node.schema = SchemaFromText("G STRING KEY, N BIGINT, S BIGINT");
  node.mode = ChangeMode::kUpsert;
  node.key_columns = 1;
  node.calls = {Aggregate("COUNT", {}, {}), Aggregate("SUM", {DataType::Bigint()}, {1})};
  return node;
}

// The case group-by/fields (table->table).
TEST(TableAggregate, MovesRowsBetweenGroups) {
  const auto node = TableCount();
  Harness run(node);
  run.Push(0, R"(
    + 1 | a, 1
    + 2 | b, 2
    b 3 | a, 1
    u 3 | b, 1
    - 4 | b, 2
    b 5 | b, 1
    u 5 | b, 3)");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 1 | a, 1, 1
    + 2 | b, 1, 2
    u 3 | a, 0, 0
    u 3 | b, 2, 3
    u 4 | b, 1, 1
    u 5 | b, 1, 3)"));
}

TEST(TableAggregate, CollapsesAndRestarts) {
  const auto node = TableCount();
  Harness run(node);
  run.context().every_change = false;
  run.Push(0, "+ 1 | a, 1\n+ 2 | b, 2\nb 3 | a, 1\nu 3 | b, 1");
  run.Restart();
  run.Push(0, "- 4 | b, 2\n+ 5 | null, 2");
  EXPECT_EQ(run.Take(), Lines("+ 3 | a, 0, 0\n+ 3 | b, 2, 3\nu 4 | b, 1, 1"));
}

}  // namespace
}  // namespace weir
