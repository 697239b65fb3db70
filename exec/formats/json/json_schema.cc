// Between JSON Schemas and SQL types, by the hints ("connect.type", titles) that Kafka Connect's
// converters leave in them.

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/json/json_sr_format.h"
#include "exec/formats/json/raw_json.h"

namespace weir {
namespace {

constexpr std::string_view kConnectNames = "org.apache.kafka.connect.data.";
constexpr int kJsonSchemaDepthMax = 200;

std::string TypeText(const DataType& type);

std::string OptionalText(const DataType& type, int index) {
  const std::string place = index < 0 ? "" : fmt::format(R"("connect.index":{},)", index);
  return fmt::format(R"({{{}"oneOf":[{{"type":"null"}},{}]}})", place, TypeText(type));
}

std::string ObjectText(std::span<const DataType::Field> fields) {
  std::string out = R"({"type":"object","properties":{)";
  for (size_t i = 0; i < fields.size(); ++i) {
    out += fmt::format("{}{}:{}", i == 0 ? "" : ",", QuoteJson(fields[i].name),
                       OptionalText(fields[i].type, static_cast<int>(i)));
  }
  return out + "}}";
}

std::string NamedText(std::string_view name, std::string_view connect_type) {
  return fmt::format(
      R"({{"type":"integer","title":"{}{}","connect.version":1,"connect.type":"{}"}})",
      kConnectNames, name, connect_type);
}

std::string TypeText(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean: return R"({"type":"boolean"})";
    case TypeKind::kInt: return R"({"type":"integer","connect.type":"int32"})";
    case TypeKind::kBigint: return R"({"type":"integer","connect.type":"int64"})";
    case TypeKind::kDouble: return R"({"type":"number","connect.type":"float64"})";
    case TypeKind::kBytes: return R"({"type":"string","connect.type":"bytes"})";
    case TypeKind::kDecimal:
      return fmt::format(
          R"({{"type":"number","title":"{}Decimal","connect.version":1,"connect.type":"bytes",)"
          R"("connect.parameters":{{"scale":"{}","connect.decimal.precision":"{}"}}}})",
          kConnectNames, type.scale(), type.precision());
    case TypeKind::kDate: return NamedText("Date", "int32");
    case TypeKind::kTime: return NamedText("Time", "int32");
    case TypeKind::kTimestamp: return NamedText("Timestamp", "int64");
    case TypeKind::kArray:
      return fmt::format(R"({{"type":"array","items":{}}})", OptionalText(type.element(), -1));
    case TypeKind::kMap:
      return fmt::format(R"({{"type":"object","connect.type":"map","additionalProperties":{}}})",
                         OptionalText(type.element(), -1));
    case TypeKind::kStruct: return ObjectText(type.fields());
    default: return R"({"type":"string"})";
  }
}

class JsonTypes {
 public:
  JsonTypes(const RawJson& root, bool keep_case) : root_(root), keep_case_(keep_case) {}

  bool too_many() const { return types_ > kFoundColumnsMax; }

  /// NULL's type where SQL has none.
  DataType Type(const RawJson& given, int depth) {
    if (++types_ > kFoundColumnsMax || depth > kJsonSchemaDepthMax) return {};
    const RawJson* json = Resolved(&given);
    if (json == nullptr) return {};
    for (const char* name : {"oneOf", "anyOf"}) {
      if (const RawJson* choice = json->Find(name)) return Choice(*choice, depth);
    }
    const std::string kind = Kind(*json);
    if (kind == "boolean") return DataType::Boolean();
    if (kind == "integer") return Integer(*json);
    if (kind == "number") return Number(*json);
    if (kind == "string") {
      return Text(*json, "connect.type") == "bytes" ? DataType::Bytes() : DataType::String();
    }
    if (kind == "array") return Array(*json, depth);
    if (kind == "object") return Object(*json, depth);
    return {};
  }

  std::vector<DataType::Field> Fields(const RawJson& object, int depth) {
    struct Member {
      int64_t index;
      const std::string* name;
      const RawJson* type;
    };
    std::vector<Member> members;
    const RawJson* properties = object.Find("properties");
    if (properties == nullptr) return {};
    for (const auto& [name, type] : properties->members) {
      int64_t index = static_cast<int64_t>(members.size());
      if (const RawJson* given = type.Find("connect.index")) {
        if (!ParseInt64(given->text, index)) index = 0;
      }
      members.push_back({index, &name, &type});
    }
    std::ranges::stable_sort(members, {}, &Member::index);
    std::vector<DataType::Field> fields;
    for (const Member& member : members) {
      DataType type = Type(*member.type, depth + 1);
      if (!type.is(TypeKind::kNull)) fields.push_back({Name(*member.name), std::move(type)});
    }
    return fields;
  }

  /// Behind a choice of null and one other, and behind a reference.
  const RawJson* Object(const RawJson& given) const {
    const RawJson* json = Resolved(&given);
    for (const char* name : {"oneOf", "anyOf"}) {
      const RawJson* choice = json == nullptr ? nullptr : json->Find(name);
      if (choice == nullptr) continue;
      const RawJson* found = nullptr;
      for (const RawJson& item : choice->items) {
        if (Text(item, "type") != "null") found = &item;
      }
      return found == nullptr ? json : Resolved(found);
    }
    return json;
  }

 private:
  static std::string Text(const RawJson& json, std::string_view name) {
    const RawJson* found = json.Find(name);
    return found == nullptr || found->kind != RawJson::Kind::kString ? "" : found->text;
  }

