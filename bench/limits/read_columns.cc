// The limit of a query over an NDJSON file: reading just the columns it needs. Prints lines read
// and checksum.
//
//   read_columns WORK FILE [WORK FILE]...

#include <cstdio>

#include "bench/limits/column_reading.h"
#include "bench/limits/line_reader.h"

int main(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) {
    std::fputs("usage: read_columns WORK FILE [WORK FILE]...\n", stderr);
    return 2;
  }
  weir::bench::Checksum checksum;
  uint64_t lines = 0;
  for (int i = 1; i < argc; i += 2) {
    weir::bench::LineReader reader(argv[i + 1]);
    lines += weir::bench::RunWork(argv[i], reader, checksum);
  }
  std::printf("%lu %016lx\n", lines, checksum.sum());
  return 0;
}
