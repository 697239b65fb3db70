#include "planner/properties/format_rules.h"

#include <algorithm>
#include <cctype>

#include "base/file_ending.h"
#include "base/letter_case.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "planner/properties/event_time.h"

namespace weir {
namespace {

constexpr std::string_view kBuiltFormats[] = {"JSON", "DELIMITED", "KAFKA",
                                              "AVRO", "JSON_SR",   "NONE"};
constexpr std::string_view kPlannedFormats[] = {"PROTOBUF", "PROTOBUF_NOSR"};
constexpr const char* kFormatsHint =
    "the formats are JSON, DELIMITED, KAFKA, AVRO, JSON_SR and NONE";

/// Formats that write one column bare or in an object, as WRAP_SINGLE_VALUE says.
bool WrapsSingles(std::string_view format) {
  return format == "JSON" || format == "AVRO" || format == "JSON_SR";
}

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
  if (const std::string word = ToUpper(text); word == "SPACE" || word == "TAB") return word;
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

/// An Avro name: letters, digits and underscores, no digit first. What is wrong, or empty.
std::string_view AvroNameTrouble(std::string_view name) {
  const auto is_start = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  if (name.empty() || !is_start(name[0]))
    return "it begins with neither a letter nor an underscore";
  const bool plain =
      std::ranges::all_of(name, [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); });
  return plain ? std::string_view() : "it has other characters than letters, digits, underscores";
}

Status CheckAvroNames(const std::string& column, const std::string& name, const DataType& type) {
  if (const std::string_view trouble = AvroNameTrouble(name); !trouble.empty()) {
    return Status(ErrorCode::kFormatMismatch, "format AVRO takes no field of the name '" + name +
                                                  "' of column " + column + ": " +
                                                  std::string(trouble));
  }
  if (type.is(TypeKind::kArray) || type.is(TypeKind::kMap)) {
    return CheckAvroNames(column, name, type.element());
  }
  for (const DataType::Field& field : type.fields()) {
    WEIR_RETURN_IF_ERROR(CheckAvroNames(column, field.name, field.type));
  }
  return OkStatus();
}

/// SCHEMA_ID and SCHEMA_FULL_NAME of a side whose format has schemas; others take none.
Status ReadSchemaProperties(bool is_key, const WithProperties& with, physical::SideFormat& side) {
  const std::string prefix = is_key ? "KEY_" : "VALUE_";
  for (std::string_view suffix : {"SCHEMA_ID", "SCHEMA_FULL_NAME", "AVRO_SCHEMA_FULL_NAME",
                                  "PROTOBUF_NULLABLE_REPRESENTATION"}) {
    const std::string name = prefix + std::string(suffix);
    if (!with.Has(name)) continue;
    const bool taken = suffix == "AVRO_SCHEMA_FULL_NAME"
                           ? side.format == "AVRO"
                           : suffix.starts_with("SCHEMA_") && NeedsSchemas(side.format);
    if (!taken) {
      return InvalidProperty("format " + side.format + " does not take the property " + name,
                             with.PositionOf(name));
    }
    if (suffix == "SCHEMA_ID") {
      if (const int64_t id = *with.Integer(name); id < 1 || id > INT32_MAX) {
        return InvalidProperty("a schema id is from 1 to 2147483647: " + name,
                               with.PositionOf(name));
      }
      side.properties["SCHEMA_ID"] = *with.Text(name);
      continue;
    }
    const std::string full_name = *with.Text(name);
    if (full_name.find_first_not_of(" \t") == std::string::npos) {
      return InvalidProperty("a schema's full name cannot be empty: " + name,
                             with.PositionOf(name));
    }
    if (!side.properties.emplace("SCHEMA_FULL_NAME", full_name).second) {
      return InvalidProperty(name + " says again what " + prefix + "SCHEMA_FULL_NAME says",
                             with.PositionOf(name));
    }
    for (size_t from = 0; side.format == "AVRO" && from <= full_name.size();) {
      const size_t dot = std::min(full_name.find('.', from), full_name.size());
      const auto part = std::string_view(full_name).substr(from, dot - from);
      if (const std::string_view trouble = AvroNameTrouble(part); !trouble.empty()) {
        return InvalidProperty(
            "'" + full_name + "' is no full name of Avro: " + std::string(trouble),
            with.PositionOf(name));
      }
      from = dot + 1;
    }
  }
  return OkStatus();
}

}  // namespace

Result<std::string> CheckFormatName(std::string_view name, SourcePosition position) {
  const std::string format = ToUpper(name);
  if (std::ranges::find(kBuiltFormats, format) != std::end(kBuiltFormats)) return format;
  if (std::ranges::find(kPlannedFormats, format) != std::end(kPlannedFormats)) {
    return Status(ErrorCode::kUnsupported, "format " + format + " is not supported")
        .WithHint(kFormatsHint)
        .At(position);
  }
  return Status(ErrorCode::kInvalidProperty, "unknown format: " + std::string(name))
      .WithHint(kFormatsHint)
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

bool NeedsSchemas(std::string_view format) {
  return format == "AVRO" || format == "JSON_SR" || format == "PROTOBUF";
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
  WEIR_RETURN_IF_ERROR(ReadSchemaProperties(is_key, with, side));
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
  if (wrap && *wrap && !WrapsSingles(format)) {
    return InvalidProperty("format " + format + " does not take WRAP_SINGLE_VALUE = true",
                           position);
  }
  if (WrapsSingles(format)) {
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
    if (WrapsSingles(format.format) && !HasOnlyTextMapKeys(column.type)) {
      return Status(ErrorCode::kFormatMismatch,
                    "format " + format.format + " holds MAPs with STRING keys only, not " +
                        column.type.ToString() + " of column " + column.name);
    }
    if (format.format == "AVRO") {
      WEIR_RETURN_IF_ERROR(CheckAvroNames(column.name, column.name, column.type));
    }
  }
  return OkStatus();
}

}  // namespace weir
