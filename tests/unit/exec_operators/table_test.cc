// Tables kept by key: Materialize, and the view that pull queries read.

#include <gtest/gtest.h>

#include "exec/operators/table/materialized_view.h"
#include "exec/state/row_codec.h"
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

// A view's store as a state backend, where its keys have no prefix, and "layout" is that of the
// other store.
class StoreState : public StateReader {
 public:
  explicit StoreState(FakeContext& context) : context_(context) {}
  Result<std::optional<std::string>> Get(std::string_view key) const override {
    std::vector<std::optional<std::string>> values;
    const bool is_layout = key.starts_with("layout");
    EXPECT_TRUE(context_.Store(is_layout ? "view-layout" : "view")
                    .MultiGet({std::string(is_layout ? key.substr(6) : key)}, values)
                    .ok());
    return values[0];
  }
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    return context_.Store("view").MultiGet(keys, values);
  }
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return context_.Store("view").Scan(from, to, visit);
  }

 private:
  FakeContext& context_;
};

ViewReader Read(const MaterializedViewOptions& options, FakeContext& context) {
  return ViewReader(options, std::make_shared<StoreState>(context), "", "layout");
}

std::vector<std::string> ScanLines(const MaterializedViewOptions& options, FakeContext& context) {
  std::vector<std::string> lines;
  ViewReader reader = Read(options, context);
  while (true) {
    Result<std::optional<Chunk>> rows = reader.Next(kBoth);
    EXPECT_TRUE(rows.ok());
    if (!rows.ok() || !*rows) return lines;
    for (std::string& line : ChunkToLines(**rows)) lines.push_back(std::move(line));
  }
}

std::vector<std::string> LookupLines(const MaterializedViewOptions& options, FakeContext& context,
                                     std::vector<Value> key) {
  std::vector<std::string> lines;
  EXPECT_TRUE(Read(options, context)
                  .Lookup(key, kBoth,
                          [&](Chunk rows) {
                            for (std::string& line : ChunkToLines(rows)) {
                              lines.push_back(std::move(line));
                            }
                            return OkStatus();
                          })
                  .ok());
  return lines;
}

std::unique_ptr<Operator> MakeView(MaterializedViewOptions options, FakeContext& context) {
  options.store_name = "view";
  options.layout_name = "view-layout";
  auto view = MakeMaterializedView(options);
  EXPECT_TRUE(view.ok());
  EXPECT_TRUE((*view)->Open(context).ok());
  return std::move(*view);
}

void Commit(Operator& view) {
  ASSERT_TRUE(view.OnBarrier().ok());
  ASSERT_TRUE(view.OnCommitted().ok());
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
    - 4 | 2
    + 5 | -3, d)"))
                  .ok());
  // Nothing before the commit; then in order of the keys.
  EXPECT_EQ(ScanLines(options, context), Lines(""));
  Commit(*view);
  EXPECT_EQ(ScanLines(options, context), Lines("+ 5 | -3, d\n+ 2 | 1, b"));
  EXPECT_EQ(LookupLines(options, context, {Value(int32_t{1})}), Lines("+ 2 | 1, b"));
  EXPECT_EQ(LookupLines(options, context, {Value(int32_t{2})}), Lines(""));
  EXPECT_EQ(LookupLines(options, context, {Value()}), Lines(""));
  // Also of a row that the view has not seen since it was opened.
  view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, "- 6 | 1")).ok());
  Commit(*view);
  EXPECT_EQ(ScanLines(options, context), Lines("+ 5 | -3, d"));
}

TEST(MaterializedView, HoldsNoCommittedRows) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K INT KEY, V STRING");
  options.key_columns = 1;
  FakeContext context;
  auto view = MakeView(options, context);
  std::string text;
  for (int key = 0; key < 4000; ++key) text += "1 | " + std::to_string(key) + ", some text\n";
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, text)).ok());
  EXPECT_GT(context.memory, 100'000);
  Commit(*view);
  EXPECT_LT(context.memory, 10'000);
  EXPECT_EQ(ScanLines(options, context).size(), 4000u);
}

TEST(MaterializedView, ForgetsWindowsAfterTheirRetention) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K STRING KEY, N BIGINT");
  options.key_columns = 1;
  options.windowed_key = physical::WindowKind::kTumbling;
  options.retention_ms = 100;
  FakeContext context;
  auto view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, R"(
    1 @20-30 | a, 2
    1 @0-10 | a, 1
    1 @0-10 | b, 5
    2 @0-10 | a, 7)"))
                  .ok());
  ASSERT_TRUE(view->OnStreamTime(0, 99).ok());
  Commit(*view);
  const std::vector<Value> a = {Value(std::string("a"))}, b = {Value(std::string("b"))};
  EXPECT_EQ(LookupLines(options, context, a), Lines("+ 2 @0-10 | a, 7\n+ 1 @20-30 | a, 2"));
  EXPECT_EQ(LookupLines(options, context, b), Lines("+ 1 @0-10 | b, 5"));
  ASSERT_TRUE(view->OnStreamTime(0, 100).ok());
  Commit(*view);
  EXPECT_EQ(ScanLines(options, context), Lines("+ 1 @20-30 | a, 2"));
  view = MakeView(options, context);
  EXPECT_EQ(LookupLines(options, context, a), Lines("+ 1 @20-30 | a, 2"));
  EXPECT_EQ(LookupLines(options, context, b), Lines(""));
  // What does not count is deleted, once enough time has passed.
  ASSERT_TRUE(view->OnStreamTime(0, 201).ok());
  Commit(*view);
  EXPECT_EQ(context.stores_["view"].entries().size(), 0u);
}

