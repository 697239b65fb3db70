#include "tests/broker/support/test_broker.h"

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "base/status_macros.h"
#include "tests/broker/support/wait_until.h"

namespace weir::testing {
namespace {

constexpr int kTimeoutMs = 60 * 1000;

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freed<kFree>>;
using OwnedHandle = Owned<rd_kafka_t, rd_kafka_destroy>;
using OwnedQueue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using OwnedEvent = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using OwnedPartitions =
    Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using OwnedMessage = Owned<rd_kafka_message_t, rd_kafka_message_destroy>;

Status KafkaError(std::string_view what, std::string_view why) {
  return Status(ErrorCode::kKafkaError, std::string(what) + ": " + std::string(why));
}
Status KafkaError(std::string_view what, rd_kafka_resp_err_t error) {
  return KafkaError(what, rd_kafka_err2str(error));
}

Result<OwnedHandle> MakeHandle(rd_kafka_type_t type,
                               const std::vector<std::pair<const char*, std::string>>& properties) {
  char why[512];
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(configuration, name, value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(configuration);
      return KafkaError(name, why);
    }
  }
  OwnedHandle handle(rd_kafka_new(type, configuration, why, sizeof why));
  if (handle == nullptr) {
    rd_kafka_conf_destroy(configuration);
    return KafkaError("no client", why);
  }
  return handle;
}

/// Takes what came of each record from the producer: the last failure, and how many are done.
struct Delivery {
  size_t done = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

  static void Report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto* delivery = static_cast<Delivery*>(message->_private);
    ++delivery->done;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) delivery->error = message->err;
  }
};

rd_kafka_headers_t* MakeHeaders(const KafkaRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers, name.data(), name.size(), value ? value->data() : nullptr,
                        value ? value->size() : 0);
  }
  return headers;
}

std::optional<std::string> TextOf(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(data), size);
}

KafkaRecord RecordOf(const rd_kafka_message_t& message) {
  KafkaRecord record{.key = TextOf(message.key, message.key_len),
                     .value = TextOf(message.payload, message.len),
                     .timestamp_ms = rd_kafka_message_timestamp(&message, nullptr),
                     .partition = message.partition,
                     .offset = message.offset,
                     .headers = {}};
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      record.headers.emplace_back(name, TextOf(value, size));
    }
  }
  return record;
}

/// What the broker answered about the one topic of a CREATE or DELETE request.
Status TopicResult(std::string_view what, rd_kafka_event_t* event,
                   decltype(rd_kafka_CreateTopics_result_topics)* topics_of,
                   const rd_kafka_CreateTopics_result_t* result) {
  if (event == nullptr) return KafkaError(what, "no answer in time");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(what, rd_kafka_event_error_string(event));
  }
  size_t count = 0;
  const rd_kafka_topic_result_t** topics = topics_of(result, &count);
  for (size_t i = 0; i < count; ++i) {
    if (rd_kafka_topic_result_error(topics[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return KafkaError(what, rd_kafka_err2str(rd_kafka_topic_result_error(topics[i])));
    }
  }
  return OkStatus();
}

Status RunBrokerScript(const std::string& arguments) {
  const char* directory = std::getenv("WEIR_TEST_BROKER_DIR");
  if (directory == nullptr) return KafkaError("broker", "WEIR_TEST_BROKER_DIR is not set");
  const std::string command = std::string(WEIR_SOURCE_DIR "/scripts/kafka-broker ") + arguments +
                              " --dir '" + directory + "' > /dev/null";
  if (std::system(command.c_str()) != 0) return KafkaError(command, "failed");
  return OkStatus();
}

}  // namespace

struct TestBroker::Client {
  OwnedHandle handle;
};

TestBroker::TestBroker(std::string address) : address_(std::move(address)) {}
TestBroker::~TestBroker() = default;

std::unique_ptr<TestBroker> TestBroker::Connect() {
  const char* address = std::getenv("WEIR_TEST_BROKERS");
  if (address == nullptr || *address == '\0') return nullptr;
  std::unique_ptr<TestBroker> broker(new TestBroker(address));
  // Placed as Java's producer places: null keys anywhere, others by murmur2.
  auto handle = MakeHandle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", address},
                                               {"partitioner", "murmur2_random"},
                                               {"linger.ms", "1"},
                                               {"reconnect.backoff.max.ms", "500"},
                                               {"log_level", "2"}});
  if (!handle.ok()) return nullptr;
  broker->client_ = std::make_unique<Client>(std::move(handle).value());
  return broker;
}

