#include "planner/properties/format_rules.h"

#include <algorithm>
#include <cctype>

#include "base/file_ending.h"
#include "base/letter_case.h"
#include "base/limits.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "planner/properties/event_time.h"

namespace weir {
namespace {

constexpr std::string_view kFormats[] = {"JSON",    "DELIMITED", "KAFKA",         "AVRO",
                                         "JSON_SR", "PROTOBUF",  "PROTOBUF_NOSR", "NONE"};
constexpr const char* kFormatsHint =
    "the formats are JSON, DELIMITED, KAFKA, AVRO, JSON_SR, PROTOBUF, PROTOBUF_NOSR and NONE";

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

Status CheckSchemaNames(const physical::SideFormat& format, const ColumnSchema& column) {
  const std::string misname = SchemaMisname(column.name, column.type);
  if (misname.empty() && !column.name.empty()) return OkStatus();
  return Status(ErrorCode::kFormatMismatch,
                "format " + format.format + " takes no field of the name '" + misname +
                    "' of column " + column.name + ": " + std::string(SchemaNameFault(misname)));
}

/// SCHEMA_ID and SCHEMA_FULL_NAME of a side whose format has schemas; others take none.
Status ReadSchemaProperties(bool is_key, const WithProperties& with, physical::SideFormat& side) {
  const std::string prefix = is_key ? "KEY_" : "VALUE_";
  for (std::string_view suffix : {"SCHEMA_ID", "SCHEMA_FULL_NAME", "AVRO_SCHEMA_FULL_NAME",
                                  "PROTOBUF_NULLABLE_REPRESENTATION"}) {
    const std::string name = prefix + std::string(suffix);
    if (!with.Has(name)) continue;
    const bool taken = suffix == "AVRO_SCHEMA_FULL_NAME"              ? side.format == "AVRO"
                       : suffix == "PROTOBUF_NULLABLE_REPRESENTATION" ? IsProtobuf(side.format)
                                                                      : NeedsRegistry(side.format);
    if (!taken) {
      return InvalidProperty("format " + side.format + " does not take the property " + name,
                             with.PositionOf(name));
    }
    if (suffix == "PROTOBUF_NULLABLE_REPRESENTATION") {
      const std::string way = ToUpper(*with.Text(name));
      if (way != "OPTIONAL" && way != "WRAPPER") {
        return InvalidProperty(name + " is OPTIONAL or WRAPPER, not '" + *with.Text(name) + "'",
                               with.PositionOf(name));
      }
      side.properties[std::string(suffix)] = way;
      continue;
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
    // Names of Protobuf are made of the same letters.
    const bool has_names = side.format == "AVRO" || IsProtobuf(side.format);
    for (size_t from = 0; has_names && from <= full_name.size();) {
      const size_t dot = std::min(full_name.find('.', from), full_name.size());
      const auto part = std::string_view(full_name).substr(from, dot - from);
      if (const std::string_view trouble = SchemaNameFault(part); !trouble.empty()) {
        return InvalidProperty(
            "'" + full_name + "' is no full name of a schema: " + std::string(trouble),
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
  if (std::ranges::find(kFormats, format) != std::end(kFormats)) return format;
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
    side.unwrapped = columns.size() == 1 && !IsProtobuf(format);
    return side;
  }
  const std::optional<bool> wrap = with.Boolean("WRAP_SINGLE_VALUE");
  const SourcePosition position = with.PositionOf("WRAP_SINGLE_VALUE");
  if (wrap && columns.size() != 1) {
    return InvalidProperty("WRAP_SINGLE_VALUE has a meaning for a single value column only",
                           position);
  }
  if (wrap && *wrap && !WrapsSingles(format) && !IsProtobuf(format)) {
    return InvalidProperty("format " + format + " does not take WRAP_SINGLE_VALUE = true",
                           position);
  }
  if (wrap && !*wrap && IsProtobuf(format)) {
    return InvalidProperty("format " + format +
                               " does not take WRAP_SINGLE_VALUE = false: all its records are "
                               "messages",
                           position);
  }
  if (WrapsSingles(format)) {
    side.unwrapped = columns.size() == 1 && !wrap.value_or(default_wrap.value_or(true));
  } else {
    side.unwrapped = columns.size() == 1 && !IsProtobuf(format);
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
    const bool has_names = format.format == "AVRO" || IsProtobuf(format.format);
    if (has_names) WEIR_RETURN_IF_ERROR(CheckSchemaNames(format, column));
    if (!IsProtobuf(format.format)) continue;
    if (const std::string misfit = ProtobufMisfit(column.type); !misfit.empty()) {
      return Status(ErrorCode::kFormatMismatch, "format " + format.format + " has no place for " +
                                                    misfit + ", as in column " + column.name)
          .WithHint("a STRUCT around it can stand there");
    }
  }
  return OkStatus();
}

}  // namespace weir
