#include "planner/properties/with_properties.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "planner/catalog/near_names.h"
#include "planner/properties/connector_properties.h"

namespace weir {
namespace {

constexpr unsigned kOnSource = 1;
constexpr unsigned kOnSink = 2;
constexpr unsigned kOnInsert = 4;
constexpr unsigned kOnBoth = kOnSource | kOnSink;

struct PropertyRow {
  std::string_view name;
  unsigned places;
  PropertyType type = PropertyType::kText;
};

constexpr PropertyRow kProperties[] = {
    {"KAFKA_TOPIC", kOnBoth},
    {"FORMAT", kOnBoth},
    {"KEY_FORMAT", kOnBoth},
    {"VALUE_FORMAT", kOnBoth},
    {"PARTITIONS", kOnBoth, PropertyType::kInteger},
    {"REPLICAS", kOnBoth, PropertyType::kInteger},
    {"RETENTION_MS", kOnBoth, PropertyType::kInteger},
    {"CLEANUP_POLICY", kOnBoth},
    {"TIMESTAMP", kOnBoth},
    {"TIMESTAMP_FORMAT", kOnBoth},
    {"TIMESTAMP_SOURCE", kOnSource},
    {"KEY_DELIMITER", kOnBoth},
    {"VALUE_DELIMITER", kOnBoth},
    {"WRAP_SINGLE_VALUE", kOnBoth, PropertyType::kBoolean},
    {"KEY_SCHEMA_ID", kOnBoth, PropertyType::kInteger},
    {"VALUE_SCHEMA_ID", kOnBoth, PropertyType::kInteger},
    {"KEY_SCHEMA_FULL_NAME", kOnBoth},
    {"VALUE_SCHEMA_FULL_NAME", kOnBoth},
    {"VALUE_AVRO_SCHEMA_FULL_NAME", kOnBoth},
    {"KEY_PROTOBUF_NULLABLE_REPRESENTATION", kOnBoth},
    {"VALUE_PROTOBUF_NULLABLE_REPRESENTATION", kOnBoth},
    {"WINDOW_TYPE", kOnSource},
    {"WINDOW_SIZE", kOnSource},
    {"SOURCED_BY_CONNECTOR", kOnSource},
    {"SOURCE_CONNECTOR", kOnSource},
    {"ON_ERROR", kOnSource},
    {"STRICT.JSON", kOnSource, PropertyType::kBoolean},
    {"CONNECTOR", kOnBoth},
    {"QUERY_ID", kOnInsert},
};

const PropertyRow* FindRow(std::string_view name) {
  const auto it = std::ranges::find(kProperties, name, &PropertyRow::name);
  return it == std::end(kProperties) ? nullptr : &*it;
}

unsigned PlaceBit(WithPlace place) {
  return place == WithPlace::kSource ? kOnSource : place == WithPlace::kSink ? kOnSink : kOnInsert;
}

std::string LiteralText(const ast::LiteralValue& value) {
  switch (value.kind) {
    case ast::LiteralKind::kBoolean: return value.boolean ? "true" : "false";
    case ast::LiteralKind::kInt:
    case ast::LiteralKind::kBigint: return std::to_string(value.integer);
    default: return value.text;
  }
}

Status CheckType(PropertyType type, int64_t least, const ast::Property& property,
                 const std::string& text) {
  int64_t number = 0;
  if (type == PropertyType::kInteger && !ParseInt64(text, number)) {
    return InvalidProperty(property.name + " takes an integer, not '" + text + "'",
                           property.value_position);
  }
  if (type == PropertyType::kInteger && number < least) {
    return InvalidProperty(
        property.name + " is at least " + std::to_string(least) + ", not " + text,
        property.value_position);
  }
  if (type == PropertyType::kBoolean && !EqualIgnoringCase(text, "true") &&
      !EqualIgnoringCase(text, "false")) {
    return InvalidProperty(property.name + " takes true or false, not '" + text + "'",
                           property.value_position);
  }
  return OkStatus();
}

/// What CONNECTOR names; null where the clause has none.
Result<const ConnectorRow*> NamedConnector(const ast::Properties& properties, WithPlace place) {
  const auto found = std::ranges::find(properties, "CONNECTOR", &ast::Property::name);
  if (found == properties.end() || place == WithPlace::kInsert) {
    return static_cast<const ConnectorRow*>(nullptr);
  }
  const std::string text = LiteralText(found->value);
  const ConnectorRow* row = FindConnector(text);
  if (row == nullptr) return UnknownConnector(text).At(found->value_position);
  if (place == WithPlace::kSink && !row->writes) {
    return InvalidProperty("only CONNECTOR='file' can be written to, not '" + text + "'",
                           found->value_position);
  }
  return row;
}

/// A property behind a CONNECTOR: its own, none of a topic's.
Status CheckConnectorProperty(const ConnectorRow& row, const ast::Property& property,
                              bool for_writing, const std::string& text) {
  if (property.name == "CONNECTOR") return OkStatus();
  if (const ConnectorProperty* known = row.Find(property.name, for_writing)) {
    return CheckType(known->type, known->least, property, text);
  }
  const bool of_column =
      !row.column_prefix.empty() && !for_writing && property.name.starts_with(row.column_prefix);
  if (of_column) return OkStatus();
  return UnknownConnectorProperty(row, property.name, for_writing).At(property.position);
}

/// A property of a topic's source or sink.
Status CheckTopicProperty(const ast::Property& property, WithPlace place, const std::string& text) {
  const PropertyRow* row = FindRow(property.name);
  if (row != nullptr && (row->places & PlaceBit(place)) != 0) {
    return CheckType(row->type, INT64_MIN, property, text);
  }
  std::vector<std::string> names;
  for (const PropertyRow& known : kProperties) {
    if ((known.places & PlaceBit(place)) != 0) names.emplace_back(known.name);
  }
  return Status(ErrorCode::kInvalidProperty, "unknown property in WITH: " + property.name)
      .At(property.position)
      .WithHint(DidYouMeanPart(property.name, names));
}

struct UnitRow {
  std::string_view name;
  int64_t ms;
};
constexpr UnitRow kUnits[] = {{"MILLISECOND", 1},
                              {"SECOND", 1000},
                              {"MINUTE", 60'000},
                              {"HOUR", 3'600'000},
                              {"DAY", 86'400'000}};

}  // namespace

Status InvalidProperty(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidProperty, std::move(message)).At(position);
}

std::vector<std::string_view> WithPropertyNames() {
  std::vector<std::string_view> names;
  for (const PropertyRow& row : kProperties) names.push_back(row.name);
  return names;
}

Result<WithProperties> WithProperties::Read(const ast::Properties& properties, WithPlace place) {
  WithProperties read;
  WEIR_ASSIGN_OR_RETURN(const ConnectorRow* connector, NamedConnector(properties, place));
  for (const ast::Property& property : properties) {
    std::string text = LiteralText(property.value);
    if (connector == nullptr) {
      WEIR_RETURN_IF_ERROR(CheckTopicProperty(property, place, text));
    } else {
      WEIR_RETURN_IF_ERROR(
          CheckConnectorProperty(*connector, property, place == WithPlace::kSink, text));
    }
    if (connector != nullptr && property.name == "CONNECTOR") text = connector->name;
    if (!read.entries_.emplace(property.name, Entry{text, property.value_position}).second) {
      return InvalidProperty("a property is given twice: " + property.name, property.position);
    }
  }
  return read;
}

const WithProperties::Entry* WithProperties::Find(std::string_view name) const {
  const auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : &it->second;
}

std::optional<std::string> WithProperties::Text(std::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? std::nullopt : std::optional(entry->text);
}

std::optional<int64_t> WithProperties::Integer(std::string_view name) const {
  const Entry* entry = Find(name);
  int64_t number = 0;
  if (entry == nullptr || !ParseInt64(entry->text, number)) return std::nullopt;
  return number;
}

std::optional<bool> WithProperties::Boolean(std::string_view name) const {
  const Entry* entry = Find(name);
  if (entry == nullptr) return std::nullopt;
  return EqualIgnoringCase(entry->text, "true");
}

SourcePosition WithProperties::PositionOf(std::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? SourcePosition{} : entry->position;
}

std::map<std::string, std::string> WithProperties::ToMap() const {
  std::map<std::string, std::string> map;
  for (const auto& [name, entry] : entries_) map.emplace(name, entry.text);
  return map;
}

Result<int64_t> ParseDurationText(std::string_view text) {
  const size_t blank = text.find(' ');
  int64_t number = 0;
  if (blank == std::string_view::npos || !ParseInt64(text.substr(0, blank), number) || number < 0) {
    return Status(ErrorCode::kInvalidProperty,
                  "a duration is a number and a unit, not '" + std::string(text) + "'")
        .WithHint("write '30 SECONDS'");
  }
  const std::string unit = ToUpper(TrimBlanks(text.substr(blank)));
  for (const UnitRow& row : kUnits) {
    if (unit != row.name && unit != std::string(row.name) + "S") continue;
    if (number > limits::kDurationMsMax / row.ms) {
      return Status(ErrorCode::kInvalidProperty,
                    "the duration is too long: '" + std::string(text) + "'")
          .WithHint("at most a thousand years are allowed, " +
                    std::to_string(limits::kDurationMsMax / 86'400'000) + " DAYS");
    }
    return number * row.ms;
  }
  return Status(ErrorCode::kInvalidProperty, "unknown unit of time: '" + unit + "'")
      .WithHint("the units are DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS");
}

}  // namespace weir
