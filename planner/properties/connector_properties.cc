#include "planner/properties/connector_properties.h"

#include <algorithm>
#include <vector>

#include "parser/source_text.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

constexpr PropertyType kText = PropertyType::kText;
constexpr PropertyType kInteger = PropertyType::kInteger;
constexpr PropertyType kBoolean = PropertyType::kBoolean;
constexpr ConnectorUse kRead = ConnectorUse::kRead;
constexpr ConnectorUse kBoth = ConnectorUse::kBoth;

constexpr ConnectorProperty kFileProperties[] = {
    {"PATH", kText, "", kBoth, 0, "The file; '-' reads the standard input, once."},
    {"KEY_FORMAT", kText, "KAFKA", kRead, 0, "Format of the keys made of the KEY columns."},
    {"KEY_DELIMITER", kText, "','", kRead, 0, "Delimiter of DELIMITED keys."},
    {"VALUE_FORMAT", kText, "by the file's ending", kBoth, 0,
     "DELIMITED (.csv, .tsv, .txt) or JSON, one object a line (others)."},
    {"FORMAT", kText, "by the file's ending", kBoth, 0, "VALUE_FORMAT and KEY_FORMAT in one."},
    {"VALUE_DELIMITER", kText, "',', TAB for .tsv", kBoth, 0,
     "What stands between fields: a character, TAB or SPACE."},
    {"HEADER", kBoolean, "true", kBoth, 0,
     "DELIMITED: the first line names the fields. Without it they come in the columns' order."},
    {"NULL", kText, "", kBoth, 0,
     "DELIMITED: a text that stands for null, as an empty field does."},
    {"WRAP_SINGLE_VALUE", kBoolean, "true", kBoth, 0,
     "JSON: a single column stands in an object, not bare."},
    {"FOLLOW", kBoolean, "false", kRead, 0, "Lines that are appended are read as they come."},
    {"PARTITIONS", kInteger, "1", kBoth, 1, "Parts of the file that are read at the same time."},
    {"STRICT.JSON", kBoolean, "false", kRead, 0, "JSON: values that nobody reads are checked too."},
    {"TIMESTAMP", kText, "the file's last change", kBoth, 0, "The column with a row's time."},
    {"TIMESTAMP_FORMAT", kText, "", kBoth, 0, "How a STRING column writes times."},
    {"TIMESTAMP_SOURCE", kText, "record", kRead, 0, "record, append or processing."},
    {"ON_ERROR", kText, "skip", kRead, 0, "Bad lines: skip, null, fail, or a topic for them."},
};

constexpr ConnectorProperty kDatagenProperties[] = {
    {"ROWS", kInteger, "endless", kRead, 0, "How many rows there are, over all partitions."},
    {"RATE", kInteger, "as fast as they are taken", kRead, 1, "Rows a second."},
    {"SEED", kInteger, "1", kRead, INT64_MIN, "Other seeds give other rows."},
    {"PARTITIONS", kInteger, "1", kRead, 1, "Row k of partition p of n is row k * n + p."},
    {"KEY_FORMAT", kText, "KAFKA", kRead, 0, "Format of the keys that are made."},
    {"KEY_DELIMITER", kText, "','", kRead, 0, "Delimiter of DELIMITED keys."},
    {"VALUE_FORMAT", kText, "JSON", kRead, 0, "Format of the values that are made."},
    {"FORMAT", kText, "JSON", kRead, 0, "VALUE_FORMAT and KEY_FORMAT in one."},
    {"VALUE_DELIMITER", kText, "','", kRead, 0, "Delimiter of DELIMITED values."},
    {"WRAP_SINGLE_VALUE", kBoolean, "true", kRead, 0,
     "JSON: a single column stands in an object, not bare."},
    {"TIMESTAMP", kText, "COLUMN.ROWTIME", kRead, 0, "The column with a row's time."},
    {"TIMESTAMP_FORMAT", kText, "", kRead, 0, "How a STRING column writes times."},
    {"TIMESTAMP_SOURCE", kText, "record", kRead, 0, "record, append or processing."},
    {"ON_ERROR", kText, "skip", kRead, 0, "Bad rows: skip, null, fail, or a topic for them."},
};

constexpr ConnectorRow kConnectors[] = {
    {"file", "The lines of a file.", kFileProperties, "", true},
    {"datagen",
     "Made-up rows, the same in every run. 'COLUMN.<name>' says how a column is made: sequence("
     "start, step), uniform(low, high), normal(mean, deviation), choice(a, b, …), timestamp("
     "start_ms, step_ms), text(length) or null(percent, generator).",
     kDatagenProperties, "COLUMN.", false},
};

bool Fits(const ConnectorProperty& property, bool for_writing) {
  return property.use == ConnectorUse::kBoth ||
         (property.use == ConnectorUse::kWrite) == for_writing;
}

const std::string* TextOf(const std::map<std::string, std::string>& properties, const char* name) {
  const auto found = properties.find(name);
  return found == properties.end() ? nullptr : &found->second;
}

}  // namespace

const ConnectorProperty* ConnectorRow::Find(std::string_view property, bool for_writing) const {
  const auto found = std::ranges::find_if(properties, [&](const ConnectorProperty& each) {
    return each.name == property && Fits(each, for_writing);
  });
  return found == properties.end() ? nullptr : &*found;
}

std::span<const ConnectorRow> Connectors() { return kConnectors; }

const ConnectorRow* FindConnector(std::string_view name) {
  const std::string wanted = FoldName(name);
  const auto found = std::ranges::find_if(
      kConnectors, [&](const ConnectorRow& row) { return FoldName(row.name) == wanted; });
  return found == std::end(kConnectors) ? nullptr : &*found;
}

const ConnectorRow* ConnectorOf(const std::map<std::string, std::string>& properties) {
  const std::string* name = TextOf(properties, "CONNECTOR");
  return name == nullptr ? nullptr : FindConnector(*name);
}

bool IsEndlessConnector(const std::map<std::string, std::string>& properties) {
  const ConnectorRow* row = ConnectorOf(properties);
  if (row == nullptr) return false;
  if (row->name == "datagen") return TextOf(properties, "ROWS") == nullptr;
  const std::string* follow = TextOf(properties, "FOLLOW");
  return follow != nullptr && FoldName(*follow) == "TRUE";
}

Status UnknownConnector(std::string_view name) {
  std::vector<std::string> names;
  for (const ConnectorRow& row : kConnectors) names.emplace_back(row.name);
  std::string hint = DidYouMean(name, names);
  if (hint.empty()) hint = "the connectors are " + ListNames(names);
  return Status(ErrorCode::kInvalidProperty, "unknown connector: " + std::string(name))
      .WithHint(std::move(hint));
}

Status UnknownConnectorProperty(const ConnectorRow& row, std::string_view property,
                                bool for_writing) {
  std::vector<std::string> names;
  for (const ConnectorProperty& each : row.properties) {
    if (Fits(each, for_writing)) names.emplace_back(each.name);
  }
  std::string hint = DidYouMeanPart(property, names);
  if (hint.empty()) hint = "there are " + ListNames(names, names.size());
  const bool reads_only = for_writing && row.Find(property, false) != nullptr;
  return Status(ErrorCode::kInvalidProperty,
                reads_only ? std::string(property) + " is for reading, and this writes"
                           : "the connector '" + std::string(row.name) +
                                 "' has no such property: " + std::string(property))
      .WithHint(std::move(hint));
}

}  // namespace weir
