// Queries whose schemas are in a registry over HTTP: what they find there, and what becomes of them
// when it goes away.

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <gtest/gtest.h>

#include "shell/registry_server.h"
#include "tests/unit/registry/odd_server.h"
#include "weir/engine.h"

namespace weir {
namespace {

using test::OddServer;

constexpr const char* kIntRecord =
    R"({"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"A\",\"type\":\"int\"}]}"})";

/// A query over the stream of CreateStream.
constexpr const char* kCopyAsJson =
    "CREATE STREAM o WITH (value_format='JSON') AS SELECT a FROM s;";

class RegistryEngineTest : public ::testing::Test {
 protected:
  void Open(const std::string& url, std::map<std::string, std::string> more = {}) {
    engine_.reset();
    EngineOptions options;
    options.threads = 1;
    options.directory = directory_;
    options.settings = std::move(more);
    options.settings["ksql.schema.registry.url"] = url;
    options.settings["ksql.schema.registry.max.retries"] = "0";
    options.logger = [this](LogLevel, std::string_view line) {
      {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
      }
      logged_.notify_all();
    };
    auto opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    engine_ = std::move(*opened);
  }
  void TearDown() override { engine_.reset(); }

  void Execute(std::string_view sql) {
    const auto results = engine_->Execute(sql);
    ASSERT_TRUE(results.ok()) << sql << "\n" << results.status().ToString();
  }
  /// A stream s of topic t. Columns that are declared are registered if the subject has no schema:
  /// the server says that it has one.
  void CreateStream(OddServer& server) {
    server.AnswerNext({OddServer::Whole(
        200, std::string(R"({"subject":"t-value","version":1,"id":9,)") + (kIntRecord + 1))});
    Execute("CREATE STREAM s (a INT) WITH (kafka_topic='t', value_format='AVRO', partitions=1);");
  }
  Status Append(const std::string& topic, const std::string& value) {
    Record record;
    record.value = value;
    return engine_->Append(topic, {&record, 1});
  }
  /// The first line that is logged with these words.
  std::string WaitForLine(std::string_view words) {
    std::unique_lock lock(mutex_);
    std::string found;
    EXPECT_TRUE(logged_.wait_for(lock, std::chrono::minutes(1), [&] {
      for (const std::string& line : lines_) {
        if (line.find(words) != std::string::npos) found = line;
      }
      return !found.empty();
    })) << words;
    return found;
  }
  int64_t BadRecords() {
    int64_t bad = 0;
    for (const QueryMetrics& query : engine_->Metrics().queries) {
      for (const auto& [reason, rows] : query.dropped) bad += rows;
    }
    return bad;
  }

