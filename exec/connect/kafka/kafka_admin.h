#pragma once

// Requests to a Kafka cluster that are about groups, and about records as a whole: who is in a
// group, what it committed, which records may go.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/connect/kafka/kafka_client.h"

namespace weir {

using KafkaAdminOptions = KafkaOwned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

/// Sends a request of librdkafka's admin interface by `send(options, queue)` and waits for its
/// answer, or null and the error of the request as a whole.
template <typename Send>
KafkaEvent AskKafka(KafkaClient& client, const Send& send, rd_kafka_resp_err_t& error,
                    std::string& detail) {
  KafkaQueue queue(rd_kafka_queue_new(client.handle()));
  KafkaAdminOptions options(rd_kafka_AdminOptions_new(client.handle(), RD_KAFKA_ADMIN_OP_ANY));
  char why[128];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kKafkaRequestMs, why, sizeof why);
  send(options.get(), queue.get());
  KafkaEvent event(rd_kafka_queue_poll(queue.get(), kKafkaRequestMs + 5000));
  error = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
  if (event != nullptr) detail = rd_kafka_event_error_string(event.get());
  return nullptr;
}

template <typename Send>
Result<KafkaEvent> AskKafka(KafkaClient& client, std::string_view doing, const Send& send) {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string detail;
  KafkaEvent event = AskKafka(client, send, error, detail);
  if (event == nullptr) return FromKafka(error, doing, detail);
  return event;
}

/// Errors that pass by themselves while a group's coordinator moves or loads, or while a
/// transaction is just committing offsets.
bool IsGroupSettling(rd_kafka_resp_err_t error);

/// What a librdkafka list of one topic says was committed, in its order.
std::vector<std::optional<GroupOffset>> ToGroupOffsets(
    const rd_kafka_topic_partition_list_t& partitions);

/// Asks with a client that is in no group. Safe from any thread.
class KafkaAdmin {
 public:
  KafkaAdmin(const BrokerOptions& options, std::shared_ptr<KafkaClient> client)
      : options_(options), client_(std::move(client)) {}

  Result<int64_t> WriteEnd(std::string_view topic, int32_t partition);
  Status DeleteRecordsBefore(std::string_view topic,
                             const std::vector<std::pair<int32_t, int64_t>>& offsets);
  Result<std::vector<std::optional<GroupOffset>>> CommittedOffsets(std::string_view group,
                                                                   std::string_view topic,
                                                                   int32_t partitions);
  Result<std::vector<GroupMember>> DescribeGroup(std::string_view group);
  Result<std::vector<std::string>> ListGroups(std::string_view prefix);
  Status DeleteGroup(std::string_view group);

 private:
  Result<std::shared_ptr<KafkaClient>> OffsetsClient();

  const BrokerOptions options_;
  const std::shared_ptr<KafkaClient> client_;
  std::mutex mutex_;
  std::shared_ptr<KafkaClient> offsets_client_;
};

}  // namespace weir
