#pragma once
// What a Java program reads from a topic: runs ReadTopic.java of this folder, which uses Kafka's
// own client and Kafka Streams' deserializers.

#include <string>
#include <vector>

#include "weir/status.h"

namespace weir::testing {

/// One JSON object per record, see ReadTopic.java. `keys` is "plain", "time:SIZE_MS" or "session".
/// Needs a JDK and the jars that scripts/kafka-broker fetched; blocks for some seconds.
Result<std::vector<std::string>> ReadWithJava(const std::string& brokers, const std::string& topic,
                                              const std::string& keys);

}  // namespace weir::testing
