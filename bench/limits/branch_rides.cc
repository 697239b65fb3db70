// The limit of branching rides: reads all 18 columns by simdjson, writes them as JSON again, and
// appends to one file. Prints lines, and how many cost at least 40.
//
//   branch_rides FILE OUTPUT

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/limits/line_reader.h"
#include "bench/limits/ride_row.h"

namespace weir::bench {
namespace {

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void WriteAll(int descriptor, std::string& buffer) {
  for (size_t done = 0; done < buffer.size();) {
    const ssize_t count = write(descriptor, buffer.data() + done, buffer.size() - done);
    if (count < 0) Fail("write");
    done += count;
  }
  buffer.clear();
}

void Branch(const char* input, const char* output) {
  const int descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) Fail(output);
  ondemand::parser parser;
  LineReader reader(input);
  std::string buffer;
  std::string_view line;
  Row row;
  uint64_t lines = 0, high = 0;
  for (; reader.Next(line); ++lines) {
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(reader.Padded(line)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS || !ReadRow(object, row)) {
      std::fprintf(stderr, "branch_rides: line %lu is no ride\n", lines + 1);
      std::exit(1);
    }
    high += row[kTotalAmount].number >= kHighAmount;
    AppendRow(row, buffer);
    buffer += '\n';
    if (buffer.size() >= 1 << 20) WriteAll(descriptor, buffer);
  }
  WriteAll(descriptor, buffer);
  if (close(descriptor) != 0) Fail(output);
  std::printf("%lu %lu\n", lines, high);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: branch_rides FILE OUTPUT\n", stderr);
    return 2;
  }
  weir::bench::Branch(argv[1], argv[2]);
  return 0;
}
