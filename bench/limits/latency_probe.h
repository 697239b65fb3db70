#pragma once
// Latency in one process, on one clock: a producer writes numbered records at a steady rate, a
// consumer of the output topic tells when each number arrived. What stands between the two topics
// is the other's affair.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/limits/kafka_topic.h"

namespace weir::bench {

inline constexpr int kLatencyKeys = 100;

/// Consumes one partition from its end on, with no delay of its own.
class Tail {
 public:
  Tail(const std::string& brokers, const std::string& topic)
      : client_(OpenClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                               {"group.id", "latency"},
                                               {"enable.auto.commit", "false"},
                                               {"isolation.level", "read_committed"},
                                               {"fetch.wait.max.ms", "10"}})) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    int64_t low = 0, high = 0;
    if (rd_kafka_query_watermark_offsets(client_, topic.c_str(), 0, &low, &high, 30000) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      Fail("no topic " + topic);
    }
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = high;
    rd_kafka_assign(client_, list);
    rd_kafka_topic_partition_list_destroy(list);
  }
  ~Tail() {
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  /// Calls `take` with the next record, if one comes in time.
  bool Next(const std::function<void(const rd_kafka_message_t&)>& take) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client_, 100);
    if (message == nullptr) return false;
    const bool good = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (good) take(*message);
    rd_kafka_message_destroy(message);
    return good;
  }

 private:
  rd_kafka_t* client_;
};

/// Sends `seconds` worth of records to `input` and waits until all have come out of `output`, or
/// ten seconds pass without one. A record's value is {"SEQ":n,"K":n % kLatencyKeys}, its key K.
class LatencyProbe {
 public:
  LatencyProbe(const std::string& brokers, const std::string& input, const std::string& output,
               int per_second, int seconds)
      : total_(static_cast<int64_t>(per_second) * seconds),
        step_(std::chrono::nanoseconds(1'000'000'000 / per_second)),
        tail_(brokers, output),
        writer_(brokers, "0"),
        input_(writer_.Add(input)),
        sent_(total_),
        arrived_(total_) {}

  /// `numbers` gives the numbers that an output record stands for.
  void Run(const std::function<std::vector<int64_t>(const rd_kafka_message_t&)>& numbers) {
    std::thread producer([this] { Produce(); });
    int64_t missing = total_;
    auto last = Clock::now();
    while (missing > 0 && Clock::now() - last < std::chrono::seconds(10)) {
      tail_.Next([&](const rd_kafka_message_t& message) {
        const auto now = Clock::now();
        last = now;
        for (int64_t number : numbers(message)) {
          if (number < 0 || number >= total_ || arrived_[number] != Clock::time_point()) continue;
          arrived_[number] = now;
          --missing;
        }
      });
    }
    producer.join();
    Print(missing);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Produce() {
    const auto begin = Clock::now();
    for (int64_t number = 0; number < total_; ++number) {
      std::this_thread::sleep_until(begin + number * step_);
      const std::string key = std::to_string(number % kLatencyKeys);
      const std::string value = "{\"SEQ\":" + std::to_string(number) + ",\"K\":" + key + "}";
      sent_[number] = Clock::now();
      writer_.Write(input_, key, value);
      writer_.Poll();
    }
    writer_.Flush();
  }

  /// The first tenth warms up and does not count.
  void Print(int64_t missing) const {
    std::vector<double> times;
    for (int64_t number = total_ / 10; number < total_; ++number) {
      if (arrived_[number] == Clock::time_point()) continue;
      times.push_back(
          std::chrono::duration<double, std::milli>(arrived_[number] - sent_[number]).count());
    }
    if (times.empty()) Fail("no record came out");
    std::sort(times.begin(), times.end());
    std::printf("{\"median_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"missing\": %ld}\n",
                times[times.size() / 2], times[times.size() * 99 / 100], times.back(), missing);
  }

  const int64_t total_;
  const std::chrono::nanoseconds step_;
  Tail tail_;
  TopicWriter writer_;
  const size_t input_;
  std::vector<Clock::time_point> sent_, arrived_;
};

/// The number that follows `"NAME":` in a JSON text; -1 if there is none.
inline int64_t NumberOf(const rd_kafka_message_t& message, std::string_view name) {
  const std::string_view text(static_cast<const char*>(message.payload), message.len);
  const size_t at = text.find("\"" + std::string(name) + "\":");
  return at == text.npos ? -1 : std::strtoll(text.data() + at + name.size() + 3, nullptr, 10);
}

}  // namespace weir::bench
