// Streams over files and generated rows, through the engine: what KEY means there, what is written
// and read again, and which properties there are.

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "planner/properties/connector_properties.h"
#include "weir/engine.h"

namespace weir {
namespace {

using Rows = std::vector<std::string>;

class ConnectorSources : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("connector_sources_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    auto opened = Engine::Open({});
    ASSERT_TRUE(opened.ok());
    engine_ = std::move(*opened);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string WriteFile(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  std::string ReadFile(const std::string& name) const {
    std::ifstream file(Path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Status Run(const std::string& sql) { return engine_->Execute(sql).status(); }
  static void Ok(const Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }
  /// Rows as "a|b", in the order of their texts.
  Rows Query(const std::string& sql) {
    auto cursor = engine_->Query(sql);
    EXPECT_TRUE(cursor.ok()) << cursor.status().ToString();
    Rows rows;
    while (cursor.ok()) {
      auto batch = (*cursor)->Next(std::chrono::milliseconds(0));
      EXPECT_TRUE(batch.ok());
      if (!batch.ok() || !*batch) break;
      for (int32_t row = 0; row < (*batch)->row_count(); ++row) {
        std::string text;
        for (int i = 0; i < (*batch)->schema().size(); ++i) {
          text += (i > 0 ? "|" : "") + (*batch)->column(i).ToText(row);
        }
        rows.push_back(text);
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ConnectorSources, AKeyOfAFileIsNoPlacement) {
  // Rows of 100 KB: they lie in several of the blocks that are read in turn.
  std::string lines = "id,v\n";
  for (int i = 0; i < 100; ++i) lines += "1," + std::string(100'000, 'x') + "\n";
  const std::string path = WriteFile("equal.csv", lines);
  Ok(Run("CREATE STREAM s (id INT KEY, v STRING) WITH (CONNECTOR='file', PATH='" + path +
         "', PARTITIONS=2);"
         "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;"));
  Ok(engine_->RunUntilEnd(false).status());
  EXPECT_EQ(Query("SELECT * FROM t;"), Rows{"1|100"});
}

TEST_F(ConnectorSources, AKeyOfGeneratedRowsIsNoPlacement) {
  Ok(
      Run("CREATE STREAM s (id INT KEY, v INT) WITH (CONNECTOR='datagen', ROWS=100, "
          "PARTITIONS=3, 'COLUMN.ID'='choice(7)');"
          "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;"));
  Ok(engine_->RunUntilEnd(false).status());
  EXPECT_EQ(Query("SELECT * FROM t;"), Rows{"7|100"});
}

TEST_F(ConnectorSources, AJoinBringsTheRowsOfAFileToTheirTable) {
  const std::string path = WriteFile("orders.csv", "id,v\n1,a\n2,b\n3,c\n1,d\n2,e\n3,f\n");
  Ok(
      Run("CREATE TABLE names (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names', "
          "VALUE_FORMAT='JSON', PARTITIONS=4);"
          "INSERT INTO names VALUES (1, 'x'); INSERT INTO names VALUES (2, 'y');"
          "INSERT INTO names VALUES (3, 'z');"
          "CREATE STREAM s (id INT KEY, v STRING) WITH (CONNECTOR='file', PATH='" +
          path +
          "', PARTITIONS=2, TIMESTAMP_SOURCE='processing');"
          "CREATE STREAM j AS SELECT s.id AS id, v, name FROM s JOIN names ON s.id = "
          "names.id;"));
  Ok(engine_->RunUntilEnd(false).status());
  EXPECT_EQ(Query("SELECT * FROM j;"),
            (Rows{"1|a|x", "1|d|x", "2|b|y", "2|e|y", "3|c|z", "3|f|z"}));
}

TEST_F(ConnectorSources, ATableOfAConnectorHasOnePartition) {
  EXPECT_EQ(Run("CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH (CONNECTOR='datagen', ROWS=9, "
                "PARTITIONS=2);")
                .code(),
            ErrorCode::kInvalidProperty);
}

TEST_F(ConnectorSources, WhatIsWrittenToACsvFileComesBack) {
  Ok(
      Run("CREATE STREAM s (id INT, d DATE, t TIME, ts TIMESTAMP, x STRING, b BYTES, n "
          "DECIMAL(6, 2), f DOUBLE, o BOOLEAN) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', "
          "PARTITIONS=1);"));
  const std::vector<std::string> values = {
      R"({"id":1,"d":"2020-02-29","t":"13:14:15","ts":"2020-02-29T13:14:15.123","x":"plain",)"
      R"("b":"YQ==","n":1.50,"f":0.1,"o":true})",
      R"({"id":2,"x":"a \"quoted\", text\nof two lines\r"})",
      R"({"id":3,"x":""})",
      R"({"id":4})",
      R"({"id":5,"x":" blanks ","d":"0001-01-01","ts":"1969-12-31T23:59:59.999"})",
      R"({"id":6,"x":"NA"})",
      R"({})"};
  std::vector<Record> records;
  for (const std::string& value : values) {
    Record record;
    record.value = value;
    records.push_back(record);
  }
  Ok(engine_->Append("s", records));
  int number = 0;
  for (const std::string with : {"'", "', VALUE_DELIMITER='TAB", "', VALUE_DELIMITER='SPACE",
                                 "', VALUE_DELIMITER=';", "', HEADER='false", "', 'NULL'='NA"}) {
    const std::string n = std::to_string(number++);
    const std::string end = with == "'" ? "'" : with + "'";
    const std::string file = "CONNECTOR='file', PATH='" + Path("out" + n + ".csv") + end;
    Ok(Run("CREATE STREAM w" + n + " WITH (" + file + ") AS SELECT * FROM s;"));
    Ok(engine_->RunUntilEnd(false).status());
    Ok(Run("CREATE STREAM r" + n +
           " (id INT, d DATE, t TIME, ts TIMESTAMP, x STRING, b BYTES, n DECIMAL(6, 2), f "
           "DOUBLE, o BOOLEAN) WITH (" +
           file + ");"));
    EXPECT_EQ(Query("SELECT * FROM r" + n + ";"), Query("SELECT * FROM s;")) << with;
  }
  EXPECT_NE(ReadFile("out0.csv").find("1,2020-02-29,13:14:15,2020-02-29T13:14:15.123,plain,"),
            std::string::npos);
}

TEST_F(ConnectorSources, ANullAloneInALineComesBack) {
  Ok(
      Run("CREATE STREAM s (x STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
          "CREATE STREAM w WITH (CONNECTOR='file', PATH='" +
          Path("one.csv") + "') AS SELECT * FROM s;"));
  std::vector<Record> records(4);
  records[0].value = R"({"x":"a"})";
  records[1].value = R"({"x":null})";
  records[2].value = R"({"x":""})";
  records[3].value = R"({"x":null})";
  Ok(engine_->Append("s", records));
  Ok(engine_->RunUntilEnd(false).status());
  EXPECT_EQ(ReadFile("one.csv"), "X\na\n\n\"\"\n\n");
  for (const char* partitions : {"1", "3"}) {
    const std::string name = std::string("r") + partitions;
    Ok(Run("CREATE STREAM " + name + " WITH (CONNECTOR='file', PATH='" + Path("one.csv") +
           "', PARTITIONS=" + partitions + ");"));
    EXPECT_EQ(Query("SELECT * FROM " + name + ";"), Query("SELECT * FROM s;"));
  }
}

TEST_F(ConnectorSources, ATsvFileIsWrittenWithTabs) {
  Ok(
      Run("CREATE STREAM s (id INT, x STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', "
          "PARTITIONS=1);"
          "CREATE STREAM w WITH (CONNECTOR='file', PATH='" +
          Path("out.tsv") + "') AS SELECT * FROM s;"));
  Record record;
  record.value = R"({"id":1,"x":"a,b"})";
  Ok(engine_->Append("s", {&record, 1}));
  Ok(engine_->RunUntilEnd(false).status());
  EXPECT_EQ(ReadFile("out.tsv"), "ID\tX\n1\ta,b\n");
}

TEST_F(ConnectorSources, PropertiesThatAConnectorLacksAreRefused) {
  const auto error_of = [&](const std::string& with) {
    const Status status = Run("CREATE STREAM s (id INT) WITH (" + with + ");");
    EXPECT_EQ(status.code(), ErrorCode::kInvalidProperty) << with;
    return status.message() + " / " + status.hint();
  };
  EXPECT_EQ(error_of("CONNECTOR='file', PATH='x.csv', HEADERS='true'"),
            "the connector 'file' has no such property: HEADERS / did you mean HEADER?");
  EXPECT_EQ(error_of("CONNECTOR='file', PATH='x.csv', DELIMITER=';'"),
            "the connector 'file' has no such property: DELIMITER / did you mean "
            "VALUE_DELIMITER?");
  EXPECT_EQ(error_of("CONNECTOR='file', PATH='x.csv', FOLLOW='maybe'").substr(0, 27),
            "FOLLOW takes true or false,");
  EXPECT_EQ(error_of("CONNECTOR='datagen', ROWS=-1").substr(0, 18), "ROWS is at least 0");
  EXPECT_EQ(error_of("CONNECTOR='datagen', PATH='x.csv'").substr(0, 50),
            "the connector 'datagen' has no such property: PATH");
  EXPECT_EQ(error_of("CONNECTOR='fiel', PATH='x.csv'"),
            "unknown connector: fiel / did you mean file?");
  EXPECT_EQ(
      Run("CREATE STREAM s (id INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');"
          "CREATE STREAM o WITH (CONNECTOR='file', PATH='x.csv', FOLLOW=true) AS SELECT * "
          "FROM s;")
          .message(),
      "FOLLOW is for reading, and this writes");
}

TEST_F(ConnectorSources, GeneratedRowsWithoutAnEndAreEndlessHoweverTheConnectorIsSpelt) {
  for (const char* name : {"datagen", "DATAGEN", "DataGen"}) {
    const std::string stream = std::string("s_") + name;
    Ok(Run("CREATE STREAM " + stream + " (id INT) WITH (CONNECTOR='" + name + "');" +
           "CREATE STREAM o_" + name + " AS SELECT * FROM " + stream + ";"));
    EXPECT_EQ(engine_->RunUntilEnd(false).status().code(), ErrorCode::kEndlessSource) << name;
    Ok(Run("DROP STREAM o_" + std::string(name) + "; DROP STREAM " + stream + ";"));
  }
}

TEST_F(ConnectorSources, EachPropertyHasATextAndADefaultOfItsType) {
  for (const ConnectorRow& connector : Connectors()) {
    EXPECT_FALSE(connector.text.empty());
    for (const ConnectorProperty& property : connector.properties) {
      EXPECT_FALSE(property.text.empty()) << property.name;
      EXPECT_TRUE(property.text.ends_with('.')) << property.name;
      if (property.type == PropertyType::kBoolean) {
        EXPECT_TRUE(property.otherwise == "true" || property.otherwise == "false") << property.name;
      }
    }
  }
}

}  // namespace
}  // namespace weir
