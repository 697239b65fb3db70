#pragma once

// `weir explain`: the plans of the queries in a file, on an engine in memory that has no data.

#include <ostream>
#include <string>

#include "weir/engine.h"

namespace weir::shell {

/// Makes `options` open an engine in memory, in which any topic may be taken for granted.
void PrepareForExplain(EngineOptions* options);

/// Declares what the file declares, and writes the plan of each of its queries, as text, or all of
/// them as one Graphviz graph. An error has its place in the file.
Status ExplainFile(Engine& engine, const std::string& path, bool as_dot, std::ostream& out);

}  // namespace weir::shell
