// Latency of the engine inside this process: from before a record is produced to the receipt of the
// output record that it led to. Prints median and 99th percentile.
//
//   engine_latency BROKERS filter|count INPUT_TOPIC OUTPUT_TOPIC PER_SECOND SECONDS STATE_DIR
//   [NAME=VALUE]...
//
// Both topics exist, with one partition. The rest are settings of the engine.

#include <weir/weir.h>

#include "bench/limits/latency_probe.h"

namespace weir::bench {
namespace {

std::string QueryOf(std::string_view work, const std::string& input, const std::string& output) {
  const std::string source = "CREATE STREAM src (k VARCHAR KEY, SEQ INT) WITH (KAFKA_TOPIC = '" +
                             input + "', VALUE_FORMAT = 'JSON');\n";
  const std::string with = " WITH (KAFKA_TOPIC = '" + output + "', VALUE_FORMAT = 'JSON') AS ";
  if (work == "filter") {
    return source + "CREATE STREAM out" + with + "SELECT k, SEQ FROM src WHERE SEQ >= 0;";
  }
  return source + "CREATE TABLE out" + with + "SELECT k, COUNT(*) AS N FROM src GROUP BY k;";
}

/// A count of n stands for the first n records of its key, of which some may have come out before.
class CountedNumbers {
 public:
  std::vector<int64_t> operator()(const rd_kafka_message_t& message) {
    std::vector<int64_t> numbers;
    const std::string key(static_cast<const char*>(message.key), message.key_len);
    const int64_t count = NumberOf(message, "N");
    int64_t& seen = seen_[key];
    for (; seen < count; ++seen) numbers.push_back(seen * kLatencyKeys + std::stoll(key));
    return numbers;
  }

 private:
  std::map<std::string, int64_t> seen_;
};

int Main(int argc, char** argv) {
  if (argc < 8) {
    std::fputs(
        "usage: engine_latency BROKERS filter|count INPUT OUTPUT PER_SECOND SECONDS "
        "STATE_DIR [NAME=VALUE]...\n",
        stderr);
    return 2;
  }
  EngineOptions options;
  options.brokers = argv[1];
  options.application_id = std::string("latency-") + argv[4];
  options.state_dir = argv[7];
  for (int i = 8; i < argc; ++i) {
    const std::string_view setting = argv[i];
    const size_t equals = setting.find('=');
    if (equals == setting.npos) Fail("not NAME=VALUE: " + std::string(setting));
    options.settings[std::string(setting.substr(0, equals))] = setting.substr(equals + 1);
  }
  auto engine = Engine::Open(std::move(options));
  if (!engine.ok()) Fail(engine.status().ToString());
  const std::string work = argv[2];
  auto started = (*engine)->Execute(QueryOf(work, argv[3], argv[4]));
  if (!started.ok()) Fail(started.status().ToString());
  LatencyProbe probe(argv[1], argv[3], argv[4], std::atoi(argv[5]), std::atoi(argv[6]));
  if (work == "filter") {
    probe.Run([](const rd_kafka_message_t& message) {
      return std::vector<int64_t>{NumberOf(message, "SEQ")};
    });
  } else {
    probe.Run(CountedNumbers());
  }
  return (*engine)->Close().ok() ? 0 : 1;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) { return weir::bench::Main(argc, argv); }
