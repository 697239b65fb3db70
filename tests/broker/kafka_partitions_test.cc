// A topic gets partitions under a query, and a table is asked while its state is restored.

#include "exec/connect/topic.h"
#include "tests/broker/support/engine_copies.h"
#include "tests/support/record_text.h"

namespace weir {
namespace {

class KafkaPartitionsTest : public testing::EngineCopiesTest {
 protected:
  /// The highest count of each key in the table's topic.
  std::map<std::string, int64_t> Counts() {
    std::map<std::string, int64_t> counts;
    const auto records = kafka_->ReadAll(application_ + ".t");
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    for (const testing::KafkaRecord& record : *records) {
      counts[*record.key] = testing::JsonInteger(record.value.value_or(""), "N");
    }
    return counts;
  }
  std::string ByTopicKey() const { return TableSql("SELECT k, COUNT(*) AS n FROM s GROUP BY k"); }
  std::string ByColumn() const { return TableSql("SELECT v, COUNT(*) AS n FROM s GROUP BY v"); }
};

// Their keys are placed anew: nothing that came since is counted anywhere.
TEST_F(KafkaPartitionsTest, AreRefusedWhereStateLiesByThem) {
  MakeInput(3);
  Produce(0, 30);
  auto engine = Open({{"processing.guarantee", "exactly_once"}});
  Execute(*engine, SourceSql() + ByTopicKey());
  RunUntilEnd(*engine);
  const auto before = Counts();
  ASSERT_EQ(before.size(), 10u);
  ASSERT_TRUE(kafka_->AddPartitions(in_, 4).ok());
  Produce(30, 60);
  ASSERT_TRUE(WaitForError(*engine));
  const std::string why =
      "topic " + in_ + " has 4 partitions now, and what the query keeps of it is for 3";
  EXPECT_NE(MetricsOf(*engine).error.find(why), std::string::npos) << MetricsOf(*engine).error;
  EXPECT_EQ(Counts(), before);
  ASSERT_TRUE(engine->Close().ok());

  engine = Open({{"processing.guarantee", "exactly_once"}});
  Execute(*engine, SourceSql());
  const auto again = engine->Execute(ByTopicKey());
  EXPECT_EQ(again.status().code(), ErrorCode::kPartitionsChanged) << again.status().ToString();
  EXPECT_NE(again.status().message().find(why), std::string::npos) << again.status().message();
  EXPECT_NE(again.status().hint().find("weir reset --query CTAS_T"), std::string::npos);
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  EXPECT_EQ(Counts(), before);

  const auto plan = PlanReset(Options(), "CTAS_T");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const Status reset = Reset(Options(), *plan);
  ASSERT_TRUE(reset.ok()) << reset.ToString();
  // A copy of the topic has all records of a key in one partition again.
  engine = Open();
  Execute(*engine, SourceSql() + "CREATE STREAM r WITH (KAFKA_TOPIC='" + application_ +
                       ".r') AS SELECT * FROM s;" +
                       TableSql("SELECT k, COUNT(*) AS n FROM r GROUP BY k"));
  RunUntilEnd(*engine);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Row(*engine, "SELECT n FROM t WHERE k = 'k" + std::to_string(i) + "';"), "6");
  }
}

// Rows go through a repartition topic, which keeps its partitions: the state is not concerned.
TEST_F(KafkaPartitionsTest, AreTakenInWhereRowsAreRepartitioned) {
  MakeInput(3);
  Produce(0, 30);
  auto engine = Open({{"processing.guarantee", "exactly_once"}});
  Execute(*engine, SourceSql() + ByColumn());
  RunUntilEnd(*engine);
  ASSERT_TRUE(kafka_->AddPartitions(in_, 5).ok());
  Produce(30, 100);
  const std::map<std::string, int64_t> all = [] {
    std::map<std::string, int64_t> counts;
    for (int i = 0; i < 10; ++i) counts[testing::IntKey(i)] = 10;
    return counts;
  }();
  EXPECT_TRUE(WaitFor([&] { return Counts() == all; })) << MetricsOf(*engine).error;
  EXPECT_EQ(*kafka_->PartitionCount(application_ + "-CTAS_T-0-repartition"), 3);
  ASSERT_TRUE(engine->Close().ok());

  Produce(100, 110);
  engine = Open({{"processing.guarantee", "exactly_once"}});
  Execute(*engine, SourceSql() + ByColumn());
  RunUntilEnd(*engine);
  EXPECT_EQ(Row(*engine, "SELECT n FROM t WHERE v = 3;"), "11");
  EXPECT_EQ(MetricsOf(*engine).state, "RUNNING");
}

// A transaction that stays open keeps the restore from its end.
TEST_F(KafkaPartitionsTest, ATableThatIsRestoringTellsHowFarItIs) {
  MakeInput(1);
  Produce(0, 30);
  auto engine = Open();
  Execute(*engine, SourceSql() + ByTopicKey());
  RunUntilEnd(*engine);
  ASSERT_TRUE(engine->Close().ok());
  engine.reset();
  std::filesystem::remove_all(state_dir_);

  BrokerOptions options;
  options.brokers = kafka_->address();
  options.application_id = application_ + "-other";
  options.state_dir = state_dir_.string();
  options.kafka = {{"transaction.timeout.ms", "60000"}};
  const auto broker = OpenKafkaBroker(options);
  ASSERT_TRUE(broker.ok()) << broker.status().ToString();
  const std::string changelog = application_ + "-CTAS_T-0-changelog";
  const auto end = [&] { return (*broker)->WriteEnd(changelog, 0).value(); };
  const int64_t before = end();
  auto unit = (*broker)->NewCommitUnit("q", Guarantee::kExactlyOnce);
  RecordBatchBuilder records;
  const std::string_view text = "never closed";
  records.AddCopy(&text, &text, "", 5);
  ASSERT_TRUE(unit->Append(changelog, 0, records).ok());
  ASSERT_TRUE(WaitFor([&] { return end() > before; }));

  engine = Open();
  Execute(*engine, SourceSql() + ByTopicKey());
  const std::string select = "SELECT n FROM t WHERE k = 'k3';";
  ASSERT_TRUE(WaitFor([&] { return MetricsOf(*engine).restore.records_restored > 0; }))
      << MetricsOf(*engine).error;
  const QueryMetrics metrics = MetricsOf(*engine);
  const auto refused = engine->Query(select);
  EXPECT_EQ(refused.status().code(), ErrorCode::kOtherCopy) << refused.status().ToString();
  EXPECT_TRUE(refused.status().message().starts_with(
      "this copy is still restoring its part of table T: " +
      std::to_string(metrics.restore.records_restored) + " of "))
      << refused.status().message();
  EXPECT_NE(refused.status().message().find(" %"), std::string::npos);
  unit.reset();  // The transaction is aborted.
  EXPECT_TRUE(WaitFor([&] { return Row(*engine, select) == "3"; })) << Row(*engine, select);
}

}  // namespace
}  // namespace weir
