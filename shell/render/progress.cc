#include "shell/render/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "shell/render/terminal_stream.h"

namespace weir::shell {
namespace {

constexpr std::chrono::milliseconds kInterval(500);

int64_t TotalRecordsIn(const EngineMetrics& metrics) {
  int64_t total = 0;
  for (const QueryMetrics& query : metrics.queries) total += query.records_in;
  return total;
}

}  // namespace

Progress::Progress(std::ostream& err, bool enabled, std::function<std::string()> line)
    : err_(err), line_(std::move(line)) {
  if (!enabled) return;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    // Work goes on without its line.
  }
}

Progress::~Progress() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_signal_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Progress::Run() {
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (!stop_signal_.wait_for(lock, kInterval, [this] { return stop_; })) {
    err_ << WipeLine << line_() << std::flush;
    shown = true;
  }
  if (shown) err_ << WipeLine << std::flush;
}

QueryProgressLine::QueryProgressLine(const Engine& engine)
    : engine_(engine),
      last_records_(TotalRecordsIn(engine.Metrics())),
      last_time_(std::chrono::steady_clock::now()) {}

std::string QueryProgressLine::operator()() {
  const EngineMetrics metrics = engine_.Metrics();
  const auto now = std::chrono::steady_clock::now();
  const int64_t records = TotalRecordsIn(metrics);
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  const double rate = seconds > 0 ? static_cast<double>(records - last_records_) / seconds : 0;
  last_records_ = records;
  last_time_ = now;
  int64_t lag = 0;
  for (const QueryMetrics& query : metrics.queries) lag += query.lag_records;
  return fmt::format("{} records, {}/s, lag {}{}", WithThousands(records),
                     WithThousands(static_cast<int64_t>(rate)), WithThousands(lag),
                     DescribeRestore(metrics));
}

std::string DescribeRestore(const EngineMetrics& metrics) {
  RestoreProgress all;
  for (const QueryMetrics& query : metrics.queries) {
    all.tasks += query.restore.tasks;
    all.records_restored += query.restore.records_restored;
    all.records_to_restore += query.restore.records_to_restore;
    if (query.restore.tasks > 0) all.records_per_second += query.restore.records_per_second;
  }
  if (all.tasks == 0) return {};
  std::string out =
      fmt::format("; restoring {} of {} records of {} tasks", WithThousands(all.records_restored),
                  WithThousands(all.records_to_restore), all.tasks);
  if (all.records_per_second >= 1) {
    const auto left = static_cast<double>(all.records_to_restore - all.records_restored);
    out += fmt::format(", {}/s, {:.0f} s left",
                       WithThousands(static_cast<int64_t>(all.records_per_second)),
                       left / all.records_per_second);
  }
  return out;
}

std::string WithThousands(int64_t number) {
  std::string text = std::to_string(number);
  const int first = number < 0 ? 1 : 0;
  for (int i = static_cast<int>(text.size()) - 3; i > first; i -= 3) {
    text.insert(static_cast<size_t>(i), ",");
  }
  return text;
}

}  // namespace weir::shell
