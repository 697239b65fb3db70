// Pull queries beside the query that keeps the table: they see the last commit, whole, and neither
// waits for the other.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/asked_rows.h"
#include "weir/engine.h"

namespace weir {
namespace {

constexpr std::chrono::milliseconds kSoon(60'000);

class PullSnapshot : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("weir_pull_" + std::to_string(getpid()) + "_" + std::to_string(GetParam()));
    std::filesystem::remove_all(path_);
    Open();
  }
  void TearDown() override {
    engine_.reset();
    std::filesystem::remove_all(path_);
  }

  bool on_disk() const { return GetParam(); }
  void Open(std::map<std::string, std::string> settings = {}, EngineOptions options = {}) {
    engine_.reset();
    if (on_disk()) options.directory = path_.string();
    options.threads = 2;
    for (auto& [name, value] : settings) options.settings[name] = value;
    auto opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    engine_ = std::move(*opened);
  }
  void Execute(const std::string& sql) {
    auto done = engine_->Execute(sql);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
  }
  std::vector<std::string> Ask(const std::string& sql) { return test::AskedRows(*engine_, sql); }
  /// `count` records, each key in turn.
  void Append(int count, int keys) {
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      Record record;
      record.value = R"({"K":)" + std::to_string(i % keys) + R"(,"N":1})";
      records.push_back(std::move(record));
    }
    ASSERT_TRUE(engine_->Append("hits", records).ok());
  }
  void MakeTable() {
    Execute(
        "CREATE STREAM hits (k INT, n INT) WITH (KAFKA_TOPIC='hits', VALUE_FORMAT='JSON', "
        "PARTITIONS=3);"
        "CREATE TABLE per_key AS SELECT k, COUNT(*) AS c, SUM(n) AS s FROM hits GROUP BY k;");
  }

  std::filesystem::path path_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Memory, PullSnapshot, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Disk, PullSnapshot, ::testing::Values(true));

// Each append brings every key once, in one commit: a scan that saw half of one would show it.
TEST_P(PullSnapshot, SeesWholeCommitsWhileTheQueryRuns) {
  MakeTable();
  Execute("SET 'query.pull.wait.ms' = '0';");
  constexpr int kKeys = 50;
  constexpr int kAppends = 200;
  std::atomic<bool> ended{false};
  std::thread writer([&] {
    for (int i = 0; i < kAppends; ++i) Append(kKeys, kKeys);
    ended = true;
  });
  int64_t last_count = 0;
  int asked = 0;
  for (bool last = false; !last; ++asked) {
    last = ended;
    const std::vector<std::string> all = Ask("SELECT k, c, s FROM per_key;");
    ASSERT_TRUE(all.empty() || all.size() == kKeys) << all.size() << all[0];
    for (const std::string& row : all) {
      const size_t blank = row.find(' ');
      EXPECT_EQ(row.substr(blank), all[0].substr(all[0].find(' ')));
    }
    const std::vector<std::string> one = Ask("SELECT c, s FROM per_key WHERE k = 7;");
    if (one.empty()) continue;
    ASSERT_EQ(one.size(), 1u);
    const int64_t count = std::stoll(one[0]);
    EXPECT_EQ(one[0], std::to_string(count) + " " + std::to_string(count));
    EXPECT_GE(count, last_count);
    last_count = count;
  }
  writer.join();
  EXPECT_GT(asked, 1);
  Execute("SET 'query.pull.wait.ms' = '60000';");
  EXPECT_EQ(Ask("SELECT c, s FROM per_key WHERE k = 7;"),
            std::vector<std::string>{std::to_string(kAppends) + " " + std::to_string(kAppends)});
}

// The same text with other keys, and what changes in between.
TEST_P(PullSnapshot, LooksUpAgainAndAgain) {
  MakeTable();
  Append(100, 10);
  for (int round = 0; round < 3; ++round) {
    for (int key = 0; key < 12; ++key) {
      const std::vector<std::string> wanted =
          key < 10 ? std::vector<std::string>{std::to_string(key) + " 10"}
                   : std::vector<std::string>{};
      EXPECT_EQ(Ask("SELECT k, c FROM per_key WHERE k = " + std::to_string(key) + ";"), wanted);
    }
  }
  EXPECT_EQ(Ask("SELECT k FROM per_key WHERE k = -1;"), std::vector<std::string>{});
  Append(10, 10);
  EXPECT_EQ(Ask("SELECT k, c FROM per_key WHERE k = 3;"), std::vector<std::string>{"3 11"});
  Execute("DROP TABLE per_key DELETE TOPIC;");
  ASSERT_EQ(Ask("SELECT k, c FROM per_key WHERE k = 3;").size(), 1u);
  EXPECT_NE(Ask("SELECT k, c FROM per_key WHERE k = 3;")[0].find("PER_KEY"), std::string::npos);
  Execute("CREATE TABLE per_key AS SELECT k, COUNT(*) * 100 AS c FROM hits GROUP BY k;");
  EXPECT_EQ(Ask("SELECT k, c FROM per_key WHERE k = 3;"), std::vector<std::string>{"3 1100"});
}

