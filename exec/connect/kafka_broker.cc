// Topics on a Kafka cluster, state in a local directory.

#include "exec/connect/topic.h"

namespace weir {

Result<std::unique_ptr<Broker>> OpenKafkaBroker(const BrokerOptions& options) {
  return Status(ErrorCode::kUnsupported, "not built yet: topics on Kafka, brokers: " + options.brokers)
      .WithHint("open a directory instead of brokers");
}

}  // namespace weir