std::string TestBroker::NewName(std::string_view prefix) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return std::string(prefix) + "-" + std::to_string(getpid()) + "-" +
         std::to_string(now / 1000 % 1000000) + "-" + std::to_string(++names_given_);
}

Status TestBroker::CreateTopic(const std::string& topic, int partitions,
                               const std::map<std::string, std::string>& config) {
  char why[512];
  Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> request(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, why, sizeof why));
  if (request == nullptr) return KafkaError(topic, why);
  for (const auto& [name, value] : config) {
    rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  }
  OwnedQueue queue(rd_kafka_queue_new(client_->handle.get()));
  rd_kafka_NewTopic_t* requests[] = {request.get()};
  rd_kafka_CreateTopics(client_->handle.get(), requests, 1, nullptr, queue.get());
  OwnedEvent event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  WEIR_RETURN_IF_ERROR(
      TopicResult("create topic " + topic, event.get(), rd_kafka_CreateTopics_result_topics,
                  event ? rd_kafka_event_CreateTopics_result(event.get()) : nullptr));
  // The controller has it; the broker tells others of it only a moment later.
  const bool served = WaitUntil(std::chrono::milliseconds(kTimeoutMs), [&] {
    const Result<int> count = PartitionCount(topic);
    return count.ok() && *count == partitions;
  });
  return served ? OkStatus() : KafkaError("create topic " + topic, "the broker does not serve it");
}

Status TestBroker::DeleteTopic(const std::string& topic) {
  Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> request(
      rd_kafka_DeleteTopic_new(topic.c_str()));
  OwnedQueue queue(rd_kafka_queue_new(client_->handle.get()));
  rd_kafka_DeleteTopic_t* requests[] = {request.get()};
  rd_kafka_DeleteTopics(client_->handle.get(), requests, 1, nullptr, queue.get());
  OwnedEvent event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  return TopicResult("delete topic " + topic, event.get(), rd_kafka_DeleteTopics_result_topics,
                     event ? rd_kafka_event_DeleteTopics_result(event.get()) : nullptr);
}

Status TestBroker::AddPartitions(const std::string& topic, int partitions) {
  char why[512];
  Owned<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy> request(
      rd_kafka_NewPartitions_new(topic.c_str(), partitions, why, sizeof why));
  if (request == nullptr) return KafkaError(topic, why);
  OwnedQueue queue(rd_kafka_queue_new(client_->handle.get()));
  rd_kafka_NewPartitions_t* requests[] = {request.get()};
  rd_kafka_CreatePartitions(client_->handle.get(), requests, 1, nullptr, queue.get());
  OwnedEvent event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  WEIR_RETURN_IF_ERROR(TopicResult(
      "add partitions to " + topic, event.get(), rd_kafka_CreatePartitions_result_topics,
      event ? rd_kafka_event_CreatePartitions_result(event.get()) : nullptr));
  const bool served = WaitUntil(std::chrono::milliseconds(kTimeoutMs), [&] {
    const Result<int> count = PartitionCount(topic);
    return count.ok() && *count == partitions;
  });
  return served ? OkStatus() : KafkaError("add partitions to " + topic, "not served");
}

