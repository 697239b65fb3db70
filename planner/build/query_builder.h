#pragma once

// A SELECT to a logical plan, up to and with its last projection.

#include "planner/build/query_input.h"
#include "planner/build/source_builder.h"

namespace weir {

struct BuiltQuery {
  logical::NodePtr node;                    ///< The projection.
  std::vector<std::shared_ptr<const SourceEntry>> sources;
  /// PARTITION BY NULL: the result has no key.
  bool keyless = false;
};

Result<BuiltQuery> BuildQuery(const QueryUse& use);

}  // namespace weir
