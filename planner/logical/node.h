#pragma once

// The logical plan: what a query computes, before it is decided where rows move and what is kept.
// A tree of plain structs, immutable once made; passes build new trees that share what they keep.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "planner/binder/bound_expr.h"
#include "planner/physical/nodes.h"
#include "weir/types.h"

namespace weir::logical {

enum class NodeKind : uint8_t {
  kSource,
  kFilter,
  kProject,
  kFlatMap,
  kRepartition,
  kAggregate,
  kJoin,
  kLimit,
  kSink,
  kLatestRows,
  kSort,
  kUnionAll,
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Node {
  explicit Node(NodeKind k) : kind(k) {}
  virtual ~Node() = default;

  NodeKind kind;
  std::vector<NodePtr> inputs;
  SchemaPtr schema;
  bool is_table = false;  ///< Rows are changes of a table.
  int key_columns = 0;    ///< The first columns are the rows' key.
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  int64_t window_size_ms = 0;            ///< Of time-windowed keys.
  std::vector<std::string> store_names;  ///< Set by the pass name_state_stores.

  template <typename T>
  const T& As() const {
    return static_cast<const T&>(*this);
  }
};

/// The whole tree, one line a node, children indented under their parent.
std::string LogicalText(const Node& root);

}  // namespace weir::logical
