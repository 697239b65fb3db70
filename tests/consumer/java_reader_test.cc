// The Java reader understands Kafka Streams' windowed keys and says where Java places a key.

#include "tests/consumer/java_reader.h"

#include <gtest/gtest.h>

#include "tests/broker/support/test_broker.h"

namespace weir::testing {
namespace {

std::string BigEndian(uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

TEST(JavaReaderTest, ReadsWindowedKeysAndPlaces) {
  auto broker = TestBroker::Connect();
  if (broker == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
  const std::string topic = broker->NewName("windowed");
  ASSERT_TRUE(broker->CreateTopic(topic, 4).ok());
  const Status produced = broker->Produce(topic, {{.key = "vendor" + BigEndian(60000),
                                                   .value = "3",
                                                   .timestamp_ms = 61000,
                                                   .partition = 1,
                                                   .headers = {}},
                                                  {.key = "vendor" + BigEndian(120000),
                                                   .timestamp_ms = 125000,
                                                   .partition = 1,
                                                   .headers = {}}});
  ASSERT_TRUE(produced.ok()) << produced.ToString();
  const auto rows = ReadWithJava(broker->address(), topic, "time:60000");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_EQ(rows->size(), 2u);
  const std::string placed = rows.value()[0].substr(rows.value()[0].find(",\"javaPartition\""));
  EXPECT_EQ(rows.value()[0],
            R"({"partition":1,"offset":0,"timestamp":61000,"key":"vendor","windowStart":60000,)"
            R"("windowEnd":120000,"value":"3")" +
                placed);
  EXPECT_EQ(rows.value()[1],
            R"({"partition":1,"offset":1,"timestamp":125000,"key":"vendor","windowStart":120000,)"
            R"("windowEnd":180000,"value":null)" +
                placed);
}

TEST(JavaReaderTest, AgreesWithOurProducerAboutThePlaceOfAKey) {
  auto broker = TestBroker::Connect();
  if (broker == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
  const std::string topic = broker->NewName("placed");
  ASSERT_TRUE(broker->CreateTopic(topic, 5).ok());
  std::vector<KafkaRecord> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back({.key = "key " + std::to_string(i), .value = "v", .headers = {}});
  }
  ASSERT_TRUE(broker->Produce(topic, records).ok());
  const auto rows = ReadWithJava(broker->address(), topic, "plain");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows->size(), records.size());
  for (const std::string& row : rows.value()) {
    const char partition = row[std::string("{\"partition\":").size()];
    EXPECT_NE(row.find(std::string("\"javaPartition\":") + partition + "}"), std::string::npos)
        << row;
  }
}

}  // namespace
}  // namespace weir::testing
