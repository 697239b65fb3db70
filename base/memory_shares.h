#pragma once

// How memory.limit is shared out among what holds memory. The parts together stay below the limit,
// but for the least that each of them needs.

#include <algorithm>
#include <cstdint>

namespace weir {

struct MemoryShares {
  /// Of memory.limit in bytes; 0: as of a limit that bounds none of the smaller parts.
  static constexpr MemoryShares Of(int64_t limit) {
    constexpr int64_t kMiB = int64_t{1} << 20;
    if (limit <= 0) limit = INT64_MAX;
    return {.state = std::max<int64_t>(limit / 2, 1),
            .between_commits = limit / 8,
            .committed = limit / 10,
            .commit = std::clamp(limit / 16, kMiB, 32 * kMiB),
            .store_buffers = std::clamp(limit / 8, 8 * kMiB, 96 * kMiB),
            .store_cache = std::clamp(limit / 16, 8 * kMiB, 16 * kMiB),
            .kafka_partition = std::clamp(limit / 64, kMiB, 16 * kMiB),
            .kafka_sending = std::clamp(limit / 16, 16 * kMiB, 128 * kMiB)};
  }

  int64_t state;            ///< State of operators that can also be read from a store.
  int64_t between_commits;  ///< Bytes of records that a query reads before it measures its state.
  int64_t committed;        ///< Records and changed state of one commit, as far as can be foreseen.
  int64_t commit;           ///< What waits for one commit, beside the state that changed.
  int64_t store_buffers;    ///< RocksDB's memtables.
  int64_t store_cache;      ///< RocksDB's blocks, the index and filter blocks among them.
  int64_t kafka_partition;  ///< What librdkafka fetches ahead of the reader of one partition.
  int64_t kafka_sending;    ///< What one producer of librdkafka holds.
};

}  // namespace weir
