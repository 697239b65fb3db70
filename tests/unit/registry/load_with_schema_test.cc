// Files loaded as records whose schemas are in the registry, and read back by queries.

#include <sstream>

#include <gtest/gtest.h>

#include "shell/load/load.h"
#include "tests/support/asked_rows.h"

namespace weir::shell {
namespace {

using Lines = std::vector<std::string>;

class LoadWithSchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.threads = 1;
    auto opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    engine_ = std::move(*opened);
    options_.topic = "t";
    options_.file = "rides.csv";
  }

  Result<int64_t> LoadText(const std::string& text) {
    std::istringstream in(text);
    return Load(*engine_, options_, &in, interrupts_, [](int64_t) {});
  }

  std::vector<std::string> Rows(const std::string& select) {
    return test::AskedRows(*engine_, select);
  }

  void Execute(const std::string& sql) {
    const auto results = engine_->Execute(sql);
    ASSERT_TRUE(results.ok()) << sql << "\n" << results.status().ToString();
  }

  std::unique_ptr<Engine> engine_;
  Interrupts interrupts_;
  LoadOptions options_;
};

TEST_F(LoadWithSchemaTest, ACsvInEachFormat) {
  for (const std::string format : {"AVRO", "PROTOBUF", "JSON_SR"}) {
    options_.topic = "t_" + format;
    options_.output_format = options_.key_schema_format = format;
    options_.key_format = KeyFormat::kSchema;
    options_.key = *ParseColumnChoices("id=k");
    const auto loaded =
        LoadText("id,fare,zip,when\n1,1.5,01234,2020-01-02 03:04:05\n2,,\"a \"\"b\"\",\nc\",\n");
    ASSERT_TRUE(loaded.ok()) << format << loaded.status().ToString();
    EXPECT_EQ(*loaded, 2);
    Execute("CREATE STREAM s_" + format + " WITH (kafka_topic='t_" + format + "', format='" +
            format + "');");
    const std::string zero = format == "PROTOBUF" ? "0.0" : "null";
    EXPECT_EQ(Rows("SELECT id, fare, zip, `WHEN` FROM s_" + format + ";"),
              (Lines{"1 1.5 01234 2020-01-02T03:04:05.000", "2 " + zero + " a \"b\",\nc null"}))
        << format;
    EXPECT_EQ(Rows("SELECT " + std::string(format == "PROTOBUF" ? "k" : "rowkey") + " FROM s_" +
                   format + ";"),
              (Lines{"1", "2"}))
        << format;
  }
}

TEST_F(LoadWithSchemaTest, JsonKeepsItsNestedFields) {
  options_.file = "rides.json";
  options_.output_format = "AVRO";
  const auto loaded = LoadText(R"({"id":1,"who":{"name":"x","tags":["a"]}}
null
{"ID":2}
)");
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(*loaded, 3);
  const auto records = engine_->ReadTopic("t");
  ASSERT_TRUE(records.ok());
  EXPECT_FALSE((*records)[1].value.has_value());
  EXPECT_EQ((*records)[0].value->substr(0, 4), std::string(4, '\0'));
  Execute("CREATE STREAM s WITH (kafka_topic='t', value_format='AVRO');");
  EXPECT_EQ(Rows("SELECT id, who->name, who->tags[1] FROM s;"), (Lines{"1 x a", "2 null null"}));
}

TEST_F(LoadWithSchemaTest, WhatDoesNotFitStopsBehindWhatDoes) {
  options_.file = "rides.json";
  options_.output_format = "AVRO";
  std::string text;
  for (int i = 0; i < 1200; ++i) text += R"({"id":1,"in":{"a":1}})" + std::string("\n");
  const auto refused = [&](const std::string& line, const std::string& why) {
    options_.topic = "t" + std::to_string(line.size());
    const auto loaded = LoadText(text + line + "\n" + text);
    EXPECT_EQ(loaded.status().code(), ErrorCode::kBadRecord);
    EXPECT_NE(loaded.status().message().find("line 1201"), std::string::npos)
        << loaded.status().ToString();
    EXPECT_NE(loaded.status().message().find(why), std::string::npos) << loaded.status().ToString();
    EXPECT_EQ(engine_->ReadTopic(options_.topic)->size(), 1200u);
  };
  refused(R"({"id":1,"late":2})", "field LATE is not in the first 1000 records");
  refused(R"({"id":1,"in":{"late":2}})", "field IN->LATE");
  refused(R"({"id":"text"})", "ID");
  refused(R"({"id": 2.5})", "field ID has a DOUBLE");
  refused("no json", "");
  options_.file = "rides.csv";
  text = "day,n\n";
  for (int i = 0; i < 1199; ++i) text += "2020-01-02,1\n";
  options_.topic = "days";
  const auto cut = LoadText(text + "2020-01-02 03:04:05,1\n");
  EXPECT_NE(cut.status().message().find("line 1201: field DAY has a TIMESTAMP"), std::string::npos)
      << cut.status().ToString();
  EXPECT_EQ(engine_->ReadTopic("days")->size(), 1199u);
}

TEST_F(LoadWithSchemaTest, TheRegistryMayRefuseIt) {
  options_.output_format = "AVRO";
  ASSERT_TRUE(LoadText("a\n1\n").ok());
  ASSERT_TRUE(LoadText("a,b\n1,x\n").ok());
  const auto refused = LoadText("a\ntext\n");
  EXPECT_EQ(refused.status().code(), ErrorCode::kIncompatibleChange);
  EXPECT_EQ(engine_->ReadTopic("t")->size(), 2u);
  EXPECT_TRUE(LoadText("a\n").ok());
}

TEST_F(LoadWithSchemaTest, KeysOfSeveralColumnsAndWithoutOne) {
  options_.key_schema_format = "AVRO";
  options_.key_format = KeyFormat::kSchema;
  EXPECT_EQ(LoadText("a,b\n1,x\n").status().code(), ErrorCode::kUsage);
  options_.key = *ParseColumnChoices("a=k,b=l");
  ASSERT_TRUE(LoadText("a,b\n1,x\n").ok());
  EXPECT_EQ(*(*engine_->ReadTopic("t"))[0].value, R"({"a":1,"b":"x"})");
  Execute(
      "CREATE STREAM s (a INT, b STRING) WITH (kafka_topic='t', key_format='AVRO', "
      "value_format='JSON');");
  EXPECT_EQ(Rows("SELECT rowkey->k, rowkey->l, a, b FROM s;"), Lines{"1 x 1 x"});
}

}  // namespace
}  // namespace weir::shell
