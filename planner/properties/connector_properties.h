#pragma once

// The connectors and their properties, one table each: what the planner accepts, and what help and
// completion show. exec/connect does what they say.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

enum class PropertyType : uint8_t { kText, kInteger, kBoolean };

/// Where a connector's property has a meaning.
enum class ConnectorUse : uint8_t { kRead, kWrite, kBoth };

struct ConnectorProperty {
  std::string_view name;
  PropertyType type = PropertyType::kText;
  /// What holds where it is left out; empty: it must be given, or there is nothing then.
  std::string_view otherwise;
  ConnectorUse use = ConnectorUse::kRead;
  int64_t least = INT64_MIN;  ///< Of integers.
  std::string_view text;
};

struct ConnectorRow {
  std::string_view name;  ///< As CONNECTOR names it: lower case.
  std::string_view text;
  std::span<const ConnectorProperty> properties;
  /// Properties that begin so are the connector's too, one for each column; empty: none.
  std::string_view column_prefix;
  bool writes = false;  ///< May be written to.

  const ConnectorProperty* Find(std::string_view property, bool for_writing) const;
};

std::span<const ConnectorRow> Connectors();

/// The connector that CONNECTOR names, without regard to case; null if there is none.
const ConnectorRow* FindConnector(std::string_view name);
/// The connector of a source or sink; null for one over a topic.
const ConnectorRow* ConnectorOf(const std::map<std::string, std::string>& properties);

/// Whether what the connector gives has no end: generated rows without ROWS, a file with FOLLOW.
bool IsEndlessConnector(const std::map<std::string, std::string>& properties);

/// kInvalidProperty for a connector that there is not, with the nearest name.
Status UnknownConnector(std::string_view name);
/// kInvalidProperty for a property that `row` does not have there, with the one that was meant.
Status UnknownConnectorProperty(const ConnectorRow& row, std::string_view property,
                                bool for_writing);

}  // namespace weir
