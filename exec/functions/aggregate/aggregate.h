#pragma once

// How an aggregate function is written: one row in a table and a handful of functions over whole
// columns. The state of a group is a fixed number of bytes in one array per function
// (variable-sized states hold an index into side storage that the state array owns).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "weir/status.h"

namespace weir {

class RowErrors;

/// The states of all groups of one aggregate call in one task. Group ids are dense, from 0; the
/// owner reuses ids after Reset. One thread at a time.
class AggregateStates {
 public:
  virtual ~AggregateStates() = default;
  /// Makes states for groups [current, count), all initial.
  virtual void Resize(uint32_t count) = 0;
  /// Back to the initial state.
  virtual void Reset(uint32_t group) = 0;
  /// Keeps `groups`, which ascend, as 0, 1, … and no others: these are in their initial state.
  virtual void Keep(std::span<const uint32_t> groups) = 0;
  /// Adds rows[i] of the argument columns to groups[i], in order of i.
  virtual void Add(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
                   std::span<const uint32_t> groups) = 0;
  /// As Add, and appends the group's result after each row to `out`: for runs that show each.
  virtual void AddEach(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
                       std::span<const uint32_t> groups, ColumnBuilder& out) = 0;
  /// Takes rows back out (tables). Only if the row's `can_undo`.
  virtual void Undo(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
                    std::span<const uint32_t> groups) = 0;
  /// Merges group `from` into `into` (sessions). Only if `can_merge`.
  virtual void Merge(uint32_t into, uint32_t from) = 0;
  /// Appends the results of `groups` to `out`.
  virtual void Results(std::span<const uint32_t> groups, ColumnBuilder& out) const = 0;
  /// The state as portable bytes, versioned by the function; appended to `out`.
  virtual void Save(uint32_t group, std::string& out) const = 0;
  /// Reads a state written by Save and moves `bytes` past it. kStoreCorrupt if malformed.
  virtual Status Load(uint32_t group, std::string_view& bytes) = 0;
  /// Partial aggregation: states of `groups` as columns (types in `partial_types`), and adding such
  /// columns. Only if the row is `combinable`.
  virtual void ExportPartial(std::span<const uint32_t> groups,
                             std::span<ColumnBuilder> out) const = 0;
  virtual void AddPartial(std::span<const ColumnPtr> partials, std::span<const int32_t> rows,
                          std::span<const uint32_t> groups) = 0;
  /// Bytes held, for the memory budget.
  virtual size_t ByteSize() const = 0;

  /// Where rows that could not be added are reported (a DECIMAL sum that overflows keeps its old
  /// value). Not owned; may stay null, then such rows are only left out.
  void set_errors(RowErrors* errors) { errors_ = errors; }

 protected:
  RowErrors* errors_ = nullptr;
};

/// One overload of an aggregate function.
struct AggregateRow {
  std::string_view name;
  std::string_view signature;  ///< "(INT) -> INT"; constants after ';': "(T; INT) -> ARRAY<T>".
  std::unique_ptr<AggregateStates> (*make)(std::span<const DataType> arg_types,
                                           std::span<const Value> constants,
                                           const DataType& return_type) = nullptr;
  Result<DataType> (*result_type)(std::span<const DataType> arg_types) = nullptr;
  /// Types of the partial columns, or null if the function cannot be pre-aggregated.
  std::vector<DataType> (*partial_types)(std::span<const DataType> arg_types) = nullptr;
  bool can_undo = false;
  bool can_merge = false;
  bool order_sensitive = false;
  std::string_view text;
  std::string_view example;
  int state_version = 1;  ///< Of what Save writes; older ones are read too.
};

/// The row behind a resolved overload.
const AggregateRow& RowOf(const struct AggregateOverload& overload);

}  // namespace weir
