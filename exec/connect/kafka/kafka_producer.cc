#include "exec/connect/kafka/kafka_producer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/memory_shares.h"
#include "base/status_macros.h"
#include "exec/connect/commit_buffer.h"
#include "exec/connect/header_codec.h"

namespace weir {
namespace {

constexpr int kPollMs = 100;
/// With no room in librdkafka's queue for this long, nothing gets through any more.
constexpr auto kFullMax = std::chrono::seconds(60);

/// Up to how old records under way may be where others are to be added.
constexpr int kAgeMaxPart = 4;  // Of the session's time-out.
/// Standing still for so long does no harm yet.
constexpr int kStallPart = 3;

KafkaClient::Properties ProducerProperties(const std::string& transactional_id,
                                           const BrokerOptions& options) {
  KafkaClient::Properties properties = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      // A commit waits for its records; under load they gather by themselves.
      {"linger.ms", "1"},
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes",
       std::to_string(MemoryShares::Of(options.memory_limit).kafka_sending / 1024)},
      {"reconnect.backoff.max.ms", "1000"}};
  if (transactional_id.empty()) {
    // What a copy that stood still has left in its queue must not be sent when it goes on: another
    // has gone on meanwhile. Without copies there are no others.
    properties["message.timeout.ms"] = options.application_id.empty()
                                           ? "60000"
                                           : std::to_string(KafkaSessionTimeout(options).count());
    return properties;
  }
  properties["transactional.id"] = transactional_id;
  // What a dead copy left open holds up its readers for so long. A record has no longer either.
  properties["transaction.timeout.ms"] = "10000";
  return properties;
}

/// Key and value bytes; an empty one must not look like null to librdkafka.
const void* DataOf(std::string_view text, bool is_null) {
  if (is_null) return nullptr;
  return text.data() == nullptr ? "" : text.data();
}

rd_kafka_headers_t* MakeHeaders(std::string_view encoded) {
  std::vector<HeaderView> headers;
  DecodeHeaders(encoded, headers);
  if (headers.empty()) return nullptr;
  rd_kafka_headers_t* made = rd_kafka_headers_new(headers.size());
  for (const HeaderView& header : headers) {
    rd_kafka_header_add(made, header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value ? DataOf(*header.value, false) : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return made;
}

}  // namespace

KafkaDelivery::Lane& KafkaDelivery::LaneOf(std::string_view topic, int32_t partition) {
  std::lock_guard lock(mutex_);
  std::pair<std::string, int32_t> key(topic, partition);
  const auto found = lanes_.find(key);
  if (found != lanes_.end()) return found->second;
  Lane lane{this, key.first, partition};
  return lanes_.emplace(std::move(key), std::move(lane)).first->second;
}

void KafkaDelivery::Sent() {
  std::lock_guard lock(mutex_);
  ++under_way_;
}

void KafkaDelivery::Done(rd_kafka_resp_err_t error, Lane& lane, int64_t offset) {
  std::unique_lock lock(mutex_);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && offset >= 0) {
    lane.next = std::max(lane.next, offset + 1);
  } else if (error_.ok()) {
    const std::string record =
        "a record for topic " + lane.topic + ", partition " + std::to_string(lane.partition);
    // Where a broker refused a batch and took the next one, librdkafka takes the first for written,
    // too, as a broker that knows the producer would have refused both. One that has come back
    // with records older than producer.id.expiration.ms does not know it any more.
    error_ = error == RD_KAFKA_RESP_ERR_NO_ERROR
                 ? Status(ErrorCode::kKafkaUnavailable,
                          record + ", was acknowledged without an offset: it may not be there")
                 : FromKafka(error, record + ", was not written");
  }
  if (--under_way_ > 0) return;
  if (owned_) {
    all_done_.notify_all();
    return;
  }
  lock.unlock();
  delete this;
}

std::optional<int64_t> KafkaDelivery::WrittenOffset(std::string_view topic, int32_t partition) {
  std::lock_guard lock(mutex_);
  const auto found = lanes_.find({std::string(topic), partition});
  if (found == lanes_.end() || found->second.next < 0) return std::nullopt;
  return found->second.next;
}

Status KafkaDelivery::Wait() {
  std::unique_lock lock(mutex_);
  all_done_.wait(lock, [&] { return under_way_ == 0; });
  Status error = std::move(error_);
  error_ = OkStatus();
  return error;
}

