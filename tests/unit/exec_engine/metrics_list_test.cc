// Numbers as a flat list and as Prometheus reads them.

#include <gtest/gtest.h>

#include <set>

#include "weir/metrics.h"

namespace weir {
namespace {

EngineMetrics Sample() {
  EngineMetrics metrics;
  metrics.memory_bytes = 7;
  QueryMetrics query;
  query.query_id = "CTAS_A";
  query.state = "RUNNING";
  query.records_in = 3'000'000'000;
  query.commit_last_us = 1500;
  query.dropped["late"] = 2;
  query.tasks.push_back({.sub_topology = 1, .partition = 4, .lag_records = 9});
  metrics.queries.push_back(query);
  query.query_id = "odd \"name\"\\\n";
  query.state = "ERROR";
  query.tasks.clear();
  metrics.queries.push_back(query);
  return metrics;
}

bool HasLine(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsList, PrometheusReadsThem) {
  const std::string page = FormatPrometheus(Sample());
  EXPECT_TRUE(HasLine(page, "weir_memory_bytes 7")) << page;
  EXPECT_TRUE(HasLine(page, "# TYPE weir_records_in_total counter")) << page;
  EXPECT_TRUE(HasLine(page, "weir_records_in_total{query=\"CTAS_A\"} 3000000000")) << page;
  EXPECT_TRUE(HasLine(page, "weir_commit_last_seconds{query=\"CTAS_A\"} 0.0015")) << page;
  EXPECT_TRUE(HasLine(page, "weir_query_state{query=\"CTAS_A\",state=\"RUNNING\"} 1")) << page;
  EXPECT_TRUE(HasLine(page, "weir_query_state{query=\"CTAS_A\",state=\"ERROR\"} 0")) << page;
  EXPECT_TRUE(HasLine(page, "weir_dropped_total{query=\"CTAS_A\",reason=\"late\"} 2")) << page;
  EXPECT_TRUE(
      HasLine(page, "weir_task_lag_records{query=\"CTAS_A\",sub_topology=\"1\",partition=\"4\"} 9"))
      << page;
  EXPECT_TRUE(HasLine(page, "weir_records_in_total{query=\"odd \\\"name\\\"\\\\\\n\"} 3000000000"))
      << page;
}

TEST(MetricsList, SamplesOfANameStandTogether) {
  std::set<std::string_view> seen;
  std::string_view last;
  for (const MetricSample& sample : ListMetrics(Sample())) {
    EXPECT_FALSE(sample.help.empty()) << sample.name;
    if (sample.name == last) continue;
    EXPECT_TRUE(seen.insert(sample.name).second) << sample.name << " stands at two places";
    last = sample.name;
  }
}

}  // namespace
}  // namespace weir
