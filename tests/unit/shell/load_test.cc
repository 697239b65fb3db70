#include "shell/load/load.h"

#include <gtest/gtest.h>

#include <sstream>

#include "shell/load/field_text.h"
#include "shell/load/json_fields.h"
#include "tests/unit/shell/fake_engine.h"

namespace weir::shell {
namespace {

TEST(FieldTextTest, KnowsNumbers) {
  const auto json = [](std::string_view text) {
    std::string out;
    AppendFieldAsJson(text, &out);
    return out;
  };
  EXPECT_EQ(json({}), "null");
  EXPECT_EQ(json(""), "\"\"");
  EXPECT_EQ(json("0"), "0");
  EXPECT_EQ(json("-12"), "-12");
  EXPECT_EQ(json(".80"), "0.8");
  EXPECT_EQ(json("-.5"), "-0.5");
  EXPECT_EQ(json("1.50"), "1.5");
  EXPECT_EQ(json("2.00"), "2.0");
  EXPECT_EQ(json("0.30"), "0.3");
  for (const char* text : {"01234", "1e5", "+1", "1.", ".", "-", "1 ", "N", "NaN", "00.5"}) {
    EXPECT_EQ(json(text), "\"" + std::string(text) + "\"") << text;
  }
}

TEST(FieldTextTest, ReadsTimes) {
  EXPECT_EQ(ParseTimestampMs("2020-07-01 00:25:32"), 1593563132000);
  EXPECT_EQ(ParseTimestampMs("2020-07-01T00:25:32Z"), 1593563132000);
  EXPECT_EQ(ParseTimestampMs("2020-07-01T02:25:32.5+02:00"), 1593563132500);
  EXPECT_EQ(ParseTimestampMs("2020-07-01T00:25"), 1593563100000);
  EXPECT_EQ(ParseTimestampMs("2020-07-01"), 1593561600000);
  EXPECT_EQ(ParseTimestampMs(" 1593563132000 "), 1593563132000);
  EXPECT_EQ(ParseTimestampMs("1969-12-31 23:59:59.999"), -1);
  for (const char* text : {"", "x", "2020-13-01", "2020-07-01 25:00:00", "2020-07-01 00:00:00 x",
                           "2020-02-30", "07/01/2020"}) {
    EXPECT_EQ(ParseTimestampMs(text), std::nullopt) << text;
  }
}

TEST(JsonFieldsTest, FindsTopLevelFieldsOnly) {
  const std::string_view json = R"( {"a": {"b": "}"}, "b" : [1, {"c": 2}], "c":"x\"y", "d":1.5} )";
  EXPECT_EQ(FindJsonField(json, "b"), "[1, {\"c\": 2}]");
  EXPECT_EQ(FindJsonField(json, "c"), "\"x\\\"y\"");
  EXPECT_EQ(FindJsonField(json, "d"), "1.5");
  EXPECT_EQ(FindJsonField(json, "e"), std::nullopt);
  EXPECT_EQ(FindJsonField("[1]", "e"), std::nullopt);
  EXPECT_EQ(FindJsonField(R"({"k":1,"K":2,"k":3})", "k"), "3");
  EXPECT_EQ(FindJsonField(R"({"K":1,"\u006b":2,"K":3})", "k"), "2");
  EXPECT_EQ(FindJsonField(R"({"Été":1})", "été"), "1");
  EXPECT_EQ(FindJsonField(R"({"GRÖẞE":1})", "größe"), "1");
  EXPECT_EQ(FindJsonField("{\"a\": \"open", "b"), std::nullopt);
  EXPECT_EQ(JsonValueText("\"x\\\"y\\u00e9\\ud83d\\ude00\""), "x\"yé😀");
  EXPECT_EQ(JsonValueText("12"), "12");
  EXPECT_EQ(JsonValueText("null"), std::nullopt);
}

class LoadTest : public ::testing::Test {
 protected:
  Result<int64_t> LoadText(const std::string& text) {
    options_.topic = "t";
    if (options_.file.empty()) options_.file = "rides.csv";
    std::istringstream in(text);
    return Load(engine_, options_, &in, interrupts_,
                [this](int64_t count) { acknowledged_.push_back(count); });
  }
  const TopicRecord& Loaded(size_t index) { return engine_.topics["t"][index]; }

  FakeEngine engine_;
  Interrupts interrupts_;
  LoadOptions options_;
  std::vector<int64_t> acknowledged_;
};

