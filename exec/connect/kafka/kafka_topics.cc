#include "exec/connect/kafka/kafka_topics.h"

#include <thread>

#include "base/status_macros.h"
#include "exec/connect/commit_buffer.h"
#include "exec/connect/kafka/kafka_admin.h"

namespace weir {
namespace {

constexpr auto kRemembered = std::chrono::seconds(3);
constexpr int kFirstAnswerMs = 5000;
constexpr const char* kPurgedSegmentBytes = "52428800";

using NewTopic = KafkaOwned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using GoneTopic = KafkaOwned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using Resource = KafkaOwned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using Metadata = KafkaOwned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;

bool IsInternal(std::string_view name) {
  return name.starts_with("__") || name.ends_with("-repartition") || name.ends_with("-changelog");
}

Status FirstError(const rd_kafka_topic_result_t* const* results, size_t count,
                  std::string_view doing) {
  for (size_t i = 0; i < count; ++i) {
    const char* detail = rd_kafka_topic_result_error_string(results[i]);
    WEIR_RETURN_IF_ERROR(
        FromKafka(rd_kafka_topic_result_error(results[i]), doing, detail == nullptr ? "" : detail));
  }
  return OkStatus();
}

/// The cluster's topics (all of them, or none: only whether it answers).
Status ReadMetadata(KafkaClient& client, bool all, int timeout_ms, std::string_view doing,
                    Metadata* out) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client.handle(), all ? 1 : 0, nullptr, &metadata, timeout_ms);
  out->reset(metadata);
  return FromKafka(error, doing);
}

}  // namespace

Status KafkaTopics::CheckCluster() {
  Metadata metadata;
  Status status = ReadMetadata(*client_, false, kFirstAnswerMs, "", &metadata);
  if (status.ok()) return status;
  return Status(ErrorCode::kKafkaUnavailable,
                "no Kafka broker answers within 5 seconds at " + brokers_ + status.message())
      .WithHint("check that the brokers run and can be reached from here");
}

Status KafkaTopics::Create(const TopicInfo& info) {
  WEIR_RETURN_IF_ERROR(CheckTopicInfo(info));
  const std::string doing = "topic " + info.name + " cannot be made";
  char why[256];
  NewTopic topic(rd_kafka_NewTopic_new(info.name.c_str(), info.partitions, -1, why, sizeof why));
  if (topic == nullptr) return Status(ErrorCode::kInvalidOption, doing + ": " + why);
  rd_kafka_NewTopic_set_config(topic.get(), "retention.ms",
                               std::to_string(info.retention_ms).c_str());
  const bool expires = info.internal && info.compacted && info.retention_ms > 0;
  rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy",
                               expires          ? "compact,delete"
                               : info.compacted ? "compact"
                                                : "delete");
  if (info.internal && !info.compacted) {
    // Its records are deleted behind the readers, and space is freed by whole segments.
    rd_kafka_NewTopic_set_config(topic.get(), "segment.bytes", kPurgedSegmentBytes);
    rd_kafka_NewTopic_set_config(topic.get(), "message.timestamp.type", "CreateTime");
  }
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  WEIR_ASSIGN_OR_RETURN(KafkaEvent event,
                        AskKafka(*client_, doing, [&](auto* options, auto* queue) {
                          rd_kafka_CreateTopics(client_->handle(), topics, 1, options, queue);
                        }));
  size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  const Status status = FirstError(results, count, doing);
  if (status.code() == ErrorCode::kAlreadyExists) {
    // Perhaps another copy just made it.
    WEIR_RETURN_IF_ERROR(WaitUntilServed(info.name, std::nullopt));
    return Status(ErrorCode::kAlreadyExists, "the topic exists: " + info.name);
  }
  WEIR_RETURN_IF_ERROR(status);
  return WaitUntilServed(info.name, info);
}

