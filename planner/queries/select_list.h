#pragma once

// SELECT's list: stars expanded, expressions bound, every column named.

#include <optional>
#include <string>
#include <vector>

#include "planner/binder/expr_binder.h"
#include "planner/queries/name_generator.h"
#include "planner/queries/query_input.h"
#include "planner/queries/source_builder.h"

namespace weir {

struct SelectedColumn {
  std::string name;
  BoundExprPtr expr;  ///< Over the input's scope; calls as kCallColumnBase columns.
  SourcePosition position;
  bool has_alias = false;
  bool is_star = false;       ///< Came out of * or alias.*.
  std::string own_name = {};  ///< Of such a column: its name in its source.
};

/// What `*` stands for, in order: the names and expressions of a query's columns.
std::vector<SelectedColumn> StarColumns(const QueryInput& input, const QueryUse& use,
                                        const std::optional<std::string>& source);

/// Binds SELECT's items with `binder`. `star` replaces StarColumns for a bare `*` where the clause
/// reorders columns (PARTITION BY).
Result<std::vector<SelectedColumn>> BindSelectList(
    const QueryInput& input, const QueryUse& use, ExprBinder& binder, NameGenerator& names,
    const std::optional<std::vector<SelectedColumn>>& star);

/// kReservedName for system columns' names; kDuplicateName for names that repeat.
Status CheckSelectedNames(const std::vector<SelectedColumn>& columns, const QueryUse& use);

}  // namespace weir
