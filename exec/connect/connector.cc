#include "exec/connect/connector.h"

#include "base/number_text.h"
#include "planner/properties/connector_properties.h"

namespace weir {
namespace {

/// How a connector of planner/properties/connector_properties.h is opened.
struct ConnectorMaker {
  const char* name;
  Result<ConnectorSource> (*open)(const ConnectorSpec&);
  Result<std::vector<ColumnSchema>> (*infer)(ConnectorSpec&);  ///< Null: needs a column list.
};

constexpr ConnectorMaker kMakers[] = {
    {"file", &OpenFileSource, &InferFileColumns},
    {"datagen", &OpenDatagenSource, nullptr},
};

std::string UpperCased(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

Result<const ConnectorMaker*> FindMaker(const ConnectorSpec& spec) {
  const ConnectorRow* row = ConnectorOf(spec.properties);
  if (row == nullptr) return UnknownConnector(ConnectorText(spec, "CONNECTOR", ""));
  for (const ConnectorMaker& maker : kMakers) {
    if (row->name == maker.name) return &maker;
  }
  return Status(ErrorCode::kInternal, "a connector without code: " + std::string(row->name));
}

}  // namespace

std::string ConnectorText(const ConnectorSpec& spec, const char* name, std::string otherwise) {
  const auto found = spec.properties.find(name);
  return found == spec.properties.end() ? std::move(otherwise) : found->second;
}

Result<int64_t> ConnectorNumber(const ConnectorSpec& spec, const char* name, int64_t otherwise,
                                int64_t least) {
  const auto found = spec.properties.find(name);
  if (found == spec.properties.end()) return otherwise;
  int64_t value = 0;
  if (!ParseInt64(found->second, value) || value < least) {
    return Status(ErrorCode::kInvalidProperty, std::string(name) +
                                                   " must be a whole number of at " + "least " +
                                                   std::to_string(least) + ": " + found->second);
  }
  return value;
}

bool ConnectorFlag(const ConnectorSpec& spec, const char* name, bool otherwise) {
  const std::string text = UpperCased(ConnectorText(spec, name, otherwise ? "TRUE" : "FALSE"));
  return text == "TRUE";
}

FormatSpec ConnectorFormat(const ConnectorSpec& spec, bool is_key, std::string default_format) {
  const std::string both = ConnectorText(spec, "FORMAT", std::move(default_format));
  FormatSpec format;
  format.name = UpperCased(ConnectorText(spec, is_key ? "KEY_FORMAT" : "VALUE_FORMAT", both));
  format.is_key = is_key;
  const char* delimiter = is_key ? "KEY_DELIMITER" : "VALUE_DELIMITER";
  if (const auto found = spec.properties.find(delimiter); found != spec.properties.end()) {
    format.properties["DELIMITER"] = found->second;
  }
  const size_t columns = ConnectorColumns(spec, is_key).size();
  format.unwrapped = columns == 1 && (is_key || !ConnectorFlag(spec, "WRAP_SINGLE_VALUE", true));
  return format;
}

std::vector<FormatColumn> ConnectorColumns(const ConnectorSpec& spec, bool is_key) {
  std::vector<FormatColumn> columns;
  for (const ColumnSchema& column : spec.columns) {
    if (column.is_key == is_key) columns.push_back({.name = column.name, .type = column.type});
  }
  return columns;
}

Result<ConnectorSource> OpenConnectorSource(const ConnectorSpec& spec) {
  auto row = FindMaker(spec);
  if (!row.ok()) return row.status();
  return (*row)->open(spec);
}

Result<std::vector<ColumnSchema>> InferConnectorColumns(ConnectorSpec& spec) {
  auto row = FindMaker(spec);
  if (!row.ok()) return row.status();
  if ((*row)->infer == nullptr) {
    return Status(ErrorCode::kInvalidStatement,
                  "this connector needs a column list: " + ConnectorText(spec, "CONNECTOR", ""));
  }
  return (*row)->infer(spec);
}

}  // namespace weir
