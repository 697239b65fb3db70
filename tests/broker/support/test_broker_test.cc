// The broker of the tests keeps what it is given: nulls, headers, times of years ago, and all of it
// over a restart.

#include "tests/broker/support/test_broker.h"

#include <gtest/gtest.h>

namespace weir::testing {
namespace {

class TestBrokerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    broker_ = TestBroker::Connect();
    if (broker_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
  }

  std::unique_ptr<TestBroker> broker_;
};

TEST_F(TestBrokerTest, KeepsRecordsAsTheyWere) {
  const std::string topic = broker_->NewName("kept");
  ASSERT_TRUE(broker_->CreateTopic(topic, 3, {{"cleanup.policy", "delete"}}).ok());
  EXPECT_EQ(broker_->PartitionCount(topic).value(), 3);
  const std::vector<KafkaRecord> records = {
      {.key = "a", .value = "1", .timestamp_ms = 1593561600000, .partition = 0, .headers = {}},
      {.key = "a", .value = std::nullopt, .timestamp_ms = 1, .partition = 0, .headers = {}},
      {.key = std::nullopt,
       .value = "",
       .timestamp_ms = 4102444800000,
       .partition = 2,
       .headers = {{"h", "x"}, {"h", std::nullopt}}}};
  const Status produced = broker_->Produce(topic, records);
  ASSERT_TRUE(produced.ok()) << produced.ToString();

  const auto read = broker_->ReadAll(topic);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->size(), records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(read.value()[i].key, records[i].key) << i;
    EXPECT_EQ(read.value()[i].value, records[i].value) << i;
    EXPECT_EQ(read.value()[i].timestamp_ms, records[i].timestamp_ms) << i;
    EXPECT_EQ(read.value()[i].partition, records[i].partition) << i;
    EXPECT_EQ(read.value()[i].headers, records[i].headers) << i;
  }
  EXPECT_TRUE(broker_->DeleteTopic(topic).ok());
}

TEST_F(TestBrokerTest, ComesBackWithItsDataAfterAKill) {
  const std::string topic = broker_->NewName("restarted");
  ASSERT_TRUE(broker_->CreateTopic(topic, 1).ok());
  ASSERT_TRUE(broker_->Produce(topic, {{.key = "k", .value = "v", .headers = {}}}).ok());
  ASSERT_TRUE(broker_->Stop(/*kill=*/true).ok());
  ASSERT_TRUE(broker_->Start().ok());
  const auto read = broker_->ReadAll(topic);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(read.value()[0].value, "v");
}

TEST_F(TestBrokerTest, RefusesWhatIsNotThere) {
  const std::string topic = broker_->NewName("missing");
  EXPECT_EQ(broker_->PartitionCount(topic).value(), 0);
  EXPECT_FALSE(broker_->DeleteTopic(topic).ok());
  EXPECT_FALSE(broker_->ReadAll(topic).ok());
}

}  // namespace
}  // namespace weir::testing
