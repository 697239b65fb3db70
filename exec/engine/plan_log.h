#pragma once

// The plans by which the copies of an application run one unit of queries, on Kafka: a topic of one
// partition beside the changelogs. Its order decides which plan is in force: each record names the
// one that it takes the place of, and counts only if that one was in force when it came. So copies
// that begin at the same time agree, whoever was first.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exec/connect/topic.h"
#include "exec/engine/engine_impl.h"

namespace weir {

struct PlansInForce {
  int64_t offset = -1;       ///< Of their record.
  uint64_t fingerprint = 0;  ///< That the unit's checkpoints bear; it stays when plans change.
  KeptPlans plans;
};

/// One thread at a time.
class PlanLog {
 public:
  PlanLog(Broker& broker, std::string_view unit);

  /// Makes the topic if it is missing, and reads it. Waits for the broker. kStoreVersion if a newer
  /// Weir wrote it, kStoreCorrupt.
  Status Open();
  /// The plans in force as last read; nothing: none were ever put.
  const std::optional<PlansInForce>& in_force() const { return in_force_; }
  /// Puts plans in the place of those in force. Another copy may have been first: in_force() says
  /// afterwards whose count.
  Status Propose(uint64_t fingerprint, const KeptPlans& plans);

  /// Reads what has come since; false if other plans took the place of those in force.
  Result<bool> IsStillInForce();

  const std::string& topic() const { return topic_; }
  /// Offset after the last record read: more there means that somebody has proposed.
  int64_t end() const { return end_; }

 private:
  Status Read();
  Status Take(std::string_view record, int64_t offset);

  Broker& broker_;
  const std::string topic_;
  std::optional<PlansInForce> in_force_;
  int64_t end_ = 0;
};

}  // namespace weir
