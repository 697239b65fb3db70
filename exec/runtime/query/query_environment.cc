#include "exec/runtime/query/query_environment.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

void QueryCounterSet::Dropped(std::string_view reason, int64_t rows) {
  std::lock_guard lock(mutex_);
  auto it = dropped_.find(reason);
  if (it == dropped_.end()) it = dropped_.emplace(std::string(reason), 0).first;
  it->second += rows;
}

void QueryCounterSet::LogError(std::string_view reason, std::string_view topic, int32_t partition,
                               int64_t offset, std::string_view cause) {
  LogErrorAt(reason, fmt::format("topic {} partition {} offset {}", topic, partition, offset),
             cause);
}

void QueryCounterSet::LogErrorAt(std::string_view reason, std::string_view place,
                                 std::string_view cause) {
  std::string line = fmt::format("{}: {}: {}", reason, place, cause);
  std::lock_guard lock(mutex_);
  // A topic full of bad records must not fill the log: the first tell what is wrong, the counts how
  // often.
  auto it = logged_.find(reason);
  if (it == logged_.end()) it = logged_.emplace(std::string(reason), 0).first;
  if (++it->second <= kErrorsLogged && log_) log_(line);
  if (it->second == kErrorsLogged && log_) {
    log_(fmt::format("{}: further ones are counted but not logged", reason));
  }
  last_errors_.push_back(std::move(line));
  if (last_errors_.size() > kErrorsKept) last_errors_.pop_front();
}

void QueryCounterSet::NoteRates() {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  in_rate_.Note(now, records_in_);
  out_rate_.Note(now, records_out_);
}

void QueryCounterSet::FillInto(QueryMetrics& metrics) const {
  metrics.records_in += records_in_;
  metrics.bytes_in += bytes_in_;
  metrics.records_out += records_out_;
  metrics.bytes_out += bytes_out_;
  metrics.commits += commits_;
  metrics.commit_last_us = commit_last_us_;
  metrics.commit_max_us = commit_max_us_;
  std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  metrics.records_in_per_second = in_rate_.PerSecond(now, records_in_);
  metrics.records_out_per_second = out_rate_.PerSecond(now, records_out_);
  for (const auto& [reason, rows] : dropped_) metrics.dropped[reason] += rows;
  metrics.last_errors.insert(metrics.last_errors.end(), last_errors_.begin(), last_errors_.end());
  auto late = metrics.dropped.find("late");
  metrics.late_rows_dropped = late == metrics.dropped.end() ? 0 : late->second;
}

ExchangeBuffer::ExchangeBuffer(const ExchangePlan& plan, int32_t from_tasks)
    : plan_(&plan), upstreams_(from_tasks) {
  for (Upstream& upstream : upstreams_) upstream.slots.resize(plan.partitions);
}

int64_t ExchangeBuffer::StreamTime(int64_t now_ms, int64_t max_idle_ms) const {
  int64_t lowest = INT64_MAX;
  int64_t highest = INT64_MIN;
  bool anyone_holds = false;
  for (const Upstream& upstream : upstreams_) {
    highest = std::max(highest, upstream.stream_time);
    const bool idle =
        upstream.drained_since_ms >= 0 && now_ms - upstream.drained_since_ms >= max_idle_ms;
    if (idle) continue;
    anyone_holds = true;
    lowest = std::min(lowest, upstream.stream_time);
  }
  return anyone_holds ? lowest : highest;
}

}  // namespace weir
