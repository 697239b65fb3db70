// What people do to an application on Kafka from outside and inside: look at its numbers and
// topics, ask its copies for keys, drop its queries, begin anew.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <set>

#include "tests/broker/support/test_broker.h"
#include "tests/broker/support/wait_until.h"
#include "weir/weir.h"

namespace weir {
namespace {

using testing::KafkaRecord;
using testing::TestBroker;

class KafkaAdminTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    state_dir_ = std::filesystem::temp_directory_path() /
                 ("weir_admin_" + std::to_string(getpid()) + "_" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(state_dir_);
    application_ = kafka_->NewName("admin");
    in_ = kafka_->NewName("in");
  }
  void TearDown() override { std::filesystem::remove_all(state_dir_); }

  EngineOptions Options() const {
    EngineOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_;
    options.state_dir = state_dir_.string();
    options.settings = {{"persistence.default.format.value", "JSON"}};
    return options;
  }
  static std::unique_ptr<Engine> Open(EngineOptions options) {
    auto engine = Engine::Open(std::move(options));
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    return engine.ok() ? std::move(*engine) : nullptr;
  }
  static std::vector<StatementResult> Execute(Engine& engine, const std::string& sql) {
    auto results = engine.Execute(sql);
    EXPECT_TRUE(results.ok()) << sql << "\n" << results.status().ToString();
    return results.ok() ? std::move(*results) : std::vector<StatementResult>();
  }
  static void RunUntilEnd(Engine& engine) {
    const auto done = engine.RunUntilEnd(false);
    EXPECT_TRUE(done.ok()) << done.status().ToString();
  }

  /// Records {"v": i} with key k<i> for each i below `count`.
  void Fill(int count, int partitions = 3) {
    ASSERT_TRUE(kafka_->CreateTopic(in_, partitions).ok());
    std::vector<KafkaRecord> records;
    for (int i = 0; i < count; ++i) {
      KafkaRecord& record = records.emplace_back();
      record.key = "k" + std::to_string(i);
      record.value = "{\"v\": " + std::to_string(i) + "}";
      record.timestamp_ms = 1'000'000 + i;
    }
    ASSERT_TRUE(kafka_->Produce(in_, records).ok());
  }
  std::string SourceSql() const {
    return "CREATE STREAM s (k VARCHAR KEY, v INT) WITH (KAFKA_TOPIC='" + in_ + "');";
  }
  /// A table by a column of the value, so that rows go through a repartition topic.
  std::string TableSql(const std::string& name) const {
    return "CREATE TABLE " + name + " WITH (KAFKA_TOPIC='" + application_ + "." + name +
           "') AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;";
  }
  /// First column of a result.
  static std::set<std::string> Names(const StatementResult& result) {
    std::set<std::string> names;
    for (int32_t row = 0; row < result.rows->row_count(); ++row) {
      names.insert(result.rows->column(0).ToText(row));
    }
    return names;
  }
  std::set<std::string> OwnTopics(Engine& engine, const std::string& statement) const {
    std::set<std::string> own;
    for (const std::string& name : Names(Execute(engine, statement)[0])) {
      if (name.starts_with(application_ + "-")) own.insert(name);
    }
    return own;
  }
  static bool WaitFor(const std::function<bool()>& condition) {
    return testing::WaitUntil(std::chrono::seconds(60), condition);
  }

