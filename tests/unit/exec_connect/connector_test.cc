// Files and made-up records as sources.

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "exec/connect/topic.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

class ConnectorTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::temp_directory_path() / ("weir_connector_" + std::to_string(getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  ConnectorSpec File(const std::string& name, const std::string& text,
                     std::vector<ColumnSchema> columns = {},
                     std::map<std::string, std::string> more = {}) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
    more["CONNECTOR"] = "file";
    more["PATH"] = (directory_ / name).string();
    return {.source_name = "S", .properties = std::move(more), .columns = std::move(columns)};
  }

  static std::unique_ptr<PartitionReader> Reader(ConnectorSource& source, int32_t partition = 0,
                                                 StartPosition start = {}) {
    auto reader = source.session->Open("S", partition, start);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return reader.ok() ? std::move(*reader) : nullptr;
  }

  /// All that can be read now, as "key=value"; checks that offsets ascend.
  static Strings ReadAll(PartitionReader& reader, int32_t rows_max = 4096) {
    Strings read;
    RecordBatch batch;
    int64_t before = -1;
    while (true) {
      const Status status = reader.Fetch(rows_max, 1 << 20, batch);
      EXPECT_TRUE(status.ok()) << status.ToString();
      if (!status.ok() || batch.size() == 0) return read;
      EXPECT_LE(batch.size(), rows_max);
      for (size_t row = 0; row < batch.values.size(); ++row) {
        std::string text;
        if (!batch.keys[row].is_null()) text = std::string(batch.View(batch.keys[row])) + "=";
        read.push_back(text + std::string(batch.View(batch.values[row])));
        EXPECT_GT(batch.offsets[row], before);
        before = batch.offsets[row];
      }
      EXPECT_GT(reader.position(), before);
    }
  }

  static Strings ReadSource(const ConnectorSpec& spec, int32_t rows_max = 4096) {
    auto source = OpenConnectorSource(spec);
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    if (!source.ok()) return {};
    Strings all;
    for (int32_t partition = 0; partition < source->partitions; ++partition) {
      auto reader = Reader(*source, partition);
      if (reader == nullptr) return {};
      const Strings read = ReadAll(*reader, rows_max);
      EXPECT_TRUE(reader->caught_up());
      EXPECT_GE(reader->position(), reader->end_offset());
      all.insert(all.end(), read.begin(), read.end());
    }
    return all;
  }

  fs::path directory_;
};

const ColumnSchema kName{.name = "NAME", .type = DataType::String()};
const ColumnSchema kCount{.name = "COUNT", .type = DataType::Bigint()};

TEST_F(ConnectorTest, ReadsLines) {
  const auto spec = File("a.ndjson", "{\"A\":1}\n\n{\"A\":2}\r\n{\"A\":3}", {kCount});
  for (int32_t rows_max : {1, 2, 100}) {
    EXPECT_EQ(ReadSource(spec, rows_max), (Strings{"{\"A\":1}", "{\"A\":2}", "{\"A\":3}"}));
  }
  EXPECT_EQ(ReadSource(File("b.ndjson", "\xEF\xBB\xBF{\"A\":1}\n")), (Strings{"{\"A\":1}"}));
  EXPECT_TRUE(ReadSource(File("c.ndjson", "")).empty());
  EXPECT_TRUE(ReadSource(File("d.ndjson", "\n\n")).empty());
}

TEST_F(ConnectorTest, LinesCrossBuffersAndPartitionsCutBetweenLines) {
  std::string text;
  Strings lines;
  for (int i = 0; i < 20000; ++i) {
    lines.push_back("{\"A\":" + std::to_string(i) +
                    std::string(static_cast<size_t>(i * 7 % 211), ' ') + "}");
    text += lines.back() + "\n";
  }
  lines[777] = "{\"A\":\"" + std::string(3 << 20, 'x') + "\"}";
  text.clear();
  for (const std::string& line : lines) text += line + "\n";
  for (const char* partitions : {"1", "2", "3", "7"}) {
    EXPECT_EQ(ReadSource(File("a.json", text, {}, {{"PARTITIONS", partitions}}), 1000), lines)
        << partitions;
  }
  auto source = OpenConnectorSource(File("a.json", text));
  auto reader = Reader(*source);
  RecordBatch batch;
  size_t count = 0;
  while (count < lines.size()) {
    ASSERT_TRUE(reader->Fetch(1500, 1 << 20, batch).ok());
    count += batch.values.size();
    auto again = Reader(*source, 0, {StartPosition::Kind::kOffset, reader->position()});
    RecordBatch next;
    ASSERT_TRUE(again->Fetch(1, 1 << 20, next).ok());
    ASSERT_EQ(next.size(), count < lines.size() ? 1 : 0);
    if (next.size() == 1) {
      EXPECT_EQ(next.View(next.values[0]), lines[count]);
    }
  }
}

