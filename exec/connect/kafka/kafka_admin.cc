#include "exec/connect/kafka/kafka_admin.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/status_macros.h"
#include "exec/connect/commit_buffer.h"

namespace weir {
namespace {

using GroupListRequest =
    KafkaOwned<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy>;
using GoneGroup = KafkaOwned<rd_kafka_DeleteGroup_t, rd_kafka_DeleteGroup_destroy>;
using GoneRecords = KafkaOwned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy>;

constexpr auto kAdminSettleMax = std::chrono::seconds(60);
constexpr auto kAdminRetryPause = std::chrono::milliseconds(20);

/// What a request for one group came to: librdkafka's error, and our words for it.
struct Outcome {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  Status status;
};

Outcome OutcomeOf(const rd_kafka_error_t* error, std::string_view doing) {
  if (error == nullptr) return {};
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  return {code, FromKafka(code, doing, rd_kafka_error_string(error))};
}

/// Repeats `ask` while the group's coordinator is not ready.
template <typename AskOnce>
Outcome AskUntilSettled(const AskOnce& ask) {
  const auto deadline = std::chrono::steady_clock::now() + kAdminSettleMax;
  while (true) {
    Outcome outcome = ask();
    if (!IsGroupSettling(outcome.error) || std::chrono::steady_clock::now() > deadline) {
      return outcome;
    }
    std::this_thread::sleep_for(kAdminRetryPause);
  }
}

/// As AskKafka; the error goes to `outcome`.
template <typename Send>
KafkaEvent AskFor(KafkaClient& client, std::string_view doing, Outcome& outcome, const Send& send) {
  std::string detail;
  KafkaEvent event = AskKafka(client, send, outcome.error, detail);
  if (event == nullptr) outcome.status = FromKafka(outcome.error, doing, detail);
  return event;
}

GroupMember ToMember(const rd_kafka_MemberDescription_t& member) {
  GroupMember out;
  out.id = rd_kafka_MemberDescription_consumer_id(&member);
  out.client_id = rd_kafka_MemberDescription_client_id(&member);
  out.host = rd_kafka_MemberDescription_host(&member);
  const size_t at = out.client_id.rfind('@');
  if (at != std::string::npos) out.server = out.client_id.substr(at + 1);
  const auto* assignment = rd_kafka_MemberDescription_assignment(&member);
  const auto* partitions =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    out.partitions.push_back(partitions->elems[i].partition);
  }
  std::sort(out.partitions.begin(), out.partitions.end());
  return out;
}

}  // namespace

bool IsGroupSettling(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return true;
    default: return false;
  }
}

std::vector<std::optional<GroupOffset>> ToGroupOffsets(
    const rd_kafka_topic_partition_list_t& partitions) {
  std::vector<std::optional<GroupOffset>> offsets;
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& each = partitions.elems[i];
    if (each.offset < 0) {
      offsets.emplace_back();
      continue;
    }
    GroupOffset offset{each.topic, each.partition, each.offset, {}};
    if (each.metadata != nullptr) {
      offset.metadata.assign(static_cast<const char*>(each.metadata), each.metadata_size);
    }
    offsets.emplace_back(std::move(offset));
  }
  return offsets;
}

// librdkafka asks for offsets under the isolation of its handle: this one counts all that was
// written. It has a group's name, though it never joins: on a handle without, librdkafka (2.0.2)
// crashes when the coordinator that it asks for a group's offsets is not one any more.
Result<std::shared_ptr<KafkaClient>> KafkaAdmin::OffsetsClient() {
  std::lock_guard lock(mutex_);
  if (offsets_client_ != nullptr) return offsets_client_;
  BrokerOptions options = options_;
  options.kafka.erase("isolation.level");
  const std::string group =
      options.application_id.empty() ? "weir-admin" : options.application_id + "-admin";
  WEIR_ASSIGN_OR_RETURN(offsets_client_,
                        KafkaClient::Make(RD_KAFKA_CONSUMER, options, "offsets",
                                          {{"isolation.level", "read_uncommitted"},
                                           {"group.id", group},
                                           {"allow.auto.create.topics", "false"}}));
  return offsets_client_;
}

Result<int64_t> KafkaAdmin::WriteEnd(std::string_view topic, int32_t partition) {
  WEIR_ASSIGN_OR_RETURN(auto client, OffsetsClient());
  return client->FindOffset(topic, partition, KafkaClient::kEnd);
}

Status KafkaAdmin::DeleteRecordsBefore(std::string_view topic,
                                       const std::vector<std::pair<int32_t, int64_t>>& offsets) {
  if (offsets.empty()) return OkStatus();
  const std::string name(topic);
  const std::string doing = "records of topic " + name + " cannot be deleted";
  KafkaPartitions before(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(before.get(), name.c_str(), partition)->offset = offset;
  }
  GoneRecords records(rd_kafka_DeleteRecords_new(before.get()));
  rd_kafka_DeleteRecords_t* each[] = {records.get()};
  WEIR_ASSIGN_OR_RETURN(KafkaEvent event, AskKafka(*client_, doing, [&](auto* given, auto* queue) {
                          rd_kafka_DeleteRecords(client_->handle(), each, 1, given, queue);
                        }));
  const auto* answers =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < answers->cnt; ++i) {
    WEIR_RETURN_IF_ERROR(FromKafka(answers->elems[i].err, doing));
  }
  return OkStatus();
}

