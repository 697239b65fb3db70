#include "exec/connect/kafka/kafka_reader.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "base/memory_shares.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"

namespace weir {
namespace {

constexpr std::string_view kWaysOn =
    "records expired before they were read, or the topic was made anew: `weir reset --query ID` "
    "(or "
    "DROP and CREATE) starts the query again from what is there, FROM TIMESTAMP or FROM OFFSETS in "
    "the query says where else";

constexpr int32_t kMessagesPerCall = 512;
/// What librdkafka fetches ahead of the reader, per partition.
constexpr int64_t kAheadRecordsMax = 100'000;
constexpr int kNudgeMs = 1000;

KafkaClient::Properties ConsumerProperties(int64_t ahead_bytes) {
  return {{"enable.auto.commit", "false"},
          {"enable.partition.eof", "true"},
          {"auto.offset.reset", "error"},
          {"allow.auto.create.topics", "false"},
          {"isolation.level", "read_committed"},
          // Records are sent as soon as there is one. How long an idle request waits is also how
          // long a partition that joins waits for its first.
          {"fetch.min.bytes", "1"},
          {"fetch.wait.max.ms", "20"},
          {"fetch.error.backoff.ms", "100"},
          {"reconnect.backoff.max.ms", "1000"},
          // Larger ones cost twice the CPU.
          {"max.partition.fetch.bytes", "1048576"},
          // Both bound the memory of one partition.
          {"queued.min.messages", std::to_string(kAheadRecordsMax)},
          {"queued.max.messages.kbytes", std::to_string(ahead_bytes / 1024)}};
}

/// The messages of one call, destroyed together.
struct MessageRun {
  std::array<rd_kafka_message_t*, kMessagesPerCall> messages;
  ssize_t count = 0;
  ~MessageRun() {
    for (ssize_t i = 0; i < count; ++i) rd_kafka_message_destroy(messages[static_cast<size_t>(i)]);
  }
};

class KafkaReader final : public PartitionReader {
 public:
  KafkaReader(std::shared_ptr<KafkaConsumer> consumer, std::string_view topic, int32_t partition,
              int64_t position, int64_t end, bool with_headers)
      : consumer_(std::move(consumer)),
        topic_name_(topic),
        partition_(partition),
        position_(position),
        end_at_open_(end),
        with_headers_(with_headers) {}

  ~KafkaReader() override {
    if (queue_ != nullptr) rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
    if (started_) rd_kafka_consume_stop(topic_.get(), partition_);
    topic_.reset();
    queue_.reset();
    consumer_->Release(topic_name_, partition_);
  }

  Status Start() {
    rd_kafka_t* handle = consumer_->client().handle();
    topic_.reset(rd_kafka_topic_new(handle, topic_name_.c_str(), nullptr));
    queue_.reset(rd_kafka_queue_new(handle));
    rd_kafka_queue_cb_event_enable(queue_.get(), &KafkaReader::OnArrival, consumer_->wake().get());
    if (topic_ == nullptr ||
        rd_kafka_consume_start_queue(topic_.get(), partition_, position_, queue_.get()) != 0) {
      return FromKafka(rd_kafka_last_error(), Doing());
    }
    started_ = true;
    return OkStatus();
  }

