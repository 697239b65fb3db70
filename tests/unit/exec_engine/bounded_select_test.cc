// SELECT without EMIT as a program meets it: it waits for the queries behind it, can be cancelled,
// and keeps to memory.limit.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/asked_rows.h"
#include "weir/engine.h"

namespace weir {
namespace {

constexpr std::chrono::milliseconds kLong(60'000);

class BoundedSelect : public ::testing::Test {
 protected:
  void Open(std::map<std::string, std::string> settings = {}, EngineOptions options = {}) {
    options.threads = 2;
    for (auto& [name, value] : settings) options.settings[name] = value;
    options.logger = [this](LogLevel, std::string_view line) {
      std::lock_guard lock(mutex_);
      log_.append(line).append("\n");
    };
    auto opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    engine_ = std::move(*opened);
  }
  void Execute(const std::string& sql) {
    auto done = engine_->Execute(sql);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
  }
  /// All rows, columns apart by blanks; or the error's code.
  std::vector<std::string> Ask(const std::string& sql) { return test::AskedRows(*engine_, sql); }
  void AppendHits(int count) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      Record record;
      record.key = "k" + std::to_string(i % 7);
      record.value = R"({"N":1})";
      records.push_back(std::move(record));
    }
    ASSERT_TRUE(engine_->Append("hits", records).ok());
  }
  std::unique_ptr<Engine> engine_;
  std::mutex mutex_;
  std::string log_;
};

constexpr char kHits[] =
    "CREATE STREAM hits (page STRING KEY, n BIGINT) WITH (kafka_topic='hits', "
    "value_format='JSON', partitions=3);";

TEST_F(BoundedSelect, SeesWhatWasThereWhenItWasAsked) {
  Open({{"query.pull.wait.ms", "60000"}});
  Execute(kHits);
  AppendHits(5000);
  Execute(
      "CREATE STREAM copy AS SELECT * FROM hits;"
      "CREATE TABLE pages AS SELECT page, SUM(n) AS n FROM copy GROUP BY page;");
  EXPECT_EQ(Ask("SELECT SUM(n) FROM pages;"), std::vector<std::string>{"5000"});
  for (int round = 1; round <= 20; ++round) {
    AppendHits(7);
    const std::string all = std::to_string(5000 + 7 * round);
    EXPECT_EQ(Ask("SELECT SUM(n) FROM pages;"), std::vector<std::string>{all});
    EXPECT_EQ(Ask("SELECT COUNT(*) FROM copy;"), std::vector<std::string>{all});
  }
}

TEST_F(BoundedSelect, DoesNotWaitForAQueryThatIsPaused) {
  Open({{"query.pull.wait.ms", "3600000"}});
  Execute(kHits);
  Execute(
      "CREATE TABLE pages AS SELECT page, SUM(n) AS n FROM hits GROUP BY page;"
      "PAUSE CTAS_PAGES;");
  AppendHits(7);
  EXPECT_EQ(Ask("SELECT COUNT(*) FROM pages;"), std::vector<std::string>{"0"});
  Execute("RESUME CTAS_PAGES;");
  EXPECT_EQ(Ask("SELECT COUNT(*) FROM pages;"), std::vector<std::string>{"7"});
}

TEST_F(BoundedSelect, ReadsTheTopicOfAQueryThatHasNotRun) {
  EngineOptions options;
  options.directory = ::testing::TempDir() + "bounded_select_paused.db";
  std::filesystem::remove_all(options.directory);
  Open({}, options);
  Execute(kHits);
  Execute("CREATE TABLE pages AS SELECT page, SUM(n) AS n FROM hits GROUP BY page;");
  AppendHits(21);
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  engine_.reset();
  options.paused = true;
  Open({}, options);
  EXPECT_EQ(Ask("SELECT COUNT(*), SUM(n) FROM pages;"), std::vector<std::string>{"7 21"});
  engine_.reset();
  std::filesystem::remove_all(options.directory);
}

TEST_F(BoundedSelect, SaysThatAQueryIsBehind) {
  Open({{"query.pull.wait.ms", "1"}});
  Execute(
      "CREATE STREAM many (id INT KEY) WITH (CONNECTOR='datagen', ROWS='1000000000');"
      "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM many GROUP BY id;");
  EXPECT_EQ(Ask("SELECT COUNT(*) * 0 FROM t;"), std::vector<std::string>{"0"});
  std::lock_guard lock(mutex_);
  EXPECT_NE(log_.find("query CTAS_T is behind its sources"), std::string::npos) << log_;
}

TEST_F(BoundedSelect, TellsBadRows) {
  Open();
  const std::string path = ::testing::TempDir() + "bounded_select_bad_rows.csv";
  std::ofstream(path) << "id,v\n1,2\n2\n3,4,5\n4,x\n";
  Execute("CREATE STREAM bad (id INT, v INT) WITH (CONNECTOR='file', PATH='" + path + "');");
  EXPECT_EQ(Ask("SELECT * FROM bad;"), std::vector<std::string>{"1 2"});
  std::lock_guard lock(mutex_);
  size_t told = 0;
  for (size_t at = log_.find("bad_value"); at != log_.npos; at = log_.find("bad_value", at + 1)) {
    ++told;
  }
  EXPECT_EQ(told, 3u) << log_;
  std::remove(path.c_str());
}

TEST_F(BoundedSelect, CancelEndsIt) {
  Open();
  Execute("CREATE STREAM many (id INT) WITH (CONNECTOR='datagen', ROWS='2000000000');");
  for (const char* sql : {"SELECT COUNT(*) FROM many;", "SELECT id FROM many WHERE id IS NULL;"}) {
    auto cursor = engine_->Query(sql);
    ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
    std::thread other([&] { (*cursor)->Cancel(); });
    EXPECT_EQ((*cursor)->Next(kLong).status().code(), ErrorCode::kCancelled);
    other.join();
    EXPECT_TRUE((*cursor)->done());
  }
}

TEST_F(BoundedSelect, FailsBeyondTheMemoryLimitAndGivesBack) {
  Open({{"memory.limit", "4MB"}});
  Execute("CREATE STREAM many (id BIGINT, t STRING) WITH (CONNECTOR='datagen', ROWS='400000');");
  for (const char* sql : {"SELECT * FROM many ORDER BY t;",
                          "SELECT ROWOFFSET AS o, COUNT(*) FROM many GROUP BY ROWOFFSET;",
                          "SELECT COUNT(*) FROM many WINDOW HOPPING (SIZE 100 SECONDS, "
                          "ADVANCE BY 1 MILLISECOND);"}) {
    const std::vector<std::string> answer = Ask(sql);
    ASSERT_EQ(answer.size(), 1u) << sql;
    EXPECT_NE(answer[0].find("5003"), std::string::npos) << answer[0];
    EXPECT_NE(answer[0].find("spilling"), std::string::npos) << answer[0];
    EXPECT_EQ(engine_->Metrics().memory_bytes, 0);
  }
  EXPECT_EQ(Ask("SELECT t FROM many ORDER BY t LIMIT 5;").size(), 5u);
  EXPECT_EQ(Ask("SELECT COUNT(*) FROM many;"), std::vector<std::string>{"400000"});
}

TEST_F(BoundedSelect, SortsMoreThanOneRun) {
  Open();
  Execute(
      "CREATE STREAM many (id BIGINT) WITH (CONNECTOR='datagen', ROWS='200000', "
      "PARTITIONS='2');");
  const auto check = [&](const std::string& sql, size_t count) {
    const std::vector<std::string> rows = Ask(sql);
    ASSERT_EQ(rows.size(), count) << sql;
    for (size_t i = 1; i < rows.size(); ++i) {
      ASSERT_LE(std::stoll(rows[i - 1]), std::stoll(rows[i])) << sql << " at " << i;
    }
  };
  check("SELECT id FROM many ORDER BY id;", 200000);
  check("SELECT id FROM many ORDER BY id LIMIT 150000 OFFSET 20000;", 150000);
  check("SELECT id FROM many ORDER BY id LIMIT 1000 OFFSET 199500;", 500);
}

TEST_F(BoundedSelect, ClosedEngineEndsIt) {
  Open();
  Execute("CREATE STREAM many (id INT) WITH (CONNECTOR='datagen', ROWS='2000000000');");
  auto cursor = engine_->Query("SELECT id FROM many;");
  ASSERT_TRUE(cursor.ok());
  EXPECT_TRUE((*cursor)->Next(kLong).ok());
  ASSERT_TRUE(engine_->Close().ok());
  // What was worked out before may still be read.
  Status status;
  while (status.ok() && !(*cursor)->done()) status = (*cursor)->Next(kLong).status();
  EXPECT_EQ(status.code(), ErrorCode::kClosed) << status.ToString();
}

}  // namespace
}  // namespace weir
