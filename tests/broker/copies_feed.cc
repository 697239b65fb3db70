#include "tests/broker/copies_feed.h"

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace weir::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kFlushMs = 60'000;

}  // namespace

struct RecordFeed::Producer {
  rd_kafka_t* handle = nullptr;
  std::atomic<bool> failed = false;
  ~Producer() {
    if (handle == nullptr) return;
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(handle);
  }
  static void Report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    const bool written = message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= 0;
    if (!written) static_cast<Producer*>(opaque)->failed = true;
  }
};

RecordFeed::RecordFeed(const std::string& brokers, FeedSteps steps, int64_t rate)
    : steps_(std::move(steps)), rate_(rate), producer_(std::make_unique<Producer>()) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512];
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, const char*>>{{"bootstrap.servers", brokers.c_str()},
                                                        {"enable.idempotence", "true"},
                                                        // A broker that has come back may take a
                                                        // batch behind one that it refused.
                                                        {"max.in.flight", "1"},
                                                        {"partitioner", "murmur2_random"},
                                                        {"linger.ms", "5"},
                                                        {"log_level", "2"},
                                                        {"reconnect.backoff.max.ms", "500"}}) {
    rd_kafka_conf_set(conf, name, value, why, sizeof why);
  }
  rd_kafka_conf_set_opaque(conf, producer_.get());
  rd_kafka_conf_set_dr_msg_cb(conf, &Producer::Report);
  producer_->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (producer_->handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    error_ = why;
    return;
  }
  thread_ = std::thread([this] { Run(); });
}

RecordFeed::~RecordFeed() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RecordFeed::Release(int64_t steps) {
  {
    std::lock_guard lock(mutex_);
    released_ = steps;
  }
  changed_.notify_all();
}

bool RecordFeed::WaitForSent(int64_t steps, std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return sent_ >= steps || !error_.empty(); });
  return sent_ >= steps && error_.empty();
}

bool RecordFeed::WaitForAcknowledged(std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return flushed_ >= released_ || !error_.empty(); });
  return flushed_ >= released_ && error_.empty();
}

std::string RecordFeed::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

void RecordFeed::Fail(const std::string& what) {
  std::lock_guard lock(mutex_);
  error_ = what;
  changed_.notify_all();
}

bool RecordFeed::Send(const FeedRecord& to_send) {
  const KafkaRecord& record = to_send.record;
  const void* key = record.key ? record.key->data() : nullptr;
  const size_t key_size = record.key ? record.key->size() : 0;
  // librdkafka's macro wants a pointer to mutable bytes, and copies them.
  void* value = record.value ? const_cast<char*>(record.value->data()) : nullptr;
  const size_t value_size = record.value ? record.value->size() : 0;
  rd_kafka_resp_err_t error;
  do {
    error =
        rd_kafka_producev(producer_->handle, RD_KAFKA_V_TOPIC(to_send.topic->c_str()),
                          RD_KAFKA_V_PARTITION(record.partition), RD_KAFKA_V_KEY(key, key_size),
                          RD_KAFKA_V_VALUE(value, value_size),
                          RD_KAFKA_V_TIMESTAMP((record.timestamp_ms < 0 ? 0 : record.timestamp_ms)),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    rd_kafka_poll(producer_->handle, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 50 : 0);
  } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(rd_kafka_err2str(error));
  return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void RecordFeed::Run() {
  std::vector<FeedRecord> records;
  auto slice_start = Clock::now();  // The rate counts anew after each wait for a release.
  int64_t slice_first = 0;
  while (true) {
    int64_t limit = 0;
    {
      std::unique_lock lock(mutex_);
      if (sent_ >= released_ && !stopping_) {
        lock.unlock();
        const bool flushed =
            rd_kafka_flush(producer_->handle, kFlushMs) == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (!flushed || producer_->failed) return Fail("records were not delivered");
        lock.lock();
        flushed_ = sent_.load();
        changed_.notify_all();
        changed_.wait(lock, [&] { return stopping_ || sent_ < released_; });
        slice_start = Clock::now();
        slice_first = sent_;
      }
      if (stopping_) return;
      limit = released_;
    }
    if (rate_ > 0) {
      const int64_t due =
          slice_first + 1 +
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - slice_start)
                  .count() *
              rate_ / 1000;
      if (due <= sent_) {
        const auto next =
            slice_start + std::chrono::milliseconds((sent_ - slice_first) * 1000 / rate_ + 1);
        std::unique_lock lock(mutex_);
        changed_.wait_until(lock, next, [&] { return stopping_; });
        continue;
      }
      limit = std::min(limit, due);
    }
    limit = std::min<int64_t>(limit, sent_ + 1000);
    records.clear();
    for (int64_t step = sent_; step < limit; ++step) steps_(step, records);
    for (const FeedRecord& record : records) {
      if (!Send(record)) return;
    }
    std::lock_guard lock(mutex_);
    sent_ = limit;
    changed_.notify_all();
  }
}

}  // namespace weir::testing
