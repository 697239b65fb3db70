// The limit of latency: a plain echo, which produces again whatever it consumes. Prints median and
// 99th percentile from before a record is produced to the receipt of its echo.
//
//   echo_latency BROKERS INPUT_TOPIC OUTPUT_TOPIC PER_SECOND SECONDS

#include "bench/limits/latency_probe.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 6) {
    std::fputs("usage: echo_latency BROKERS INPUT OUTPUT PER_SECOND SECONDS\n", stderr);
    return 2;
  }
  const std::string brokers = argv[1];
  std::atomic<bool> done = false;
  std::thread echo([&] {
    Tail input(brokers, argv[2]);
    TopicWriter writer(brokers, "0");
    const size_t output = writer.Add(argv[3]);
    while (!done) {
      input.Next([&](const rd_kafka_message_t& message) {
        writer.Write(output, {static_cast<const char*>(message.key), message.key_len},
                     {static_cast<const char*>(message.payload), message.len});
      });
      writer.Poll();
    }
    writer.Flush();
  });
  // The echo reads from the end: it must stand there before the first record.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  LatencyProbe probe(brokers, argv[2], argv[3], std::atoi(argv[4]), std::atoi(argv[5]));
  probe.Run([](const rd_kafka_message_t& message) {
    return std::vector<int64_t>{NumberOf(message, "SEQ")};
  });
  done = true;
  echo.join();
  return 0;
}
