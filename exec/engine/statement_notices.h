#pragma once

// Things worth knowing about a query that do not stop it.

#include <string>
#include <vector>

#include "planner/physical/nodes.h"

namespace weir {

/// What the author of a query should be told when it is created: windows over a file whose rows all
/// have the file's time.
std::vector<std::string> NoticesOf(const physical::Node& root);

}  // namespace weir