  std::unique_ptr<TestBroker> kafka_;
  std::filesystem::path state_dir_;
  std::string application_;
  std::string in_;
};

TEST_F(KafkaAdminTest, ResetRefusesWhileACopyRunsAndThenDeletesAllOfIt) {
  Fill(30);
  auto engine = Open(Options());
  Execute(*engine, SourceSql() + TableSql("t"));
  RunUntilEnd(*engine);
  auto plan = PlanReset(Options());
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_FALSE(plan->running.empty());
  const Status refused = Reset(Options(), *plan);
  EXPECT_EQ(refused.code(), ErrorCode::kCopiesRunning);
  EXPECT_NE(refused.message().find(std::to_string(getpid())), std::string::npos)
      << refused.message();
  EXPECT_FALSE(OwnTopics(*engine, "SHOW ALL TOPICS").empty());
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();

  plan = PlanReset(Options());
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_TRUE(plan->running.empty()) << plan->running[0];
  ASSERT_EQ(plan->state.size(), 1u);
  EXPECT_GT(plan->state[0].bytes, 0);
  EXPECT_GE(plan->topics.size(), 2u);  // A repartition topic and a changelog.
  EXPECT_GE(plan->groups.size(), 2u);  // One a sub-topology.
  const Status done = Reset(Options(), *plan);
  ASSERT_TRUE(done.ok()) << done.ToString();
  EXPECT_FALSE(std::filesystem::exists(plan->state[0].path));
  EXPECT_TRUE(PlanReset(Options())->empty());
  EXPECT_TRUE(Reset(Options(), *plan).ok()) << "what is gone does not count";

  // It begins anew: counts are as at first, not doubled.
  engine = Open(Options());
  Execute(*engine, SourceSql() + TableSql("t"));
  RunUntilEnd(*engine);
  auto cursor = engine->Query("SELECT n FROM t WHERE v = 7;");
  ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
  const auto batch = (*cursor)->Next(std::chrono::milliseconds(0));
  ASSERT_TRUE(batch.ok() && batch->has_value());
  EXPECT_EQ((*batch)->column(0).ToText(0), "1");
}

TEST_F(KafkaAdminTest, ResetOfOneQueryLeavesTheOthers) {
  Fill(10);
  auto engine = Open(Options());
  Execute(*engine, SourceSql() + TableSql("a") + TableSql("b"));
  RunUntilEnd(*engine);
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  const auto plan = PlanReset(Options(), "CTAS_A");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  ASSERT_FALSE(plan->empty());
  for (const std::string& topic : plan->topics) {
    EXPECT_NE(topic.find("-CTAS_A-"), std::string::npos) << topic;
  }
  const Status done = Reset(Options(), *plan);
  ASSERT_TRUE(done.ok()) << done.ToString();
  EXPECT_TRUE(PlanReset(Options(), "CTAS_A")->empty());
  const auto rest = PlanReset(Options(), "CTAS_B");
  ASSERT_TRUE(rest.ok());
  EXPECT_FALSE(rest->topics.empty());
  EXPECT_FALSE(rest->groups.empty());
}

TEST_F(KafkaAdminTest, InternalTopicsAreListedWithAllAndGoWithTheirQuery) {
  Fill(10);
  auto engine = Open(Options());
  Execute(*engine, SourceSql() + TableSql("a") + TableSql("b"));
  RunUntilEnd(*engine);
  const std::set<std::string> all = OwnTopics(*engine, "SHOW ALL TOPICS");
  EXPECT_GE(all.size(), 4u);
  for (const std::string& topic : all) {
    EXPECT_TRUE(topic.ends_with("-repartition") || topic.ends_with("-changelog")) << topic;
  }
  EXPECT_TRUE(OwnTopics(*engine, "SHOW TOPICS").empty());

  const auto dropped = Execute(*engine, "DROP TABLE a;");
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_TRUE(dropped[0].notices.empty());
  for (const std::string& topic : OwnTopics(*engine, "SHOW ALL TOPICS")) {
    EXPECT_NE(topic.find("-CTAS_B-"), std::string::npos) << topic;
  }
  Execute(*engine, "TERMINATE CTAS_B;");
  EXPECT_TRUE(OwnTopics(*engine, "SHOW ALL TOPICS").empty());
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  EXPECT_TRUE(PlanReset(Options())->groups.empty());
}

TEST_F(KafkaAdminTest, ReadsFromATimestampAndFromOffsets) {
  Fill(10, 1);
  auto engine = Open(Options());
  Execute(*engine, SourceSql() + "CREATE STREAM late WITH (KAFKA_TOPIC='" + application_ +
                       ".late') AS SELECT k, v FROM s FROM TIMESTAMP 1000007;" +
                       "CREATE STREAM some WITH (KAFKA_TOPIC='" + application_ +
                       ".some') AS SELECT k, v FROM s FROM OFFSETS (0 := 4);");
  RunUntilEnd(*engine);
  EXPECT_EQ(engine->ReadTopic(application_ + ".late")->size(), 3u);
  EXPECT_EQ(engine->ReadTopic(application_ + ".some")->size(), 6u);
}

TEST_F(KafkaAdminTest, AnOffsetThatIsNoLongerKeptNamesTheWaysOn) {
  Fill(10, 1);
  ASSERT_TRUE(kafka_->DeleteRecordsBefore(in_, 0, 5).ok());
  auto engine = Open(Options());
  Execute(*engine, SourceSql());
  const auto created = engine->Execute("CREATE STREAM some WITH (KAFKA_TOPIC='" + application_ +
                                       ".some') AS SELECT k, v FROM s FROM OFFSETS (0 := 2);");
  // It comes at once, or when the copy has its partitions.
  Status status = created.status();
  if (status.ok()) status = engine->RunUntilEnd(false).status();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("keeps the offsets 5 to 10"), std::string::npos)
      << status.ToString();
  EXPECT_NE(status.hint().find("FROM TIMESTAMP"), std::string::npos) << status.ToString();
}

