#pragma once

// The sending end of an exchange that is a topic: rows that the exchange output left for downstream
// tasks go out as blocks, and each downstream task is told how far this one's stream time is and
// whether it has unread records, so that all of them judge lateness alike.

#include <cstdint>
#include <string>
#include <vector>

#include "exec/runtime/exchange/rows_block.h"
#include "exec/runtime/query/query_environment.h"

namespace weir {

/// One thread at a time.
class RepartitionOutput {
 public:
  /// Sends what task `upstream` leaves in `outbox`.
  RepartitionOutput(QueryEnvironment& environment, ExchangeBuffer& outbox, int exchange,
                    int32_t upstream);
  /// Hands rows over for sending. `at_barrier`: also tells how far stream time has moved where no
  /// rows went.
  Status Flush(bool at_barrier);

 private:
  struct Told {
    int64_t stream_time = INT64_MIN;
    bool drained = false;
    bool anything = false;
  };
  void AddRows(Chunk rows, const BlockHeader* last, int64_t now_ms);
  void Add(std::string_view value, int64_t now_ms);

  QueryEnvironment& env_;
  ExchangeBuffer& outbox_;
  const std::string topic_;
  const int32_t upstream_;
  std::vector<Told> told_;  // By downstream partition.
  RecordBatchBuilder records_;
};

}  // namespace weir
