#include "exec/formats/infer_columns.h"

#include <algorithm>
#include <optional>

#include "base/time_text.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/json_structure.h"
#include "exec/formats/json_value.h"
#include "exec/formats/number_scan.h"

namespace weir {
namespace {

bool IsDateText(std::string_view text) {
  int32_t days = 0;
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && ParseDate(text, days);
}

bool IsTimestampText(std::string_view text) {
  int64_t ms = 0;
  return text.size() >= 16 && text[4] == '-' && text[7] == '-' && text[13] == ':' &&
         ParseTimestamp(text, ms);
}

DataType TypeOfNumber(std::string_view text) {
  ScannedNumber number;
  if (!ScanNumber(text.data(), text.data() + text.size(), false, number)) return DataType::String();
  int64_t value = 0;
  const bool whole =
      number.integral && ToInt64(number, text.data(), text.data() + text.size(), value);
  return whole ? DataType::Bigint() : DataType::Double();
}

DataType TypeOfText(std::string_view text) {
  if (IsTimestampText(text)) return DataType::Timestamp();
  return IsDateText(text) ? DataType::Date() : DataType::String();
}

DataType TypeOfField(std::string_view text) {
  if (text == "true" || text == "false" || text == "TRUE" || text == "FALSE") {
    return DataType::Boolean();
  }
  // A point needs no digit before it in CSV; a superfluous zero in front makes a text (zip codes).
  if (text.starts_with('.') || text.starts_with("-.")) {
    ScannedNumber number;
    const char* end = text.data() + text.size();
    return ScanNumber(text.data(), end, true, number) ? DataType::Double() : DataType::String();
  }
  const DataType type = TypeOfNumber(text);
  return type.is(TypeKind::kString) ? TypeOfText(text) : type;
}

/// The type that holds values of both; VARCHAR if nothing else does.
DataType Merge(const DataType& a, const DataType& b) {
  if (a == b || b.is(TypeKind::kNull)) return a;
  if (a.is(TypeKind::kNull)) return b;
  if (a.is_numeric() && b.is_numeric()) return DataType::Double();
  const auto is_time = [](const DataType& type) {
    return type.is(TypeKind::kDate) || type.is(TypeKind::kTimestamp);
  };
  if (is_time(a) && is_time(b)) return DataType::Timestamp();
  if (a.is(TypeKind::kArray) && b.is(TypeKind::kArray)) {
    return DataType::Array(Merge(a.element(), b.element()));
  }
  if (a.is(TypeKind::kStruct) && b.is(TypeKind::kStruct)) {
    std::vector<DataType::Field> fields(a.fields().begin(), a.fields().end());
    for (const DataType::Field& field : b.fields()) {
      const int known = a.FieldIndex(field.name);
      if (known < 0) {
        fields.push_back(field);
      } else {
        DataType& type = fields[static_cast<size_t>(known)].type;
        type = Merge(type, field.type);
      }
    }
    return DataType::Struct(std::move(fields));
  }
  return DataType::String();
}

/// NULL anywhere inside becomes VARCHAR, the type that takes whatever comes.
DataType Settle(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kNull:
      return DataType::String();
    case TypeKind::kArray:
      return DataType::Array(Settle(type.element()));
    case TypeKind::kStruct: {
      std::vector<DataType::Field> fields(type.fields().begin(), type.fields().end());
      if (fields.empty()) return DataType::String();
      for (DataType::Field& field : fields) field.type = Settle(field.type);
      return DataType::Struct(std::move(fields));
    }
    default:
      return type;
  }
}

std::string UpperCased(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return upper;
}

/// Types of a checked JSON value; moves `at` behind it.
DataType TypeOfJson(const JsonCursor& cursor, const uint32_t*& at) {
  const char* begin = cursor.base + *at;
  const char* end = ScalarEnd(cursor, at);
  const std::string_view text(begin, static_cast<size_t>(end - begin));
  const char first = text[0];
  ++at;
  if (first == '"') return TypeOfText(text.substr(1, text.size() - 2));
  if (first == 't' || first == 'f') return DataType::Boolean();
  if (first == 'n') return DataType::Null();
  if (first != '{' && first != '[') return TypeOfNumber(text);
  DataType element;
  std::vector<DataType::Field> fields;
  while (cursor.base[*at] != '}' && cursor.base[*at] != ']') {
    if (cursor.base[*at] == ',') ++at;
    if (first == '[') {
      element = Merge(element, TypeOfJson(cursor, at));
      continue;
    }
    const char* name = cursor.base + *at + 1;
    const char* name_end = ScalarEnd(cursor, at) - 1;
    at += 2;
    fields.push_back({UpperCased({name, static_cast<size_t>(name_end - name)}),
                      TypeOfJson(cursor, at)});
  }
  ++at;
  return first == '[' ? DataType::Array(element) : DataType::Struct(std::move(fields));
}

}  // namespace

std::string ColumnNameOf(std::string_view header) {
  std::string name = UpperCased(header);
  for (char& c : name) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) c = '_';
  }
  return name;
}

std::vector<ColumnSchema> InferJsonColumns(const std::vector<std::string_view>& lines) {
  DataType all = DataType::Struct({});
  JsonStructure structure;
  for (std::string_view line : lines) {
    const std::string padded = std::string(line) + std::string(64, ' ');
    if (!structure.Index(padded.data(), line.size())) continue;
    const uint32_t* at = structure.positions();
    const JsonCursor cursor{padded.data(), at + structure.count(),
                            static_cast<uint32_t>(line.size())};
    if (padded[*at] != '{' || CheckJsonValue(cursor, at) != cursor.stop) continue;
    all = Merge(all, TypeOfJson(cursor, at));
  }
  std::vector<ColumnSchema> columns;
  for (const DataType::Field& field : all.fields()) {
    columns.push_back({.name = field.name, .type = Settle(field.type)});
  }
  return columns;
}

std::vector<ColumnSchema> InferDelimitedColumns(const std::vector<std::string>& names,
                                                const std::vector<std::string_view>& lines,
                                                char delimiter, std::string_view null_text) {
  std::vector<DataType> types(names.size());
  for (std::string_view line : lines) {
    DelimitedLine fields(line, delimiter);
    std::string_view text;
    for (size_t i = 0; fields.Next(text); ++i) {
      if (i >= types.size()) types.resize(i + 1);
      if (text.empty() || (!null_text.empty() && text == null_text)) continue;
      types[i] = Merge(types[i], TypeOfField(text));
    }
  }
  std::vector<ColumnSchema> columns;
  for (size_t i = 0; i < types.size(); ++i) {
    std::string name = i < names.size() ? ColumnNameOf(names[i]) : "";
    if (name.empty()) name = "C" + std::to_string(i + 1);
    while (std::any_of(columns.begin(), columns.end(),
                       [&](const ColumnSchema& each) { return each.name == name; })) {
      name += "_" + std::to_string(i + 1);
    }
    columns.push_back({.name = std::move(name), .type = Settle(types[i])});
  }
  return columns;
}

}  // namespace weir
