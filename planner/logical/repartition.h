#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Moves rows to the partition of their key. Made by the pass insert_repartitions only.
struct Repartition : Node {
  Repartition() : Node(NodeKind::kRepartition) {}
  int32_t partitions = 0;  ///< 0: as many as the first source below has.
  /// Set when rows have to meet those of a topic whose keys this format encodes.
  std::optional<physical::SideFormat> placement;
  bool ordered = false;
  bool drop_null_keys = true;
  std::string name;
};

}  // namespace weir::logical
