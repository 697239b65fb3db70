#include "exec/connect/kafka/kafka_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/status_macros.h"

namespace weir {
namespace {

// Properties that the engine's own working hangs on, and what to use instead.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kReserved = {{
    {"bootstrap.servers", "name the brokers by the option brokers"},
    {"metadata.broker.list", "name the brokers by the option brokers"},
    {"enable.partition.eof", "leave it out"},
    {"auto.offset.reset", "use SET 'auto.offset.reset'"},
    {"enable.auto.commit", "leave it out, positions are kept with the state"},
    {"group.id", "name the application by --application-id"},
    {"transactional.id", "name the application by --application-id"},
}};

Status SetProperty(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char why[512];
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why)) {
    case RD_KAFKA_CONF_OK: return OkStatus();
    case RD_KAFKA_CONF_UNKNOWN:
      return Status(ErrorCode::kUnknownOption, "librdkafka has no property of this name: " + name)
          .WithHint("librdkafka's CONFIGURATION.md lists them");
    default:
      return Status(ErrorCode::kInvalidOption,
                    "librdkafka does not take the value of property " + name + ": " + why);
  }
}

Status SetGiven(rd_kafka_conf_t* conf, const KafkaClient::Properties& given) {
  for (const auto& [name, value] : given) {
    for (const auto& [reserved, instead] : kReserved) {
      if (name != reserved) continue;
      return Status(ErrorCode::kInvalidOption, "the engine sets this property itself: " + name)
          .WithHint(std::string(instead));
    }
    if ((name == "acks" || name == "request.required.acks") && value == "0") {
      return Status(ErrorCode::kInvalidOption, "a commit needs acknowledgements: " + name + "=0")
          .WithHint("leave it out, all replicas acknowledge");
    }
    WEIR_RETURN_IF_ERROR(SetProperty(conf, name, value));
  }
  return OkStatus();
}

ErrorCode CodeOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: return ErrorCode::kKafkaUnavailable;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return ErrorCode::kUnknownTopic;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return ErrorCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return ErrorCode::kRecordTooLarge;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return ErrorCode::kOffsetOutOfRange;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH: return ErrorCode::kFenced;
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: return ErrorCode::kClosed;
    default: return ErrorCode::kKafkaError;
  }
}

/// How long a topic that was just made, or lost its leader, is given to settle.
constexpr auto kSettleMax = std::chrono::seconds(5);
/// How long brokers are given that answer, but not in time.
constexpr auto kSlowMax = std::chrono::seconds(30);

/// Errors of a client that knows of a topic's partitions what was true a moment ago.
bool IsSettling(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH: return true;
    default: return false;
  }
}

// Levels of syslog to those of LogLevel. A lost connection is librdkafka's business to mend.
int LevelOf(int syslog_level) {
  if (syslog_level <= 2) return 4;
  if (syslog_level <= 4) return 3;
  return syslog_level <= 6 ? 2 : 1;
}

}  // namespace

std::chrono::milliseconds KafkaSessionTimeout(const BrokerOptions& options) {
  constexpr std::chrono::milliseconds kDefault(10'000);
  const auto given = options.kafka.find("session.timeout.ms");
  if (given == options.kafka.end()) return kDefault;
  int64_t number = 0;
  const std::string& text = given->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // librdkafka refuses what is no number.
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return kDefault;
  return std::chrono::milliseconds(number);
}

Status FromKafka(rd_kafka_resp_err_t error, std::string_view doing, std::string_view detail) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return OkStatus();
  std::string message(doing);
  message += ": ";
  message += detail.empty() ? std::string_view(rd_kafka_err2str(error)) : detail;
  Status status(CodeOf(error), std::move(message));
  if (status.code() == ErrorCode::kKafkaUnavailable) {
    return std::move(status).WithHint("check that the brokers run and can be reached from here");
  }
  if (status.code() == ErrorCode::kRecordTooLarge) {
    return std::move(status).WithHint(
        "raise librdkafka's message.max.bytes and the topic's max.message.bytes");
  }
  return status;
}

