#pragma once

// A plan's indented text as a Graphviz graph.

#include <string>
#include <string_view>

namespace weir::shell {

/// Each line is a node; an edge leads from a line to the less indented one above it. `name` is the
/// graph's.
std::string PlanToDot(std::string_view plan, std::string_view name);

}  // namespace weir::shell
