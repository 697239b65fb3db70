#pragma once

// An engine's numbers as one flat list, for whatever collects them: SHOW METRICS prints it, the
// program's --metrics-port serves it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/engine.h"

namespace weir {

/// One number with what it is of.
struct MetricSample {
  std::string_view name;  ///< Such as "records_in"; durations are in seconds. Lives for ever.
  std::string_view help;  ///< One sentence. Lives for ever.
  /// Only ever grows while the engine is open.
  bool is_counter = false;
  /// "query"; of tasks also "sub_topology" and "partition"; of what was dropped also "reason".
  std::vector<std::pair<std::string_view, std::string>> labels;
  double value = 0;
};

/// All numbers, those with the same name one after the other.
std::vector<MetricSample> ListMetrics(const EngineMetrics& metrics);

/// ListMetrics in Prometheus' text format, version 0.0.4: names begin with weir_, those of counters
/// end in _total. An embedding program may serve it from a page of its own.
std::string FormatPrometheus(const EngineMetrics& metrics);

}  // namespace weir
