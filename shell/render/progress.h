#pragma once

// A line on stderr that tells how long work is going, rewritten in place. Terminals only.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>

#include "weir/engine.h"

namespace weir::shell {

/// Shows a line from a thread of its own while it lives, and wipes it at the end. Work that ends
/// within half a second shows nothing. Nobody else may write to `err` meanwhile.
class Progress {
 public:
  /// `line` is called on the thread of the progress. Without `enabled` nothing happens.
  Progress(std::ostream& err, bool enabled, std::function<std::string()> line);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void Run();

  std::ostream& err_;
  std::function<std::string()> line_;
  std::mutex mutex_;
  std::condition_variable stop_signal_;
  bool stop_ = false;
  std::thread thread_;
};

/// Tells records, rate and lag from the metrics of all queries; keeps the last count for the rate.
class QueryProgressLine {
 public:
  explicit QueryProgressLine(const Engine& engine);
  std::string operator()();

 private:
  const Engine& engine_;
  int64_t last_records_;
  std::chrono::steady_clock::time_point last_time_;
};

/// "; restoring 1,200 of 50,000 records of 2 tasks, 4,000/s, 12 s left", or nothing.
std::string DescribeRestore(const EngineMetrics& metrics);

/// 1234567 as "1,234,567".
std::string WithThousands(int64_t number);

}  // namespace weir::shell
