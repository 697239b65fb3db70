// GROUP BY with session windows.

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

physical::StreamAggregate Sessions(int64_t gap, int64_t grace) {
  physical::StreamAggregate node;
  node.inputs = {InputNode("K INT KEY, V BIGINT")};
  node.schema = SchemaFromText("K INT KEY, N BIGINT, M BIGINT");
  node.mode = ChangeMode::kUpsert;
  node.key_columns = 1;
  node.calls = {Aggregate("COUNT", {}, {}), Aggregate("MAX", {DataType::Bigint()}, {1})};
  node.window = {WindowKind::kSession, gap, 0, grace, gap + grace};
  node.windowed_key = WindowKind::kSession;
  return node;
}

// The case session-windows/session start stream.
TEST(SessionAggregate, ReplacesASessionThatGrows) {
  const auto node = Sessions(5000, 1000000);
  Harness run(node);
  run.Push(0, "0 | 5, 1\n1000 | 5, 1\n2000 | 5, 1\n70000 | 5, 1");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 0 @0-0 | 5, 1, 1
    - 0 @0-0 | 5, null, null
    + 1000 @0-1000 | 5, 2, 1
    - 1000 @0-1000 | 5, null, null
    + 2000 @0-2000 | 5, 3, 1
    + 70000 @70000-70000 | 5, 1, 1)"));
}

// The case session-windows/out of order - explicit grace period.
TEST(SessionAggregate, DropsLateRowsAndLeavesClosedSessionsAlone) {
  const auto node = Sessions(30000, 60000);
  Harness run(node);
  run.Push(0, R"(
    0 | 0, 0
    100010 | 0, 1
    10009 | 0, 5
    10010 | 0, 6
    10009 | 1, 100
    10010 | 1, 101
    86412022 | 1, 200
    60000 | 1, 200)");
  EXPECT_EQ(run.Take(), Lines(R"(
    + 0 @0-0 | 0, 1, 0
    + 100010 @100010-100010 | 0, 1, 1
    + 10010 @10010-10010 | 0, 1, 6
    + 10010 @10010-10010 | 1, 1, 101
    + 86412022 @86412022-86412022 | 1, 1, 200)"));
  EXPECT_EQ(run.context().dropped["late"], 3);
}

TEST(SessionAggregate, JoinsTwoSessions) {
  const auto node = Sessions(10, 1000);
  for (bool every : {true, false}) {
    Harness run(node);
    run.context().every_change = every;
    run.OpenAgain();
    run.Push(0, "0 | 1, 1\n20 | 1, 2");
    EXPECT_EQ(run.Take(), Lines("+ 0 @0-0 | 1, 1, 1\n+ 20 @20-20 | 1, 1, 2"));
    run.Push(0, "10 | 1, 3");
    const std::string deleted = every ? "- 0 @0-0 | 1, null, null\n- 20 @20-20 | 1, null, null\n"
                                      : "- 20 @20-20 | 1, null, null\n- 0 @0-0 | 1, null, null\n";
    EXPECT_EQ(run.Take(), Lines(deleted + "+ 20 @0-20 | 1, 3, 3"));
  }
}

TEST(SessionAggregate, EmitFinalGivesClosedSessions) {
  auto node = Sessions(10, 0);
  node.emit_final = true;
  Harness run(node);
  run.Push(0, "0 | 1, 1\n5 | 1, 2\n3 | 2, 9\n15 | 3, 1");
  EXPECT_EQ(run.Take(), Lines("+ 3 @3-3 | 2, 1, 9"));
  run.Push(0, "16 | 3, 1");
  EXPECT_EQ(run.Take(), Lines("+ 5 @0-5 | 1, 2, 2"));
  EXPECT_EQ(run.op().open_windows(), 1);
}

struct NaiveSession {
  int64_t start, end, count, max;
};

std::map<std::string, std::string> NaiveSessions(const Chunk& chunk, int64_t gap, int64_t grace) {
  std::map<int32_t, std::vector<NaiveSession>> sessions;
  int64_t clock = INT64_MIN / 2;
  for (int32_t row = 0; row < chunk.rows; ++row) {
    const int64_t time = chunk.row_time()->values<int64_t>()[row];
    const int64_t before = clock;  // Of the rows that came earlier.
    clock = std::max(clock, time);
    auto& list = sessions[chunk.columns[0]->values<int32_t>()[row]];
    NaiveSession merged{time, time, 1, chunk.columns[1]->values<int64_t>()[row]};
    std::vector<NaiveSession> kept;
    for (const NaiveSession& session : list) {
      const bool joins = session.end >= time - gap && session.start <= time + gap &&
                         session.end > before - gap - grace;
      if (!joins) {
        kept.push_back(session);
        continue;
      }
      merged = {std::min(merged.start, session.start), std::max(merged.end, session.end),
                merged.count + session.count, std::max(merged.max, session.max)};
    }
    if (merged.end < clock - gap - grace) continue;
    kept.push_back(merged);
    list = kept;
  }
  std::map<std::string, std::string> rows;
  for (const auto& [key, list] : sessions) {
    for (const NaiveSession& session : list) {
      const std::string bounds =
          "@" + std::to_string(session.start) + "-" + std::to_string(session.end) + " ";
      const std::string name = " " + std::to_string(key);
      rows[bounds + name] = std::to_string(session.end) + " " + bounds + "|" + name + ", " +
                            std::to_string(session.count) + ", " + std::to_string(session.max);
    }
  }
  return rows;
}

TEST(SessionAggregate, AgreesWithANaiveOneHoweverCutAndRestarted) {
  std::mt19937 random(5);
  for (int round = 0; round < 10; ++round) {
    const int64_t grace = round % 3 * 20;
    const auto node = Sessions(15, grace);
    std::string text;
    int64_t time = 0;
    for (int row = 0; row < 300; ++row) {
      time += static_cast<int64_t>(random() % 12);
      const int64_t at = std::max<int64_t>(0, time - static_cast<int64_t>(random() % 40));
      text += std::to_string(at) + " | " + std::to_string(random() % 4) + ", " +
              std::to_string(random() % 100) + "\n";
    }
    const Chunk rows = test::ChunkFromText(*node.inputs[0]->schema, text);
    const auto wanted = NaiveSessions(rows, 15, grace);
    std::vector<std::string> first;
    for (int32_t cut : {1, 7, 1000}) {
      for (bool every : {true, false}) {
        Harness run(node);
        run.context().every_change = every;
        run.OpenAgain();
        run.Push(0, rows, cut);
        const std::vector<std::string> lines = run.Take();
        EXPECT_EQ(FinalRows(lines, 1), wanted) << "cut " << cut << " every " << every;
        if (!every) continue;
        if (first.empty()) first = lines;
        EXPECT_EQ(lines, first) << "cut " << cut;
      }
    }
    Harness run(node);
    std::vector<std::string> lines;
    for (int32_t from = 0; from < rows.rows; from += 60) {
      std::vector<int32_t> part;
      for (int32_t row = from; row < std::min(from + 60, rows.rows); ++row) part.push_back(row);
      run.Push(0, GatherChunk(rows, part), 13);
      run.Restart();
      for (std::string& line : run.Take()) lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, first) << "restarted";
  }
}

}  // namespace
}  // namespace weir