TEST_F(KafkaAdminTest, CopiesAnswerForTheirKeysAndNameTheOthers) {
  constexpr int kKeys = 24;
  Fill(kKeys);
  std::vector<std::unique_ptr<Engine>> copies;
  const std::vector<std::string> servers = {"one.example:7001", "two.example:7002"};
  for (const std::string& server : servers) {
    EngineOptions options = Options();
    options.settings["application.server"] = server;
    copies.push_back(Open(std::move(options)));
    // One table behind a repartition, one whose key is that of its source's topic.
    Execute(*copies.back(), SourceSql() + TableSql("t") + "CREATE TABLE u WITH (KAFKA_TOPIC='" +
                                application_ +
                                ".u') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;");
  }
  // The partitions of the sub-topologies that keep the tables lie in both copies, none is moved.
  const auto shared_out = [&](const std::string& id, int sub_topology) {
    size_t running = 0;
    for (const auto& copy : copies) {
      size_t own = 0;
      for (const QueryMetrics& query : copy->Metrics().queries) {
        for (const TaskMetrics& task : query.tasks) {
          own +=
              query.query_id == id && task.sub_topology == sub_topology && task.state == "RUNNING";
        }
      }
      if (own == 0) return false;
      running += own;
    }
    return running == 3;
  };
  ASSERT_TRUE(WaitFor([&] { return shared_out("CTAS_T", 1) && shared_out("CTAS_U", 0); }));
  RunUntilEnd(*copies[0]);
  RunUntilEnd(*copies[1]);
  for (int n = 0; n < 2 * kKeys; ++n) {
    const std::string key = std::to_string(n / 2);
    const std::string where = n % 2 == 0 ? "t WHERE v = " + key : "u WHERE k = 'k" + key + "'";
    int answers = 0;
    for (size_t i = 0; i < copies.size(); ++i) {
      auto cursor = copies[i]->Query("SELECT n FROM " + where + ";");
      if (cursor.ok()) {
        const auto batch = (*cursor)->Next(std::chrono::milliseconds(0));
        ASSERT_TRUE(batch.ok() && batch->has_value()) << where << " in copy " << i;
        EXPECT_EQ((*batch)->column(0).ToText(0), "1");
        ++answers;
        continue;
      }
      EXPECT_EQ(cursor.status().code(), ErrorCode::kOtherCopy) << cursor.status().ToString();
      EXPECT_NE(cursor.status().message().find(servers[1 - i]), std::string::npos)
          << cursor.status().message();
    }
    EXPECT_EQ(answers, 1) << where;
  }
  const auto scan = copies[0]->Query("SELECT * FROM t;");
  EXPECT_EQ(scan.status().code(), ErrorCode::kOtherCopy);
  EXPECT_NE(scan.status().message().find(servers[1]), std::string::npos) << scan.status().message();

  const auto dropped = Execute(*copies[0], "DROP TABLE t;");
  ASSERT_EQ(dropped.size(), 1u);
  ASSERT_EQ(dropped[0].notices.size(), 1u);  // The other copy runs the query still.
  EXPECT_NE(dropped[0].notices[0].find("other copies"), std::string::npos);
  EXPECT_FALSE(OwnTopics(*copies[1], "SHOW ALL TOPICS").empty());
}

TEST_F(KafkaAdminTest, NumbersOfAQueryAndItsTasks) {
  Fill(50);
  auto engine = Open(Options());
  Execute(*engine, SourceSql() + TableSql("t"));
  RunUntilEnd(*engine);
  const EngineMetrics metrics = engine->Metrics();
  ASSERT_EQ(metrics.queries.size(), 1u);
  const QueryMetrics& query = metrics.queries[0];
  EXPECT_EQ(query.records_in, 50);
  EXPECT_EQ(query.records_out, 50);
  EXPECT_GT(query.bytes_in, 0);
  EXPECT_GT(query.bytes_out, 0);
  EXPECT_GT(query.commits, 0);
  EXPECT_GT(query.commit_max_us, 0);
  EXPECT_GE(query.commit_max_us, query.commit_last_us);
  EXPECT_GT(query.rebalances, 0);
  EXPECT_EQ(query.tasks.size(), 6u);  // Two sub-topologies over three partitions.
  EXPECT_EQ(query.restore.tasks, 0);
  const auto shown = Execute(*engine, "SHOW METRICS EXTENDED;");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_TRUE(Names(shown[0]).contains("CTAS_T"));
}

TEST_F(KafkaAdminTest, TopicsTellHowLongTheyKeepRecords) {
  ASSERT_TRUE(kafka_->CreateTopic(in_, 2, {{"retention.ms", "604800000"}}).ok());
  auto engine = Open(Options());
  const auto topic = engine->DescribeTopic(in_);
  ASSERT_TRUE(topic.ok()) << topic.status().ToString();
  EXPECT_EQ(topic->partitions, 2);
  EXPECT_EQ(topic->retention_ms, 604'800'000);
  EXPECT_TRUE(topic->ages_by_clock);
  EXPECT_FALSE(topic->compacted);
  EXPECT_EQ(engine->DescribeTopic("no.such.topic").status().code(), ErrorCode::kUnknownTopic);
}

}  // namespace
}  // namespace weir