Result<std::vector<std::optional<GroupOffset>>> KafkaAdmin::CommittedOffsets(std::string_view group,
                                                                             std::string_view topic,
                                                                             int32_t partitions) {
  const std::string name(group);
  const std::string doing = "what group " + name + " committed cannot be read";
  KafkaPartitions list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), i);
  }
  GroupListRequest request(rd_kafka_ListConsumerGroupOffsets_new(name.c_str(), list.get()));
  rd_kafka_ListConsumerGroupOffsets_t* requests[] = {request.get()};
  std::vector<std::optional<GroupOffset>> offsets(static_cast<size_t>(partitions));
  WEIR_ASSIGN_OR_RETURN(const auto client, OffsetsClient());
  const Outcome outcome = AskUntilSettled([&] {
    Outcome out;
    const KafkaEvent event =
        AskFor(*client, doing, out, [&](rd_kafka_AdminOptions_t* options, auto* queue) {
          KafkaOwned<rd_kafka_error_t, rd_kafka_error_destroy> unset(
              rd_kafka_AdminOptions_set_require_stable_offsets(options, 1));
          rd_kafka_ListConsumerGroupOffsets(client->handle(), requests, 1, options, queue);
        });
    if (event == nullptr) return out;
    size_t count = 0;
    const auto* groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
    if (count == 0) return out;
    out = OutcomeOf(rd_kafka_group_result_error(groups[0]), doing);
    const auto* answers = rd_kafka_group_result_partitions(groups[0]);
    if (out.error != RD_KAFKA_RESP_ERR_NO_ERROR || answers == nullptr) return out;
    for (int i = 0; i < answers->cnt; ++i) {
      if (answers->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      return Outcome{answers->elems[i].err, FromKafka(answers->elems[i].err, doing)};
    }
    for (auto& offset : ToGroupOffsets(*answers)) {
      if (!offset || offset->partition < 0 || offset->partition >= partitions) continue;
      offsets[static_cast<size_t>(offset->partition)] = std::move(offset);
    }
    return out;
  });
  if (!outcome.status.ok()) return outcome.status;
  return offsets;
}

Result<std::vector<GroupMember>> KafkaAdmin::DescribeGroup(std::string_view group) {
  const std::string name(group);
  const std::string doing = "group " + name + " cannot be described";
  const char* names[] = {name.c_str()};
  std::vector<GroupMember> members;
  const Outcome outcome = AskUntilSettled([&] {
    Outcome out;
    const KafkaEvent event = AskFor(*client_, doing, out, [&](auto* options, auto* queue) {
      rd_kafka_DescribeConsumerGroups(client_->handle(), names, 1, options, queue);
    });
    if (event == nullptr) return out;
    size_t count = 0;
    const auto** groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
    if (count == 0) return out;
    out = OutcomeOf(rd_kafka_ConsumerGroupDescription_error(groups[0]), doing);
    members.clear();
    const size_t member_count = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    for (size_t i = 0; i < member_count; ++i) {
      members.push_back(ToMember(*rd_kafka_ConsumerGroupDescription_member(groups[0], i)));
    }
    return out;
  });
  if (outcome.error == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return std::vector<GroupMember>();
  if (!outcome.status.ok()) return outcome.status;
  return members;
}

Result<std::vector<std::string>> KafkaAdmin::ListGroups(std::string_view prefix) {
  const std::string doing = "groups cannot be listed";
  std::vector<std::string> names;
  const Outcome outcome = AskUntilSettled([&] {
    Outcome out;
    const KafkaEvent event = AskFor(*client_, doing, out, [&](auto* options, auto* queue) {
      rd_kafka_ListConsumerGroups(client_->handle(), options, queue);
    });
    if (event == nullptr) return out;
    const auto* result = rd_kafka_event_ListConsumerGroups_result(event.get());
    size_t count = 0;
    const auto** errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
    if (count > 0) return OutcomeOf(errors[0], doing);
    const auto** groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
    names.clear();
    for (size_t i = 0; i < count; ++i) {
      const std::string_view name = rd_kafka_ConsumerGroupListing_group_id(groups[i]);
      if (name.starts_with(prefix)) names.emplace_back(name);
    }
    return out;
  });
  if (!outcome.status.ok()) return outcome.status;
  std::sort(names.begin(), names.end());
  return names;
}

Status KafkaAdmin::DeleteGroup(std::string_view group) {
  const std::string name(group);
  const std::string doing = "group " + name + " cannot be deleted";
  GoneGroup gone(rd_kafka_DeleteGroup_new(name.c_str()));
  rd_kafka_DeleteGroup_t* each[] = {gone.get()};
  const Outcome outcome = AskUntilSettled([&] {
    Outcome out;
    const KafkaEvent event = AskFor(*client_, doing, out, [&](auto* options, auto* queue) {
      rd_kafka_DeleteGroups(client_->handle(), each, 1, options, queue);
    });
    if (event == nullptr) return out;
    size_t count = 0;
    const auto** groups = rd_kafka_DeleteGroups_result_groups(
        rd_kafka_event_DeleteGroups_result(event.get()), &count);
    return count == 0 ? out : OutcomeOf(rd_kafka_group_result_error(groups[0]), doing);
  });
  if (outcome.error == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return OkStatus();
  if (outcome.error == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP) {
    return Status(ErrorCode::kAlreadyExists, "copies are in the group still: " + name)
        .WithHint("stop every copy of the application first");
  }
  return outcome.status;
}

}  // namespace weir
