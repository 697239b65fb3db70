// Between Avro's types and those of SQL: the schema that columns have, and the columns of a schema.

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/status_macros.h"
#include "exec/formats/avro/avro_format.h"
#include "exec/formats/avro/avro_schema.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {
namespace {

/// Writes types with the attributes that Kafka Connect gives them.
class SchemaText {
 public:
  explicit SchemaText(const std::string& full_name) {
    const size_t dot = full_name.rfind('.');
    if (dot != std::string::npos) space_ = full_name.substr(0, dot);
    name_ = dot == std::string::npos ? full_name : full_name.substr(dot + 1);
  }

  const std::string& name() const { return name_; }

  std::string Type(const DataType& type, const std::string& path) {
    switch (type.kind()) {
      case TypeKind::kBoolean: return R"("boolean")";
      case TypeKind::kInt: return R"("int")";
      case TypeKind::kBigint: return R"("long")";
      case TypeKind::kDouble: return R"("double")";
      case TypeKind::kBytes: return R"("bytes")";
      case TypeKind::kDecimal:
        return fmt::format(
            R"({{"type":"bytes","scale":{1},"precision":{0},"connect.version":1,)"
            R"("connect.parameters":{{"scale":"{1}","connect.decimal.precision":"{0}"}},)"
            R"("connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}})",
            type.precision(), type.scale());
      case TypeKind::kDate: return Logical("int", "Date", "date");
      case TypeKind::kTime: return Logical("int", "Time", "time-millis");
      case TypeKind::kTimestamp: return Logical("long", "Timestamp", "timestamp-millis");
      case TypeKind::kArray:
        return fmt::format(R"({{"type":"array","items":["null",{}]}})", Type(type.element(), path));
      case TypeKind::kMap:
        return fmt::format(
            R"({{"type":"array","items":{{"type":"record","name":"{}",{}"fields":[{},{}],)"
            R"("connect.internal.type":"MapEntry"}},"connect.internal.type":"MapEntry"}})",
            Unused(path), Namespace(), Field("key", type.key(), path + "_MapKey"),
            Field("value", type.element(), path + "_MapValue"));
      case TypeKind::kStruct: return Record(type.fields(), path);
      default: return R"("string")";
    }
  }

  std::string Record(std::span<const DataType::Field> fields, const std::string& path) {
    const std::string name = Unused(path);
    std::string out =
        fmt::format(R"({{"type":"record","name":"{}",{}"fields":[)", name, Namespace());
    for (const DataType::Field& field : fields) {
      if (&field != fields.data()) out += ',';
      out += Field(field.name, field.type, path + "_" + field.name);
    }
    return out +
           fmt::format(R"(],"connect.name":"{}{}{}"}})", space_, space_.empty() ? "" : ".", name);
  }

 private:
  static std::string Logical(std::string_view type, std::string_view name,
                             std::string_view logical) {
    return fmt::format(
        R"({{"type":"{}","connect.version":1,"connect.name":"org.apache.kafka.connect.data.{}",)"
        R"("logicalType":"{}"}})",
        type, name, logical);
  }

  std::string Field(const std::string& name, const DataType& type, const std::string& path) {
    return fmt::format(R"({{"name":{},"type":["null",{}],"default":null}})", QuoteJson(name),
                       Type(type, path));
  }

  std::string Namespace() const {
    return space_.empty() ? "" : fmt::format(R"("namespace":"{}",)", space_);
  }

  /// Paths can be the same where names have underscores; a schema defines each name once.
  std::string Unused(const std::string& path) {
    std::string name = path;
    for (int n = 2; !used_.insert(name).second; ++n) name = fmt::format("{}_{}", path, n);
    return name;
  }

  std::string space_, name_;
  std::set<std::string> used_;
};

class ColumnsFinder {
 public:
  explicit ColumnsFinder(bool keep_case) : keep_case_(keep_case) {}

  std::string Name(std::string_view name) const {
    return keep_case_ ? std::string(name) : ToUpper(name);
  }

  bool too_many() const { return types_ > kFoundColumnsMax; }

