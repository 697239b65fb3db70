// QueryMetrics as a flat list and in Prometheus' text format. A new number is one row of a table.

#include <array>

#include <fmt/format.h>

#include "weir/metrics.h"

namespace weir {
namespace {

constexpr double kMicrosPerSecond = 1e6;

template <typename Of>
struct MetricRow {
  std::string_view name;
  std::string_view help;
  bool is_counter;
  double (*read)(const Of&);
};

using Query = QueryMetrics;

constexpr MetricRow<Query> kQueryRows[] = {
    {"records_in", "Records read.", true, [](const Query& q) -> double { return q.records_in; }},
    {"bytes_in", "Bytes of the keys and values read.", true,
     [](const Query& q) -> double { return q.bytes_in; }},
    {"records_out", "Records written.", true,
     [](const Query& q) -> double { return q.records_out; }},
    {"bytes_out", "Bytes of the keys and values written to output topics.", true,
     [](const Query& q) -> double { return q.bytes_out; }},
    {"records_in_per_second", "Records read a second, of about the last ten seconds.", false,
     [](const Query& q) -> double { return q.records_in_per_second; }},
    {"records_out_per_second", "Records written a second, of about the last ten seconds.", false,
     [](const Query& q) -> double { return q.records_out_per_second; }},
    {"lag_records", "Records of the sources not committed past.", false,
     [](const Query& q) -> double { return q.lag_records; }},
    {"late_rows_dropped", "Rows that came after their window had closed.", true,
     [](const Query& q) -> double { return q.late_rows_dropped; }},
    {"commits", "Commits made.", true, [](const Query& q) -> double { return q.commits; }},
    {"commit_last_seconds", "How long the last commit took.", false,
     [](const Query& q) -> double { return q.commit_last_us / kMicrosPerSecond; }},
    {"commit_max_seconds", "How long the longest commit took.", false,
     [](const Query& q) -> double { return q.commit_max_us / kMicrosPerSecond; }},
    {"transactions_committed", "Kafka transactions committed.", true,
     [](const Query& q) -> double { return q.transactions_committed; }},
    {"transactions_aborted", "Kafka transactions aborted; their work was done again.", true,
     [](const Query& q) -> double { return q.transactions_aborted; }},
    {"rebalances", "Times that partitions came to this copy or left it.", true,
     [](const Query& q) -> double { return q.rebalances; }},
    {"state_bytes", "Bytes of state in memory, estimated.", false,
     [](const Query& q) -> double { return q.state_bytes; }},
    {"tasks", "Tasks that this copy runs.", false,
     [](const Query& q) -> double { return q.tasks.size(); }},
    {"restoring_tasks", "Tasks that are bringing their state up to date.", false,
     [](const Query& q) -> double { return q.restore.tasks; }},
    {"restored_records", "Changelog records read by the tasks that are restoring.", false,
     [](const Query& q) -> double { return q.restore.records_restored; }},
    {"restore_total_records", "Changelog records these tasks have to read altogether.", false,
     [](const Query& q) -> double { return q.restore.records_to_restore; }},
    {"restore_records_per_second", "Changelog records restored a second.", false,
     [](const Query& q) -> double { return q.restore.records_per_second; }},
};

constexpr MetricRow<TaskMetrics> kTaskRows[] = {
    {"task_records_in", "Records read since this copy has the task.", false,
     [](const TaskMetrics& t) -> double { return t.records_in; }},
    {"task_lag_records", "Records of the task's sources not yet processed.", false,
     [](const TaskMetrics& t) -> double { return t.lag_records; }},
};

/// The states a query can be in; the one it is in has the value 1.
constexpr std::array<std::string_view, 4> kStates = {"RUNNING", "PAUSED", "RESTARTING", "ERROR"};

std::string EscapeLabel(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::vector<MetricSample> ListMetrics(const EngineMetrics& metrics) {
  std::vector<MetricSample> samples;
  samples.push_back({"memory_bytes",
                     "Bytes counted against memory.limit.",
                     false,
                     {},
                     static_cast<double>(metrics.memory_bytes)});
  for (const Query& query : metrics.queries) {
    for (std::string_view state : kStates) {
      samples.push_back({"query_state",
                         "1 for the state that the query is in.",
                         false,
                         {{"query", query.query_id}, {"state", std::string(state)}},
                         query.state == state ? 1.0 : 0.0});
    }
  }
  for (const MetricRow<Query>& row : kQueryRows) {
    for (const Query& query : metrics.queries) {
      samples.push_back(
          {row.name, row.help, row.is_counter, {{"query", query.query_id}}, row.read(query)});
    }
  }
  for (const Query& query : metrics.queries) {
    for (const auto& [reason, rows] : query.dropped) {
      samples.push_back({"dropped",
                         "Records and rows dropped or nulled.",
                         true,
                         {{"query", query.query_id}, {"reason", reason}},
                         static_cast<double>(rows)});
    }
  }
  for (const MetricRow<TaskMetrics>& row : kTaskRows) {
    for (const Query& query : metrics.queries) {
      for (const TaskMetrics& task : query.tasks) {
        samples.push_back({row.name,
                           row.help,
                           row.is_counter,
                           {{"query", query.query_id},
                            {"sub_topology", fmt::format("{}", task.sub_topology)},
                            {"partition", fmt::format("{}", task.partition)}},
                           row.read(task)});
      }
    }
  }
  return samples;
}

std::string FormatPrometheus(const EngineMetrics& metrics) {
  std::string out;
  std::string_view last;
  for (const MetricSample& sample : ListMetrics(metrics)) {
    const std::string name =
        fmt::format("weir_{}{}", sample.name, sample.is_counter ? "_total" : "");
    if (sample.name != last) {
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, sample.help, name,
                         sample.is_counter ? "counter" : "gauge");
      last = sample.name;
    }
    out += name;
    for (size_t i = 0; i < sample.labels.size(); ++i) {
      out += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", sample.labels[i].first,
                         EscapeLabel(sample.labels[i].second));
    }
    if (!sample.labels.empty()) out.push_back('}');
    out += fmt::format(" {}\n", sample.value);
  }
  return out;
}

}  // namespace weir
