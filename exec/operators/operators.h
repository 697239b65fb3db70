#pragma once

// The table of contents of the operators: one factory for each node of the physical plan.

#include <memory>

#include "exec/operators/operator.h"
#include "planner/physical/nodes.h"

namespace weir {

/// Makes the operator of any node but sources and exchanges, which the runtime drives. Fails for
/// plans that the planner should not have made.
Result<std::unique_ptr<Operator>> MakeOperator(const physical::Node& node);

/// Decodes raw records of a TopicSource into chunks, applies its ON_ERROR policy, gives rows their
/// time. Not an operator of the push chain: the runtime feeds it fetched records.
class SourceDecoder {
 public:
  virtual ~SourceDecoder() = default;
  /// `source` is the index to stamp on chunks. Appends nothing to `out` if no row is left.
  virtual Status Decode(const RecordBatch& records, int32_t source, TaskContext& context,
                        Chunk& out) = 0;
  /// Bad records before `offset` were counted and dead-lettered with an earlier commit, whose rows
  /// behind them had to wait: they are dropped in silence when they are read again.
  virtual void ReportBadFrom(int64_t offset) { static_cast<void>(offset); }
};
/// `schemas`: of formats that need a registry; it outlives the decoder.
Result<std::unique_ptr<SourceDecoder>> MakeSourceDecoder(const physical::TopicSource& node,
                                                         SchemaRegistry* schemas = nullptr);

/// Splits rows by target partition for an Exchange: appends to parts[p] the rows that go there.
/// Fills the kStreamTime system column (the highest time of the row's source partition among the
/// rows that reached the exchange).
class ExchangeRouter {
 public:
  virtual ~ExchangeRouter() = default;
  /// Loads the stream time of each source partition; OnBarrier writes it back.
  virtual Status Open(TaskContext& context) { return OkStatus(); }
  virtual Status OnBarrier(TaskContext& context) { return OkStatus(); }
  virtual Status Route(Chunk chunk, TaskContext& context, std::vector<Chunk>& parts) = 0;
  /// The highest time of any row routed so far, restarts included; INT64_MIN: none.
  virtual int64_t StreamTime() const { return INT64_MIN; }
};
Result<std::unique_ptr<ExchangeRouter>> MakeExchangeRouter(const physical::Exchange& node,
                                                           int32_t partitions);

}  // namespace weir