Result<std::shared_ptr<KafkaClient>> KafkaClient::Make(
    rd_kafka_type_t type, const BrokerOptions& options, std::string_view name,
    const Properties& properties, const std::function<void(rd_kafka_conf_t*)>& prepare,
    LogWatch watch) {
  std::shared_ptr<KafkaClient> client(new KafkaClient());
  client->watch_ = std::move(watch);
  client->log_ = options.log;
  KafkaConf conf(rd_kafka_conf_new());
  WEIR_RETURN_IF_ERROR(SetProperty(conf.get(), "bootstrap.servers", options.brokers));
  std::string client_id = "weir";
  if (!options.application_id.empty()) client_id += "-" + options.application_id;
  client_id.append("-").append(name);
  WEIR_RETURN_IF_ERROR(SetProperty(conf.get(), "client.id", client_id));
  // Small requests must not wait for the acknowledgement of earlier ones.
  WEIR_RETURN_IF_ERROR(SetProperty(conf.get(), "socket.nagle.disable", "true"));
  for (const auto& [key, value] : properties) {
    WEIR_RETURN_IF_ERROR(SetProperty(conf.get(), key, value));
  }
  WEIR_RETURN_IF_ERROR(SetGiven(conf.get(), options.kafka));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), &KafkaClient::Log);
  if (prepare) prepare(conf.get());
  char why[512];
  client->handle_ = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (client->handle_ == nullptr) {
    return Status(ErrorCode::kInvalidOption,
                  std::string("librdkafka does not take its properties together: ") + why);
  }
  static_cast<void>(conf.release());  // The handle has taken it.
  return client;
}

KafkaClient::~KafkaClient() {
  // Whoever is in a group has left it before, as far as that was possible.
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaClient::Abandon(std::shared_ptr<KafkaClient> client) {
  {
    std::lock_guard lock(client->log_mutex_);
    client->log_ = {};
  }
  // Its threads refer to it until the process ends.
  static auto* const kept = new std::vector<std::shared_ptr<KafkaClient>>();
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  kept->push_back(std::move(client));
}

void KafkaClient::Log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  // One set of properties serves consumers and producers; each warns of those of the other.
  if (std::strcmp(facility, "CONFWARN") == 0) return;
  auto* client = static_cast<KafkaClient*>(rd_kafka_opaque(handle));
  if (client == nullptr) return;
  if (client->watch_ && client->watch_(level, facility, text)) return;
  std::lock_guard lock(client->log_mutex_);
  if (!client->log_) return;
  client->log_(LevelOf(level), std::string("kafka ") + facility + ": " + text);
}

Result<int64_t> KafkaClient::FindOffset(std::string_view topic, int32_t partition, int64_t what) {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), partition)->offset =
      what;
  WEIR_RETURN_IF_ERROR(FindOffsets(topic, *list));
  return list->elems[0].offset;
}

Result<std::vector<int64_t>> KafkaClient::FindOffsets(std::string_view topic, int32_t partitions,
                                                      int64_t what) {
  KafkaPartitions list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), i)->offset = what;
  }
  WEIR_RETURN_IF_ERROR(FindOffsets(topic, *list));
  std::vector<int64_t> offsets(static_cast<size_t>(partitions), 0);
  for (int i = 0; i < list->cnt; ++i) {
    offsets[static_cast<size_t>(list->elems[i].partition)] = list->elems[i].offset;
  }
  return offsets;
}

Status KafkaClient::FindOffsets(std::string_view topic, rd_kafka_topic_partition_list_t& list) {
  const std::string doing = "the offsets of topic " + std::string(topic) + " cannot be read";
  const int64_t what = list.elems[0].offset;
  const auto begin = std::chrono::steady_clock::now();
  while (true) {
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(handle_, &list, kKafkaRequestMs);
    for (int i = 0; i < list.cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      error = list.elems[i].err;
    }
    const bool is_slow = error == RD_KAFKA_RESP_ERR__TIMED_OUT;
    if ((!IsSettling(error) && !is_slow) ||
        std::chrono::steady_clock::now() - begin > (is_slow ? kSlowMax : kSettleMax)) {
      return FromKafka(error, doing);
    }
    for (int i = 0; i < list.cnt; ++i) {
      list.elems[i].offset = what;
      list.elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace weir
