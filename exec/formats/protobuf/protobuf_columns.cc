// Between Protobuf's types and those of SQL: the schema that columns have, and the columns of a
// message.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {
namespace {

constexpr std::string_view kPropertyOfNulls = "PROTOBUF_NULLABLE_REPRESENTATION";

/// Writes messages; those of STRUCTs stand inside the one that uses them.
class ProtobufText {
 public:
  ProtobufText(const FormatSpec& spec) {
    const auto nulls = spec.properties.find(std::string(kPropertyOfNulls));
    if (nulls != spec.properties.end()) {
      optional_ = nulls->second == "OPTIONAL";
      wrapper_ = nulls->second == "WRAPPER";
    }
    const std::string_view full = MessageNameOf(spec);
    const size_t dot = full.rfind('.');
    if (dot != std::string_view::npos) package_ = full.substr(0, dot);
    name_ = dot == std::string_view::npos ? full : full.substr(dot + 1);
    if (name_.empty()) name_ = "ConnectDefault1";
  }

  std::string File(const std::vector<DataType::Field>& fields) {
    const std::string message = Message(name_, fields, "");
    std::string out = "syntax = \"proto3\";\n";
    if (!package_.empty()) out += fmt::format("package {};\n", package_);
    out += '\n';
    for (const std::string& import : imports_) out += fmt::format("import \"{}\";\n", import);
    if (!imports_.empty()) out += '\n';
    return out + message;
  }

 private:
  std::string Message(const std::string& name, std::span<const DataType::Field> fields,
                      const std::string& indent) {
    const std::string inner = indent + "  ";
    std::string lines;
    std::string messages;
    int number = 0;
    for (const DataType::Field& field : fields) {
      lines += fmt::format("{}{} {} = {}{};\n", inner, Type(field.type, true, inner, messages),
                           field.name, ++number, Options(field));
    }
    return fmt::format("{}message {} {{\n{}{}{}}}\n", indent, name, lines, messages, indent);
  }

  /// A field's type with what stands before it; messages that it needs are added to `messages`.
  std::string Type(const DataType& type, bool alone, const std::string& indent,
                   std::string& messages) {
    switch (type.kind()) {
      case TypeKind::kArray: return "repeated " + Type(type.element(), false, indent, messages);
      case TypeKind::kMap:
        return fmt::format("map<{}, {}>", Type(type.key(), false, indent, messages),
                           Type(type.element(), false, indent, messages));
      case TypeKind::kStruct: {
        const std::string name = fmt::format("ConnectDefault{}", ++structs_);
        messages += '\n' + Message(name, type.fields(), indent);
        return name;
      }
      case TypeKind::kDate: return Import("google/type/date.proto", "google.type.Date");
      case TypeKind::kTime: return Import("google/type/timeofday.proto", "google.type.TimeOfDay");
      case TypeKind::kTimestamp:
        return Import("google/protobuf/timestamp.proto", "google.protobuf.Timestamp");
      case TypeKind::kDecimal:
        imports_.insert("confluent/meta.proto");
        return Import("confluent/type/decimal.proto", "confluent.type.Decimal");
      case TypeKind::kBoolean: return Scalar("bool", "BoolValue", alone);
      case TypeKind::kInt: return Scalar("int32", "Int32Value", alone);
      case TypeKind::kBigint: return Scalar("int64", "Int64Value", alone);
      case TypeKind::kDouble: return Scalar("double", "DoubleValue", alone);
      case TypeKind::kBytes: return Scalar("bytes", "BytesValue", alone);
      default: return Scalar("string", "StringValue", alone);
    }
  }

  std::string Import(const char* file, const char* name) {
    imports_.insert(file);
    return name;
  }

  std::string Scalar(const std::string& name, const char* wrapper, bool alone) {
    if (alone && optional_) return "optional " + name;
    if (!alone || !wrapper_) return name;
    imports_.insert("google/protobuf/wrappers.proto");
    return fmt::format("google.protobuf.{}", wrapper);
  }

