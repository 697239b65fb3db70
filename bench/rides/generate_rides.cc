// Writes made-up rides, their payments, or the zones, as NDJSON or CSV. See bench/rides/rides.h.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "bench/rides/rides.h"

namespace weir::bench {
namespace {

/// Collects lines and writes them in large pieces. A failed write ends the program.
class LineWriter {
 public:
  explicit LineWriter(const std::string& path)
      : file_(path == "-" ? stdout : std::fopen(path.c_str(), "w")) {
    if (file_ == nullptr) Fail(path);
  }
  ~LineWriter() {
    Flush();
    if (file_ != stdout && std::fclose(file_) != 0) Fail("close");
  }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  std::string& line() { return buffer_; }

  void EndLine() {
    buffer_ += '\n';
    if (buffer_.size() >= kPieceBytes) Flush();
  }

 private:
  static constexpr size_t kPieceBytes = 1 << 20;

  [[noreturn]] static void Fail(const std::string& what) {
    std::perror(("generate_rides: " + what).c_str());
    std::exit(1);
  }

  void Flush() {
    if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) Fail("write");
    buffer_.clear();
  }

  std::FILE* file_;
  std::string buffer_;
};

struct Options {
  std::string kind = "rides";
  std::string format = "json";
  std::string out = "-";
  uint64_t rides = 100000;
  uint64_t seed = kDefaultSeed;
  bool with_id = false;
};

void WriteRides(const Options& options, LineWriter& writer) {
  const bool csv = options.format == "csv";
  if (csv) {
    writer.line() += kRideCsvHeader;
    writer.EndLine();
  }
  for (uint64_t index = 0; index < options.rides; ++index) {
    const Ride ride = MakeRide(options.seed, index);
    if (csv) {
      AppendRideCsv(ride, writer.line());
    } else {
      AppendRideJson(ride, options.with_id, writer.line());
    }
    writer.EndLine();
  }
}

/// Payments come out in the order they are paid: each waits until no earlier one can follow.
void WritePayments(const Options& options, LineWriter& writer) {
  auto later = [](const Payment& a, const Payment& b) {
    return std::pair(a.paid_ms, a.ride_id) > std::pair(b.paid_ms, b.ride_id);
  };
  std::priority_queue<Payment, std::vector<Payment>, decltype(later)> waiting(later);
  auto write_until = [&](int64_t time_ms) {
    for (; !waiting.empty() && waiting.top().paid_ms < time_ms; waiting.pop()) {
      AppendPaymentJson(waiting.top(), writer.line());
      writer.EndLine();
    }
  };
  for (uint64_t index = 0; index < options.rides; ++index) {
    const Ride ride = MakeRide(options.seed, index);
    if (auto payment = MakePayment(options.seed, ride)) waiting.push(*payment);
    write_until(ride.pickup_ms - kDisorderMs);
  }
  write_until(INT64_MAX);
}

void WriteZones(const Options& options, LineWriter& writer) {
  const bool csv = options.format == "csv";
  if (csv) {
    writer.line() += kZoneCsvHeader;
    writer.EndLine();
  }
  for (int number = 1; number <= kZoneCount; ++number) {
    csv ? AppendZoneCsv(number, writer.line()) : AppendZoneJson(number, writer.line());
    writer.EndLine();
  }
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  Options options;
  CLI::App app{"Writes made-up taxi rides; the same seed gives the same rides."};
  app.add_option("--kind", options.kind, "rides, payments or zones")
      ->check(CLI::IsMember({"rides", "payments", "zones"}));
  app.add_option("--format", options.format, "json (one object a line) or csv")
      ->check(CLI::IsMember({"json", "csv"}));
  app.add_option("--rides", options.rides, "number of rides");
  app.add_option("--seed", options.seed, "seed");
  app.add_option("--out", options.out, "file, - for standard output");
  app.add_flag("--with-id", options.with_id, "ride_id as the first field (json)");
  CLI11_PARSE(app, argc, argv);
  if (options.kind == "payments" && options.format == "csv") {
    std::fputs("generate_rides: payments come as json only\n", stderr);
    return 2;
  }
  LineWriter writer(options.out);
  if (options.kind == "rides") {
    WriteRides(options, writer);
  } else if (options.kind == "payments") {
    WritePayments(options, writer);
  } else {
    WriteZones(options, writer);
  }
  return 0;
}
