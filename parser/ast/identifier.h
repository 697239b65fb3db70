#pragma once

// Names as the grammar gives them. Folding is done by the parser, so that later layers compare
// names byte by byte: an unquoted name is upper-cased (Unicode simple mapping), a quoted one kept.

#include <string>

#include "weir/status.h"

namespace weir::ast {

/// One name in a statement.
struct Identifier {
  std::string name;      ///< Folded: what the catalog and the binder compare.
  std::string spelling;  ///< As typed, without quotes; for messages only.
  bool quoted = false;   ///< Written in `…` or "…".
  SourcePosition position;
};

}  // namespace weir::ast