  /// "type", of a list of them the one that is not null.
  static std::string Kind(const RawJson& json) {
    const RawJson* type = json.Find("type");
    if (type == nullptr) return json.Find("properties") == nullptr ? "" : "object";
    if (type->kind == RawJson::Kind::kString) return type->text;
    std::string found;
    for (const RawJson& item : type->items) {
      if (item.text == "null") continue;
      if (!found.empty()) return "";
      found = item.text;
    }
    return found;
  }

  /// What "$ref" points to inside the document; null: nothing.
  const RawJson* Resolved(const RawJson* json) const {
    for (int hops = 0; hops < kJsonSchemaDepthMax; ++hops) {
      const RawJson* reference = json->Find("$ref");
      if (reference == nullptr) return json;
      std::string_view path = reference->text;
      if (!path.starts_with("#")) return nullptr;
      path.remove_prefix(1);
      json = &root_;
      while (!path.empty()) {
        path.remove_prefix(1);
        const size_t slash = std::min(path.find('/'), path.size());
        json = json->Find(path.substr(0, slash));
        if (json == nullptr) return nullptr;
        path.remove_prefix(slash);
      }
    }
    return nullptr;
  }

  DataType Choice(const RawJson& choice, int depth) {
    const RawJson* found = nullptr;
    for (const RawJson& item : choice.items) {
      if (Text(item, "type") == "null") continue;
      if (found != nullptr) return {};
      found = &item;
    }
    return found == nullptr ? DataType() : Type(*found, depth + 1);
  }

  static DataType Integer(const RawJson& json) {
    const std::string title = Text(json, "title");
    const std::string type = Text(json, "connect.type");
    if (title == fmt::format("{}Date", kConnectNames)) return DataType::Date();
    if (title == fmt::format("{}Time", kConnectNames)) return DataType::Time();
    if (title == fmt::format("{}Timestamp", kConnectNames)) return DataType::Timestamp();
    return type == "int8" || type == "int16" || type == "int32" ? DataType::Int()
                                                                : DataType::Bigint();
  }

  static DataType Number(const RawJson& json) {
    if (Text(json, "title") != fmt::format("{}Decimal", kConnectNames)) return DataType::Double();
    const RawJson* parameters = json.Find("connect.parameters");
    int32_t precision = limits::kDecimalPrecisionMax;
    int32_t scale = 0;
    if (parameters != nullptr) {
      const std::string digits = Text(*parameters, "connect.decimal.precision");
      if (!digits.empty() && !ParseInt32(digits, precision)) return {};
      const std::string behind = Text(*parameters, "scale");
      if (!behind.empty() && !ParseInt32(behind, scale)) return {};
    }
    precision = std::min(precision, limits::kDecimalPrecisionMax);
    if (precision < 1 || scale < 0 || scale > precision) return {};
    return DataType::Decimal(precision, scale);
  }

  DataType Array(const RawJson& json, int depth) {
    const RawJson* items = json.Find("items");
    if (items == nullptr || Text(json, "connect.type") == "map") return {};
    const DataType item = Type(*items, depth + 1);
    return item.is(TypeKind::kNull) ? item : DataType::Array(item);
  }

  DataType Object(const RawJson& json, int depth) {
    const RawJson* more = json.Find("additionalProperties");
    const bool is_map = Text(json, "connect.type") == "map" || json.Find("properties") == nullptr;
    if (is_map && more != nullptr && more->kind == RawJson::Kind::kObject) {
      const DataType value = Type(*more, depth + 1);
      return value.is(TypeKind::kNull) ? value : DataType::Map(DataType::String(), value);
    }
    std::vector<DataType::Field> fields = Fields(json, depth);
    return fields.empty() ? DataType() : DataType::Struct(std::move(fields));
  }

  std::string Name(std::string_view name) const {
    return keep_case_ ? std::string(name) : ToUpper(name);
  }

  const RawJson& root_;
  const bool keep_case_;
  int types_ = 0;
};

}  // namespace

std::string JsonSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  if (spec.unwrapped && columns.size() == 1) return OptionalText(columns[0].type, -1);
  std::vector<DataType::Field> fields;
  for (const FormatColumn& column : columns) fields.push_back({column.name, column.type});
  return ObjectText(fields);
}

Result<std::vector<ColumnSchema>> ColumnsOfJsonSchema(const std::string& text, bool is_key,
                                                      bool unwrapped, bool keep_case) {
  Result<RawJson> schema = ParseRawJson(text);
  if (!schema.ok()) {
    return Status(ErrorCode::kFormatMismatch, "not a JSON Schema: " + schema.status().message());
  }
  JsonTypes types(*schema, keep_case);
  std::vector<ColumnSchema> columns;
  if (unwrapped) {
    DataType type = types.Type(*schema, 0);
    if (!type.is(TypeKind::kNull)) {
      columns.push_back({is_key ? "ROWKEY" : "ROWVAL", std::move(type), is_key});
    }
  } else {
    const RawJson* object = types.Object(*schema);
    if (object == nullptr || object->Find("properties") == nullptr) {
      return Status(ErrorCode::kFormatMismatch, "the schema is no object with properties")
          .WithHint("WRAP_SINGLE_VALUE=false takes the whole value as one column");
    }
    for (DataType::Field& field : types.Fields(*object, 0)) {
      columns.push_back({std::move(field.name), std::move(field.type), is_key});
    }
  }
  if (types.too_many()) {
    return Status(ErrorCode::kUnsupported,
                  fmt::format("the schema has more than {} properties", kFoundColumnsMax))
        .WithHint("list the columns that you need");
  }
  return columns;
}

}  // namespace weir
