#pragma once

// Stream time of each source partition: the highest time of its rows that came this far. It is kept
// over restarts, so that a row is late after one as it would have been without.

#include <cstdint>
#include <vector>

#include "exec/operators/operator.h"

namespace weir {

/// One thread at a time.
class SourceClocks {
 public:
  struct Clock {
    int32_t source = -1;
    int32_t partition = -1;
    int64_t highest = INT64_MIN;
    bool dirty = false;

    void Advance(int64_t time) {
      if (time <= highest) return;
      highest = time;
      dirty = true;
    }
  };

  /// Loads what Save has written.
  Status Load(const StateStore& store);
  /// Writes the clocks that moved since the last call.
  void Save(StateStore& store);
  /// The clock of the partition that the chunk comes from. Valid until the next call.
  Clock& Of(const Chunk& chunk);
  /// The highest of all clocks; INT64_MIN: no row yet.
  int64_t Highest() const;

 private:
  std::vector<Clock> clocks_;
};

}  // namespace weir