  /// How exact a decimal is.
  static std::string Options(const DataType::Field& field) {
    const DataType* type = &field.type;
    if (type->is(TypeKind::kArray) || type->is(TypeKind::kMap)) type = &type->element();
    if (!type->is(TypeKind::kDecimal)) return "";
    return fmt::format(
        " [(confluent.field_meta) = {{ params: [{{ key: \"precision\", value: \"{}\" }}, {{ key: "
        "\"scale\", value: \"{}\" }}] }}]",
        type->precision(), type->scale());
  }

  std::string package_, name_;
  bool optional_ = false;
  bool wrapper_ = false;
  std::set<std::string> imports_;
  int structs_ = 1;  // The message itself is the first.
};

class ProtobufColumns {
 public:
  explicit ProtobufColumns(bool keep_case) : keep_case_(keep_case) {}

  /// NULL's type where SQL has none.
  Result<DataType> Type(const ProtobufField& field) {
    WEIR_ASSIGN_OR_RETURN(const DataType one, One(field));
    if (one.is(TypeKind::kNull) || !field.repeated || field.is_map) return one;
    return DataType::Array(one);
  }

  Result<std::vector<DataType::Field>> Fields(const ProtobufMessage& message) {
    if (std::ranges::find(open_, &message) != open_.end()) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("the message {} contains itself, and no type of SQL does",
                                message.full_name))
          .WithHint(
              "declare the columns that you need; fields that are not read may be of any type");
    }
    if (open_.size() >= limits::kValueDepthMax) {
      return Status(ErrorCode::kUnsupported,
                    fmt::format("messages stand inside each other in more than {} levels",
                                limits::kValueDepthMax))
          .WithHint("declare the columns that you need");
    }
    open_.push_back(&message);
    std::vector<DataType::Field> fields;
    std::vector<bool> told(message.oneofs.size(), false);
    for (const ProtobufField& field : message.fields) {
      if (field.oneof < 0) {
        WEIR_ASSIGN_OR_RETURN(DataType type, Type(field));
        if (!type.is(TypeKind::kNull)) fields.push_back({Name(field.name), std::move(type)});
        continue;
      }
      const auto oneof = static_cast<size_t>(field.oneof);
      if (told[oneof]) continue;
      told[oneof] = true;
      std::vector<DataType::Field> members;
      for (const ProtobufField& member : message.fields) {
        if (member.oneof != field.oneof) continue;
        WEIR_ASSIGN_OR_RETURN(DataType type, Type(member));
        if (!type.is(TypeKind::kNull)) members.push_back({Name(member.name), std::move(type)});
      }
      if (members.empty()) continue;
      fields.push_back({Name(fmt::format("{}_{}", message.oneofs[oneof], oneof)),
                        DataType::Struct(std::move(members))});
    }
    open_.pop_back();
    return fields;
  }

  bool too_many() const { return types_ > kFoundColumnsMax; }

 private:
  std::string Name(const std::string& name) const { return keep_case_ ? name : ToUpper(name); }

  Result<DataType> One(const ProtobufField& field) {
    if (++types_ > kFoundColumnsMax) return DataType();
    switch (field.kind) {
      case ProtobufKind::kInt32:
      case ProtobufKind::kSint32:
      case ProtobufKind::kSfixed32: return DataType::Int();
      case ProtobufKind::kInt64:
      case ProtobufKind::kSint64:
      case ProtobufKind::kSfixed64:
      case ProtobufKind::kUint32:
      case ProtobufKind::kFixed32:
      case ProtobufKind::kUint64:
      case ProtobufKind::kFixed64: return DataType::Bigint();
      case ProtobufKind::kFloat:
      case ProtobufKind::kDouble: return DataType::Double();
      case ProtobufKind::kBool: return DataType::Boolean();
      case ProtobufKind::kString:
      case ProtobufKind::kEnum: return DataType::String();
      case ProtobufKind::kBytes: return DataType::Bytes();
      case ProtobufKind::kGroup: return DataType();
      case ProtobufKind::kMessage: break;
    }
    if (field.is_map) {
      const auto& parts = field.message->fields;
      WEIR_ASSIGN_OR_RETURN(const DataType key, Type(parts[0]));
      WEIR_ASSIGN_OR_RETURN(const DataType value, Type(parts[1]));
      if (value.is(TypeKind::kNull)) return value;
      return DataType::Map(key, value);
    }
    switch (field.message->meaning) {
      case ProtobufMeaning::kWrapper: return One(field.message->fields[0]);
      case ProtobufMeaning::kTimestamp: return DataType::Timestamp();
      case ProtobufMeaning::kDate: return DataType::Date();
      case ProtobufMeaning::kTimeOfDay: return DataType::Time();
      case ProtobufMeaning::kDecimal: {
        constexpr int kPrecisionMax = 38;
        const int precision = field.precision < 1 || field.precision > kPrecisionMax
                                  ? kPrecisionMax
                                  : field.precision;
        return DataType::Decimal(precision, std::clamp(field.scale, 0, precision));
      }
      case ProtobufMeaning::kNone: break;
    }
    WEIR_ASSIGN_OR_RETURN(std::vector<DataType::Field> fields, Fields(*field.message));
    return fields.empty() ? DataType() : DataType::Struct(std::move(fields));
  }

  const bool keep_case_;
  std::vector<const ProtobufMessage*> open_;
  int types_ = 0;
};

}  // namespace

