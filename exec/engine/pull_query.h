#pragma once

// Pull queries: filter, project and limit over what a table's view or a stream's topic holds now.

#include <memory>
#include <vector>

#include "exec/connect/topic.h"
#include "exec/expr/expr_program.h"
#include "exec/operators/materialized_view.h"
#include "planner/planner.h"
#include "weir/batch.h"
#include "weir/options.h"

namespace weir {

/// Collects the rows of one pull query. With LIMIT those of a table are the first by key. `plan`
/// must outlive it.
class PullRows {
 public:
  explicit PullRows(const PullQueryPlan& plan) : plan_(plan) {}
  /// Adds the rows of one task's view that the plan's keys and window bounds name.
  Status AddFromView(MaterializedView& view);
  /// Adds rows of the source's schema.
  Status Add(Chunk chunk);
  bool limit_reached() const { return limit_reached_; }
  Result<std::vector<Batch>> Finish();

 private:
  Status Compile();
  Status AddBatch(const Chunk& chunk);
  void KeepFirst();
  const PullQueryPlan& plan_;
  std::unique_ptr<ExprProgram> filter_;
  std::unique_ptr<ExprProgram> exprs_;
  bool compiled_ = false;
  int64_t rows_ = 0;
  bool limit_reached_ = false;
  std::vector<Batch> batches_;
  std::vector<Chunk> candidates_;   ///< Tables with a limit: rows that may be among the first.
  int64_t candidate_rows_ = 0;
};

/// Reads the topic of a stream to the end it has now, into `rows`.
Status ReadStreamToEnd(const PullQueryPlan& plan, const std::shared_ptr<Broker>& broker,
                       const Clock& clock, PullRows& rows);

}  // namespace weir
