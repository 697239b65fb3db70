#pragma once

// The logical plan to the physical one: which operator does each step, what it is fed with.

#include <string>

#include "planner/logical/logical_nodes.h"
#include "planner/physical/nodes.h"

namespace weir {

/// Nodes are numbered from 1, inputs before their consumers. `query_id` names internal topics.
Result<physical::NodePtr> LowerPlan(const logical::NodePtr& plan, const std::string& query_id);

/// 64-bit FNV-1a, the same on every machine and for ever.
uint64_t StableHash(std::string_view text);

}  // namespace weir