// What is asked before a table is dropped, and read afterwards, says so: there is no state any
// more.
TEST_P(PullSnapshot, EndsWithItsQuery) {
  MakeTable();
  Append(100, 10);
  const std::string look_up = "SELECT k, c FROM per_key WHERE k = 3;";
  EXPECT_EQ(Ask(look_up), std::vector<std::string>{"3 10"});
  auto again = engine_->Query(look_up);
  auto scan = engine_->Query("SELECT k, c FROM per_key;");
  ASSERT_TRUE(again.ok() && scan.ok());
  Execute("DROP TABLE per_key DELETE TOPIC;");
  for (auto* cursor : {again->get(), scan->get()}) {
    const auto rows = cursor->Next(kSoon);
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.status().code(), ErrorCode::kQueryFailed) << rows.status().ToString();
  }
}

TEST_P(PullSnapshot, LooksUpTexts) {
  Execute(
      "CREATE TABLE names (id STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names', "
      "VALUE_FORMAT='JSON', PARTITIONS=2);"
      "CREATE TABLE kept AS SELECT id, name FROM names;"
      "INSERT INTO names VALUES ('it''s', 'a'); INSERT INTO names VALUES ('b', 'b');"
      "INSERT INTO names VALUES ('B', 'capital');");
  EXPECT_EQ(Ask("SELECT name FROM kept WHERE id = 'b';"), std::vector<std::string>{"b"});
  EXPECT_EQ(Ask("SELECT name FROM kept WHERE id = 'it''s';"), std::vector<std::string>{"a"});
  EXPECT_EQ(Ask("SELECT name FROM kept WHERE id = 'it';"), std::vector<std::string>{});
  // What becomes of a literal is part of the statement.
  EXPECT_EQ(Ask("SELECT name FROM kept WHERE id = UCASE('b');"),
            std::vector<std::string>{"capital"});
  EXPECT_EQ(Ask("SELECT name FROM kept WHERE id = UCASE('it');"), std::vector<std::string>{});
}

TEST_P(PullSnapshot, ReadsAPausedQuery) {
  MakeTable();
  Append(30, 3);
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"10"});
  Execute("PAUSE ALL;");
  Append(30, 3);
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"10"});
  EXPECT_EQ(Ask("SELECT k, c FROM per_key;").size(), 3u);
  Execute("RESUME ALL;");
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"20"});
}

TEST_P(PullSnapshot, ReadsWhatWasThereBeforeARestart) {
  if (!on_disk()) GTEST_SKIP() << "memory forgets";
  MakeTable();
  Execute(
      "CREATE TABLE per_minute AS SELECT k, COUNT(*) AS c FROM hits WINDOW TUMBLING (SIZE 1 "
      "MINUTE) GROUP BY k;");
  Append(30, 3);
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"10"});
  EXPECT_EQ(Ask("SELECT SUM(c) AS c FROM per_minute WHERE k = 2;"), std::vector<std::string>{"10"});
  Execute("PAUSE ALL;");
  Open({{"query.pull.wait.ms", "0"}});
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"10"});
  EXPECT_EQ(Ask("SELECT SUM(c) AS c FROM per_minute WHERE k = 2;"), std::vector<std::string>{"10"});
  EngineOptions paused;
  paused.paused = true;
  Open({}, paused);
  EXPECT_EQ(Ask("SELECT c FROM per_key WHERE k = 2;"), std::vector<std::string>{"10"});
}

// What is committed of a table that is only kept takes no memory.
TEST_P(PullSnapshot, KeepsCommittedRowsOutOfMemory) {
  constexpr int kKeys = 60'000;
  Execute(
      "CREATE TABLE names (id INT PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC='names', "
      "VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA', PARTITIONS=2);"
      "CREATE TABLE kept AS SELECT id, name FROM names;");
  std::vector<Record> records;
  for (int i = 0; i < kKeys; ++i) {
    Record record;
    const auto id = static_cast<uint32_t>(i);
    record.key = std::string{static_cast<char>(id >> 24), static_cast<char>(id >> 16),
                             static_cast<char>(id >> 8), static_cast<char>(id)};
    record.value = R"({"NAME":")" + std::string(80, 'x') + R"("})";
    records.push_back(std::move(record));
  }
  ASSERT_TRUE(engine_->Append("names", records).ok());
  EXPECT_EQ(Ask("SELECT COUNT(*) AS n FROM kept;"),
            std::vector<std::string>{std::to_string(kKeys)});
  const std::vector<QueryMetrics> queries = engine_->Metrics().queries;
  ASSERT_EQ(queries.size(), 1u);
  EXPECT_LT(queries[0].state_bytes, 1'000'000);
}

}  // namespace
}  // namespace weir
