// Look-ups by key through the public header, alone and beside the query that makes the table:
// look_up_keys DIRECTORY [records] [keys]. Prints look-ups a second, and a second of their thread's
// own time, and how long the query takes over the same records with and without them.

#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "weir/engine.h"

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <typename T>
T Take(weir::Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

void AppendRecords(weir::Engine& engine, int64_t records, int64_t keys) {
  std::vector<weir::Record> batch;
  uint64_t state = 1;
  for (int64_t i = 0; i < records; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    weir::Record record;
    record.value =
        R"({"K":)" + std::to_string(static_cast<int64_t>(state >> 33) % keys) + R"(,"N":1})";
    batch.push_back(std::move(record));
    if (batch.size() < 10'000 && i + 1 < records) continue;
    if (!engine.Append("hits", batch).ok()) std::exit(1);
    batch.clear();
  }
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Asks for one key after another until `stop`; returns how many were found.
int64_t LookUp(weir::Engine& engine, int64_t keys, const std::atomic<bool>& stop, int64_t* asked) {
  int64_t found = 0;
  for (*asked = 0; !stop; ++*asked) {
    auto cursor = Take(engine.Query(
        "SELECT k, c, s FROM per_key WHERE k = " + std::to_string(*asked * 7919 % keys) + ";"));
    while (!cursor->done()) {
      auto batch = Take(cursor->Next(std::chrono::milliseconds(1000)));
      if (batch) found += batch->row_count();
    }
  }
  return found;
}

void MakeTable(weir::Engine& engine) {
  Take(engine.Execute(
      "CREATE TABLE per_key AS SELECT k, COUNT(*) AS c, SUM(n) AS s FROM hits GROUP BY k;"));
}

// Waits until all records are in the table.
void Drain(weir::Engine& engine, int64_t records) {
  while (true) {
    const auto metrics = engine.Metrics().queries;
    if (!metrics.empty() && metrics[0].records_in >= records && metrics[0].lag_records == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int64_t records = argc > 2 ? std::atoll(argv[2]) : 3'000'000;
  const int64_t keys = argc > 3 ? std::atoll(argv[3]) : 70'000;
  weir::EngineOptions options;
  options.directory = argv[1];
  options.threads = 1;
  options.settings["query.pull.wait.ms"] = "0";
  auto engine = Take(weir::Engine::Open(options));
  Take(
      engine->Execute("CREATE STREAM hits (k INT, n INT) WITH (KAFKA_TOPIC='hits', "
                      "VALUE_FORMAT='JSON', PARTITIONS=4);"));
  AppendRecords(*engine, records, keys);
  for (int run = 0; run < 3; ++run) {
    auto begin = Clock::now();
    MakeTable(*engine);
    Drain(*engine, records);
    const double alone = SecondsSince(begin);
    std::atomic<bool> stop{false};
    int64_t asked = 0, found = 0;
    begin = Clock::now();
    double thread_seconds = 0;
    std::thread idle([&] {
      found = LookUp(*engine, keys, stop, &asked);
      thread_seconds = ThreadSeconds();
    });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    stop = true;
    idle.join();
    const double rate = static_cast<double>(asked) / SecondsSince(begin);
    const double own_rate = static_cast<double>(asked) / thread_seconds;
    Take(engine->Execute("DROP TABLE per_key DELETE TOPIC;"));
    stop = false;
    double busy_rate = 0;
    const auto drain_begin = Clock::now();
    MakeTable(*engine);
    std::thread beside([&] {
      begin = Clock::now();
      found = LookUp(*engine, keys, stop, &asked);
      busy_rate = static_cast<double>(asked) / SecondsSince(begin);
    });
    Drain(*engine, records);
    const double both = SecondsSince(drain_begin);
    stop = true;
    beside.join();
    std::printf(
        "query alone %.2f s; look-ups of an idle table %.0f/s, %.0f in a second of their own; "
        "query with look-ups %.2f s, %.0f look-ups/s (%lld rows)\n",
        alone, rate, own_rate, both, busy_rate, static_cast<long long>(found));
    Take(engine->Execute("DROP TABLE per_key DELETE TOPIC;"));
  }
  return 0;
}
