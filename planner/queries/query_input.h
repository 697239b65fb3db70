#pragma once

// What stands between FROM and the projection while a query is built: a node, the names over it,
// and what its key is.

#include <memory>
#include <string>
#include <vector>

#include "planner/binder/scope.h"
#include "planner/catalog/catalog.h"
#include "planner/logical/logical_nodes.h"

namespace weir {

/// One key column of a query's input. A join has several expressions of equal value, any of which
/// may stand for the key in SELECT.
struct KeyColumn {
  BoundExprPtr expr;                 ///< Gives the key.
  std::vector<BoundExprPtr> viable;  ///< What SELECT may list for it, best first.
  std::vector<std::string> labels;   ///< The same as SQL.
  std::string name;                  ///< Its name under SELECT *.
  bool synthetic = false;            ///< ROWKEY of a join.
  /// Of joins: all expressions over the input that equal the key where their source has a row, and
  /// those of them that are the key in every row, also where an outer join found no partner.
  std::vector<BoundExprPtr> equal = {}, always = {};
};

struct QueryInput {
  logical::NodePtr node;
  Scope scope;
  std::vector<KeyColumn> keys;
  std::vector<std::shared_ptr<const SourceEntry>> sources;  ///< Left to right.
  bool is_join = false;
  bool is_subquery = false;  ///< Its columns are those of a SELECT.
  /// Of bounded queries: how many sources it reads, each counted as often as it is used.
  size_t relations = 1;
  bool is_table() const { return node->is_table; }
};

}  // namespace weir
