// The limit of branching rides: reads all 18 columns by simdjson, writes them as JSON again, and
// appends to one file. Prints lines, and how many cost at least 40.
//
//   branch_rides FILE OUTPUT

#include <fcntl.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>

#include "bench/limits/line_reader.h"

namespace weir::bench {
namespace {

namespace ondemand = simdjson::ondemand;

enum class Kind { kInteger, kDouble, kText };
struct Column {
  std::string_view name;
  Kind kind;
};
constexpr Column kColumns[] = {
    {"tpep_pickup_datetime", Kind::kText}, {"tpep_dropoff_datetime", Kind::kText},
    {"VendorID", Kind::kInteger},          {"passenger_count", Kind::kInteger},
    {"trip_distance", Kind::kDouble},      {"RatecodeID", Kind::kInteger},
    {"store_and_fwd_flag", Kind::kText},   {"PULocationID", Kind::kInteger},
    {"DOLocationID", Kind::kInteger},      {"payment_type", Kind::kInteger},
    {"fare_amount", Kind::kDouble},        {"extra", Kind::kDouble},
    {"mta_tax", Kind::kDouble},            {"tip_amount", Kind::kDouble},
    {"tolls_amount", Kind::kDouble},       {"improvement_surcharge", Kind::kDouble},
    {"total_amount", Kind::kDouble},       {"congestion_surcharge", Kind::kDouble},
};
constexpr size_t kTotalAmount = 16;
constexpr double kHighAmount = 40;

struct Value {
  int64_t integer;
  double number;
  std::string_view text;
};

/// The row as the program holds it between reading and writing.
using Row = Value[std::size(kColumns)];

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

bool ReadRow(ondemand::object& object, Row& row) {
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

void AppendText(std::string_view text, std::string& out) {
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

void AppendRow(const Row& row, std::string& out) {
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
  out += "}\n";
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
