// The limit of branching a Kafka topic of rides: a bare loop that consumes, reads all 18 columns,
// writes them as JSON again, and produces them to one of two topics. Prints records, and how many
// cost at least 40.
//
//   branch_topics BROKERS TOPIC HIGH_TOPIC LOW_TOPIC

#include <cstdint>
#include <cstdio>
#include <string>

#include "bench/limits/kafka_topic.h"
#include "bench/limits/ride_row.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 5) {
    std::fputs("usage: branch_topics BROKERS TOPIC HIGH_TOPIC LOW_TOPIC\n", stderr);
    return 2;
  }
  TopicValues values(argv[1], argv[2]);
  TopicWriter writer(argv[1]);
  const size_t outputs[] = {writer.Add(argv[4]), writer.Add(argv[3])};
  ondemand::parser parser;
  std::string_view value;
  std::string encoded;
  Row row;
  uint64_t records = 0, high = 0;
  for (; values.Next(value); ++records) {
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(values.Padded(value)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS || !ReadRow(object, row)) {
      Fail("a record is no ride");
    }
    const bool is_high = row[kTotalAmount].number >= kHighAmount;
    high += is_high;
    encoded.clear();
    AppendRow(row, encoded);
    writer.Write(outputs[is_high], {}, encoded);
    if (records % 1024 == 0) writer.Poll();
  }
  writer.Flush();
  std::printf("%lu %lu\n", records, high);
  return 0;
}
