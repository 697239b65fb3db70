#pragma once
// A ride as the branch limits hold it between reading and writing: all 18 columns, read by simdjson
// in document order and written as JSON by fmt.

#include <fmt/compile.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace weir::bench {

namespace ondemand = simdjson::ondemand;

enum class Kind { kInteger, kDouble, kText };
struct Column {
  std::string_view name;
  Kind kind;
};
inline constexpr Column kColumns[] = {
    {"tpep_pickup_datetime", Kind::kText},
    {"tpep_dropoff_datetime", Kind::kText},
    {"VendorID", Kind::kInteger},
    {"passenger_count", Kind::kInteger},
    {"trip_distance", Kind::kDouble},
    {"RatecodeID", Kind::kInteger},
    {"store_and_fwd_flag", Kind::kText},
    {"PULocationID", Kind::kInteger},
    {"DOLocationID", Kind::kInteger},
    {"payment_type", Kind::kInteger},
    {"fare_amount", Kind::kDouble},
    {"extra", Kind::kDouble},
    {"mta_tax", Kind::kDouble},
    {"tip_amount", Kind::kDouble},
    {"tolls_amount", Kind::kDouble},
    {"improvement_surcharge", Kind::kDouble},
    {"total_amount", Kind::kDouble},
    {"congestion_surcharge", Kind::kDouble},
};
inline constexpr size_t kTotalAmount = 16;
inline constexpr double kHighAmount = 40;

struct Value {
  int64_t integer;
  double number;
  std::string_view text;
};

/// The row as the program holds it between reading and writing.
using Row = Value[std::size(kColumns)];

/// False if it is no ride.
inline bool ReadRow(ondemand::object& object, Row& row) {
  for (size_t i = 0; i < std::size(kColumns); ++i) {
    auto field = object.find_field(kColumns[i].name);
    simdjson::error_code error = simdjson::SUCCESS;
    switch (kColumns[i].kind) {
      case Kind::kInteger: error = field.get(row[i].integer); break;
      case Kind::kDouble: error = field.get(row[i].number); break;
      case Kind::kText: error = field.get(row[i].text); break;
    }
    if (error != simdjson::SUCCESS) return false;
  }
  return true;
}

inline void AppendText(std::string_view text, std::string& out) {
  out += '"';
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), FMT_COMPILE("\\u{:04x}"), c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

/// Without a line break.
inline void AppendRow(const Row& row, std::string& out) {
  char separator = '{';
  for (size_t i = 0; i < std::size(kColumns); ++i) {
    out += separator;
    out += '"';
    out += kColumns[i].name;
    out += "\":";
    switch (kColumns[i].kind) {
      case Kind::kInteger:
        fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), row[i].integer);
        break;
      case Kind::kDouble:
        fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), row[i].number);
        break;
      case Kind::kText: AppendText(row[i].text, out); break;
    }
    separator = ',';
  }
  out += '}';
}

}  // namespace weir::bench
