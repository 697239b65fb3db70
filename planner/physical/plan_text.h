#pragma once

// The written form of a physical plan: JSON, a node a line, inputs before their consumers. A plan
// that is read back is equal to the one that was written, and writes the same text again.

#include <map>
#include <string>
#include <string_view>

#include "planner/catalog/function_catalog.h"
#include "planner/physical/nodes.h"

namespace weir {

/// New names of stores, by those that they have.
using StoreNames = std::map<std::string, std::string, std::less<>>;

std::string WritePlan(const physical::Node& root);

/// kPlanChanged with what is not known where another version wrote it: a node, a field, a function
/// or the types that it takes.
Result<physical::NodePtr> ReadPlan(std::string_view text, const FunctionCatalog& functions,
                                   const StoreNames& names = {});

/// The plan as it comes back from its written form: all plans of queries that go on went this way,
/// and in golden and conformance runs all others, so that what is kept is known to be whole.
Result<physical::NodePtr> WrittenAndRead(const physical::NodePtr& root,
                                         const FunctionCatalog& functions);

}  // namespace weir
