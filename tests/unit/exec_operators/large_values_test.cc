// What joins, table functions, projections and tables do with values of megabytes: no column grows
// past its limit, all rows come out, and what was kept can be loaded again.

#include <algorithm>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "tests/support/operator_harness.h"
#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

using test::InputNode;
using test::SchemaFromText;
using testing::Call;
using testing::Col;
using testing::Lit;

constexpr size_t kMegabyte = size_t{1} << 20;

/// Counts what comes out.
class Meter : public Operator {
 public:
  Status OnBatch(int, Chunk chunk) override {
    ++chunks;
    rows += chunk.active_rows();
    most_rows = std::max(most_rows, chunk.rows);
    for (const ColumnPtr& column : chunk.columns) {
      if (chunk.rows > 1) widest = std::max(widest, ByteSize(*column));
      if (column->type().is(TypeKind::kString)) {
        for (int32_t row = 0; row < chunk.rows; ++row) {
          if (column->IsNull(row)) {
            ++nulls;
          } else {
            text_bytes += column->GetString(row).size();
          }
        }
      }
    }
    return OkStatus();
  }

  int64_t rows = 0;
  int64_t nulls = 0;
  int32_t chunks = 0;
  int32_t most_rows = 0;
  size_t widest = 0;  // Buffers of a column of several rows.
  size_t text_bytes = 0;
};

/// One operator between given chunks and a meter.
class Driven {
 public:
  explicit Driven(const physical::Node& node) : node_(node) { Start(); }
  Status Push(int input, Chunk chunk) {
    chunk.source = 0;
    chunk.source_partition = 0;
    chunk.sys(SystemColumn::kStreamTime) = chunk.row_time();
    WEIR_RETURN_IF_ERROR(operator_->OnBatch(input, std::move(chunk)));
    return operator_->EmitPending();
  }
  void Restart() {
    const Status saved = operator_->OnBarrier();
    ASSERT_TRUE(saved.ok()) << saved.ToString();
    Start();
  }
  Meter meter;
  test::FakeContext context;

 private:
  void Start() {
    Result<std::unique_ptr<Operator>> made = MakeOperator(test::WithStores(node_));
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    operator_ = std::move(*made);
    operator_->set_output(Emitter(&meter, 0));
    const Status opened = operator_->Open(context);
    ASSERT_TRUE(opened.ok()) << opened.ToString();
  }
  const physical::Node& node_;
  std::unique_ptr<Operator> operator_;
};

/// (K INT, V STRING) rows, all at time 0.
Chunk Rows(int32_t count, bool same_key, size_t text_bytes) {
  ColumnBuilder keys(DataType::Int()), texts(DataType::String()), times(DataType::Bigint());
  const std::string text(text_bytes, 'x');
  for (int32_t row = 0; row < count; ++row) {
    keys.AppendInt32(same_key ? 1 : row);
    texts.AppendBytes(text);
    times.AppendInt64(0);
  }
  Chunk chunk;
  chunk.rows = count;
  chunk.columns = {keys.Finish(), texts.Finish()};
  chunk.sys(SystemColumn::kRowTime) = times.Finish();
  return chunk;
}

TEST(LargeValues, OneTableRowJoinsManyStreamRows) {
  physical::StreamTableJoin node;
  node.inputs = {InputNode("K INT KEY, L STRING"),
                 InputNode("K INT KEY, R STRING", physical::ChangeMode::kUpsert)};
  node.schema = SchemaFromText("K INT KEY, R STRING");
  node.right_columns = {1};
  Driven run(node);
  ASSERT_TRUE(run.Push(1, Rows(1, true, kMegabyte)).ok());
  run.Restart();
  ASSERT_TRUE(run.Push(0, Rows(100, true, 1)).ok());
  EXPECT_EQ(run.meter.rows, 100);
  EXPECT_EQ(run.meter.text_bytes, 100 * kMegabyte);
  EXPECT_LE(run.meter.widest, limits::kMadeColumnBytesMax + kMegabyte);
}

TEST(LargeValues, StreamsJoin) {
  physical::StreamStreamJoin node;
  node.inputs = {InputNode("K INT KEY, L STRING"), InputNode("K INT KEY, R STRING")};
  node.schema = SchemaFromText("K INT KEY, L STRING, R STRING");
  node.before_ms = node.after_ms = 1000;
  node.left_columns = {1};
  node.right_columns = {1};
  Driven run(node);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run.Push(0, Rows(10, true, kMegabyte)).ok());
  run.Restart();
  ASSERT_TRUE(run.Push(1, Rows(1, true, 1)).ok());
  EXPECT_EQ(run.meter.rows, 100);
  EXPECT_EQ(run.meter.text_bytes, 100 * (kMegabyte + 1));
  EXPECT_LE(run.meter.widest, limits::kMadeColumnBytesMax + kMegabyte);
}

