#pragma once
// What the broker itself wrote down of an application: its logs of transactions and of groups, read
// by Kafka's own tool from the broker's data directory while it runs.

#include <string>

#include "weir/status.h"

namespace weir::testing {

struct BrokerCounts {
  int64_t transactions_committed = 0;
  int64_t transactions_aborted = 0;
  int64_t rebalances = 0;  ///< Generations of all its groups.
};

/// Of all transactional ids and groups that begin with `application_id`. Needs
/// WEIR_TEST_BROKER_DIR, a JDK and the jars that scripts/kafka-broker fetched; blocks for some
/// seconds.
Result<BrokerCounts> CountInBrokerLog(const std::string& application_id);

}  // namespace weir::testing
