#include "exec/engine/topic_printer.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::milliseconds;

TEST(TopicPrinter, GuessesTextNumbersAndBytes) {
  EXPECT_EQ(GuessText(""), "");
  EXPECT_EQ(GuessText("a\tb\xC3\xA9"), "a\tb\xC3\xA9");
  EXPECT_EQ(GuessText(std::string("\0\0\1\0", 4)), "256");
  EXPECT_EQ(GuessText(std::string("\xff\xff\xff\xfe", 4)), "-2");
  EXPECT_EQ(GuessText(std::string("\0\0\0\0\0\0\0\x2a", 8)), "42");
  EXPECT_EQ(GuessText(std::string("\0\1", 2)), "0x0001");
  EXPECT_EQ(GuessText("\xC0\x80x"), "0xc08078") << "not UTF-8: too long a form";
  EXPECT_EQ(GuessText("\xE0\x80\x80"), "0xe08080");
  EXPECT_EQ(GuessText("\xED\xA0\x80"), "0xeda080") << "half of a surrogate pair";
  EXPECT_EQ(GuessText("abc\xE2\x82"), "0x616263e282") << "cut in the middle of a character";
}

class PrintedTopic : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Engine::Open({});
    ASSERT_TRUE(opened.ok());
    engine_ = std::move(*opened);
    ASSERT_TRUE(engine_->CreateTopic("t", 1, false).ok());
    std::vector<Record> records(5);
    for (int i = 0; i < 5; ++i) {
      if (i > 0) records[i].key = "k" + std::to_string(i);
      if (i != 1) records[i].value = "v" + std::to_string(i);
      records[i].timestamp_ms = 100 + i;
    }
    records[2].headers = {{"a", "x"}, {"b", std::nullopt}};
    ASSERT_TRUE(engine_->Append("t", records).ok());
  }
  std::vector<std::string> Print(const std::string& sql) {
    auto cursor = engine_->Query(sql);
    EXPECT_TRUE(cursor.ok()) << cursor.status().ToString();
    std::vector<std::string> lines;
    while (!(*cursor)->done()) {
      auto batch = (*cursor)->Next(milliseconds(0));
      EXPECT_TRUE(batch.ok());
      if (!*batch) break;
      for (int32_t row = 0; row < (*batch)->row_count(); ++row) {
        std::string line;
        for (int i = 1; i < (*batch)->column_count(); ++i) {
          line += (*batch)->column(i).ToText(row) + " ";
        }
        lines.push_back(line);
      }
    }
    return lines;
  }
  std::unique_ptr<Engine> engine_;
};

using Lines = std::vector<std::string>;

TEST_F(PrintedTopic, ShowsRecordsWithNullsAndHeaders) {
  EXPECT_EQ(Print("PRINT 't' FROM BEGINNING LIMIT 3;"),
            (Lines{"0 100 null v0  ", "1 101 k1 null  ", "2 102 k2 v2 a=x, b=null "}));
}

TEST_F(PrintedTopic, EveryNth) {
  EXPECT_EQ(Print("PRINT 't' FROM BEGINNING INTERVAL 2;"),
            (Lines{"0 100 null v0  ", "2 102 k2 v2 a=x, b=null ", "4 104 k4 v4  "}));
}

TEST_F(PrintedTopic, FromTheEndShowsWhatComes) {
  auto cursor = engine_->Query("PRINT 't' LIMIT 1;");
  ASSERT_TRUE(cursor.ok());
  auto nothing = (*cursor)->Next(milliseconds(0));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(*nothing);
  EXPECT_FALSE((*cursor)->waiting_for().empty());
  Record record;
  record.value = "new";
  ASSERT_TRUE(engine_->Append("t", std::span(&record, 1)).ok());
  auto batch = (*cursor)->Next(milliseconds(60'000));
  ASSERT_TRUE(batch.ok());
  ASSERT_TRUE(*batch);
  EXPECT_EQ((*batch)->column("VALUE")->ToText(0), "new");
  EXPECT_TRUE((*cursor)->limit_reached());
}

TEST_F(PrintedTopic, CancelEndsIt) {
  auto cursor = engine_->Query("PRINT 't';");
  ASSERT_TRUE(cursor.ok());
  (*cursor)->Cancel();
  EXPECT_EQ((*cursor)->Next(milliseconds(60'000)).status().code(), ErrorCode::kCancelled);
  EXPECT_TRUE((*cursor)->done());
  EXPECT_EQ(engine_->Query("PRINT 'none';").status().code(), ErrorCode::kUnknownTopic);
  const std::string text = engine_->Query("PRINT T;").status().ToString();
  EXPECT_NE(text.find("did you mean t?"), std::string::npos) << text;
}

TEST_F(PrintedTopic, ShowsTheWindowsInKeys) {
  auto made = engine_->Execute(
      "CREATE STREAM s (k STRING KEY, v STRING) WITH (kafka_topic='t', value_format='DELIMITED');"
      "CREATE TABLE n WITH (value_format='JSON') AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING "
      "(SIZE 1 SECOND) GROUP BY k;");
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  const Lines lines = Print("PRINT N FROM BEGINNING LIMIT 1;");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("k2@[0,1000) {\"N\":1}"), std::string::npos) << lines[0];
}

}  // namespace
}  // namespace weir
