#pragma once

// Rows with all that the runtime knows of them (times, operations, source) as bytes: what waits in
// front of a task is part of its commit, and what crosses an exchange on Kafka is a block a
// message.

#include <string>
#include <string_view>

#include "exec/column/chunk.h"
#include "planner/physical/nodes.h"
#include "weir/status.h"

namespace weir {

/// `chunk` is flat; columns that nobody reads may be missing.
std::string EncodeRows(const Chunk& chunk);
/// `schema` is that of the encoded rows. kStoreCorrupt.
Result<Chunk> DecodeRows(const Schema& schema, std::string_view bytes);

/// What a message of a repartition topic says beside its rows.
struct BlockHeader {
  int32_t upstream = 0;     ///< The upstream task's partition.
  int64_t stream_time = 0;  ///< Highest event time that task has sent.
  bool drained = false;     ///< It had no unread records when it sent this.
};

/// A message: header, and rows if there are any.
std::string EncodeBlock(const BlockHeader& header, const Chunk* rows);
/// `rows` has no rows if the message carries none. kStoreCorrupt, kStoreVersion.
Status DecodeBlock(const Schema& schema, std::string_view bytes, BlockHeader& header, Chunk& rows);

}  // namespace weir