TEST_F(ConnectorTest, MapsFieldsByHeader) {
  const std::string text = "Count,extra,Na me\n1,x,a\n2,\"y,z\",\"b\"\"c\"\n3,x\n";
  const ColumnSchema name{.name = "NA_ME", .type = DataType::String()};
  EXPECT_EQ(ReadSource(File("a.csv", text, {name, kCount})),
            (Strings{"a,1", "\"b\"\"c\",2", "3,x,,,"}));
  EXPECT_EQ(ReadSource(File("b.csv", "COUNT,NAME\n1,a\n", {kCount, kName})), (Strings{"1,a"}));
  EXPECT_EQ(ReadSource(File("c.csv", "1,a\n2,NA\n", {kCount, kName},
                            {{"HEADER", "false"}, {"NULL", "NA"}})),
            (Strings{"1,a", "2,"}));
  EXPECT_EQ(ReadSource(File("d.tsv", "COUNT\tNAME\n1\ta,b\n", {kCount, kName})),
            (Strings{"1,\"a,b\""}));
  EXPECT_EQ(ReadSource(File("e.csv", "COUNT,NAME\n1,\"two\nlines\"\n2,b\n", {kCount, kName})),
            (Strings{"1,\"two\nlines\"", "2,b"}));
  auto source = OpenConnectorSource(File("f.csv", "x,y\n1,2\n", {kName}));
  ASSERT_TRUE(source.ok());
  const auto reader = source->session->Open("S", 0, {});
  EXPECT_EQ(reader.status().code(), ErrorCode::kInvalidProperty);
  EXPECT_NE(reader.status().hint().find("x, y"), std::string::npos);
}

TEST_F(ConnectorTest, MakesKeys) {
  const ColumnSchema key{.name = "NAME", .type = DataType::String(), .is_key = true};
  EXPECT_EQ(ReadSource(File("a.csv", "COUNT,NAME\n1,a\n2,\n", {key, kCount})),
            (Strings{"a=1", "2"}));
  EXPECT_EQ(ReadSource(File("a.json", "{\"name\":\"a\",\"count\":1}\n{\"count\":2}\n",
                            {key, kCount}, {{"KEY_FORMAT", "JSON"}})),
            (Strings{"\"a\"={\"name\":\"a\",\"count\":1}", "{\"count\":2}"}));
}

TEST_F(ConnectorTest, FollowsAFile) {
  auto spec = File("a.json", "{\"A\":1}\n{\"A\"", {}, {{"FOLLOW", "true"}});
  auto source = OpenConnectorSource(spec);
  std::mutex mutex;
  std::condition_variable changed;
  int woken = 0;
  source->session->SetListener([&] {
    std::lock_guard lock(mutex);
    ++woken;
    changed.notify_all();
  });
  auto reader = Reader(*source);
  EXPECT_TRUE(reader->endless());
  EXPECT_EQ(ReadAll(*reader), (Strings{"{\"A\":1}"}));
  EXPECT_TRUE(reader->caught_up());
  std::ofstream(directory_ / "a.json", std::ios::app) << ":2}\n{\"A\":3}\n";
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return woken > 0; }));
  lock.unlock();
  EXPECT_EQ(ReadAll(*reader), (Strings{"{\"A\":2}", "{\"A\":3}"}));
}

TEST_F(ConnectorTest, ReadsTheStandardInput) {
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);
  const int saved = dup(0);
  dup2(channel[0], 0);
  close(channel[0]);
  ConnectorSpec spec{
      .source_name = "S",
      .properties = {{"CONNECTOR", "file"}, {"PATH", "-"}, {"VALUE_FORMAT", "DELIMITED"}},
      .columns = {kName, kCount}};
  auto source = OpenConnectorSource(spec);
  ASSERT_TRUE(source.ok());
  std::mutex mutex;
  std::condition_variable changed;
  int woken = 0;
  source->session->SetListener([&] {
    std::lock_guard lock(mutex);
    ++woken;
    changed.notify_all();
  });
  auto reader = Reader(*source);
  EXPECT_FALSE(reader->caught_up());
  Strings read;
  const std::string text = "COUNT,NAME\n1,a\n2,b";
  ASSERT_EQ(write(channel[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(channel[1]);
  while (!reader->caught_up()) {
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return woken > 0; }));
      woken = 0;
    }
    for (const std::string& each : ReadAll(*reader)) read.push_back(each);
  }
  EXPECT_EQ(read, (Strings{"a,1", "b,2"}));
  EXPECT_EQ(source->session->Open("S", 0, {StartPosition::Kind::kOffset, 5}).status().code(),
            ErrorCode::kOffsetOutOfRange);
  reader.reset();
  dup2(saved, 0);
  close(saved);
}