TEST(LargeValues, ManyElementsBesideALongText) {
  const TableFunctionOverload* explode = nullptr;
  {
    const ArgumentType argument{.type = DataType::Array(DataType::Int())};
    auto found = BuiltinFunctions().ResolveTableFunction("EXPLODE", {&argument, 1});
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    explode = *found;
  }
  physical::FlatMap node;
  node.inputs = {InputNode("K INT KEY, V STRING")};
  node.schema = SchemaFromText("K INT KEY, V STRING, N INT");
  node.exprs = {Col(0, DataType::Int()), Col(1, DataType::String())};
  node.calls.push_back({explode, {Call("GENERATE_SERIES", {Lit(1), Lit(5000)})}});
  Driven run(node);
  ASSERT_TRUE(run.Push(0, Rows(2, true, kMegabyte / 64)).ok());
  EXPECT_EQ(run.meter.rows, 10'000);
  EXPECT_EQ(run.meter.text_bytes, 10'000 * (kMegabyte / 64));
  EXPECT_LE(run.meter.widest, limits::kMadeColumnBytesMax + kMegabyte);
  EXPECT_LE(run.meter.most_rows, limits::kBatchRowsMax);
}

TEST(LargeValues, ExpressionsMakeLongTexts) {
  physical::Project node;
  node.inputs = {InputNode("K INT KEY, V STRING")};
  node.schema = SchemaFromText("K INT KEY, P STRING");
  node.exprs = {Col(0, DataType::Int()),
                Call("LPAD", {Col(1, DataType::String()), Lit(20'000'000), Lit("y")})};
  Driven run(node);
  ASSERT_TRUE(run.Push(0, Rows(5, false, 1)).ok());
  EXPECT_EQ(run.meter.rows, 5);
  EXPECT_EQ(run.meter.text_bytes, 5u * 20'000'000u);
  EXPECT_EQ(run.context.dropped["expression_error"], 0);
}

TEST(LargeValues, AValueThatNoRecordHoldsIsTheErrorOfItsRow) {
  physical::Project node;
  node.inputs = {InputNode("K INT KEY, V STRING")};
  node.schema = SchemaFromText("K INT KEY, P STRING");
  node.exprs = {Col(0, DataType::Int()),
                Call("LPAD", {Col(1, DataType::String()),
                              Call("*", {Col(0, DataType::Int()), Lit(30'000'000)}), Lit("y")})};
  Driven run(node);
  ASSERT_TRUE(run.Push(0, Rows(5, false, 1)).ok());
  EXPECT_EQ(run.meter.rows, 5);
  EXPECT_EQ(run.meter.text_bytes, 90'000'000u);  // Of rows 1 and 2; row 0 is cut to nothing.
  EXPECT_EQ(run.meter.nulls, 2);
  EXPECT_EQ(run.context.dropped["expression_error"], 2);
}

TEST(LargeValues, AFoldThatDoublesItsTextEnds) {
  physical::Project node;
  node.inputs = {InputNode("K INT KEY, V STRING")};
  node.schema = SchemaFromText("K INT KEY, P STRING");
  const BoundExprPtr state = testing::Param(0, DataType::String());
  node.exprs = {
      Col(0, DataType::Int()),
      Call("REDUCE", {Call("GENERATE_SERIES", {Lit(1), Lit(100)}), Col(1, DataType::String()),
                      testing::Lambda(0, 2, Call("||", {state, state}))})};
  Driven run(node);
  ASSERT_TRUE(run.Push(0, Rows(1, false, 1)).ok());
  EXPECT_EQ(run.meter.nulls, 1);
  EXPECT_GE(run.context.dropped["expression_error"], 1);
}

TEST(LargeValues, UpdatesStayWithWhatTheyReplace) {
  physical::Project node;
  node.mode = physical::ChangeMode::kRetract;
  node.inputs = {InputNode("K INT KEY, V STRING", physical::ChangeMode::kRetract)};
  node.schema = SchemaFromText("K INT KEY, P STRING");
  node.exprs = {Col(0, DataType::Int()),
                Call("LPAD", {Col(1, DataType::String()), Lit(20'000'000), Lit("y")})};
  struct Pairs : Operator {
    Status OnBatch(int, Chunk chunk) override {
      for (int32_t row = 0; row < chunk.rows; ++row) {
        if (chunk.op(row) != RowOp::kUpdateBefore) continue;
        EXPECT_LT(row + 1, chunk.rows);
        EXPECT_EQ(chunk.op(row + 1), RowOp::kUpdateAfter);
        ++pairs;
      }
      return OkStatus();
    }
    int pairs = 0;
  } pairs;
  Chunk chunk = Rows(7, false, 1);
  const RowOp ops[] = {RowOp::kInsert,       RowOp::kUpdateBefore, RowOp::kUpdateAfter,
                       RowOp::kUpdateBefore, RowOp::kUpdateAfter,  RowOp::kUpdateBefore,
                       RowOp::kUpdateAfter};
  uint8_t* data = nullptr;
  chunk.ops = MakeBuffer(sizeof(ops), &data);
  std::copy_n(reinterpret_cast<const uint8_t*>(ops), sizeof(ops), data);
  auto made = MakeOperator(test::WithStores(node));
  ASSERT_TRUE(made.ok());
  test::FakeContext context;
  (*made)->set_output(Emitter(&pairs, 0));
  ASSERT_TRUE((*made)->Open(context).ok());
  ASSERT_TRUE((*made)->OnBatch(0, std::move(chunk)).ok());
  EXPECT_EQ(pairs.pairs, 3);
}

}  // namespace
}  // namespace weir
