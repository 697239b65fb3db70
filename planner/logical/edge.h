#pragma once

// What flows out of a node of the logical plan, and so into the node above it. Derived from the
// plan itself, here alone: passes ask for it, and CheckPlan proves that each node gets what it
// needs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/logical/node.h"

namespace weir::logical {

/// Columns that hold the same value in every row.
using EqualColumns = std::vector<int>;

/// Where the rows are.
struct Partitioning {
  /// The columns whose values decide the partition, in order, each with those equal to it; empty:
  /// by nothing that the schema shows.
  std::vector<EqualColumns> columns;
  int32_t partitions = 1;
  /// How the keys are encoded whose bytes decide; nothing behind an exchange with any hash.
  std::optional<physical::SideFormat> key_format;
  /// Of the columns in those bytes: some formats write them where there are several.
  std::vector<std::string> key_names;
  int32_t declared = 0;  ///< PARTITIONS as the source's statement said.
  std::string source;    ///< Whose partitions they are, for messages.

  bool is_single() const { return partitions == 1; }
  /// Whether the first `keys` columns, in this order, decide the partition.
  bool IsByFirst(int keys) const;
  /// Whether equal keys of both lie in partitions of the same number.
  bool IsAlike(const Partitioning& other) const;
};

enum class RowOrder : uint8_t {
  kArrival,  ///< Each partition of a source as it comes.
  kTime,     ///< Rows of several partitions merged by their times.
  kSorted,   ///< By the keys of a Sort.
};

struct EdgeTraits {
  /// kAppend of streams, kUpsert of tables; kRetract where the consumer undoes what was
  /// (InputMode).
  physical::ChangeMode mode = physical::ChangeMode::kAppend;
  /// The key columns, each with the columns equal to it; empty: rows have no key.
  std::vector<EqualColumns> keys;
  Partitioning partitioning;
  RowOrder order = RowOrder::kArrival;
  bool ends = false;  ///< There is a last row.
};

enum class KeyColumns : uint8_t {
  kWithEqual,  ///< And all that equal them.
  kAlone,      ///< As the first versions knew them (PlannerContext::first_placement).
};
EdgeTraits TraitsOf(const Node& node, KeyColumns which = KeyColumns::kWithEqual);

/// What a node has to get from its input number `input`, given what its own consumer needs.
physical::ChangeMode InputMode(const Node& node, size_t input, physical::ChangeMode needed);

}  // namespace weir::logical