  /// NULL's type where SQL has none.
  DataType Type(const AvroType& type) {
    if (++types_ > kFoundColumnsMax) return {};
    switch (type.kind) {
      case AvroKind::kNull: return {};
      case AvroKind::kBoolean: return DataType::Boolean();
      case AvroKind::kInt:
        if (type.logical == AvroLogical::kDate) return DataType::Date();
        return type.logical == AvroLogical::kTimeMillis ? DataType::Time() : DataType::Int();
      case AvroKind::kLong:
        if (type.logical == AvroLogical::kTimeMicros) return DataType::Time();
        return type.logical == AvroLogical::kNone ? DataType::Bigint() : DataType::Timestamp();
      case AvroKind::kFloat:
      case AvroKind::kDouble: return DataType::Double();
      case AvroKind::kBytes:
      case AvroKind::kFixed:
        return type.logical == AvroLogical::kDecimal ? DataType::Decimal(type.precision, type.scale)
                                                     : DataType::Bytes();
      case AvroKind::kString:
      case AvroKind::kEnum: return DataType::String();
      case AvroKind::kArray:
        if (type.is_map_entries) {
          const AvroType& entry = *type.children[0];
          return MapOf(Type(*entry.fields[0].type), Type(*entry.fields[1].type));
        } else {
          const DataType item = Type(*type.children[0]);
          return item.is(TypeKind::kNull) ? item : DataType::Array(item);
        }
      case AvroKind::kMap: return MapOf(DataType::String(), Type(*type.children[0]));
      case AvroKind::kRecord: return StructOf(Fields(type));
      case AvroKind::kUnion: return Union(type);
    }
    return {};
  }

  std::vector<DataType::Field> Fields(const AvroType& record) {
    std::vector<DataType::Field> fields;
    for (const AvroType::Field& field : record.fields) {
      DataType type = Type(*field.type);
      if (!type.is(TypeKind::kNull)) fields.push_back({Name(field.name), std::move(type)});
    }
    return fields;
  }

 private:
  static DataType MapOf(const DataType& key, const DataType& value) {
    if (!key.is(TypeKind::kString) || value.is(TypeKind::kNull)) return {};
    return DataType::Map(key, value);
  }

  static DataType StructOf(std::vector<DataType::Field> fields) {
    if (fields.empty()) return {};
    return DataType::Struct(std::move(fields));
  }

  /// With one type beside null that type, else a STRUCT with a field for each.
  DataType Union(const AvroType& type) {
    std::vector<DataType::Field> fields;
    for (const AvroType* branch : type.children) {
      DataType of_branch = Type(*branch);
      if (of_branch.is(TypeKind::kNull)) continue;
      std::string_view name = branch->BranchName();
      if (const size_t dot = name.rfind('.'); dot != std::string_view::npos) {
        name.remove_prefix(dot + 1);
      }
      fields.push_back({Name(name), std::move(of_branch)});
    }
    return fields.size() == 1 ? fields[0].type : StructOf(std::move(fields));
  }

  const bool keep_case_;
  int types_ = 0;
};

const AvroType& RecordOf(const AvroType& root) {
  if (root.kind != AvroKind::kUnion) return root;
  const AvroType* found = nullptr;
  for (const AvroType* branch : root.children) {
    if (branch->kind == AvroKind::kNull) continue;
    if (found != nullptr) return root;
    found = branch;
  }
  return found == nullptr ? root : *found;
}

}  // namespace

std::string AvroSchemaOf(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  SchemaText text(RecordNameOf(spec));
  if (spec.unwrapped && columns.size() == 1) return text.Type(columns[0].type, text.name());
  std::vector<DataType::Field> fields;
  for (const FormatColumn& column : columns) fields.push_back({column.name, column.type});
  return text.Record(fields, text.name());
}

Result<std::vector<ColumnSchema>> ColumnsOfAvro(const std::string& text,
                                                const std::vector<std::string>& references,
                                                bool is_key, bool unwrapped, bool keep_case) {
  WEIR_ASSIGN_OR_RETURN(const AvroSchemaPtr schema, ParseAvroSchema(text, references));
  ColumnsFinder finder(keep_case);
  std::vector<ColumnSchema> columns;
  const AvroType& record = RecordOf(schema->root());
  if (unwrapped) {
    columns.push_back({is_key ? "ROWKEY" : "ROWVAL", finder.Type(record), is_key});
    if (columns[0].type.is(TypeKind::kNull)) columns.clear();
  } else if (record.kind != AvroKind::kRecord) {
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("the schema is no record, but {}", record.BranchName()))
        .WithHint("WRAP_SINGLE_VALUE=false takes the whole value as one column");
  } else {
    for (DataType::Field& field : finder.Fields(record)) {
      columns.push_back({std::move(field.name), std::move(field.type), is_key});
    }
  }
  if (finder.too_many()) {
    return Status(ErrorCode::kUnsupported,
                  fmt::format("the schema has more than {} fields", kFoundColumnsMax))
        .WithHint("list the columns that you need");
  }
  return columns;
}

}  // namespace weir