  std::string directory_;  // Empty: in memory.
  std::mutex mutex_;
  std::condition_variable logged_;
  std::vector<std::string> lines_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(RegistryEngineTest, FindsColumnsAndRegistersResults) {
  shell::RegistryServerOptions serving;
  serving.port = 0;
  auto server = shell::RegistryServer::Start(serving);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  Open((*server)->url());
  Execute(
      "CREATE STREAM made (k INT KEY, a INT, b STRING) WITH (kafka_topic='t', format='AVRO', "
      "partitions=1);"
      "INSERT INTO made VALUES (1, 2, 'x');"
      "CREATE STREAM found WITH (kafka_topic='t', format='AVRO');"
      "CREATE STREAM out WITH (kafka_topic='out') AS SELECT rowkey, a + 1 AS c FROM found;");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  MemoryRegistry& registry = (*server)->registry();
  EXPECT_EQ(registry.SubjectNames(MemoryRegistry::Seen::kLive),
            (std::vector<std::string>{"out-key", "out-value", "t-key", "t-value"}));
  const auto records = engine_->ReadTopic("out");
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  ASSERT_EQ(records->size(), 1u);
  // The id of the value's schema, the branch of the union, and 3.
  const int32_t id = (*registry.Latest("out-value"))->id;
  EXPECT_EQ((*records)[0].value, std::string({0, 0, 0, 0, static_cast<char>(id), 2, 6}));
  Execute("ASSERT SCHEMA SUBJECT 'out-value'; ASSERT NOT EXISTS SCHEMA SUBJECT 'nobody';");
}

TEST_F(RegistryEngineTest, ARegistryThatGoesAwayCostsNoRecord) {
  OddServer server;
  server.AnswerRest(OddServer::Whole(503, "<html>down</html>", "text/html"));
  Open(server.url());
  CreateStream(server);
  Execute(kCopyAsJson);
  ASSERT_TRUE(Append("t", std::string({0, 0, 0, 0, 7, 84})).ok());
  const std::string line = WaitForLine("status 503");
  EXPECT_NE(line.find("query CSAS_O"), std::string::npos) << line;
  EXPECT_NE(line.find(server.url() + "/schemas/ids/7"), std::string::npos) << line;
  server.AnswerRest(OddServer::Whole(200, kIntRecord));
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  const auto records = engine_->ReadTopic("O");
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  ASSERT_EQ(records->size(), 1u);
  EXPECT_EQ((*records)[0].value, R"({"A":42})");
  EXPECT_EQ(BadRecords(), 0);
}

TEST_F(RegistryEngineTest, AStoreOpensBeforeItsRegistryDoes) {
  std::string directory =
      (std::filesystem::temp_directory_path() / "weir-registry-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  directory_ = directory + "/store";
  shell::RegistryServerOptions serving;
  serving.port = 0;
  auto server = shell::RegistryServer::Start(serving);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  serving.port = (*server)->port();
  const std::string url = (*server)->url();
  Open(url);
  Execute(
      "CREATE STREAM s (a INT) WITH (kafka_topic='t', value_format='AVRO', partitions=1);"
      "CREATE STREAM o WITH (value_format='AVRO') AS SELECT a + 1 AS b FROM s;"
      "INSERT INTO s VALUES (1);");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  engine_.reset();
  server->reset();
  Open(url);
  WaitForLine("query CSAS_O: error 6009");
  ASSERT_FALSE(engine_->Metrics().queries.empty());
  EXPECT_EQ(engine_->Metrics().queries[0].state, "RESTARTING");
  server = shell::RegistryServer::Start(serving);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  Execute("INSERT INTO s VALUES (2);");
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(engine_->ReadTopic("O")->size(), 2u);
  engine_.reset();
  std::filesystem::remove_all(directory);
}

TEST_F(RegistryEngineTest, AReferenceThatCannotBeFetchedIsNoBadRecord) {
  OddServer server;
  Open(server.url());
  CreateStream(server);
  Execute(kCopyAsJson);
  const std::string uses = OddServer::Whole(
      200,
      R"({"schema":"{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"A\",\"type\":\"E\"}]}",)"
      R"("references":[{"name":"E","subject":"e","version":1}]})");
  server.AnswerNext({uses, OddServer::Whole(503, "")});
  server.AnswerRest(OddServer::Whole(
      200,
      R"({"subject":"e","version":1,"id":8,"schema":"{\"type\":\"fixed\",\"name\":\"E\",\"size\":1}"})"));
  ASSERT_TRUE(Append("t", std::string({0, 0, 0, 0, 7, 84})).ok());
  WaitForLine("/subjects/e/versions/1 with status 503");
  EXPECT_EQ(BadRecords(), 0);
}

TEST_F(RegistryEngineTest, AnIdThatTheRegistryDoesNotKnowIsABadRecord) {
  OddServer server;
  server.AnswerRest(OddServer::Whole(404, R"({"error_code":40403,"message":"Schema not found"})"));
  Open(server.url());
  CreateStream(server);
  Execute(kCopyAsJson);
  ASSERT_TRUE(Append("t", std::string({0, 0, 0, 0, 7, 84})).ok());
  ASSERT_TRUE(engine_->RunUntilEnd(false).ok());
  EXPECT_EQ(BadRecords(), 1);
}

TEST_F(RegistryEngineTest, WhoWaitsForRowsIsToldWhy) {
  OddServer server;
  server.AnswerRest(OddServer::Whole(503, ""));
  Open(server.url());
  CreateStream(server);
  ASSERT_TRUE(Append("t", std::string({0, 0, 0, 0, 7, 84})).ok());
  auto pull = engine_->Query("SELECT a FROM s;");
  const auto none = pull.ok() ? (*pull)->Next(std::chrono::minutes(1)).status() : pull.status();
  EXPECT_EQ(none.code(), ErrorCode::kRegistryUnavailable) << none.ToString();
  auto push = engine_->Query("SELECT a FROM s EMIT CHANGES LIMIT 1;");
  ASSERT_TRUE(push.ok()) << push.status().ToString();
  WaitForLine("with status 503");
  server.AnswerRest(OddServer::Whole(200, kIntRecord));
  const auto batch = (*push)->Next(std::chrono::minutes(1));
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  ASSERT_TRUE(batch->has_value());
  EXPECT_EQ((*batch)->column(0).ToText(0), "42");
}

TEST_F(RegistryEngineTest, StatementsTellWhereNobodyAnswers) {
  std::string url;
  {
    const OddServer gone;
    url = gone.url();
  }
  Open(url);
  const auto refused =
      engine_->Execute("CREATE STREAM s WITH (kafka_topic='t', value_format='AVRO');");
  EXPECT_EQ(refused.status().code(), ErrorCode::kRegistryUnavailable);
  EXPECT_NE(refused.status().message().find(url), std::string::npos) << refused.status().message();
}

TEST_F(RegistryEngineTest, SettingsAreCheckedAndSecretsStayHidden) {
  Open("http://me:hidden@127.0.0.1:1",
       {{"ksql.schema.registry.basic.auth.credentials.source", "USER_INFO"},
        {"ksql.schema.registry.basic.auth.user.info", "you:secret"}});
  std::string listed;
  const auto shown = engine_->Execute("SHOW PROPERTIES;");
  ASSERT_TRUE(shown.ok()) << shown.status().ToString();
  const Batch& rows = *shown->front().rows;
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    listed += std::string(rows.column(0).GetString(row)) + "=" +
              std::string(rows.column(1).GetString(row)) + "\n";
  }
  EXPECT_EQ(listed.find("secret"), std::string::npos) << listed;
  EXPECT_EQ(listed.find("hidden@"), std::string::npos) << listed;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"ksql.schema.registry.url", "localhost"},
           {"ksql.schema.registry.basic.auth.user.info", "a:b"},
           {"ksql.schema.registry.ssl.truststore.location", "/no/such/file"},
           {"ksql.schema.registry.ssl.truststore.type", "JKS"},
           {"ksql.schema.registry.max.retries", "-1"}}) {
    EngineOptions options;
    options.settings["ksql.schema.registry.url"] = "http://127.0.0.1:1";
    options.settings[name] = value;
    EXPECT_EQ(Engine::Open(std::move(options)).status().code(), ErrorCode::kInvalidOption) << name;
  }
}

}  // namespace
}  // namespace weir
