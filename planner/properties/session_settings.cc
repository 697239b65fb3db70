#include "planner/properties/session_settings.h"

#include "base/letter_case.h"

namespace weir {

std::optional<std::string> SessionText(const PlannerContext& context, std::string_view name) {
  // An empty value is that of a setting nobody set.
  for (std::string_view prefix : {"ksql.", "ksql.streams.", "weir.", ""}) {
    const auto it = context.properties.find(std::string(prefix) + std::string(name));
    if (it != context.properties.end() && !it->second.empty()) return it->second;
  }
  return std::nullopt;
}

std::optional<bool> SessionBoolean(const PlannerContext& context, std::string_view name) {
  const std::optional<std::string> text = SessionText(context, name);
  if (!text || text->empty()) return std::nullopt;
  return EqualIgnoringCase(*text, "true");
}

std::optional<std::string> DefaultFormat(const PlannerContext& context, bool is_key) {
  std::optional<std::string> set = SessionText(
      context, is_key ? "persistence.default.format.key" : "persistence.default.format.value");
  if (set && !set->empty()) return set;
  return is_key ? std::optional<std::string>("KAFKA") : std::nullopt;
}

}  // namespace weir
