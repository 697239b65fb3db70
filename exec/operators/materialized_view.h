#pragma once

// A table's result, kept for pull queries: the runtime puts one before the sink of each table
// query.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/value.h"
#include "exec/operators/operator.h"
#include "planner/physical/nodes.h"

namespace weir {

struct MaterializedViewOptions {
  SchemaPtr schema;
  int key_columns = 0;
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  int64_t window_size_ms = 0;
  /// A window is kept until its start plus this is at or below stream time; -1: for ever.
  int64_t retention_ms = -1;
  std::string store_name = "view";
  /// Rows are not handed on as they come but as they are when the input has ended.
  bool emits_at_end = false;
};

/// An operator that hands all rows on, and remembers the latest of each key (and window). Reads and
/// OnBatch must not run at the same time; the rows read are copies.
class MaterializedView : public Operator {
 public:
  using Visit = std::function<Status(Chunk rows)>;
  /// Flat chunks of columns `columns` of the schema, with row times, and window bounds where the
  /// key has a window.
  virtual Status Scan(std::span<const int> columns, const Visit& visit) = 0;
  /// The same of one key's rows, its values in the order of the key columns; of windowed tables all
  /// windows, earliest first.
  virtual Status Lookup(const std::vector<Value>& key, std::span<const int> columns,
                        const Visit& visit) = 0;
  virtual int64_t row_count() const = 0;
};

Result<std::unique_ptr<MaterializedView>> MakeMaterializedView(
    const MaterializedViewOptions& options);

}  // namespace weir
