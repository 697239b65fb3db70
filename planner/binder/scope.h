#pragma once

// The names that an expression may use: columns of the sources under their aliases, and system
// columns. Names are compared byte by byte; folding was done by the parser.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast/expression.h"
#include "planner/binder/bound_expr.h"
#include "weir/status.h"

namespace weir {

struct ScopeColumn {
  std::string source;  ///< Alias of the source; empty for a join's synthetic key.
  std::string name;
  BoundExprPtr expr;       ///< kColumn or kSystem.
  bool is_key = false;     ///< Key of its own source.
  bool is_system = false;  ///< ROWTIME and the like, window bounds included.
  bool is_window_bound = false;
  bool is_headers = false;  ///< Read from the record's headers.
  /// USING has made one column of it and another: its source has to be named with it.
  bool is_merged = false;
};

class Scope {
 public:
  void Add(ScopeColumn column);
  /// Puts columns in front of those that are there.
  void AddInFront(std::vector<ScopeColumn> columns);
  const std::vector<ScopeColumn>& columns() const { return columns_; }
  /// Aliases of the sources in reach, in order.
  const std::vector<std::string>& Sources() const { return sources_; }
  bool HasSource(std::string_view alias) const;
  /// Columns of this name in all sources.
  std::vector<const ScopeColumn*> Find(std::string_view name) const;
  /// `clause` ("WHERE") is for messages. kUnknownColumn, kAmbiguousColumn, kUnknownSource.
  Result<const ScopeColumn*> Resolve(const ast::ColumnRef& ref, std::string_view clause) const;

 private:
  Status Unknown(const ast::ColumnRef& ref, std::string_view clause) const;
  /// Positions of the columns of this name, ascending: a part of by_name_.
  std::span<const int32_t> Positions(std::string_view name) const;

  std::vector<ScopeColumn> columns_;
  std::vector<std::string> sources_;
  /// Positions in columns_, by name and then by position; made anew when a look-up finds it shorter
  /// than columns_. So each name of a statement with thousands of columns is found by halving.
  mutable std::vector<int32_t> by_name_;
};

/// The names that a query around this one knows: a subquery that reads them is refused by name.
struct OuterScope {
  const Scope* scope = nullptr;
  const OuterScope* outer = nullptr;
};

/// Whether the name is one of ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART, WINDOWEND.
bool IsSystemColumnName(std::string_view name);

}  // namespace weir
