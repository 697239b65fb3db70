#pragma once
// The Kafka broker that tests run against, seen by a plain client that shares no code with the
// engine: topics are made, filled and read back through librdkafka's own calls. The broker is the
// one of scripts/kafka-broker, named by WEIR_TEST_BROKERS; without that variable Connect answers
// nothing, and a test skips itself.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/status.h"

namespace weir::testing {

/// A record as it lies in a topic. An absent key or value is Kafka's null.
struct KafkaRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = -1;
  int32_t partition = -1;
  int64_t offset = -1;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

/// One connection to the broker. One thread at a time. Calls block, for at most a minute each.
class TestBroker {
 public:
  /// Nothing where no broker was given to the tests.
  static std::unique_ptr<TestBroker> Connect();
  ~TestBroker();
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  /// host:port, as the engine's option `brokers` takes it.
  const std::string& address() const { return address_; }

  /// A topic name that no other test uses: the prefix, this process and a number.
  std::string NewName(std::string_view prefix);

  Status CreateTopic(const std::string& topic, int partitions,
                     const std::map<std::string, std::string>& config = {});
  Status DeleteTopic(const std::string& topic);
  /// Gives a topic more partitions, up to `partitions`.
  Status AddPartitions(const std::string& topic, int partitions);
  /// Names of all topics that begin with `prefix`, sorted.
  Result<std::vector<std::string>> TopicNames(std::string_view prefix);
  /// The number of partitions; 0 where there is no such topic.
  Result<int> PartitionCount(const std::string& topic);

  /// Appends in order and waits until the broker has them. A partition of -1 is chosen by the key
  /// as Java's producer does; a timestamp of -1 is now.
  Status Produce(const std::string& topic, const std::vector<KafkaRecord>& records);
  /// The same with properties of librdkafka, compression for example.
  Status ProduceWith(const std::map<std::string, std::string>& properties, const std::string& topic,
                     const std::vector<KafkaRecord>& records);

  /// As retention does it, at once: the records of the partition before `offset` are gone.
  Status DeleteRecordsBefore(const std::string& topic, int32_t partition, int64_t offset);

  /// All records up to the end of each partition as it is now, in the order of partition and
  /// offset; with `committed_only` as a read_committed consumer sees them.
  Result<std::vector<KafkaRecord>> ReadAll(const std::string& topic, bool committed_only = true);

  /// Stops the broker (by SIGKILL where `kill`), keeping its data; Start brings it back on its
  /// port.
  Status Stop(bool kill);
  Status Start();

 private:
  struct Client;
  explicit TestBroker(std::string address);

  std::string address_;
  std::unique_ptr<Client> client_;
  int names_given_ = 0;
};

}  // namespace weir::testing