TEST_F(ConnectorTest, InfersColumns) {
  auto spec = File("a.csv",
                   "VendorID,pick up,fare,zip,flag,day,empty,mixed\n"
                   "1,2020-01-01 00:28:15,.80,01234,true,2020-01-01,,1\n"
                   "2,2020-01-02 00:28:15,9,12345,false,2020-01-02,,x\n");
  auto columns = InferConnectorColumns(spec);
  ASSERT_TRUE(columns.ok()) << columns.status().ToString();
  EXPECT_EQ((Schema{*columns}.ToString()),
            "`VENDORID` BIGINT, `PICK_UP` TIMESTAMP, `FARE` DOUBLE, `ZIP` STRING, `FLAG` BOOLEAN, "
            "`DAY` DATE, `EMPTY` STRING, `MIXED` STRING");
  EXPECT_EQ(spec.properties["VALUE_FORMAT"], "DELIMITED");
  spec.columns = *columns;
  EXPECT_EQ(ReadSource(spec).size(), 2u);

  auto json = File("a.ndjson",
                   "{\"id\":1,\"x\":1,\"at\":\"2020-01-01T00:00:00\",\"tags\":[\"a\"],\"n\":null}\n"
                   "bad\n{\"id\":2,\"x\":1.5,\"at\":\"2020-01-01T00:00:00\",\"o\":{\"p\":true}}\n");
  columns = InferConnectorColumns(json);
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ((Schema{*columns}.ToString()),
            "`ID` BIGINT, `X` DOUBLE, `AT` TIMESTAMP, `TAGS` ARRAY<STRING>, `N` STRING, `O` "
            "STRUCT<`P` BOOLEAN>");
  EXPECT_EQ(json.properties["VALUE_FORMAT"], "JSON");
  auto empty = File("b.csv", "");
  EXPECT_FALSE(InferConnectorColumns(empty).ok());
  ConnectorSpec missing{.properties = {{"CONNECTOR", "file"}, {"PATH", "/no/such"}}};
  EXPECT_EQ(InferConnectorColumns(missing).status().code(), ErrorCode::kIoError);
}

TEST_F(ConnectorTest, MakesTheSameRowsWhateverWasReadBefore) {
  ConnectorSpec spec{.source_name = "S",
                     .properties = {{"CONNECTOR", "datagen"},
                                    {"SEED", "7"},
                                    {"ROWS", "1001"},
                                    {"COLUMN.ID", "sequence(0, 1)"},
                                    {"COLUMN.NAME", "choice(a, b, c)"},
                                    {"COLUMN.AMOUNT", "null(10, uniform(1, 2))"},
                                    {"COLUMN.ROWTIME", "timestamp(1000, 10)"}},
                     .columns = {{.name = "ID", .type = DataType::String(), .is_key = true},
                                 kName,
                                 {.name = "AMOUNT", .type = DataType::Double()},
                                 {.name = "NOTE", .type = DataType::String()}}};
  const Strings all = ReadSource(spec);
  ASSERT_EQ(all.size(), 1001u);
  EXPECT_TRUE(all[5].starts_with("5={\"NAME\":\"")) << all[5];
  EXPECT_EQ(ReadSource(spec, 7), all);
  spec.properties["PARTITIONS"] = "3";
  Strings split = ReadSource(spec);
  Strings sorted = all;
  std::sort(split.begin(), split.end());
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(split, sorted);
  spec.properties["PARTITIONS"] = "1";
  auto source = OpenConnectorSource(spec);
  auto reader = Reader(*source, 0, {StartPosition::Kind::kOffset, 500});
  EXPECT_EQ(ReadAll(*reader), Strings(all.begin() + 500, all.end()));
  spec.properties["SEED"] = "8";
  EXPECT_NE(ReadSource(spec), all);
  spec.properties["COLUMN.NAME"] = "nonsense(1)";
  EXPECT_EQ(OpenConnectorSource(spec).status().code(), ErrorCode::kInvalidProperty);
}

TEST_F(ConnectorTest, RefusesUnknownConnectors) {
  EXPECT_EQ(OpenConnectorSource({.properties = {{"CONNECTOR", "ftp"}}}).status().code(),
            ErrorCode::kInvalidProperty);
}

}  // namespace
}  // namespace weir
