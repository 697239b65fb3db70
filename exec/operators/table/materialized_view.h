#pragma once

// A table's result, kept in a state store for pull queries: the runtime puts a view before the sink
// of each table query. What is committed can be read from the store at any time, by a reader that
// knows nothing of the query that runs.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "exec/operators/operator.h"
#include "exec/state/rows/stored_rows.h"
#include "planner/physical/nodes.h"

namespace weir {

struct MaterializedViewOptions {
  SchemaPtr schema;
  int key_columns = 0;
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  /// A window is kept until its start plus this is at or below stream time; -1: for ever.
  int64_t retention_ms = -1;
  std::string store_name, layout_name;

  bool is_windowed() const { return windowed_key != physical::WindowKind::kNone; }
  /// Of the stored rows: of windowed tables the window's start is the time of the key, and its end
  /// one more key column behind the others.
  RowLayout Layout() const;
};

/// What the sink of a table is to keep; nothing for other sinks.
std::optional<MaterializedViewOptions> ViewOf(const physical::Node& sink);

/// An operator that hands all rows on, and stores the latest of each key (and window). In memory it
/// has what changed since the last commit.
Result<std::unique_ptr<Operator>> MakeMaterializedView(const MaterializedViewOptions& options);

/// Reads the view of one task as a commit left it: give it a snapshot of the state for more than
/// one look-up that belong together. One thread at a time.
class ViewReader {
 public:
  using Visit = std::function<Status(Chunk rows)>;
  /// `rows_prefix` and `layout_prefix` are those of the stores in `state`.
  ViewReader(const MaterializedViewOptions& options, std::shared_ptr<const StateReader> state,
             std::string rows_prefix, std::string layout_prefix);

  /// Calls `visit` with flat chunks of columns `columns` of the schema, with row times, and window
  /// bounds where the key has a window: the rows of one key, its values in the order of the key
  /// columns; of windowed tables all windows, earliest first.
  Status Lookup(const std::vector<Value>& key, std::span<const int> columns, const Visit& visit);
  /// The next chunk of all rows, in the order of their keys; nothing at the end.
  Result<std::optional<Chunk>> Next(std::span<const int> columns);

 private:
  Status ReadLimit();
  Result<bool> Add(std::string_view key, std::string_view value);
  Chunk Take(std::span<const int> columns);

  MaterializedViewOptions options_;
  std::shared_ptr<const StateReader> state_;
  std::string rows_prefix_, layout_prefix_;
  std::optional<StoredRowReader> rows_;  // From the first row on.
  std::optional<int64_t> limit_;  // Windows that start below do not count; null: not read yet.
  std::string next_;              // Where Next goes on; empty: not begun.
  bool ended_ = false;
};

}  // namespace weir
