#pragma once

// What a commit says of one task: how far it has got in its inputs, and whose state it is. Written
// behind the state in the changelog, or as the metadata of committed offsets.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

/// Where a task has got to in one of its inputs.
struct InputPosition {
  int64_t next = -1;     ///< The first record not yet processed.
  int64_t decoded = -1;  ///< Bad records before it have been reported; -1: as `next`.
  /// Table side of a stream-table join: where the table ended when the query first started; -1: not
  /// noted.
  int64_t table_end = -1;
  bool operator==(const InputPosition&) const = default;
};

/// Who wrote a changelog's records. Its epoch is the generation of the group in which the task came
/// to it, so a later owner's is higher, and what a predecessor still writes is known for what it
/// is.
struct ChangelogOwner {
  uint32_t era = 0;  ///< Counts groups: their generations begin anew when they expire.
  int32_t generation = -1;
  uint64_t id = 0;  ///< Random: tells the attempts of one owner apart.
  /// True if records of this one do not count once `other` has written.
  bool IsBefore(const ChangelogOwner& other) const {
    return era != other.era ? era < other.era : generation < other.generation;
  }
  bool operator==(const ChangelogOwner&) const = default;
};

struct Checkpoint {
  uint64_t fingerprint = 0;  ///< Of the plan.
  int32_t partitions = 0;    ///< Of the sub-topology.
  ChangelogOwner owner;
  std::map<std::string, InputPosition, std::less<>> inputs;  ///< By source or topic name.
  /// State of a task without a changelog.
  std::map<std::string, std::string, std::less<>> state;
};

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
/// kStoreCorrupt; kStoreVersion if a newer Weir wrote it.
Result<Checkpoint> DecodeCheckpoint(std::string_view bytes);

std::string EncodeOwner(const ChangelogOwner& owner);
/// False if malformed.
bool DecodeOwner(std::string_view bytes, ChangelogOwner& owner);

}  // namespace weir
