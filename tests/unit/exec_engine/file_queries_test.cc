// Queries over files: what they are told about them.

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "weir/engine.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class FileQueriesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::temp_directory_path() / ("weir_file_queries_" + std::to_string(getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    OpenEngine("");
  }
  void TearDown() override {
    engine_.reset();
    fs::remove_all(directory_);
  }

  void OpenEngine(const std::string& store) {
    engine_.reset();
    EngineOptions options;
    if (!store.empty()) options.directory = Path(store);
    options.log_level = LogLevel::kWarning;
    options.logger = [this](LogLevel, std::string_view line) {
      std::lock_guard lock(mutex_);
      warnings_.append(line) += '\n';
    };
    auto engine = Engine::Open(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
  }
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  void WriteGzip(const std::string& name, const std::string& text) {
    gzFile file = gzopen(Path(name).c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }

  /// The notices of all statements. `@` stands for the test's directory.
  std::vector<std::string> Execute(std::string sql) {
    for (size_t at = sql.find('@'); at != std::string::npos; at = sql.find('@')) {
      sql.replace(at, 1, directory_.string() + "/");
    }
    auto results = engine_->Execute(sql);
    EXPECT_TRUE(results.ok()) << results.status().ToString();
    std::vector<std::string> notices;
    if (!results.ok()) return notices;
    for (const StatementResult& result : *results) {
      notices.insert(notices.end(), result.notices.begin(), result.notices.end());
    }
    EXPECT_TRUE(engine_->RunUntilEnd(false).ok());
    return notices;
  }
  QueryMetrics Metrics() const {
    const auto metrics = engine_->Metrics();
    return metrics.queries.empty() ? QueryMetrics{} : metrics.queries[0];
  }

  std::string warnings() {
    std::lock_guard lock(mutex_);
    return warnings_;
  }

  fs::path directory_;
  std::mutex mutex_;
  std::string warnings_;  // Under mutex_.
  std::unique_ptr<Engine> engine_;
};

TEST_F(FileQueriesTest, AreToldWhenWindowsGoByTheFilesTime) {
  Write("r.csv", "id,at\n1,2020-07-01 00:25:32\n");
  const auto notices = Execute(
      "CREATE STREAM r WITH (CONNECTOR='file', PATH='@r.csv');"
      "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM r WINDOW TUMBLING (SIZE 1 HOUR) "
      "GROUP BY id;");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("ROWTIME of R is the time of its file"), std::string::npos);
  EXPECT_EQ(Execute("CREATE TABLE s AS SELECT id, COUNT(*) AS n FROM r WINDOW SESSION (1 HOUR) "
                    "GROUP BY id;")
                .size(),
            1u);
  EXPECT_EQ(Execute("CREATE STREAM r2 WITH (CONNECTOR='file', PATH='@r.csv', TIMESTAMP='at');"
                    "CREATE TABLE t2 AS SELECT id, COUNT(*) AS n FROM r2 WINDOW TUMBLING "
                    "(SIZE 1 HOUR) GROUP BY id;"
                    "CREATE TABLE t3 AS SELECT id, COUNT(*) AS n FROM r GROUP BY id;"),
            std::vector<std::string>());
}

TEST_F(FileQueriesTest, ASelectIsToldThatWindowsGoByTheFilesTime) {
  Write("r.csv", "id,at\n1,2020-07-01 00:25:32\n");
  Execute("CREATE STREAM r WITH (CONNECTOR='file', PATH='@r.csv');");
  ASSERT_TRUE(engine_->Query("SELECT id, COUNT(*) AS n FROM r GROUP BY id;").ok());
  EXPECT_EQ(warnings().find("time of its file"), std::string::npos) << warnings();
  ASSERT_TRUE(engine_
                  ->Query("SELECT id, COUNT(*) AS n FROM r WINDOW TUMBLING (SIZE 1 HOUR) "
                          "GROUP BY id;")
                  .ok());
  EXPECT_NE(warnings().find("ROWTIME of R is the time of its file"), std::string::npos)
      << warnings();
}

