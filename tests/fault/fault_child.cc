// The program that the kill tests kill: an engine in a directory whose queries run while it loads.
//
//   fault_child load DIR SEED THREADS STEPS RIDES PAYMENTS    loads up to STEPS more steps
//   fault_child dump DIR SEED THREADS FILE                    runs to the end, writes all outputs
//
// RIDES and PAYMENTS are the steps that the parent saw acknowledged. If fewer are there the exit
// code is 3. Each append is told on the standard output once it is acknowledged.

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "exec/engine/engine_impl.h"
#include "tests/fault/workload.h"

namespace weir::fault {
namespace {

constexpr int kLostExitCode = 3;

[[noreturn]] void Fail(const Status& status) {
  fmt::print(stderr, "{}\n", status.ToString());
  _exit(1);
}

void Check(const Status& status) {
  if (!status.ok()) Fail(status);
}

template <typename T>
T Check(Result<T> result) {
  if (!result.ok()) Fail(result.status());
  return std::move(*result);
}

// Straight to the pipe: what was told must not wait in a buffer when the process is killed.
void Tell(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(1);
}

class Child {
 public:
  Child(const std::string& directory, uint64_t seed, int threads) : seed_(seed) {
    EngineOptions options;
    options.directory = directory;
    options.threads = threads;
    options.settings["commit.interval.ms"] = "5";
    if (std::getenv("WEIR_FAULT_SPILL") != nullptr) options.settings["test.state.spills"] = "true";
    options.logger = [](LogLevel level, std::string_view line) {
      if (level >= LogLevel::kError) fmt::print(stderr, "{}\n", line);
    };
    engine_ = Check(Engine::Open(std::move(options)));
    Check(engine_->Execute(SourceStatements()));
    for (int partition = 0; partition < kPartitions; ++partition) {
      if (Ends(kZonesTopic)[partition] > 0) continue;
      Check(engine_->Append(kZonesTopic, Zones(partition)));
    }
    Check(engine_->Execute(QueryStatements()));
  }

  void Load(int steps, int rides_told, int payments_told) {
    int rides = StepsThere(kRidesTopic, RidesOfStep);
    int payments = StepsThere(kPaymentsTopic, PaymentsOfStep);
    if (rides < rides_told || payments < payments_told || payments > rides ||
        payments < rides - 1) {
      Tell(fmt::format("lost: {} of {} ride batches, {} of {} payment batches\n", rides, rides_told,
                       payments, payments_told));
      _exit(kLostExitCode);
    }
    const int end = rides + steps;
    while (payments < end) {
      if (rides == payments) {
        Check(engine_->Append(kRidesTopic, RidesOfStep(seed_, rides)));
        Tell(fmt::format("rides {}\n", ++rides));
      }
      Check(engine_->Append(kPaymentsTopic, PaymentsOfStep(seed_, payments)));
      Tell(fmt::format("payments {}\n", ++payments));
    }
    Check(engine_->RunUntilEnd(false));
    Check(engine_->Close());
  }

  void Dump(const std::string& path) {
    Check(engine_->RunUntilEnd(false));
    std::ofstream file(path);
    std::vector<std::string> topics = {std::string(kRidesTopic), std::string(kPaymentsTopic)};
    for (const Output& output : Outputs()) topics.push_back(output.topic);
    for (const std::string& topic : topics) {
      for (const TopicRecord& record : Check(engine_->ReadTopic(topic))) {
        file << topic << '\t' << record.partition.value_or(-1) << '\t' << Hex(record.key) << '\t'
             << Hex(record.value) << '\t' << record.timestamp_ms.value_or(-1);
        for (const Record::Header& header : record.headers) {
          file << '\t' << header.name << '=' << header.value.value_or("");
        }
        file << '\n';
      }
    }
    Check(engine_->Close());
  }

 private:
  // Printable texts stay readable.
  static std::string Hex(const std::optional<std::string>& bytes) {
    if (!bytes) return "-";
    std::string text;
    for (const unsigned char c : *bytes) {
      if (c >= ' ' && c < 0x7f && c != '\\') {
        text.push_back(static_cast<char>(c));
      } else {
        text += fmt::format("\\x{:02x}", c);
      }
    }
    return text.empty() ? "\"\"" : text;
  }

  std::vector<int64_t> Ends(std::string_view topic) {
    return Check(static_cast<EngineImpl&>(*engine_).broker().EndOffsets(topic));
  }

  // Appends are atomic per partition, so whole steps are there or not.
  int StepsThere(std::string_view topic, std::vector<Record> (*records_of)(uint64_t, int)) {
    const std::vector<int64_t> ends = Ends(topic);
    std::vector<int64_t> sum(kPartitions, 0);
    int step = 0;
    for (; sum != ends; ++step) {
      const std::vector<Record> records = records_of(seed_, step);
      const int32_t partition = *records.front().partition;
      sum[partition] += static_cast<int64_t>(records.size());
      if (sum[partition] <= ends[partition]) continue;
      Tell(fmt::format("lost: topic {} has {} and {} records, which no step ends with\n", topic,
                       ends[0], ends[1]));
      _exit(kLostExitCode);
    }
    return step;
  }

  const uint64_t seed_;
  std::unique_ptr<Engine> engine_;
};

int Main(int argc, char** argv) {
  if (argc < 6) return 2;
  const std::string_view mode = argv[1];
  Child child(argv[2], std::strtoull(argv[3], nullptr, 10), std::atoi(argv[4]));
  if (mode == "dump") {
    child.Dump(argv[5]);
    return 0;
  }
  if (argc < 8) return 2;
  child.Load(std::atoi(argv[5]), std::atoi(argv[6]), std::atoi(argv[7]));
  return 0;
}

}  // namespace
}  // namespace weir::fault

int main(int argc, char** argv) { return weir::fault::Main(argc, argv); }
