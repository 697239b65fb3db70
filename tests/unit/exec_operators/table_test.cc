// Tables kept by key: Materialize, and the view that pull queries read.

#include <gtest/gtest.h>

#include "exec/operators/materialized_view.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using test::ChunkFromText;
using test::ChunkToLines;
using test::FakeContext;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

TEST(Materialize, BringsTheOldRow) {
  physical::Materialize node;
  node.inputs = {InputNode("K INT KEY, V STRING", ChangeMode::kUpsert)};
  node.schema = node.inputs[0]->schema;
  node.mode = ChangeMode::kRetract;
  for (int32_t cut : {1, 100}) {
    Harness run(node);
    run.Push(0, "1 | 1, a\n2 | 1, b\n3 | 2, c\n- 4 | 1\n5 | 1, d\n- 6 | 9", cut);
    run.Restart();
    run.Push(0, "7 | 1, e\n- 8 | 2", cut);
    EXPECT_EQ(run.Take(), Lines(R"(
      + 1 | 1, a
      b 2 | 1, a
      u 2 | 1, b
      + 3 | 2, c
      - 4 | 1, b
      + 5 | 1, d
      b 7 | 1, d
      u 7 | 1, e
      - 8 | 2, c)"));
  }
}

// The views here have two columns.
constexpr int kBoth[] = {0, 1};

std::vector<std::string> ScanLines(MaterializedView& view) {
  std::vector<std::string> lines;
  EXPECT_TRUE(view.Scan(kBoth, [&](Chunk rows) {
                    for (std::string& line : ChunkToLines(rows)) lines.push_back(std::move(line));
                    return OkStatus();
                  }).ok());
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> LookupLines(MaterializedView& view, std::vector<Value> key) {
  std::vector<std::string> lines;
  EXPECT_TRUE(view.Lookup(key, kBoth, [&](Chunk rows) {
                    for (std::string& line : ChunkToLines(rows)) lines.push_back(std::move(line));
                    return OkStatus();
                  }).ok());
  return lines;
}

std::unique_ptr<MaterializedView> MakeView(const MaterializedViewOptions& options,
                                           FakeContext& context) {
  auto view = MakeMaterializedView(options);
  EXPECT_TRUE(view.ok());
  EXPECT_TRUE((*view)->Open(context).ok());
  return std::move(*view);
}

TEST(MaterializedView, LooksUpAndScans) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K INT KEY, V STRING");
  options.key_columns = 1;
  FakeContext context;
  auto view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, R"(
    + 1 | 1, a
    b 2 | 1, a
    u 2 | 1, b
    + 3 | 2, c
    - 4 | 2)")).ok());
  EXPECT_EQ(ScanLines(*view), Lines("+ 2 | 1, b"));
  ASSERT_TRUE(view->OnBarrier().ok());
  view = MakeView(options, context);
  EXPECT_EQ(LookupLines(*view, {Value(int32_t{1})}), Lines("+ 2 | 1, b"));
  EXPECT_EQ(LookupLines(*view, {Value(int32_t{2})}), Lines(""));
  EXPECT_EQ(LookupLines(*view, {Value()}), Lines(""));
}

TEST(MaterializedView, ForgetsWindowsAfterTheirRetention) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K STRING KEY, N BIGINT");
  options.key_columns = 1;
  options.windowed_key = physical::WindowKind::kTumbling;
  options.window_size_ms = 10;
  options.retention_ms = 100;
  FakeContext context;
  auto view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, R"(
    1 @20-30 | a, 2
    1 @0-10 | a, 1
    1 @0-10 | b, 5
    2 @0-10 | a, 7)")).ok());
  EXPECT_EQ(LookupLines(*view, {Value(std::string("a"))}),
            Lines("+ 2 @0-10 | a, 7\n+ 1 @20-30 | a, 2"));
  ASSERT_TRUE(view->OnStreamTime(0, 99).ok());
  EXPECT_EQ(view->row_count(), 3);
  ASSERT_TRUE(view->OnStreamTime(0, 100).ok());
  EXPECT_EQ(ScanLines(*view), Lines("+ 1 @20-30 | a, 2"));
  ASSERT_TRUE(view->OnBarrier().ok());
  view = MakeView(options, context);
  EXPECT_EQ(LookupLines(*view, {Value(std::string("a"))}), Lines("+ 1 @20-30 | a, 2"));
  EXPECT_EQ(LookupLines(*view, {Value(std::string("b"))}), Lines(""));
}

}  // namespace
}  // namespace weir