TEST_F(FileQueriesTest, ATableIsToldWhichColumnsThereAre) {
  Write("z.csv", "id,name\n1,a\n");
  const auto results =
      engine_->Execute("CREATE TABLE z WITH (CONNECTOR='file', PATH='" + Path("z.csv") + "');");
  ASSERT_FALSE(results.ok());
  EXPECT_NE(results.status().hint().find("CREATE TABLE Z (ID BIGINT PRIMARY KEY, NAME STRING)"),
            std::string::npos)
      << results.status().ToString();
}

TEST_F(FileQueriesTest, AreToldTheLineOfABadRow) {
  Write("n.csv", "id,v\n1,2\n2\n3,4,5\n4,x\n");
  Execute(
      "CREATE STREAM n (id INT, v INT) WITH (CONNECTOR='file', PATH='@n.csv');"
      "CREATE STREAM c AS SELECT * FROM n;");
  const QueryMetrics metrics = Metrics();
  EXPECT_EQ(metrics.dropped.at("bad_value"), 3);
  ASSERT_EQ(metrics.last_errors.size(), 3u);
  EXPECT_EQ(metrics.last_errors[0], "bad_value: file " + Path("n.csv") +
                                        " line 3 offset 9: the line has 1 fields where there "
                                        "should be 2");
  EXPECT_NE(metrics.last_errors[2].find("line 5 offset 17: column V: no INT"), std::string::npos)
      << metrics.last_errors[2];
  // A failing source says it too.
  Execute(
      "CREATE STREAM f (id INT, v INT) WITH (CONNECTOR='file', PATH='@n.csv', "
      "ON_ERROR='FAIL');");
  auto cursor = engine_->Query("SELECT * FROM f EMIT CHANGES;");
  ASSERT_TRUE(cursor.ok());
  Status error;
  while (error.ok() && !(*cursor)->done()) {
    error = (*cursor)->Next(std::chrono::milliseconds(100)).status();
  }
  EXPECT_EQ(error.code(), ErrorCode::kBadRecord) << error.ToString();
  EXPECT_NE(error.message().find("n.csv line 3 offset 9"), std::string::npos) << error.ToString();
}

TEST_F(FileQueriesTest, GoOnInACompressedFileWhereTheyStood) {
  std::string text = "id,v\n";
  for (int i = 0; i < 3000; ++i) text += std::to_string(i % 7) + ",1\n";
  WriteGzip("r.csv.gz", text);
  OpenEngine("store");
  Execute(
      "CREATE STREAM r WITH (CONNECTOR='file', PATH='@r.csv.gz');"
      "CREATE TABLE t AS SELECT id, SUM(v) AS n FROM r GROUP BY id;");
  EXPECT_EQ(Metrics().records_in, 3000);
  for (int i = 0; i < 70; ++i) text += std::to_string(i % 7) + ",1\n";
  WriteGzip("r.csv.gz", text);
  OpenEngine("store");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(Metrics().records_in, 70);
  auto cursor = engine_->Query("SELECT n FROM t WHERE id = 3;");
  ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
  auto batch = (*cursor)->Next(std::chrono::milliseconds(1000));
  ASSERT_TRUE(batch.ok() && batch->has_value());
  EXPECT_EQ((*batch)->column(0).ToText(0), "439");
}

TEST_F(FileQueriesTest, JoinATableThatIsACompressedFile) {
  WriteGzip("t.csv.gz", "id,name\n1,a\n2,b\n");
  Write("s.csv", "k,v\n2,5\n1,6\n3,7\n");
  Execute(
      "CREATE TABLE t (id INT PRIMARY KEY, name STRING) WITH (CONNECTOR='file', "
      "PATH='@t.csv.gz');"
      "CREATE STREAM s (k INT, v INT) WITH (CONNECTOR='file', PATH='@s.csv');"
      "CREATE STREAM j AS SELECT s.k, t.name, s.v FROM s JOIN t ON s.k = t.id;");
  EXPECT_EQ(Metrics().records_out, 2);
}

}  // namespace
}  // namespace weir
