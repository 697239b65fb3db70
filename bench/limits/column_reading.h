#pragma once
// What each limit reads of a record: just the columns that the work needs, in document order, and
// nothing done with them but a checksum.

#include <simdjson.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

namespace weir::bench {

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
    std::fprintf(stderr, "no field %.*s\n", static_cast<int>(name.size()), name.data());
    std::exit(1);
  }
  checksum.Add(value);
}

inline void ReadVendor(ondemand::object& ride, Checksum& sum) {
  Read<int64_t>(ride, "VendorID", sum);
}

inline void ReadWindow(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<int64_t>(ride, "VendorID", sum);
  Read<double>(ride, "total_amount", sum);
}

inline void ReadZonePair(ondemand::object& ride, Checksum& sum) {
  Read<int64_t>(ride, "PULocationID", sum);
  Read<int64_t>(ride, "DOLocationID", sum);
}

inline void ReadSession(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<int64_t>(ride, "PULocationID", sum);
  Read<int64_t>(ride, "DOLocationID", sum);
  Read<double>(ride, "total_amount", sum);
}

inline void ReadJoinRide(ondemand::object& ride, Checksum& sum) {
  Read<int64_t>(ride, "ride_id", sum);
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<double>(ride, "total_amount", sum);
}

inline void ReadJoinPayment(ondemand::object& payment, Checksum& sum) {
  Read<int64_t>(payment, "ride_id", sum);
  Read<std::string_view>(payment, "paid_at", sum);
  Read<double>(payment, "amount", sum);
}

/// Where the id is the record's key.
inline void ReadKeyedRide(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<double>(ride, "total_amount", sum);
}

inline void ReadKeyedPayment(ondemand::object& payment, Checksum& sum) {
  Read<std::string_view>(payment, "paid_at", sum);
  Read<double>(payment, "amount", sum);
}

inline void ReadZoneJoin(ondemand::object& ride, Checksum& sum) {
  Read<std::string_view>(ride, "tpep_pickup_datetime", sum);
  Read<int64_t>(ride, "PULocationID", sum);
  Read<double>(ride, "total_amount", sum);
}

struct Work {
  const char* name;
  void (*read)(ondemand::object&, Checksum&);
};
inline constexpr Work kWorks[] = {
    {"vendor", ReadVendor},      {"window", ReadWindow},        {"zone_pair", ReadZonePair},
    {"session", ReadSession},    {"join_ride", ReadJoinRide},   {"join_payment", ReadJoinPayment},
    {"zone_join", ReadZoneJoin}, {"keyed_ride", ReadKeyedRide}, {"keyed_payment", ReadKeyedPayment},
};

/// Records of a source, read by one instance per work so that the reading is inlined into the loop.
/// A Source gives its records by Next(line) and what may be touched behind them by Padded(line).
template <auto kRead, typename Source>
uint64_t ReadAll(Source& source, Checksum& checksum) {
  ondemand::parser parser;
  std::string_view line;
  uint64_t lines = 0;
  for (; source.Next(line); ++lines) {
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(source.Padded(line)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      std::fprintf(stderr, "record %lu is no JSON object\n", lines + 1);
      std::exit(1);
    }
    kRead(object, checksum);
  }
  return lines;
}

/// Does the work of that name over `source`; returns how many records it had.
template <size_t kIndex = 0, typename Source>
uint64_t RunWork(std::string_view name, Source& source, Checksum& checksum) {
  if constexpr (kIndex == std::size(kWorks)) {
    std::fprintf(stderr, "unknown work: %s\n", std::string(name).c_str());
    std::exit(2);
  } else if (name == kWorks[kIndex].name) {
    return ReadAll<kWorks[kIndex].read>(source, checksum);
  } else {
    return RunWork<kIndex + 1>(name, source, checksum);
  }
}

}  // namespace weir::bench