void KafkaDelivery::Release() {
  std::unique_lock lock(mutex_);
  owned_ = false;
  if (under_way_ > 0) return;
  lock.unlock();
  delete this;
}

// A handle and its thread. Replaced after a fatal error, from which librdkafka does not recover.
struct KafkaProducer::Session {
  std::shared_ptr<KafkaClient> client;
  std::thread poller;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::map<std::string, KafkaTopic, std::less<>> topics;
  int64_t sent = 0;  // Under mutex, as the next.
  std::deque<std::pair<std::chrono::steady_clock::time_point, int64_t>>
      under_way;  ///< `sent` then.

  rd_kafka_t* handle() { return client->handle(); }

  static void Report(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    auto& lane = *static_cast<KafkaDelivery::Lane*>(message->_private);
    lane.delivery->Done(message->err, lane, message->offset);
  }

  void Start(std::shared_ptr<KafkaStallWatch> stalls) {
    poller = std::thread([this, stalls = std::move(stalls)] {
      while (!stopping) {
        rd_kafka_poll(handle(), kPollMs);
        stalls->Tick();
      }
    });
  }

  /// Whether there are records that were sent before `then` and are not reported yet.
  bool HasUnderWaySince(std::chrono::steady_clock::time_point then) {
    std::lock_guard lock(mutex);
    if (under_way.empty()) return false;
    const int64_t done = sent - rd_kafka_outq_len(handle());
    while (!under_way.empty() && under_way.front().second <= done) under_way.pop_front();
    return !under_way.empty() && under_way.front().first < then;
  }
  void NoteSent(int64_t records) {
    constexpr auto kStep = std::chrono::milliseconds(10);
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex);
    sent += records;
    if (!under_way.empty() && now - under_way.back().first < kStep) {
      under_way.back().second = sent;
    } else {
      under_way.emplace_back(now, sent);
    }
  }

  rd_kafka_topic_t* Topic(std::string_view name) {
    std::lock_guard lock(mutex);
    auto found = topics.find(name);
    if (found == topics.end()) {
      const std::string text(name);
      KafkaTopic topic(rd_kafka_topic_new(handle(), text.c_str(), nullptr));
      found = topics.emplace(text, std::move(topic)).first;
    }
    return found->second.get();
  }

  /// Every record is reported, whether it got through or not.
  void Finish(int wait_ms) {
    rd_kafka_flush(handle(), wait_ms);
    if (rd_kafka_outq_len(handle()) == 0) return;
    rd_kafka_purge(handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle(), 1000);
  }

  ~Session() {
    if (client == nullptr) return;
    Finish(0);
    stopping = true;
    if (poller.joinable()) poller.join();
    topics.clear();
  }
};

KafkaProducer::KafkaProducer(const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics,
                             std::string_view transactional_id)
    : options_(options),
      topics_(std::move(topics)),
      transactional_id_(transactional_id),
      stalls_(std::make_shared<KafkaStallWatch>(KafkaSessionTimeout(options) / kStallPart)) {}

Result<std::shared_ptr<KafkaProducer>> KafkaProducer::Make(const BrokerOptions& options,
                                                           std::shared_ptr<KafkaTopics> topics,
                                                           std::string_view transactional_id) {
  std::shared_ptr<KafkaProducer> producer(
      new KafkaProducer(options, std::move(topics), transactional_id));
  WEIR_ASSIGN_OR_RETURN(auto session, producer->Current());
  return producer;
}

KafkaProducer::~KafkaProducer() { Close(); }

std::shared_ptr<KafkaClient> KafkaProducer::client() {
  std::lock_guard lock(mutex_);
  return session_ == nullptr ? nullptr : session_->client;
}

void KafkaProducer::Close(int wait_ms) {
  std::lock_guard lock(mutex_);
  closed_ = true;
  if (session_ == nullptr) return;
  session_->Finish(wait_ms);
  session_.reset();
  if (moved_timestamps_ > 0 && options_.log) {
    options_.log(3, "records written at timestamp 1 because Kafka's client cannot write theirs: " +
                        std::to_string(moved_timestamps_));
  }
}

