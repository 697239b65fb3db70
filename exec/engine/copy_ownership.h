#pragma once

// Pull queries where copies of an application share a table's partitions out: whether this copy has
// the rows asked for, and which one has them if not.

#include <optional>

#include "exec/connect/topic.h"
#include "exec/runtime/query/query_runtime.h"
#include "planner/planner.h"
#include "weir/status.h"

namespace weir {

/// The partition of the stage that keeps the table of root `query_root` in which rows with this key
/// are; nothing where that cannot be told from the key.
Result<std::optional<int32_t>> PartitionOfKey(const QueryStages& stages, int query_root,
                                              const std::vector<Value>& key);

/// OK if this copy keeps all that is asked of `table` (TopicSource::Origin::kKeptTable). Else
/// kOtherCopy, which names the copies that do: by their application.server, or by host and client
/// id. Asks the group only then. To be called before and after the rows are read: partitions may
/// move meanwhile.
Status CheckThisCopyKeeps(const physical::TopicSource& table, const QueryRuntime& runtime,
                          int query_root, Broker& broker);

}  // namespace weir