  Status Fetch(int32_t rows_max, size_t bytes_max, RecordBatch& out) override {
    out.Clear();
    out.partition = partition_;
    if (!error_.ok()) return error_;
    bytes_.Clear();
    while (out.size() < rows_max && bytes_.size() < bytes_max && error_.ok()) {
      const auto length = static_cast<int64_t>(rd_kafka_queue_length(queue_.get()));
      if (length == 0) break;
      most_ahead_ = std::max(most_ahead_, length);
      MessageRun run;
      const auto wanted = std::min<int64_t>(rows_max - out.size(), kMessagesPerCall);
      run.count = rd_kafka_consume_batch_queue(queue_.get(), 0, run.messages.data(),
                                               static_cast<size_t>(wanted));
      if (run.count <= 0) break;
      for (ssize_t i = 0; i < run.count; ++i) {
        const rd_kafka_message_t& message = *run.messages[static_cast<size_t>(i)];
        if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
          Add(message, out);
        } else {
          TakeEvent(message);
        }
      }
    }
    if (out.size() > 0) {
      fetched_records_ += out.size();
      fetched_bytes_ += static_cast<int64_t>(bytes_.size());
      out.bytes = bytes_.Finish();
      FetchAhead();
      return OkStatus();
    }
    // Whoever asks again at once must not keep librdkafka's threads from the processor.
    if (error_.ok() && !at_end_) std::this_thread::yield();
    return error_;
  }

  int64_t position() const override { return position_; }

  int64_t end_offset() const override {
    int64_t low = 0;
    int64_t high = -1;
    // What the latest answer to a fetch said.
    rd_kafka_get_watermark_offsets(consumer_->client().handle(), topic_name_.c_str(), partition_,
                                   &low, &high);
    if (at_end_) return std::max(position_, high);
    return std::max({position_, high, end_at_open_});
  }

  bool caught_up() const override { return at_end_ && rd_kafka_queue_length(queue_.get()) == 0; }

 private:
  static void OnArrival(rd_kafka_t*, void* opaque) {
    auto* entry = static_cast<WakeList::Entry*>(opaque);
    std::lock_guard lock(entry->mutex);
    if (entry->listener) entry->listener();
  }

  std::string Doing() const {
    return "topic " + topic_name_ + ", partition " + std::to_string(partition_) +
           ", cannot be read";
  }

  Slice Copy(const void* data, size_t size) {
    Slice slice{static_cast<uint32_t>(bytes_.size()), -1};
    if (data == nullptr) return slice;
    slice.length = static_cast<int32_t>(size);
    bytes_.Append(data, size);
    return slice;
  }

  void Add(const rd_kafka_message_t& message, RecordBatch& out) {
    at_end_ = false;
    position_ = message.offset + 1;
    // To see that there are none takes librdkafka an allocation.
    if (with_headers_) AddHeaders(message, out);
    out.keys.push_back(Copy(message.key, message.key_len));
    out.values.push_back(Copy(message.payload, message.len));
    out.offsets.push_back(message.offset);
    // Records of very old brokers have no timestamp.
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const int64_t time = std::max<int64_t>(0, rd_kafka_message_timestamp(&message, &type));
    out.timestamps.push_back(time);
    if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) {
      out.append_times.resize(out.timestamps.size() - 1, time);
      out.append_times.push_back(time);
    } else if (!out.append_times.empty()) {
      out.append_times.push_back(time);
    }
  }

  /// librdkafka stops fetching when its queue is full, and looks again only after a second. It is
  /// told to look as soon as half of the queue is gone.
  void FetchAhead() {
    const auto length = static_cast<int64_t>(rd_kafka_queue_length(queue_.get()));
    const int64_t bytes_each = fetched_bytes_ / fetched_records_ + 1;
    const int64_t full = std::min(kAheadRecordsMax, consumer_->ahead_bytes() / bytes_each);
    if (most_ahead_ < full * 3 / 4 || length > full / 2) return;
    most_ahead_ = length;
    consumer_->Nudge(topic_name_, partition_);
  }