// Its partitions have leaders only some time after the topic was made.
Status KafkaTopics::WaitUntilServed(std::string_view name, const std::optional<TopicInfo>& made) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(kKafkaRequestMs);
  while (Clock::now() < deadline) {
    {
      std::lock_guard lock(mutex_);
      WEIR_RETURN_IF_ERROR(AskForTopics());
      const auto found = known_.find(name);
      if (found != known_.end() && !made) return OkStatus();
      if (found != known_.end() && found->second.info.partitions == made->partitions) {
        found->second = {*made, true};
        found->second.info.internal = IsInternal(name);
        return OkStatus();
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Status(ErrorCode::kKafkaError,
                "the partitions of the new topic have no leaders: " + std::string(name));
}

Status KafkaTopics::Delete(std::string_view name) {
  const std::string doing = "topic " + std::string(name) + " cannot be deleted";
  GoneTopic topic(rd_kafka_DeleteTopic_new(std::string(name).c_str()));
  rd_kafka_DeleteTopic_t* topics[] = {topic.get()};
  WEIR_ASSIGN_OR_RETURN(KafkaEvent event,
                        AskKafka(*client_, doing, [&](auto* options, auto* queue) {
                          rd_kafka_DeleteTopics(client_->handle(), topics, 1, options, queue);
                        }));
  size_t count = 0;
  const auto* results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  const Status status = FirstError(results, count, doing);
  if (status.code() == ErrorCode::kUnknownTopic) return UnknownTopic(name);
  WEIR_RETURN_IF_ERROR(status);
  const auto deadline = Clock::now() + std::chrono::milliseconds(kKafkaRequestMs);
  while (Clock::now() < deadline) {
    {
      std::lock_guard lock(mutex_);
      WEIR_RETURN_IF_ERROR(AskForTopics());
      if (!known_.contains(name)) return OkStatus();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return OkStatus();
}

Status KafkaTopics::AskForTopics() {
  Metadata metadata;
  WEIR_RETURN_IF_ERROR(ReadMetadata(*client_, true, kKafkaRequestMs,
                                    "the topics at " + brokers_ + " cannot be listed", &metadata));
  std::map<std::string, Known, std::less<>> fresh;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR || topic.partition_cnt == 0) continue;
    bool served = true;
    for (int at = 0; at < topic.partition_cnt; ++at) served &= topic.partitions[at].leader >= 0;
    // One that just lost a leader was known before and stays so.
    if (!served && !known_.contains(std::string_view(topic.topic))) continue;
    Known& known = fresh[topic.topic];
    known.info.name = topic.topic;
    known.info.partitions = topic.partition_cnt;
    known.info.internal = IsInternal(topic.topic);
  }
  known_ = std::move(fresh);
  asked_ = Clock::now();
  return OkStatus();
}

Status KafkaTopics::Refresh(std::string_view name) {
  if (Clock::now() - asked_ < kRemembered && (name.empty() || known_.contains(name))) {
    return OkStatus();
  }
  return AskForTopics();
}

Status KafkaTopics::AskForSettings(const std::vector<std::string>& names) {
  std::vector<Resource> owned;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const std::string& name : names) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    resources.push_back(owned.back().get());
  }
  if (resources.empty()) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(
      KafkaEvent event,
      AskKafka(*client_, "the settings of topics cannot be read", [&](auto* options, auto* queue) {
        rd_kafka_DescribeConfigs(client_->handle(), resources.data(), resources.size(), options,
                                 queue);
      }));
  size_t count = 0;
  const auto* answers = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto found = known_.find(std::string_view(rd_kafka_ConfigResource_name(answers[i])));
    if (found == known_.end()) continue;
    // Who may read a topic but not its settings goes on without them.
    found->second.has_settings = true;
    size_t entries = 0;
    const auto* configs = rd_kafka_ConfigResource_configs(answers[i], &entries);
    for (size_t at = 0; at < entries; ++at) {
      const std::string_view name = rd_kafka_ConfigEntry_name(configs[at]);
      const char* text = rd_kafka_ConfigEntry_value(configs[at]);
      const std::string value = text == nullptr ? "" : text;
      TopicInfo& info = found->second.info;
      if (name == "retention.ms") info.retention_ms = std::strtoll(value.c_str(), nullptr, 10);
      if (name == "cleanup.policy") info.compacted = value.find("compact") != std::string::npos;
    }
  }
  return OkStatus();
}

Result<TopicInfo> KafkaTopics::Describe(std::string_view name) {
  std::lock_guard lock(mutex_);
  WEIR_RETURN_IF_ERROR(Refresh(name));
  const auto found = known_.find(name);
  if (found == known_.end()) return UnknownTopic(name);
  if (!found->second.has_settings) WEIR_RETURN_IF_ERROR(AskForSettings({found->first}));
  return found->second.info;
}

Result<int32_t> KafkaTopics::Partitions(std::string_view name) {
  std::lock_guard lock(mutex_);
  WEIR_RETURN_IF_ERROR(Refresh(name));
  const auto found = known_.find(name);
  if (found == known_.end()) return UnknownTopic(name);
  return found->second.info.partitions;
}

Result<std::vector<TopicInfo>> KafkaTopics::List() {
  std::lock_guard lock(mutex_);
  WEIR_RETURN_IF_ERROR(AskForTopics());
  std::vector<std::string> names;
  for (const auto& [name, known] : known_) {
    if (!known.has_settings) names.push_back(name);
  }
  WEIR_RETURN_IF_ERROR(AskForSettings(names));
  std::vector<TopicInfo> infos;
  for (const auto& [name, known] : known_) infos.push_back(known.info);
  return infos;
}

Result<int32_t> KafkaTopics::CountNow(std::string_view name) {
  const std::string text(name);
  const KafkaTopic topic(rd_kafka_topic_new(client_->handle(), text.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_->handle(), 0, topic.get(), &answer, kKafkaRequestMs);
  const Metadata metadata(answer);
  WEIR_RETURN_IF_ERROR(FromKafka(error, "the partitions of topic " + text + " cannot be counted"));
  if (answer->topic_cnt != 1 || answer->topics[0].partition_cnt == 0) {
    // A topic without a leader is there, and one that may not be looked at, too.
    if (answer->topic_cnt == 1) {
      WEIR_RETURN_IF_ERROR(FromKafka(answer->topics[0].err,
                                     "the partitions of topic " + text + " cannot be counted"));
    }
    return UnknownTopic(name);
  }
  const int32_t count = answer->topics[0].partition_cnt;
  std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  if (known != known_.end()) known->second.info.partitions = count;
  return count;
}

Result<std::vector<int64_t>> KafkaTopics::EndOffsets(std::string_view name) {
  WEIR_ASSIGN_OR_RETURN(const int32_t partitions, Partitions(name));
  return client_->FindOffsets(name, partitions, KafkaClient::kEnd);
}

}  // namespace weir
