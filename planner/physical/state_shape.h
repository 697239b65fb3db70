#pragma once

// What a query's kept state depends on, as versions said that kept no plans: their stores bear its
// hash. See state_signature.h for what holds now.

#include <string>

#include "planner/physical/nodes.h"

namespace weir {

/// Two plans with the same shape may go on from each other's state: they read the same topics, send
/// the same rows through the same exchanges, and keep the same values in stores of the same names.
/// Columns that nobody reads, how records are decoded and encoded and which clock gives them their
/// time are no part of it. A query that keeps positions only is bound to what it reads, and nothing
/// else. The text is hashed into stores: what it says today may not change for plans of today.
std::string StateShape(const physical::Node& root);

}  // namespace weir
