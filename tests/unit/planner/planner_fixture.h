#pragma once

// A catalog with a few sources, and planning of SQL text over it with the built-in functions.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "parser/parser.h"
#include "planner/planner.h"

namespace weir {

/// Plans statements one after the other, keeping what they make, as an engine does. Topics exist
/// with `topic_partitions` partitions.
class PlanningSession {
 public:
  PlanningSession() {
    context.catalog = &catalog;
    context.functions = &BuiltinFunctions();
    context.properties["ksql.persistence.default.format.value"] = "JSON";
    context.topic_partitions = [this](std::string_view) -> std::optional<int32_t> {
      return partitions;
    };
  }

  /// Plans one statement and puts what it makes into the catalog.
  Status Run(std::string_view sql);
  /// Runs all statements; a test failure if one fails.
  void MustRun(std::string_view sql);
  /// The plan of a statement at a stage of ExplainStatement, or the error as "error NNNN: message".
  std::string Explain(std::string_view sql, std::string_view stage);

  ErrorCode CodeOf(std::string_view sql) { return Run(sql).code(); }

  Catalog catalog;
  PlannerContext context;
  int32_t partitions = 4;
};

}  // namespace weir
