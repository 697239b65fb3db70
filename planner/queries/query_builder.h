#pragma once

// A SELECT to a logical plan, up to and with its last projection.

#include "planner/queries/query_input.h"
#include "planner/queries/select_list.h"
#include "planner/queries/source_builder.h"

namespace weir {

struct BuiltQuery {
  logical::NodePtr node;  ///< The projection.
  std::vector<std::shared_ptr<const SourceEntry>> sources;
  size_t relations = 1;  ///< As QueryInput's.
  /// PARTITION BY NULL: the result has no key.
  bool keyless = false;
};

Result<BuiltQuery> BuildQuery(const QueryUse& use);

/// WHERE: a filter over the input, if there is one.
Status AddWhere(QueryInput& input, const QueryUse& use);
/// The input's rows for which all of `conditions` are true.
void AddFilter(QueryInput& input, std::vector<BoundExprPtr> conditions);
/// Table functions of SELECT: a FlatMap that keeps all columns of the input and adds one a call;
/// `columns` then read those.
Status AddFlatMap(QueryInput& input, const TableCalls& calls, std::vector<SelectedColumn>& columns,
                  SourcePosition position);

}  // namespace weir
