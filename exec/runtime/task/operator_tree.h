#pragma once

// The operators of one task, wired: built from the stage's plan nodes, from the sinks down to the
// places where rows enter (sources and exchanges).

#include <memory>
#include <vector>

#include "exec/operators/operators.h"
#include "exec/operators/table/materialized_view.h"
#include "exec/runtime/task/task_context.h"

namespace weir {

/// Where rows of a source or exchange enter the operators, possibly at several places.
struct EntryPoint {
  Operator* target = nullptr;
  int input = 0;
  std::vector<int> columns;    ///< Columns of the merged source to hand over, in order.
  bool identity = false;       ///< `columns` is all of them in place.
  bool is_join_table = false;  ///< The table side of a stream-table join.
  int query_root = 0;
};

class OperatorTree {
 public:
  /// Builds and opens the operators of all roots of `stage`; their state goes through `journal`.
  Status Build(QueryEnvironment& environment, const StagePlan& stage, int32_t partition,
               TaskJournal& journal, std::vector<std::unique_ptr<RootContext>>& contexts);

  /// Entry points of source `source` (index into QueryStages::sources) or of an exchange.
  std::vector<EntryPoint>& source_entries(int source) { return source_entries_[source]; }
  std::vector<EntryPoint>& exchange_entries(int exchange) { return exchange_entries_[exchange]; }
  const std::vector<std::unique_ptr<Operator>>& operators() const { return operators_; }
  /// Stream-stream joins hold what they are given until here, where both sides have been given all
  /// rows up to one point of the merge by time.
  Status EndSlice();
  /// Inputs may come in slices, of which each side's rows lie together: nodes with several inputs
  /// are stream-stream joins, which put them in order again, and none feeds another; or joins of
  /// tables, for which the order of the two sides does not matter.
  bool takes_slices() const { return takes_slices_; }
  /// A root has a source twice: each of its rows comes to both sides of a join.
  bool has_source_twice() const { return has_source_twice_; }

 private:
  Status BuildNode(const physical::Node& node, Emitter out, bool join_table);
  // `tracked_keys`: of how many columns the key is where stream time is tracked; else -1.
  Status Connect(const physical::NodePtr& input, Operator* target, int port, int tracked_keys,
                 bool join_table, const physical::Node& consumer);
  Operator* Adopt(std::unique_ptr<Operator> op, Emitter out);
  Status AddView(const MaterializedViewOptions& options, Emitter* out);

  QueryEnvironment* env_ = nullptr;
  int32_t partition_ = 0;
  RootContext* context_ = nullptr;  // Of the root being built.
  std::vector<std::vector<EntryPoint>> source_entries_;
  std::vector<std::vector<EntryPoint>> exchange_entries_;
  std::vector<std::unique_ptr<Operator>> operators_;  // Sinks first.
  std::vector<RootContext*> operator_contexts_;
  std::vector<Operator*> stream_joins_;  // Sinks first.
  bool takes_slices_ = true;
  bool has_source_twice_ = false;
  bool behind_sides_ = false;  // While building: below a join.
};

}  // namespace weir
