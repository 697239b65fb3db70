#pragma once

// The registry inside Weir as rows of a local store's state, so that it is there when the store is
// opened again, by an engine or by `weir registry`.

#include <memory>

#include "exec/connect/topic.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir {

/// The registry that lies in the broker's state. On a local store changes are kept as they are made
/// (`broker` outlives the registry); in memory they are not, and on Kafka there is none.
/// kStoreCorrupt.
Result<std::shared_ptr<MemoryRegistry>> OpenStoredRegistry(Broker& broker,
                                                           MemoryRegistry::Rule rule);

}  // namespace weir
