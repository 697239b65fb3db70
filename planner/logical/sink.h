#pragma once

#include "planner/logical/node.h"

namespace weir::logical {

/// Where the rows go: a topic, or a client when `topic` is empty.
struct Sink : Node {
  Sink() : Node(NodeKind::kSink) {}
  std::string name;
  std::string topic;
  int32_t partitions = 0;
  physical::SideFormat key_format, value_format;
  bool passes_keys = false;
  int time_column = -1;
  std::string time_format;
  std::map<std::string, std::string> connector;
};

}  // namespace weir::logical
