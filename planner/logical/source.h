#pragma once

// A stream or table that a query reads.

#include "planner/catalog/catalog.h"
#include "planner/logical/node.h"

namespace weir::logical {

/// Leaf. `schema` holds the columns that are read, keys first.
struct Source : Node {
  Source() : Node(NodeKind::kSource) {}
  std::shared_ptr<const SourceEntry> entry;
  std::string alias;
  /// For each column of `schema`, its place in `entry->columns`.
  std::vector<int> columns;
  physical::TopicSource::Origin origin = physical::TopicSource::Origin::kTopic;
  std::string kept_by;                      ///< kKeptTable: the query.
  std::vector<std::vector<Value>> lookups;  ///< kKeptTable: keys asked for; empty: all rows.
  bool needs_partition = false, needs_offset = false, needs_headers = false;
  physical::TopicSource::Start start = physical::TopicSource::Start::kDefault;
  int64_t start_timestamp_ms = 0;
  std::vector<int64_t> start_offsets;
  bool ends = false;  ///< Of bounded queries: read up to what is there now.
};

}  // namespace weir::logical