TEST_F(LoadTest, MakesTheRecordsOfTheMainJob) {
  options_.columns = *ParseColumnChoices("VendorID=vendorId,trip_distance,total_amount");
  options_.key = *ParseColumnChoices("VendorID=vendorId");
  options_.key_format = *ParseKeyFormat("json");
  options_.timestamp_column = "tpep_pickup_datetime";
  const auto loaded = LoadText(
      "VendorID,tpep_pickup_datetime,trip_distance,total_amount,store_and_fwd_flag\n"
      "1,2020-07-01 00:25:32,1.50,9.3,N\n2,2020-07-01 00:15:11,.80,,N\n");
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(*loaded, 2);
  EXPECT_EQ(acknowledged_, std::vector<int64_t>{2});
  EXPECT_EQ(Loaded(0).key, R"({"vendorId":1})");
  EXPECT_EQ(Loaded(0).value, R"({"vendorId":1,"trip_distance":1.5,"total_amount":9.3})");
  EXPECT_EQ(Loaded(0).timestamp_ms, 1593563132000);
  EXPECT_EQ(Loaded(1).value, R"({"vendorId":2,"trip_distance":0.8,"total_amount":null})");
}

TEST_F(LoadTest, WarnsOfATopicThatWouldNotKeepTheRecords) {
  const std::string text = "at\n2020-07-01 00:25:32\n";
  const auto warnings_of = [&](const TopicDescription& topic) {
    engine_.descriptions["t"] = topic;
    std::vector<std::string> warnings;
    std::istringstream in(text + text.substr(3) + text.substr(3));
    EXPECT_TRUE(Load(
                    engine_, options_, &in, interrupts_, [](int64_t) {},
                    [&](const std::string& warning) { warnings.push_back(warning); })
                    .ok());
    return warnings;
  };
  constexpr int64_t kWeekMs = 7 * 86'400'000;
  options_.topic = "t";
  options_.file = "-";
  options_.timestamp_column = "at";
  const auto warnings = warnings_of({.name = "t", .retention_ms = kWeekMs, .ages_by_clock = true});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("topic t keeps records for 7 days"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("retention.ms=-1"), std::string::npos) << warnings[0];
  EXPECT_TRUE(warnings_of({.name = "t", .retention_ms = -1, .ages_by_clock = true}).empty());
  EXPECT_TRUE(warnings_of({.name = "t", .retention_ms = kWeekMs}).empty());
  EXPECT_TRUE(
      warnings_of({.name = "t", .compacted = true, .retention_ms = kWeekMs, .ages_by_clock = true})
          .empty());
  options_.timestamp_column.clear();
  EXPECT_TRUE(warnings_of({.name = "t", .retention_ms = kWeekMs, .ages_by_clock = true}).empty());
}

TEST_F(LoadTest, KeysByFormat) {
  options_.key = *ParseColumnChoices("id");
  ASSERT_TRUE(LoadText("id,n\n007,a\n,b\n").ok());
  EXPECT_EQ(Loaded(0).key, "007");
  EXPECT_EQ(Loaded(1).key, std::nullopt);
  EXPECT_EQ(Loaded(0).value, R"({"id":"007","n":"a"})");

  options_.key_format = *ParseKeyFormat("kafka:int");
  ASSERT_TRUE(LoadText("id\n258\n").ok());
  EXPECT_EQ(Loaded(2).key, std::string("\0\0\1\2", 4));
  EXPECT_EQ(LoadText("id\nx\n").status().code(), ErrorCode::kBadRecord);

  options_.key = *ParseColumnChoices("id,n=m");
  EXPECT_EQ(LoadText("id,n\n1,2\n").status().code(), ErrorCode::kUsage);
  options_.key_format = KeyFormat::kByColumns;
  ASSERT_TRUE(LoadText("id,n\n1,2\n").ok());
  EXPECT_EQ(Loaded(3).key, R"({"id":1,"m":2})");
}

TEST_F(LoadTest, LoadsLinesOfJsonAsTheyStand) {
  options_.file = "rides.ndjson";
  options_.key = *ParseColumnChoices("id");
  options_.timestamp_column = "at";
  ASSERT_TRUE(
      LoadText("{\"id\": \"a\",  \"at\": 5}\n\n{\"at\":\"1970-01-01T00:00:01Z\"}\r\n").ok());
  EXPECT_EQ(Loaded(0).value, "{\"id\": \"a\",  \"at\": 5}");
  EXPECT_EQ(Loaded(0).key, "a");
  EXPECT_EQ(Loaded(0).timestamp_ms, 5);
  EXPECT_EQ(Loaded(1).key, std::nullopt);
  EXPECT_EQ(Loaded(1).timestamp_ms, 1000);
}