std::string ProtobufSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  std::vector<DataType::Field> fields;
  for (const FormatColumn& column : columns) fields.push_back({column.name, column.type});
  return ProtobufText(spec).File(fields);
}

Result<std::vector<ColumnSchema>> ColumnsOfProtobuf(const ProtobufSchema& schema,
                                                    std::string_view full_name, bool is_key,
                                                    bool keep_case) {
  WEIR_ASSIGN_OR_RETURN(const ProtobufMessage* message, MessageOf(schema, full_name));
  ProtobufColumns finder(keep_case);
  WEIR_ASSIGN_OR_RETURN(std::vector<DataType::Field> fields, finder.Fields(*message));
  if (finder.too_many()) {
    return Status(ErrorCode::kUnsupported,
                  fmt::format("the schema has more than {} fields", kFoundColumnsMax))
        .WithHint("list the columns that you need");
  }
  std::vector<ColumnSchema> columns;
  for (DataType::Field& field : fields) {
    columns.push_back({std::move(field.name), std::move(field.type), is_key});
  }
  return columns;
}

Result<ProtobufSchemaPtr> ParseRegisteredProtobuf(SchemaRegistry& registry,
                                                  const RegisteredSchema& schema) {
  if (schema.type != SchemaType::kProtobuf) {
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("schema id {} is of type {}, not PROTOBUF", schema.id,
                              SchemaTypeName(schema.type)));
  }
  WEIR_ASSIGN_OR_RETURN(const std::vector<ReferencedText> references,
                        ReferencedTexts(registry, schema.references));
  std::vector<ProtobufFile> files;
  for (const ReferencedText& each : references) files.push_back({each.name, each.text});
  return ParseProtobufSchema(schema.text, files);
}

Result<const ProtobufMessage*> MessageOf(const ProtobufSchema& schema, std::string_view full_name) {
  if (full_name.empty()) return schema.messages()[0];
  if (const ProtobufMessage* found = schema.Find(full_name)) return found;
  std::vector<std::string_view> names;
  for (const ProtobufMessage* message : schema.messages()) names.push_back(message->full_name);
  return Status(ErrorCode::kFormatMismatch, fmt::format("the schema has no message {}", full_name))
      .WithHint(fmt::format("it has {}", fmt::join(names, ", ")));
}

FormatSpec WithoutIdleRegistry(FormatSpec spec) {
  if (!NeedsRegistry(spec.name)) spec.registry = nullptr;
  return spec;
}

std::string_view MessageNameOf(const FormatSpec& spec) {
  const auto given = spec.properties.find("SCHEMA_FULL_NAME");
  return given == spec.properties.end() ? std::string_view() : given->second;
}

}  // namespace weir
