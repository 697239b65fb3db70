#pragma once
// Copies of one application on the test broker, in one process: each with its own state directory,
// its groups and its commit units. Everything waits for conditions with a deadline, nothing for a
// time.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "exec/connect/topic.h"
#include "tests/broker/support/test_broker.h"
#include "tests/broker/support/wait_until.h"

namespace weir::testing {

/// A membership that takes what it is given and gives back what it is asked for.
struct Member {
  explicit Member(std::unique_ptr<PartitionGroup> joined) : group(std::move(joined)) {}

  std::unique_ptr<PartitionGroup> group;
  std::set<int32_t> partitions;
  int changes = 0;
  bool lost = false;

  void Serve() {
    while (true) {
      auto change = group->Poll();
      ASSERT_TRUE(change.ok()) << change.status().ToString();
      if (!change->has_value()) return;
      for (const int32_t each : (*change)->assigned) partitions.insert(each);
      for (const int32_t each : (*change)->revoked) partitions.erase(each);
      lost |= (*change)->lost;
      ++changes;
      const Status status = group->Accept(**change);
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
  }
};

class KafkaCopiesTest : public ::testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;

  void SetUp() override {
    kafka_ = TestBroker::Connect();
    if (kafka_ == nullptr) GTEST_SKIP() << "needs a broker: scripts/kafka-broker start";
    application_ = kafka_->NewName("copies");
    state_dir_ = std::filesystem::temp_directory_path() / ("weir_" + application_);
    std::filesystem::remove_all(state_dir_);
  }
  void TearDown() override { std::filesystem::remove_all(state_dir_); }

  std::unique_ptr<Broker> Open(const std::map<std::string, std::string>& kafka = {},
                               const std::string& server = "",
                               std::function<void(int, std::string_view)> log = {}) {
    BrokerOptions options;
    options.log = std::move(log);
    options.brokers = kafka_->address();
    options.application_id = application_;
    options.application_server = server;
    options.state_dir = state_dir_.string();
    options.kafka = kafka;
    auto broker = OpenKafkaBroker(options);
    EXPECT_TRUE(broker.ok()) << broker.status().ToString();
    return std::move(*broker);
  }

  std::string MakeTopic(int partitions) {
    std::string name = kafka_->NewName("topic");
    const Status status = kafka_->CreateTopic(name, partitions);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return name;
  }

  static Member Join(Broker& broker, const std::string& group, const std::string& topic) {
    auto joined = broker.JoinGroup({.name = group, .anchor_topic = topic, .listener = {}});
    EXPECT_TRUE(joined.ok()) << joined.status().ToString();
    return Member(std::move(*joined));
  }

  /// Serves the members until `done`, for at most a minute.
  static bool ServeUntil(std::vector<Member*> members, const std::function<bool()>& done) {
    return testing::WaitUntil(std::chrono::minutes(1), [&] {
      if (done()) return true;
      for (Member* member : members) member->Serve();
      return false;
    });
  }

  static RecordBatchBuilder Records(const std::vector<std::string>& values) {
    RecordBatchBuilder records;
    for (const std::string& value : values) {
      const std::string_view view = value;
      records.AddCopy(&view, &view, "", 5);
    }
    return records;
  }
  static Status Append(CommitUnit& unit, const std::string& topic,
                       const std::vector<std::string>& values, int32_t partition = 0) {
    RecordBatchBuilder records = Records(values);
    return unit.Append(topic, partition, records);
  }
  std::vector<std::string> Values(const std::string& topic, bool committed_only = true) {
    auto records = kafka_->ReadAll(topic, committed_only);
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    std::vector<std::string> values;
    for (const KafkaRecord& record : *records) values.push_back(record.value.value_or("null"));
    return values;
  }

  std::unique_ptr<TestBroker> kafka_;
  std::string application_;
  std::filesystem::path state_dir_;
};

}  // namespace weir::testing
