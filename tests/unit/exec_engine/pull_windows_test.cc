// Pull queries of windowed tables: which windows the bounds let in.

#include <gtest/gtest.h>

#include <algorithm>

#include "weir/engine.h"

namespace weir {
namespace {

using Starts = std::vector<std::string>;

class PullWindows : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Engine::Open({});
    ASSERT_TRUE(opened.ok());
    engine_ = std::move(*opened);
    auto made = engine_->Execute(
        "CREATE STREAM s (k STRING KEY, x INT) WITH (kafka_topic='s', value_format='JSON', "
        "partitions=2);"
        "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP "
        "BY k;");
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    std::vector<Record> records;
    for (int64_t time : {0, 9'999, 10'000, 25'000, 39'999}) {
      for (const char* key : {"a", "b"}) {
        Record record;
        record.key = key;
        record.value = R"({"X":1})";
        record.timestamp_ms = time;
        records.push_back(record);
      }
    }
    ASSERT_TRUE(engine_->Append("s", records).ok());
    ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  }
  Starts Pull(const std::string& where) {
    auto cursor = engine_->Query("SELECT WINDOWSTART FROM t WHERE " + where + ";");
    EXPECT_TRUE(cursor.ok()) << cursor.status().ToString();
    Starts starts;
    while (cursor.ok()) {
      auto batch = (*cursor)->Next(std::chrono::milliseconds(0));
      if (!batch.ok() || !*batch) break;
      for (int32_t row = 0; row < (*batch)->row_count(); ++row) {
        starts.push_back((*batch)->column(0).ToText(row));
      }
    }
    std::sort(starts.begin(), starts.end());
    return starts;
  }
  std::unique_ptr<Engine> engine_;
};

TEST_F(PullWindows, BoundsAreExactToTheMillisecond) {
  EXPECT_EQ(Pull("k = 'a'"), (Starts{"0", "10000", "20000", "30000"}));
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART = 10000"), Starts{"10000"});
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART = 9999"), Starts{});
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART > 10000"), (Starts{"20000", "30000"}));
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART >= 10000 AND WINDOWSTART < 30000"),
            (Starts{"10000", "20000"}));
  EXPECT_EQ(Pull("k = 'a' AND WINDOWEND <= 20000"), (Starts{"0", "10000"}));
  EXPECT_EQ(Pull("k = 'a' AND WINDOWEND < 20000"), Starts{"0"});
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART >= 10000 AND WINDOWEND <= 30000"),
            (Starts{"10000", "20000"}));
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART > 30000"), Starts{});
}

TEST_F(PullWindows, SeveralKeysAndScans) {
  EXPECT_EQ(Pull("k IN ('a', 'b', 'c') AND WINDOWSTART = 20000"), (Starts{"20000", "20000"}));
  EXPECT_EQ(Pull("WINDOWSTART >= 20000 AND n = 1").size(), 4u);
  EXPECT_EQ(Pull("k = 'a' AND n = 2"), Starts{"0"});
}

TEST_F(PullWindows, TimesAsText) {
  EXPECT_EQ(Pull("k = 'a' AND WINDOWSTART >= '1970-01-01T00:00:20Z'"), (Starts{"20000", "30000"}));
}

}  // namespace
}  // namespace weir
