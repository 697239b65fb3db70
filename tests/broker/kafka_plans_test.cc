// The plans by which copies of an application run a query: kept on Kafka, one for all of them,
// whatever each would make of its statement.

#include <functional>

#include "exec/connect/topic.h"
#include "exec/engine/plan_log.h"
#include "tests/broker/support/engine_copies.h"

namespace weir {
namespace {

using Texts = std::vector<std::string>;

class KafkaPlansTest : public testing::EngineCopiesTest {
 protected:
  std::string Max() const { return TableSql("SELECT v, MAX(w) AS n FROM s GROUP BY v"); }
  std::string Min() const { return TableSql("SELECT v, MIN(w) AS n FROM s GROUP BY v"); }
  /// Goes on from the state of Max.
  std::string MaxAndMore() const {
    return TableSql("SELECT v, MAX(w) AS n, MAX(w) + 1 AS more FROM s GROUP BY v");
  }
  std::string PlanTopic() const { return application_ + "-CTAS_T-plan-changelog"; }

  /// For looking at the plans beside the copies.
  std::unique_ptr<Broker> OpenPlans() const {
    BrokerOptions options;
    options.brokers = kafka_->address();
    options.application_id = application_;
    options.state_dir = state_dir_.string();
    auto broker = OpenKafkaBroker(options);
    EXPECT_TRUE(broker.ok()) << broker.status().ToString();
    return std::move(*broker);
  }

  /// A copy that runs `sql` until all is processed.
  std::unique_ptr<Engine> Run(const std::string& sql, Texts* notices) const {
    auto engine = Open();
    Execute(*engine, SourceSql());
    *notices = Execute(*engine, sql);
    RunUntilEnd(*engine);
    return engine;
  }
};

TEST_F(KafkaPlansTest, AQueryWhoseStateWouldBeOtherRunsOnByTheKeptPlan) {
  MakeInput(2);
  Produce(0, 20);
  Texts notices;
  auto engine = Run(Max(), &notices);
  EXPECT_EQ(notices, Texts());
  EXPECT_EQ(Row(*engine, "SELECT v, n FROM t WHERE v = 3;"), "3 | 13");
  for (int opening = 1; opening <= 2; ++opening) {
    ASSERT_TRUE(engine->Close().ok());
    engine.reset();
    Produce(20 * opening, 20 * opening + 20);
    engine = Run(Min(), &notices);
    ASSERT_EQ(notices.size(), 1u) << opening;
    EXPECT_TRUE(
        notices[0].starts_with("query CTAS_T runs by the plan that is kept on Kafka, as "
                               "its state would be other by this statement: "))
        << notices[0];
    EXPECT_NE(notices[0].find("weir reset --query CTAS_T"), std::string::npos) << notices[0];
    EXPECT_EQ(MetricsOf(*engine).state, "RUNNING");
    EXPECT_EQ(Row(*engine, "SELECT v, n FROM t WHERE v = 3;"),
              "3 | " + std::to_string(13 + 20 * opening));
    const auto plan = engine->Execute("EXPLAIN CTAS_T;");
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    EXPECT_NE((*plan)[0].message.find("MAX("), std::string::npos) << (*plan)[0].message;
    EXPECT_EQ((*plan)[0].notices, notices);
  }
  ASSERT_TRUE(engine->Close().ok());
  engine = Run(Max(), &notices);
  EXPECT_EQ(notices, Texts());
}

TEST_F(KafkaPlansTest, APlanThatGoesOnFromTheStateTakesThePlaceOfTheKeptOne) {
  MakeInput(2);
  Produce(0, 20);
  Texts notices;
  auto engine = Run(Max(), &notices);
  ASSERT_TRUE(engine->Close().ok());
  Produce(20, 30);
  engine = Run(MaxAndMore(), &notices);
  EXPECT_EQ(notices, Texts());
  EXPECT_EQ(Row(*engine, "SELECT v, n, more FROM t WHERE v = 3;"), "3 | 23 | 24");
  ASSERT_TRUE(engine->Close().ok());
  // Back, from state without the column, and without local state.
  std::filesystem::remove_all(state_dir_);
  Produce(30, 40);
  engine = Run(Max(), &notices);
  EXPECT_EQ(Row(*engine, "SELECT v, n FROM t WHERE v = 3;"), "3 | 33");
}

TEST_F(KafkaPlansTest, CopiesRunOnePlan) {
  MakeInput(2);
  Produce(0, 20);
  Texts notices;
  auto first = Run(Max(), &notices);
  auto second = Open();
  Execute(*second, SourceSql());
  notices = Execute(*second, MaxAndMore());
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].starts_with(
      "query CTAS_T runs by the plan that is kept on Kafka, as other copies do"))
      << notices[0];
  ASSERT_TRUE(WaitFor([&] { return MetricsOf(*second).state == "RUNNING"; }));
  Produce(20, 30);
  RunUntilEnd(*first);
  RunUntilEnd(*second);
  auto records = kafka_->ReadAll(application_ + ".t");
  ASSERT_TRUE(records.ok());
  for (const testing::KafkaRecord& record : *records) {
    EXPECT_EQ(record.value->find("MORE"), std::string::npos) << *record.value;
  }
  ASSERT_TRUE(first->Close().ok());
  ASSERT_TRUE(second->Close().ok());
  Produce(30, 40);
  second = Run(MaxAndMore(), &notices);
  EXPECT_EQ(notices, Texts());
  EXPECT_EQ(Row(*second, "SELECT v, n, more FROM t WHERE v = 3;"), "3 | 33 | 34");
}

