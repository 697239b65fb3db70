#pragma once

// The session properties that decide plans, read from PlannerContext::properties.

#include <optional>
#include <string>
#include <string_view>

#include "planner/planner.h"

namespace weir {

/// A property's text under its name with or without `ksql.` or `ksql.streams.` in front.
std::optional<std::string> SessionText(const PlannerContext& context, std::string_view name);
/// As SessionText, read as true or false.
std::optional<bool> SessionBoolean(const PlannerContext& context, std::string_view name);

/// The default format of a side: KAFKA for keys, nothing for values, unless the session sets them.
std::optional<std::string> DefaultFormat(const PlannerContext& context, bool is_key);

}  // namespace weir
