// The limit of a query over Kafka topics: consuming them by librdkafka's batch queue and reading
// just the columns it needs from a padded copy. Prints records read and checksum. The work "bytes"
// reads whatever records there are, without looking into them.
//
//   consume_columns BROKERS WORK TOPIC [WORK TOPIC]...

#include <cstdio>
#include <string_view>

#include "bench/limits/column_reading.h"
#include "bench/limits/kafka_topic.h"

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) {
    std::fputs("usage: consume_columns BROKERS WORK TOPIC [WORK TOPIC]...\n", stderr);
    return 2;
  }
  weir::bench::Checksum checksum;
  uint64_t records = 0;
  for (int i = 2; i < argc; i += 2) {
    weir::bench::TopicValues values(argv[1], argv[i + 1]);
    if (std::string_view(argv[i]) != "bytes") {
      records += weir::bench::RunWork(argv[i], values, checksum);
      continue;
    }
    for (std::string_view value; values.Next(value); ++records) checksum.Add(value);
  }
  std::printf("%lu %016lx\n", records, checksum.sum());
  return 0;
}
