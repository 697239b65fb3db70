#pragma once
// The least that reading and writing Kafka topics needs: one consumer whose batch queue is emptied
// from the beginning of all partitions to the ends they have at the start, and one producer. What
// goes wrong ends the program.

#include <librdkafka/rdkafka.h>
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

using KafkaProperties = std::map<std::string, std::string>;

inline rd_kafka_t* OpenClient(rd_kafka_type_t type, const KafkaProperties& properties) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) !=
        RD_KAFKA_CONF_OK) {
      Fail(error);
    }
  }
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof error);
  if (client == nullptr) Fail(error);
  return client;
}

inline int PartitionCount(rd_kafka_t* client, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client, 0, handle, &metadata, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0) {
    Fail("no topic " + topic);
  }
  const int count = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(handle);
  return count;
}

/// The values of a topic's records, each copied to a buffer that simdjson may read behind. One
/// thread; a value is valid until the next call.
class TopicValues {
 public:
  TopicValues(const std::string& brokers, const std::string& topic)
      : client_(OpenClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                               {"group.id", "limit"},
                                               {"enable.auto.commit", "false"},
                                               {"enable.partition.eof", "true"},
                                               {"auto.offset.reset", "earliest"},
                                               {"fetch.message.max.bytes", "4194304"},
                                               {"check.crcs", "false"}})),
        queue_(rd_kafka_queue_get_consumer(client_)) {
    rd_kafka_poll_set_consumer(client_);
    open_ = PartitionCount(client_, topic);
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(open_);
    for (int partition = 0; partition < open_; ++partition) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
    if (const auto error = rd_kafka_assign(client_, list); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      Fail(rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_destroy(list);
    padded_.resize(1 << 16);
  }
  ~TopicValues() {
    Release();
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }
  TopicValues(const TopicValues&) = delete;
  TopicValues& operator=(const TopicValues&) = delete;

  bool Next(std::string_view& value) {
    for (;;) {
      while (at_ < count_) {
        const rd_kafka_message_t* message = messages_[at_++];
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
          --open_;
        } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
          Fail(rd_kafka_message_errstr(message));
        } else if (message->payload != nullptr) {
          const size_t needed = message->len + simdjson::SIMDJSON_PADDING;
          if (padded_.size() < needed) padded_.resize(2 * needed);
          std::memcpy(padded_.data(), message->payload, message->len);
          value = {padded_.data(), message->len};
          return true;
        }
      }
      if (open_ == 0) return false;
      Release();
      const ssize_t got =
          rd_kafka_consume_batch_queue(queue_, 20, messages_.data(), messages_.size());
      if (got < 0) Fail("consume_batch_queue failed");
      count_ = static_cast<size_t>(got);
    }
  }

  simdjson::padded_string_view Padded(std::string_view value) const {
    return simdjson::padded_string_view(value.data(), value.size(), padded_.size());
  }

 private:
  void Release() {
    for (size_t i = 0; i < count_; ++i) rd_kafka_message_destroy(messages_[i]);
    at_ = count_ = 0;
  }

  rd_kafka_t* client_;
  rd_kafka_queue_t* queue_;
  std::array<rd_kafka_message_t*, 4096> messages_{};
  size_t at_ = 0;
  size_t count_ = 0;
  int open_ = 0;
  std::vector<char> padded_;
};

/// Produces to topics whose partitions are chosen as Java does. One thread.
class TopicWriter {
 public:
  explicit TopicWriter(const std::string& brokers, const std::string& linger_ms = "5")
      : client_(OpenClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                               {"linger.ms", linger_ms},
                                               {"acks", "all"},
                                               {"partitioner", "murmur2_random"},
                                               {"queue.buffering.max.messages", "1000000"},
                                               {"batch.num.messages", "10000"}})) {}
  ~TopicWriter() {
    for (rd_kafka_topic_t* topic : topics_) rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client_);
  }
  TopicWriter(const TopicWriter&) = delete;
  TopicWriter& operator=(const TopicWriter&) = delete;

  /// Returns the number to Write() with.
  size_t Add(const std::string& topic) {
    topics_.push_back(rd_kafka_topic_new(client_, topic.c_str(), nullptr));
    return topics_.size() - 1;
  }

  /// An empty key is null.
  void Write(size_t topic, std::string_view key, std::string_view value) {
    while (rd_kafka_produce(topics_[topic], RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            const_cast<char*>(value.data()), value.size(),
                            key.empty() ? nullptr : key.data(), key.size(), nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        Fail(rd_kafka_err2str(rd_kafka_last_error()));
      }
      rd_kafka_poll(client_, 10);
    }
  }

  void Flush() {
    if (rd_kafka_flush(client_, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR) Fail("flush failed");
  }

  void Poll() { rd_kafka_poll(client_, 0); }

 private:
  rd_kafka_t* client_;
  std::vector<rd_kafka_topic_t*> topics_;
};

}  // namespace weir::bench