  void AddHeaders(const rd_kafka_message_t& message, RecordBatch& out) {
    rd_kafka_headers_t* headers = nullptr;
    const bool has_headers =
        rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_cnt(headers) > 0;
    if (!has_headers) {
      if (!out.headers.empty()) out.headers.push_back({});
      return;
    }
    out.headers.resize(out.values.size());
    Slice slice{static_cast<uint32_t>(bytes_.size()), -1};
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      std::optional<std::string_view> text;
      if (value != nullptr) text.emplace(static_cast<const char*>(value), size);
      AppendHeader(name, text, bytes_);
    }
    slice.length = static_cast<int32_t>(bytes_.size() - slice.begin);
    out.headers.push_back(slice);
  }

  /// What is in the queue beside records: the end of the partition, or an error.
  void TakeEvent(const rd_kafka_message_t& message) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        // Past control records, which are never given out.
        position_ = std::max(position_, message.offset);
        at_end_ = true;
        return;
      case RD_KAFKA_RESP_ERR__TRANSPORT:
      case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      case RD_KAFKA_RESP_ERR__RESOLVE:
      case RD_KAFKA_RESP_ERR__TIMED_OUT: return;  // It logs these and goes on by itself.
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        error_ = Status(ErrorCode::kOffsetOutOfRange,
                        "topic " + topic_name_ + ", partition " + std::to_string(partition_) +
                            ", no longer keeps the offset " + std::to_string(position_))
                     .WithHint(std::string(kWaysOn));
        return;
      default:
        error_ = FromKafka(
            message.err, Doing(),
            message.payload == nullptr
                ? std::string_view()
                : std::string_view(static_cast<const char*>(message.payload), message.len));
    }
  }

  const std::shared_ptr<KafkaConsumer> consumer_;
  const std::string topic_name_;
  const int32_t partition_;
  int64_t position_;
  const int64_t end_at_open_;
  const bool with_headers_;
  int64_t most_ahead_ = 0;  ///< Of the queue, since the last nudge.
  int64_t fetched_records_ = 0;
  int64_t fetched_bytes_ = 0;
  /// The end was announced, and nothing came since.
  bool at_end_ = false;
  bool started_ = false;
  Status error_;
  BufferBuilder bytes_;
  KafkaTopic topic_;
  KafkaQueue queue_;
};

}  // namespace

Result<std::shared_ptr<KafkaConsumer>> KafkaConsumer::Make(const BrokerOptions& options,
                                                           std::string_view name) {
  auto consumer = std::make_shared<KafkaConsumer>();
  consumer->ahead_bytes_ = MemoryShares::Of(options.memory_limit).kafka_partition;
  WEIR_ASSIGN_OR_RETURN(consumer->client_,
                        KafkaClient::Make(RD_KAFKA_CONSUMER, options, name,
                                          ConsumerProperties(consumer->ahead_bytes_)));
  return consumer;
}

KafkaConsumer::~KafkaConsumer() {
  {
    std::lock_guard lock(nudge_mutex_);
    stopping_ = true;
  }
  nudged_.notify_all();
  if (nudger_.joinable()) nudger_.join();
}

void KafkaConsumer::Nudge(const std::string& topic, int32_t partition) {
  {
    std::lock_guard lock(nudge_mutex_);
    nudge_.emplace(topic, partition);
    if (!nudger_.joinable()) nudger_ = std::thread([this] { ServeNudges(); });
  }
  nudged_.notify_one();
}

void KafkaConsumer::ServeNudges() {
  std::unique_lock lock(nudge_mutex_);
  while (true) {
    nudged_.wait(lock, [this] { return stopping_ || nudge_.has_value(); });
    if (stopping_) return;
    const auto [topic, partition] = *std::exchange(nudge_, std::nullopt);
    lock.unlock();
    // Any request to the partition's leader wakes the thread that fetches from it.
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_query_watermark_offsets(client_->handle(), topic.c_str(), partition, &low, &high,
                                     kNudgeMs);
    lock.lock();
  }
}

bool KafkaConsumer::Take(std::string_view topic, int32_t partition) {
  std::lock_guard lock(mutex_);
  return taken_.emplace(topic, partition).second;
}

void KafkaConsumer::Release(std::string_view topic, int32_t partition) {
  std::lock_guard lock(mutex_);
  taken_.erase({std::string(topic), partition});
}