TEST_F(LoadTest, TellsTheFormatByTheFirstByteOfAPipe) {
  options_.file = "-";
  ASSERT_TRUE(LoadText("{\"a\":1}\n").ok());
  ASSERT_TRUE(LoadText("a\n2\n").ok());
  EXPECT_EQ(Loaded(0).value, "{\"a\":1}");
  EXPECT_EQ(Loaded(1).value, "{\"a\":2}");
}

TEST_F(LoadTest, ReadsFilesAsTheConnectorDoes) {
  options_.file = "rides.tsv";
  ASSERT_TRUE(LoadText("\xEF\xBB\xBFid\tId\t\n5\" disk\t\"a\"\"b\"\t12345678901234567891\n").ok());
  EXPECT_EQ(Loaded(0).value, R"({"id":"5\" disk","Id_2":"a\"b","C3":12345678901234567891})");
  options_.file = "rides.ndjson";
  ASSERT_TRUE(LoadText("\xEF\xBB\xBF{\"a\":1}\n").ok());
  EXPECT_EQ(Loaded(1).value, "{\"a\":1}");
  options_.file = "rides.csv";
  ASSERT_TRUE(LoadText("a,b\nx,\"\"\n,2\n").ok());
  EXPECT_EQ(Loaded(2).value, R"({"a":"x","b":""})");
  EXPECT_EQ(Loaded(3).value, R"({"a":null,"b":2})");
  const Status open_quote = LoadText("a,b\n1,2\n\"3,4\n5,6\n").status();
  EXPECT_EQ(open_quote.code(), ErrorCode::kBadRecord);
  EXPECT_NE(open_quote.message().find("rides.csv line 3: a quoted field is not closed"),
            std::string::npos)
      << open_quote.ToString();
  const Status latin1 = LoadText("a,b\n1,Jos\xE9\n").status();
  EXPECT_EQ(latin1.code(), ErrorCode::kBadRecord);
  EXPECT_NE(latin1.message().find("Latin-1"), std::string::npos) << latin1.ToString();
  options_.file = "/no/such.csv";
  EXPECT_EQ(Load(engine_, options_, nullptr, interrupts_, [](int64_t) {}).status().code(),
            ErrorCode::kIoError);
}

TEST_F(LoadTest, CutsBatches) {
  std::string text = "a\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "\n";
  ASSERT_TRUE(LoadText(text).ok());
  EXPECT_EQ(engine_.append_sizes, (std::vector<size_t>{8192, 8192, 3616}));
  EXPECT_EQ(acknowledged_, (std::vector<int64_t>{8192, 16384, 20000}));
  EXPECT_EQ(Loaded(19'999).value, "{\"a\":19999}");
}

TEST_F(LoadTest, LoadsWhatStandsBeforeABadRow) {
  const auto loaded = LoadText("a,b\n1,2\n3\n5,6\n");
  EXPECT_EQ(loaded.status().code(), ErrorCode::kBadRecord);
  EXPECT_NE(loaded.status().message().find("rides.csv line 3"), std::string::npos);
  EXPECT_EQ(acknowledged_, std::vector<int64_t>{1});
}

TEST_F(LoadTest, NamesTheColumnsThereAre) {
  options_.key = *ParseColumnChoices("vendor");
  const Status status = LoadText("VendorID,n\n1,2\n").status();
  EXPECT_EQ(status.code(), ErrorCode::kUnknownColumn);
  EXPECT_NE(status.hint().find("VendorID, n"), std::string::npos);
}

TEST_F(LoadTest, StopsWhenAsked) {
  interrupts_.Deliver(StopKind::kInterrupt);
  std::string text = "a\n";
  for (int i = 0; i < 20'000; ++i) text += "1\n";
  EXPECT_EQ(LoadText(text).status().code(), ErrorCode::kCancelled);
  EXPECT_EQ(acknowledged_, std::vector<int64_t>{8192});
}

TEST(ColumnChoicesTest, RefusesEmptyNames) {
  EXPECT_EQ(ParseColumnChoices("a=,b").status().code(), ErrorCode::kUsage);
  EXPECT_EQ(ParseColumnChoices("a,,b").status().code(), ErrorCode::kUsage);
  EXPECT_EQ(*ParseColumnChoices("A=b,c"), (std::vector<ColumnChoice>{{"A", "b"}, {"c", "c"}}));
}

}  // namespace
}  // namespace weir::shell
