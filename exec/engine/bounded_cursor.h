#pragma once

// The cursor of a SELECT without EMIT. The query runs on the thread that reads: Next works until
// there are rows, so that a result of any size needs no queue.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "exec/operators/operator.h"
#include "exec/runtime/query/query_runtime.h"
#include "weir/engine.h"

namespace weir {

class BoundedCursor : public Cursor, public RowReceiver {
 public:
  /// Brings the query to where it can run; asked once, by the first Next. Waits end early when
  /// `cancelled` becomes true.
  using Opener = std::function<Status(const std::atomic<bool>& cancelled)>;

  BoundedCursor(SchemaPtr schema, std::optional<int64_t> limit);
  ~BoundedCursor() override;
  /// Hands over the query that gives the rows.
  void Run(std::shared_ptr<QueryRuntime> query, Opener open);
  /// Records have come that the query may wait for.
  void Wake();

  Status OnRows(const Chunk& rows) override;
  const Schema& schema() const override { return *schema_; }
  bool is_push() const override { return false; }
  Result<std::optional<Batch>> Next(std::chrono::milliseconds timeout) override;
  bool done() const override;
  bool limit_reached() const override;
  bool caught_up() const override { return done(); }
  void Cancel() override;

 private:
  std::optional<Batch> TakeBatch();
  Result<bool> Work(std::chrono::steady_clock::time_point deadline);

  const SchemaPtr schema_;
  Opener open_;
  std::shared_ptr<QueryRuntime> query_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<Batch> batches_;  // This and the following under mutex_.
  int64_t left_;               // Rows up to the limit; -1: all.
  bool limit_reached_ = false;
  bool ended_ = false;  // No more rows will come.
  bool wake_ = false;
};

}  // namespace weir
