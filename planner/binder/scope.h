#pragma once

// The names that an expression may use: columns of the sources under their aliases, and system
// columns. Names are compared byte by byte; folding was done by the parser.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast/expression.h"
#include "planner/binder/bound_expr.h"
#include "weir/status.h"

namespace weir {

struct ScopeColumn {
  std::string source;          ///< Alias of the source; empty for a join's synthetic key.
  std::string name;
  BoundExprPtr expr;           ///< kColumn or kSystem.
  bool is_key = false;         ///< Key of its own source.
  bool is_system = false;      ///< ROWTIME and the like, window bounds included.
  bool is_window_bound = false;
  bool is_headers = false;     ///< Read from the record's headers.
};

class Scope {
 public:
  void Add(ScopeColumn column) { columns_.push_back(std::move(column)); }
  const std::vector<ScopeColumn>& columns() const { return columns_; }
  std::vector<ScopeColumn>& columns() { return columns_; }
  /// Aliases of the sources in reach, in order.
  std::vector<std::string> Sources() const;
  bool HasSource(std::string_view alias) const;
  /// Columns of this name in all sources.
  std::vector<const ScopeColumn*> Find(std::string_view name) const;
  /// `clause` ("WHERE") is for messages. kUnknownColumn, kAmbiguousColumn, kUnknownSource.
  Result<const ScopeColumn*> Resolve(const ast::ColumnRef& ref, std::string_view clause) const;

 private:
  Status Unknown(const ast::ColumnRef& ref, std::string_view clause) const;
  std::vector<ScopeColumn> columns_;
};

/// Whether the name is one of ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART, WINDOWEND.
bool IsSystemColumnName(std::string_view name);

}  // namespace weir
