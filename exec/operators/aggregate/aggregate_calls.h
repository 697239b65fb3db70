#pragma once

// The aggregate calls of one GROUP BY: their states side by side, one of each a group.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/functions/aggregate/aggregate.h"
#include "exec/operators/chunk_rows.h"
#include "planner/physical/nodes.h"

namespace weir {

/// One thread at a time. Groups are numbered by the owner.
class AggregateCalls {
 public:
  static Result<AggregateCalls> Make(const std::vector<physical::AggregateCall>& calls);

  size_t size() const { return calls_.size(); }
  /// Makes states for groups below `count`; initial ones where they are new.
  void Resize(uint32_t count);
  void Reset(uint32_t group);
  /// States there are room for.
  uint32_t capacity() const { return count_; }
  /// Keeps `groups`, which ascend, as 0, 1, … and no others: these have been Reset.
  void Keep(std::span<const uint32_t> groups);

  /// Rows that cannot be added (a DECIMAL sum that overflows keeps its value) are counted and
  /// logged here from then on.
  void Open(TaskContext& context) { context_ = &context; }

  /// Each takes argument columns from the input chunk's.
  void Add(const Chunk& chunk, std::span<const int32_t> rows, std::span<const uint32_t> groups);
  void AddEach(const Chunk& chunk, std::span<const int32_t> rows, std::span<const uint32_t> groups,
               std::span<ColumnBuilder> out);
  void Undo(const Chunk& chunk, std::span<const int32_t> rows, std::span<const uint32_t> groups);
  void Merge(uint32_t into, uint32_t from);
  /// Appends the partial states of `groups`, call after call, and adds such columns again: these
  /// calls' arguments are the partial columns. All functions must have partial types.
  void ExportPartials(std::span<const uint32_t> groups, std::span<ColumnBuilder> out) const;
  std::vector<ColumnBuilder> MakePartialBuilders() const;
  void AddPartials(const Chunk& chunk, std::span<const int32_t> rows,
                   std::span<const uint32_t> groups);
  /// Appends the results of `groups`, one builder a call.
  void Results(std::span<const uint32_t> groups, std::span<ColumnBuilder> out) const;
  std::vector<ColumnBuilder> MakeResultBuilders() const;

  void Save(uint32_t group, std::string& out) const;
  Status Load(uint32_t group, std::string_view& bytes);
  size_t ByteSize() const;
  /// Some result depends on the order of rows within a group.
  bool order_sensitive() const { return order_sensitive_; }

 private:
  struct Call {
    std::unique_ptr<AggregateStates> states;
    std::vector<int> arg_columns;
    DataType type;
    std::vector<DataType> partial_types;
    std::vector<ColumnPtr> args;  // Of the batch at hand.
  };
  void Bind(const std::vector<ColumnPtr>& columns);
  void Report(const Chunk& chunk);

  std::unique_ptr<RowErrors> errors_ = std::make_unique<RowErrors>();  // The states point to it.
  TaskContext* context_ = nullptr;
  std::vector<Call> calls_;
  uint32_t count_ = 0;
  bool order_sensitive_ = false;
};

}  // namespace weir