Result<std::vector<std::string>> TestBroker::TopicNames(std::string_view prefix) {
  const struct rd_kafka_metadata* found = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_->handle.get(), 1, nullptr, &found, kTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError("metadata", error);
  Owned<const struct rd_kafka_metadata, rd_kafka_metadata_destroy> metadata(found);
  std::vector<std::string> names;
  for (int i = 0; i < found->topic_cnt; ++i) {
    if (std::string_view(found->topics[i].topic).starts_with(prefix)) {
      names.emplace_back(found->topics[i].topic);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<int> TestBroker::PartitionCount(const std::string& topic) {
  Owned<rd_kafka_topic_t, rd_kafka_topic_destroy> handle(
      rd_kafka_topic_new(client_->handle.get(), topic.c_str(), nullptr));
  const struct rd_kafka_metadata* found = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_->handle.get(), 0, handle.get(), &found, kTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError("metadata of " + topic, error);
  Owned<const struct rd_kafka_metadata, rd_kafka_metadata_destroy> metadata(found);
  if (found->topic_cnt != 1 || found->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  return found->topics[0].partition_cnt;
}

Status TestBroker::DeleteRecordsBefore(const std::string& topic, int32_t partition,
                                       int64_t offset) {
  OwnedPartitions offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), partition)->offset = offset;
  Owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> request(
      rd_kafka_DeleteRecords_new(offsets.get()));
  OwnedQueue queue(rd_kafka_queue_new(client_->handle.get()));
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  rd_kafka_DeleteRecords(client_->handle.get(), requests, 1, nullptr, queue.get());
  OwnedEvent event(rd_kafka_queue_poll(queue.get(), kTimeoutMs));
  const std::string what = "delete records of " + topic;
  if (event == nullptr) return KafkaError(what, "no answer in time");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(what, rd_kafka_event_error_string(event.get()));
  }
  const rd_kafka_topic_partition_list_t* deleted =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  if (deleted->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(what, deleted->elems[0].err);
  }
  return OkStatus();
}

Status TestBroker::Produce(const std::string& topic, const std::vector<KafkaRecord>& records) {
  return ProduceWith({}, topic, records);
}

Status TestBroker::ProduceWith(const std::map<std::string, std::string>& properties,
                               const std::string& topic, const std::vector<KafkaRecord>& records) {
  char why[512];
  rd_kafka_conf_t* configuration = rd_kafka_conf_dup(rd_kafka_conf(client_->handle.get()));
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(configuration);
      return KafkaError(name, why);
    }
  }
  rd_kafka_conf_set_dr_msg_cb(configuration, &Delivery::Report);
  OwnedHandle producer(rd_kafka_new(RD_KAFKA_PRODUCER, configuration, why, sizeof why));
  if (producer == nullptr) {
    rd_kafka_conf_destroy(configuration);
    return KafkaError("no producer", why);
  }
  Delivery delivery;
  for (const KafkaRecord& record : records) {
    const void* key = record.key ? record.key->data() : nullptr;
    const size_t key_size = record.key ? record.key->size() : 0;
    // librdkafka's macro wants a pointer to mutable bytes, and copies them.
    void* value = record.value ? const_cast<char*>(record.value->data()) : nullptr;
    const size_t value_size = record.value ? record.value->size() : 0;
    rd_kafka_resp_err_t error;
    do {
      rd_kafka_headers_t* headers = MakeHeaders(record);
      error = rd_kafka_producev(
          producer.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(record.partition),
          RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size),
          RD_KAFKA_V_TIMESTAMP((record.timestamp_ms < 0 ? 0 : record.timestamp_ms)),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
          RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
      // A full queue empties while delivery reports are served.
      rd_kafka_poll(producer.get(), error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError("produce to " + topic, error);
  }
  rd_kafka_resp_err_t error = rd_kafka_flush(producer.get(), kTimeoutMs);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = delivery.error;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError("produce to " + topic, error);
  if (delivery.done != records.size()) return KafkaError("produce to " + topic, "records missing");
  return OkStatus();
}

Result<std::vector<KafkaRecord>> TestBroker::ReadAll(const std::string& topic,
                                                     bool committed_only) {
  WEIR_ASSIGN_OR_RETURN(const int partitions, PartitionCount(topic));
  if (partitions == 0) return KafkaError("read " + topic, "no such topic");
  WEIR_ASSIGN_OR_RETURN(
      OwnedHandle consumer,
      MakeHandle(RD_KAFKA_CONSUMER,
                 {{"bootstrap.servers", address_},
                  {"group.id", "weir-test-reader"},
                  {"enable.auto.commit", "false"},
                  {"enable.partition.eof", "true"},
                  {"fetch.wait.max.ms", "20"},
                  {"auto.offset.reset", "error"},
                  {"log_level", "2"},
                  {"isolation.level", committed_only ? "read_committed" : "read_uncommitted"}}));
  rd_kafka_poll_set_consumer(consumer.get());
  OwnedPartitions assignment(rd_kafka_topic_partition_list_new(partitions));
  for (int partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(assignment.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer.get(), assignment.get());

  std::vector<KafkaRecord> records;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
  // A partition may reach its end more than once while others are still being read.
  std::vector<bool> at_end(partitions, false);
  while (std::find(at_end.begin(), at_end.end(), false) != at_end.end()) {
    if (std::chrono::steady_clock::now() > deadline) return KafkaError("read " + topic, "too slow");
    OwnedMessage message(rd_kafka_consumer_poll(consumer.get(), 1000));
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      at_end[message->partition] = true;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records.push_back(RecordOf(*message));
    } else if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT &&
               message->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      return KafkaError("read " + topic, rd_kafka_message_errstr(message.get()));
    }
  }
  rd_kafka_consumer_close(consumer.get());
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.partition, a.offset) < std::tie(b.partition, b.offset);
  });
  return records;
}

Status TestBroker::Stop(bool kill) {
  return RunBrokerScript(kill ? "stop --keep --kill" : "stop --keep");
}

Status TestBroker::Start() { return RunBrokerScript("start"); }

}  // namespace weir::testing
