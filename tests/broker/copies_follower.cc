#include "tests/broker/copies_follower.h"

#include <librdkafka/rdkafka.h>

namespace weir::testing {
namespace {

constexpr int kMetadataMs = 30'000;

std::optional<std::string> TextOf(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(data), size);
}

}  // namespace

struct TopicFollower::Consumer {
  rd_kafka_t* handle = nullptr;
  ~Consumer() {
    if (handle == nullptr) return;
    rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
  }
};

TopicFollower::TopicFollower(const std::string& brokers, const std::vector<std::string>& topics,
                             FollowedRecord take)
    : consumer_(std::make_unique<Consumer>()), take_(std::move(take)) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512];
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, const char*>>{{"bootstrap.servers", brokers.c_str()},
                                                        {"group.id", "weir-test-follower"},
                                                        {"enable.auto.commit", "false"},
                                                        {"isolation.level", "read_committed"},
                                                        {"auto.offset.reset", "earliest"},
                                                        {"log_level", "2"}}) {
    rd_kafka_conf_set(conf, name, value, why, sizeof why);
  }
  consumer_->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (consumer_->handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    failed_ = true;
    return;
  }
  rd_kafka_poll_set_consumer(consumer_->handle);
  rd_kafka_topic_partition_list_t* assignment = rd_kafka_topic_partition_list_new(8);
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_metadata(consumer_->handle, 1, nullptr, &metadata, kMetadataMs);
  for (int i = 0; metadata != nullptr && i < metadata->topic_cnt; ++i) {
    for (const std::string& topic : topics) {
      if (topic != metadata->topics[i].topic) continue;
      for (int partition = 0; partition < metadata->topics[i].partition_cnt; ++partition) {
        rd_kafka_topic_partition_list_add(assignment, topic.c_str(), partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
      }
    }
  }
  if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
  failed_ = assignment->cnt == 0;
  rd_kafka_assign(consumer_->handle, assignment);
  rd_kafka_topic_partition_list_destroy(assignment);
  thread_ = std::thread([this] { Run(); });
}

TopicFollower::~TopicFollower() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void TopicFollower::Run() {
  while (!stopping_) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer_->handle, 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      take_(rd_kafka_topic_name(message->rkt),
            {.key = TextOf(message->key, message->key_len),
             .value = TextOf(message->payload, message->len),
             .timestamp_ms = rd_kafka_message_timestamp(message, nullptr),
             .partition = message->partition,
             .offset = message->offset,
             .headers = {}});
      ++records_;
    }
    // Everything else is the client's to mend; a test notices that nothing comes.
    rd_kafka_message_destroy(message);
  }
}

}  // namespace weir::testing