// Rows ordered by time, as earlier versions wrote them, of a table that had fewer columns then.
TEST(MaterializedView, ReadsWhatEarlierVersionsWrote) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K STRING KEY, N BIGINT");
  options.key_columns = 1;
  options.windowed_key = physical::WindowKind::kTumbling;
  options.retention_ms = 100;
  FakeContext context;
  const Chunk rows = ChunkFromText(*SchemaFromText("K STRING KEY, E BIGINT KEY"),
                                   "1 | a, 10\n2 | a, 30\n3 | b, 30");
  for (int32_t row = 0; row < rows.rows; ++row) {
    std::string key, value;
    AppendOrdered64(rows.columns[1]->values<int64_t>()[row] - 10, key);
    AppendRow(rows.columns, row, key);
    AppendOrdered64(row, value);
    context.Store("view").Put(key, value);
  }
  context.Store("view-layout").Put("columns", SchemaFromText("K STRING KEY")->ToString());
  auto view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, "9 @20-30 | b, 4")).ok());
  Commit(*view);
  EXPECT_EQ(ScanLines(options, context),
            Lines("+ 0 @0-10 | a, null\n+ 1 @20-30 | a, null\n+ 9 @20-30 | b, 4"));
  EXPECT_EQ(LookupLines(options, context, {Value(std::string("a"))}),
            Lines("+ 0 @0-10 | a, null\n+ 1 @20-30 | a, null"));
  EXPECT_EQ(context.stores_["view"].entries().size(), 3u);
}

// Stream time begins at the first row's, which may be the earliest there is.
TEST(MaterializedView, KeepsWindowsAtTheEarliestTimes) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K STRING KEY, N BIGINT");
  options.key_columns = 1;
  options.windowed_key = physical::WindowKind::kTumbling;
  options.retention_ms = 86'400'000;
  FakeContext context;
  auto view = MakeView(options, context);
  ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, "1 @20-30 | a, 2")).ok());
  for (int64_t time : {INT64_MIN, INT64_MIN + 1, INT64_MIN + 86'400'000, int64_t{86'400'020}}) {
    ASSERT_TRUE(view->OnStreamTime(0, time).ok());
    Commit(*view);
    EXPECT_EQ(ScanLines(options, context).size(), time > 0 ? 0u : 1u) << time;
  }
  ASSERT_TRUE(view->OnStreamTime(0, INT64_MAX).ok());
  Commit(*view);
}

// Many windows leave the store piece by piece.
TEST(MaterializedView, DeletesWindowsInPieces) {
  MaterializedViewOptions options;
  options.schema = SchemaFromText("K INT KEY, V STRING");
  options.key_columns = 1;
  options.windowed_key = physical::WindowKind::kTumbling;
  options.retention_ms = 1000;
  FakeContext context;
  auto view = MakeView(options, context);
  constexpr int kKeys = 3000;
  size_t most = 0;
  for (int time = 0; time < 20'000; time += 100) {
    std::string text;
    const std::string window = std::to_string(time) + " @" + std::to_string(time) + "-" +
                               std::to_string(time + 100) + " | ";
    for (int key = 0; key < kKeys / 10; ++key) {
      text += window + std::to_string(key) + ", a text of some length, so that there is work\n";
    }
    ASSERT_TRUE(view->OnBatch(0, ChunkFromText(*options.schema, text)).ok());
    ASSERT_TRUE(view->OnStreamTime(0, time).ok());
    Commit(*view);
    if (time < 1000) continue;
    ASSERT_EQ(ScanLines(options, context).size(), static_cast<size_t>(kKeys));
    most = std::max(most, context.stores_["view"].entries().size());
  }
  EXPECT_LT(most, static_cast<size_t>(3 * kKeys));
}

}  // namespace
}  // namespace weir
