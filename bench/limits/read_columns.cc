// The limit of a query over an NDJSON file: reading just the columns it needs, in document order,
// and nothing done with them but a checksum. Prints lines read and checksum.
//
//   read_columns WORK FILE [WORK FILE]...

#include <simdjson.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "bench/limits/line_reader.h"

namespace weir::bench {
namespace {

namespace ondemand = simdjson::ondemand;

/// Adds up what was read, so that no reading can be left out.
class Checksum {
 public:
  void Add(int64_t value) { sum_ += static_cast<uint64_t>(value); }
  void Add(double value) { sum_ += std::bit_cast<uint64_t>(value); }
  void Add(std::string_view value) {
    sum_ += value.size() + static_cast<unsigned char>(value.empty() ? 0 : value.back());
  }
  uint64_t sum() const { return sum_; }

 private:
  uint64_t sum_ = 0;
};

template <typename T>
void Read(ondemand::object& object, std::string_view name, Checksum& checksum) {
  T value;
  if (object.find_field(name).get(value) != simdjson::SUCCESS) {
    std::fprintf(stderr, "read_columns: no field %.*s\n", static_cast<int>(name.size()),
                 name.data());
    std::exit(1);
  }
  checksum.Add(value);
}

void ReadVendor(ondemand::object& ride, Checksum& sum) { Read<int64_t>(ride, "VendorID", sum); }

void ReadWindow(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<int64_t>(ride, "VendorID", sum);
  Read<double>(ride, "total_amount", sum);
}

void ReadZonePair(ondemand::object& ride, Checksum& sum) {
  Read<int64_t>(ride, "PULocationID", sum);
  Read<int64_t>(ride, "DOLocationID", sum);
}

void ReadJoinRide(ondemand::object& ride, Checksum& sum) {
  Read<int64_t>(ride, "ride_id", sum);
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<double>(ride, "total_amount", sum);
}

void ReadJoinPayment(ondemand::object& payment, Checksum& sum) {
  Read<int64_t>(payment, "ride_id", sum);
  Read<std::string_view>(payment, "paid_at", sum);
  Read<double>(payment, "amount", sum);
}

void ReadZoneJoin(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<int64_t>(ride, "PULocationID", sum);
  Read<double>(ride, "total_amount", sum);
}

struct Work {
  const char* name;
  void (*read)(ondemand::object&, Checksum&);
};
constexpr Work kWorks[] = {
    {"vendor", ReadVendor},          {"window", ReadWindow},
    {"zone_pair", ReadZonePair},     {"join_ride", ReadJoinRide},
    {"join_payment", ReadJoinPayment}, {"zone_join", ReadZoneJoin},
};

/// One instance per work, so that the reading is inlined into the loop.
template <auto kRead>
uint64_t ReadFile(const char* path, Checksum& checksum) {
  ondemand::parser parser;
  LineReader reader(path);
  std::string_view line;
  uint64_t lines = 0;
  for (; reader.Next(line); ++lines) {
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(PaddedView(reader, line)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      std::fprintf(stderr, "read_columns: line %lu is no JSON object\n", lines + 1);
      std::exit(1);
    }
    kRead(object, checksum);
  }
  return lines;
}

template <size_t kIndex = 0>
uint64_t RunWork(std::string_view name, const char* path, Checksum& checksum) {
  if constexpr (kIndex == std::size(kWorks)) {
    std::fprintf(stderr, "read_columns: unknown work: %s\n", std::string(name).c_str());
    std::exit(2);
  } else if (name == kWorks[kIndex].name) {
    return ReadFile<kWorks[kIndex].read>(path, checksum);
  } else {
    return RunWork<kIndex + 1>(name, path, checksum);
  }
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) {
    std::fputs("usage: read_columns WORK FILE [WORK FILE]...\n", stderr);
    return 2;
  }
  weir::bench::Checksum checksum;
  uint64_t lines = 0;
  for (int i = 1; i < argc; i += 2) lines += weir::bench::RunWork(argv[i], argv[i + 1], checksum);
  std::printf("%lu %016lx\n", lines, checksum.sum());
  return 0;
}
