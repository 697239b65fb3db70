#pragma once

// The latest row of each key of a table, for pull queries. Stands before the sink of every query
// that makes a table, passes rows on unchanged, and keeps them.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/value.h"
#include "exec/operators/operator.h"
#include "planner/physical/nodes.h"

namespace weir {

struct MaterializedViewOptions {
  SchemaPtr schema;                 ///< Key columns first.
  int key_columns = 0;
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  int64_t window_size_ms = 0;
  /// Windows are readable until their start plus this is at or below stream time; -1: for ever.
  int64_t retention_ms = -1;
};

/// Lookup and Scan are called by the thread that holds the task, between batches.
class MaterializedView : public Operator {
 public:
  using Visit = std::function<Status(Chunk)>;
  /// Gives the row (windowed: rows of all windows, by window start) of one key: one value a key
  /// column. Chunks have the options' schema, row time and window bounds.
  virtual Status Lookup(const std::vector<Value>& key, const Visit& visit) = 0;
  /// Gives all rows, by key as inserted; windowed ones sorted by window start within a key.
  virtual Status Scan(const Visit& visit) = 0;
};

Result<std::unique_ptr<MaterializedView>> MakeMaterializedView(
    const MaterializedViewOptions& options);

}  // namespace weir
