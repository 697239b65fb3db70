#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "exec/column/builder.h"
#include "shell/render/display_width.h"
#include "shell/render/renderer.h"
#include "tests/unit/shell/fake_engine.h"

namespace weir::shell {
namespace {

std::string Render(RenderOptions options, const std::vector<Batch>& batches) {
  std::ostringstream out;
  const std::unique_ptr<Renderer> renderer = MakeRenderer(options, batches[0].schema(), out);
  for (const Batch& batch : batches) {
    if (batch.row_count() > 0) renderer->Write(batch);
  }
  renderer->End();
  return out.str();
}

TEST(JsonRendererTest, WritesOneObjectARow) {
  const Batch batch = TextBatch({"A", "b c"}, {{"x", "null"}, {"say \"hi\"\n", "é"}});
  EXPECT_EQ(Render({.format = OutputFormat::kJson}, {batch}),
            "{\"A\":\"x\",\"b c\":null}\n"
            "{\"A\":\"say \\\"hi\\\"\\n\",\"b c\":\"é\"}\n");
}

TEST(JsonRendererTest, ShowsOpsOnlyWhereRowsHaveThem) {
  const Batch plain = TextBatch({"A"}, {{"x"}});
  const Batch changes =
      TextBatch({"A"}, {{"x"}, {"y"}}, {RowOp::kUpdateBefore, RowOp::kUpdateAfter});
  EXPECT_EQ(Render({.format = OutputFormat::kJson}, {plain, changes}),
            "{\"A\":\"x\"}\n{\"op\":\"-U\",\"A\":\"x\"}\n{\"op\":\"+U\",\"A\":\"y\"}\n");
}

TEST(JsonRendererTest, WritesNumbersBareAndWhatIsNoNumberAsText) {
  auto schema = std::make_shared<Schema>();
  schema->columns = {{"N", DataType::Bigint(), false}, {"D", DataType::Double(), false}};
  ColumnBuilder n(DataType::Bigint());
  ColumnBuilder d(DataType::Double());
  n.AppendInt64(-5);
  d.AppendDouble(1.5);
  n.AppendNull();
  d.AppendDouble(std::numeric_limits<double>::quiet_NaN());
  const Batch batch(schema, {n.Finish(), d.Finish()}, 2);
  EXPECT_EQ(Render({.format = OutputFormat::kJson}, {batch}),
            "{\"N\":-5,\"D\":1.5}\n{\"N\":null,\"D\":\"NaN\"}\n");
}

TEST(CsvRendererTest, QuotesWhatNeedsIt) {
  const Batch batch =
      TextBatch({"A", "B"}, {{"x,y", "null"}, {"say \"hi\"", ""}, {"plain", " padded"}});
  EXPECT_EQ(Render({.format = OutputFormat::kCsv}, {batch}),
            "A,B\n\"x,y\",\n\"say \"\"hi\"\"\",\"\"\nplain,\" padded\"\n");
}

TEST(CsvRendererTest, WritesTheHeaderOfAnEmptyResult) {
  EXPECT_EQ(Render({.format = OutputFormat::kCsv, .show_ops = true}, {TextBatch({"A"}, {})}),
            "op,A\n");
}

TEST(VerticalRendererTest, WritesOneColumnALine) {
  const Batch batch = TextBatch({"A", "LONG"}, {{"x", "y"}, {"1\n2", "null"}});
  EXPECT_EQ(Render({.format = OutputFormat::kVertical}, {batch}),
            "-- 1 --\n   A | x\nLONG | y\n-- 2 --\n   A | 1\\n2\nLONG | null\n");
}

TEST(TableRendererTest, SizesColumnsByTheFirstBatch) {
  const Batch batch = TextBatch({"A", "B"}, {{"x", "a longer one"}, {"日本", "y"}});
  EXPECT_EQ(Render({.format = OutputFormat::kTable}, {batch}),
            " A    | B            \n"
            "------+--------------\n"
            " x    | a longer one\n"
            " 日本 | y\n");
}

TEST(TableRendererTest, FitsTheTerminal) {
  const Batch batch = TextBatch({"A", "B"}, {{"x", std::string(50, 'b')}});
  EXPECT_EQ(Render({.format = OutputFormat::kTable, .width = 20}, {batch}),
            " A | B              \n"
            "---+----------------\n"
            " x | bbbbbbbbbbbbb…\n");
}

TEST(TableRendererTest, WidensAColumnWhileThereIsRoom) {
  const Batch first = TextBatch({"A"}, {{"x"}});
  const Batch second = TextBatch({"A"}, {{"wider than the terminal"}});
  EXPECT_EQ(Render({.format = OutputFormat::kTable, .width = 12}, {first, second}),
            " A \n---\n x\n wider tha…\n");
}

TEST(TableRendererTest, ShowsWhatRowsMean) {
  const Batch batch = TextBatch({"A"}, {{"x"}, {"x"}}, {RowOp::kInsert, RowOp::kDelete});
  EXPECT_EQ(Render({.format = OutputFormat::kTable, .show_ops = true}, {batch}),
            " op | A \n----+---\n +I | x\n -D | x\n");
}

TEST(TableRendererTest, LeavesOutColumnsInTheMiddle) {
  std::vector<std::string> names;
  std::vector<std::string> row;
  for (int i = 0; i < 18; ++i) {
    names.push_back("COLUMN_" + std::to_string(i));
    row.push_back("2020-07-01 00:25:" + std::to_string(10 + i));
  }
  const Batch batch = TextBatch(names, {row});
  std::ostringstream out;
  const auto renderer =
      MakeRenderer({.format = OutputFormat::kTable, .width = 80}, batch.schema(), out);
  renderer->Write(batch);
  renderer->End();
  EXPECT_EQ(out.str(),
            " COLUMN_0            | COLUMN_1            | … | COLUMN_17           \n"
            "---------------------+---------------------+---+---------------------\n"
            " 2020-07-01 00:25:10 | 2020-07-01 00:25:11 | … | 2020-07-01 00:25:27\n");
  EXPECT_EQ(renderer->note(), "18 columns, 3 shown");
}

TEST(TableRendererTest, NeverCutsANumber) {
  auto schema = std::make_shared<Schema>();
  schema->columns = {{"A_LONG_NAME_OF_A_NUMBER", DataType::Bigint(), false},
                     {"TEXT", DataType::String(), false}};
  ColumnBuilder n(DataType::Bigint());
  ColumnBuilder text(DataType::String());
  n.AppendInt64(1234567890123);
  text.AppendBytes("a text that is rather long");
  const Batch batch(schema, {n.Finish(), text.Finish()}, 1);
  EXPECT_EQ(Render({.format = OutputFormat::kTable, .width = 28}, {batch}),
            " A_LONG_NAME_… | TEXT       \n"
            "---------------+------------\n"
            " 1234567890123 | a text th…\n");
}

TEST(TableRendererTest, KeepsTheTableAroundALineBreakInData) {
  EXPECT_EQ(Render({.format = OutputFormat::kTable}, {TextBatch({"A"}, {{"one\ntwo"}})}),
            " A        \n----------\n one\\ntwo\n");
}

TEST(TableRendererTest, WritesPlansWithoutAFrame) {
  EXPECT_EQ(Render({.format = OutputFormat::kTable, .width = 20, .plain_text = true},
                   {TextBatch({"PLAN"}, {{"Project\n  Scan of a rather long name"}})}),
            "Project\n  Scan of a rather long name\n");
}

TEST(DisplayWidthTest, CountsColumnsOfATerminal) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("日本"), 4);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1);
  EXPECT_EQ(DisplayWidth("\xFF"), 1);
}

TEST(DisplayWidthTest, MakesTextsSafe) {
  EXPECT_EQ(Printable("a\tb\x1b[0m\xFF"), "a\\tb\\x1b[0m\xEF\xBF\xBD");
  EXPECT_EQ(Printable("\xC2\x9B\xE2\x80\xAE\xE2\x80\x8D\xC2\xAD\xEF\xB8\x8F"),
            "\\u009b\\u202e\\u200d\\u00ad\xEF\xB8\x8F");
  EXPECT_EQ(SafeText("a\nb\r\xF3\xA0\x81\x81", Escape::kLines), "a\nb\\r\\U000e0041");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("abc", 3), "abc");
}

}  // namespace
}  // namespace weir::shell
