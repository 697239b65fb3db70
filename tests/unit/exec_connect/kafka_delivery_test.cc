// What counts as written, against librdkafka's mock of a broker, which answers as it is told.

#include <gtest/gtest.h>
#include <memory>

#include "exec/connect/kafka/kafka_producer.h"

// Wants librdkafka's own header before it.
#include <librdkafka/rdkafka_mock.h>

namespace weir {
namespace {

constexpr int16_t kProduceRequest = 0;
// Answers take so long that a second request is on its way before the first one's comes.
constexpr int kAnswerMs = 300;

class KafkaDeliveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char why[512];
    host_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why));
    ASSERT_NE(host_, nullptr) << why;
    cluster_.reset(rd_kafka_mock_cluster_new(host_.get(), 1));
    ASSERT_NE(cluster_, nullptr);
    rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
    options_.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    // Each record is a request of its own.
    options_.kafka = {{"batch.num.messages", "1"}};
    auto client = KafkaClient::Make(RD_KAFKA_CONSUMER, options_, "topics", {});
    ASSERT_TRUE(client.ok()) << client.status().ToString();
    client_ = *client;
    topics_ = std::make_shared<KafkaTopics>(client_, options_.brokers);
    auto producer = KafkaProducer::Make(options_, topics_);
    ASSERT_TRUE(producer.ok()) << producer.status().ToString();
    producer_ = *producer;
  }

  Status Write(std::initializer_list<std::string_view> values) {
    const KafkaDelivery::Owned delivery = KafkaDelivery::Make();
    RecordBatchBuilder records;
    for (const std::string_view& value : values) records.AddCopy(nullptr, &value, {}, 1);
    Status sent = producer_->Send("t", 0, records, *delivery);
    Status written = delivery->Wait();
    return sent.ok() ? written : sent;
  }
  int64_t RecordsInTopic() {
    auto end = client_->FindOffset("t", 0, KafkaClient::kEnd);
    EXPECT_TRUE(end.ok()) << end.status().ToString();
    return end.ok() ? *end : -1;
  }

  template <auto kFree>
  using Owned = KafkaFree<kFree>;
  std::unique_ptr<rd_kafka_t, Owned<rd_kafka_destroy>> host_;
  std::unique_ptr<rd_kafka_mock_cluster_t, Owned<rd_kafka_mock_cluster_destroy>> cluster_;
  BrokerOptions options_;
  std::shared_ptr<KafkaClient> client_;
  std::shared_ptr<KafkaTopics> topics_;
  std::shared_ptr<KafkaProducer> producer_;
};

// A broker that knows nothing of a producer, as after its restart where records are older than
// producer.id.expiration.ms, takes a second batch though it refused the first. librdkafka then
// reports the first as written, too (confluent-kafka-go, issue 921).
TEST_F(KafkaDeliveryTest, ARefusedBatchIsNotWrittenThoughTheNextOneIs) {
  ASSERT_TRUE(Write({"first"}).ok());
  ASSERT_EQ(RecordsInTopic(), 1);
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, kAnswerMs);
  rd_kafka_mock_push_request_errors(cluster_.get(), kProduceRequest, 1,
                                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  const Status written = Write({"refused", "taken"});
  const int64_t records = RecordsInTopic();
  if (records < 3) {
    EXPECT_EQ(written.code(), ErrorCode::kKafkaUnavailable) << written.ToString();
    EXPECT_NE(written.message().find("topic t, partition 0"), std::string::npos)
        << written.ToString();
  } else {
    EXPECT_TRUE(written.ok()) << written.ToString();
  }
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 0);
  // Whoever writes them once more has them.
  ASSERT_TRUE(Write({"refused", "taken"}).ok());
  EXPECT_EQ(RecordsInTopic(), records + 2);
}

TEST_F(KafkaDeliveryTest, NobodyGivesAcknowledgementsUp) {
  options_.kafka = {{"enable.idempotence", "false"}, {"acks", "0"}};
  const auto producer = KafkaProducer::Make(options_, topics_);
  ASSERT_FALSE(producer.ok());
  EXPECT_NE(producer.status().message().find("acks"), std::string::npos);
}

}  // namespace
}  // namespace weir
