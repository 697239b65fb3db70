// The bare producer: each line of a file becomes a record of a topic. With a field, its number as
// Kafka's BIGINT is the key. Prints the number of records.
//
//   produce_lines BROKERS TOPIC FILE [FIELD]

#include <cstdint>
#include <cstdio>

#include "bench/limits/kafka_topic.h"
#include "bench/limits/line_reader.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  if (argc != 4 && argc != 5) {
    std::fputs("usage: produce_lines BROKERS TOPIC FILE [FIELD]\n", stderr);
    return 2;
  }
  TopicWriter writer(argv[1]);
  const size_t topic = writer.Add(argv[2]);
  LineReader reader(argv[3]);
  simdjson::ondemand::parser parser;
  std::string_view line;
  uint64_t records = 0;
  for (; reader.Next(line); ++records) {
    char key[8];
    if (argc == 5) {
      simdjson::ondemand::document document;
      int64_t number = 0;
      if (parser.iterate(reader.Padded(line)).get(document) != simdjson::SUCCESS ||
          document[std::string_view(argv[4])].get(number) != simdjson::SUCCESS) {
        Fail("a line lacks the field");
      }
      for (int i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
    }
    writer.Write(topic, argc == 5 ? std::string_view(key, 8) : std::string_view(), line);
    if (records % 1024 == 0) writer.Poll();
  }
  writer.Flush();
  std::printf("%lu\n", records);
  return 0;
}