KafkaReadSession::KafkaReadSession(const BrokerOptions& options,
                                   std::shared_ptr<KafkaTopics> topics, std::string_view name)
    : options_(options),
      topics_(std::move(topics)),
      name_(name),
      wake_(std::make_shared<WakeList::Entry>()) {}

Result<std::unique_ptr<KafkaReadSession>> KafkaReadSession::Make(
    const BrokerOptions& options, std::shared_ptr<KafkaTopics> topics, std::string_view name) {
  std::unique_ptr<KafkaReadSession> session(new KafkaReadSession(options, std::move(topics), name));
  return session;
}

KafkaReadSession::~KafkaReadSession() { SetListener({}); }

void KafkaReadSession::SetListener(std::function<void()> listener) {
  std::lock_guard lock(wake_->mutex);
  wake_->listener = std::move(listener);
}

void KafkaReadSession::SkipHeaders(std::string_view topic) {
  std::lock_guard lock(mutex_);
  headerless_.emplace(topic);
}

Result<std::shared_ptr<KafkaConsumer>> KafkaReadSession::TakeConsumer(std::string_view topic,
                                                                      int32_t partition) {
  std::lock_guard lock(mutex_);
  for (const auto& consumer : consumers_) {
    if (consumer->Take(topic, partition)) return consumer;
  }
  WEIR_ASSIGN_OR_RETURN(auto consumer, KafkaConsumer::Make(options_, name_));
  consumer->wake_ = wake_;
  consumer->Take(topic, partition);
  consumers_.push_back(consumer);
  return consumer;
}

Result<std::unique_ptr<PartitionReader>> KafkaReadSession::Open(std::string_view topic,
                                                                int32_t partition,
                                                                StartPosition start) {
  WEIR_ASSIGN_OR_RETURN(const int32_t partitions, topics_->Partitions(topic));
  if (partition < 0 || partition >= partitions) {
    return UnknownPartition(topic, partition, partitions);
  }
  WEIR_ASSIGN_OR_RETURN(auto consumer, TakeConsumer(topic, partition));
  struct Held {
    KafkaConsumer* consumer;
    std::string_view topic;
    int32_t partition;
    ~Held() {
      if (consumer != nullptr) consumer->Release(topic, partition);
    }
  } held{consumer.get(), topic, partition};
  KafkaClient& client = consumer->client();
  WEIR_ASSIGN_OR_RETURN(const int64_t first,
                        client.FindOffset(topic, partition, KafkaClient::kFirst));
  WEIR_ASSIGN_OR_RETURN(const int64_t end, client.FindOffset(topic, partition, KafkaClient::kEnd));
  int64_t position = first;
  if (start.kind == StartPosition::Kind::kLatest) position = end;
  if (start.kind == StartPosition::Kind::kOffset) position = start.value;
  if (start.kind == StartPosition::Kind::kTimestamp) {
    WEIR_ASSIGN_OR_RETURN(position,
                          client.FindOffset(topic, partition, std::max<int64_t>(start.value, 0)));
    if (position < 0) position = end;
  }
  if (position < first || position > end) {
    return Status(ErrorCode::kOffsetOutOfRange,
                  "topic " + std::string(topic) + ", partition " + std::to_string(partition) +
                      ", keeps the offsets " + std::to_string(first) + " to " +
                      std::to_string(end) +
                      ", not the offset to go on from: " + std::to_string(position))
        .WithHint(std::string(kWaysOn));
  }
  held.consumer = nullptr;
  bool with_headers = true;
  {
    std::lock_guard lock(mutex_);
    with_headers = !headerless_.contains(topic);
  }
  auto reader =
      std::make_unique<KafkaReader>(consumer, topic, partition, position, end, with_headers);
  WEIR_RETURN_IF_ERROR(reader->Start());
  return std::unique_ptr<PartitionReader>(std::move(reader));
}

}  // namespace weir
