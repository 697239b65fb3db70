#include "planner/properties/format_rules.h"

#include <algorithm>
#include <cctype>

#include "base/file_ending.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "planner/properties/event_time.h"

namespace weir {
namespace {

std::string Upper(std::string_view text) {
  std::string upper;
  for (char c : text) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

constexpr std::string_view kBuiltFormats[] = {"JSON", "DELIMITED", "KAFKA", "NONE"};
constexpr std::string_view kRegistryFormats[] = {"AVRO", "JSON_SR", "PROTOBUF", "PROTOBUF_NOSR"};

bool ContainsMap(const DataType& type) {
  if (type.is(TypeKind::kMap)) return true;
  if (type.is(TypeKind::kArray)) return ContainsMap(type.element());
  return std::ranges::any_of(type.fields(),
                             [](const DataType::Field& field) { return ContainsMap(field.type); });
}

bool HasOnlyTextMapKeys(const DataType& type) {
  if (type.is(TypeKind::kArray)) return HasOnlyTextMapKeys(type.element());
  if (type.is(TypeKind::kMap)) {
    return type.key().is(TypeKind::kString) && HasOnlyTextMapKeys(type.element());
  }
  return std::ranges::all_of(
      type.fields(), [](const DataType::Field& field) { return HasOnlyTextMapKeys(field.type); });
}

bool KafkaHolds(const DataType& type) {
  return type.is(TypeKind::kInt) || type.is(TypeKind::kBigint) || type.is(TypeKind::kDouble) ||
         type.is(TypeKind::kString) || type.is(TypeKind::kBytes);
}

Status Mismatch(const physical::SideFormat& format, const ColumnSchema& column) {
  return Status(ErrorCode::kFormatMismatch, "format " + format.format + " cannot hold column " +
                                                column.name + " of type " + column.type.ToString());
}

/// One character, or the words SPACE and TAB, which stay words: a statement that is made of them
/// again shows them.
Result<std::string> ReadDelimiter(std::string_view property, const WithProperties& with) {
  const std::string text = *with.Text(property);
  if (const std::string word = Upper(text); word == "SPACE" || word == "TAB") return word;
  const auto cannot_be = [](unsigned char c) { return c <= ' ' || c >= 0x7F || c == '"'; };
  if (text.size() != 1 || cannot_be(static_cast<unsigned char>(text[0]))) {
    return Status(ErrorCode::kInvalidProperty,
                  std::string(property) +
                      " takes one character of ASCII that is no double quote, "
                      "not '" +
                      text + "'")
        .WithHint("a blank is written SPACE, a tab TAB")
        .At(with.PositionOf(property));
  }
  return text;
}

Status CheckRegistryProperties(bool is_key, const std::string& format, const WithProperties& with) {
  for (std::string_view suffix : {"SCHEMA_ID", "SCHEMA_FULL_NAME", "AVRO_SCHEMA_FULL_NAME",
                                  "PROTOBUF_NULLABLE_REPRESENTATION"}) {
    const std::string name = (is_key ? "KEY_" : "VALUE_") + std::string(suffix);
    if (!with.Has(name)) continue;
    return InvalidProperty("format " + format + " does not take the property " + name,
                           with.PositionOf(name));
  }
  return OkStatus();
}

}  // namespace

Result<std::string> CheckFormatName(std::string_view name, SourcePosition position) {
  const std::string format = Upper(name);
  if (std::ranges::find(kBuiltFormats, format) != std::end(kBuiltFormats)) return format;
  if (std::ranges::find(kRegistryFormats, format) != std::end(kRegistryFormats)) {
    return Status(ErrorCode::kUnsupported, "format " + format + " is not supported")
        .WithHint("the formats are JSON, DELIMITED, KAFKA and NONE")
        .At(position);
  }
  return Status(ErrorCode::kInvalidProperty, "unknown format: " + std::string(name))
      .WithHint("the formats are JSON, DELIMITED, KAFKA and NONE")
      .At(position);
}

Result<NamedFormats> ReadFormats(const WithProperties& with) {
  NamedFormats formats;
  std::optional<std::string> both = with.Text("FORMAT");
  for (std::string_view side : {"KEY_FORMAT", "VALUE_FORMAT"}) {
    if (both && with.Has(side)) {
      return InvalidProperty(
          "FORMAT sets both sides, so it cannot stand beside " + std::string(side),
          with.PositionOf(side));
    }
  }
  auto read = [&](std::string_view name, std::optional<std::string>& out) -> Status {
    const std::string_view property = both ? "FORMAT" : name;
    std::optional<std::string> text = with.Text(property);
    if (!text) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(out, CheckFormatName(*text, with.PositionOf(property)));
    return OkStatus();
  };
  WEIR_RETURN_IF_ERROR(read("KEY_FORMAT", formats.key));
  WEIR_RETURN_IF_ERROR(read("VALUE_FORMAT", formats.value));
  return formats;
}

std::string ExtensionFormat(const std::map<std::string, std::string>& connector) {
  const auto path = connector.find("PATH");
  return path == connector.end() ? "JSON" : FileFormatByEnding(path->second);
}

Status CheckColumnCount(size_t count, SourcePosition position) {
  if (count <= limits::kColumnsMax) return OkStatus();
  return Status(ErrorCode::kInvalidStatement, "there are at most " +
                                                  std::to_string(limits::kColumnsMax) +
                                                  " columns, not " + std::to_string(count))
      .At(position)
      .WithHint("an ARRAY or a MAP holds many values in one column");
}

Result<physical::SideFormat> ResolveSide(bool is_key, const std::string& format,
                                         const WithProperties& with,
                                         const std::vector<ColumnSchema>& columns,
                                         std::optional<bool> default_wrap) {
  physical::SideFormat side;
  side.format = format;
  const std::string_view delimiter = is_key ? "KEY_DELIMITER" : "VALUE_DELIMITER";
  if (with.Has(delimiter)) {
    if (format != "DELIMITED") {
      return InvalidProperty("format " + format + " has no delimiter: " + std::string(delimiter),
                             with.PositionOf(delimiter));
    }
    WEIR_ASSIGN_OR_RETURN(side.properties["DELIMITER"], ReadDelimiter(delimiter, with));
  }
  WEIR_RETURN_IF_ERROR(CheckRegistryProperties(is_key, format, with));
  if (format == "JSON" && !is_key && with.Boolean("STRICT.JSON").value_or(false)) {
    side.properties["STRICT.JSON"] = "true";
  }
  if (is_key) {
    side.unwrapped = columns.size() == 1;
    return side;
  }
  const std::optional<bool> wrap = with.Boolean("WRAP_SINGLE_VALUE");
  const SourcePosition position = with.PositionOf("WRAP_SINGLE_VALUE");
  if (wrap && columns.size() != 1) {
    return InvalidProperty("WRAP_SINGLE_VALUE has a meaning for a single value column only",
                           position);
  }
  if (wrap && *wrap && format != "JSON") {
    return InvalidProperty("format " + format + " does not take WRAP_SINGLE_VALUE = true",
                           position);
  }
  if (format == "JSON") {
    side.unwrapped = columns.size() == 1 && !wrap.value_or(default_wrap.value_or(true));
  } else {
    side.unwrapped = columns.size() == 1;
  }
  return side;
}

Status CheckFormatColumns(bool is_key, const physical::SideFormat& format,
                          const std::vector<ColumnSchema>& columns) {
  for (const ColumnSchema& column : columns) {
    if (is_key && ContainsMap(column.type)) {
      return Status(ErrorCode::kInvalidKey,
                    "a MAP has no fixed order of bytes, so it cannot be a key: column " +
                        column.name + " of type " + column.type.ToString());
    }
  }
  if (format.format == "NONE" && !columns.empty()) {
    return Status(ErrorCode::kFormatMismatch,
                  "format NONE holds no columns, and there is " + columns[0].name);
  }
  if (format.format == "KAFKA") {
    if (columns.size() > 1) {
      return Status(ErrorCode::kFormatMismatch,
                    std::string("format KAFKA holds a single column, and the ") +
                        (is_key ? "key has " : "value has ") + std::to_string(columns.size()));
    }
    for (const ColumnSchema& column : columns) {
      if (!KafkaHolds(column.type)) return Mismatch(format, column);
    }
  }
  for (const ColumnSchema& column : columns) {
    if (format.format == "DELIMITED" && column.type.is_nested()) return Mismatch(format, column);
    if (format.format == "JSON" && !HasOnlyTextMapKeys(column.type)) {
      return Status(ErrorCode::kFormatMismatch,
                    "format JSON holds MAPs with STRING keys only, not " + column.type.ToString() +
                        " of column " + column.name);
    }
  }
  return OkStatus();
}

}  // namespace weir
