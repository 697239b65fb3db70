#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// What is joined with what; kBounded: two inputs that end.
enum class JoinSides : uint8_t { kStreamStream, kStreamTable, kTableTable, kForeignKey, kBounded };

/// A join of two inputs on equal keys: the first `key_columns` of both; of foreign-key joins the
/// expressions `foreign_key` over the left row with the right's key. Of rows with equal keys those
/// are a pair for which `condition` is true, where there is one: over the left's columns and,
/// behind them, the right's. Output: key, left columns, right columns, as `left_columns` and
/// `right_columns` index the inputs' schemas.
struct Join : Node {
  Join() : Node(NodeKind::kJoin) {}
  JoinSides sides = JoinSides::kStreamStream;
  physical::JoinKind join = physical::JoinKind::kInner;
  int64_t before_ms = 0, after_ms = 0, grace_ms = 0;
  bool has_grace = false;
  std::vector<int> left_columns, right_columns;
  std::vector<BoundExprPtr> foreign_key;
  BoundExprPtr condition;
  /// Foreign-key joins over several partitions: the pass insert_repartitions sets it, and
  /// name_state_stores names the exchanges to the right's partitions and back.
  bool spread = false;
  std::string subscriptions, answers;
};

}  // namespace weir::logical
