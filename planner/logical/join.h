#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// What is joined with what.
enum class JoinSides : uint8_t { kStreamStream, kStreamTable, kTableTable, kForeignKey };

/// A join of two inputs on equal keys: the first `key_columns` of both; of foreign-key joins the
/// expression `foreign_key` over the left row with the right's key. Output: key, left columns,
/// right columns, as `left_columns` and `right_columns` index the inputs' schemas.
struct Join : Node {
  Join() : Node(NodeKind::kJoin) {}
  JoinSides sides = JoinSides::kStreamStream;
  physical::JoinKind join = physical::JoinKind::kInner;
  int64_t before_ms = 0, after_ms = 0, grace_ms = 0;
  bool has_grace = false;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr foreign_key;
};

}  // namespace weir::logical