TEST_F(KafkaPlansTest, StateOfBeforePlansWereKeptIsOfThePlanThatFitsIt) {
  MakeInput(2);
  Produce(0, 20);
  Texts notices;
  auto engine = Run(Max(), &notices);
  ASSERT_TRUE(engine->Close().ok());
  ASSERT_TRUE(kafka_->DeleteTopic(PlanTopic()).ok());
  ASSERT_TRUE(WaitFor([&] { return *kafka_->PartitionCount(PlanTopic()) == 0; }));
  for (int opening = 0; opening < 2; ++opening) {
    engine = Open();
    Execute(*engine, SourceSql());
    Execute(*engine, Min());  // The state is seen when the copy gets its partitions.
    EXPECT_TRUE(WaitForError(*engine));
    EXPECT_NE(MetricsOf(*engine).error.find("different plan"), std::string::npos)
        << MetricsOf(*engine).error;
    ASSERT_TRUE(engine->Close().ok());
  }
  engine = Run(Max(), &notices);
  EXPECT_EQ(notices, Texts());
  EXPECT_EQ(Row(*engine, "SELECT v, n FROM t WHERE v = 3;"), "3 | 13");
  EXPECT_TRUE(WaitFor([&] { return kafka_->ReadAll(PlanTopic())->size() == 1; }));
  ASSERT_TRUE(engine->Close().ok());
  engine = Run(Min(), &notices);
  EXPECT_EQ(notices.size(), 1u);
}

// Copies that start together each put their plan, and one of these counts.
TEST_F(KafkaPlansTest, ACopyRunsOnWhereAnotherWasNotFirst) {
  MakeInput(2);
  Produce(0, 20);
  const auto broker = OpenPlans();
  PlanLog late(*broker, "CTAS_T");
  ASSERT_TRUE(late.Open().ok());
  ASSERT_FALSE(late.in_force());
  Texts notices;
  auto first = Run(Max(), &notices);
  ASSERT_TRUE(late.Propose(1, {{"CTAS_T", "another"}}).ok());
  EXPECT_EQ(late.in_force()->offset, 0);
  EXPECT_EQ(late.end(), 2);
  auto second = Open();
  Execute(*second, SourceSql());
  EXPECT_EQ(Execute(*second, Max()), Texts());
  // The second gets a partition when the first has looked at the plans and given it up.
  ASSERT_TRUE(WaitFor([&] { return MetricsOf(*second).tasks.size() == 2; }))
      << MetricsOf(*first).state << ": " << MetricsOf(*first).error;
  EXPECT_EQ(MetricsOf(*first).state, "RUNNING") << MetricsOf(*first).error;
  Produce(20, 30);
  RunUntilEnd(*first);
  RunUntilEnd(*second);
  EXPECT_EQ(MetricsOf(*first).state, "RUNNING") << MetricsOf(*first).error;
  EXPECT_EQ(MetricsOf(*second).state, "RUNNING") << MetricsOf(*second).error;
}

// What another copy puts that was not in the groups yet.
TEST_F(KafkaPlansTest, ACopyStopsWhereAnotherPutAPlanUnseen) {
  MakeInput(2);
  Produce(0, 20);
  Texts notices;
  auto first = Run(Max(), &notices);
  {
    const auto broker = OpenPlans();
    PlanLog early(*broker, "CTAS_T");
    PlanLog late(*broker, "CTAS_T");
    ASSERT_TRUE(early.Open().ok());
    ASSERT_TRUE(late.Open().ok());
    ASSERT_TRUE(early.in_force() && late.in_force());
    PlansInForce kept = *early.in_force();
    ASSERT_TRUE(early.Propose(kept.fingerprint, kept.plans).ok());
    EXPECT_EQ(early.in_force()->offset, kept.offset + 1);
    // Who comes second has not been first, and sees who was.
    ASSERT_TRUE(late.Propose(kept.fingerprint, {{"CTAS_T", "another"}}).ok());
    EXPECT_EQ(late.in_force()->offset, kept.offset + 1);
    EXPECT_EQ(late.in_force()->plans, kept.plans);
  }
  auto second = Open();
  Execute(*second, SourceSql());
  Execute(*second, Max());
  EXPECT_TRUE(WaitForError(*first));
  EXPECT_NE(MetricsOf(*first).error.find("another copy that started at the same time"),
            std::string::npos)
      << MetricsOf(*first).error;
  Produce(20, 30);
  RunUntilEnd(*second);
  EXPECT_EQ(Row(*second, "SELECT v, n FROM t WHERE v = 3;"), "3 | 23");
}

}  // namespace
}  // namespace weir