Result<std::shared_ptr<KafkaProducer::Session>> KafkaProducer::Current() {
  std::lock_guard lock(mutex_);
  if (closed_) return Status(ErrorCode::kClosed, "the connection to Kafka is closed");
  char why[256];
  if (session_ != nullptr &&
      (!transactional_id_.empty() ||
       rd_kafka_fatal_error(session_->handle(), why, sizeof why) == RD_KAFKA_RESP_ERR_NO_ERROR)) {
    return session_;
  }
  auto session = std::make_shared<Session>();
  WEIR_ASSIGN_OR_RETURN(
      session->client,
      KafkaClient::Make(
          RD_KAFKA_PRODUCER, options_, "producer", ProducerProperties(transactional_id_, options_),
          [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, &Session::Report); }));
  session->Start(stalls_);
  session_ = session;
  return session;
}

int64_t KafkaProducer::WritableTimestamp(int64_t timestamp_ms) {
  if (timestamp_ms > 0) return timestamp_ms;
  if (moved_timestamps_.fetch_add(1) == 0 && options_.log) {
    options_.log(3, "a record's timestamp is written as 1, as Kafka's client cannot write it: " +
                        std::to_string(timestamp_ms));
  }
  return 1;
}

Status KafkaProducer::AwaitRoom(Session& session) {
  const auto deadline = std::chrono::steady_clock::now() + kFullMax;
  const auto age_max = KafkaSessionTimeout(options_) / kAgeMaxPart;
  while (session.HasUnderWaySince(std::chrono::steady_clock::now() - age_max)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Status(ErrorCode::kKafkaUnavailable, "the brokers take no records");
    }
    rd_kafka_poll(session.handle(), 5);
  }
  return OkStatus();
}

Status KafkaProducer::Send(std::string_view topic, int32_t partition, RecordBatchBuilder& records,
                           KafkaDelivery& delivery) {
  WEIR_ASSIGN_OR_RETURN(const int32_t partitions, topics_->Partitions(topic));
  if (partition < 0 || partition >= partitions) {
    return UnknownPartition(topic, partition, partitions);
  }
  WEIR_ASSIGN_OR_RETURN(auto session, Current());
  rd_kafka_topic_t* handle = session->Topic(topic);
  if (handle == nullptr) return FromKafka(rd_kafka_last_error(), "no topic " + std::string(topic));
  WEIR_RETURN_IF_ERROR(AwaitRoom(*session));
  KafkaDelivery::Lane& lane = delivery.LaneOf(topic, partition);
  Status status;
  int64_t taken = 0;
  for (; taken < records.size(); ++taken) {
    status = SendOne(*session, handle, records, static_cast<size_t>(taken), lane);
    if (!status.ok()) break;
  }
  session->NoteSent(taken);
  WEIR_RETURN_IF_ERROR(std::move(status));
  records.Clear();
  return OkStatus();
}

Status KafkaProducer::SendOne(Session& session, rd_kafka_topic_t* topic,
                              const RecordBatchBuilder& records, size_t row,
                              KafkaDelivery::Lane& lane) {
  const Slice key = records.keys()[row];
  const Slice value = records.values()[row];
  const std::string_view key_bytes = records.View(key);
  const std::string_view value_bytes = records.View(value);
  rd_kafka_headers_t* headers = nullptr;
  if (!records.headers().empty() && !records.headers()[row].is_null()) {
    headers = MakeHeaders(records.View(records.headers()[row]));
  }
  const int64_t timestamp = WritableTimestamp(records.timestamps()[row]);
  lane.delivery->Sent();
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  const auto deadline = std::chrono::steady_clock::now() + kFullMax;
  while (true) {
    error = rd_kafka_producev(
        session.handle(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(lane.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(DataOf(key_bytes, key.is_null()), key_bytes.size()),
        RD_KAFKA_V_VALUE(const_cast<void*>(DataOf(value_bytes, value.is_null())),
                         value_bytes.size()),
        RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_OPAQUE(&lane), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || std::chrono::steady_clock::now() > deadline)
      break;
    rd_kafka_poll(session.handle(), 5);
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return OkStatus();
  // Not taken: nobody else will report it or free its headers.
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  const std::string doing = "a record for topic " + lane.topic + ", partition " +
                            std::to_string(lane.partition) + ", was not written";
  lane.delivery->Done(error, lane, 0);
  Status status = FromKafka(error, doing);
  if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return status;
  return Status(ErrorCode::kKafkaUnavailable, status.message());
}

}  // namespace weir
