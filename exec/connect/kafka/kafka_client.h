#pragma once

// librdkafka's handles as owned objects: configuration, log, and its errors in Weir's words. Known
// to exec/connect alone.

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "exec/connect/topic.h"

namespace weir {

/// Calls librdkafka's own function to free an object.
template <auto kFree>
struct KafkaFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using KafkaOwned = std::unique_ptr<T, KafkaFree<kFree>>;
using KafkaConf = KafkaOwned<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using KafkaTopic = KafkaOwned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using KafkaQueue = KafkaOwned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using KafkaEvent = KafkaOwned<rd_kafka_event_t, rd_kafka_event_destroy>;
using KafkaPartitions =
    KafkaOwned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

/// How long a request that somebody waits for may take.
inline constexpr int kKafkaRequestMs = 10'000;

/// After how long without a sign of life a group takes a copy for dead: session.timeout.ms.
std::chrono::milliseconds KafkaSessionTimeout(const BrokerOptions& options);

/// `error` as an error of ours; `doing` says what was tried and on what ("topic t cannot be made").
Status FromKafka(rd_kafka_resp_err_t error, std::string_view doing, std::string_view detail = {});

/// One client of librdkafka: its handle and where its log goes. Safe from any thread, as librdkafka
/// is. The handle ends with the client.
class KafkaClient {
 public:
  using Properties = std::map<std::string, std::string>;
  /// Is shown each line of librdkafka's log first, on the thread that writes it; true: it goes no
  /// further. Must not call librdkafka.
  using LogWatch = std::function<bool(int level, const char* facility, const char* text)>;

  /// `properties` are ours; those of the options' `kafka` win over them. `prepare` may set
  /// callbacks; `opaque` is what they get. kUnknownOption, kInvalidOption.
  static Result<std::shared_ptr<KafkaClient>> Make(
      rd_kafka_type_t type, const BrokerOptions& options, std::string_view name,
      const Properties& properties, const std::function<void(rd_kafka_conf_t*)>& prepare = {},
      LogWatch watch = {});
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* handle() { return handle_; }
  /// Keeps what callbacks set by `prepare` refer to until the handle has ended.
  void Keep(std::shared_ptr<const void> object) { kept_ = std::move(object); }

  /// Leaves the handle to the end of the process, for one that librdkafka could not destroy without
  /// aborting. It logs no more.
  static void Abandon(std::shared_ptr<KafkaClient> client);

  /// The offset of each partition [0, partitions) of a topic: a timestamp in ms (-1 where no record
  /// is as late), or one of the two below.
  static constexpr int64_t kFirst = -2;
  static constexpr int64_t kEnd = -1;
  Result<int64_t> FindOffset(std::string_view topic, int32_t partition, int64_t what);
  Result<std::vector<int64_t>> FindOffsets(std::string_view topic, int32_t partitions,
                                           int64_t what);

 private:
  KafkaClient() = default;
  static void Log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  Status FindOffsets(std::string_view topic, rd_kafka_topic_partition_list_t& partitions);

  LogWatch watch_;  // Set once, before the handle is made.
  std::mutex log_mutex_;
  std::function<void(int level, std::string_view)> log_;  // Under log_mutex_.
  std::shared_ptr<const void> kept_;
  rd_kafka_t* handle_ = nullptr;
};

}  // namespace weir
