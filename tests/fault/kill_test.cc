// Kills an engine that loads and runs queries, at every named point and at random instants, and
// compares what its queries made with what they make undisturbed: nothing acknowledged is missing,
// nothing is counted twice. The seed is printed; WEIR_FAULT_SEED repeats a run.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fault/child_process.h"
#include "tests/fault/temporary_directory.h"
#include "tests/fault/workload.h"

namespace weir::fault {
namespace {

constexpr int kStoresTried = 6;
constexpr int kPointKillsPerStore = 3;
constexpr int kRandomKillsPerStore = 28;
constexpr int kKillsMin = 200;
constexpr int kPointKillsMin = 5;
constexpr int kMissesMax = 40;  // Runs of one point and store that ended before it was passed.
constexpr int kStepsPerRun = 4;
// Before the first kill: enough for windows to close while the kills come.
constexpr int kCalmSteps = 60;
constexpr int kStepsMin = 130;

struct Point {
  const char* name;
  int passes_max;  // The kill comes at one of the first so many passes.
};
constexpr Point kPoints[] = {
    {"recovery", 30},          {"after_fetch", 30},       {"input_held_back", 2},
    {"before_output", 20},     {"after_output", 20},      {"before_commit", 30},
    {"in_commit", 30},         {"in_commit_written", 30}, {"after_commit", 30},
    {"load_before_append", 6}, {"load_after_append", 6},  {"round_beside_commit", 10},
};

// Passed by stores that spill only.
constexpr Point kEvicted = {"state_evicted", 4};

uint64_t Seed() {
  if (const char* given = std::getenv("WEIR_FAULT_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

// One store's life: the steps that were acknowledged, over all its runs.
class Store {
 public:
  Store(const std::string& directory, uint64_t seed, int threads, bool spills)
      : directory_(directory), seed_(seed), threads_(threads), spills_(spills) {}

  /// Runs the child; adds what it told to what is acknowledged.
  ChildResult Load(int steps, const std::string& fault,
                   std::optional<std::chrono::microseconds> kill_after) {
    ChildOptions options;
    options.arguments = {WEIR_FAULT_CHILD,
                         "load",
                         directory_,
                         std::to_string(seed_),
                         std::to_string(threads_),
                         std::to_string(steps),
                         std::to_string(rides_),
                         std::to_string(payments_)};
    options.fault = fault;
    options.kill_after = kill_after;
    options.spills = spills_;
    ChildResult result = RunChild(options);
    for (size_t at = 0; at < result.out.size();) {
      const size_t end = result.out.find('\n', at);
      if (end == std::string::npos) break;
      const std::string line = result.out.substr(at, end - at);
      if (line.starts_with("rides ")) rides_ = std::atoi(line.c_str() + 6);
      if (line.starts_with("payments ")) payments_ = std::atoi(line.c_str() + 9);
      at = end + 1;
    }
    return result;
  }

  std::vector<std::string> Dump(const std::string& path) {
    ChildOptions options;
    options.arguments = {WEIR_FAULT_CHILD,         "dump", directory_, std::to_string(seed_),
                         std::to_string(threads_), path};
    options.spills = spills_;
    const ChildResult result = RunChild(options);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return LinesOf(path);
  }

  int payments() const { return payments_; }
  bool spills() const { return spills_; }

 private:
  const std::string directory_;
  const uint64_t seed_;
  const int threads_;
  const bool spills_;  // No state stays in memory that need not.
  int rides_ = 0;
  int payments_ = 0;
};

int64_t CountOf(const std::vector<std::string>& lines, const std::string& topic) {
  return std::count_if(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.starts_with(topic + "\t"); });
}

void ExpectSame(const std::string& what, const std::vector<std::string>& disturbed,
                const std::vector<std::string>& undisturbed) {
  std::vector<std::string> missing, extra;
  std::set_difference(undisturbed.begin(), undisturbed.end(), disturbed.begin(), disturbed.end(),
                      std::back_inserter(missing));
  std::set_difference(disturbed.begin(), disturbed.end(), undisturbed.begin(), undisturbed.end(),
                      std::back_inserter(extra));
  EXPECT_TRUE(missing.empty() && extra.empty())
      << what << ": " << missing.size() << " missing, " << extra.size() << " extra of "
      << undisturbed.size() << "\n  first missing: " << (missing.empty() ? "-" : missing.front())
      << "\n  first extra:   " << (extra.empty() ? "-" : extra.front());
}

class KillTest : public ::testing::Test {
 protected:
  // A run that ended otherwise than by the kill must have ended well.
  bool WasKilled(const ChildResult& result, const std::string& how) {
    EXPECT_FALSE(result.timed_out) << how << " hangs\n" << result.err;
    if (result.killed) return true;
    EXPECT_EQ(result.exit_code, 0) << how << "\n" << result.out << result.err;
    return false;
  }

  void KillAtPoint(Store& store, const Point& point) {
    int passes_max = point.passes_max;
    for (int misses = 0; misses < kMissesMax; ++misses) {
      const int pass = 1 + static_cast<int>(random_() % passes_max);
      const std::string fault = fmt::format("{}:{}", point.name, pass);
      if (WasKilled(store.Load(kStepsPerRun, fault, std::nullopt), fault)) {
        ++kills_[point.name];
        return;
      }
      if (HasFailure()) return;
      passes_max = std::max(1, passes_max / 2);
    }
  }

  void KillAtRandom(Store& store, std::chrono::microseconds run_time) {
    const std::chrono::microseconds at(random_() % run_time.count());
    const std::string how = fmt::format("kill after {} us", at.count());
    if (WasKilled(store.Load(kStepsPerRun, "", at), how)) ++kills_["at random"];
  }

  void KillAll(Store& store) {
    ChildResult calm = store.Load(kCalmSteps, "", std::nullopt);
    ASSERT_EQ(calm.exit_code, 0) << calm.out << calm.err;
    const auto start = std::chrono::steady_clock::now();
    calm = store.Load(kStepsPerRun, "", std::nullopt);
    ASSERT_EQ(calm.exit_code, 0) << calm.out << calm.err;
    const auto run_time = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    std::vector<const Point*> plan(kRandomKillsPerStore, nullptr);
    for (const Point& point : kPoints) plan.insert(plan.end(), kPointKillsPerStore, &point);
    if (store.spills()) plan.insert(plan.end(), kPointKillsPerStore, &kEvicted);
    std::shuffle(plan.begin(), plan.end(), random_);
    for (const Point* point : plan) {
      if (point != nullptr) {
        KillAtPoint(store, *point);
      } else {
        KillAtRandom(store, run_time);
      }
      if (HasFailure()) return;
    }
  }

  std::mt19937_64 random_;
  std::map<std::string, int> kills_;
};

// Rides whose payment did not come in time are there too.
bool HasUnpaid(const std::vector<std::string>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("settled\t") && line.find("\"PAID\":null") != std::string::npos;
  });
}

void ExpectOracles(const std::vector<std::string>& lines, uint64_t seed, int steps) {
  EXPECT_EQ(CountOf(lines, "rides"), int64_t{steps} * kRidesPerStep);
  EXPECT_EQ(CountOf(lines, "high") + CountOf(lines, "low"), int64_t{steps} * kRidesPerStep);
  EXPECT_EQ(CountOf(lines, "paid"), PaidRides(seed, steps));
  EXPECT_EQ(CountOf(lines, "placed"), int64_t{steps} * kRidesPerStep);
  // Two queries read the payments, each by itself.
  EXPECT_EQ(CountOf(lines, "bad_payments"), 2 * BadPayments(steps));
  const std::vector<std::string> counts = Canonical({"per_vendor", true}, lines);
  for (const auto& [vendor, count] : RidesPerVendor(seed, steps)) {
    EXPECT_TRUE(std::any_of(counts.begin(), counts.end(),
                            [count = count](const std::string& line) {
                              return line.find(fmt::format("\"N\":{},", count)) !=
                                     std::string::npos;
                            }))
        << "vendor " << vendor << " has " << count << " rides";
  }
}

TEST_F(KillTest, NothingIsLostAndNothingCountsTwice) {
  const uint64_t seed = Seed();
  std::cout << "WEIR_FAULT_SEED=" << seed << std::endl;
  random_.seed(seed);
  for (int number = 0; number < kStoresTried; ++number) {
    SCOPED_TRACE(fmt::format("store {} of seed {}", number, seed));
    const uint64_t data_seed = seed + static_cast<uint64_t>(number);
    const int threads = 1 + number % 2;
    TemporaryDirectory directory;
    Store store(directory.At("killed"), data_seed, threads, number % 3 == 1);
    KillAll(store);
    if (HasFailure()) break;
    // Evens out a last step of which only the rides are there.
    const ChildResult last =
        store.Load(std::max(1, kStepsMin - store.payments()), "", std::nullopt);
    ASSERT_EQ(last.exit_code, 0) << last.out << last.err;
    const int steps = store.payments();
    const std::vector<std::string> disturbed = store.Dump(directory.At("killed.txt"));

    Store calm(directory.At("calm"), data_seed, threads, false);
    const ChildResult whole = calm.Load(steps, "", std::nullopt);
    ASSERT_EQ(whole.exit_code, 0) << whole.out << whole.err;
    const std::vector<std::string> undisturbed = calm.Dump(directory.At("calm.txt"));
    std::cout << "store " << number << ": " << steps << " steps" << std::endl;
    ExpectOracles(undisturbed, data_seed, steps);
    ExpectOracles(disturbed, data_seed, steps);
    EXPECT_TRUE(HasUnpaid(undisturbed));
    ExpectSame("rides", Canonical({"rides", false}, disturbed),
               Canonical({"rides", false}, undisturbed));
    for (const Output& output : Outputs()) {
      const std::vector<std::string> expected = Canonical(output, undisturbed);
      EXPECT_FALSE(expected.empty()) << output.topic;
      ExpectSame(output.topic, Canonical(output, disturbed), expected);
    }
    if (HasFailure()) break;
  }
  int total = 0;
  for (const auto& [name, count] : kills_) {
    std::cout << "kills " << name << ": " << count << std::endl;
    total += count;
  }
  std::cout << "kills in all: " << total << std::endl;
  if (HasFailure()) return;
  for (const Point& point : kPoints) EXPECT_GE(kills_[point.name], kPointKillsMin) << point.name;
  EXPECT_GE(kills_[kEvicted.name], kPointKillsMin) << kEvicted.name;
  EXPECT_GE(total, kKillsMin);
}

}  // namespace
}  // namespace weir::fault
