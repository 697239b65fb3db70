#pragma once

// Plans as a Graphviz graph.

#include <span>
#include <string>
#include <string_view>

namespace weir::shell {

struct NamedPlan {
  std::string title;  ///< The first line of the statement.
  std::string text;  ///< As EXPLAIN gives it: "#4 Operator …", its schema below, inputs indented.
};

/// One graph: a box an operator, with the schema of its rows as tooltip and edges along which rows
/// go; a cluster a plan.
std::string PlansToDot(std::span<const NamedPlan> plans, std::string_view name);

}  // namespace weir::shell
